"""Of what the Capacity Scheduler decides: order of input, guarantees, and preemption's end."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.errors import Rejected
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.policy.configuration.cluster import read_capacity_scheduler
from kubeyarn.schedule.capacity import CapacityEngine
from kubeyarn.schedule.engine import Grant, Preempt
from property.schedule.stories import LEAVES, SIZES, properties

Wish = tuple[int, int, int, tuple[int, int]]
WISHES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 2), st.integers(1, 6), SIZES),
    min_size=2,
    max_size=8,
)


def engine(values: dict[str, str], nodes: int) -> CapacityEngine:
    config, types = read_capacity_scheduler(values)
    made = CapacityEngine(types)
    made.configure(config, 0)
    for number in range(nodes):
        made.add_node(Node(f"n{number}", (8192, 8)))
    return made


def submit(made: CapacityEngine, number: int, wish: Wish) -> None:
    leaf, user, _, _ = wish
    app = Application(
        ApplicationId(1, number),
        user=f"u{user}",
        queue=LEAVES[leaf],
        am_size=(1024, 1),
        order=number,
    )
    with suppress(Rejected):
        made.submit(app, 0)


def ask(made: CapacityEngine, number: int, wish: Wish) -> None:
    _, _, count, size = wish
    with suppress(Rejected):
        made.update_asks(ApplicationId(1, number), [Ask(AskKey(1), count, size)], 0)


@settings(max_examples=100, deadline=None)
@given(st.data(), WISHES)
def test_decisions_do_not_hang_on_the_order_of_asking(
    data: st.DataObject, wishes: list[Wish]
) -> None:
    values = data.draw(properties())
    order = data.draw(st.permutations(range(len(wishes))))
    told = []
    for numbers in (range(len(wishes)), order):
        made = engine(values, 3)
        for number, wish in enumerate(wishes):
            submit(made, number + 1, wish)
        for number in numbers:
            ask(made, number + 1, wishes[number])
        told.append(made.cycle(0, 10**6))
    assert told[0] == told[1]


@settings(max_examples=100, deadline=None)
@given(properties(), st.integers(1, 6))
def test_guarantees_grow_with_the_cluster_and_stay_within_the_parent(
    values: dict[str, str], nodes: int
) -> None:
    small, large = engine(values, nodes), engine(values, nodes + 1)
    small.settle()
    large.settle()
    for path, queue in small.queues.items():
        bigger = large.queues[path]
        assert all(a <= b for a, b in zip(queue.minimum(""), bigger.minimum(""), strict=True))
        assert all(a <= b for a, b in zip(queue.maximum(""), bigger.maximum(""), strict=True))
    for made in (small, large):
        for path in ("root", "root.b"):
            parts = [q.minimum("") for p, q in made.queues.items() if p.rpartition(".")[0] == path]
            whole = made.queues[path].minimum("")
            assert all(sum(part[i] for part in parts) <= whole[i] + 1 for i in range(2))


@settings(max_examples=60, deadline=None)
@given(properties(), WISHES, WISHES)
def test_preemption_comes_to_an_end(
    values: dict[str, str], first: list[Wish], later: list[Wish]
) -> None:
    """Nothing that was preempted takes its place back, so that rounds cease to find anything."""
    values = {
        **values,
        "yarn.resourcemanager.scheduler.monitor.enable": "true",
        "yarn.resourcemanager.monitor.capacity.preemption.total_preemption_per_round": "1.0",
        "yarn.resourcemanager.monitor.capacity.preemption.natural_termination_factor": "1.0",
        "yarn.resourcemanager.monitor.capacity.preemption.max_wait_before_kill": "0",
    }
    made = engine(values, 3)
    for number, wish in enumerate(first):
        submit(made, number + 1, wish)
        ask(made, number + 1, wish)
    made.cycle(0, 10**6)
    for number, wish in enumerate(later):
        submit(made, number + 101, wish)
        ask(made, number + 101, wish)
    quiet = 0
    for second in range(1, 200):
        killed = [d for d in made.preempt(second * 1000) if isinstance(d, Preempt) and d.kill]
        for one in killed:
            made.release(one.container, second * 1000)
        granted = [d for d in made.cycle(second * 1000, 10**6) if isinstance(d, Grant)]
        quiet = 0 if killed or granted else quiet + 1
        if quiet > 5:
            return
    raise AssertionError("preemption goes on")

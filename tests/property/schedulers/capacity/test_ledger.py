"""What always holds of the Capacity Scheduler's ledger, whatever happens to it."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from hypothesis import example, given, settings

from kubeyarn.model.resources import Vector, add, subtract
from kubeyarn.schedulers.api import Decision, Grant
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.queue import AbstractCSQueue
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from property.schedulers.capacity.stories import STORY, Step, Teller, properties

ZERO = (0, 0)
Amounts = dict[str, Vector]


def present(amounts: Amounts) -> Amounts:
    return {partition: size for partition, size in amounts.items() if any(size)}


class Recount:
    """All sums, counted again from containers, reservations, asks and applications."""

    def __init__(self, engine: CapacityScheduler) -> None:
        self.used: dict[object, Amounts] = defaultdict(dict)
        self.reserved: dict[object, Amounts] = defaultdict(dict)
        self.pending: dict[object, Amounts] = defaultdict(dict)
        self.am_used: dict[object, Amounts] = defaultdict(dict)
        self.on_node: dict[str, Vector] = {}
        self.count_on_node: Counter[str] = Counter()
        for app in engine.state.apps.values():
            self._recount(app)

    def _recount(self, app: FiCaSchedulerApp) -> None:
        above = [queue.path for queue in app.queue.path_up()]
        user = (app.queue.path, app.user)
        for container in app.containers.values():
            counting = [app.app.id, user, *above]
            _up(self.used, counting, container.partition, container.size)
            held = self.on_node.get(container.node, ZERO)
            self.on_node[container.node] = add(held, container.size)
            self.count_on_node[container.node] += 1
        for by_node in app.reservations.values():
            for one in by_node.values():
                _up(self.used, [user, *above], one.partition, one.size)
                _up(self.reserved, [app.app.id, *above], one.partition, one.size)
        for ask in app.asks.values():
            size = tuple(x * ask.count for x in ask.size)
            _up(self.pending, [app.app.id, *above], ask.partition, size)
        if app.active:
            _up(self.am_used, [app.queue.path, user], app.am_partition, app.am_size)


def _up(
    where: dict[object, Amounts], counting: Iterable[object], partition: str, size: Vector
) -> None:
    for name in counting:
        held = where[name]
        held[partition] = add(held.get(partition, ZERO), size)


def check_sums(engine: CapacityScheduler) -> None:
    again = Recount(engine)
    for queue in engine.state.queues.values():
        assert present(queue.used) == present(again.used[queue.path]), queue.path
        assert present(queue.reserved) == present(again.reserved[queue.path]), queue.path
        assert present(queue.pending) == present(again.pending[queue.path]), queue.path
        if isinstance(queue, LeafQueue):
            assert present(queue.am_used) == present(again.am_used[queue.path]), queue.path
            check_users(queue, again)
    for app in engine.state.apps.values():
        assert present(app.used) == present(again.used[app.app.id]), app.app.id
        assert present(app.reserved) == present(again.reserved[app.app.id]), app.app.id
        assert present(app.pending) == present(again.pending[app.app.id]), app.app.id
    check_nodes(engine, again)


def check_users(leaf: LeafQueue, again: Recount) -> None:
    active: Amounts = {}
    for name, user in leaf.users.by_name.items():
        assert present(user.used) == present(again.used[leaf.path, name])
        assert present(user.am_used) == present(again.am_used[leaf.path, name])
        for partition, used in user.used.items() if user.active else ():
            active[partition] = add(active.get(partition, ZERO), used)
    kept = {name: part.active_used or ZERO for name, part in leaf.users.usages.items()}
    assert present(kept) == present(active), leaf.path


def check_nodes(engine: CapacityScheduler, again: Recount) -> None:
    partitions: Amounts = {}
    reserved = {
        node: one
        for app in engine.state.apps.values()
        for by_node in app.reservations.values()
        for node, one in by_node.items()
    }
    for node in engine.state.cluster.nodes.values():
        assert node.free == subtract(node.total, again.on_node.get(node.name, ZERO))
        assert node.free_slots == node.node.pods - again.count_on_node[node.name]
        assert all(x >= 0 for x in node.free) or not engine.state.calc.any_above_zero(node.free)
        assert node.reservation is reserved.pop(node.name, None)
        partitions[node.partition] = add(partitions.get(node.partition, ZERO), node.total)
    assert not reserved
    assert present(engine.state.cluster.partitions) == present(partitions)
    assert engine.state.cluster.total == (
        sum(x[0] for x in partitions.values()),
        sum(x[1] for x in partitions.values()),
    )


@settings(max_examples=150, deadline=None)
@given(properties(), STORY)
def test_every_sum_equals_a_recount_after_each_step(
    values: dict[str, str], story: list[Step]
) -> None:
    teller = Teller(values)
    for step in story:
        teller.tell(step)
        check_sums(teller.engine)


@settings(max_examples=150, deadline=None)
@given(properties(), STORY)
def test_no_queue_is_led_over_its_maximum(values: dict[str, str], story: list[Step]) -> None:
    teller = Teller(values)
    engine = teller.engine
    for step in story:
        engine.state.bring_up_to_date()
        within = {path for path, queue in engine.state.queues.items() if _within(queue)}
        before = len(teller.decisions)
        teller.tell(step)
        if step.what in ("cycle", "offer"):
            for queue in _granted_in(engine, teller.decisions[before:]):
                assert queue.path not in within or _within(queue)


def _within(queue: AbstractCSQueue) -> bool:
    return queue.calc.fits(queue.use(""), queue.maximum(""))


def _granted_in(engine: CapacityScheduler, decisions: list[Decision]) -> list[AbstractCSQueue]:
    leaves = [
        engine.state.apps[one.container.id.attempt.application].queue
        for one in decisions
        if isinstance(one, Grant) and not one.container.partition
    ]
    return [queue for leaf in leaves for queue in leaf.path_up()]


@settings(max_examples=100, deadline=None)
@given(properties(), STORY)
def test_a_container_is_granted_once_and_fits_its_node(
    values: dict[str, str], story: list[Step]
) -> None:
    teller = Teller(values)
    for step in story:
        teller.tell(step)
    granted = [one.container for one in teller.decisions if isinstance(one, Grant)]
    assert len({container.id for container in granted}) == len(granted)


@settings(max_examples=100, deadline=None)
@given(properties(), STORY)
def test_the_fast_path_decides_what_the_general_way_does(
    values: dict[str, str], story: list[Step]
) -> None:
    fast, general = Teller(values), Teller(values, fast_path=False)
    for step in story:
        fast.tell(step)
        general.tell(step)
        assert fast.decisions == general.decisions
    assert fast.engine.queue_status() == general.engine.queue_status()


@settings(max_examples=60, deadline=None)
@given(properties(), STORY)
def test_caches_change_no_decision(values: dict[str, str], story: list[Step]) -> None:
    """A scheduler that takes nothing for granted decides the same at each step."""
    teller, again = Teller(values), Teller(values)
    for step in story:
        teller.tell(step)
        again.engine.state.dirty.asks_changed()
        again.tell(step)
        assert teller.decisions == again.decisions


@settings(max_examples=60, deadline=None)
@given(properties(), STORY)
def test_an_idle_cycle_stays_idle_until_something_changes(
    values: dict[str, str], story: list[Step]
) -> None:
    teller = Teller(values)
    for step in story:
        teller.tell(step)
    while teller.engine.cycle(teller.now_ms, 1000):
        pass
    free = {node.name: node.free for node in teller.engine.state.cluster.nodes.values()}
    teller.engine.state.dirty.use_changed()
    assert not [
        one for one in teller.engine.cycle(teller.now_ms, 1000) if isinstance(one, Grant)
    ] or free != {node.name: node.free for node in teller.engine.state.cluster.nodes.values()}


@settings(max_examples=100, deadline=None)
@given(properties(), STORY)
@example(
    {
        "yarn.scheduler.capacity.root.queues": "a",
        "yarn.scheduler.capacity.root.a.capacity": "100",
        "yarn.scheduler.capacity.maximum-am-resource-percent": "0.5",
    },
    [
        *[Step("submit", (0, 0, 0), (1024, 1))] * 12,
        Step("cycle", (4, 0, 0), (1024, 1)),
        Step("remove", (1, 0, 0), (1024, 1)),
        Step("add", (1, 0, 0), (1024, 1)),
        Step("remove", (0, 0, 0), (1024, 1)),
        Step("cycle", (0, 0, 0), (1024, 1)),
    ],
)
def test_asking_changes_no_decision(values: dict[str, str], story: list[Step]) -> None:
    asked, quiet = Teller(values), Teller(values)
    for step in story:
        asked.tell(step)
        quiet.tell(step)
        _ask_everything(asked)
        assert asked.decisions == quiet.decisions


def _ask_everything(teller: Teller) -> None:
    engine = teller.engine
    engine.queue_status()
    engine.containers()
    for app in list(engine.state.apps.values()):
        engine.headroom(app.app.id)
        for key in [None, *app.keys]:
            verdict = engine.why(app.app.id, key, teller.now_ms)
            assert verdict is None or verdict.message

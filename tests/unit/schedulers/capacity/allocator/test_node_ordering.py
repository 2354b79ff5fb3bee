"""Which of the nodes that fit is taken: the least used, or the most."""

from __future__ import annotations

from collections import Counter

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import NodeOrdering, QueueConfig, SchedulerConfig, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.api import Grant
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

ONE = ApplicationId(1, 1)


def packing(
    ordering: NodeOrdering = NodeOrdering.PACK, *, cores: int = 10, dominant: bool = True
) -> CapacityScheduler:
    """Three nodes, and an application whose ApplicationMaster runs."""
    engine = CapacityScheduler(ResourceTypes())
    leaf = QueueConfig("root.a", order=1, capacity=percent(100), node_ordering=ordering)
    config = SchedulerConfig(
        queues=(QueueConfig("root"), leaf),
        minimum_allocation=(1, 1),
        maximum_allocation=(10, 10),
        dominant=dominant,
        choose_nodes=True,
    )
    engine.configure(config, 0)
    for name in ("n1", "n2", "n3"):
        engine.add_node(Node(name, (10, cores)))
    engine.submit(Application(ONE, "alice", "root.a", am_size=(1, 1), order=1), 0)
    engine.cycle(0, 100)
    return engine


def granted(
    ordering: NodeOrdering, *, count: int, size: int = 1, cores: int = 10, dominant: bool = True
) -> Counter[str]:
    """How many containers each of three nodes gets, the ApplicationMaster's among them."""
    engine = packing(ordering, cores=cores, dominant=dominant)
    engine.update_asks(ONE, [Ask(AskKey(1), count, (size, size))], 0)
    engine.cycle(0, 100)
    return Counter(
        {
            name: len(node.containers)
            for name, node in engine.state.cluster.nodes.items()
            if node.containers
        }
    )


def test_a_queue_that_spreads_takes_the_least_used_node_each_time() -> None:
    assert granted(NodeOrdering.SPREAD, count=5) == {"n1": 2, "n2": 2, "n3": 2}


def test_a_queue_that_packs_fills_one_node_before_it_takes_another() -> None:
    assert granted(NodeOrdering.PACK, count=11) == {"n3": 10, "n2": 2}


def test_a_container_that_does_not_fit_the_fullest_node_goes_to_the_next() -> None:
    assert granted(NodeOrdering.PACK, count=2, size=10) == {"n3": 1, "n2": 1, "n1": 1}


def test_a_node_without_cores_is_packed_further_where_only_memory_counts() -> None:
    found = granted(NodeOrdering.PACK, count=9, size=1, cores=4, dominant=False)

    assert found == {"n3": 10}


def test_a_fuller_node_with_too_little_room_is_passed_over() -> None:
    engine = packing()
    engine.update_asks(ONE, [Ask(AskKey(1), 5, (5, 5))], 0)
    found = Counter(one.container.node for one in engine.cycle(0, 100) if isinstance(one, Grant))

    assert found == {"n3": 1, "n2": 2, "n1": 2}
    assert not engine.cycle(0, 100)


def test_a_cycle_that_packs_stops_at_its_limit_and_goes_on() -> None:
    engine = packing()
    engine.update_asks(ONE, [Ask(AskKey(1), 29, (1, 1))], 0)
    first = engine.cycle(0, 7)
    rest = engine.cycle(0, 100)

    assert (len(first), len(rest)) == (7, 22)
    assert Counter(one.container.node for one in first if isinstance(one, Grant)) == {"n3": 7}


def test_what_ends_on_a_full_node_is_filled_again() -> None:
    engine = packing()
    engine.update_asks(ONE, [Ask(AskKey(1), 15, (1, 1))], 0)
    grants = [one for one in engine.cycle(0, 100) if isinstance(one, Grant)]
    full = next(one for one in grants if one.container.node == "n3")
    engine.release(full.container.id, 0)
    engine.update_asks(ONE, [Ask(AskKey(1), 1, (1, 1))], 0)
    [again] = engine.cycle(0, 100)

    assert isinstance(again, Grant)
    assert again.container.node == "n3"

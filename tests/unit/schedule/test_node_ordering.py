"""Which of the nodes that fit is taken: the least used, or the most."""

from __future__ import annotations

from collections import Counter

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import NodeOrdering, QueueConfig, SchedulerConfig, percent
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedule.capacity import CapacityEngine
from kubeyarn.schedule.engine import Grant

ONE = ApplicationId(1, 1)


def granted(ordering: NodeOrdering, *, count: int, size: int = 1) -> Counter[str]:
    """How many containers each of three nodes gets, the ApplicationMaster's among them."""
    engine = CapacityEngine(ResourceTypes())
    leaf = QueueConfig("root.a", order=1, capacity=percent(100), node_ordering=ordering)
    config = SchedulerConfig(
        queues=(QueueConfig("root"), leaf),
        minimum_allocation=(1, 1),
        maximum_allocation=(10, 10),
        choose_nodes=True,
    )
    engine.configure(config, 0)
    for name in ("n1", "n2", "n3"):
        engine.add_node(Node(name, (10, 10)))
    engine.submit(Application(ONE, "alice", "root.a", am_size=(1, 1), order=1), 0)
    found = [*engine.cycle(0, 100)]
    engine.register(ONE)
    engine.update_asks(ONE, [Ask(AskKey(1), count, (size, size))], 0)
    found += engine.cycle(0, 100)
    return Counter(one.container.node for one in found if isinstance(one, Grant))


def test_a_queue_that_spreads_takes_the_least_used_node_each_time() -> None:
    assert granted(NodeOrdering.SPREAD, count=5) == {"n1": 2, "n2": 2, "n3": 2}


def test_a_queue_that_packs_fills_one_node_before_it_takes_another() -> None:
    assert granted(NodeOrdering.PACK, count=11) == {"n3": 10, "n2": 2}


def test_a_container_that_does_not_fit_the_fullest_node_goes_to_the_next() -> None:
    assert granted(NodeOrdering.PACK, count=2, size=10) == {"n3": 1, "n2": 1, "n1": 1}

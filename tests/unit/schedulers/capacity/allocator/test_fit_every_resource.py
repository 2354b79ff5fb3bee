"""Where queues count memory alone, a node of a cluster still holds no more CPU than it has."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.nodes import Node
from kubeyarn.model.reasons import Reason
from unit.schedulers.small import SmallCluster

MEMORY_ALONE = {
    "resource-calculator": "org.apache.hadoop.yarn.util.resource.DefaultResourceCalculator"
}


def memory_alone(*, fit: bool) -> SmallCluster:
    """A node of 16 GiB and 4 CPUs with an AM on it that asks for no CPU to speak of."""
    cluster = SmallCluster(MEMORY_ALONE, nodes=0)
    config = cluster.engine.state.config_in_force()
    cluster.engine.configure(replace(config, fit_every_resource=fit), 0)
    cluster.node("n0", (17 * 1024, 4))
    cluster.submit(1, am=(1024, 0))
    cluster.cycle()
    return cluster


@pytest.mark.parametrize(
    ("fit", "granted"),
    [pytest.param(False, 16, id="as Hadoop does"), pytest.param(True, 3, id="in a cluster")],
)
def test_containers_of_one_cpu_on_a_node_of_four(fit: bool, granted: int) -> None:
    cluster = memory_alone(fit=fit)
    cluster.ask(1, 20, (1024, 1))

    assert len(cluster.cycle()) == granted


def test_what_is_granted_is_what_was_asked_for_besides_memory() -> None:
    cluster = memory_alone(fit=True)
    cluster.ask(1, 1, (1000, 3))

    assert [container.size for container in cluster.cycle()] == [(1024, 3)]


def test_a_queue_may_hold_more_cpu_than_its_part_of_the_memory_would_be() -> None:
    cluster = memory_alone(fit=True)
    cluster.ask(1, 3, (1024, 1))
    cluster.cycle()

    assert cluster.status("root.a").used == (4 * 1024, 4)


def test_who_waits_for_cpu_is_told_that_no_node_has_room() -> None:
    cluster = memory_alone(fit=True)
    cluster.ask(1, 20, (1024, 1))
    cluster.cycle()

    verdict = cluster.why(1)
    assert verdict is not None
    assert verdict.reason in (Reason.NODES_BUSY, Reason.RESERVED)


def test_an_ask_that_no_node_has_the_cpu_for_stops_nobody_and_is_never_granted() -> None:
    cluster = memory_alone(fit=True)
    # Foreign pods take what is missing: a container may be as large as the node is without them.
    cluster.engine.update_node(Node("n0", (17 * 1024, 3), capability=(17 * 1024, 8)))
    cluster.ask(1, 1, (1024, 4))
    assert cluster.cycle() == []
    cluster.submit(2, am=(1024, 1))
    assert len(cluster.cycle()) == 1

    cluster.engine.update_node(Node("n0", (17 * 1024, 8)))
    assert [container.size for container in cluster.cycle()] == [(1024, 4)]

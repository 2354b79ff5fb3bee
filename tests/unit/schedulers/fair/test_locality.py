"""Where containers would rather be."""

from __future__ import annotations

from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.nodes import Node
from unit.schedulers.fair.building import GIB, FairCluster, app_id

A = '<queue name="a"/>'


def racks(**settings: str) -> FairCluster:
    cluster = FairCluster(A, nodes=0, **settings)
    for number in range(4):
        cluster.engine.add_node(Node(f"n{number}", (10240, 10), rack=f"/r{number % 2}"))
    cluster.submit(1)
    cluster.cycle()
    return cluster


def ask(cluster: FairCluster, locality: Locality, count: int = 1) -> None:
    cluster.engine.update_asks(app_id(1), [Ask(AskKey(1), count, GIB, None, locality)], 0)
    cluster.engine.update(0)


def offered(cluster: FairCluster, *nodes: str) -> list[int]:
    return [len(cluster.engine.node_update(node, 0)) for node in nodes]


def test_without_thresholds_any_node_will_do() -> None:
    cluster = racks()
    ask(cluster, Locality(nodes=(("n3", 1),)))

    assert offered(cluster, "n0") == [1]


def test_with_thresholds_the_node_is_waited_for_then_the_rack_then_any() -> None:
    cluster = racks(**{"locality.threshold.node": "0.5", "locality.threshold.rack": "0.5"})
    ask(cluster, Locality(nodes=(("n3", 3),)), count=3)

    assert offered(cluster, "n0", "n1", "n0") == [0, 0, 0]
    assert offered(cluster, "n1") == [1]
    assert offered(cluster, "n3") == [1]


def test_asking_again_does_not_begin_the_wait_anew() -> None:
    """An ApplicationMaster says at every heartbeat what it still wants."""
    cluster = racks(**{"locality.threshold.node": "0.5", "locality.threshold.rack": "0.5"})
    for _ in range(3):
        ask(cluster, Locality(nodes=(("n3", 3),)), count=3)
        assert offered(cluster, "n0") == [0]

    ask(cluster, Locality(nodes=(("n3", 3),)), count=3)

    assert offered(cluster, "n1") == [1]


def test_without_relaxation_only_the_named_node_will_do() -> None:
    cluster = racks()
    ask(cluster, Locality(nodes=(("n3", 1),), relax=False))

    assert offered(cluster, "n0", "n1", "n2", "n3") == [0, 0, 0, 1]


def test_without_relaxation_the_named_rack_will_do() -> None:
    cluster = racks()
    ask(cluster, Locality(racks=(("/r1", 1),), relax=False))

    assert offered(cluster, "n0", "n2", "n1") == [0, 0, 1]

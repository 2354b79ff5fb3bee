"""What makes derived values stale, and what brings them up to date."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubeyarn.model.nodes import Node
from kubeyarn.schedulers.fair.dirty import FairDirty
from unit.schedulers.fair.building import GIB, A, FairCluster, app_id


def clean() -> FairDirty:
    dirty = FairDirty()
    dirty.cluster_updated()
    dirty.shares_updated()
    return dirty


@pytest.mark.parametrize(
    ("happens", "cluster", "shares", "moves"),
    [
        pytest.param(FairDirty.allocation_changed, False, False, True, id="an allocation"),
        pytest.param(FairDirty.shares_changed, False, True, True, id="what shares depend on"),
        pytest.param(FairDirty.cluster_resized, True, True, True, id="the size of the cluster"),
        pytest.param(
            FairDirty.cluster_updated, False, False, False, id="the cluster is up to date"
        ),
        pytest.param(FairDirty.shares_updated, False, False, False, id="an update"),
    ],
)
def test_transitions(
    happens: Callable[[FairDirty], None], *, cluster: bool, shares: bool, moves: bool
) -> None:
    dirty = clean()
    before = dirty.version

    happens(dirty)

    assert (dirty.cluster, dirty.shares, dirty.version > before) == (cluster, shares, moves)


def submit(cluster: FairCluster) -> None:
    cluster.submit(9)


def ask(cluster: FairCluster) -> None:
    cluster.ask(1, 7)


def release(cluster: FairCluster) -> None:
    cluster.release(1, 1)


def finish(cluster: FairCluster) -> None:
    cluster.scheduler.finish(app_id(1), 0)


def move(cluster: FairCluster) -> None:
    cluster.scheduler.move(app_id(1), "b", 0)


def reload(cluster: FairCluster) -> None:
    cluster.reload(A)


def join(cluster: FairCluster) -> None:
    cluster.scheduler.add_node(Node("more", (1024, 1)))


def leave(cluster: FairCluster) -> None:
    cluster.scheduler.remove_node("n1")


def decrease(cluster: FairCluster) -> None:
    cluster.scheduler.decrease(cluster.held(1)[-1].id, (512, 1))


def increase(cluster: FairCluster) -> None:
    cluster.scheduler.request_increase(cluster.held(1)[-1], GIB)


def look(cluster: FairCluster) -> None:
    cluster.scheduler.queue_status()
    cluster.scheduler.headroom(app_id(1))
    cluster.scheduler.why(app_id(1), None, 0)


def unknown(cluster: FairCluster) -> None:
    cluster.scheduler.finish(app_id(77), 0)
    cluster.scheduler.remove_node("nowhere")


@pytest.mark.parametrize(
    ("event", "cluster", "shares", "cycles"),
    [
        pytest.param(submit, False, True, True, id="an application"),
        pytest.param(ask, False, True, True, id="an ask"),
        pytest.param(release, False, True, True, id="a container that ends"),
        pytest.param(finish, False, True, True, id="an application that ends"),
        pytest.param(move, False, True, True, id="a move"),
        pytest.param(reload, False, True, True, id="a configuration"),
        pytest.param(join, True, True, True, id="a node that joins"),
        pytest.param(leave, True, True, True, id="a node that is lost"),
        pytest.param(decrease, False, True, True, id="a container that is made smaller"),
        pytest.param(increase, False, True, True, id="a container that wants more"),
        pytest.param(look, False, False, False, id="questions"),
        pytest.param(unknown, False, False, False, id="what is not known"),
    ],
)
def test_every_event_says_what_it_makes_stale(
    event: Callable[[FairCluster], None], *, cluster: bool, shares: bool, cycles: bool
) -> None:
    busy = FairCluster('<queue name="a"/><queue name="b"/>')
    busy.run(1, "a", count=3, size=(2048, 1))
    busy.cycle()
    busy.cycle()
    dirty = busy.scheduler.state.dirty
    version = dirty.version

    event(busy)

    assert (dirty.cluster, dirty.shares) == (cluster, shares)
    assert (dirty.version != version) == cycles


def test_a_grant_makes_no_share_stale() -> None:
    cluster = FairCluster(A)
    cluster.run(1, count=9)
    cluster.scheduler.update(0)
    dirty = cluster.scheduler.state.dirty
    version = dirty.version

    cluster.scheduler.node_update("n0", 0)

    assert not dirty.shares
    assert dirty.version > version


def test_a_cycle_after_one_that_changed_nothing_offers_no_node(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cluster = FairCluster(A)
    cluster.run(1, count=30)
    cluster.cycle()
    offers: list[object] = []
    assigner = cluster.scheduler._assigner
    monkeypatch.setattr(assigner, "could_assign", lambda node, growing: offers.append(node))

    cluster.cycle()
    idle = len(offers)
    cluster.release(1, 1)
    cluster.cycle()

    assert idle == 0
    assert offers

"""Placement constraints, in both engines."""

from __future__ import annotations

from collections import Counter

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.constraint_parser import parse
from unit.schedulers.either import APP, BOTH, OTHER, Either

SERVERS, CLIENTS = AskKey(1, 1), AskKey(2, 1)


def ask(
    either: Either,
    count: int,
    constraint: str = "",
    tags: tuple[str, ...] = (),
    key: AskKey = SERVERS,
    app: ApplicationId = APP,
) -> list[Container]:
    """Ask, and what one cycle grants of it."""
    said = parse(constraint) if constraint else None
    either.ask(count, key=key, app=app, constraint=said, tags=tags)
    return [c for c in either.cycle() if c.key == key and c.id.attempt.application == app]


def nodes(containers: list[Container]) -> list[str]:
    return sorted(container.node for container in containers)


def with_another(kind: SchedulerKind, tags: tuple[str, ...] = ()) -> Either:
    """Two applications on n0, n2 of rack r0 and n1 of r1."""
    either = Either(kind)
    either.engine.submit(Application(OTHER, "u", "root.a", am_size=(1, 1), order=2, tags=tags), 0)
    either.cycle()
    return either


@BOTH
def test_anti_affinity_to_itself_spreads_over_nodes(kind: SchedulerKind) -> None:
    either = Either(kind)

    assert nodes(ask(either, 5, "notin,node,hbase", ("hbase",))) == ["n0", "n1", "n2"]


@BOTH
def test_anti_affinity_by_rack_leaves_one_for_each(kind: SchedulerKind) -> None:
    either = Either(kind)
    made = ask(either, 5, "notin,rack,hbase", ("hbase",))

    assert len(made) == 2
    assert "n1" in nodes(made)


@BOTH
def test_a_cardinality_bounds_what_a_node_takes(kind: SchedulerKind) -> None:
    either = Either(kind)
    made = ask(either, 20, "cardinality,node,hbase,0,1", ("hbase",))

    assert Counter(nodes(made)) == {"n0": 2, "n1": 2, "n2": 2}


@BOTH
def test_affinity_follows_others_and_waits_for_them(kind: SchedulerKind) -> None:
    either = Either(kind)
    assert ask(either, 3, "in,node,hbase", key=CLIENTS) == []
    assert either.why(CLIENTS).reason is Reason.PLACEMENT_CONSTRAINT
    assert "'in,node,hbase'" in either.why(CLIENTS).message

    either.ask(1, tags=("hbase",), key=SERVERS, excluded=["n0", "n2"])
    made = [*either.cycle(), *either.cycle()]

    assert nodes(made) == ["n1"] * 4


@BOTH
def test_a_place_is_free_again_when_the_container_has_ended(kind: SchedulerKind) -> None:
    either = Either(kind)
    first = ask(either, 4, "notin,node,hbase", ("hbase",))
    assert either.cycle() == []

    either.engine.release(first[0].id, 0)

    assert nodes(either.cycle()) == [first[0].node]


@BOTH
@pytest.mark.parametrize(
    ("namespace", "blocked"),
    [
        ("", False),
        ("self/", False),
        ("not-self/", True),
        ("all/", True),
        ("app-id/application_1_0001/", True),
        ("app-id/application_1_0007/", False),
        ("app-tag/nightly/", False),
    ],
)
def test_a_namespace_says_whose_containers_count(
    kind: SchedulerKind, namespace: str, blocked: bool
) -> None:
    either = with_another(kind)
    assert len(ask(either, 3, "notin,node,hbase", ("hbase",))) == 3

    made = ask(either, 1, f"notin,node,{namespace}hbase", app=OTHER)

    assert (made == []) is blocked


@BOTH
def test_applications_are_meant_by_their_tags(kind: SchedulerKind) -> None:
    either = with_another(kind, tags=("nightly",))
    [theirs] = ask(either, 1, tags=("db",), app=OTHER)

    assert nodes(ask(either, 3, "in,node,app-tag/nightly/db")) == [theirs.node] * 3
    assert ask(either, 3, "in,node,app-tag/daily/db", key=CLIENTS) == []


@BOTH
def test_conjunctions_hold_together(kind: SchedulerKind) -> None:
    either = Either(kind)
    either.ask(1, tags=("db",), excluded=["n1", "n2"])
    either.cycle()

    text = "and(in,rack,db:notin,node,db)"
    assert nodes(ask(either, 2, text, key=CLIENTS)) == ["n2", "n2"]
    text = "or(in,node,none:notin,rack,db)"
    assert nodes(ask(either, 1, text, key=AskKey(3))) == ["n1"]


@BOTH
def test_recovered_containers_count_and_racks_may_change(kind: SchedulerKind) -> None:
    either = Either(kind)
    [old] = ask(either, 1, tags=("hbase",))
    fresh = Either(kind)
    fresh.engine.recover(APP, old)
    place = {"n0": "r0", "n1": "r1", "n2": "r0"}

    made = ask(fresh, 3, "notin,rack,hbase", key=CLIENTS)
    assert {place[name] for name in nodes(made)} == {"r0", "r1"} - {place[old.node]}

    fresh.engine.update_node(Node(old.node, (10, 10), rack="r9"))
    made = ask(fresh, 6, "in,rack,hbase", key=AskKey(3))
    assert set(nodes(made)) == {old.node}


@BOTH
def test_what_has_no_constraint_is_placed_as_ever(kind: SchedulerKind) -> None:
    plain, tagged = Either(kind), Either(kind)
    one, other = ask(plain, 7), ask(tagged, 7, tags=("hbase",))

    assert nodes(one) == nodes(other)

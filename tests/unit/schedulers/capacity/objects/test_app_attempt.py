"""What an ask says of places, and in which order an attempt's asks are served."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AM_KEY, AskKey, Locality, update_key
from kubeyarn.model.nodes import Node
from kubeyarn.schedulers.capacity.objects.app_attempt import PendingAsk
from unit.schedulers.small import SmallCluster, app_id

KEY = AskKey(1)
GROWTH = update_key(KEY, "container_1")


def ask_at(
    locality: Locality, racks: dict[str, int] | None = None, key: AskKey = KEY, **more: object
) -> PendingAsk:
    """An ask for two containers with that locality; *racks* are its nodes' and its own."""
    ask = PendingAsk(key, 2, (1024, 1), "")
    ask.set_locality(locality, racks or dict(locality.racks), **more)  # type: ignore[arg-type]
    return ask


@pytest.mark.parametrize(
    ("locality", "unconstrained", "strictly_local", "locations"),
    [
        pytest.param(Locality(), True, False, 1, id="anywhere"),
        pytest.param(Locality(nodes=(("n0", 1),)), False, False, 3, id="rather on a node"),
        pytest.param(Locality(racks=(("/r0", 1),)), False, False, 2, id="rather in a rack"),
        pytest.param(
            Locality(nodes=(("n0", 2), ("n1", 1))), False, False, 4, id="rather on one of two nodes"
        ),
        pytest.param(
            Locality(nodes=(("n0", 1),), relax=False), False, True, 3, id="on a node and no other"
        ),
        pytest.param(
            Locality(racks=(("/r0", 1),), relax=False), False, False, 2, id="in a rack and no other"
        ),
        pytest.param(
            Locality(nodes=(("n0", 1),), racks=(("/r0", 1),), relax=False),
            False,
            False,
            3,
            id="on a node or in its rack and nowhere else",
        ),
        pytest.param(
            Locality(nodes=(("n0", 1),), racks=(("/r0", 0),), relax=False),
            False,
            True,
            3,
            id="a rack with a count of 0 does not let it go there",
        ),
        pytest.param(Locality(relax=False), False, False, 1, id="nowhere in particular, strictly"),
        pytest.param(
            Locality(excluded=frozenset({"n1"})), False, False, 1, id="anywhere but on a node"
        ),
        pytest.param(
            Locality(classes=frozenset({1})), False, False, 1, id="on nodes of a class alone"
        ),
    ],
)
def test_what_an_ask_says_of_places(
    locality: Locality,
    unconstrained: bool,
    strictly_local: bool,
    locations: int,
) -> None:
    racks = dict(locality.racks)
    for _ in locality.nodes[:1]:
        racks.setdefault("/r0", 1)

    ask = ask_at(locality, racks)

    assert ask.unconstrained is unconstrained
    assert ask.is_strictly_local is strictly_local
    assert ask.unique_locations == locations


@pytest.mark.parametrize(
    ("its_own", "of_the_attempt", "refused"),
    [
        pytest.param((), (), [], id="nothing is excluded"),
        pytest.param(("n0",), (), ["n0"], id="a node by the ask"),
        pytest.param((), ("n0",), ["n0"], id="a node by the attempt"),
        pytest.param(("n0",), ("n1",), ["n0", "n1"], id="one by each"),
        pytest.param((), ("/r0",), ["n0", "n1"], id="all nodes of a rack"),
        pytest.param(
            ("/r1",), ("n1",), ["n1", "n2"], id="a rack by the ask, a node by the attempt"
        ),
        pytest.param(("n9",), ("/r9",), [], id="places that are not there"),
    ],
)
def test_both_an_ask_and_its_attempt_exclude_places(
    its_own: tuple[str, ...], of_the_attempt: tuple[str, ...], refused: list[str]
) -> None:
    racks = {"n0": "/r0", "n1": "/r0", "n2": "/r1"}
    ask = ask_at(Locality(excluded=frozenset(its_own)), excluded=frozenset(of_the_attempt))

    assert [name for name, rack in racks.items() if ask.excludes(name, rack)] == refused


def test_what_an_attempt_excluded_before_is_replaced_and_what_an_ask_excludes_stays() -> None:
    ask = ask_at(Locality(excluded=frozenset({"n0"})), excluded=frozenset({"n1"}))

    ask.exclude(frozenset({"n2"}))
    assert ask.excluded == {"n0", "n2"}

    ask.exclude(frozenset())
    assert ask.excluded == {"n0"}


@pytest.mark.parametrize(
    ("classes", "key", "node", "suits"),
    [
        pytest.param(None, KEY, Node("n", (8, 8)), True, id="any class: an ordinary node"),
        pytest.param(
            None, KEY, Node("n", (8, 8), dedicated=True), False, id="any class: not a dedicated one"
        ),
        pytest.param(
            None,
            GROWTH,
            Node("n", (8, 8), dedicated=True),
            True,
            id="a container grows where it is, dedicated or not",
        ),
        pytest.param({3}, KEY, Node("n", (8, 8), node_class=3), True, id="a class that is named"),
        pytest.param(
            {3},
            KEY,
            Node("n", (8, 8), node_class=3, dedicated=True),
            True,
            id="a class that is named, dedicated",
        ),
        pytest.param({3}, KEY, Node("n", (8, 8), node_class=2), False, id="another class"),
        pytest.param({3}, GROWTH, Node("n", (8, 8), node_class=2), False, id="grows elsewhere"),
        pytest.param(set(), KEY, Node("n", (8, 8)), False, id="no class at all"),
    ],
)
def test_an_ask_suits_the_node_classes_that_it_names(
    classes: set[int] | None,
    key: AskKey,
    node: Node,
    suits: bool,
) -> None:
    cluster = SmallCluster(nodes=0)
    cluster.engine.add_node(node)
    named = None if classes is None else frozenset(classes)
    ask = ask_at(Locality(classes=named), key=key)

    assert ask.suits(cluster.engine.state.cluster.nodes["n"]) is suits


def test_asks_are_served_by_priority_and_then_by_the_id_of_the_allocation() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    app = cluster.engine.state.apps[app_id(1)]
    assert app.keys == [AM_KEY]
    cluster.cycle()

    for priority in (3, 1, 2):
        cluster.ask(1, 1, priority=priority)

    assert [key.priority for key in app.keys] == [1, 2, 3]
    assert app.first_ask is app.asks[AskKey(1)]

    cluster.ask(1, 0, priority=1)
    assert app.first_ask is app.asks[AskKey(2)]

    cluster.ask(1, 0, priority=2)
    cluster.ask(1, 0, priority=3)
    assert app.first_ask is None


def test_an_ask_that_is_asked_anew_goes_on_with_the_offers_it_passed_up() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.cycle()
    cluster.ask(1, 1, locality=Locality(nodes=(("elsewhere", 1),)))
    app = cluster.engine.state.apps[app_id(1)]
    app.asks[KEY].scheduling_opportunities = 7
    app.asks[KEY].missed_opportunities = 3

    cluster.ask(1, 0)
    assert KEY not in app.asks
    cluster.ask(1, 2)

    assert app.asks[KEY].scheduling_opportunities == 7
    assert app.asks[KEY].missed_opportunities == 3


def test_a_new_attempt_has_passed_up_nothing() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.cycle()
    cluster.ask(1, 1)
    app = cluster.engine.state.apps[app_id(1)]
    app.asks[KEY].scheduling_opportunities = 7

    cluster.engine.start_attempt(app_id(1), 2, 0)
    cluster.cycle()
    cluster.ask(1, 1)

    assert app.asks[KEY].scheduling_opportunities == 0


def test_fair_order_goes_by_what_was_held_when_it_was_last_asked_for() -> None:
    cluster = SmallCluster({"root.a.ordering-policy": "fair"})
    cluster.submit(1)
    cluster.ask(1, 2)
    cluster.cycle()
    app = cluster.engine.state.apps[app_id(1)]

    app.cache_usage()
    before = (app.cached_used, app.cached_demand)
    cluster.ask(1, 4)

    assert before == (3072, 3072)
    assert (app.cached_used, app.cached_demand) == before
    app.cache_usage()
    assert (app.cached_used, app.cached_demand) == (3072, 7168)

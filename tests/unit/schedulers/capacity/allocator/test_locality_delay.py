"""How long an ask waits for the places it names (Hadoop: RegularContainerAllocator.canAssign)."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey, Locality
from kubeyarn.model.queues import OfferConfig
from kubeyarn.schedulers.capacity.allocator.locality_delay import (
    may_be_off_switch,
    may_be_rack_local,
    may_ignore_exclusivity,
)
from kubeyarn.schedulers.capacity.objects.app_attempt import PendingAsk

NODES = 10


def an_ask(
    passed_up: int, *, nodes: int = 0, racks: int = 0, relax: bool = True, count: int = 5
) -> PendingAsk:
    """An ask that names so many nodes and racks and has passed up so many offers."""
    ask = PendingAsk(AskKey(1), count, (1024, 1), "", scheduling_opportunities=passed_up)
    named = tuple((f"n{number}", 1) for number in range(nodes))
    insisted = tuple((f"r{number}", 1) for number in range(racks))
    ask.set_locality(Locality(nodes=named, racks=insisted, relax=relax), dict(insisted))
    return ask


@pytest.mark.parametrize(
    ("passed_up", "delay", "does"),
    [
        pytest.param(0, 0, False, id="not at the first offer, even without a delay"),
        pytest.param(1, 0, True, id="after one offer without a delay"),
        pytest.param(4, 4, False, id="not after as many offers as the delay"),
        pytest.param(5, 4, True, id="after one offer more than the delay"),
        pytest.param(10, 40, False, id="not after as many offers as there are nodes"),
        pytest.param(11, 40, True, id="after one offer more than there are nodes"),
    ],
)
def test_an_ask_takes_a_node_in_its_rack(passed_up: int, delay: int, does: bool) -> None:
    rules = OfferConfig(node_locality_delay=delay)
    assert may_be_rack_local(an_ask(passed_up, nodes=1, racks=1), rules, NODES) is does


def test_an_ask_that_insists_on_racks_alone_takes_them_at_once() -> None:
    rules = OfferConfig(node_locality_delay=40)
    assert may_be_rack_local(an_ask(0, racks=1, relax=False), rules, NODES)
    assert not may_be_rack_local(an_ask(0, nodes=1, racks=1, relax=False), rules, NODES)


@pytest.mark.parametrize(
    ("passed_up", "node_delay", "rack_delay", "does"),
    [
        pytest.param(5, 3, 2, False, id="not after both delays"),
        pytest.param(6, 3, 2, True, id="after one offer more than both delays"),
        pytest.param(11, 30, 20, True, id="after one offer more than there are nodes"),
        pytest.param(1, 30, -1, False, id="unset: not after 5 containers times 2 of 10 nodes"),
        pytest.param(2, 30, -1, True, id="unset: after one offer more than that"),
    ],
)
def test_an_ask_takes_any_node(
    passed_up: int, node_delay: int, rack_delay: int, does: bool
) -> None:
    rules = OfferConfig(node_locality_delay=node_delay, rack_additional_delay=rack_delay)
    assert may_be_off_switch(an_ask(passed_up, nodes=1, racks=1), rules, NODES) is does


def test_an_ask_that_names_no_place_takes_any_node_at_once() -> None:
    assert may_be_off_switch(an_ask(0), OfferConfig(node_locality_delay=40), NODES)


@pytest.mark.parametrize(("missed", "does"), [(9, False), (10, True)])
def test_an_ask_for_no_partition_borrows_after_as_many_offers_as_there_are_nodes(
    missed: int, does: bool
) -> None:
    ask = an_ask(0)
    ask.missed_opportunities = missed
    assert may_ignore_exclusivity(ask, NODES) is does

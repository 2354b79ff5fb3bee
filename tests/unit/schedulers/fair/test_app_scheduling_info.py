"""What an attempt asks for, under which key, and how far away (Hadoop: AppSchedulingInfo)."""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.app_scheduling_info import AppSchedulingInfo
from kubeyarn.schedulers.fair.objects.app_attempt import FSPendingAsk
from unit.schedulers.fair.building import Books

GIB = (1024, 1)
KEY = AskKey(1)


class Asking(Books):
    """A leaf with an attempt that asks; node n0 is in rack /r0."""

    def __init__(self) -> None:
        super().__init__()
        self.info = AppSchedulingInfo(self.state, self.accounts)
        self.state.dirty.shares_updated()
        self.state.dirty.take_attempts()

    def update(
        self,
        count: int,
        size: Vector = GIB,
        *,
        key: AskKey = KEY,
        nodes: tuple[tuple[str, int], ...] = (),
        racks: tuple[tuple[str, int], ...] = (),
    ) -> None:
        self.info.update_ask(self.one, Ask(key, count, size, locality=Locality(nodes, racks)))

    @property
    def pending(self) -> FSPendingAsk:
        return self.one.asks[KEY]


@pytest.mark.parametrize(
    ("counts", "outstanding"),
    [
        pytest.param([3], {KEY: 3}, id="what is asked for"),
        pytest.param([3, 5], {KEY: 5}, id="the later count, not the sum"),
        pytest.param([5, 2], {KEY: 2}, id="fewer than before"),
        pytest.param([3, 0], {}, id="nothing once it is cancelled"),
        pytest.param([0], {}, id="nothing of nothing"),
        pytest.param([3, 0, 4], {KEY: 4}, id="anew after it was cancelled"),
    ],
)
def test_outstanding_is(counts: list[int], outstanding: dict[AskKey, int]) -> None:
    asking = Asking()
    for count in counts:
        asking.update(count)

    assert {key: ask.count for key, ask in asking.one.asks.items()} == outstanding
    assert asking.one.ask_keys == list(outstanding)
    wanted = sum(outstanding.values())
    assert asking.a.pending == (1024 * wanted, wanted)


def test_another_size_under_the_same_key_replaces_the_old_one() -> None:
    asking = Asking()
    asking.update(2)
    asking.update(1, (4096, 2))

    assert asking.pending.ask.size == (4096, 2)
    assert asking.a.pending == (4096, 2)


def test_keys_are_kept_in_their_order_whenever_they_come() -> None:
    asking = Asking()
    for priority in (5, 1, 3):
        asking.update(1, key=AskKey(priority))

    assert [key.priority for key in asking.one.ask_keys] == [1, 3, 5]


@pytest.mark.parametrize(
    ("nodes", "racks", "counted"),
    [
        pytest.param((("n0", 2),), (), {"/r0": 2}, id="the racks of nodes"),
        pytest.param((("n0", 2), ("n1", 1)), (), {"/r0": 3}, id="the sum of a rack's nodes"),
        pytest.param((("gone", 2),), (), {}, id="no rack of a node that has not joined"),
        pytest.param((), (("/r1", 4),), {"/r1": 4}, id="racks as they are asked for"),
        pytest.param((("n0", 2),), (("/r0", 7),), {"/r0": 7}, id="what is said of a rack instead"),
        pytest.param((), (), {}, id="none for anywhere"),
    ],
)
def test_an_ask_for_nodes_asks_for(
    nodes: tuple[tuple[str, int], ...],
    racks: tuple[tuple[str, int], ...],
    counted: dict[str, int],
) -> None:
    asking = Asking()
    asking.join(Node("n1", (10240, 10), rack="/r0"))
    asking.update(3, nodes=nodes, racks=racks)

    assert asking.pending.nodes == dict(nodes)
    assert asking.pending.racks == counted


def test_an_ask_that_is_repeated_goes_on_waiting_where_it_was() -> None:
    asking = Asking()
    asking.update(3)
    asking.pending.allowed_locality.opportunities = 7
    asking.update(2)
    assert asking.pending.allowed_locality.opportunities == 7
    asking.update(0)
    asking.update(1)
    assert asking.pending.allowed_locality.opportunities == 7


@pytest.mark.parametrize(
    ("before", "then", "changed"),
    [
        pytest.param([], 3, True, id="that comes"),
        pytest.param([3], 3, True, id="that is repeated"),
        pytest.param([3], 0, True, id="that goes"),
        pytest.param([], 0, False, id="but for one that never was"),
    ],
)
def test_demand_is_computed_again_for_an_ask(before: list[int], then: int, changed: bool) -> None:
    asking = Asking()
    for count in before:
        asking.update(count)
    asking.state.dirty.take_attempts()
    asking.update(then)

    assert list(asking.state.dirty.take_attempts()) == ([asking.one] if changed else [])

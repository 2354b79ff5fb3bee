"""When what was selected is marked, killed and forgotten, and what one pass may take."""

from __future__ import annotations

from dataclasses import replace

import pytest

from unit.schedulers.capacity.preemption.preempting import RULES, Preempting, leaf

A, B = "root.a", "root.b"
WAIT_MS = 10_000


def cluster(**rules: object) -> Preempting:
    """root.a holds all but root.b's AM; root.b wants two."""
    chosen = replace(RULES, maximum_wait_before_kill_ms=WAIT_MS, **rules)  # type: ignore[arg-type]
    made = Preempting(leaf(A, 50), leaf(B, 50), rules=chosen)
    made.app(99, B)
    made.app(1, A, 8)
    made.ask(99, 2)
    made.cycle()
    return made


@pytest.mark.parametrize(
    ("passes", "told"),
    [
        pytest.param([0], ["mark"], id="the first pass marks"),
        pytest.param([0, 5_000], ["mark", ""], id="one during the wait says nothing"),
        pytest.param([0, 9_999], ["mark", ""], id="up to its end"),
        pytest.param([0, 10_000], ["mark", "kill"], id="one at its end kills"),
        pytest.param([0, 15_000], ["mark", "kill"], id="one after it kills"),
        pytest.param(
            [0, 10_000, 11_000],
            ["mark", "kill", "mark"],
            id="what is killed and has not ended is marked anew",
        ),
        pytest.param([0, 21_000], ["mark", "kill"], id="a late one kills as well"),
        pytest.param(
            [0, 5_000, 12_000, 30_000],
            ["mark", "", "kill", "mark"],
            id="a mark that was carried out is no mark any more",
        ),
    ],
)
def test_of_passes_at_these_times(passes: list[int], told: list[str]) -> None:
    preempting = cluster()
    found = []
    for now_ms in passes:
        kinds = {one.kill for one in preempting.preempt(now_ms)}
        found.append(
            {frozenset(): "", frozenset({False}): "mark", frozenset({True}): "kill"}[
                frozenset(kinds)
            ]
        )

    assert found == told


def test_balancing_has_a_wait_of_its_own() -> None:
    # Both hold more than they are guaranteed, so only balancing takes anything.
    rules = {"balance_after_satisfied": True, "balance_wait_before_kill_ms": 50_000}
    preempting = Preempting(
        leaf(A, 20),
        leaf(B, 20),
        leaf("root.c", 60),
        rules=replace(RULES, maximum_wait_before_kill_ms=WAIT_MS, **rules),  # type: ignore[arg-type]
    )
    preempting.app(99, B, 2)
    preempting.app(1, A, 6)
    preempting.ask(99, 4)
    preempting.cycle()

    # The user of root.b may have a step more than it holds, so one is wanted.
    assert [one.kill for one in preempting.preempt(0)] == [False]
    assert preempting.preempt(WAIT_MS) == []


def test_with_balancing_off_satisfied_queues_keep_what_they_hold() -> None:
    preempting = Preempting(leaf(A, 20), leaf(B, 20), leaf("root.c", 60))
    preempting.app(99, B, 2)
    preempting.app(1, A, 6)
    preempting.ask(99, 4)
    preempting.cycle()

    assert preempting.preempt(0) == []


def test_nothing_is_killed_that_is_not_wanted_any_more() -> None:
    preempting = cluster()
    preempting.preempt(0)
    preempting.ask(99, 0)

    assert preempting.preempt(WAIT_MS) == []


def test_a_container_that_ended_meanwhile_is_not_killed() -> None:
    preempting = cluster()
    marked = preempting.preempt(0)
    for one in marked:
        preempting.kill(one.container)
    preempting.cycle()

    assert preempting.preempt(WAIT_MS) == []


def test_observing_marks_nothing() -> None:
    preempting = cluster(observe_only=True)

    assert [preempting.preempt(now_ms) for now_ms in (0, WAIT_MS, 2 * WAIT_MS)] == [[], [], []]


@pytest.mark.parametrize(
    ("share", "count"), [(1.0, 2), (0.2, 2), (0.1, 1), (0.05, 0)], ids=lambda value: str(value)
)
def test_one_pass_takes_at_most_its_share_of_the_cluster(share: float, count: int) -> None:
    assert len(cluster(total_per_round=share).preempt()) == count

"""Pauses between tries and between heartbeats."""

from __future__ import annotations

import pytest

from kubeyarn.am.retry_policy import RetryPolicy, heartbeat_pause_s


def test_pauses_double_up_to_the_longest():
    policy = RetryPolicy(first_s=0.2, longest_s=3.0)

    assert [policy.pause_s(n, 1.0) for n in (1, 2, 3, 4, 5, 500)] == [0.2, 0.4, 0.8, 1.6, 3, 3]


def test_chance_shortens_a_pause_by_a_quarter_at_most():
    policy = RetryPolicy(first_s=1.0, longest_s=1.0)

    assert [policy.pause_s(1, chance) for chance in (0.0, 0.5, 1.0)] == [0.75, 0.875, 1.0]


@pytest.mark.parametrize(("beats", "pause"), [(0, 0.125), (1, 0.25), (2, 0.5), (3, 1.0), (99, 1.0)])
def test_heartbeats_are_quick_after_a_change_and_then_slow_down(beats, pause):
    assert heartbeat_pause_s(beats, 1.0) == pause

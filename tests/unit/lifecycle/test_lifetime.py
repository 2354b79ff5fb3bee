"""How long an application may run."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.lifetime import allowed_lifetime


@pytest.mark.parametrize(
    ("requested", "default", "maximum", "allowed"),
    [
        (-1, -1, -1, -1),
        (100, -1, -1, 100),
        (-1, 50, -1, 50),
        (-1, 50, 200, 50),
        (100, 50, 200, 100),
        (500, 50, 200, 200),
        (-1, -1, 200, 200),
    ],
)
def test_a_queue_bounds_what_is_asked(
    requested: int, default: int, maximum: int, allowed: int
) -> None:
    assert allowed_lifetime(requested, default, maximum) == allowed

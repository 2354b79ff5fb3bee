"""Waiting for what will be so, with the last thing seen in the failure."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

Seen = TypeVar("Seen")

EVERY_S = 0.3


def until(
    what: str,
    look: Callable[[], Seen],
    true: Callable[[Seen], Any] = bool,
    *,
    seconds: float = 60,
) -> Seen:
    """Look until it is *true*, and give back what was seen; fail after *seconds*."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        if true(seen):
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}; last seen: {shown(seen)}")
        time.sleep(EVERY_S)


def always(
    what: str, look: Callable[[], Seen], true: Callable[[Seen], Any], *, seconds: float
) -> Seen:
    """Look for *seconds* and fail as soon as it is not *true*."""
    deadline = time.monotonic() + seconds
    while True:
        seen = look()
        assert true(seen), f"no longer so: {what}; seen: {shown(seen)}"
        if time.monotonic() > deadline:
            return seen
        time.sleep(EVERY_S)


def shown(seen: object) -> str:
    """What was seen, as JSON where it is an object of Kubernetes."""
    try:
        return json.dumps(seen, indent=1, default=str)[-3000:]
    except (TypeError, ValueError):
        return repr(seen)[-3000:]

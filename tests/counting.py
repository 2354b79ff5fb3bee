"""How much work something is: the lines of Python that run, which no busy machine changes."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_of(work: Callable[..., Any], *args: Any, **more: Any) -> int:
    """How many lines run in *work*, those of loops as often as they run."""
    count = 0

    def tracer(frame: FrameType, event: str, arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return tracer

    before = sys.gettrace()
    sys.settrace(tracer)
    try:
        work(*args, **more)
    finally:
        sys.settrace(before)
    return count

"""Waiting until something holds, on a machine that may be busy with other things."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

# Of a step that took longer the machine took the rest: nobody's work went on meanwhile.
_LONGEST_STEP_S = 0.25


async def until(holds: Callable[[], Any], within_s: float = 30.0, every_s: float = 0.01) -> None:
    """Wait until *holds*, a call or a coroutine function, answers something true.

    Time in which the whole machine stood still does not count: a test then still gives what it
    tests the time that it needs.

    Raises:
        TimeoutError: it did not within so many seconds.
    """
    left_s = within_s
    while True:
        found = holds()
        if asyncio.iscoroutine(found):
            async with asyncio.timeout(within_s):
                found = await found
        if found:
            return
        if left_s <= 0:
            raise TimeoutError(f"not within {within_s:g} s")
        began = time.monotonic()
        await asyncio.sleep(every_s)
        left_s -= min(time.monotonic() - began, _LONGEST_STEP_S)

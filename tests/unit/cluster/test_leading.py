"""A process that leads ends with the first of its parts that ends, from the start on."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from kubeyarn.cluster.leading import Stopped, cancel, until_set


async def ends() -> None:
    """As a Lease's task does when it is lost."""


async def fails() -> None:
    raise ValueError("a bug")


async def goes_on() -> None:
    await asyncio.Event().wait()


async def waited(events: list[asyncio.Event], *parts: Coroutine[Any, Any, None]) -> None:
    tasks = [asyncio.create_task(part, name="the lease") for part in parts]
    try:
        async with asyncio.timeout(5):
            await until_set(events, tasks)
    finally:
        await cancel(tasks)


def test_it_goes_on_when_everything_is_listed() -> None:
    async def run() -> None:
        events = [asyncio.Event(), asyncio.Event()]
        for event in events:
            event.set()
        await waited(events, goes_on())

    asyncio.run(run())


def test_a_lease_that_is_lost_before_everything_is_listed_ends_it() -> None:
    with pytest.raises(Stopped, match="the lease has ended"):
        asyncio.run(waited([asyncio.Event()], goes_on(), ends()))


def test_what_a_part_raises_before_everything_is_listed_goes_on() -> None:
    with pytest.raises(ValueError, match="a bug"):
        asyncio.run(waited([asyncio.Event()], fails(), goes_on()))

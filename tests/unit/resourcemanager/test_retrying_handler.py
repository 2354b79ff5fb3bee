"""One object that makes a handler raise is told so and tried again; the others are told of."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.crd.object import Object
from kubeyarn.resourcemanager import retrying_handler
from kubeyarn.resourcemanager.retrying_handler import RetryingHandler


class Watch:
    """A watch whose handler raises for the objects in *bad*."""

    def __init__(self, *bad: str) -> None:
        self.bad = set(bad)
        self.calls: list[tuple[str, str, int]] = []
        self.events: list[str] = []
        self.retrying = RetryingHandler(REQUESTS, self.handler, self)  # type: ignore[arg-type]

    def handler(self, what: str, item: Object) -> None:
        meta = item["metadata"]
        self.calls.append((what, meta["uid"], meta["version"]))
        if meta["uid"] in self.bad:
            raise ZeroDivisionError("by zero")

    def record(self, about: Object, level: str, reason: str, action: str, note: str) -> None:
        self.events.append(f"{about['kind']} {about['metadata']['name']}: {reason}: {note}")

    def see(self, what: str, uid: str, version: int = 1) -> None:
        self.retrying(what, {"metadata": {"name": uid, "uid": uid, "version": version}})

    async def until(self, holds: Any) -> None:
        async with asyncio.timeout(5):
            while not holds():  # noqa: ASYNC110 - plain calls change what it waits for
                await asyncio.sleep(0.005)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retrying_handler, "_FIRST_RETRY_S", 0.02)


def test_the_other_objects_are_told_of():
    async def story() -> None:
        watch = Watch("a")
        for uid in "abc":
            watch.see("ADDED", uid)
        assert watch.calls == [("ADDED", "a", 1), ("ADDED", "b", 1), ("ADDED", "c", 1)]
        [event] = watch.events
        assert event.startswith("ContainerRequest a: InternalError: ZeroDivisionError: by zero")

    asyncio.run(story())


def test_it_is_tried_again_until_it_succeeds():
    async def story() -> None:
        watch = Watch("a")
        watch.see("ADDED", "a")
        await watch.until(lambda: len(watch.calls) == 3)
        watch.bad.clear()
        await watch.until(lambda: len(watch.calls) == 4)
        await asyncio.sleep(0.3)
        assert watch.calls == [("ADDED", "a", 1)] * 4

    asyncio.run(story())


def test_what_is_seen_later_of_it_replaces_what_waits():
    async def story() -> None:
        watch = Watch("a")
        watch.see("ADDED", "a")
        watch.bad.clear()
        watch.see("DELETED", "a", 2)
        await asyncio.sleep(0.1)
        assert watch.calls == [("ADDED", "a", 1), ("DELETED", "a", 2)]

    asyncio.run(story())

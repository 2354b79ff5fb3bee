"""Thread dumps run beside the reconciliation, few at a time, and so many a minute."""

from __future__ import annotations

import asyncio

import pytest

from kubeyarn.model.errors import Unavailable
from kubeyarn.resourcemanager.applications import thread_dumps
from kubeyarn.resourcemanager.applications.thread_dumps import MOST_A_MINUTE, ThreadDumps
from kubeyarn.resourcemanager.pods import pod_state
from unit.resourcemanager.objects import a_pod, container

KEY = ("team-a", "words")
POD = pod_state.read(a_pod(container(2), phase="Running"))


class Shells:
    """Containers whose shells answer when they are let."""

    def __init__(self) -> None:
        self.begun = self.under_way = self.most = 0
        self.let = asyncio.Event()
        self.fails = ""

    async def execute(self, *_):
        self.begun += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await self.let.wait()
        self.under_way -= 1
        if self.fails:
            raise Unavailable(self.fails)


@pytest.fixture
async def shells(monkeypatch):
    shells = Shells()
    monkeypatch.setattr(thread_dumps, "execute", shells.execute)
    return shells


@pytest.fixture
def clock():
    return [1_000_000]


@pytest.fixture
def looks():
    return []


@pytest.fixture
def dumps(clock, looks):
    return ThreadDumps(None, lambda: clock[0], looks.append)


async def test_a_dump_that_hangs_keeps_nobody_waiting_and_its_outcome_comes_later(
    dumps, shells, looks
):
    assert dumps.outcome(KEY, 1, POD) is None
    await asyncio.sleep(0)
    assert dumps.outcome(KEY, 1, POD) is None
    assert looks == []
    shells.fails = "no answer"
    shells.let.set()
    await asyncio.sleep(0.01)
    assert looks == [KEY]
    assert dumps.outcome(KEY, 1, POD) == "no answer"


async def test_of_one_application_one_runs_and_of_all_few(dumps, shells):
    for number in range(30):
        for signal in range(3):
            dumps.outcome(("team-a", f"app-{number}"), signal, POD)
    await asyncio.sleep(0.01)
    assert (shells.begun, shells.most) == (thread_dumps._AT_ONCE, thread_dumps._AT_ONCE)
    assert len(dumps._running) == 30
    shells.let.set()
    await asyncio.sleep(0.01)
    assert shells.begun == 30
    assert dumps._running == {}


async def test_an_application_has_so_many_a_minute(dumps, shells, clock):
    shells.let.set()
    for signal in range(MOST_A_MINUTE + 5):
        dumps.outcome(KEY, signal, POD)
        await asyncio.sleep(0.001)
    assert shells.begun == MOST_A_MINUTE
    clock[0] += 60_000
    dumps.outcome(KEY, "another", POD)
    await asyncio.sleep(0.001)
    assert shells.begun == MOST_A_MINUTE + 1


async def test_nothing_is_kept_of_an_application_that_is_gone(dumps, shells):
    shells.let.set()
    dumps.outcome(KEY, 1, POD)
    await asyncio.sleep(0.001)
    dumps.forget(KEY)
    assert (dumps._running, dumps._outcomes, dumps._began) == ({}, {}, {})

"""Keys that need another look."""

from __future__ import annotations

import asyncio

import pytest

from kubeyarn.cluster import workqueue
from kubeyarn.cluster.errors import NotLeading
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.model.errors import Unavailable


@pytest.fixture
async def queue_of(monkeypatch):
    monkeypatch.setattr(workqueue, "_FIRST_RETRY_S", 0.02)
    made = []

    def make(work, *, started=True, **settings):
        queue = WorkQueue(work, **{"settle_s": 0.0, **settings})
        if started:
            queue.start()
        made.append(queue)
        return queue

    yield make
    for queue in made:
        await queue.close()


@pytest.fixture
async def pauses(monkeypatch):
    """For how long keys were put off."""
    loop, found = asyncio.get_running_loop(), []
    call_later = loop.call_later

    def noted(delay, callback, *args, **more):
        if getattr(callback, "__func__", None) is WorkQueue.add:
            found.append(delay)
        return call_later(delay, callback, *args, **more)

    monkeypatch.setattr(loop, "call_later", noted)
    return found


async def test_every_added_key_is_looked_at(queue_of, until):
    seen = []

    async def work(key):
        seen.append(key)

    queue = queue_of(work)
    for key in "abc":
        queue.add(key)
    await until(lambda: len(seen) == 3)

    assert sorted(seen) == ["a", "b", "c"]


async def test_nothing_is_looked_at_before_the_start(queue_of, until):
    seen = []

    async def work(key):
        seen.append(key)

    queue = queue_of(work, started=False)
    queue.add("a")
    queue.add("a")
    await asyncio.sleep(0.05)
    assert seen == []

    queue.start()
    await until(lambda: seen)
    assert seen == ["a"]


async def test_a_key_is_never_worked_on_twice_at_once(queue_of, until):
    running, looks, may_end = set(), 0, asyncio.Event()

    async def work(key):
        nonlocal looks
        assert key not in running
        running.add(key)
        await may_end.wait()
        running.discard(key)
        looks += 1

    queue = queue_of(work)
    queue.add("a")
    await until(lambda: running)
    for _ in range(5):
        queue.add("a")
        await asyncio.sleep(0.004)
    may_end.set()
    await until(lambda: not running and looks == 2)
    await asyncio.sleep(0.05)

    assert looks == 2


async def test_what_is_added_during_a_look_is_looked_at_again(queue_of, until):
    looks = 0

    async def work(key):
        nonlocal looks
        looks += 1
        if looks == 1:
            queue.add("a")
            queue.add("a")
            await asyncio.sleep(0.01)

    queue = queue_of(work)
    queue.add("a")
    await until(lambda: looks == 2)
    await asyncio.sleep(0.05)

    assert looks == 2


async def test_a_burst_costs_one_look(queue_of, until):
    looks = 0

    async def work(key):
        nonlocal looks
        looks += 1

    queue = queue_of(work, settle_s=0.05)
    for _ in range(100):
        queue.add("a")
    await until(lambda: looks)
    await asyncio.sleep(0.1)

    assert looks == 1


@pytest.mark.parametrize("error", [Unavailable("no answer"), ZeroDivisionError("a bug")])
async def test_a_failure_is_tried_again_and_the_others_go_on(queue_of, until, error):
    seen = []

    async def work(key):
        seen.append(key)
        if key == "bad" and seen.count("bad") < 4:
            raise error

    queue = queue_of(work)
    queue.add("bad")
    queue.add("good")
    await until(lambda: seen.count("bad") == 4)
    await asyncio.sleep(0.2)

    assert seen.count("bad") == 4
    assert seen.count("good") == 1


async def test_failures_are_tried_again_ever_later_and_a_success_forgives(queue_of, until, pauses):
    looks, fails = 0, 4

    async def work(key):
        nonlocal looks
        looks += 1
        if looks <= fails:
            raise Unavailable("no answer")

    queue = queue_of(work)
    queue.add("a")
    await until(lambda: looks == 5)
    assert pauses == pytest.approx([0.02, 0.04, 0.08, 0.16])

    fails = 6
    queue.add("a")
    await until(lambda: looks == 7)
    assert pauses[4:] == pytest.approx([0.02])


async def test_a_process_that_does_not_lead_looks_again_at_a_steady_pace(
    queue_of, until, monkeypatch, pauses
):
    monkeypatch.setattr(workqueue, "_WHILE_NOT_LEADING_S", 0.01)
    leads, looks = False, 0

    async def work(key):
        nonlocal looks
        looks += 1
        if not leads:
            raise NotLeading("this process does not lead now")
        if looks == before + 1:
            raise Unavailable("no answer")

    queue = queue_of(work)
    queue.add("a")
    await until(lambda: looks == 30)
    before, leads = looks, True
    await until(lambda: looks == before + 2)

    # The failure after them is the first one that counts.
    assert pauses == pytest.approx([0.01] * 30 + [0.02])


async def test_a_key_may_be_added_for_later(queue_of, until):
    times = []

    async def work(key):
        times.append(asyncio.get_running_loop().time())

    queue = queue_of(work)
    started = asyncio.get_running_loop().time()
    queue.add("a", after_s=0.1)
    await until(lambda: times)

    assert times[0] - started >= 0.095


async def test_work_at_once_is_bounded(queue_of, until, monkeypatch):
    monkeypatch.setattr(workqueue, "_AT_ONCE", 3)
    open_now, most, done = 0, 0, 0

    async def work(key):
        nonlocal open_now, most, done
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.005)
        open_now -= 1
        done += 1

    queue = queue_of(work)
    for key in range(20):
        queue.add(key)
    await until(lambda: done == 20)

    assert most == 3


async def test_after_the_close_nothing_is_begun(queue_of):
    seen = []

    async def work(key):
        seen.append(key)
        raise Unavailable("no answer")

    queue = queue_of(work)
    queue.add("a")
    queue.add("later", after_s=0.05)
    await asyncio.sleep(0.01)
    await queue.close()
    before = list(seen)
    queue.add("b")
    await asyncio.sleep(0.15)

    assert seen == before


async def test_what_fails_for_a_reason_of_its_own_is_told_and_keeps_no_worker(queue_of, until):
    seen, told = [], []

    async def work(key):
        if key == "good":
            seen.append(key)
        elif key == "unanswered":
            raise Unavailable("no answer")
        else:
            raise ZeroDivisionError(key)

    queue = queue_of(work, failed=lambda key, error: told.append((key, str(error))))
    bad = [f"bad{number}" for number in range(100)]
    for key in [*bad, "unanswered", "good"]:
        queue.add(key)
    await until(lambda: seen and len(set(told)) == 100)

    assert set(told) == {(key, key) for key in bad}

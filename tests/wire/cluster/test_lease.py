"""Leadership by a Lease."""

from __future__ import annotations

import asyncio
import time

import pytest

from kubeyarn.cluster.lease import Lease

WHERE = ("leases", "kubeyarn-scheduler", "kubeyarn-system")


@pytest.fixture
def candidate(client):
    def make(identity, duration_s=1):
        return Lease(client, WHERE[2], WHERE[1], identity, duration_s)

    return make


def spec(api):
    return api.get(*WHERE)["spec"]


async def test_the_first_candidate_makes_the_lease_and_has_epoch_0(api, candidate):
    lease = candidate("a")
    assert not lease.held

    assert await lease.acquire() == 0
    assert lease.held
    assert spec(api)["holderIdentity"] == "a"
    assert spec(api)["leaseDurationSeconds"] == 1
    assert spec(api)["leaseTransitions"] == 0


async def test_another_candidate_waits_until_it_runs_out_and_has_the_next_epoch(api, candidate):
    first, second = candidate("a"), candidate("b")
    await first.acquire()
    started = time.monotonic()

    assert await second.acquire() == 1
    assert time.monotonic() - started >= 1
    assert not first.held
    assert spec(api)["holderIdentity"] == "b"


async def test_a_lease_that_is_renewed_is_not_taken(candidate, background):
    first, second = candidate("a", 3), candidate("b", 3)
    await first.acquire()
    background(first.hold())

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(second.acquire(), 4.5)
    assert first.held


async def test_a_released_lease_is_taken_at_once(api, candidate):
    first, second = candidate("a", 15), candidate("b", 15)
    await first.acquire()
    await first.release()

    assert not first.held
    assert spec(api)["holderIdentity"] == ""
    assert await asyncio.wait_for(second.acquire(), 3) == 1


async def test_a_process_started_again_under_the_same_name_need_not_wait(candidate):
    await candidate("a", 15).acquire()

    assert await asyncio.wait_for(candidate("a", 15).acquire(), 1) == 1


async def test_epochs_go_on_through_every_taking(candidate):
    epochs = []
    for identity in "abcab":
        lease = candidate(identity, 15)
        epochs.append(await asyncio.wait_for(lease.acquire(), 3))
        await lease.release()

    assert epochs == [0, 1, 2, 3, 4]


async def test_hold_returns_when_another_has_taken_the_lease(api, candidate):
    lease = candidate("a")
    await lease.acquire()
    item = api.get(*WHERE)
    item["spec"]["holderIdentity"] = "thief"
    api.put("leases", item)

    await asyncio.wait_for(lease.hold(), 2)
    assert not lease.held


@pytest.mark.parametrize("delay_s", [0.0, 60.0])
async def test_what_cannot_be_renewed_in_time_is_not_held_and_is_held_again_if_nobody_came(
    api, candidate, background, until, delay_s
):
    lease = candidate("a")
    await lease.acquire()
    held = background(lease.hold())
    api.trouble(10_000, 503, delay_s=delay_s)

    await until(lambda: not lease.held, 2)
    api.calm()
    await until(lambda: lease.held, 3)
    assert not held.done()
    assert spec(api)["leaseTransitions"] == 0


async def test_what_another_took_meanwhile_is_lost(api, candidate, background, until):
    lease, other = candidate("a"), candidate("b")
    await lease.acquire()
    held = background(lease.hold())
    api.trouble(10_000, 503)
    await until(lambda: not lease.held, 2)
    api.calm()
    item = api.get(*WHERE)
    item["spec"] |= {"holderIdentity": "b", "leaseTransitions": 1}
    api.put("leases", item)

    await asyncio.wait_for(held, 3)
    assert not lease.held
    assert await other.acquire() == 2


async def test_a_lease_deleted_under_its_holder_keeps_holder_and_epoch(
    api, candidate, background, until
):
    first = candidate("a")
    await first.acquire()
    await first.release()
    second = candidate("b")
    assert await second.acquire() == 1
    background(second.hold())
    api.remove(*WHERE)

    await until(lambda: api.get(*WHERE))
    assert spec(api)["holderIdentity"] == "b"
    assert spec(api)["leaseTransitions"] == 1


async def test_a_lease_made_anew_goes_on_above_the_epochs_that_were_used(client):
    async def seven():
        return 7

    started = time.monotonic()
    lease = Lease(client, WHERE[2], WHERE[1], "a", 1, seven)
    assert await lease.acquire() == 8
    # Whoever led when it was deleted has noticed by now.
    assert time.monotonic() - started >= 1


async def test_who_waits_is_told_once_that_another_leads(candidate):
    told = []

    async def tell():
        told.append(1)

    await candidate("a").acquire(tell)
    assert told == []
    await candidate("b").acquire(tell)
    assert told == [1]


async def test_after_the_machine_stood_still_it_is_renewed_first(candidate, background, until):
    lease = candidate("a", 10)
    await lease.acquire()
    # As if the machine had stood still for longer than the lease lasts.
    lease._renewed_at -= 11
    assert not lease.held
    background(lease.hold())

    # Not a fifth of its duration later.
    await until(lambda: lease.held, 1.5)


async def test_a_little_trouble_does_not_lose_it(api, candidate, background, until):
    lease = candidate("a")
    await lease.acquire()
    held = background(lease.hold())
    api.trouble(2, 409, method="PUT")
    api.trouble(3, 500)
    await until(lambda: api.troubles == 0)
    renewed = spec(api)["renewTime"]
    await until(lambda: spec(api)["renewTime"] != renewed and lease.held)

    assert not held.done()


async def test_trouble_while_acquiring_is_waited_out(api, candidate):
    api.trouble(7, 503)
    api.trouble(1, 409, method="POST")

    assert await asyncio.wait_for(candidate("a").acquire(), 5) == 0


async def test_two_candidates_at_once_never_both_have_it(candidate):
    leases = [candidate(identity, 15) for identity in "abcd"]
    tasks = [asyncio.create_task(lease.acquire()) for lease in leases]
    await asyncio.sleep(1.6)

    assert [task.done() for task in tasks].count(True) == 1
    assert [lease.held for lease in leases].count(True) == 1
    for task in tasks:
        task.cancel()


async def test_what_is_not_held_is_not_released(api, candidate):
    await candidate("a", 15).acquire()
    await candidate("b", 15).release()

    assert spec(api)["holderIdentity"] == "a"


@pytest.mark.parametrize("status", [503, 409, 403])
async def test_a_release_that_fails_is_no_trouble(api, candidate, status):
    lease = candidate("a")
    await lease.acquire()
    api.trouble(99, status)

    await lease.release()
    assert not lease.held


async def test_a_server_that_does_not_answer_once_delays_a_takeover_by_half_the_lease(
    api, client, candidate, monkeypatch
):
    """A connection into nothing takes half a minute by itself, and is tried again six times."""
    lease, calls = candidate("a", 2), []
    real = client.get

    async def get(*args):
        calls.append(args)
        if len(calls) == 1:
            await asyncio.sleep(600)
        return await real(*args)

    monkeypatch.setattr(client, "get", get)
    async with asyncio.timeout(30):
        assert await lease.acquire() == 0
    assert len(calls) == 2

"""What one application can cost everybody, at the limits: figures, with bounds that are generous.

`pytest tests/bench/bounds -s` prints them. They are processor time, so that a busy machine changes
little; the same bounds are held by counted work in `tests/unit`.
"""

from __future__ import annotations

import time

import msgspec

from kubeyarn.lifecycle.am_session import MOST_ASKS
from kubeyarn.resourcemanager.amservice import wire
from unit.resourcemanager.amservice.test_bounds import a_master, asks, beat
from unit.resourcemanager.applications.test_one_bad_request import play
from unit.resourcemanager.stage import KEY
from unit.scheduler.test_many_requests import EVENTS
from unit.scheduler.test_many_requests import a_world as many_requests


def told(what, seconds):
    print(f"\n{what}: {seconds * 1000:.1f} ms of processor time")
    return seconds


def test_one_heartbeat_with_as_many_asks_as_there_may_be() -> None:
    async def story() -> None:
        stage, pod = await a_master()
        body = msgspec.json.encode(wire.Allocate(response_id=0, asks=asks(MOST_ASKS)))
        began = time.process_time()
        said = msgspec.json.decode(body, type=wire.Allocate)
        beat(stage, pod, response_id=said.response_id, asks=said.asks)
        took = told(f"a heartbeat of {MOST_ASKS} asks", time.process_time() - began)
        assert took < 0.3

    play(story)


def test_a_later_event_of_an_application_with_ten_thousand_requests() -> None:
    world = many_requests(10_000)
    took = []
    for event in EVENTS:
        event(world)
        began = time.process_time()
        world.loop.cycle()
        took.append(time.process_time() - began)
        world.cycle()
    assert told("an event beside 10000 requests, in the scheduler", max(took)) < 0.05


def test_a_reconciliation_of_an_application_with_ten_thousand_requests() -> None:
    async def story() -> None:
        stage, pod = await a_master()
        beat(stage, pod, response_id=0, asks=asks(MOST_ASKS))
        await stage.settle()
        began = time.process_time()
        await stage.manager.reconcile(KEY)
        took = told(f"a reconciliation of {MOST_ASKS} requests", time.process_time() - began)
        assert took < 0.4

    play(story)

"""Work that waits costs the API server nothing."""

from __future__ import annotations

import json
import time

import pytest

from e2e.live.patience import until
from e2e.policy.world import condition, queue, root

pytestmark = pytest.mark.e2e

WRITES = ("create", "update", "patch", "delete", "deletecollection")
OURS = ("yarnqueues", "yarnapplications", "containerrequests", "pods", "events")


def test_work_that_waits_costs_no_writes(tree):
    small = {"capacity": "25%", "maximumCapacity": "25%", "maximumAMShare": "50%"}
    world = tree(
        root(),
        queue("root.a", **small, userLimitFactor="-1"),
        queue("root.b", capacity="75%"),
    )
    for name in ("one", "two", "three"):
        world.submit(name, "root.a")
        world.until_running(name, 1)
    for name in ("one", "two", "three"):
        world.ask(name, name, 500)
    for name in ("one", "two", "three"):
        world.until_request(
            name,
            "says why it waits",
            lambda s: condition(s, "Satisfied").get("reason") not in (None, "Scheduling"),
        )
    log = world.hosted.directory / "audit.log"
    until("what was begun is written", lambda: _writes(_logged(log, 3)) == [])
    events = _logged(log, 8)

    assert _writes(events) == []
    assert len(events) > 5, "the audit log does not grow"


def _logged(log, seconds) -> list:
    """What the API server logs within so many seconds from now."""
    before = len(log.read_text().splitlines())
    time.sleep(seconds)
    return [json.loads(line) for line in log.read_text().splitlines()[before:]]


def _writes(events) -> list[str]:
    return [_write(event) for event in events if _is_write(event)]


def _is_write(event) -> bool:
    about = event.get("objectRef") or {}
    return event["verb"] in WRITES and about.get("resource") in OURS


def _write(event) -> str:
    about = event["objectRef"]
    return f"{event['userAgent']} {event['verb']} {about['resource']}/{about.get('name')}"

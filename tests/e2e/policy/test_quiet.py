"""Work that waits costs the API server nothing."""

from __future__ import annotations

import json
import time

import pytest

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
    time.sleep(3)
    log = world.hosted.directory / "audit.log"
    before = len(log.read_text().splitlines())
    time.sleep(8)
    lines = log.read_text().splitlines()[before:]

    events = [json.loads(line) for line in lines]
    assert [_write(event) for event in events if _is_write(event)] == []
    assert len(lines) > 5, "the audit log does not grow"


def _is_write(event) -> bool:
    about = event.get("objectRef") or {}
    return event["verb"] in WRITES and about.get("resource") in OURS


def _write(event) -> str:
    about = event["objectRef"]
    return f"{event['userAgent']} {event['verb']} {about['resource']}/{about.get('name')}"

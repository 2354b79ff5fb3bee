"""What is written of requests, and when nothing is."""

from __future__ import annotations

import pytest

from kubeyarn.scheduler.status.requests import RequestWriter
from unit.scheduler.world import World, a_node, a_request, two_queues


@pytest.fixture
def world():
    world = World(*two_queues(), ("node", a_node("n1", cpu=10, memory="20Gi")))
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=2, resources={"memory": "1500Mi"}))
    world.cycle()
    return world


def without_times(status):
    return {
        **status,
        "conditions": [
            {k: c[k] for k in ("type", "status", "reason", "message")} for c in status["conditions"]
        ],
    }


def test_a_requests_status_is_what_it_asked_and_got(world):
    assert without_times(world.objects["request"]["maps"]["status"]) == {
        "observedGeneration": 1,
        "queue": "root.a",
        "granted": 2,
        "grants": [{"attempt": 1, "epoch": 0, "node": "n1", "containers": "2-3"}],
        "resources": {"cpu": "1", "memory": "2Gi"},
        "conditions": [
            {
                "type": "AllFieldsActing",
                "status": "True",
                "reason": "AllFieldsAct",
                "message": "everything the spec says is acted on",
            },
            {
                "type": "Accepted",
                "status": "True",
                "reason": "Accepted",
                "message": "asked in root.a",
            },
            {
                "type": "Satisfied",
                "status": "True",
                "reason": "AllGranted",
                "message": "all 2 granted",
            },
        ],
    }


def test_a_request_that_waits_says_so(world):
    world.patch("request", "maps", spec={"count": 99})
    world.cycle()
    status = world.objects["request"]["maps"]["status"]

    assert (status["granted"], status["pending"]) == (7, 92)
    satisfied = next(c for c in status["conditions"] if c["type"] == "Satisfied")
    assert (satisfied["status"], satisfied["reason"]) == ("False", "Scheduling")
    assert satisfied["message"] == "92 of 99 containers are being scheduled"


class Client:
    """Writes status into a world, and keeps what was written."""

    def __init__(self, world):
        self.world = world
        self.bodies = []

    async def patch(self, kind, name, body, namespace=None, sub=""):
        self.bodies.append(body["status"])
        return self.world.patch("request", name, status=body["status"])


async def test_a_request_that_is_granted_at_once_says_that_nothing_is_pending():
    world = World(*two_queues(), ("node", a_node("n1")))
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=1))
    client = Client(world)
    world.cycle(write=False)

    writer = RequestWriter(client, world.live.cache, world.live.state, lambda: True)
    await writer.write(("team-a", "maps"))

    assert (client.bodies[0]["granted"], client.bodies[0]["pending"]) == (1, 0)


async def test_every_write_says_the_epoch_and_a_late_grant_of_a_former_leader_is_taken_off():
    """The API server refuses an epoch after a later one; one that comes before is overwritten."""
    world = World(*two_queues(), ("node", a_node("n1")))
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=1))
    client = Client(world)
    writer = RequestWriter(client, world.live.cache, world.live.state, lambda: True, epoch=7)
    world.cycle(write=False)
    await writer.write(("team-a", "maps"))
    (body,) = client.bodies
    assert body["epoch"] == 7
    granted = body["grants"]

    late = [*granted, {"node": "n1", "epoch": 6, "attempt": 1, "containers": "9"}]
    world.dirty.clear()
    world.patch(
        "request", "maps", status={**world.objects["request"]["maps"]["status"], "grants": late}
    )
    assert ("team-a", "maps") in world.dirty
    await writer.write(("team-a", "maps"))
    assert client.bodies[-1]["grants"] == granted

"""What is written of requests and queues, and when nothing is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakeapi import _merged
from kubeyarn.cluster.merging import replacing
from kubeyarn.model.errors import Problem
from kubeyarn.scheduler.cache import newer
from kubeyarn.scheduler.status import queues
from kubeyarn.scheduler.status.patch import changes, shown
from kubeyarn.scheduler.status.queues import QueueWriter
from kubeyarn.scheduler.status.requests import RequestWriter
from unit.scheduler.world import World, a_node, a_queue, a_request, two_queues

SMALL = {"cpu": "1", "memory": "1Gi"}


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


def queue_status(world, path):
    writer = QueueWriter(None, world.live.cache, world.live.state, 1.0)
    return writer.wanted()[path]


def test_a_leafs_status_is_what_it_may_and_does_hold(world):
    status = without_times(queue_status(world, "root.a"))
    conditions = {c["type"]: (c["status"], c["reason"]) for c in status.pop("conditions")}
    users = status.pop("users")
    # Memory is what Hadoop's single-precision shares make of it.
    effective = status.pop("effective")
    assert [effective[end]["cpu"] for end in ("minimum", "maximum")] == ["6", "8"]

    assert status == {
        "observedGeneration": 1,
        "inForce": world.objects["queue"]["root.a"]["spec"],
        "madeQueues": [],
        "leaf": True,
        "state": "Running",
        "used": {"memory": "6Gi", "cpu": "3"},
        "pending": {"memory": "0", "cpu": "0"},
        "reserved": {"memory": "0", "cpu": "0"},
        "containers": 3,
        "usedCapacity": "50.0%",
        "absoluteUsedCapacity": "30.0%",
        "applications": {"active": 1, "pending": 0, "total": 1},
        "am": {"used": {"memory": "2Gi", "cpu": "1"}, "limit": status["am"]["limit"]},
    }
    assert conditions == {
        "AllFieldsActing": ("True", "AllFieldsAct"),
        "Accepted": ("True", "InForce"),
        "Ready": ("True", "Running"),
    }
    assert [(u["name"], u["used"], u["activeApplications"]) for u in users] == [
        ("alice", {"memory": "6Gi", "cpu": "3"}, 1)
    ]


def test_root_says_how_many_nodes_take_containers(world):
    world.put("node", a_node("n2", ready="False"))
    world.cycle()

    assert queue_status(world, "root")["nodes"] == 1
    assert "nodes" not in queue_status(world, "root.a")


def sayings(queue, status, problem=None):
    return {
        s.type: (s.word, s.reason, s.message) for s in queues.queue_sayings(queue, status, problem)
    }


def test_a_queue_whose_words_are_wrong_says_what_and_that_the_old_ones_hold(world):
    problem = Problem("root.a", "capacity", "CapacitySum", "they add up to 130%.")
    told = sayings(world.live.queues["root.a"], world.status("root.a"), problem)

    assert told["Accepted"] == (
        "False", "CapacitySum", "they add up to 130%. What it said before stays in force.",
    )  # fmt: skip
    assert told["Ready"][:2] == ("True", "Running")


def test_a_queue_that_is_not_in_force_is_not_ready():
    told = sayings(a_queue("root.new"), None)

    assert told["Accepted"][:2] == ("False", "NotInForce")
    assert told["Ready"][:2] == ("False", "NotInForce")


def test_a_stopped_and_a_deleted_queue_say_so(world):
    world.patch("queue", "root.a", spec={"state": "Stopped"})
    world.cycle()
    assert sayings(world.live.queues["root.a"], world.status("root.a"))["Ready"][:2] == (
        "False", "Draining",
    )  # fmt: skip

    world.patch("queue", "root.a", metadata={"deletionTimestamp": "2025-11-23T12:13:20Z"})
    told = sayings(world.live.queues["root.a"], world.status("root.a"))["Ready"]
    assert told[:2] == ("False", "Deleting")
    assert "1 application" in told[2]


def test_what_is_written_is_not_written_again(world):
    for path in ("root", "root.a", "root.b"):
        before = world.objects["queue"][path].get("status") or {}
        body = changes(before, queue_status(world, path))
        world.patch("queue", path, status=_merged(before, body))

        assert changes(world.live.queues[path]["status"], queue_status(world, path)) == {}


def test_a_word_that_was_taken_out_of_a_queue_leaves_its_status(world):
    before = {"inForce": {"capacity": "60%", "maximumCapacity": "80%"}}
    wanted = {"inForce": {"capacity": "60%"}}
    body = changes(before, wanted)

    assert body == {"inForce": {"capacity": "60%", "maximumCapacity": None}}
    assert _merged(before, body) == wanted


def test_a_resource_that_is_not_used_any_more_leaves_the_status():
    before = {"used": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}}
    wanted = {"used": {"cpu": "0", "memory": "0"}}

    assert _merged(before, changes(before, wanted)) == wanted


@pytest.mark.parametrize("empty", [None, "", [], {}, 0])
@pytest.mark.parametrize("other", [None, "", [], {}, 0])
def test_nothing_and_an_empty_value_say_the_same(empty, other):
    assert changes({"x": empty}, {"x": other}) == {}
    assert changes({}, {"x": other}) == {}


def test_false_and_zero_are_words_when_something_was_said():
    assert changes({"x": 5}, {"x": 0}) == {"x": 0}
    assert changes({"x": [1]}, {"x": []}) == {"x": []}


JSON = st.recursive(
    st.one_of(st.booleans(), st.integers(), st.text(max_size=3)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2), st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from("abc"), JSON), st.dictionaries(st.sampled_from("abc"), JSON))
def test_a_replacing_patch_makes_of_anything_exactly_what_is_wanted(before, after):
    assert _merged(before, replacing(before, after)) == after


@pytest.mark.parametrize(
    ("amounts", "quantities"),
    [
        ({"memory": 0, "cpu": 0, "nvidia.com/gpu": 0}, {"memory": "0", "cpu": "0"}),
        ({"memory": 2**30, "cpu": 1500, "nvidia.com/gpu": 2},
         {"memory": "1Gi", "cpu": "1500m", "nvidia.com/gpu": "2"}),
        ({"memory": 2**63 - 1, "cpu": 1000}, {"cpu": "1"}),
    ],
)  # fmt: skip
def test_amounts_are_shown_as_quantities(amounts, quantities):
    assert shown(amounts) == quantities


@pytest.mark.parametrize(("known", "written", "kept"), [("9", "10", "10"), ("10", "9", "10")])
def test_the_newer_of_two_versions_is_kept(known, written, kept):
    def version(number):
        return {"metadata": {"resourceVersion": number}}

    assert newer(version(known), version(written)) == version(kept)


async def test_every_write_says_the_epoch_and_a_late_grant_of_a_former_leader_is_taken_off():
    """The API server refuses an epoch after a later one; one that comes before is overwritten."""

    class Client:
        def __init__(self):
            self.bodies = []

        async def patch(self, kind, name, body, namespace=None, sub=""):
            self.bodies.append(body["status"])
            return world.patch("request", name, status=body["status"])

    world = World(*two_queues(), ("node", a_node("n1")))
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=1))
    client = Client()
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

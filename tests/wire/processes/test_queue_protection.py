"""No queue goes while something still uses it."""

from __future__ import annotations

import pytest

from fakeapi import FakeApi
from kubeyarn.cluster.events import EventRecorder
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.queue_protection import QueueProtection

FINALIZER = "kubeyarn.io/queue"


class Keeping:
    """The protection of queues, which looks when it is told to."""

    def __init__(self, api):
        self.api, client = api, api.client()
        self.cache = Cache()
        self.events = EventRecorder(client, "resourcemanager", "rm-0")
        self.protection = QueueProtection(client, self.cache, self.events)

    def queue(self, path, **meta):
        item = {
            "apiVersion": "kubeyarn.io/v1alpha1",
            "kind": "YarnQueue",
            "metadata": {"name": path, **meta},
            "spec": {},
        }
        self.cache.put_queue(self.api.put("yarnqueues", item))

    def application(self, name, queue, state):
        meta = {"name": name, "namespace": "team-a"}
        status = {"queue": queue, "state": state}
        item = {"metadata": meta, "spec": {}, "status": status}
        self.cache.put_application(self.api.put("yarnapplications", item))

    async def look(self, path):
        """Look once; the queue's finalizers after it, None when it is gone."""
        await self.protection.look(path)
        found = self.api.get("yarnqueues", path)
        return None if found is None else found["metadata"].get("finalizers", [])


DELETED = {"deletionTimestamp": "2025-11-23T12:13:20Z", "finalizers": ["theirs", FINALIZER]}


@pytest.fixture
async def keeping():
    async with FakeApi() as api:
        keeping = Keeping(api)
        yield keeping
        await keeping.protection.queue.close()


async def test_a_living_queue_gets_a_finalizer_beside_those_of_others(keeping):
    keeping.queue("root.a", finalizers=["theirs"])

    assert await keeping.look("root.a") == ["theirs", FINALIZER]
    writes = len(keeping.api.writes)
    assert await keeping.look("root.a") == ["theirs", FINALIZER]
    assert len(keeping.api.writes) == writes


@pytest.mark.parametrize("state", ["SUBMITTED", "ACCEPTED", "RUNNING"])
async def test_a_deleted_queue_stays_while_an_application_is_in_it(keeping, state):
    keeping.queue("root.a", **DELETED)
    keeping.application("words", "root.a", state)

    assert FINALIZER in await keeping.look("root.a")
    event = keeping.events._queue.get_nowait()
    assert event["note"] == (
        "root.a is deleted but still used, it goes when they end: application team-a/words"
    )
    assert (event["type"], event["reason"]) == ("Warning", "QueueInUse")


async def test_a_deleted_queue_stays_while_it_has_children(keeping):
    keeping.queue("root.a", **DELETED)
    keeping.queue("root.a.x")
    keeping.queue("root.ab")

    assert FINALIZER in await keeping.look("root.a")
    assert keeping.protection.users("root.a") == ["queue root.a.x"]


@pytest.mark.parametrize("state", ["FINISHED", "FAILED", "KILLED"])
async def test_a_deleted_queue_goes_when_its_applications_have_ended(keeping, state):
    keeping.queue("root.a", **DELETED)
    keeping.application("words", "root.a", state)
    keeping.application("other", "root.b", "RUNNING")

    assert await keeping.look("root.a") == ["theirs"]


async def test_a_deleted_queue_without_other_finalizers_is_gone(keeping):
    keeping.queue("root.a", **{**DELETED, "finalizers": [FINALIZER]})

    assert await keeping.look("root.a") is None
    assert await keeping.look("root.a") is None


async def test_a_deleted_queue_stays_while_the_scheduler_has_it_in_force(keeping):
    keeping.queue("root.a", **DELETED)
    item = keeping.api.get("yarnqueues", "root.a")
    keeping.cache.put_queue(
        keeping.api.put("yarnqueues", {**item, "status": {"inForce": {"capacity": "60%"}}})
    )

    assert FINALIZER in await keeping.look("root.a")


async def test_a_queue_that_changed_meanwhile_is_looked_at_again(keeping):
    keeping.queue("root.a")
    item = keeping.api.get("yarnqueues", "root.a")
    keeping.api.put("yarnqueues", {**item, "spec": {"capacity": "50%"}})

    assert await keeping.look("root.a") == []
    keeping.cache.put_queue(keeping.api.get("yarnqueues", "root.a"))
    assert await keeping.look("root.a") == [FINALIZER]


async def test_many_users_are_told_in_few_words(keeping):
    keeping.queue("root.a", **DELETED)
    for number in range(7):
        keeping.application(f"a{number}", "root.a", "RUNNING")
    await keeping.look("root.a")

    assert keeping.events._queue.get_nowait()["note"].endswith("application team-a/a4 and 2 more")

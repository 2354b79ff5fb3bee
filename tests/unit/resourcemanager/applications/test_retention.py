"""How long ended applications and their pods are kept."""

from __future__ import annotations

import asyncio

import pytest

from kubeyarn.resourcemanager.applications import records
from kubeyarn.resourcemanager.applications.retention import expired_applications
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.objects import NOW_MS, an_application, application_of
from unit.resourcemanager.stage import Stage


def ended(name, ago_s, state="FINISHED", **spec):
    found = an_application(name, **spec)
    found["status"] = {
        "applicationId": f"application_1763850000000_{abs(hash(name)) % 9000:04d}",
        "state": state,
        "startTime": records.timestamp(NOW_MS - 10**6),
        "finishTime": records.timestamp(NOW_MS - ago_s * 1000),
    }
    return found


def names_of(applications, most=-1):
    found = [application_of(application) for application in applications]
    return [kept.metadata.name for kept in expired_applications(found, most, NOW_MS)]


def test_the_first_ended_go_first_whatever_their_end_was():
    applications = [
        ended("b", 20, "FAILED"),
        ended("d", 5),
        ended("a", 30, "KILLED"),
        ended("c", 10),
    ]

    assert names_of(applications, 4) == []
    assert names_of(applications, 2) == ["a", "b"]
    assert names_of(applications, 0) == ["a", "b", "c", "d"]
    assert names_of(applications, -1) == []


def test_those_that_have_not_ended_or_are_being_deleted_do_not_count():
    going = ended("going", 99)
    going["metadata"]["deletionTimestamp"] = records.timestamp(NOW_MS)
    running = ended("running", 99, "RUNNING")
    new = an_application("new")

    assert names_of([going, running, new, ended("a", 30), ended("b", 20)], 1) == ["a"]


@pytest.mark.parametrize(("ttl_s", "goes"), [(0, True), (30, True), (31, False), (None, False)])
def test_an_application_may_say_how_long_it_stays(ttl_s, goes):
    spec = {} if ttl_s is None else {"ttlSecondsAfterFinished": ttl_s}

    assert names_of([ended("a", 30, **spec)], 10) == (["a"] if goes else [])


@pytest.mark.parametrize(("delay_s", "gone_after_s"), [(None, 100), (7, 7), (0, 0)])
def test_pods_of_ended_containers_stay_as_long_as_is_said(delay_s, gone_after_s):
    async def story() -> None:
        spec = {} if delay_s is None else {"deleteDelaySeconds": delay_s}
        stage = Stage(Settings(finished_pod_retention_s=100), maxAttempts=1, **spec)
        pod = await stage.launch_am(1)
        stage.pod(pod, "Failed", 1)
        found = stage.objects["Pod", pod]
        terminated = found["status"]["containerStatuses"][0]["state"]["terminated"]
        finished_ms = stage.now_ms
        terminated["finishedAt"] = records.timestamp(finished_ms)
        stage.manager.cache.put_pod(found)
        await stage.settle()
        if gone_after_s:
            stage.now_ms = finished_ms // 1000 * 1000 + gone_after_s * 1000 - 5000
            await stage.manager.reconcile(("team-a", "wordcount"))
            assert stage.pods() == [pod]
        stage.now_ms = finished_ms // 1000 * 1000 + gone_after_s * 1000
        await stage.settle()
        assert stage.pods() == []

    asyncio.run(story())

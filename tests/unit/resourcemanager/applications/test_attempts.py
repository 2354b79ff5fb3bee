"""Attempts in the ResourceManager: what it asks for, ends and hands over, whenever it restarts."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.lifecycle.am_session import ProtocolError
from kubeyarn.lifecycle.retry import RetryRule
from kubeyarn.resourcemanager import application_spec
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.objects import application_of
from unit.resourcemanager.stage import Stage, pod_of

TWO_MAPS = wire.Ask(count=2, priority=1, resources={"cpu": "1", "memory": "1Gi"})


def play(story: Any) -> None:
    asyncio.run(story())


async def started(**spec: Any) -> tuple[Stage, str, list[str]]:
    """An application whose AM asked for four maps: two run, one is launched, one is not."""
    stage = Stage(**{"maxAttempts": 2, **spec})
    am = await stage.launch_am(1)
    await stage.register(am)
    four = wire.Ask(count=4, priority=1, resources={"cpu": "1", "memory": "1Gi"})
    answer = await stage.allocate(am, 0, four)
    [maps] = [name for name in stage.requests() if "-am-" not in name]
    stage.grant(maps, 1, "2-5")
    await stage.settle()
    answer = await stage.allocate(am, answer.response_id)
    containers = [c.container_id for c in answer.allocated]
    await stage.run(am, *containers[:3])
    for container in containers[:2]:
        stage.pod(pod_of(container), "Running")
    await stage.settle()
    return stage, maps, containers


async def fail(stage: Stage, am: str = "wordcount-01-000001") -> None:
    stage.pod(am, "Failed", exit_code=1)
    await stage.settle()


def test_an_am_that_fails_is_asked_for_again_and_the_application_runs_on():
    async def story() -> None:
        stage, _, _ = await started()
        await fail(stage)
        assert stage.attempts() == [(1, "FAILED"), (2, "SCHEDULED")]
        assert stage.status()["state"] == "ACCEPTED"
        assert "wordcount-am-2" in stage.requests()
        assert any(event.startswith("AttemptFailed: appattempt_") for event in stage.events)

        second = await stage.launch_am(2)
        registered = await stage.register(second)
        assert registered.attempt_id.endswith("_000002")
        assert (registered.containers, registered.containers_from_previous_attempts) == ([], [])
        assert stage.status()["state"] == "RUNNING"

    play(story)


def test_the_second_attempt_finishes_the_application():
    async def story() -> None:
        stage, _, _ = await started()
        await fail(stage)
        second = await stage.launch_am(2)
        await stage.register(second)
        caller = stage.masters.caller(stage.identity(second))
        stage.masters.finish(caller, wire.Finish(final_status="SUCCEEDED"), stage.now_ms)
        await stage.settle()
        stage.pod(second, "Succeeded", exit_code=0)
        await stage.settle()

        assert stage.status()["finalStatus"] == "SUCCEEDED"
        assert stage.attempts() == [(1, "FAILED"), (2, "FINISHED")]

    play(story)


def test_an_application_whose_attempts_are_used_up_fails():
    async def story() -> None:
        stage, _, _ = await started()
        await fail(stage)
        await fail(stage, await stage.launch_am(2))

        assert stage.status()["state"] == "FAILED"
        assert stage.attempts() == [(1, "FAILED"), (2, "FAILED")]
        assert "wordcount-am-3" not in stage.requests()

    play(story)


@pytest.mark.parametrize(("asked", "most", "attempts"), [(3, 2, 2), (1, 2, 1), (3, 5, 3)])
def test_the_clusters_maximum_bounds_the_applications_own(asked, most, attempts):
    async def story() -> None:
        stage = Stage(Settings(am_max_attempts=most), maxAttempts=asked)
        for number in range(1, attempts + 1):
            await fail(stage, await stage.launch_am(number))
        assert stage.status()["state"] == "FAILED"
        assert len(stage.attempts()) == attempts
        accepted = stage.status()["conditions"][0]["message"]
        assert ("The cluster allows" in accepted) == (asked > most)

    play(story)


def test_failures_before_the_validity_interval_do_not_count():
    async def story() -> None:
        stage = Stage(maxAttempts=2, attemptFailuresValidityIntervalSeconds=60)
        for number in (1, 2, 3):
            await fail(stage, await stage.launch_am(number))
            stage.now_ms += 61_000
        assert [state for _, state in stage.attempts()] == [*(["FAILED"] * 3), "SCHEDULED"]

        await fail(stage, await stage.launch_am(4))
        await fail(stage, await stage.launch_am(5))
        assert stage.status()["state"] == "FAILED"

    play(story)


def test_an_am_that_runs_elsewhere_is_never_tried_again():
    found = application_of({"spec": {"unmanagedAM": True, "maxAttempts": 5}})

    assert application_spec.retry_rule(found, 5) == RetryRule(1)


def test_an_am_that_is_preempted_has_its_exit_status_and_does_not_count():
    async def story() -> None:
        stage = Stage(maxAttempts=2)
        for number in (1, 2, 3):
            am = await stage.launch_am(number)
            container = stage.status()["attempts"][-1]["containerId"]
            stage.preempt(f"wordcount-am-{number}", container)
            await stage.settle()
            assert am not in stage.pods()
        statuses = [a.get("exitStatus") for a in stage.status()["attempts"]]
        assert statuses == [-102, -102, -102, None]
        assert stage.status()["attempts"][0]["diagnostics"].endswith("root.b needs the room")

    play(story)


def test_a_pod_that_is_taken_back_is_told_why_and_an_event_says_so():
    async def story() -> None:
        stage = Stage()
        stage.graceful = True
        am = await stage.launch_am(1)
        container = stage.status()["attempts"][-1]["containerId"]
        stage.preempt("wordcount-am-1", container)
        await stage.settle()

        pod = stage.objects["Pod", am]
        assert "deletionTimestamp" in pod["metadata"]
        told = [c for c in pod["status"]["conditions"] if c["type"] == "DisruptionTarget"]
        assert [(c["status"], c["reason"], c["message"]) for c in told] == [
            ("True", "PreemptedByQueue", "root.b needs the room")
        ]
        said = [event for event in stage.events if event.startswith("PreemptedByQueue")]
        assert said == [f"PreemptedByQueue: {container}: root.b needs the room"]

    play(story)


def test_with_the_attempt_end_its_containers_launched_or_not():
    async def story() -> None:
        stage, maps, containers = await started()
        await fail(stage)

        assert [pod for pod in stage.pods() if pod != "wordcount-01-000001"] == []
        assert set(stage.completed(maps).values()) == {-106}
        assert len(stage.completed(maps)) == len(containers) == 4
        stage.drop_completed(maps)
        await stage.settle()
        # Nobody asks how they ended.
        assert stage.completed(maps) == {}

    play(story)


def test_containers_that_run_are_kept_and_handed_to_the_next_attempt():
    async def story() -> None:
        stage, maps, containers = await started(keepContainersAcrossAttempts=True)
        await fail(stage)
        assert [p for p in stage.pods() if p != "wordcount-01-000001"] == [
            pod_of(c) for c in containers[:2]
        ]
        assert set(stage.completed(maps)) == {c[-9:] for c in containers[2:]}

        second = await stage.launch_am(2)
        registered = await stage.register(second)
        told = [c.container_id for c in registered.containers_from_previous_attempts]
        assert told == containers[:2]
        assert registered.containers == []
        # What ended while no AM was there is told once; the kept ones are no new allocation.
        answer = await stage.allocate(second, 0)
        assert {c.container_id: c.exit_status for c in answer.completed} == dict.fromkeys(
            containers[2:], -106
        )
        assert answer.allocated == []

    play(story)


def test_a_kept_container_is_the_new_ams_to_hear_of_and_to_stop():
    async def story() -> None:
        stage, maps, containers = await started(keepContainersAcrossAttempts=True)
        await fail(stage)
        second = await stage.launch_am(2)
        await stage.register(second)
        answer = await stage.allocate(second, 0)
        stage.pod(pod_of(containers[0]), "Succeeded", exit_code=0)
        await stage.settle()
        caller = stage.masters.caller(stage.identity(second))
        await stage.masters.containers(caller, wire.Containers(stop=[containers[1]]))
        await stage.settle()

        answer = await stage.allocate(second, answer.response_id)
        assert {c.container_id: c.exit_status for c in answer.completed} == {
            containers[0]: 0, containers[1]: -105,
        }  # fmt: skip
        await stage.allocate(second, answer.response_id)
        stage.drop_completed(maps)
        await stage.settle()
        assert stage.completed(maps) == {}

    play(story)


def test_a_kept_container_is_the_new_ams_to_demote():
    async def story() -> None:
        stage, maps, containers = await started(keepContainersAcrossAttempts=True)
        await fail(stage)
        second = await stage.launch_am(2)
        await stage.register(second)
        update = wire.Update(container_id=containers[0], type="DEMOTE_EXECUTION_TYPE")
        caller = stage.masters.caller(stage.identity(second))
        said = wire.Allocate(response_id=0, updates=[update])
        answer = stage.masters.allocate(caller, said, stage.now_ms)
        await stage.settle()
        [wish] = stage.objects["ContainerRequest", maps]["spec"]["updates"]
        assert wish == {"id": containers[0], "executionType": "Opportunistic"}

        stage.count(maps, wish)
        await stage.settle()
        answer = await stage.allocate(second, answer.response_id)
        [told] = answer.updated_containers
        assert (told.type, told.container.version) == ("DEMOTE_EXECUTION_TYPE", 1)
        assert told.container.container_id == containers[0]

    play(story)


def test_an_ask_of_the_new_attempt_is_a_request_of_its_own():
    async def story() -> None:
        stage, maps, _ = await started(keepContainersAcrossAttempts=True)
        await fail(stage)
        second = await stage.launch_am(2)
        await stage.register(second)
        answer = await stage.allocate(second, 0, TWO_MAPS)
        [anew] = [r for r in stage.requests() if "-am-" not in r and r != maps]
        assert anew.startswith("wordcount-2-p1-")

        stage.grant(anew, 2, "2-3")
        await stage.settle()
        answer = await stage.allocate(second, answer.response_id)
        assert [c.container_id[-9:] for c in answer.allocated] == ["02_000002", "02_000003"]

    play(story)


def test_the_former_am_is_refused_while_its_pod_goes():
    async def story() -> None:
        stage, _, _ = await started()
        stage.graceful = True
        stage.now_ms += 901_000
        await stage.settle()
        assert stage.attempts() == [(1, "FAILED"), (2, "SCHEDULED")]
        former = "wordcount-01-000001"
        assert "deletionTimestamp" in stage.objects["Pod", former]["metadata"]

        with pytest.raises(ProtocolError) as refused:
            stage.masters.caller(stage.identity(former))
        assert refused.value.code == "AttemptEnded"
        await stage.launch_am(2)
        with pytest.raises(ProtocolError):
            stage.masters.caller(stage.identity(former))

    play(story)


def test_what_was_asked_by_hand_outlives_an_attempt():
    async def story() -> None:
        stage, _, _ = await started()
        by_hand = {
            "apiVersion": "kubeyarn.io/v1alpha1",
            "kind": "ContainerRequest",
            "metadata": {"name": "by-hand", "namespace": "team-a"},
            "spec": {"application": "wordcount", "count": 2, "container": {"image": "x"}},
        }
        stage.manager.cache.put_request(await stage.create(REQUESTS, by_hand, "team-a"))
        stage.grant("by-hand", 1, "7")
        await stage.settle()
        await fail(stage)
        stage.grant("by-hand", 1, "8")
        await stage.settle()

        assert {"wordcount-01-000007", "wordcount-01-000008"} <= set(stage.pods())
        assert stage.completed("by-hand") == {}

    play(story)


@pytest.mark.parametrize("keep", [False, True])
def test_a_resourcemanager_that_restarts_at_every_step_comes_to_the_same_end(keep):
    async def story() -> None:
        stage, maps, containers = await started(keepContainersAcrossAttempts=keep)
        stage.pod("wordcount-01-000001", "Failed", exit_code=1)
        # Whatever it writes may be the last thing it does.
        for _ in range(12):
            stage.restart()
            stage.now_ms += 2000
            await stage.manager.reconcile(("team-a", "wordcount"))
        assert stage.attempts() == [(1, "FAILED"), (2, "SCHEDULED")]
        ended = containers[2:] if keep else containers
        assert set(stage.completed(maps)) == {c[-9:] for c in ended}
        stage.restart()
        second = await stage.launch_am(2)
        stage.restart()
        registered = await stage.register(second)
        told = [c.container_id for c in registered.containers_from_previous_attempts]
        assert told == (containers[:2] if keep else [])
        # The AM registers again after a restart, and learns of the same containers.
        stage.restart()
        again = await stage.register(second)
        assert again == registered
        assert stage.attempts() == [(1, "FAILED"), (2, "RUNNING")]

    play(story)


def test_a_restarted_resourcemanager_gives_the_am_its_time_anew():
    async def story() -> None:
        stage, _, _ = await started()
        stage.now_ms += 600_000
        stage.restart()
        await stage.settle()
        stage.now_ms += 600_000
        await stage.settle()
        assert stage.attempts() == [(1, "RUNNING")]

        stage.now_ms += 301_000
        await stage.settle()
        assert stage.attempts()[0] == (1, "FAILED")
        assert stage.status()["attempts"][0]["exitStatus"] == -1000

    play(story)


def test_an_am_that_does_not_register_in_time_ends_its_attempt():
    async def story() -> None:
        stage = Stage(maxAttempts=2)
        am = await stage.launch_am(1)
        stage.now_ms += 500_000
        await stage.settle()
        assert stage.attempts() == [(1, "LAUNCHED")]
        stage.now_ms += 101_000
        await stage.settle()

        assert stage.attempts() == [(1, "FAILED"), (2, "SCHEDULED")]
        assert "has not registered within 600 s" in stage.status()["attempts"][0]["diagnostics"]
        assert am not in stage.pods()

    play(story)

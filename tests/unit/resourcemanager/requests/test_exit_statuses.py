"""The exit-status table, row by row: what has to happen for a container to end so."""

from __future__ import annotations

import msgspec
import pytest

from kubeyarn.cluster.errors import Refused
from kubeyarn.cluster.resources import PODS
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.resourcemanager.amservice import wire
from unit.resourcemanager.stage import KEY, Stage, pod_of

ASK = wire.Ask(count=1, priority=1, resources={"cpu": "1", "memory": "1Gi"})


class Task:
    """A container of a registered AM; *ended* is what its AM is told."""

    def __init__(self, stage: Stage, am: str) -> None:
        self.stage, self.am, self.beats = stage, am, 0
        self.container = ""

    async def beat(self) -> wire.Allocated:
        answer = await self.stage.allocate(self.am, self.beats)
        self.beats = answer.response_id
        return answer

    async def granted(self, ask: wire.Ask = ASK) -> Task:
        answer = await self.stage.allocate(self.am, self.beats, ask)
        self.beats = answer.response_id
        self.request = next(r for r in self.stage.requests() if "-p1-" in r)
        self.stage.grant(self.request, 1, "2")
        await self.stage.settle()
        self.container = (await self.beat()).allocated[0].container_id
        return self

    async def running(self, ask: wire.Ask = ASK) -> Task:
        await self.granted(ask)
        await self.stage.run(self.am, self.container)
        self.stage.pod(pod_of(self.container), "Running")
        await self.stage.settle()
        return self

    async def call(self, **said: list[str]) -> None:
        caller = self.stage.masters.caller(self.stage.identity(self.am))
        await self.stage.masters.containers(caller, wire.Containers(**said))
        await self.stage.settle()

    async def ended(self) -> int:
        await self.stage.settle()
        (completed,) = (await self.beat()).completed
        assert completed.container_id == self.container
        return completed.exit_status

    async def ends(self, **status: object) -> int:
        """Its pod ends with a status of these words."""
        self.stage.pod(pod_of(self.container), "Failed", 137)
        pod = self.stage.objects[PODS.kind, pod_of(self.container)]
        pod["status"] |= status
        self.stage.manager.cache.put_pod(self.stage._put(PODS, pod))
        return await self.ended()


@pytest.fixture
async def task() -> Task:
    stage = Stage()
    am = await stage.launch_am(1)
    await stage.register(am)
    return Task(stage, am)


async def test_success_0_of_a_process_that_exits_with_it(task):
    await task.running()
    task.stage.pod(pod_of(task.container), "Succeeded", 0)

    assert await task.ended() == ExitStatus.SUCCESS


async def test_an_exit_code_of_the_processs_own_is_told_as_it_is(task):
    await task.running()
    task.stage.pod(pod_of(task.container), "Failed", 42)

    assert await task.ended() == 42


async def test_invalid_minus_1000_of_a_pod_that_the_api_server_refuses(task):
    await task.granted()

    async def refuse(*_, **__):
        raise Refused(422, "Invalid", "spec.containers[0].image: required")

    task.stage.create = refuse
    await task.call(launch=[wire.LaunchContainer(container_id=task.container, command=["work"])])
    assert await task.ended() == ExitStatus.INVALID


async def test_aborted_minus_100_of_what_its_am_releases(task):
    await task.granted()
    caller = task.stage.masters.caller(task.stage.identity(task.am))
    released = wire.Allocate(response_id=task.beats, releases=[task.container])
    await task.stage.masters.release(caller, released)

    assert await task.ended() == ExitStatus.ABORTED


async def test_aborted_minus_100_of_a_pod_that_somebody_deletes(task):
    await task.running()
    await task.stage.delete(PODS, pod_of(task.container), KEY[0], {})

    assert await task.ended() == ExitStatus.ABORTED


async def test_disks_failed_minus_101_of_what_a_node_with_full_disks_evicts(task):
    await task.running()
    words = "The node was low on resource: ephemeral-storage."

    assert await task.ends(reason="Evicted", message=words) == ExitStatus.DISKS_FAILED


async def test_preempted_minus_102_of_what_the_policy_takes_back(task):
    await task.running()
    task.stage.preempt(task.request, task.container)

    assert await task.ended() == ExitStatus.PREEMPTED


def test_killed_exceeded_vmem_minus_103_is_never_said():
    """Kubernetes does not limit virtual memory; the number is there for those that know it."""
    assert ExitStatus.KILLED_EXCEEDED_VMEM == -103


async def test_killed_exceeded_pmem_minus_104_of_what_was_out_of_memory(task):
    await task.running()
    oom = {"terminated": {"exitCode": 137, "reason": "OOMKilled"}}
    statuses = [{"name": "main", "state": oom}]

    assert await task.ends(containerStatuses=statuses) == ExitStatus.KILLED_EXCEEDED_PMEM


async def test_killed_by_appmaster_minus_105_of_what_its_am_stops(task):
    await task.running()
    await task.call(stop=[task.container])

    assert await task.ended() == ExitStatus.KILLED_BY_APPMASTER


async def test_killed_by_resourcemanager_minus_106_of_what_a_failed_attempt_leaves(task):
    await task.running()
    task.stage.pod(task.am, "Failed", 1)
    await task.stage.settle()

    assert task.stage.completed(task.request)["01_000002"] == (ExitStatus.KILLED_BY_RESOURCEMANAGER)


async def test_killed_after_app_completion_minus_107_of_what_outlives_its_application(task):
    await task.running()
    caller = task.stage.masters.caller(task.stage.identity(task.am))
    task.stage.masters.finish(caller, wire.Finish(final_status="SUCCEEDED"), task.stage.now_ms)
    await task.stage.settle()

    ended = task.stage.completed(task.request)
    assert list(ended.values()) == [ExitStatus.KILLED_AFTER_APP_COMPLETION]


async def test_killed_by_container_scheduler_minus_108_of_an_opportunistic_one_that_gives_way(task):
    await task.running(msgspec.structs.replace(ASK, execution_type="OPPORTUNISTIC"))
    task.stage.preempt(task.request, task.container)

    assert await task.ended() == ExitStatus.KILLED_BY_CONTAINER_SCHEDULER


def test_every_exit_status_has_its_test_here():
    named = {name for name in globals() if name.startswith("test_")}
    for status in ExitStatus:
        number = f"minus_{-status}" if status else "0"
        assert any(n.startswith(f"test_{status.name.lower()}_{number}") for n in named), status


async def test_killed_for_excess_logs_minus_109_of_what_fills_its_own_disk(task):
    await task.running()
    words = 'Usage of EmptyDir volume "kubeyarn-logs" exceeds the limit "1Gi".'

    ended = await task.ends(reason="Evicted", message=words)
    assert ended == ExitStatus.KILLED_FOR_EXCESS_LOGS

"""What a container's pod tells."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.resourcemanager.pods import pod_state
from unit.resourcemanager.objects import NOW_MS, a_pod, container, exited


def facts(**said):
    return pod_state.read(a_pod(container(2), **said))


def test_a_pod_that_is_no_container_of_ours_tells_nothing():
    pod = a_pod(container(2))
    pod["metadata"]["annotations"] = {"kubeyarn.io/container-id": "container_of_mine"}
    assert pod_state.read(pod) is None

    pod["metadata"].pop("annotations")
    assert pod_state.read(pod) is None


def test_a_running_pod_runs_and_has_no_ending():
    found = facts(phase="Running", main={"running": {}}, role="am")

    assert found.running
    assert found.ending is None
    assert (found.container, found.application, found.request) == (
        container(2),
        "wordcount",
        "maps",
    )
    assert (found.role, found.node, found.created_ms) == ("am", "n1", NOW_MS)
    assert not found.deleting
    assert found.waiting is None


@pytest.mark.parametrize(("code", "phase"), [(0, "Succeeded"), (1, "Failed"), (143, "Failed")])
def test_a_processs_own_exit_code_is_passed_as_it_is(code, phase):
    found = facts(phase=phase, main=exited(code, reason="Error" if code else "Completed"))

    assert found.ending.exit_status == code
    assert found.ending.diagnostics == ("Error" if code else "")
    assert not found.running


def test_the_termination_message_is_the_better_diagnostics():
    found = facts(phase="Failed", main=exited(3, reason="Error", message="disk full"))

    assert found.ending.diagnostics == "disk full"


def test_a_container_killed_for_its_memory_says_so_in_yarns_word():
    found = facts(phase="Failed", main=exited(137, reason="OOMKilled"))

    assert found.ending.exit_status == ExitStatus.KILLED_EXCEEDED_PMEM == -104
    assert "raise resources.memory" in found.ending.diagnostics


@pytest.mark.parametrize("reason", ["Evicted", "Preempting", "NodeLost", "NodeShutdown"])
def test_what_the_cluster_took_away_is_aborted_and_no_failure_of_the_process(reason):
    pod = a_pod(container(2), phase="Failed", main=exited(137, reason="Error"))
    pod["status"] |= {"reason": reason, "message": "The node was low on memory."}

    ending = pod_state.read(pod).ending
    assert ending.exit_status == ExitStatus.ABORTED == -100
    assert ending.diagnostics == f"{reason}: The node was low on memory."


@pytest.mark.parametrize(
    ("message", "status"),
    [
        ("The node was low on resource: ephemeral-storage.", ExitStatus.DISKS_FAILED),
        ("The node was low on resource: inodes.", ExitStatus.DISKS_FAILED),
        ("The node was low on resource: memory.", ExitStatus.ABORTED),
        ("The node had condition: [DiskPressure].", ExitStatus.ABORTED),
        (
            'Usage of EmptyDir volume "kubeyarn-logs" exceeds the limit "1Gi".',
            ExitStatus.KILLED_FOR_EXCESS_LOGS,
        ),
        (
            "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.",
            ExitStatus.KILLED_FOR_EXCESS_LOGS,
        ),
        (
            "Container main exceeded its local ephemeral storage limit",
            ExitStatus.KILLED_FOR_EXCESS_LOGS,
        ),
    ],
)
def test_an_eviction_tells_whose_disk_was_full(message, status):
    pod = a_pod(container(2), phase="Failed", main=exited(137, reason="Error"))
    pod["status"] |= {"reason": "Evicted", "message": message}

    ending = pod_state.read(pod).ending
    assert ending.exit_status is status
    assert ending.diagnostics == f"Evicted: {message}"


def test_a_process_stopped_because_its_pod_is_deleted_is_aborted():
    found = facts(phase="Failed", main=exited(143), deletionTimestamp="2025-11-23T12:14:00Z")

    assert found.deleting
    assert found.ending.exit_status == ExitStatus.ABORTED


def test_a_process_that_had_succeeded_before_its_pod_was_deleted_did_succeed():
    found = facts(phase="Succeeded", main=exited(0), deletionTimestamp="2025-11-23T12:14:00Z")

    assert found.ending.exit_status == 0


def test_the_first_container_is_the_one_yarn_means():
    pod = a_pod(container(2), phase="Failed")
    pod["spec"]["containers"] = [{"name": "main"}, {"name": "sidecar"}]
    pod["status"]["containerStatuses"] = [
        {"name": "sidecar", "state": exited(137)},
        {"name": "main", "state": exited(0)},
    ]

    assert pod_state.read(pod).ending.exit_status == 0


def test_a_pod_that_failed_without_a_word_is_aborted():
    assert facts(phase="Failed").ending.exit_status == ExitStatus.ABORTED
    assert facts(phase="Failed").ending.diagnostics == "The pod failed."
    assert facts(phase="Succeeded").ending.exit_status == 0


@pytest.mark.parametrize("reason", ["ErrImagePull", "CreateContainerConfigError"])
def test_what_keeps_a_container_from_starting_is_told(reason):
    found = facts(main={"waiting": {"reason": reason, "message": "no such image"}})

    assert found.waiting == (reason, "no such image")


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing"])
def test_starting_up_is_no_trouble(reason):
    assert facts(main={"waiting": {"reason": reason}}).waiting is None


def test_why_kube_scheduler_does_not_place_a_pod_is_told():
    pod = a_pod(container(2))
    pod["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "message": "0/1 nodes: no volume"}
    ]

    assert pod_state.read(pod).unschedulable == "0/1 nodes: no volume"


def test_when_it_finished_is_told():
    found = facts(phase="Failed", main=exited(1, finishedAt="2025-11-23T12:13:20Z"))

    assert found.finished_ms == NOW_MS


def test_files_that_cannot_be_localized_end_a_container_with_invalid():
    pod = a_pod(container(2), phase="Failed", main={"waiting": {"reason": "PodInitializing"}})
    message = "files: d: https://example.org/d: the checksum differs"
    pod["status"]["initContainerStatuses"] = [
        {"name": "kubeyarn-localizer", "state": exited(1, message=message)}
    ]

    found = pod_state.read(pod).ending
    assert found == ContainerExit(ExitStatus.INVALID, f"Localization failed: {message}")


def test_an_init_container_of_the_template_that_fails_ends_it_with_its_own_status():
    pod = a_pod(container(2), phase="Failed", main={"waiting": {"reason": "PodInitializing"}})
    pod["status"]["initContainerStatuses"] = [
        {"name": "fine", "state": exited(0)},
        {"name": "theirs", "state": exited(7, reason="Error")},
    ]

    assert pod_state.read(pod).ending == ContainerExit(
        7, "Init container theirs exited with 7: Error"
    )


def test_an_image_that_an_init_container_waits_for_is_what_the_container_waits_for():
    pod = a_pod(container(2), main={"waiting": {"reason": "PodInitializing"}})
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such image"}}
    pod["status"]["initContainerStatuses"] = [{"name": "kubeyarn-localizer", "state": waiting}]

    assert pod_state.read(pod).waiting == ("ImagePullBackOff", "no such image")


def test_a_container_that_never_started_finished_when_its_init_container_failed():
    pod = a_pod(container(2), phase="Failed", main={"waiting": {"reason": "PodInitializing"}})
    ended = exited(1, finishedAt="2025-11-23T12:13:20Z")
    pod["status"]["initContainerStatuses"] = [{"name": "kubeyarn-localizer", "state": ended}]

    assert pod_state.read(pod).finished_ms == NOW_MS


def test_an_evicted_pod_finished_when_that_was_said():
    pod = a_pod(container(2), phase="Failed")
    pod["status"]["conditions"] = [{"lastTransitionTime": "2025-11-23T12:13:20Z"}]

    assert pod_state.read(pod).finished_ms == NOW_MS

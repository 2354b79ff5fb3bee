"""What a container's pod tells: whether it runs, how it ended, why it cannot start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubeyarn.cluster import names
from kubeyarn.cluster.pod_template import requests_beside_main
from kubeyarn.crd import times
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId

# The kubelet gives these up for good; the others it tries again.
HOPELESS = frozenset({"InvalidImageName", "ErrImageNeverPull", "CreateContainerConfigError"})
PULLING = frozenset({"ErrImagePull", "ImagePullBackOff", "RegistryUnavailable"})

TAKEN_AWAY = ContainerExit(ExitStatus.ABORTED, "The container's pod was deleted.")


@dataclass(frozen=True, slots=True)
class PodState:
    """A container's pod. *waiting* is (reason, message) of what keeps it from starting.

    *main* is the name of the pod's container that is the YARN container's, *beside* what the pod
    requests for what runs beside it, if anything does. *deleted_ms* is when it has to be gone that
    was told to end at *told_to_end_ms*; *grace_s* is how many seconds its spec gives it for that.
    """

    name: str
    namespace: str
    uid: str
    container: ContainerId
    application: str
    request: str
    role: str
    node: str = ""
    running: bool = False
    ending: ContainerExit | None = None
    finished_ms: int = 0
    deleting: bool = False
    created_ms: int = 0
    deleted_ms: int = 0
    grace_s: int = 0
    told_to_end_ms: int = 0
    waiting: tuple[str, str] | None = None
    unschedulable: str = ""
    main: str = "main"
    version: int = 0
    beside: Mapping[str, int] | None = None

    def held_s(self, now_ms: int) -> int:
        """For how many seconds its container has held its resources."""
        return max(0, (self.finished_ms or self.deleted_ms or now_ms) - self.created_ms) // 1000


def read(pod: Object) -> PodState | None:
    """The facts of *pod*; None when it is no container of ours."""
    meta = pod["metadata"]
    annotations = meta.get("annotations") or {}
    labels = meta.get("labels") or {}
    try:
        container = ContainerId.parse(annotations.get(names.CONTAINER_ID, ""))
    except SpecError:
        return None
    status = pod.get("status") or {}
    main = _main_status(pod)
    deleted_ms = times.milliseconds(meta.get("deletionTimestamp"))
    return PodState(
        name=meta["name"],
        namespace=meta["namespace"],
        uid=meta["uid"],
        container=container,
        application=annotations.get(names.APPLICATION, ""),
        request=annotations.get(names.REQUEST, ""),
        role=labels.get(names.ROLE, names.ROLE_TASK),
        node=(pod.get("spec") or {}).get("nodeName") or "",
        running=status.get("phase") == "Running",
        ending=_ending(pod, main),
        finished_ms=_finished_ms(status, main),
        deleting="deletionTimestamp" in meta,
        created_ms=times.milliseconds(meta.get("creationTimestamp")),
        deleted_ms=deleted_ms,
        grace_s=int((pod.get("spec") or {}).get("terminationGracePeriodSeconds") or 0),
        told_to_end_ms=max(0, deleted_ms - int(meta.get("deletionGracePeriodSeconds") or 0) * 1000),
        waiting=_waiting(status, main),
        unschedulable=_unschedulable(status),
        version=int(meta.get("resourceVersion") or 0),
        main=_main_name(pod),
        beside=requests_beside_main(pod.get("spec") or {}) or None,
    )


def _ending(pod: Object, main: Object) -> ContainerExit | None:
    """How the pod's container ended; None while it may still run.

    A process that was stopped because its pod is being deleted did not fail: it was taken away.
    """
    status = pod.get("status") or {}
    if status.get("phase") not in ("Succeeded", "Failed"):
        return None
    ended = ending(status, main)
    if ended.exit_status > 0 and "deletionTimestamp" in pod["metadata"]:
        return TAKEN_AWAY
    return ended


def ending(status: Object, main: Object) -> ContainerExit:
    """How a pod ended: its process's exit code, or YARN's word for what was done to it."""
    terminated = (main.get("state") or {}).get("terminated") or {}
    reason = str(status.get("reason") or "")
    message = str(status.get("message") or "")
    if reason == "Evicted":
        return _eviction(message)
    if reason in ("Preempting", "TerminationByKubelet", "NodeLost", "NodeShutdown"):
        return ContainerExit(ExitStatus.ABORTED, f"{reason}: {message}".rstrip(": "))
    if terminated.get("reason") == "OOMKilled":
        return ContainerExit(
            ExitStatus.KILLED_EXCEEDED_PMEM,
            "The container used more memory than it asked for and was killed (OOMKilled); "
            "raise resources.memory.",
        )
    if "exitCode" in terminated:
        detail = terminated.get("message") or terminated.get("reason") or ""
        code = int(terminated["exitCode"])
        return ContainerExit(code, "" if code == 0 else str(detail))
    if status.get("phase") == "Succeeded":
        return ContainerExit(ExitStatus.SUCCESS)
    before = _failed_init(status)
    if before is not None:
        return before
    return ContainerExit(
        ExitStatus.ABORTED, f"{reason}: {message}".strip(": ") or "The pod failed."
    )


# The kubelet's eviction manager, in its own words (pkg/kubelet/eviction/helpers.go).
_DISK = ("ephemeral-storage", "inodes")
_OWN_DISK = (
    "Usage of EmptyDir volume",
    "ephemeral local storage usage",
    "ephemeral storage limit",
)


def _eviction(message: str) -> ContainerExit:
    """The container's own disk was full, or its node's, or the node lacked something else."""
    diagnostics = f"Evicted: {message}".rstrip(": ")
    if any(words in message for words in _OWN_DISK):
        return ContainerExit(ExitStatus.KILLED_FOR_EXCESS_LOGS, diagnostics)
    if "low on resource" in message and any(words in message for words in _DISK):
        return ContainerExit(ExitStatus.DISKS_FAILED, diagnostics)
    return ContainerExit(ExitStatus.ABORTED, diagnostics)


def _main_name(pod: Object) -> str:
    """The name of the pod's first container, which is the one YARN means."""
    containers = (pod.get("spec") or {}).get("containers") or [{}]
    return str(containers[0].get("name") or "main")


def _main_status(pod: Object) -> Object:
    """The status of the pod's first container, which is the one YARN means."""
    containers = (pod.get("spec") or {}).get("containers") or [{}]
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    wanted = containers[0].get("name")
    return next((s for s in statuses if s.get("name") == wanted), {})


def _failed_init(status: Object) -> ContainerExit | None:
    """How a container ended whose init container failed, so that it never started.

    Files that cannot be localized end a container with INVALID (Hadoop: ContainerImpl).
    """
    for init in status.get("initContainerStatuses") or ():
        terminated = (init.get("state") or {}).get("terminated") or {}
        code = int(terminated.get("exitCode") or 0)
        if not code:
            continue
        detail = str(terminated.get("message") or terminated.get("reason") or "").strip()
        if init.get("name") == names.LOCALIZER:
            return ContainerExit(ExitStatus.INVALID, f"Localization failed: {detail}")
        return ContainerExit(
            code, f"Init container {init.get('name')} exited with {code}: {detail}"
        )
    return None


def _waiting(status: Object, main: Object) -> tuple[str, str] | None:
    """What keeps the container, or an init container before it, from starting."""
    for container in (*(status.get("initContainerStatuses") or ()), main):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") not in (None, "ContainerCreating", "PodInitializing"):
            return str(waiting["reason"]), str(waiting.get("message") or "")
    return None


def _unschedulable(status: Object) -> str:
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return str(condition.get("message") or "")
    return ""


def _finished_ms(status: Object, main: Object) -> int:
    """When a pod ended: its process's end, else that of the init container that failed."""
    if status.get("phase") not in ("Succeeded", "Failed"):
        return 0
    for container in (main, *reversed(status.get("initContainerStatuses") or ())):
        terminated = (container.get("state") or {}).get("terminated") or {}
        if terminated.get("finishedAt"):
            return times.milliseconds(terminated["finishedAt"])
    # Evicted before anything ran: when that was said.
    changed = [c.get("lastTransitionTime") for c in status.get("conditions") or ()]
    return max(map(times.milliseconds, changed), default=0)

"""What follows for a ContainerRequest from its pods: its next status, and what to do to its pods.

`plan` is pure and a level. It compares three things that different processes write: the grants (the
scheduler), the pods (the kubelet), and what this process has recorded in the request's status. Done
twice on the same input it does nothing new, so that any step of carrying it out can fail and be
done again. What holds:

* A container is in one of these sets: granted and without a pod (`unlaunched`), granted with a pod
  that lives, or `completed`. It goes from left to right and never back.
* `completed` counts a container once. The entry stays until all who must know do: the scheduler,
  which drops the container from the grants, and its ApplicationMaster, which confirms its end.
* A container's own exit counts first. What others did to it (preempted, stopped, its attempt is
  over) is how it ended only if its process did not end well before.
* No more than `MOST_COMPLETED` are listed, or the status could not be written at all. What ends
  beyond that is recorded later, when the scheduler has dropped some from the grants. What only an
  ApplicationMaster has not confirmed is forgotten instead, the first ones first: one that never
  confirms does not stop its request.
* Counts (`succeeded`, `failed`, `endings`, usage) are written in the same patch as the entries that
  they count, so that a crash between the two counts nothing twice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubeyarn.cluster import names
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd import quantities, ranges
from kubeyarn.crd.container_request import ContainerRequest, ExecutionType
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle import replacing
from kubeyarn.lifecycle.am_session import CompletedContainer
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.lifecycle.replacing import Replacements
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.pods.pod_state import PodState
from kubeyarn.resourcemanager.requests.request_view import COUNTS, RequestView
from kubeyarn.resourcemanager.requests.termination import TerminationReason

MOST_EXIT_STATUSES = 32
MOST_COMPLETED = 5000
"""Ended containers that a request lists at once: with what each says, some 700 KB of an object, of
which etcd takes 1.5 MB."""
_MOST_WITH_DIAGNOSTICS = 500
_LONGEST_LAST_DIAGNOSTICS = 256
_LONGEST_DIAGNOSTICS = 512

Pods = Mapping[ContainerId, PodState]
FindExit = Callable[[ContainerId], ContainerExit | None]

_EMPTY: Object = {
    **dict.fromkeys(COUNTS, 0),
    "launched": [],
    "completed": [],
    "endings": [],
    "updated": [],
}


@dataclass(frozen=True, slots=True)
class ContainerChange:
    """What a container is to be by now, and its pod if it has one."""

    container: ContainerId
    pod: PodState | None
    size: ResourceList
    opportunistic: bool


@dataclass(slots=True)
class RequestPlan:
    """What to do about one request. *status* is a merge patch of our fields, empty when current.

    *unlaunched* are containers that wait for their pods, *delete* pods to be removed, and
    *terminated* the containers of those that the termination reason ends. *evict* are pods that the
    policy takes back, each with why. *ended* are containers whose exits *status* records.
    *changes* are container updates to make now, *refused* those that the scheduler refuses, with
    why. *termination* is why all that lives is ended now; None: nothing is. *overfull*: more have
    ended than the status lists.
    """

    termination: TerminationReason | None = None
    status: Object = field(default_factory=dict)
    unlaunched: list[ContainerId] = field(default_factory=list)
    delete: list[PodState] = field(default_factory=list)
    evict: list[tuple[PodState, str]] = field(default_factory=list)
    ended: list[CompletedContainer] = field(default_factory=list)
    terminated: list[ContainerId] = field(default_factory=list)
    changes: list[ContainerChange] = field(default_factory=list)
    refused: list[tuple[ContainerId, str]] = field(default_factory=list)
    overfull: bool = False


def plan(
    view: RequestView,
    pods: Pods,
    named_by: Iterable[PodState],
    exit_of: FindExit,
    termination: TerminationReason | None,
    confirmed: Callable[[ContainerId], bool],
) -> RequestPlan:
    """What follows for the request *view* from its application's *pods*.

    *named_by* are those that name it as theirs. *exit_of* is how a container ended beyond its pod's
    own word, if that is known. *termination* is why all that lives is ended now; None: nothing is.
    *confirmed* says whether an ApplicationMaster need not be told of a container's end any more.
    """
    result = RequestPlan(termination)
    launched, completed = set(view.launched), dict(view.completed)
    running = 0
    # A status that the API server refuses for its size would keep every other exit from being told.
    room = MOST_COMPLETED - sum(container in view.grants for container in completed)
    for container in view.grants:
        pod = pods.get(container)
        if pod is not None:
            # Remembered, because a pod that goes while nobody watches leaves no other trace.
            launched.add(container)
        if container in completed:
            continue
        # What has ended is told once and counts once, whatever its pod says afterwards.
        exited = _exit(container, pod, view, exit_of, termination)
        if exited is not None and room <= 0:
            result.overfull = True
            continue
        if exited is not None:
            room -= 1
            ended = CompletedContainer(container, exited.exit_status, exited.diagnostics)
            completed[container] = ended
            result.ended.append(ended)
            continue
        _plan_update(view, container, pod, result)
        if pod is None:
            result.unlaunched.append(container)
        else:
            running += pod.running
            _plan_removal(view, pod, termination, result)
    _take_back_revoked(view, named_by, completed, result)
    needed = [e for e in completed.values() if _is_needed(view, pods, e)]
    unconfirmed = [e for e in completed.values() if not confirmed(e.id)]
    kept = _newest(needed, unconfirmed)
    result.overfull = result.overfull or len(kept) >= MOST_COMPLETED
    # Only what differs: waiting work must cost no writes.
    wanted = _wanted_status(view, launched, kept, running, result.ended)
    result.status = {k: v for k, v in wanted.items() if (view.status.get(k) or _EMPTY[k]) != v}
    return result


def _is_needed(view: RequestView, pods: Pods, entry: CompletedContainer) -> bool:
    """Whether an end is listed whatever its ApplicationMaster has confirmed.

    Until the scheduler has dropped the container, and as long as its end would be counted again.
    """
    return entry.id in view.grants or _is_unbound(pods.get(entry.id))


def _newest(
    needed: Sequence[CompletedContainer], unconfirmed: Sequence[CompletedContainer]
) -> list[CompletedContainer]:
    """*needed*, and of *unconfirmed* the last ones that there is room for."""
    if len(needed) + len(unconfirmed) <= MOST_COMPLETED:
        return list({entry.id: entry for entry in (*needed, *unconfirmed)}.values())
    by_id = {entry.id: entry for entry in needed}
    for entry in sorted(unconfirmed, key=lambda entry: entry.id, reverse=True):
        if len(by_id) >= MOST_COMPLETED:
            break
        by_id.setdefault(entry.id, entry)
    return list(by_id.values())


def _wanted_status(
    view: RequestView,
    launched: Iterable[ContainerId],
    kept: Iterable[CompletedContainer],
    running: int,
    ended: Sequence[CompletedContainer],
) -> Object:
    again = _asked_again(view, ended)
    succeeded = sum(container.exit_status == 0 for container in ended)
    return {
        "running": running,
        "succeeded": view.counts["succeeded"] + succeeded,
        "failed": view.counts["failed"] + len(ended) - succeeded,
        "retried": again.retried,
        "replaced": again.replaced,
        "launched": ranges.grouped(c for c in launched if c in view.grants),
        "completed": _entries(sorted(kept, key=lambda c: c.id)),
        "endings": exit_history(view.status.get("endings") or (), ended, view.grants),
        "updated": [
            entry
            for entry in view.status.get("updated") or ()
            if ContainerId.parse(entry["id"]) in view.grants
        ],
    }


def _plan_removal(
    view: RequestView, pod: PodState, termination: TerminationReason | None, result: RequestPlan
) -> None:
    """Whether a pod that lives is taken back by the policy, or ended for another reason."""
    # Its end is on the way, and a second deletion would give it its grace period anew.
    if pod.deleting:
        return
    now, why = view.preempting.get(pod.container, (False, ""))
    spared = termination is None or (termination.spares_running and pod.running)
    if now:
        result.evict.append((pod, why))
    elif not spared:
        result.delete.append(pod)
        result.terminated.append(pod.container)


def _take_back_revoked(
    view: RequestView,
    named_by: Iterable[PodState],
    completed: dict[ContainerId, CompletedContainer],
    result: RequestPlan,
) -> None:
    """Pods whose grant the scheduler took back because kube-scheduler refused to bind them.

    The end of one stands in *completed* for as long as its pod is there, and so is counted once.
    """
    for pod in named_by:
        container = pod.container
        if not _is_unbound(pod) or container in view.grants or container in completed:
            continue
        if not pod.deleting:
            result.delete.append(pod)
        # Only what an ApplicationMaster was told of has ended; the rest is granted elsewhere.
        if view.role == names.ROLE_ASK:
            why = f"No node took the container's pod: {pod.unschedulable or 'it was not bound'}"
            ended = CompletedContainer(container, ExitStatus.ABORTED, why)
            completed[container] = ended
            result.ended.append(ended)


def _is_unbound(pod: PodState | None) -> bool:
    return pod is not None and pod.ending is None and not pod.node


def _asked_again(view: RequestView, ended: Iterable[CompletedContainer]) -> Replacements:
    before = Replacements(view.counts["retried"], view.counts["replaced"])
    if view.retry_limit is None:
        return before
    return replacing.after(before, view.retry_limit, (c.exit_status for c in ended))


def _plan_update(
    view: RequestView, container: ContainerId, pod: PodState | None, result: RequestPlan
) -> None:
    """Change a container once the scheduler charges its queue for all that it is to have.

    A pod is never larger than what is charged for it: an increase waits for the scheduler, a
    decrease is made first and credited afterwards.
    """
    charged = view.updates.get(container)
    if charged is None:
        return
    if charged.refused:
        result.refused.append((container, charged.refused))
        return
    charges_enough = charged.wanted and charged.wanted.fits_in(charged.size)
    size = charged.wanted if charges_enough else view.size_of(container)
    change = ContainerChange(container, pod, size, view.counts_opportunistic(container))
    same = size == view.size_of(container)
    if same and change.opportunistic == view.runs_opportunistic(container):
        return
    if pod is None or not pod.deleting:
        result.changes.append(change)


def updated_status(view: RequestView, done: Iterable[ContainerChange]) -> list[Object]:
    """`updated` of the status after some more containers were changed."""
    entries = {entry["id"]: entry for entry in view.status.get("updated") or ()}
    for change in done:
        entries[str(change.container)] = {
            "id": str(change.container),
            "version": view.version_of(change.container) + 1,
            "resources": {name: quantities.show(name, n) for name, n in change.size.items()},
            "executionType": ExecutionType.of(change.opportunistic),
        }
    return [entries[name] for name in sorted(entries)]


def _exit(
    container: ContainerId,
    pod: PodState | None,
    view: RequestView,
    exit_of: FindExit,
    termination: TerminationReason | None,
) -> ContainerExit | None:
    """How *container* ended; None while it lives or is still to be launched."""
    preempted = _preempted(view, container)
    if pod is not None:
        if pod.ending is None:
            return None
        ended_well = pod.ending.exit_status == 0
        # A process that ended well just before it was taken back has done its work.
        return exit_of(container) or (pod.ending if ended_well else preempted or pod.ending)
    # Without a pod it never ran, so its end is whatever took it first.
    if preempted is not None:
        return preempted
    known = exit_of(container)
    if known is not None:
        return known
    # The request remembers that it had a pod, which this process has never seen.
    if container in view.launched:
        return ContainerExit(
            ExitStatus.ABORTED, "The container's pod was deleted while nobody watched."
        )
    return termination.ending if termination is not None else None


def has_ended(view: RequestView, container: ContainerId, exit_of: FindExit) -> bool:
    """Whether a container of *view* that has no pod has ended, so that it never gets one.

    It has if its pod was there and is gone, whoever deleted that.
    """
    if container in view.completed or container not in view.grants:
        return True
    return _exit(container, None, view, exit_of, None) is not None


def _preempted(view: RequestView, container: ContainerId) -> ContainerExit | None:
    """How a container ends that the policy takes back now; None while it does not."""
    now, why = view.preempting.get(container, (False, ""))
    if not now:
        return None
    if view.counts_opportunistic(container):
        return ContainerExit(ExitStatus.KILLED_BY_CONTAINER_SCHEDULER, why)
    return ContainerExit(ExitStatus.PREEMPTED, why)


def exit_history(
    before: Sequence[Mapping[str, Any]],
    ended: Iterable[CompletedContainer],
    nodes: Mapping[ContainerId, str],
) -> list[Object]:
    """`endings` of the status with containers that *ended* just now: one entry an exit status.

    It is what is left of containers that are forgotten: ten thousand tasks are a few lines. (Hadoop
    keeps each container in the timeline; here each has its pod, for as long as pods stay.) When
    there are more than 32 exit statuses, those that were seen most often stay.
    """
    by_status = {int(entry["exitStatus"]): dict(entry) for entry in before}
    for container in ended:
        status = int(container.exit_status)
        count = int(by_status.get(status, {}).get("count") or 0) + 1
        entry: Object = {"exitStatus": status, "count": count, "lastContainer": str(container.id)}
        if container.id in nodes:
            entry["lastNode"] = nodes[container.id]
        if container.diagnostics:
            entry["lastDiagnostics"] = container.diagnostics[:_LONGEST_LAST_DIAGNOSTICS]
        by_status[status] = entry
    by_count = sorted(by_status.values(), key=lambda entry: (-entry["count"], entry["exitStatus"]))
    return sorted(by_count[:MOST_EXIT_STATUSES], key=lambda entry: int(entry["exitStatus"]))


def orphaned_statuses(
    requests: Iterable[ContainerRequest], pods: Iterable[PodState]
) -> Iterator[tuple[str, Object]]:
    """Names and status patches of requests whose application is gone and whose counts are stale.

    A request that was written by hand is not deleted with its application. The pods of its
    containers are, and nobody else says any more how many of them run.
    """
    running = [pod.request for pod in pods if pod.running]
    for request in requests:
        meta = request.metadata
        # Kubernetes deletes what the application owns.
        owned = any(owner.kind == APPLICATIONS.kind for owner in meta.owner_references)
        if not owned and request.status.running != running.count(meta.name):
            yield meta.name, {"running": running.count(meta.name)}


def _entries(completed: Sequence[CompletedContainer]) -> list[Object]:
    """`completed` of the status: of very many only the last say what went wrong."""
    # The newest are those that nobody has read yet, and the whole has to fit a status.
    silent = len(completed) - _MOST_WITH_DIAGNOSTICS
    return [_entry(entry, says_why=place >= silent) for place, entry in enumerate(completed)]


def _entry(completed: CompletedContainer, *, says_why: bool) -> Object:
    entry: Object = {"id": str(completed.id), "exitStatus": int(completed.exit_status)}
    if completed.diagnostics and says_why:
        entry["diagnostics"] = completed.diagnostics[:_LONGEST_DIAGNOSTICS]
    return entry

"""ContainerRequests as the ResourceManager sees them: what was granted, launched and has ended.

`plan` is pure: from a request, its pods and what is remembered of gone ones it makes the request's
next status, the containers to launch and the pods to delete. It is a level: done twice, it does
nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubeyarn.cluster import names
from kubeyarn.crd import quantities, ranges
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle import replacing
from kubeyarn.lifecycle.am_session import CompletedContainer, ShapeKey
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import Ending
from kubeyarn.lifecycle.replacing import Replacements
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.pods.pod_state import PodFacts
from kubeyarn.resourcemanager.requests import exit_history

_COUNTS = ("running", "succeeded", "failed", "retried", "replaced")


@dataclass(frozen=True, slots=True)
class Charged:
    """What the scheduler charges for a container that is to be otherwise.

    *wanted* is its size then. *opportunistic*: nothing of it is charged to its queue; None: the
    scheduler did not say.
    """

    size: ResourceList
    wanted: ResourceList
    refused: str = ""
    opportunistic: bool | None = None


@dataclass(frozen=True, slots=True)
class Updated:
    """What a container is since it was changed for the *version*-th time."""

    version: int
    size: ResourceList
    opportunistic: bool | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """What a container is to be by now, and its pod if it has one."""

    container: ContainerId
    pod: PodFacts | None
    size: ResourceList
    opportunistic: bool


@dataclass(frozen=True, slots=True)
class RequestView:
    """What a ContainerRequest says, parsed once.

    *attempt* is the number of the attempt that it is of, 0 for what was written by hand.
    *retry_limit* is how many failed containers are asked for again; None: that is the AM's affair.
    """

    name: str
    generation: int
    role: str
    attempt: int
    key: ShapeKey
    size: ResourceList
    granted: int
    grants: Mapping[ContainerId, str]
    launched: frozenset[ContainerId]
    completed: Mapping[ContainerId, CompletedContainer]
    counts: Mapping[str, int]
    retry_limit: int | None
    container: Mapping[str, Any] | None
    preempting: Mapping[ContainerId, tuple[bool, str]]
    excluded: frozenset[str]
    opportunistic: bool
    wishes: Mapping[ContainerId, Object]
    updates: Mapping[ContainerId, Charged]
    updated: Mapping[ContainerId, Updated]
    status: Mapping[str, Any]

    def size_of(self, container: ContainerId) -> ResourceList:
        """What one of its containers has."""
        known = self.updated.get(container)
        return known.size if known is not None else self.size

    def runs_opportunistic(self, container: ContainerId) -> bool:
        """Whether one of its containers is opportunistic, as its pod and its AM know it."""
        known = self.updated.get(container)
        said = known.opportunistic if known is not None else None
        return self.opportunistic if said is None else said

    def counts_opportunistic(self, container: ContainerId) -> bool:
        """Whether the scheduler counts one of its containers as opportunistic."""
        charged = self.updates.get(container)
        said = charged.opportunistic if charged is not None else None
        return self.runs_opportunistic(container) if said is None else said

    def version_of(self, container: ContainerId) -> int:
        """How often one of its containers was changed."""
        known = self.updated.get(container)
        return known.version if known is not None else 0


@dataclass(slots=True)
class RequestPlan:
    """What to do about one request. *status* is a merge patch of our fields, empty when current.

    *evict* are pods that the policy takes back, each with why.
    *changes* are containers that are to be otherwise by now, *refused* those that will not, and
    why.
    """

    status: Object = field(default_factory=dict)
    unlaunched: list[tuple[ContainerId, str]] = field(default_factory=list)
    delete: list[PodFacts] = field(default_factory=list)
    evict: list[tuple[PodFacts, str]] = field(default_factory=list)
    ended: list[CompletedContainer] = field(default_factory=list)
    doomed: list[ContainerId] = field(default_factory=list)
    changes: list[Change] = field(default_factory=list)
    refused: list[tuple[ContainerId, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Doom:
    """Why containers that have not ended are ended, and whether those that run are spared."""

    ending: Ending
    spares_running: bool = False


APPLICATION_OVER = Doom(
    Ending(ExitStatus.KILLED_AFTER_APP_COMPLETION, "The application has ended.")
)
_ATTEMPT_OVER = Ending(
    ExitStatus.KILLED_BY_RESOURCEMANAGER, "The attempt that asked for it has ended."
)
ATTEMPT_OVER = Doom(_ATTEMPT_OVER)
ATTEMPT_OVER_KEEPING = Doom(_ATTEMPT_OVER, spares_running=True)


def view(request: Object, application: ApplicationId) -> RequestView:
    """Parse *request*, whose containers belong to *application*."""
    meta, spec, status = request["metadata"], request["spec"], request.get("status") or {}
    labels = meta.get("labels") or {}
    grants = {
        container: entry["node"]
        for entry in status.get("grants") or ()
        for container in _containers(entry, application)
    }
    launched = frozenset(
        c for entry in status.get("launched") or () for c in _containers(entry, application)
    )
    completed = {}
    for entry in status.get("completed") or ():
        container = ContainerId.parse(entry["id"])
        completed[container] = CompletedContainer(
            container, int(entry["exitStatus"]), entry.get("diagnostics") or ""
        )
    return RequestView(
        name=meta["name"],
        generation=int(meta.get("generation") or 0),
        role=labels.get(names.ROLE, names.ROLE_TASK),
        attempt=_attempt(labels),
        key=_key(spec, labels),
        size=_size(status if status.get("resources") else spec),
        granted=int(status.get("granted") or 0),
        grants=grants,
        launched=launched,
        completed=completed,
        counts={key: int(status.get(key) or 0) for key in _COUNTS},
        retry_limit=int(spec.get("retryLimit") or 0) if spec.get("onFailure") == "Retry" else None,
        container=spec.get("container"),
        preempting={
            ContainerId.parse(entry["id"]): (bool(entry["kill"]), entry.get("message") or "")
            for entry in status.get("preempting") or ()
        },
        excluded=frozenset(spec.get("excludeNodes") or ()),
        opportunistic=spec.get("executionType") == "Opportunistic",
        wishes={ContainerId.parse(entry["id"]): entry for entry in spec.get("updates") or ()},
        updates={
            ContainerId.parse(entry["id"]): Charged(
                _size(entry),
                _size(entry, "wanted"),
                entry.get("message") or "",
                _type(entry),
            )
            for entry in status.get("updates") or ()
        },
        updated={
            ContainerId.parse(entry["id"]): Updated(
                int(entry.get("version") or 1), _size(entry), _type(entry)
            )
            for entry in status.get("updated") or ()
        },
        status=status,
    )


def plan(
    seen: RequestView,
    pods: Mapping[ContainerId, PodFacts],
    endings: Callable[[ContainerId], Ending | None],
    doom: Doom | None,
    confirmed: Callable[[ContainerId], bool],
) -> RequestPlan:
    """What follows for *seen* from its pods.

    *endings* knows better than its pod how a container ended, if anything is known; *doom*: why
    all that lives is ended now; *confirmed*: the AM need not be told any more.
    """
    result = RequestPlan()
    launched, completed = set(seen.launched), dict(seen.completed)
    running = 0
    for container, node in seen.grants.items():
        pod = pods.get(container)
        if pod is not None:
            launched.add(container)
        if container in completed:
            continue
        ending = _ending(container, pod, seen, endings, doom)
        if ending is not None:
            ended = CompletedContainer(container, ending.exit_status, ending.diagnostics)
            completed[container] = ended
            result.ended.append(ended)
        elif pod is None:
            result.unlaunched.append((container, node))
            _plan_update(seen, container, pod, result)
        else:
            running += pod.running
            _plan_update(seen, container, pod, result)
            taken, why = seen.preempting.get(container, (False, ""))
            spared = doom is None or (doom.spares_running and pod.running)
            if pod.deleting:
                continue
            if taken:
                result.evict.append((pod, why))
            elif not spared:
                result.delete.append(pod)
                result.doomed.append(container)
    _take_back_revoked(seen, pods, completed, result)
    again = _asked_again(seen, result.ended)
    kept = [
        c
        for c in completed.values()
        if c.id in seen.grants or not confirmed(c.id) or _is_unbound(pods.get(c.id))
    ]
    succeeded = sum(ended.exit_status == 0 for ended in result.ended)
    wanted: Object = {
        "running": running,
        "succeeded": seen.counts["succeeded"] + succeeded,
        "failed": seen.counts["failed"] + len(result.ended) - succeeded,
        "retried": again.retried,
        "replaced": again.replaced,
        "launched": _grouped(c for c in launched if c in seen.grants),
        "completed": [_entry(c) for c in sorted(kept, key=lambda c: c.id)],
        "endings": exit_history.after(seen.status.get("endings") or (), result.ended, seen.grants),
        "updated": [
            e for e in seen.status.get("updated") or () if ContainerId.parse(e["id"]) in seen.grants
        ],
    }
    result.status = {k: v for k, v in wanted.items() if (seen.status.get(k) or _EMPTY[k]) != v}
    return result


def _take_back_revoked(
    seen: RequestView,
    pods: Mapping[ContainerId, PodFacts],
    completed: dict[ContainerId, CompletedContainer],
    result: RequestPlan,
) -> None:
    """Pods whose grant the scheduler took back because kube-scheduler refused to bind them.

    What ended stands in *completed* as long as its pod is there, and so is counted once.
    """
    for container, pod in pods.items():
        mine = pod.request == seen.name and _is_unbound(pod)
        if not mine or container in seen.grants or container in completed:
            continue
        if not pod.deleting:
            result.delete.append(pod)
        if seen.role == names.ROLE_ASK:
            why = f"No node took the container's pod: {pod.unschedulable or 'it was not bound'}"
            ended = CompletedContainer(container, ExitStatus.ABORTED, why)
            completed[container] = ended
            result.ended.append(ended)


def _is_unbound(pod: PodFacts | None) -> bool:
    return pod is not None and pod.ending is None and not pod.node


def _asked_again(seen: RequestView, ended: Iterable[CompletedContainer]) -> Replacements:
    before = Replacements(seen.counts["retried"], seen.counts["replaced"])
    if seen.retry_limit is None:
        return before
    return replacing.after(before, seen.retry_limit, (c.exit_status for c in ended))


_EMPTY: Object = {
    **dict.fromkeys(_COUNTS, 0),
    "launched": [],
    "completed": [],
    "endings": [],
    "updated": [],
}


def _plan_update(
    seen: RequestView, container: ContainerId, pod: PodFacts | None, result: RequestPlan
) -> None:
    """Change a container once no more is charged for it than it is to have."""
    charged = seen.updates.get(container)
    if charged is None:
        return
    if charged.refused:
        result.refused.append((container, charged.refused))
        return
    charges_enough = charged.wanted and charged.wanted.fits_in(charged.size)
    size = charged.wanted if charges_enough else seen.size_of(container)
    change = Change(container, pod, size, seen.counts_opportunistic(container))
    same = size == seen.size_of(container)
    if same and change.opportunistic == seen.runs_opportunistic(container):
        return
    if pod is None or not pod.deleting:
        result.changes.append(change)


def updated_status(seen: RequestView, done: Iterable[Change]) -> list[Object]:
    """`updated` of the status after some more containers were changed."""
    entries = {entry["id"]: entry for entry in seen.status.get("updated") or ()}
    for change in done:
        entries[str(change.container)] = {
            "id": str(change.container),
            "version": seen.version_of(change.container) + 1,
            "resources": {name: quantities.show(name, n) for name, n in change.size.items()},
            "executionType": names.OPPORTUNISTIC if change.opportunistic else names.GUARANTEED,
        }
    return [entries[name] for name in sorted(entries)]


def _size(entry: Object, name: str = "resources") -> ResourceList:
    return ResourceList(quantities.amounts(entry.get(name) or {}, name))


def _type(entry: Object) -> bool | None:
    """Whether an entry says that its container is opportunistic; None: it does not say."""
    said = entry.get("executionType")
    return None if said is None else bool(said == names.OPPORTUNISTIC)


def _ending(
    container: ContainerId,
    pod: PodFacts | None,
    seen: RequestView,
    endings: Callable[[ContainerId], Ending | None],
    doom: Doom | None,
) -> Ending | None:
    """How *container* ended; None while it lives or is still to be launched."""
    kill, why = seen.preempting.get(container, (False, ""))
    spare = seen.counts_opportunistic(container)
    gone = ExitStatus.KILLED_BY_CONTAINER_SCHEDULER if spare else ExitStatus.PREEMPTED
    taken = Ending(gone, why) if kill else None
    if pod is not None:
        finished = pod.ending is not None and pod.ending.exit_status == 0
        return pod.ending and (
            endings(container) or (pod.ending if finished else taken or pod.ending)
        )
    if taken is not None:
        return taken
    known = endings(container)
    if known is not None:
        return known
    if container in seen.launched:
        return Ending(ExitStatus.ABORTED, "The container's pod was deleted while nobody watched.")
    return doom.ending if doom is not None else None


def _attempt(labels: Object) -> int:
    if labels.get(names.ROLE) not in (names.ROLE_AM, names.ROLE_ASK):
        return 0
    said = str(labels.get(names.ATTEMPT) or "")
    return int(said) if said.isdigit() else 1


def _key(spec: Object, labels: Object) -> ShapeKey:
    allocation = spec.get("allocationRequestId")
    return ShapeKey(
        int(spec.get("priority") or 0),
        -1 if allocation is None else int(allocation),
        labels.get(names.SHAPE, ""),
    )


def _containers(entry: Object, application: ApplicationId) -> list[ContainerId]:
    attempt = AttemptId(application, int(entry.get("attempt") or 1))
    epoch = int(entry.get("epoch") or 0)
    return [ContainerId(attempt, epoch, n) for n in ranges.expand(entry.get("containers") or "")]


def _grouped(containers: Iterable[ContainerId]) -> list[Object]:
    """Containers as compact ranges, one entry for each attempt and epoch."""
    groups: dict[tuple[int, int], list[int]] = {}
    for container in containers:
        key = (container.attempt.number, container.epoch)
        groups.setdefault(key, []).append(container.number)
    return [
        {"attempt": attempt, "epoch": epoch, "containers": ranges.compact(numbers)}
        for (attempt, epoch), numbers in sorted(groups.items())
    ]


def _entry(completed: CompletedContainer) -> Object:
    entry: Object = {"id": str(completed.id), "exitStatus": int(completed.exit_status)}
    if completed.diagnostics:
        entry["diagnostics"] = completed.diagnostics[:512]
    return entry

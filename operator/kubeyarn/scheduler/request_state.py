"""A ContainerRequest as the scheduler works on it, and each container that it was granted.

The grants of a request are written by this process alone while it leads. So they are read from the
object once, when the request is first seen, and from then on `RequestState.allocations` is the
truth and the status its copy: a watch event that tells of older grants changes nothing.

Every attribute is changed by the methods here, which say whether the change is one that the status
shows. The indices over allocations are the cache's: it alone adds and removes them
(`cache.RequestCache`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace

from kubeyarn.cluster import names
from kubeyarn.cluster.feasibility.node_requirements import NodeRequirements
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd.container_request import ContainerRequest
from kubeyarn.crd.object import Key, Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.reasons import Verdict
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler.node_backoff import NodeBackoff, backed_off

Outcome = tuple[bool, str, str]
"""A condition: whether it holds, its reason and its message."""

MasterPlace = tuple[frozenset[str], frozenset[int] | None]
"""Where an AM is not to be granted, and the classes of nodes where it may be."""

NO_PLACE: MasterPlace = (frozenset(), None)

AppliedSpec = tuple[int | None, str]
"""Priority and queue of a YarnApplication's spec that were acted on last."""


@dataclass(frozen=True, slots=True)
class AMLimits:
    """What an ApplicationMaster is told: what it may still get, and its largest container."""

    headroom: Vector
    maximum_allocation: Vector


@dataclass(slots=True)
class Allocation:
    """A granted container and what is charged for it.

    *released*: its resources are given back; it is listed until the ResourceManager knows.
    *partition* is the one that it is counted in as bound, *bound_uid* the pod that uses it.
    *preempting* is (killed or only marked, why) of a container that the policy takes back. *size*
    is what is charged, None: the request's; an *opportunistic* one is charged to no queue. During a
    container update *wanted* is the size that was asked for, *refused* why it is not given, *waits*
    (reason, message) what it waits for. *requested* is what its bound pod requests,
    which somebody may have resized.
    """

    node: str
    released: bool = False
    bound_uid: str = ""
    partition: str = ""
    preempting: tuple[bool, str] | None = None
    size: Vector | None = None
    wanted: Vector | None = None
    refused: str = ""
    opportunistic: bool = False
    waits: tuple[str, str] | None = None
    requested: Vector | None = None

    @property
    def counts_as_bound(self) -> bool:
        """Whether a pod uses it, so that it counts against its queue's maximum."""
        return bool(self.bound_uid) and not self.released

    @property
    def killed(self) -> bool:
        """Whether the policy has it killed, not only marked."""
        return self.preempting is not None and self.preempting[0]

    def bind(self, uid: str, partition: str) -> None:
        """A pod uses it from now on, counted in *partition*."""
        self.bound_uid, self.partition = uid, partition

    def unbind(self) -> None:
        """No pod uses it."""
        self.bound_uid, self.requested = "", None

    def request(self, size: Vector) -> None:
        """Its pod requests so much now."""
        self.requested = size

    def relabel(self, partition: str) -> None:
        """Its node belongs to another partition now."""
        self.partition = partition

    def release(self) -> None:
        """Its resources are given back."""
        self.released = True

    def charge(self, size: Vector | None, *, opportunistic: bool) -> None:
        """Charge this much from now on (None: the request's size), to its queue or to nobody."""
        self.size, self.opportunistic = size, opportunistic

    def preempt(self, message: str, *, kill: bool) -> bool:
        """The policy takes it back; one that is killed already stays so."""
        if self.released or self.killed or self.preempting == (kill, message):
            return False
        self.preempting = (kill, message)
        return True

    def spare(self) -> None:
        """The policy does not take it back any more."""
        self.preempting = None

    def want(self, size: Vector, refused: str = "") -> None:
        """A container update asks for this size, or is refused."""
        self.wanted, self.refused = size, refused

    def wait_for(self, verdict: Verdict) -> bool:
        """What its update waits for; the same reason with other numbers is no change."""
        if self.waits is not None and self.waits[0] == verdict.reason.value:
            return False
        self.waits = (verdict.reason.value, verdict.message)
        return True

    def wait_no_more(self) -> None:
        """Its update waits for nothing."""
        self.waits = None

    def update_status(self) -> tuple[object, ...]:
        """What status shows of its update; compared to see whether it must be written."""
        return self.size, self.opportunistic, self.wanted, self.refused, self.waits


@dataclass(slots=True)
class RequestState:
    """One ContainerRequest: the newest object, and what this process granted and answered.

    *request* is the object as it is read, *raw* the same as it is compared with what is written.
    *granted* counts all containers of the request's life, *allocations* are those still listed.
    *asked* is the count that the scheduler was asked for last, None: it must be asked anew;
    *excluded* and *asked_where* go with it. An AM's is *located* by what the scheduler knows of its
    place, None: it must be told anew. *requirements* is what its containers require of a node, as
    read from *template*. *updating* are the containers whose charge may differ from the request's.
    *limits_told* is what its ApplicationMaster was told of limits, and *limits_due* whether it is
    to be told anew. *detached*: no object stands behind it any more; its containers run still.
    """

    key: Key
    uid: str
    application: Key
    am: bool
    raw: Object
    request: ContainerRequest
    granted: int = 0
    allocations: dict[ContainerId, Allocation] = field(default_factory=dict)
    size: Vector | None = None
    queue: str = ""
    asked: int | None = None
    asked_where: object = None
    excluded: frozenset[str] = frozenset()
    located: MasterPlace | None = NO_PLACE
    requirements: NodeRequirements | None = None
    template: object = None
    backoffs: dict[str, NodeBackoff] = field(default_factory=dict)
    updating: set[ContainerId] = field(default_factory=set)
    deleted: bool = False
    over: bool = False
    superseded: bool = False
    accepted: Outcome | None = None
    moved: Outcome | None = None
    prioritized: Outcome | None = None
    applied: AppliedSpec | None = None
    priority: int | None = None
    waits: tuple[str, str] | None = None
    explained_at: float = float("-inf")
    limits_told: AMLimits | None = None
    limits_told_at: float = float("-inf")
    limits_due: bool = False

    # What the object says.

    @property
    def opportunistic(self) -> bool:
        """Whether its containers are granted outside of all guarantees."""
        return self.request.opportunistic

    @property
    def asked_by_master(self) -> bool:
        """Whether an ApplicationMaster asked it at the AM service, and so acts on what ends."""
        return self.request.metadata.labels.get(names.ROLE) == names.ROLE_ASK

    @property
    def attempt(self) -> int:
        """The attempt that it is of; 0: of the application, because somebody wrote it by hand."""
        if not self.am and not self.asked_by_master:
            return 0
        return names.labelled_attempt(self.request.metadata.labels)

    def made_for(self, application: YarnApplication | None) -> bool:
        """Whether it is not of an earlier application that had the same name."""
        owners = self.request.metadata.owner_references
        uids = [owner.uid for owner in owners if owner.kind == APPLICATIONS.kind]
        return application is None or not uids or application.metadata.uid in uids

    @property
    def count(self) -> int:
        """Containers wanted over the request's life."""
        return 0 if self.deleted else self.request.spec.count

    @property
    def pending(self) -> int:
        """Containers still wanted; an attempt that has ended wants none."""
        if self.superseded or self.deleted:
            return 0
        return max(0, self.count + self.request.asked_again - self.granted)

    @property
    def running(self) -> int:
        """Allocations whose resources are not given back."""
        return sum(not allocation.released for allocation in self.allocations.values())

    # What becomes of it.

    def see(self, item: Object, request: ContainerRequest) -> None:
        """Take a newer version of the object, raw and read."""
        self.raw, self.request = item, request

    def restore(
        self,
        granted: int,
        queue: str,
        size: Vector | None,
        backoffs: Mapping[str, NodeBackoff],
        updating: Set[ContainerId],
    ) -> None:
        """Go on from what the status says that an earlier process decided."""
        self.granted = max(self.granted, granted)
        self.queue = queue
        self.size = size or self.size
        self.backoffs = self.backoffs or dict(backoffs)
        self.updating = set(updating)

    def list(self, container: ContainerId, allocation: Allocation) -> None:
        """A container is granted; the cache alone calls this, and keeps its index in line."""
        self.allocations[container] = allocation

    def unlist(self, container: ContainerId) -> None:
        """A container is listed no longer; the cache alone calls this."""
        del self.allocations[container]

    def delete(self) -> None:
        """The object is gone; what it holds counts until it is released."""
        self.deleted = True

    def end(self) -> bool:
        """Its application has ended."""
        changed, self.over = not self.over, True
        return changed

    def supersede(self, superseded: bool) -> bool:
        """Whether it is of an attempt that has ended; it wants nothing then."""
        changed, self.superseded = self.superseded is not superseded, superseded
        return changed

    def enter_queue(self, queue: str) -> None:
        """Its containers are charged to this queue."""
        self.queue = queue

    def learn_size(self, size: Vector) -> None:
        """The size of its containers as asked, unless a grant has told it already."""
        self.size = self.size or size

    def accept(self, message: str) -> None:
        """The scheduler takes it."""
        self.accepted = (True, "Accepted", message)

    def refuse(self, reason: str, message: str) -> bool:
        """The scheduler does not take it, and says why."""
        refusal = (False, reason, message)
        if self.accepted == refusal:
            return False
        self.accepted = refusal
        return True

    @property
    def refused(self) -> bool:
        """Whether the scheduler does not take it."""
        return self.accepted is not None and not self.accepted[0]

    @property
    def was_taken(self) -> bool:
        """Whether the scheduler of this process takes it."""
        return self.accepted is not None and self.accepted[0]

    def ask(self, count: int, excluded: frozenset[str], where: object) -> None:
        """The scheduler was asked for so many, not in the *excluded* places."""
        self.asked, self.excluded, self.asked_where = count, excluded, where

    def ask_no_more(self, count: int = 0) -> None:
        """Nothing is to be asked of the scheduler but for changes; *count* is what it knows."""
        self.asked = count

    def locate(self, excluded: frozenset[str], classes: frozenset[int] | None) -> bool:
        """Where the AM is not to be granted, and on which nodes it may be; whether that is new."""
        where = (excluded, classes)
        changed, self.located = self.located != where, where
        return changed

    def require(self, wanted: NodeRequirements | None, template: object) -> None:
        """What its containers require of a node; the cache alone calls this."""
        self.requirements, self.template = wanted, template

    def ask_anew(self) -> None:
        """The scheduler does not know of it; the next look asks for all that is pending."""
        self.asked = None

    def begin_attempt(self) -> None:
        """The scheduler has forgotten the former attempt's asks and exclusions."""
        if not self.am:
            self.asked = None
        self.excluded, self.located = frozenset(), None

    def count_grant(self, size: Vector) -> None:
        """One more was granted, of this size."""
        self.granted += 1
        self.asked = max(0, (self.asked or 0) - 1)
        self.size = size
        self.waits = None

    def uncount_grant(self) -> None:
        """A grant was taken back and is to be made again."""
        self.granted -= 1

    def back_off(self, node: str, now_ms: int, why: str) -> None:
        """A node refused its pod; its application is kept off the node for a while.

        Refusals of what was granted before that are the same refusal.
        """
        known = self.backoffs.get(node)
        # Ten containers that were granted on a node at once would keep it closed for ten minutes.
        if known is not None and known.until_ms > now_ms:
            return
        self.backoffs[node] = (
            known.again(now_ms, why) if known is not None else backed_off(now_ms, why)
        )

    def update(self, container: ContainerId) -> None:
        """The charge of this container may differ from the request's."""
        self.updating.add(container)

    def forget_ended_updates(self) -> None:
        """Containers that are listed no longer have no charge."""
        self.updating &= self.allocations.keys()

    def apply(self, spec: AppliedSpec) -> bool:
        """The application's priority and queue that were acted on."""
        changed, self.applied = self.applied != spec, spec
        return changed

    def prioritize(self, outcome: Outcome) -> None:
        """What became of the last change of priority."""
        self.prioritized = outcome

    def move(self, outcome: Outcome) -> None:
        """What became of the last move to another queue."""
        self.moved = outcome

    def has_priority(self, priority: int) -> bool:
        """The priority in force; whether that is new."""
        changed, self.priority = self.priority != priority, priority
        return changed

    def explain(self, now: float) -> None:
        """Its reason to wait is being looked up."""
        self.explained_at = now

    def wait_for(self, verdict: Verdict) -> bool:
        """What it waits for; the same reason with other numbers is no change."""
        if self.waits is not None and self.waits[0] == verdict.reason.value:
            return False
        self.waits = (verdict.reason.value, verdict.message)
        return True

    def tell_limits(self, now: float) -> None:
        """What its ApplicationMaster is told of limits is to be written."""
        self.limits_told_at, self.limits_due = now, True

    def limits_written(self, limits: AMLimits | None) -> None:
        """Its ApplicationMaster was told these limits."""
        self.limits_told, self.limits_due = limits, False

    def convert(self, before: ResourceTypes, after: ResourceTypes) -> None:
        """A new scheduler is built, which knows none of its asks and counts other resources."""

        def converted(size: Vector) -> Vector:
            amounts = before.mapping(size)
            return tuple(amounts.get(name, 0) for name in after.names)

        self.asked, self.excluded, self.located = None, frozenset(), NO_PLACE
        self.limits_told = None
        if self.size is not None:
            self.size = converted(self.size)
        for allocation in self.allocations.values():
            if allocation.requested is not None:
                allocation.request(converted(allocation.requested))
            if allocation.size is not None:
                allocation.charge(
                    converted(allocation.size), opportunistic=allocation.opportunistic
                )

    def detached(self, key: Key, application: Key) -> RequestState:
        """The same containers under another key, without an object: it asks for nothing."""
        return replace(self, key=key, application=application, deleted=True, requirements=None)


def master(states: Iterable[RequestState]) -> RequestState | None:
    """The request for the AM of the newest attempt; None when there is none."""
    existing = (state for state in states if state.am and not state.deleted)
    return max(existing, key=lambda state: state.attempt, default=None)


def any_running(states: Iterable[RequestState]) -> bool:
    """Whether any request's container is not released."""
    return any(state.running for state in states)

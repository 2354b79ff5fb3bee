"""The AM protocol, free of transport: what an ApplicationMaster may say and what it is answered.

One `AMSession` is one attempt's side of the protocol in the ResourceManager (Hadoop:
ApplicationMasterService, DefaultAMSProcessor). It holds what only memory needs to hold: after a
restart of the ResourceManager the session is new, the AM is told that it is not registered, and
registering again it learns of all containers that there are and sends its asks again.

How it works:

* A heartbeat carries the id of the last answer. The same id again means that the answer was lost:
  the session repeats it and takes nothing twice. The next id confirms it: only then are ended
  containers `confirmed`, and may leave the request's status.
* An ask is absolute (so many containers still wanted), a ContainerRequest counts for its whole
  life. `wanted` turns one into the other: handed over so far plus what is still wanted. A grant
  that the AM has not seen yet is in neither of the two, so it is never asked for twice.
* One priority and allocationRequestId is one ask, found by a dictionary: a heartbeat costs what it
  says, however many asks there are. How many there may be is bounded (`MOST_ASKS`).
* Everything that the AM is told of (grants, ends, refusals, updates, nodes) comes in from outside
  as levels, as often as its caller likes; the session tells each thing once, in the next answer.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple

from kubeyarn.lifecycle.application import FinalStatus
from kubeyarn.lifecycle.node import NodeUpdate
from kubeyarn.lifecycle.progress import Unregistration
from kubeyarn.model.asks import ANYWHERE, Locality
from kubeyarn.model.constraints import PlacementConstraint
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import AttemptId, ContainerId
from kubeyarn.model.resources import ResourceList

MOST_ASKS = 10_000
"""How many asks of one attempt may want containers at a time."""

_FORGOTTEN_AT_ONCE = 1000

# Response ids begin anew after it (Hadoop: AMRMClientUtils.getNextResponseId).
_LARGEST_ID = 0x7FFFFFFF


class ProtocolError(SpecError):
    """The AM said something that the protocol does not allow now; nothing was changed.

    *code* is the word of the wire (`InvalidResponseId`, ...).
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ShapeKey(NamedTuple):
    """Names an ask within its attempt, as its AM does (Hadoop: SchedulerRequestKey).

    *shape* is a hash of what else the ask says (size, places, partition, ...): an ask of another
    shape for the same priority and allocationRequestId takes the place of the one before, and has a
    ContainerRequest of its own.
    """

    priority: int
    allocation_request_id: int = -1
    shape: str = ""

    @property
    def named(self) -> tuple[int, int]:
        """What an ApplicationMaster names it by."""
        return self.priority, self.allocation_request_id


@dataclass(frozen=True, slots=True)
class ResourceRequest:
    """An AM's ask: *count* containers that it still wants, absolute (Hadoop: ResourceRequest).

    *partition* None means: the application's or its queue's default. *tags* are what the containers
    carry, *constraint* says where they may be with regard to tags (Hadoop: SchedulingRequest).
    """

    key: ShapeKey
    count: int
    size: ResourceList
    partition: str | None = None
    locality: Locality = ANYWHERE
    opportunistic: bool = False
    constraint: PlacementConstraint | None = None
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GrantedContainer:
    """A container as the AM is told of it."""

    id: ContainerId
    node: str
    key: ShapeKey
    size: ResourceList
    version: int = 0
    opportunistic: bool = False


class UpdateType(StrEnum):
    """What an update of a container changes (Hadoop: ContainerUpdateType)."""

    INCREASE_RESOURCE = "INCREASE_RESOURCE"
    DECREASE_RESOURCE = "DECREASE_RESOURCE"
    PROMOTE_EXECUTION_TYPE = "PROMOTE_EXECUTION_TYPE"
    DEMOTE_EXECUTION_TYPE = "DEMOTE_EXECUTION_TYPE"

    @classmethod
    def between(cls, before: GrantedContainer, after: GrantedContainer) -> UpdateType:
        """What has changed about a container."""
        if before.opportunistic != after.opportunistic:
            return cls.DEMOTE_EXECUTION_TYPE if after.opportunistic else cls.PROMOTE_EXECUTION_TYPE
        same_or_less = after.size.fits_in(before.size)
        return cls.DECREASE_RESOURCE if same_or_less else cls.INCREASE_RESOURCE


@dataclass(frozen=True, slots=True)
class UpdateContainerRequest:
    """What a container is to be: of *size*, or of another type (Hadoop: UpdateContainerRequest).

    One of the two: *size* is empty where *opportunistic* says whether it is to be opportunistic.
    """

    id: ContainerId
    size: ResourceList
    opportunistic: bool | None = None


INVALID_CONTAINER_ID = "INVALID_CONTAINER_ID"
INCORRECT_CONTAINER_VERSION_ERROR = "INCORRECT_CONTAINER_VERSION_ERROR"
UPDATE_OUTSTANDING_ERROR = "UPDATE_OUTSTANDING_ERROR"
RESOURCE_OUTSIDE_ALLOWED_RANGE = "RESOURCE_OUTSIDE_ALLOWED_RANGE"
# Not a word of Hadoop's, which makes these updates or says nothing.
UPDATE_REFUSED = "UPDATE_REFUSED"


@dataclass(frozen=True, slots=True)
class UpdateContainerError:
    """An update that is not made (Hadoop: UpdateContainerError)."""

    id: str
    reason: str
    version: int
    message: str


@dataclass(frozen=True, slots=True)
class CompletedContainer:
    """A container that ended."""

    id: ContainerId
    exit_status: int
    diagnostics: str = ""


@dataclass(frozen=True, slots=True)
class RejectedAsk:
    """An ask that cannot be served as it is, and why (Hadoop: InvalidResourceRequestException)."""

    key: ShapeKey
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class RequestTotal:
    """How many containers an ask wants over its whole life: handed over plus still wanted.

    Counted so, a grant that the AM has not seen yet is never asked for twice.
    """

    ask: ResourceRequest
    count: int


class WrittenAsk(NamedTuple):
    """What an ask's ContainerRequest was made to say: its name and generation since then.

    *excluded* are the places that the session excluded then; generation 0: there was none to make.
    """

    total: RequestTotal
    excluded: frozenset[str]
    name: str
    generation: int


@dataclass(frozen=True, slots=True)
class AllocateRequest:
    """One heartbeat of an AM."""

    response_id: int
    progress: float = 0.0
    asks: tuple[ResourceRequest, ...] = ()
    releases: tuple[ContainerId, ...] = ()
    exclude: frozenset[str] = frozenset()
    include: frozenset[str] = frozenset()
    updates: tuple[UpdateContainerRequest, ...] = ()
    update_errors: tuple[UpdateContainerError, ...] = ()
    tracking_url: str | None = None


@dataclass(frozen=True, slots=True)
class AllocateResponse:
    """What is new since the answer before."""

    response_id: int
    allocated: tuple[GrantedContainer, ...] = ()
    completed: tuple[CompletedContainer, ...] = ()
    rejected: tuple[RejectedAsk, ...] = ()
    nodes: tuple[NodeUpdate, ...] = ()
    updated: tuple[tuple[UpdateType, GrantedContainer], ...] = ()
    update_errors: tuple[UpdateContainerError, ...] = ()


@dataclass(slots=True)
class AMSession:
    """One attempt's registration and what was said in both directions."""

    attempt: AttemptId
    registered: bool = False
    tracking_url: str = ""
    host: str = ""
    rpc_port: int = -1
    progress: int = 0
    unregistration: Unregistration | None = None
    last_heard_ms: int = 0
    wanted: dict[ShapeKey, RequestTotal] = field(default_factory=dict)
    written: dict[ShapeKey, WrittenAsk] = field(default_factory=dict)
    confirmed: set[ContainerId] = field(default_factory=set)
    excluded: frozenset[str] = frozenset()
    _beaten: bool = False
    # By priority and allocationRequestId: the shape that was asked for last.
    _shapes: dict[tuple[int, int], ShapeKey] = field(default_factory=dict)
    updates: dict[ContainerId, UpdateContainerRequest] = field(default_factory=dict)
    _told: dict[ContainerId, GrantedContainer] = field(default_factory=dict)
    _updated: list[tuple[UpdateType, GrantedContainer]] = field(default_factory=list)
    _update_errors: list[UpdateContainerError] = field(default_factory=list)
    _answer: AllocateResponse = field(default_factory=lambda: AllocateResponse(0))
    _handed: dict[ShapeKey, int] = field(default_factory=dict)
    _seen: set[ContainerId] = field(default_factory=set)
    _new: list[GrantedContainer] = field(default_factory=list)
    _ended: list[CompletedContainer] = field(default_factory=list)
    _reported: set[ContainerId] = field(default_factory=set)
    _warned: set[ContainerId] = field(default_factory=set)
    _rejected: dict[ShapeKey, RejectedAsk] = field(default_factory=dict)
    _refusals: list[RejectedAsk] = field(default_factory=list)
    _nodes: dict[str, NodeUpdate] = field(default_factory=dict)
    nodes_heard: int | None = None

    @property
    def response_id(self) -> int:
        """What the next heartbeat must carry."""
        return self._answer.response_id

    def register(
        self,
        live: Sequence[GrantedContainer],
        granted: Mapping[ShapeKey, int],
        tracking_url: str,
        now_ms: int,
        *,
        kept: Sequence[GrantedContainer] = (),
        again: bool = False,
    ) -> None:
        """Take the AM's registration; until the first heartbeat it may be said again.

        *again*: also later, and everything begins anew (Hadoop: of unmanaged AMs whose containers
        are kept). *live* are all containers of this attempt and *kept* those of former ones, which
        the answer tells; *granted* how many each ask was ever given, ended ones included.

        Raises:
            ProtocolError: AlreadyRegistered.
        """
        if self._beaten and not again:
            raise ProtocolError(
                "AlreadyRegistered",
                f"{self.attempt} is registered already; an ApplicationMaster registers once",
            )
        # What was told last is not known to have been heard; its containers are among *live*.
        self._ended = [*self._answer.completed, *self._ended]
        self._answer, self._beaten = AllocateResponse(0), False
        self.registered = True
        self.last_heard_ms = now_ms
        self.tracking_url = tracking_url
        # The answer to the registration tells these, so that no heartbeat tells them again.
        self._seen |= {container.id for container in live}
        self._told = {container.id: container for container in (*live, *kept)}
        self._new = [container for container in self._new if container.id not in self._seen]
        self._handed = dict(granted)

    def allocate(self, request: AllocateRequest, now_ms: int) -> AllocateResponse:
        """Answer one heartbeat; the same *response_id* again gets the same answer again.

        An AM that has unregistered asks for nothing more and is told of nothing.

        Raises:
            ProtocolError: ApplicationMasterNotRegistered, InvalidResponseId, TooManyAsks.
        """
        self._must_be_registered()
        self.last_heard_ms = now_ms
        last = self._answer.response_id
        # Its answer was lost on the way. Answering anew would tell of new containers in the place
        # of those that the lost one told of.
        if self.repeats(request.response_id):
            return self._answer
        if request.response_id != last:
            raise ProtocolError(
                "InvalidResponseId",
                f"responseId: found {request.response_id}, expected {last} (the last answer's) "
                f"or {last - 1} (to have it repeated)",
            )
        self._check_asks(request.asks)
        self._beaten = True
        # Hadoop's counter is a Java int that goes back to 0 (AMRMClientUtils.getNextResponseId).
        following = (last + 1) & _LARGEST_ID
        self._confirm()
        if self.unregistration is not None:
            self._answer = AllocateResponse(following)
            return self._answer
        self._take(request)
        refusals, self._refusals = tuple(self._refusals), []
        nodes, self._nodes = tuple(self._nodes.values()), {}
        updated, self._updated = tuple(self._updated), []
        failed, self._update_errors = tuple(self._update_errors), []
        self._answer = AllocateResponse(
            following,
            self._hand_over(),
            self._report(),
            refusals,
            nodes,
            updated,
            (*request.update_errors, *failed),
        )
        return self._answer

    def finish(self, unregistration: Unregistration, now_ms: int) -> None:
        """Take the AM's unregistration; the first one counts.

        Raises:
            ProtocolError: ApplicationMasterNotRegistered.
        """
        self._must_be_registered()
        self.last_heard_ms = now_ms
        if self.unregistration is None:
            if unregistration.final_status is FinalStatus.UNDEFINED:
                raise ProtocolError(
                    "InvalidRequest",
                    "finalStatus: found UNDEFINED, allowed: SUCCEEDED, FAILED, KILLED, ENDED",
                )
            self.unregistration = unregistration

    def granted(self, container: GrantedContainer) -> None:
        """A container was granted; told in the next answer, once."""
        if container.id not in self._seen:
            self._seen.add(container.id)
            self._new.append(container)

    def updated(self, container: GrantedContainer) -> None:
        """A container that the AM knows is changed; each version is told in an answer, once."""
        before = self._told.get(container.id)
        if before is not None and container.version > before.version:
            self._told[container.id] = container
            self._updated.append((UpdateType.between(before, container), container))

    def update_failed(self, error: UpdateContainerError) -> None:
        """A container will not be changed; told in the next answer."""
        self._update_errors.append(error)

    def completed(self, container: CompletedContainer) -> None:
        """A container ended; told in the next answer, once."""
        if container.id not in self._reported:
            self._reported.add(container.id)
            self._told.pop(container.id, None)
            self.updates.pop(container.id, None)
            self._ended.append(container)

    def repeats(self, response_id: int) -> bool:
        """Whether a heartbeat with *response_id* was answered already and is to be again."""
        return response_id == (self._answer.response_id - 1) & _LARGEST_ID and self._beaten

    def rejected(self, ask: RejectedAsk) -> None:
        """An ask is refused; told in the next answer, again only for another reason."""
        if self._rejected.get(ask.key) != ask:
            self._rejected[ask.key] = ask
            self._refusals.append(ask)

    def node_changed(self, update: NodeUpdate) -> None:
        """A node changed; told in the next answer, once, as it was last."""
        self._nodes[update.name] = update

    def warn(self, marked: Iterable[ContainerId]) -> list[ContainerId]:
        """Those of *marked* that the AM was not told of; they count as told from now on."""
        new = sorted(set(marked) - self._warned)
        self._warned |= set(new)
        return new

    def ask_written(self, written: WrittenAsk) -> None:
        """An ask's request says what the ask does."""
        self.written[written.total.ask.key] = written

    def ask_refused(self, total: RequestTotal, reason: str, message: str) -> None:
        """An ask cannot be written; it is dropped, unless another was said meanwhile, and told."""
        key = total.ask.key
        self.rejected(RejectedAsk(key, reason, message))
        # The AM may have asked otherwise while the API server was refusing this.
        if self.wanted.get(key) is total:
            del self.wanted[key]

    def keep(self, containers: Collection[ContainerId]) -> None:
        """Remember nothing of containers but of these, which requests still list.

        What was told of the others cannot be told again. It costs a look at all that is remembered,
        so it is done when most of that is of no use any more.
        """
        if len(self._seen) + len(self._reported) <= 2 * len(containers) + _FORGOTTEN_AT_ONCE:
            return
        ended = (*self._ended, *self._answer.completed)
        kept = {container.id for container in self._new} | {container.id for container in ended}
        kept.update(containers)
        self._seen &= kept
        self._reported &= kept
        self._warned &= kept
        self.confirmed &= kept
        self._told = {one: told for one, told in self._told.items() if one in kept}

    def _must_be_registered(self) -> None:
        if not self.registered:
            raise ProtocolError(
                "ApplicationMasterNotRegistered",
                f"{self.attempt} is not registered; register, then send all asks again",
            )

    def _confirm(self) -> None:
        """The AM has the last answer: what it told need not be kept for it any longer."""
        self.confirmed |= {container.id for container in self._answer.completed}

    def _take(self, request: AllocateRequest) -> None:
        self.progress = as_percent(request.progress)
        if request.tracking_url is not None:
            self.tracking_url = request.tracking_url
        # As Hadoop: what is said both ways in one heartbeat is not excluded.
        self.excluded = (self.excluded | request.exclude) - request.include
        self.updates |= {update.id: update for update in request.updates}
        for ask in request.asks:
            self._replace_other_shape(ask.key)
            self.wanted[ask.key] = RequestTotal(ask, self._handed.get(ask.key, 0) + ask.count)

    def _replace_other_shape(self, key: ShapeKey) -> None:
        """One priority and allocationRequestId has one shape: an ask of another replaces it."""
        other = self._shapes.get(key.named)
        self._shapes[key.named] = key
        wanted = self.wanted.get(other) if other is not None and other != key else None
        if other is not None and wanted is not None:
            none = replace(wanted.ask, count=0)
            self.wanted[other] = RequestTotal(none, self._handed.get(other, 0))

    def _check_asks(self, asks: Sequence[ResourceRequest]) -> None:
        """Whether there are not too many asks that want something, with *asks*.

        Raises:
            ProtocolError: TooManyAsks.
        """
        if not asks:
            return
        wanting = {
            key.named
            for key, total in self.wanted.items()
            if total.count > self._handed.get(key, 0)
        }
        wanting |= {ask.key.named for ask in asks if ask.count}
        wanting -= {ask.key.named for ask in asks if not ask.count}
        if len(wanting) > MOST_ASKS:
            raise ProtocolError(
                "TooManyAsks",
                f"asks: found {len(wanting)} of different priority or allocationRequestId that "
                f"want containers, allowed: {MOST_ASKS} at a time; ask for several containers at "
                "once by count, or for the rest when some of these were granted",
            )

    def _hand_over(self) -> tuple[GrantedContainer, ...]:
        handed, self._new = tuple(self._new), []
        for container in handed:
            self._handed[container.key] = self._handed.get(container.key, 0) + 1
            self._told[container.id] = container
        return handed

    def _report(self) -> tuple[CompletedContainer, ...]:
        ended, self._ended = tuple(self._ended), []
        return ended


def as_percent(progress: float) -> int:
    """An AM's progress as percent: what is no number or negative is 0, above 1 is 100.

    Source: Hadoop DefaultAMSProcessor.allocate.
    """
    if progress != progress or progress < 0:
        return 0
    return 100 if progress > 1 else int(progress * 100)

"""What an ApplicationMaster knows: its asks, its containers, and where the conversation stands.

All rules of the protocol are here, and no I/O: `ApplicationMaster` sends what `allocate_request`
says and hands the answers to `answered`. Theory of operation:

- An ask is a level: the number still wanted under a key, not a change. It falls by one with each
  container that arrives, because the RM counts what it has delivered the same way.
- One allocate is under way at a time. Until it is answered, trying again sends the very same
  request: the RM may have seen it and answers from its cache, so that a later update in it would
  be lost.
- After the RM restarted, registering again forgets where the conversation stood, and everything
  is said again: all asks, the releases not yet carried out, the excluded nodes. What the RM says
  twice (containers, completions) is passed on once.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from kubeyarn.am.errors import InvalidAskError
from kubeyarn.am.wire import (
    DEMOTE,
    PROMOTE,
    AllocateAnswer,
    AskKey,
    AskShape,
    Container,
    Ended,
    NodeUpdate,
    Refusal,
    Registration,
    Update,
    check_resources,
)


@dataclass(frozen=True, slots=True)
class Allocated:
    """A container has arrived and waits to be launched."""

    container: Container


@dataclass(frozen=True, slots=True)
class Completed:
    """A container of ours ended; *exit_status* as in `wire.Ended`."""

    container: Container
    exit_status: int
    diagnostics: str


@dataclass(frozen=True, slots=True)
class Preempting:
    """The RM will take this container back soon (Hadoop: PreemptionMessage).

    *strict*: whatever is done about it; else giving back as much in other containers saves it.
    *seconds* are left to react.
    """

    container: Container
    message: str
    strict: bool = False
    seconds: int = 0


@dataclass(frozen=True, slots=True)
class Updated:
    """A container of ours was changed as we asked."""

    container: Container


@dataclass(frozen=True, slots=True)
class UpdateRefused:
    """A container of ours is not changed; *reason* as in `wire.Refusal`."""

    container: Container
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """An ask that cannot be served as it is; it stays until it is cancelled or asked otherwise."""

    key: AskKey
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class NodeUpdated:
    """A node changed: its containers are lost, or will be ended unless they end in time."""

    update: NodeUpdate


Event = Allocated | Completed | Preempting | Updated | UpdateRefused | Rejected | NodeUpdated


@dataclass(frozen=True, slots=True)
class AllocateRequest:
    """One allocate call (Hadoop: AllocateRequest); *asks* are shapes with absolute numbers."""

    response_id: int
    progress: float
    asks: tuple[tuple[AskShape, int], ...]
    releases: tuple[str, ...]
    exclude: tuple[str, ...]
    include: tuple[str, ...]
    tracking_url: str | None
    updates: tuple[Update, ...] = ()

    def to_wire(self) -> dict[str, object]:
        """This request as the AM service reads it."""
        return {
            "responseId": self.response_id,
            "progress": self.progress,
            "asks": [shape.to_wire(count) for shape, count in self.asks],
            "releases": list(self.releases),
            "excludeNodes": {"add": list(self.exclude), "remove": list(self.include)},
            "trackingUrl": self.tracking_url,
            "updates": [update.to_wire() for update in self.updates],
        }


@dataclass(slots=True)
class _Wanted:
    shape: AskShape
    count: int


@dataclass(slots=True)
class AmState:
    """The ApplicationMaster's side of the protocol (Hadoop: AMRMClientImpl, without its I/O)."""

    registration: Registration | None = None
    live: dict[str, Container] = field(default_factory=dict)
    progress: float = 0.0
    headroom: dict[str, str] = field(default_factory=dict)
    cluster_nodes: int = 0
    excluded: set[str] = field(default_factory=set)
    _wanted: dict[AskKey, _Wanted] = field(default_factory=dict)
    _unsaid: set[AskKey] = field(default_factory=set)
    _arrived: set[str] = field(default_factory=set)
    _ended: set[str] = field(default_factory=set)
    _warned: set[str] = field(default_factory=set)
    _releasing: dict[str, bool] = field(default_factory=dict)
    _exclude: set[str] = field(default_factory=set)
    _include: set[str] = field(default_factory=set)
    _updates: dict[str, Update] = field(default_factory=dict)
    _unsent_updates: set[str] = field(default_factory=set)
    _tracking_url: str | None = None
    _response_id: int = 0
    _under_way: AllocateRequest | None = None

    def ask(self, shape: AskShape, count: int) -> None:
        """Want *count* containers more of *shape*.

        Raises:
            InvalidAskError: *count* is below 1, or the key still waits for another shape: the RM
                could not tell whose container arrives.
        """
        if count < 1:
            raise InvalidAskError(f"count is {count}, must be 1 or more; cancel() takes asks back")
        wanted = self._wanted.get(shape.key)
        if wanted is not None and wanted.count and wanted.shape != shape:
            raise InvalidAskError(
                f"priority {shape.key.priority}, allocation_request_id "
                f"{shape.key.allocation_request_id} still waits for {wanted.count} containers of "
                f"{dict(wanted.shape.resources)}; use another allocation_request_id for "
                f"{dict(shape.resources)}"
            )
        already = wanted.count if wanted is not None else 0
        self._wanted[shape.key] = _Wanted(shape, already + count)
        self._unsaid.add(shape.key)

    def cancel(self, key: AskKey, count: int | None = None) -> int:
        """Want *count* containers fewer, or none any more; returns how many were taken back."""
        wanted = self._wanted.get(key)
        if wanted is None:
            return 0
        fewer = wanted.count if count is None else max(0, min(count, wanted.count))
        if fewer:
            wanted.count -= fewer
            self._unsaid.add(key)
        return fewer

    def outstanding(self, key: AskKey) -> int:
        """How many containers are still wanted under *key*."""
        wanted = self._wanted.get(key)
        return wanted.count if wanted is not None else 0

    def waiting(self) -> bool:
        """Whether any container is still wanted."""
        return any(wanted.count for wanted in self._wanted.values())

    def release(self, container_id: str) -> None:
        """Give a container back; nothing happens if it has ended."""
        if container_id not in self._ended:
            self._releasing.setdefault(container_id, False)

    def has_ended(self, container_id: str) -> bool:
        """Whether the RM has told the end of this container."""
        return container_id in self._ended

    def exclude_nodes(self, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Take no containers on *add*, take them on *remove* again (Hadoop: updateBlacklist)."""
        for node in add:
            self.excluded.add(node)
            self._exclude.add(node)
            self._include.discard(node)
        for node in remove:
            self.excluded.discard(node)
            self._include.add(node)
            self._exclude.discard(node)

    def resize(self, container_id: str, resources: Mapping[str, str]) -> None:
        """Ask for another size of a container; a resource that is not named stays as it is.

        Raises:
            InvalidAskError: no such container lives, or a resource is no positive quantity.
        """
        self._living(container_id, "resize")
        check_resources(f"resize {container_id}", resources)
        self._request_update(Update(container_id, resources=tuple(sorted(resources.items()))))

    def promote(self, container_id: str) -> None:
        """Ask that an opportunistic container become guaranteed.

        Raises:
            InvalidAskError: no such container lives, or it is guaranteed.
        """
        if not self._living(container_id, "promote").opportunistic:
            raise InvalidAskError(f"promote {container_id}: it is guaranteed already")
        self._request_update(Update(container_id, type=PROMOTE))

    def demote(self, container_id: str) -> None:
        """Ask that a guaranteed container become opportunistic.

        Raises:
            InvalidAskError: no such container lives, or it is opportunistic.
        """
        if self._living(container_id, "demote").opportunistic:
            raise InvalidAskError(f"demote {container_id}: it is opportunistic already")
        self._request_update(Update(container_id, type=DEMOTE))

    def _living(self, container_id: str, what: str) -> Container:
        if container_id not in self.live:
            raise InvalidAskError(f"{what} {container_id}: no such container lives")
        return self.live[container_id]

    def _request_update(self, update: Update) -> None:
        self._updates[update.container_id] = update
        self._unsent_updates.add(update.container_id)

    def set_progress(self, progress: float) -> None:
        """Say how much is done, 0 to 1; what lies outside is clamped, NaN is 0 (as Hadoop)."""
        self.progress = 0.0 if math.isnan(progress) else min(1.0, max(0.0, progress))

    def set_tracking_url(self, url: str) -> None:
        """Say where people can follow the application."""
        self._tracking_url = url

    def changed(self) -> bool:
        """Whether there is something to say that no request has said yet."""
        unsent = not all(self._releasing.values())
        unsent |= bool(self._unsent_updates)
        return bool(self._unsaid or self._exclude or self._include or unsent)

    def registered(self, registration: Registration) -> list[Event]:
        """Take the answer to register, the first one or one after the RM restarted."""
        self.registration = registration
        self._response_id = registration.response_id
        self._under_way = None
        # A new ResourceManager knows nothing that was only said: asks, releases and exclusions are
        # all said again. They are absolute, so saying them to one that knows them changes nothing.
        self._unsaid = set(self._wanted)
        self._releasing = dict.fromkeys(self._releasing, False)
        self._exclude, self._include = set(self.excluded), set()
        # What was changed meanwhile need not be asked for again.
        told = (*registration.containers, *registration.previous)
        known = {container.id: container for container in told}
        changed = [
            known[name]
            for name, old in self.live.items()
            if name in known and known[name].version > old.version
        ]
        events = self._update(changed, ())
        self._unsent_updates = set(self._updates)
        for container in registration.previous:
            if container.id not in self._ended:
                self._arrived.add(container.id)
                self.live.setdefault(container.id, container)
        return events + self._arrive(registration.containers)

    def allocate_request(self) -> AllocateRequest:
        """What to send now; the same request again until it is answered."""
        # A request whose answer was lost goes out again as it was, with the same response id: then
        # the ResourceManager repeats its answer instead of taking the request twice.
        if self._under_way is None:
            self._under_way = AllocateRequest(
                response_id=self._response_id,
                progress=self.progress,
                asks=tuple(
                    (self._wanted[key].shape, self._wanted[key].count)
                    for key in sorted(self._unsaid)
                ),
                releases=tuple(i for i, sent in self._releasing.items() if not sent),
                exclude=tuple(sorted(self._exclude)),
                include=tuple(sorted(self._include)),
                tracking_url=self._tracking_url,
                updates=tuple(
                    # The version at the time of sending: an update that another one overtook is
                    # refused by its version, and never undoes that one.
                    replace(self._updates[name], version=self.live[name].version)
                    for name in sorted(self._unsent_updates & self.live.keys())
                ),
            )
            self._unsent_updates = set()
            self._unsaid, self._exclude, self._include = set(), set(), set()
            self._releasing = dict.fromkeys(self._releasing, True)
        return self._under_way

    def answered(self, answer: AllocateAnswer) -> list[Event]:
        """Take the answer to the request under way; returns what is new, each thing once."""
        self._under_way = None
        self._response_id = answer.response_id
        self.headroom = dict(answer.headroom)
        self.cluster_nodes = answer.cluster_nodes
        events = self._arrive(answer.allocated)
        events += self._update(answer.updated, answer.refused)
        events += self._end(answer.completed)
        events += self._warn(answer)
        events += [Rejected(r.key, r.reason, r.message) for r in answer.rejected]
        events += [NodeUpdated(update) for update in answer.updated_nodes]
        return events

    def _arrive(self, containers: Iterable[Container]) -> list[Event]:
        events: list[Event] = []
        for container in containers:
            # Told before: by an answer that was lost and repeated, or by the answer to a
            # registration.
            if container.id in self._arrived:
                continue
            self._arrived.add(container.id)
            wanted = self._wanted.get(container.key)
            if wanted is None or wanted.count == 0:
                # Granted while the ask was being cancelled: nobody here waits for it.
                self.release(container.id)
                continue
            # Asks are absolute and count what is outstanding: who hands out a container owes one
            # less. The ResourceManager does the same on its side, so nothing has to be said.
            wanted.count -= 1
            self.live[container.id] = container
            events.append(Allocated(container))
        return events

    def _end(self, ended: Iterable[Ended]) -> list[Event]:
        events: list[Event] = []
        for end in ended:
            self._ended.add(end.container_id)
            # Its grant may still be on the way, in the answer to a registration, and must not be
            # told then.
            self._arrived.add(end.container_id)
            self._releasing.pop(end.container_id, None)
            self._updates.pop(end.container_id, None)
            container = self.live.pop(end.container_id, None)
            if container is not None:
                events.append(Completed(container, end.exit_status, end.diagnostics))
        return events

    def _update(self, updated: Iterable[Container], refused: Iterable[Refusal]) -> list[Event]:
        events: list[Event] = []
        for container in updated:
            if container.id in self.live:
                self.live[container.id] = container
                self._updates.pop(container.id, None)
                events.append(Updated(container))
        for refusal in refused:
            known = self.live.get(refusal.container_id)
            if known is not None:
                self._updates.pop(known.id, None)
                events.append(UpdateRefused(known, refusal.reason, refusal.message))
        return events

    def _warn(self, answer: AllocateAnswer) -> list[Event]:
        # Each answer names every marked container; the application hears of each once.
        fresh = [i for i in answer.preempting if i in self.live and i not in self._warned]
        self._warned.update(fresh)
        message, seconds = answer.preemption_message, answer.kill_after_seconds
        return [Preempting(self.live[i], message, i in answer.strict, seconds) for i in fresh]

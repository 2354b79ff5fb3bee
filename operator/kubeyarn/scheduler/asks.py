"""ContainerRequests in the scheduler: what was asked and granted, and what is written of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from kubeyarn.cluster import names
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd import conditions, ranges, submissions
from kubeyarn.crd.object import Key, Object
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler.node_backoff import NodeBackoff


@dataclass(slots=True)
class Held:
    """A grant. *freed*: its room is given back; it is listed until the ResourceManager knows.

    *partition* is the one that it is counted in as bound. *preempting* is (now or only marked, why)
    of a container that the policy takes back. *size* is what is charged, None: the request's;
    *opportunistic*: it is charged to nobody. Of a container that is to be otherwise, *wanted* is
    its size then, *refused* why that will not be, *waits* (reason, message) what it waits for.
    """

    node: str
    freed: bool = False
    bound_uid: str = ""
    partition: str = ""
    preempting: tuple[bool, str] | None = None
    size: Vector | None = None
    wanted: Vector | None = None
    refused: str = ""
    opportunistic: bool = False
    waits: tuple[str, str] | None = None


class Growth(NamedTuple):
    """What the engine was asked for a container, and where its node was: partition and rack."""

    container: Container
    more: Vector
    place: tuple[str, str]


@dataclass(slots=True)
class RequestState:
    """One ContainerRequest. Grants are ours alone, so they are read once and then only written."""

    key: Key
    uid: str
    application: Key
    am: bool
    found: Object
    granted: int = 0
    grants: dict[ContainerId, Held] = field(default_factory=dict)
    size: Vector | None = None
    queue: str = ""
    asked: int | None = None
    asked_where: object = None
    excluded: frozenset[str] = frozenset()
    avoided: dict[str, NodeBackoff] = field(default_factory=dict)
    updating: set[ContainerId] = field(default_factory=set)
    deleted: bool = False
    over: bool = False
    superseded: bool = False
    accepted: tuple[bool, str, str] | None = None
    moved: tuple[bool, str, str] | None = None
    prioritized: tuple[bool, str, str] | None = None
    applied: tuple[int | None, str] | None = None
    priority: int | None = None
    waits: tuple[str, str] | None = None
    waits_asked_at: float = float("-inf")

    @property
    def opportunistic(self) -> bool:
        """Whether its containers are granted outside of all guarantees."""
        return bool(self.found["spec"].get("executionType") == "Opportunistic")

    @property
    def asked_by_master(self) -> bool:
        """Whether an ApplicationMaster asked it at the AM service, and so acts on what ends."""
        labels = self.found["metadata"].get("labels") or {}
        return labels.get(names.ROLE) == names.ROLE_ASK

    @property
    def attempt(self) -> int:
        """The attempt that it is of; 0: of the application, because somebody wrote it by hand."""
        if not self.am and not self.asked_by_master:
            return 0
        labels = self.found["metadata"].get("labels") or {}
        said = str(labels.get(names.ATTEMPT) or "")
        return int(said) if said.isdigit() else 1

    def made_for(self, application: Object | None) -> bool:
        """Whether it is not of an earlier application that had the same name."""
        owners = self.found["metadata"].get("ownerReferences") or ()
        uids = [owner["uid"] for owner in owners if owner.get("kind") == APPLICATIONS.kind]
        return application is None or not uids or application["metadata"]["uid"] in uids

    @property
    def count(self) -> int:
        """Containers wanted over the request's life."""
        return 0 if self.deleted else int(self.found["spec"].get("count", 1))

    @property
    def pending(self) -> int:
        """Containers still wanted; an attempt that has ended wants none."""
        if self.superseded or self.deleted:
            return 0
        return max(0, self.count + submissions.asked_again(self.found) - self.granted)

    @property
    def live(self) -> int:
        """Grants whose room is not given back."""
        return sum(not held.freed for held in self.grants.values())


def master(states: Iterable[RequestState]) -> RequestState | None:
    """The request for the AM of the newest attempt; None when there is none."""
    living = (state for state in states if state.am and not state.deleted)
    return max(living, key=lambda state: state.attempt, default=None)


def applied_before(states: Iterable[RequestState]) -> tuple[int | None, str] | None:
    """The priority and queue that an earlier process acted on last; None: nobody has yet.

    They are in the status of the newest AM's request that says any.
    """
    masters = sorted((s for s in states if s.am), key=lambda s: s.attempt)
    for state in reversed(masters):
        said = (state.found.get("status") or {}).get("applied")
        if said is not None:
            return said.get("priority"), said.get("queue") or ""
    return None


def read_grants(found: Object, application: ApplicationId) -> dict[ContainerId, Held]:
    """The grants that an object's status lists."""
    grants: dict[ContainerId, Held] = {}
    opportunistic = found["spec"].get("executionType") == "Opportunistic"
    for entry in (found.get("status") or {}).get("grants") or ():
        attempt = AttemptId(application, int(entry.get("attempt") or 1))
        for number in ranges.expand(entry.get("containers") or ""):
            container = ContainerId(attempt, int(entry.get("epoch") or 0), number)
            grants[container] = Held(entry["node"], opportunistic=opportunistic)
    return grants


def accepted_before(found: Object) -> bool:
    """Whether the scheduler has taken this request already, perhaps in an earlier process."""
    return conditions.holds((found.get("status") or {}).get("conditions"), "Accepted")


def written_late(before: Object, after: Object) -> bool:
    """Whether another scheduler has changed the grants since they were read."""
    was, said = before.get("status") or {}, after.get("status") or {}
    return said.get("grants") != was.get("grants")


def completed(found: Object) -> list[ContainerId]:
    """The containers whose end the ResourceManager has recorded."""
    entries = (found.get("status") or {}).get("completed") or ()
    return [ContainerId.parse(entry["id"]) for entry in entries]


def read_killed(found: Object) -> dict[ContainerId, str]:
    """The containers that an earlier process had killed, with why."""
    return {
        ContainerId.parse(entry["id"]): str(entry.get("message") or "")
        for entry in (found.get("status") or {}).get("preempting") or ()
        if entry.get("kill")
    }


def any_live(states: Iterable[RequestState]) -> bool:
    """Whether any request's grant holds room."""
    return any(state.live for state in states)

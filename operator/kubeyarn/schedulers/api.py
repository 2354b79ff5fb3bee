"""What a scheduling engine is: the one interface of the live scheduler and the simulator.

An engine keeps the ledger (queues, applications, asks, nodes, containers) and decides. It is fed
by plain calls and does no I/O; time comes in as *now_ms*. `schedule.capacity` and `schedule.fair`
hold the two engines. The same calls in any interleaving that ends in the same objects lead to the
same decisions: order comes from `Application.order` and ids, never from arrival.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.reasons import Verdict
from kubeyarn.model.resources import Vector

NO_CEILING = 2**63 - 1
"""An amount that nothing reaches."""


class Grant(NamedTuple):
    """A new container, already charged in the ledger."""

    container: Container


class Grown(NamedTuple):
    """A container that got what it wanted more of, as it is charged in the ledger from now on.

    One that was not in the ledger before is promoted: it is guaranteed from now on.
    """

    container: Container


@dataclass(frozen=True, slots=True)
class Preempt:
    """A container to take back: first marked (the AM is told), later with *kill* True."""

    container: ContainerId
    kill: bool
    message: str


@dataclass(frozen=True, slots=True)
class Reserve:
    """Room held on *node* for an ask; counted as used until fulfilled or given up."""

    application: ApplicationId
    key: AskKey
    node: str
    size: Vector


Decision = Grant | Grown | Preempt | Reserve


@dataclass(frozen=True, slots=True)
class Room:
    """A node and what is left of it; *is_reserved*: what is left is kept for a container."""

    name: str
    rack: str
    partition: str
    free: Vector
    is_schedulable: bool = True
    is_reserved: bool = False


@dataclass(frozen=True, slots=True)
class UserStatus:
    """One user in one leaf queue."""

    name: str
    used: Vector
    limit: Vector
    active_applications: int
    pending_applications: int


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What `status` of a YarnQueue shows; vectors in the ledger's units, shares as fractions."""

    path: str
    leaf: bool
    state: str
    minimum: Vector
    maximum: Vector
    used: Vector
    pending: Vector
    reserved: Vector
    containers: int
    used_capacity: float
    absolute_used_capacity: float
    am_used: Vector
    am_limit: Vector
    active_applications: int
    pending_applications: int
    steady_fair_share: Vector | None = None
    instantaneous_fair_share: Vector | None = None
    users: tuple[UserStatus, ...] = field(default=())


class Engine(Protocol):
    """A scheduler's ledger and policy behind plain calls."""

    def configure(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force; running containers are never touched.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """

    def stop(self, queue: str) -> None:
        """A queue is being removed: it and those below it take nothing new from now on.

        What runs there may end. Queues that are not there are ignored.
        """

    def add_node(self, node: Node) -> None:
        """A node joins, last in order."""

    def update_node(self, node: Node) -> None:
        """A node's total, partition, rack or schedulability changed; its containers stay."""

    def remove_node(self, name: str) -> Sequence[Container]:
        """A node is lost; returns its containers, which are released from the ledger."""

    def submit(self, application: Application, now_ms: int) -> str:
        """Take an application; returns the leaf's full path it was placed in.

        Its first attempt is number 1 and, unless unmanaged, asks for container 0 by itself.

        Raises:
            Rejected: no such queue, not a leaf, stopped, a limit, or access.
        """

    def start_attempt(self, application: ApplicationId, number: int, now_ms: int) -> None:
        """A further attempt replaces the one before; it wants an AM, and its numbers begin anew.

        Nothing is held any more: what lives on of former attempts is said by `recover`.
        """

    def restart_attempts(self, numbers: Mapping[ApplicationId, int], now_ms: int) -> None:
        """Several attempts ended at once: all leave before any of their successors joins."""

    def ask_for_master(self, application: ApplicationId, now_ms: int) -> None:
        """The current attempt asks for its AM again: the grant was taken back before it started.

        Numbers of containers go on; the container taken back must have been released.
        """

    def master_gone(self, application: ApplicationId) -> None:
        """The current attempt's AM was granted before this ledger was built, and has ended since.

        It is not asked for; the room that the queue keeps for AMs is taken until the attempt ends.
        """

    def exclude_for_master(self, application: ApplicationId, places: frozenset[str]) -> None:
        """Nodes and racks where the current attempt's AM is not granted; replaces those before.

        Hadoop: AppSchedulingInfo.placesBlacklistedBySystem.
        """

    def register(self, application: ApplicationId) -> None:
        """The AM of the current attempt is up (asks are taken from now on or even before)."""

    def update_asks(self, application: ApplicationId, asks: Sequence[Ask], now_ms: int) -> None:
        """Replace the outstanding count of each ask's key (absolute; 0 cancels).

        Sizes are raised to the minimum and rounded to the increment by the engine.

        Raises:
            Rejected: above the maximum allocation, negative, or a partition without access.
                Nothing of the call was applied.
        """

    def recover(self, application: ApplicationId, container: Container) -> None:
        """Count a container that was granted before this ledger was built; never refused.

        It may be of a former attempt of the application. Its partition is the one that was asked
        for; its node's is charged.
        """

    def skip_numbers(self, application: ApplicationId, last: int) -> None:
        """Container numbers up to *last* of this ledger's epoch were given away before."""

    def rooms(self) -> Sequence[Room]:
        """Every node with what its containers leave of it."""

    def next_id(self, application: ApplicationId) -> ContainerId:
        """A new id for a container of the current attempt that somebody else grants."""

    def rounded(self, application: ApplicationId, size: Vector) -> Vector:
        """The size that a container of the application gets when it wants *size*.

        Raises:
            Rejected: above the maximum allocation or negative.
        """

    def shrink(self, container: ContainerId, size: Vector) -> None:
        """Charge a container for less, where it is; types that are more in *size* stay as they are.

        Unknown ids are ignored. Hadoop: AbstractYarnScheduler.handleDecreaseRequests.
        """

    def grow(self, container: Container, more: Vector) -> None:
        """Want *more* for a container where it is, in place of what it wanted more of; zero: none.

        It waits as an ask on its node alone, after all new containers of its application, and may
        reserve there; `Grown` is the answer. A container that is not in the ledger is opportunistic
        so far: *more* is all that it has. Hadoop: ContainerUpdateContext.

        Raises:
            Rejected: its application is not known.
        """

    def release(self, container: ContainerId, now_ms: int) -> None:
        """A container ended or was given back; unknown ids are ignored (freed once)."""

    def finish(self, application: ApplicationId, now_ms: int) -> None:
        """An application ended; everything it holds or asks is gone from the ledger."""

    def move(self, application: ApplicationId, queue: str, now_ms: int) -> str:
        """Move an application with its containers; returns the leaf's full path.

        Raises:
            Rejected: the target does not take it; nothing changed.
        """

    def set_priority(self, application: ApplicationId, priority: int, now_ms: int) -> int:
        """Change an application's priority; returns what is in force after limits.

        Raises:
            Rejected: the scheduler does not support it.
        """

    def priority(self, application: ApplicationId) -> int:
        """The priority that an application has.

        Raises:
            Rejected: it is not known.
        """

    def offer(self, node: str, now_ms: int) -> Sequence[Decision]:
        """One scheduling opportunity of one node (Hadoop: nodeUpdate)."""

    def cycle(self, now_ms: int, limit: int) -> Sequence[Decision]:
        """Offer all nodes until nothing changes or *limit* grants were made.

        Costs what changed since the last cycle: nothing pending or nothing free returns at once.
        """

    def preempt(self, now_ms: int) -> Sequence[Decision]:
        """One pass of the preemption policy, if the configuration turns it on."""

    def queue_status(self) -> Sequence[QueueStatus]:
        """Every queue, parents before children, in configured order."""

    def why(self, application: ApplicationId, key: AskKey | None, now_ms: int) -> Verdict | None:
        """What stops an ask (None: the application's AM) now; None when nothing waits.

        What a container wants more of is asked by its `update_key`.
        """

    def ceiling(self, queue: str, partition: str) -> Vector | None:
        """What a queue may hold at most on nodes of *partition*; None: there is no such queue.

        Types that the scheduler overlooks are `NO_CEILING`.
        """

    def user_over_cap(self, application: ApplicationId, held: Vector, partition: str) -> bool:
        """Whether an application's user, holding *held* in its queue, may be given nothing more.

        What counts is the most a user may hold however few users there are: shares that shrink
        because others come take back nothing. False where users have no limit.
        """

    def headroom(self, application: ApplicationId) -> Vector:
        """What the application may still get (Hadoop: AllocateResponse.limit)."""

    def containers(self) -> Sequence[Container]:
        """Every container in the ledger, in order of id."""

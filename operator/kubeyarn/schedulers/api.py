"""The interface of both schedulers, for the live scheduler and for the simulator.

Theory of operation. A scheduler keeps the state of the cluster (queues, nodes, applications, asks,
containers) and decides who gets what. It does no I/O and knows no clock: events come in as plain
calls, time comes in as *now_ms*, decisions come back from `cycle` and `preempt` and are already
charged when they are returned. `schedulers.capacity` and `schedulers.fair` implement it.

Invariant: the same calls in any interleaving that ends in the same objects lead to the same
decisions. Order comes from `Application.order` and from ids, never from arrival, so a scheduler
that is built anew from the API server decides as the one before it would have.

The interface is four small protocols, one for each kind of event (Hadoop: SchedulerEventType), and
one for questions, which change nothing:

* `ClusterEvents`: configurations and nodes,
* `ApplicationEvents`: applications and their attempts,
* `ContainerEvents`: asks, containers, and containers that change their size,
* `SchedulerQueries`: status, headroom, limits, and why an ask waits.

`ResourceScheduler` is all of them and the two calls that decide. `SteppedScheduler` adds what only
the simulator needs in order to go step by step as Hadoop's daemons do.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.nodes import UNLIMITED_PODS, Node
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.reasons import Verdict
from kubeyarn.model.resources import Vector

NO_MAXIMUM = 2**63 - 1
"""The effective maximum of a resource type that is not limited."""


class Grant(NamedTuple):
    """A new container, already charged."""

    container: Container


class Increase(NamedTuple):
    """A container in its new size, already charged (Hadoop: ContainerUpdateType).

    A container that was not charged before is promoted: it is guaranteed from now on.
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
    """A reservation on *node* for an ask; counted as used until fulfilled or given up."""

    application: ApplicationId
    key: AskKey
    node: str
    size: Vector


Decision = Grant | Increase | Preempt | Reserve


@dataclass(frozen=True, slots=True)
class SchedulerNodeReport:
    """A node and what its containers leave of it (Hadoop: SchedulerNodeReport).

    With *is_reserved* what is available is kept for a container that does not fit yet. *free_slots*
    is how many more pods the kubelet takes; guaranteed containers take no heed of others.
    *node_class* and *is_dedicated* are those of `Node`.
    """

    name: str
    rack: str
    partition: str
    available: Vector
    is_schedulable: bool = True
    is_reserved: bool = False
    free_slots: int = UNLIMITED_PODS
    node_class: int = 0
    is_dedicated: bool = False


@dataclass(frozen=True, slots=True)
class UserStatus:
    """One user in one leaf queue."""

    name: str
    used: Vector
    limit: Vector
    active_applications: int
    pending_applications: int


@dataclass(frozen=True, slots=True)
class PartitionStatus:
    """What a queue has and holds of one partition; "" is the default one.

    *users* have what they hold and may hold there. What is reserved is part of *used*.
    """

    name: str
    minimum: Vector
    maximum: Vector
    used: Vector
    pending: Vector
    reserved: Vector
    am_used: Vector
    am_limit: Vector
    users: tuple[UserStatus, ...] = ()


@dataclass(frozen=True, slots=True)
class QueueStatus:
    """What `status` of a YarnQueue shows; vectors in base units, shares as fractions.

    *used*, *pending* and *reserved* are sums over all partitions, what the queue is guaranteed and
    its limits are those of the default one. *partitions* tell all of each; a cluster without
    partitions has none there.
    """

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
    demand: Vector | None = None
    users: tuple[UserStatus, ...] = field(default=())
    partitions: tuple[PartitionStatus, ...] = ()


class ClusterEvents(Protocol):
    """The configuration, and nodes that come, change and go."""

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
        """A node is lost; returns its containers, which are released."""


class ApplicationEvents(Protocol):
    """Applications that come, change and go, and their attempts."""

    def submit(self, application: Application, now_ms: int) -> str:
        """Take an application; returns the leaf's full path it was placed in.

        Its first attempt is number 1 and, unless unmanaged, asks for container 0 by itself.

        Raises:
            Rejected: no such queue, not a leaf, stopped, a limit, or access.
        """

    def start_attempt(self, application: ApplicationId, number: int, now_ms: int) -> None:
        """A further attempt replaces the one before; it wants an AM, and its numbers begin anew.

        Nothing is held any more: `recover` names the containers that former attempts left behind.
        """

    def ask_for_master(self, application: ApplicationId, now_ms: int) -> None:
        """The current attempt asks for its AM again: the grant was taken back before it started.

        Numbers of containers go on; the container taken back must have been released.
        """

    def master_gone(self, application: ApplicationId) -> None:
        """The current attempt's AM was granted by an earlier scheduler process, and has ended.

        It is not asked for; the queue counts its AM as used until the attempt ends.
        """

    def locate_master(
        self,
        application: ApplicationId,
        excluded: frozenset[str],
        classes: frozenset[int] | None,
    ) -> None:
        """Where the current attempt's AM may be, in place of what was said before.

        It is not granted on the *excluded* nodes and racks (Hadoop:
        AppSchedulingInfo.placesBlacklistedBySystem), and only on nodes of *classes*
        (`Locality.classes`).
        """

    def finish(self, application: ApplicationId, now_ms: int) -> None:
        """An application ended; everything it holds or asks for is given up."""

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


class ContainerEvents(Protocol):
    """What applications ask for and hold (Hadoop: YarnScheduler.allocate)."""

    def update_asks(self, application: ApplicationId, asks: Sequence[Ask], now_ms: int) -> None:
        """Replace the outstanding count of each ask's key (absolute; 0 cancels).

        Sizes are raised to the minimum allocation and rounded to the increment.

        Raises:
            Rejected: above the maximum allocation, negative, or a partition without access.
                Nothing of the call was applied.
        """

    def recover(self, application: ApplicationId, container: Container) -> None:
        """Count a container that an earlier scheduler process granted; never refused.

        It may be of a former attempt of the application. Its partition is the one that was asked
        for; its node's is charged.
        """

    def skip_numbers(self, application: ApplicationId, last: int) -> None:
        """Container numbers up to *last* of this scheduler's epoch were given away before."""

    def next_id(self, application: ApplicationId) -> ContainerId:
        """A new id for a container of the current attempt that somebody else grants."""

    def decrease(self, container: ContainerId, size: Vector) -> None:
        """Charge a container for less, where it is; types that are more in *size* stay as they are.

        Unknown ids are ignored. Hadoop: AbstractYarnScheduler.handleDecreaseRequests.
        """

    def request_increase(self, container: Container, more: Vector) -> None:
        """Ask for *more* for a container where it is, in place of what was asked; zero: nothing.

        It waits as an ask on its node alone, after all new containers of its application, and may
        reserve there; `Increase` is the answer. A container that is not charged yet is
        opportunistic so far: *more* is all that it has. Hadoop: ContainerUpdateContext.

        Raises:
            Rejected: its application is not known.
        """

    def release(self, container: ContainerId, now_ms: int) -> None:
        """A container ended or was given back; unknown ids are ignored (freed once)."""


class SchedulerQueries(Protocol):
    """Questions; no answer changes a decision."""

    def node_reports(self) -> Sequence[SchedulerNodeReport]:
        """Every node with what its containers leave of it."""

    def queue_status(self) -> Sequence[QueueStatus]:
        """Every queue, parents before children, in configured order."""

    def why(self, application: ApplicationId, key: AskKey | None, now_ms: int) -> Verdict | None:
        """What stops an ask (None: the application's AM) now; None when nothing waits.

        What a container wants more of is asked by its `update_key`.
        """

    def priority(self, application: ApplicationId) -> int:
        """The priority that an application has.

        Raises:
            Rejected: it is not known.
        """

    def rounded(
        self,
        application: ApplicationId,
        size: Vector,
        *,
        admitted: bool = False,
        partition: str = "",
    ) -> Vector:
        """The size that a container of the application gets when it wants *size*.

        *admitted* is what `Ask.admitted` says, *partition* where it is to run.

        Raises:
            Rejected: above the maximum allocation, negative, or in a partition without access.
        """

    def maximum_allocation(self, application: ApplicationId) -> Vector:
        """The largest container that the application may ask for: configured, and what a node has.

        Hadoop: getMaximumResourceCapability of its queue.

        Raises:
            Rejected: it is not known.
        """

    def effective_maximum(self, queue: str, partition: str) -> Vector | None:
        """What a queue may hold at most on nodes of *partition*; None: there is no such queue.

        Types that the scheduler does not limit are `NO_MAXIMUM`. Hadoop: getEffectiveMaxCapacity.
        """

    def user_over_cap(self, application: ApplicationId, held: Vector, partition: str) -> bool:
        """Whether an application's user, holding *held* in its queue, may be given nothing more.

        What counts is the most a user may hold however few users there are: shares that shrink
        because others come take back nothing. False where users have no limit.
        """

    def headroom(self, application: ApplicationId) -> Vector:
        """What the application may still get (Hadoop: AllocateResponse.limit)."""


class ResourceScheduler(
    ClusterEvents, ApplicationEvents, ContainerEvents, SchedulerQueries, Protocol
):
    """A scheduler: events, questions, and the two calls that decide (Hadoop: ResourceScheduler)."""

    def cycle(self, now_ms: int, limit: int) -> Sequence[Decision]:
        """Offer all nodes until nothing changes or *limit* grants were made.

        Costs what changed since the last cycle: nothing pending or nothing free returns at once.
        """

    def preempt(self, now_ms: int) -> Sequence[Decision]:
        """One pass of the preemption policy, if the configuration turns it on."""


class SteppedScheduler(ResourceScheduler, Protocol):
    """A scheduler that the simulator drives heartbeat by heartbeat, as Hadoop's daemons do."""

    def node_update(self, node: str, now_ms: int) -> Sequence[Decision]:
        """One scheduling opportunity of one node (Hadoop: CapacityScheduler.nodeUpdate)."""

    def restart_attempts(self, numbers: Mapping[ApplicationId, int], now_ms: int) -> None:
        """Several attempts ended at once: all leave before any of their successors joins."""

    def exclude(self, application: ApplicationId, places: frozenset[str]) -> None:
        """Nodes and racks where the current attempt is granted nothing but its AM.

        They replace those before, and hold for asks that come later, too.
        Hadoop: AppSchedulingInfo.updatePlacesBlacklistedByApp.
        """

    def containers(self) -> Sequence[Container]:
        """Every container that is charged, in order of id."""

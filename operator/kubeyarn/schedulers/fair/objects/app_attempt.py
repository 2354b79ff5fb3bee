"""Applications' attempts, and what they ask for (Hadoop: FSAppAttempt, AppSchedulingInfo)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.asks import ANYWHERE, NOWHERE, Ask, AskKey, is_update
from kubeyarn.model.ids import AttemptId, ContainerId

if TYPE_CHECKING:
    from kubeyarn.model.applications import Application
    from kubeyarn.model.containers import Container
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
    from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue
    from kubeyarn.schedulers.fair.objects.schedulables import SortKey


@dataclass(slots=True)
class AllowedLocality:
    """How far from the wanted nodes an ask may go by now, and after how many opportunities.

    It outlives the ask: a key that is asked anew goes on where it was, because an
    ApplicationMaster repeats what it wants at every heartbeat. *level* is a level of
    locality_delay. Hadoop: FSAppAttempt.allowedLocalityLevel, schedulingOpportunities.
    """

    opportunities: int = 0
    level: int = -1


@dataclass(slots=True)
class FSPendingAsk:
    """What is still to be granted under one key.

    *count* goes down with every grant, and with it the counts of the node and rack it was on.
    Hadoop: PendingAsk, LocalityAppPlacementAllocator.
    """

    ask: Ask
    count: int
    nodes: dict[str, int] = field(default_factory=dict)
    racks: dict[str, int] = field(default_factory=dict)
    allowed_locality: AllowedLocality = field(default_factory=AllowedLocality)

    def suits(self, node: Node) -> bool:
        """Whether the node is of a class where the ask may be; a container grows where it is."""
        classes = self.ask.locality.classes
        # As under the Capacity Scheduler; what an ask for growth says of places is its node alone.
        if classes is None:
            return not node.dedicated or is_update(self.ask.key)
        return node.node_class in classes


@dataclass(frozen=True, slots=True)
class ReservedContainer:
    """Resources that a node keeps for an ask; the container has its id already."""

    attempt: FSAppAttempt
    key: AskKey
    size: Vector
    container: ContainerId


class FSAppAttempt:
    """An application's attempt (Hadoop: FSAppAttempt).

    *am_preemption_queue* is the path of the queue it started in: that queue decides whether its
    ApplicationMaster may be preempted, wherever the application is moved to. *demand* is what it
    held and wanted at the last update of shares; what it asked for since is not served before the
    next. *excluded* are places where it takes nothing but its AM, *excluded_nodes* the nodes among
    them as of when it said so. *ask_keys* are the keys of *asks* in order of service.
    *containers_to_preempt* maps a container to when it was chosen, in milliseconds.
    """

    __slots__ = (
        "allowed_locality",
        "am_locality",
        "am_preemption_queue",
        "am_resource",
        "am_running",
        "application",
        "ask_keys",
        "asks",
        "containers",
        "containers_to_preempt",
        "demand",
        "excluded",
        "excluded_nodes",
        "fair_share",
        "fair_share_starvation",
        "id",
        "is_runnable",
        "last_time_at_fair_share_ms",
        "min_share_starvation",
        "name",
        "next_container_number",
        "next_starvation_check_ms",
        "order_entry",
        "outstanding_increases",
        "pending",
        "queue",
        "reservations",
        "resources_to_preempt",
        "start_ms",
        "started",
        "stopped",
        "unmanaged",
        "used",
        "weight",
    )

    def __init__(
        self, application: Application, number: int, queue: FSLeafQueue, zero: Vector, start_ms: int
    ) -> None:
        self.application = application
        self.id = AttemptId(application.id, number)
        # Kept ready: it ends every sort key, so that no two are equal.
        self.name = str(application.id)
        self.queue = queue
        self.am_preemption_queue = queue.path
        self.start_ms = start_ms
        self.order_entry: tuple[SortKey, FSAppAttempt] | None = None
        self.asks: dict[AskKey, FSPendingAsk] = {}
        self.ask_keys: list[AskKey] = []
        self.containers: dict[ContainerId, Container] = {}
        self.reservations: dict[str, ReservedContainer] = {}
        self.outstanding_increases: dict[str, Container] = {}
        self.allowed_locality: dict[AskKey, AllowedLocality] = {}
        self.next_container_number = 1
        self.is_runnable = False
        self.started = False
        self.stopped = False
        # No container of it is its ApplicationMaster's, not even the first.
        self.unmanaged = application.am_size is None
        self.am_running = False
        self.am_resource = zero
        self.am_locality = ANYWHERE
        self.excluded = NOWHERE
        self.excluded_nodes: list[FSSchedulerNode] = []
        self.used = zero
        self.pending = zero
        self.demand = zero
        self.weight = 1.0
        self.fair_share = zero
        self.fair_share_starvation = zero
        self.min_share_starvation = zero
        # Nobody is starved at its start: the timeout begins to count now.
        self.last_time_at_fair_share_ms = start_ms
        self.next_starvation_check_ms = 0
        self.containers_to_preempt: dict[ContainerId, int] = {}
        self.resources_to_preempt = zero

    @property
    def has_starvation(self) -> bool:
        """Whether the last look found it starved of its fair share or its queue's minimum."""
        return any(self.fair_share_starvation) or any(self.min_share_starvation)

    def exclude(self, places: frozenset[str], nodes: list[FSSchedulerNode]) -> None:
        """Take nothing but the AM on *places*, which are *nodes* now; replaces those before."""
        self.excluded, self.excluded_nodes = places, nodes

    def new_container_id(self, epoch: int) -> ContainerId:
        """The next container id of this attempt; the first is the ApplicationMaster's."""
        number = self.next_container_number
        self.next_container_number = number + 1
        return ContainerId(self.id, epoch, number)

    def skip_container_numbers(self, last: int) -> None:
        """Never give away a number up to *last* again."""
        self.next_container_number = max(self.next_container_number, last + 1)

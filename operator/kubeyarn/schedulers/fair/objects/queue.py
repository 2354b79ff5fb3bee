"""Queues (Hadoop: FSQueue, FSParentQueue, FSLeafQueue)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from kubeyarn.model.fair_queues import (
    NEVER_MS,
    NO_LIMIT,
    UNLIMITED_APPLICATIONS,
    FairPolicy,
    ResourceLimit,
)
from kubeyarn.model.queues import Access
from kubeyarn.schedulers.fair.objects.schedulables import SortedSchedulables

if TYPE_CHECKING:
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
    from kubeyarn.schedulers.fair.objects.schedulables import SortKey


class FSQueue:
    """What parents and leaves have in common.

    Resources are vectors in the scheduler's base units, times milliseconds. A dynamic queue is
    one that no configuration declares. *used* is kept in every queue, because each grant asks for
    it. *has_max_share* is False where no resource type is limited, which saves the comparison.
    """

    __slots__ = (
        "access",
        "configured_max_share",
        "demand",
        "fair_share",
        "fair_share_preemption_threshold",
        "fair_share_preemption_timeout_ms",
        "has_max_share",
        "is_dynamic",
        "max_container_allocation",
        "max_running_apps",
        "max_share",
        "min_share",
        "min_share_preemption_timeout_ms",
        "num_runnable_apps",
        "order_entry",
        "parent",
        "path",
        "policy",
        "preemptable",
        "schedulables",
        "steady_fair_share",
        "used",
        "weight",
    )

    schedulables: SortedSchedulables[FSQueue] | SortedSchedulables[FSAppAttempt]

    def __init__(self, path: str, parent: FSParentQueue | None, zero: Vector) -> None:
        self.path = path
        self.parent = parent
        # Until a configuration declares it; what is set here is what Hadoop's FSQueue begins with.
        self.is_dynamic = True
        self.num_runnable_apps = 0
        self.order_entry: tuple[SortKey, FSQueue] | None = None
        self.policy = FairPolicy.FAIR
        self.weight = 1.0
        self.min_share = zero
        self.configured_max_share: ResourceLimit = NO_LIMIT
        # Follows from the cluster's size; `fair_shares.update_max_share` sets it as soon as the
        # queue is in the tree.
        self.max_share = zero
        self.has_max_share = True
        self.max_container_allocation: tuple[int | None, ...] = ()
        self.max_running_apps = UNLIMITED_APPLICATIONS
        self.min_share_preemption_timeout_ms = NEVER_MS
        self.fair_share_preemption_timeout_ms = NEVER_MS
        self.fair_share_preemption_threshold = 0.5
        self.preemptable = True
        self.access: tuple[Access, Access] = (Access(), Access())
        self.used = zero
        self.demand = zero
        self.fair_share = zero
        self.steady_fair_share = zero

    def path_up(self) -> Iterator[FSQueue]:
        """This queue and its ancestors, root last."""
        queue: FSQueue | None = self
        while queue is not None:
            yield queue
            queue = queue.parent

    @property
    def child_queues(self) -> Sequence[FSQueue]:
        """The queues right below it; a leaf has none."""
        return ()

    def walk(self) -> Iterator[FSQueue]:
        """This queue and everything below it, parents first."""
        yield self
        for child in self.child_queues:
            yield from child.walk()

    def leaves(self) -> Iterator[FSLeafQueue]:
        """The leaves below it, or itself."""
        return (queue for queue in self.walk() if isinstance(queue, FSLeafQueue))

    @property
    def is_empty(self) -> bool:
        """Whether no application is in it or below it."""
        return all(not leaf.runnable_apps and not leaf.non_runnable_apps for leaf in self.leaves())


class FSParentQueue(FSQueue):
    """A queue that has child queues, or may have.

    *max_child_share* is the maximum of children that nobody declared. In a queue whose
    *order_is_non_transitive* the policy's comparator contradicts itself, so that sort keys do not
    give Hadoop's order (see comparators).
    """

    __slots__ = ("children", "max_child_share", "order_is_non_transitive")

    schedulables: SortedSchedulables[FSQueue]

    def __init__(self, path: str, parent: FSParentQueue | None, zero: Vector) -> None:
        super().__init__(path, parent, zero)
        self.schedulables = SortedSchedulables()
        self.children: list[FSQueue] = []
        self.max_child_share: ResourceLimit | None = None
        self.order_is_non_transitive = False

    @property
    def child_queues(self) -> Sequence[FSQueue]:
        """The queues right below it, in Hadoop's order."""
        return self.children


class FSLeafQueue(FSQueue):
    """A queue that takes applications; *pending* and *reserved* are kept in leaves alone."""

    __slots__ = (
        "am_used",
        "last_time_at_min_share_ms",
        "max_am_share",
        "non_runnable_apps",
        "pending",
        "reserved",
        "runnable_apps",
    )

    schedulables: SortedSchedulables[FSAppAttempt]

    def __init__(self, path: str, parent: FSParentQueue | None, zero: Vector) -> None:
        super().__init__(path, parent, zero)
        self.schedulables = SortedSchedulables()
        self.runnable_apps: list[FSAppAttempt] = []
        self.non_runnable_apps: list[FSAppAttempt] = []
        self.max_am_share = 0.5
        self.am_used = zero
        self.pending = zero
        self.reserved = zero
        self.last_time_at_min_share_ms = 0

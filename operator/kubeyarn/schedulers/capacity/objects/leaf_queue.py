"""Leaf queues: applications, users and their limits (Hadoop: AbstractLeafQueue)."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING, ClassVar, Literal

from kubeyarn.model.queues import ApplicationOrdering
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.capacity.objects.queue import AbstractCSQueue
from kubeyarn.schedulers.capacity.objects.users_manager import NO_FACTOR, UsersManager
from kubeyarn.schedulers.capacity.ordering import fair_key, fifo_key
from kubeyarn.schedulers.java_numbers import single, to_long

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
    from kubeyarn.schedulers.capacity.ordering import ApplicationKey


def _key(entry: tuple[ApplicationKey, FiCaSchedulerApp]) -> ApplicationKey:
    return entry[0]


class SchedulableEntities:
    """Applications sorted by key; *first* is who is served first."""

    __slots__ = ("entries", "first")

    def __init__(self) -> None:
        self.entries: list[tuple[ApplicationKey, FiCaSchedulerApp]] = []
        self.first: FiCaSchedulerApp | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[FiCaSchedulerApp]:
        return (app for _, app in self.entries)

    def __reversed__(self) -> Iterator[FiCaSchedulerApp]:
        return (app for _, app in reversed(self.entries))

    def add(self, app: FiCaSchedulerApp) -> None:
        """Put an application where its key says."""
        insort(self.entries, (app.order_key, app), key=_key)
        self.first = self.entries[0][1]

    def remove(self, app: FiCaSchedulerApp) -> bool:
        """Take an application out; False when it is not in line."""
        entries = self.entries
        # Keys of several applications may be equal where Hadoop's comparators say so; which one is
        # meant the object tells.
        place = bisect_left(entries, app.order_key, key=_key)
        while place < len(entries) and entries[place][0] == app.order_key:
            if entries[place][1] is app:
                del entries[place]
                self.first = entries[0][1] if entries else None
                return True
            place += 1
        return False

    def clear(self) -> list[FiCaSchedulerApp]:
        """Empty the line; returns who was in it."""
        apps = list(self)
        self.entries.clear()
        self.first = None
        return apps


class LeafQueue(AbstractCSQueue):
    """A queue that takes applications.

    Each application is in one of three places. *non_runnable_applications* are beyond a limit of
    parallel applications; *pending_applications* wait until the AM limits let them start; *active*
    ones are served, in order. *with_pending_requests* are the active ones that ask for something.

    *current_limit* is what the queue might use as of its last offer, *headroom_limit* the one that
    headroom and AM limits go by (Hadoop: cachedResourceLimitsForHeadroom).
    *ignore_exclusivity_containers* sit in a shared partition that they did not ask for.
    *enforced_partitions* are those whose nodes serve only applications whose AMs are there. *fair*:
    less use is served first.
    """

    __slots__ = (
        "activated_labels",
        "active",
        "am_limits",
        "am_used",
        "changed_order",
        "current_limit",
        "enforced_partitions",
        "fair",
        "headroom_limit",
        "ignore_exclusivity_containers",
        "maximum_applications",
        "maximum_per_user",
        "non_runnable_applications",
        "pending_applications",
        "rounded_maximum",
        "runnable_apps",
        "users",
        "with_pending_requests",
    )

    leaf: ClassVar[Literal[True]] = True

    def __init__(
        self, path: str, parent: ParentQueue | None, cluster: CapacityNodeTracker, calc: Calculator
    ) -> None:
        super().__init__(path, parent, cluster, calc)
        self.users = UsersManager(self, calc, self.zero)
        self.active = SchedulableEntities()
        self.with_pending_requests = SchedulableEntities()
        self.pending_applications = SchedulableEntities()
        self.non_runnable_applications: list[FiCaSchedulerApp] = []
        self.runnable_apps: dict[ApplicationId, FiCaSchedulerApp] = {}
        self.activated_labels: set[str] = set()
        self.am_limits: dict[str, Vector] = {}
        self.am_used: dict[str, Vector] = {}
        self.ignore_exclusivity_containers: dict[str, dict[ContainerId, Container]] = {}
        self.current_limit: Vector = self.zero
        self.headroom_limit: Vector = self.zero
        self.rounded_maximum: Vector | None = None
        self.maximum_applications = 0
        self.maximum_per_user = 0
        self.changed_order: dict[ApplicationId, FiCaSchedulerApp] = {}
        self.enforced_partitions: frozenset[str] = frozenset()
        self.fair = False

    @property
    def num_runnable_apps(self) -> int:
        """Its runnable applications."""
        return len(self.runnable_apps)

    def leaves(self) -> list[LeafQueue]:
        """Itself."""
        return [self]

    @property
    def applications(self) -> int:
        """Pending, active and non-runnable applications."""
        return (
            len(self.pending_applications) + len(self.active) + len(self.non_runnable_applications)
        )

    def all_applications(self) -> list[FiCaSchedulerApp]:
        """Active, pending and non-runnable applications."""
        return [*self.active, *self.pending_applications, *self.non_runnable_applications]

    # -- limits ----------------------------------------------------------------------------------

    def set_current_limit(self, limit: Vector) -> None:
        """Note what the queue might use now, by its parent's word and its own maximum."""
        # Dropped by `forget_derived`: the maximum changes with capacities, and this is called at
        # each offer.
        if self.rounded_maximum is None:
            rounded = self.calc.round_down(self.maximum(""), self.minimum_allocation)
            self.rounded_maximum = self.cluster.interned(rounded)
        # Where the two are equal no calculator need be asked.
        most = self.rounded_maximum
        if most != limit:
            most = self.calc.min(self.cluster.total, most, limit)
        self.current_limit = most

    def take_current_limit(self) -> None:
        """Let headroom and AM limits go by what the queue might use now.

        It is done when an application is looked at, so they are of the last such time, not of now.
        Hadoop: computeUserLimitAndSetHeadroom.
        """
        self.headroom_limit = self.current_limit

    def user_limit(self, app: FiCaSchedulerApp, partition: str, *, whole: bool) -> Vector:
        """The limit of an application's user; what headroom goes by is brought up to date."""
        self.take_current_limit()
        return self.users.limit(app.user, partition, whole=whole)

    def update_maximum_applications(self, config: SchedulerConfig) -> None:
        """Derive how many applications are taken (Hadoop: updateMaximumApplications).

        In Hadoop a queue of 0 % takes none, however much it may borrow; `config.corrections` lets
        it take the part of what it may borrow.
        """
        system, per_queue = config.maximum_applications, config.maximum_applications_per_queue
        most = self.settings.maximum_applications
        if most < 0:
            # A setting for every queue is taken as it is, but for queues of amounts; otherwise a
            # queue has its part of the cluster's number, in the partition where its share is
            # largest.
            base = min(per_queue, system) if per_queue > 0 else system
            if per_queue > 0 and not any(self.configured_minimum.get("", self.zero)):
                most = base
            else:
                found = [self.share(label) for label in self.settings.labels]
                shares = [share.absolute for share in found]
                # One with a share in any partition is bounded by it there, as in Hadoop.
                if config.corrections and not any(shares):
                    shares = [share.absolute_maximum for share in found]
                most = max(to_long(single(base * share)) for share in shares)
        self.maximum_applications = most
        self.maximum_per_user = most
        if self.settings.user_limit_factor != NO_FACTOR:
            # Truncated only at the end: in Hadoop an int cast follows a product of floats.
            percent = single(self.settings.minimum_user_limit_percent / 100)
            scaled = single(single(most * percent) * self.settings.user_limit_factor)
            self.maximum_per_user = min(most, to_long(scaled))

    def add_ignore_exclusivity_container(self, container: Container) -> None:
        """A container sits in a shared partition it did not ask for."""
        self.ignore_exclusivity_containers.setdefault(container.partition, {})[container.id] = (
            container
        )

    def remove_ignore_exclusivity_container(self, container: Container) -> None:
        """A container is gone; where it sat is no matter any more."""
        held = self.ignore_exclusivity_containers.get(container.partition)
        if held is not None and held.pop(container.id, None) is not None and not held:
            del self.ignore_exclusivity_containers[container.partition]

    # -- serving order ---------------------------------------------------------------------------

    def pending_key(self, app: FiCaSchedulerApp) -> ApplicationKey:
        """Where an application stands among those that wait."""
        return fifo_key(app.priority, app.app.order, app.app.id.number)

    def active_key(self, app: FiCaSchedulerApp) -> ApplicationKey:
        """Where an application stands among those that are served."""
        if self.fair:
            return fair_key(
                app.cached_used,
                app.cached_demand,
                app.app.order,
                app.app.id.number,
                size_based_weight=self.settings.size_based_weight,
            )
        return fifo_key(app.priority, app.app.order, app.app.id.number)

    def take_ordering(self) -> None:
        """Take over what the settings say of the order of applications."""
        ordering = self.settings.application_ordering
        self.fair = ordering is ApplicationOrdering.FAIR
        separate = ordering is ApplicationOrdering.FIFO_WITH_PARTITIONS
        enforced = self.config.enforced_partitions if separate else None
        self.enforced_partitions = enforced or frozenset()

    def assignable(self, line: SchedulableEntities, partition: str) -> Iterable[FiCaSchedulerApp]:
        """Those of a line whom the partition's nodes are offered to."""
        separate = self.enforced_partitions
        if not separate:
            return line
        # FifoOrderingPolicyWithExclusivePartitions: nodes of an enforced partition serve
        # applications whose AM is there and no others; all other nodes serve the rest.
        here = partition if partition in separate else ""
        return (
            app
            for app in line
            if (app.am_partition if app.am_partition in separate else "") == here
        )

    def add_pending(self, app: FiCaSchedulerApp) -> None:
        """Let an application wait for admission."""
        app.order_key = self.pending_key(app)
        self.pending_applications.add(app)

    def activate(self, app: FiCaSchedulerApp) -> None:
        """Serve an application from now on."""
        app.active = True
        app.order_key = self.active_key(app)
        self.active.add(app)
        if app.keys:
            self.with_pending_requests.add(app)

    def remove(self, app: FiCaSchedulerApp) -> bool:
        """Take an application out of its order; whether it was active."""
        # It will be put in place by whoever takes it in again.
        self.changed_order.pop(app.app.id, None)
        if not app.active:
            self.pending_applications.remove(app)
            return False
        self.with_pending_requests.remove(app)
        self.active.remove(app)
        app.active = False
        return True

    def requests_changed(self, app: FiCaSchedulerApp) -> None:
        """An application began or ceased to want anything."""
        if not app.active:
            return
        if app.keys:
            self.with_pending_requests.add(app)
        else:
            self.with_pending_requests.remove(app)

    def needs_reordering(self, app: FiCaSchedulerApp, *, demand_only: bool = False) -> None:
        """Note that an application's place may have changed (it moves before the next offer)."""
        # Under fifo a key never changes but with the priority, which takes the application out and
        # in.
        if not self.fair:
            return
        if app.active and (self.settings.size_based_weight or not demand_only):
            self.changed_order[app.app.id] = app

    def forget_derived(self) -> None:
        """Forget what was derived from guarantees, maxima and sizes that may have changed."""
        self.rounded_maximum = None
        super().forget_derived()

    def reorder_changed(self) -> None:
        """Move those whose place may have changed."""
        if self.changed_order:
            # Replaced first: `remove` and `activate` below would change what is gone through.
            moving, self.changed_order = self.changed_order, {}
            for app in moving.values():
                self.remove(app)
                app.cache_usage()
                self.activate(app)

    def reorder_all(self) -> None:
        """Put everyone in line anew, by what was last remembered of them.

        Hadoop makes the ordering policy anew at each refresh; who was yet to move does not.
        """
        self.changed_order.clear()
        self.with_pending_requests.clear()
        for app in self.active.clear():
            self.activate(app)
        for app in self.pending_applications.clear():
            self.add_pending(app)

"""The Capacity Scheduler behind the Engine interface."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import ANYWHERE, Locality
from kubeyarn.model.errors import Rejected
from kubeyarn.model.ids import AttemptId
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.reasons import Reason
from kubeyarn.policy.calculator import DominantCalculator, calculator
from kubeyarn.policy.placement.check import check_rules
from kubeyarn.policy.placement.rules import normalize, place
from kubeyarn.policy.tree import TreeLookup, build_tree
from kubeyarn.schedule.capacity import attempts
from kubeyarn.schedule.capacity.application import LedgerApplication, OutstandingAsk
from kubeyarn.schedule.capacity.attempts import AM_KEY
from kubeyarn.schedule.capacity.commit import (
    charge,
    complete,
    discharge,
    drop_reservation,
    new_container_id,
)
from kubeyarn.schedule.capacity.dynamic import (
    check_templates,
    create_leaf,
    expired,
    manage,
    managed,
    remove_dynamic,
    reset_managed,
)
from kubeyarn.schedule.capacity.leaf import LeafQueue
from kubeyarn.schedule.capacity.nodes import Cluster
from kubeyarn.schedule.capacity.offers import offer_node
from kubeyarn.schedule.capacity.parallel import ParallelLimits
from kubeyarn.schedule.capacity.parent import ParentQueue
from kubeyarn.schedule.capacity.preemption import Preemption
from kubeyarn.schedule.capacity.queue import QueueState
from kubeyarn.schedule.capacity.queue_index import QueueIndex
from kubeyarn.schedule.capacity.quick import may_be_quick
from kubeyarn.schedule.capacity.rejections import (
    check_access,
    check_limits,
    check_partition,
    check_size,
)
from kubeyarn.schedule.capacity.resizing import resize
from kubeyarn.schedule.capacity.rounds import Rounds, anything_wanted
from kubeyarn.schedule.capacity.status import ceiling_of, headroom_of, queue_statuses
from kubeyarn.schedule.capacity.submission import (
    allowed_priority,
    check_asks,
    in_force,
    make_application,
    racks_of,
)
from kubeyarn.schedule.capacity.submission import (
    normalize as normalize_size,
)
from kubeyarn.schedule.capacity.tree import (
    change_tree,
    check_change,
    drained,
    new_queue,
    stop_queue,
    walk,
)
from kubeyarn.schedule.capacity.updating import update_below
from kubeyarn.schedule.capacity.why import explain
from kubeyarn.schedule.engine import Decision, Room

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubeyarn.model.applications import Application
    from kubeyarn.model.asks import Ask, AskKey
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ApplicationId, ContainerId
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.reasons import Verdict
    from kubeyarn.model.resources import ResourceTypes, Vector
    from kubeyarn.policy.calculator import Calculator
    from kubeyarn.schedule.capacity.queue import Queue
    from kubeyarn.schedule.engine import QueueStatus


# Hadoop: queue-management.monitoring-interval.
_TENDING_MS = 1500


class CapacityEngine:
    """Ledger and decisions of the Capacity Scheduler (Hadoop: CapacityScheduler).

    *epoch* goes into the ids of containers granted here, so that ids of one ledger never meet
    those of the next. Without *quick_lane* every offer goes the general way; decisions are the
    same.
    """

    def __init__(self, types: ResourceTypes, *, epoch: int = 0, quick_lane: bool = True) -> None:
        self.quick_lane = quick_lane
        self.types = types
        self.epoch = epoch
        self.zero = types.zero()
        self.cluster = Cluster(types)
        self.calc: Calculator = DominantCalculator()
        self.config: SchedulerConfig | None = None
        self.root: ParentQueue | None = None
        self.index = QueueIndex()
        self.apps: dict[ApplicationId, LedgerApplication] = {}
        self.parallel = ParallelLimits()
        self.preemption = Preemption()
        self._idle = False
        self._all_plain = True
        self._quick = False
        self._stale = False
        self._grown = False
        self._rounds = Rounds()
        self._tended_ms = 0

    # -- configuration ---------------------------------------------------------------------------

    def configure(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force; running containers are never touched.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """
        tree = build_tree(config)
        check_rules(config.placement_rules, TreeLookup(tree))
        check_templates(tree, config)
        calc = calculator(dominant=config.dominant)
        if self.root is None:
            root = new_queue(tree, None, self.cluster, calc)
        else:
            check_change(self.root, tree, config.removable)
            root = self.root
            for queue in walk(root):
                queue.calc = calc
            change_tree(root, tree, self.cluster, calc)
        if not isinstance(root, ParentQueue):
            raise TypeError("root is a leaf although it has children")
        self.root, self.calc, self.config = root, calc, config
        for queue in walk(root):
            queue.step = config.minimum_allocation
        self.index.rebuild(self._tree())
        self.refresh()
        for queue in list(self.queues.values()):
            if isinstance(queue, ParentQueue) and queue.children:
                reset_managed(queue, config)

    @property
    def queues(self) -> dict[str, Queue]:
        """Every queue by its path."""
        return self.index.queues

    def stop(self, queue: str) -> None:
        """A queue is being removed; only a stopped one may be missing from a configuration."""
        found = self.queues.get(queue)
        if found is not None:
            stop_queue(found)

    def _tree(self) -> ParentQueue:
        if self.root is None:
            raise Rejected(Reason.QUEUE_NOT_FOUND, "no configuration is in force yet")
        return self.root

    def _settings(self) -> SchedulerConfig:
        if self.config is None:
            raise Rejected(Reason.QUEUE_NOT_FOUND, "no configuration is in force yet")
        return self.config

    def _cluster_changed(self) -> None:
        self._stale = True
        self._idle = False

    def _about_to_shrink(self) -> None:
        """Let nodes that came act before one goes.

        Hadoop recomputes at every node, and a larger cluster may admit an application that stays
        admitted in a smaller one. Only of nodes in a row that came the last one decides.
        """
        if self._grown:
            self.refresh()

    def settle(self) -> None:
        """Bring queues up to date with nodes that came, went or changed."""
        if self._stale:
            self.refresh()

    def refresh(self) -> None:
        """Recompute what depends on the cluster's size."""
        self._stale = False
        self._grown = False
        self._idle = False
        if self.root is not None and self.config is not None:
            update_below(self.root, self.config)
            self._quick = self.quick_lane and may_be_quick(self.root, self.cluster)

    # -- nodes -----------------------------------------------------------------------------------

    def add_node(self, node: Node) -> None:
        """A node joins, last in order."""
        if node.name in self.cluster.nodes:
            self.update_node(node)
            return
        self.cluster.add(node)
        self._cluster_changed()
        self._grown = True

    def update_node(self, node: Node) -> None:
        """A node's total, partition, rack or schedulability changed; its containers stay."""
        ledger = self.cluster.nodes.get(node.name)
        if ledger is None:
            self.add_node(node)
            return
        if ledger.node == node:
            return
        self._about_to_shrink()
        if node.partition != ledger.partition or not node.schedulable:
            if ledger.reservation is not None:
                drop_reservation(ledger.reservation, ledger)
            self._repartition(ledger.name, node.partition)
        ledger.free = tuple(
            free + new - old
            for free, new, old in zip(ledger.free, node.total, ledger.total, strict=True)
        )
        ledger.node, ledger.total = node, node.total
        ledger.partition = node.partition
        ledger.move(node.rack)
        self.cluster.recount()
        self._cluster_changed()
        self._grown = True

    def _repartition(self, name: str, partition: str) -> None:
        ledger = self.cluster.nodes[name]
        for container in list(ledger.containers.values()):
            app = self.apps.get(container.id.attempt.application)
            if app is None or container.partition == partition:
                continue
            moved = container._replace(partition=partition)
            app.drop(container)
            app.queue.forget_borrowed(container)
            discharge(app.queue, app, container.size, container.partition)
            app.hold(moved)
            charge(app.queue, app, moved.size, partition)
            ledger.containers[moved.id] = moved

    def remove_node(self, name: str) -> Sequence[Container]:
        """A node is lost; returns its containers, which are released from the ledger."""
        ledger = self.cluster.nodes.get(name)
        if ledger is None:
            return ()
        self._about_to_shrink()
        lost = list(ledger.containers.values())
        for container in lost:
            app = self.apps.get(container.id.attempt.application)
            if app is not None:
                complete(app, container, ledger)
        if ledger.reservation is not None:
            drop_reservation(ledger.reservation, ledger)
        self.cluster.remove(name)
        self._cluster_changed()
        return lost

    # -- applications ----------------------------------------------------------------------------

    def submit(self, application: Application, now_ms: int) -> str:
        """Take an application; returns the leaf's full path it was placed in.

        Raises:
            Rejected: no such queue, not a leaf, stopped, a limit, or access.
        """
        self.settle()
        config = self._settings()
        known = self.apps.get(application.id)
        if known is not None:
            return known.queue.path
        if application.placed in self.queues and self.queues[application.placed].leaf:
            return self._take_back(application, now_ms)
        if self._tree().applications >= config.maximum_applications:
            raise Rejected(
                Reason.APPLICATION_LIMIT,
                f"the cluster already has {self._tree().applications} applications "
                f"of at most {config.maximum_applications}",
            )
        placed = place(
            application, config.placement_rules, self.index, override=config.placement_override
        )
        leaf = self._leaf(application, placed or application.queue or "default", placed, now_ms)
        app = self._application(application, leaf, now_ms)
        check_limits(leaf, application)
        self._enter(leaf, app)
        return leaf.path

    def _take_back(self, application: Application, now_ms: int) -> str:
        """Take an application that an earlier ledger took; stopped queues drain again."""
        leaf = self.index.leaf(application.placed)
        app = self._application(application, leaf, now_ms)
        for queue in leaf.path_up():
            if queue.state is QueueState.STOPPED:
                queue.state = QueueState.DRAINING
        self._enter(leaf, app)
        return leaf.path

    def _leaf(
        self, application: Application, name: str, placed: str | None, now_ms: int
    ) -> LeafQueue:
        """The leaf meant by *name*, made if need be.

        Raises:
            Rejected: there is none, or it may not be used.
        """
        config = self._settings()
        if not self.index.known(name):
            path = normalize(name, self.index)
            nearest = self.index.nearest(path or "")
            if path is not None and "." in name and nearest is not None:
                check_access(nearest, application, config)
                self._create(path, now_ms)
        queue = self.index.queue(name)
        check_access(queue, application, config)
        leaf = self.index.leaf(name)
        if leaf.template_absolute is not None and placed is None:
            raise Rejected(
                Reason.PLACEMENT_REJECTED,
                f"queue {leaf.path} was made on demand and takes only applications that a "
                "placement rule sends there",
            )
        return leaf

    def _create(self, path: str, now_ms: int) -> None:
        if create_leaf(path, self.queues, self._settings(), now_ms):
            self.index.rebuild(self._tree())

    def _application(
        self, application: Application, leaf: LeafQueue, now_ms: int
    ) -> LedgerApplication:
        app = make_application(application, leaf, self._settings(), self.types, now_ms)
        app.epoch = self.epoch
        return app

    def _enter(self, leaf: LeafQueue, app: LedgerApplication) -> None:
        self.apps[app.app.id] = app
        self.cluster.book.know(app.app.id, app.app.tags)
        leaf.last_submitted_ms = app.submitted_ms
        self._count(leaf, 1)
        self._begin(app)

    def _count(self, leaf: LeafQueue, change: int) -> None:
        for queue in leaf.path_up():
            if isinstance(queue, ParentQueue):
                queue.count_application(change)

    def _begin(self, app: LedgerApplication) -> None:
        """An attempt joins its leaf and asks for its AM."""
        self._idle = False
        app.runnable = self.parallel.allows(app, self._settings())
        if app.runnable:
            self.parallel.track(app)
        attempts.join(app.queue, app)
        if app.waiting_for_am:
            self._ask_for_master(app)

    def start_attempt(self, application: ApplicationId, number: int, now_ms: int) -> None:
        """A further attempt replaces the one before; it wants an AM, and its numbers begin anew."""
        self.restart_attempts({application: number}, now_ms)

    def restart_attempts(self, numbers: Mapping[ApplicationId, int], now_ms: int) -> None:
        """Several attempts ended at once: all leave before any of their successors joins."""
        self.settle()
        apps = [app for one in numbers if (app := self.apps.get(one)) is not None]
        ended = [app for app in apps if app.attempt != numbers[app.app.id]]
        for app in ended:
            self._end_attempt(app)
        for app in ended:
            app.clear_attempt()
            app.attempt = numbers[app.app.id]
            app.attempt_id = AttemptId(app.app.id, app.attempt)
            self._begin(app)

    def _end_attempt(self, app: LedgerApplication) -> None:
        self._idle = False
        attempts.clear(app, self.cluster)
        attempts.leave(app.queue, app)
        if app.runnable:
            self.parallel.forget(app)
            self.parallel.promote(app, self._settings())

    def ask_for_master(self, application: ApplicationId, now_ms: int) -> None:
        """The current attempt asks for its AM again: the grant was taken back before it started."""
        app = self._known(application)
        if app.app.am_size is None or app.waiting_for_am:
            return
        app.waiting_for_am, app.am_container = True, None
        self._ask_for_master(app)
        self._idle = False

    def _ask_for_master(self, app: LedgerApplication) -> None:
        size = in_force(app.am_size, app.queue, self._settings())
        self._put(app, AM_KEY, 1, size, app.am_partition, app.master_locality)

    def master_gone(self, application: ApplicationId) -> None:
        """The current attempt's AM was granted and has ended: it is not asked for."""
        app = self._known(application)
        if app.waiting_for_am:
            app.waiting_for_am = False
            self._put(app, AM_KEY, 0, app.am_size, app.am_partition, ANYWHERE)

    def exclude_for_master(self, application: ApplicationId, places: frozenset[str]) -> None:
        """Nodes and racks where the current attempt's AM is not granted; replaces those before."""
        app = self._known(application)
        app.master_locality = Locality(excluded=places)
        if app.waiting_for_am and AM_KEY in app.asks:
            app.asks[AM_KEY].relocate(app.master_locality, {})
            self._all_plain = False
            self._idle = False

    def register(self, application: ApplicationId) -> None:
        """The AM of the current attempt is up; nothing in the ledger depends on it."""

    def finish(self, application: ApplicationId, now_ms: int) -> None:
        """An application ended; everything it holds or asks is gone from the ledger."""
        self.settle()
        app = self.apps.pop(application, None)
        if app is None:
            return
        self.cluster.book.forget(application)
        self._end_attempt(app)
        leaf = app.queue
        leaf.users.deactivate(app.user, application)
        self._count(leaf, -1)
        for queue in leaf.path_up():
            drained(queue)

    def move(self, application: ApplicationId, queue: str, now_ms: int) -> str:
        """Move an application with its containers; returns the leaf's full path.

        Raises:
            Rejected: the target does not take it; nothing changed.
        """
        self.settle()
        app = self._known(application)
        target = self.index.leaf(queue)
        if target is app.queue:
            # Hadoop moves it all the same, and forgets what its user holds.
            return target.path
        for partition in {app.am_partition, *(ask.partition for ask in app.asks.values())}:
            check_partition(target, partition, self._settings(), f"move of {application}")
        check_limits(target, app.app)
        self._idle = False
        attempts.change_queue(app, target)
        if app.runnable:
            self.parallel.move(app, source=app.queue, target=target)
        self._count(target, 1)
        self._count(app.queue, -1)
        source, app.queue = app.queue, target
        for above in source.path_up():
            if above is not source:
                drained(above)
        return target.path

    def priority(self, application: ApplicationId) -> int:
        """The priority that an application has, after limits.

        Raises:
            Rejected: it is not known.
        """
        return self._known(application).priority

    def set_priority(self, application: ApplicationId, priority: int, now_ms: int) -> int:
        """Change an application's priority; returns what is in force after limits.

        Raises:
            Rejected: the user may not have it, or the application is unknown.
        """
        self.settle()
        app = self._known(application)
        priority = allowed_priority(app.app, app.queue, self._settings(), priority)
        if priority == app.priority:
            return priority
        leaf = app.queue
        waiting = any(one is app for one in leaf.waiting)
        was_active = leaf.remove(app)
        app.priority = priority
        if was_active:
            leaf.admit(app)
        elif waiting:
            leaf.enqueue(app)
        self._idle = False
        return priority

    def _known(self, application: ApplicationId) -> LedgerApplication:
        app = self.apps.get(application)
        if app is None:
            raise Rejected(Reason.INVALID_REQUEST, f"{application} is not in the ledger")
        return app

    # -- asks and containers ---------------------------------------------------------------------

    def update_asks(self, application: ApplicationId, asks: Sequence[Ask], now_ms: int) -> None:
        """Replace the outstanding count of each ask's key (absolute; 0 cancels).

        Raises:
            Rejected: above the maximum allocation, negative, or a partition without access.
                Nothing of the call was applied.
        """
        self.settle()
        app = self._known(application)
        for one in check_asks(app, asks, self._settings(), self.types):
            ask = one.ask
            self._put(app, ask.key, one.count, one.size, one.partition, ask.locality)
            outstanding = app.asks.get(ask.key)
            if outstanding is not None:
                outstanding.constrain(ask.constraint, ask.tags)
        if not app.waiting_for_am:
            app.queue.needs_reordering(app, demand_only=True)
        self._idle = False

    def _put(
        self,
        app: LedgerApplication,
        key: AskKey,
        count: int,
        size: Vector,
        partition: str,
        locality: Locality,
    ) -> None:
        self._all_plain = False
        racks = racks_of(locality, self.cluster)
        attempts.put_outstanding(app, key, count, size, partition, locality, racks)

    def recover(self, application: ApplicationId, container: Container) -> None:
        """Count a container that was granted before this ledger was built; never refused."""
        self.settle()
        app = self.apps.get(application)
        node = self.cluster.nodes.get(container.node)
        if app is None or node is None or container.id in app.containers:
            return
        if container.id.epoch == app.epoch and container.id.attempt == app.attempt_id:
            app.next_number = max(app.next_number, container.id.number + 1)
        if container.am and app.waiting_for_am:
            app.waiting_for_am = False
            app.am_container = container.id
            self._put(app, AM_KEY, 0, app.am_size, app.am_partition, ANYWHERE)
        asked, container = container.partition, container._replace(partition=node.partition)
        app.hold(container)
        node.hold(container)
        charge(app.queue, app, container.size, container.partition)
        if node.partition and not asked:
            app.queue.note_borrowed(container)
        app.queue.needs_reordering(app)
        self._idle = False

    def skip_numbers(self, application: ApplicationId, last: int) -> None:
        """Container numbers up to *last* of this ledger's epoch were given away before."""
        app = self._known(application)
        app.next_number = max(app.next_number, last + 1)

    def rooms(self) -> Sequence[Room]:
        """Every node with what its containers leave of it."""
        return [
            Room(
                node.name,
                node.rack,
                node.partition,
                node.free,
                node.node.schedulable,
                node.reservation is not None,
            )
            for node in self.cluster.nodes.values()
        ]

    def next_id(self, application: ApplicationId) -> ContainerId:
        """A new id for a container of the current attempt that somebody else grants."""
        return new_container_id(self._known(application))

    def rounded(self, application: ApplicationId, size: Vector) -> Vector:
        """The size that a container of the application gets when it wants *size*.

        Raises:
            Rejected: above the maximum allocation or negative.
        """
        self.settle()
        leaf = self._known(application).queue
        check_size(size, leaf.settings.maximum_allocation, self.types, "resize")
        return normalize_size(size, leaf, self._settings())

    def resize(self, container: ContainerId, size: Vector) -> bool:
        """Charge a container for another size, where it is; whether that was possible now."""
        self.settle()
        app = self.apps.get(container.attempt.application)
        held = app.containers.get(container) if app is not None else None
        if app is None or held is None:
            return False
        if held.size == size:
            return True
        done = resize(app, held, self.cluster.nodes[held.node], size)
        self._idle = self._idle and not done
        return done

    def release(self, container: ContainerId, now_ms: int) -> None:
        """A container ended or was given back; unknown ids are ignored (freed once)."""
        self.settle()
        app = self.apps.get(container.attempt.application)
        held = app.containers.get(container) if app is not None else None
        if app is None or held is None:
            return
        complete(app, held, self.cluster.nodes[held.node])
        self._idle = False

    # -- decisions -------------------------------------------------------------------------------

    def offer(self, node: str, now_ms: int) -> Sequence[Decision]:
        """One scheduling opportunity of one node (Hadoop: nodeUpdate)."""
        self.settle()
        ledger = self.cluster.nodes.get(node)
        if ledger is None or self.root is None or self.config is None:
            return ()
        return offer_node(self.root, ledger, self.cluster, self.config, now_ms, quick=self._quick)

    def cycle(self, now_ms: int, limit: int) -> Sequence[Decision]:
        """Offer all nodes until nothing changes or *limit* grants were made.

        A node that is like one which took nothing since the last change is not offered again.
        Queues made on demand are seen to every now and then.
        """
        self.settle()
        self._tend(now_ms)
        if self._idle or self.root is None or self.config is None:
            return ()
        if not anything_wanted(self.root):
            self._idle = True
            return ()
        choosy = [] if self._all_plain else self._choosy_asks()
        self._all_plain = not choosy
        # Where passed-up offers are counted, a later cycle may decide otherwise.
        counting = len(self.cluster.partitions) > 1 or any(ask.locations > 1 for ask in choosy)
        plain = not counting and not choosy
        decisions = self._rounds.run(
            self.root, self.cluster, self.config, now_ms, limit, quick=self._quick, plain=plain
        )
        self._idle = not counting and len(decisions) < limit
        return decisions

    def _choosy_asks(self) -> list[OutstandingAsk]:
        return [ask for app in self.apps.values() for ask in app.asks.values() if not ask.plain]

    def _tend(self, now_ms: int) -> None:
        """Let queues made on demand take or give up guarantees, and go when they stood empty."""
        if not self.index.on_demand or now_ms - self._tended_ms < _TENDING_MS:
            return
        self._tended_ms = now_ms
        self._idle = False
        self.manage_queues(now_ms)
        self.expire_queues(now_ms)

    def manage_queues(self, now_ms: int) -> None:
        """Let leaves made on demand under managed parents take or give up guarantees."""
        self.settle()
        config = self._settings()
        for queue in list(self.queues.values()):
            auto = managed(queue)
            if auto is not None and not auto.fail_on_exceeding_parent:
                manage(queue, config)

    def expire_queues(self, now_ms: int) -> None:
        """Take away queues made on demand that stood empty for too long."""
        self.settle()
        config = self._settings()
        found = True
        while found:
            found = False
            for queue in list(self.queues.values()):
                if expired(queue, config.queue_expiry_seconds, now_ms):
                    remove_dynamic(queue, config)
                    self.index.rebuild(self._tree())
                    found = True

    def preempt(self, now_ms: int) -> Sequence[Decision]:
        """One pass of the preemption policy, if the configuration turns it on."""
        self.settle()
        if self.root is None or self.config is None:
            return ()
        self._idle = False
        return self.preemption.run(
            self.root, self.cluster, self.calc, self.config, self.apps, now_ms
        )

    # -- questions -------------------------------------------------------------------------------

    def queue_status(self) -> Sequence[QueueStatus]:
        """Every queue, parents before children, in configured order."""
        self.settle()
        return queue_statuses(self._tree())

    def why(self, application: ApplicationId, key: AskKey | None, now_ms: int) -> Verdict | None:
        """What stops an ask (None: the application's AM) now; None when nothing waits."""
        self.settle()
        app = self.apps.get(application)
        if app is None:
            return None
        return explain(app, AM_KEY if key is None else key, self.cluster, self._settings())

    def ceiling(self, queue: str, partition: str) -> Vector | None:
        """What a queue may hold at most on nodes of *partition*; None: there is no such queue."""
        self.settle()
        found = self.queues.get(queue)
        return None if found is None else ceiling_of(found, partition, self._settings())

    def user_over_cap(self, application: ApplicationId, held: Vector, partition: str) -> bool:
        """Whether an application's user holds more than its limit could ever be."""
        self.settle()
        app = self.apps.get(application)
        if app is None or self.config is None:
            return False
        shared = any(p.name == partition and not p.exclusive for p in self.config.partitions)
        cap = app.queue.users.cap(app.user, partition, whole=shared)
        return self.calc.compare(self.cluster.total, held, cap) > 0

    def headroom(self, application: ApplicationId) -> Vector:
        """What the application may still get (Hadoop: AllocateResponse.limit)."""
        self.settle()
        app = self.apps.get(application)
        return self.zero if app is None else headroom_of(app)

    def containers(self) -> Sequence[Container]:
        """Every container in the ledger, in order of id."""
        held = [c for app in self.apps.values() for c in app.containers.values()]
        return sorted(held, key=lambda container: container.id)

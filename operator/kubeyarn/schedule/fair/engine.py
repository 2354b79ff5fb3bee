"""The Fair Scheduler behind the calls every scheduler of ours answers (schedule.engine.Engine).

Beyond those calls: `update` recomputes shares and starvation as Hadoop's update thread does. A
cycle does it by itself whenever something changed; whoever offers single nodes calls it.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Sequence
from dataclasses import replace

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import Rejected
from kubeyarn.model.fair_queues import FairClusterConfig
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.reasons import Reason, Verdict
from kubeyarn.model.resources import ResourceTypes, Vector, add, component_min, fits, subtract
from kubeyarn.policy.fair import headroom as headrooms
from kubeyarn.policy.fair.placing import Submission, default_rules, place, with_root
from kubeyarn.policy.fair.rounding import scaled_down
from kubeyarn.policy.fair.sizes import (
    check_queue_has,
    check_size,
    container_maximum,
    normalized,
)
from kubeyarn.schedule.engine import Decision, Grant, Preempt, QueueStatus, Reserve
from kubeyarn.schedule.fair import explaining, reporting, sharing
from kubeyarn.schedule.fair.assigning import Assigner
from kubeyarn.schedule.fair.checking import check_config
from kubeyarn.schedule.fair.ledger import AM_KEY, Attempt, Ledger, Outstanding, Queue, Room
from kubeyarn.schedule.fair.preempting import Preempter
from kubeyarn.schedule.fair.running import Runners
from kubeyarn.schedule.fair.tree import Tree

_TIDY_MS = 10_000
_MARKED = "its room goes to an application below its share"
_KILLED = "preempted: its room goes to an application below its share"


class FairEngine:
    """Hadoop's FairScheduler as a ledger and plain calls.

    *epoch* goes into the ids of containers and grows whenever a scheduler takes over.
    """

    def __init__(self, types: ResourceTypes | None = None, epoch: int = 0) -> None:
        self._ledger = Ledger(types or ResourceTypes(), epoch)
        self._tree = Tree(self._ledger)
        self._runners = Runners(self._ledger)
        self._assigner = Assigner(self._ledger)
        self._preempter = Preempter(self._ledger)
        self._idle_version = -1
        self._tidied_ms = 0
        self._is_resized = True
        self._largest_node: Vector | None = None

    # --- configuration

    def configure(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force; running containers are never touched.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """
        check_config(config, self._ledger.types)
        ledger = self._ledger
        ledger.config = config.fair or FairClusterConfig()
        ledger.check_access = config.check_access
        ledger.minimum_allocation = config.minimum_allocation
        ledger.maximum_allocation = config.maximum_allocation
        ledger.increment = config.increment_allocation or config.minimum_allocation
        ledger.reservation_threshold = scaled_down(
            ledger.increment, ledger.config.offers.reservation_multiple
        )
        self._tree.configure(config.queues, ledger.config.defaults, now_ms)
        self._runners.refill()
        self._is_resized = True
        sharing.rebuild_lines(ledger)
        ledger.touch()

    # --- nodes

    def add_node(self, node: Node) -> None:
        """A node joins, last in order; containers that were recovered before are found on it."""
        self._ledger.open(Room(node, self._ledger.zero))
        self._grow(node.total)

    def update_node(self, node: Node) -> None:
        """A node's total, partition, rack or schedulability changed; its containers stay."""
        room = self._ledger.rooms.get(node.name)
        if room is None:
            self.add_node(node)
            return
        change = subtract(node.total, room.node.total)
        room.free = add(room.free, change)
        room.node = node
        self._grow(change)

    def remove_node(self, name: str) -> Sequence[Container]:
        """A node is lost; returns its containers, which are released from the ledger."""
        room = self._ledger.rooms.get(name)
        if room is None:
            return ()
        lost = tuple(room.containers.values())
        for container in lost:
            self._free(container.id)
        self._ledger.unreserve(room)
        del self._ledger.rooms[name]
        self._grow(subtract(self._ledger.zero, room.node.total))
        return lost

    def _grow(self, change: Vector) -> None:
        ledger = self._ledger
        ledger.cluster = add(ledger.cluster, change)
        ledger.available = subtract(ledger.cluster, ledger.allocated)
        ledger.touch()
        self._is_resized = True

    def _settle_size(self) -> None:
        """Work out what hangs on the cluster's size, once for any number of nodes that came."""
        if not self._is_resized or not self._ledger.queues:
            return
        self._is_resized = False
        totals = [room.node.total for room in self._ledger.rooms.values()]
        self._largest_node = tuple(map(max, zip(*totals, strict=True))) if totals else None
        self._tree.set_maxima()
        self._tree.share_steadily()
        sharing.rebuild_lines(self._ledger)

    # --- applications

    def submit(self, application: Application, now_ms: int) -> str:
        """Take an application; returns the leaf's full path it was placed in.

        Raises:
            Rejected: no rule takes it, the queue is no leaf, access, or an AM that is too large.
        """
        self._settle_size()
        path = self._place(application)
        if self._ledger.check_access:
            self._check_access(application, self._nearest(path))
        if application.am_size is not None:
            queue = self._tree.find(path)
            maximum = self._container_maximum(queue)
            check_size(application.am_size, maximum, self._ledger.types.names, "AM container")
        leaf = self._tree.leaf_for(path, now_ms)
        if self._ledger.check_access:
            self._check_access(application, leaf)
        if application.am_size is not None:
            size = self._normalized(application.am_size, leaf)
            check_queue_has(size, leaf.maximum, self._ledger.types.names, leaf.path)
        self._start(application, 1, leaf, application.submitted_ms or now_ms)
        return leaf.path

    def _place(self, application: Application) -> str:
        config = self._ledger.config
        rules = config.rules or default_rules(
            allow_undeclared=config.allow_undeclared, user_as_default=config.user_as_default
        )
        groups = application.groups or (application.user,)
        submission = Submission(application.queue, application.user, groups)
        return place(rules, submission, self._tree)

    def _nearest(self, path: str) -> Queue:
        """The queue of that path, or the nearest existing one above it."""
        while path not in self._ledger.queues:
            path = path.rpartition(".")[0] or "root"
        return self._ledger.queues[path]

    def _check_access(self, application: Application, queue: Queue) -> None:
        groups = application.groups or (application.user,)
        for above in queue.up():
            if any(access.allows(application.user, groups) for access in above.access):
                return
        raise Rejected(
            Reason.ACCESS_DENIED,
            f"user {application.user} may neither submit to queue {queue.path} nor administer "
            "it, nor any queue above it; ask for the right to submit",
        )

    def _start(self, application: Application, number: int, leaf: Queue, start_ms: int) -> None:
        attempt = Attempt(application, number, leaf, self._ledger.zero, start_ms)
        self._ledger.attempts[application.id] = attempt
        self._runners.add(attempt, leaf)
        if application.am_size is not None:
            size = self._normalized(application.am_size, leaf)
            self._set_ask(attempt, Ask(AM_KEY, 1, size))
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def start_attempt(self, application: ApplicationId, number: int, now_ms: int) -> None:
        """A further attempt replaces the one before, whose containers are gone; it asks for an AM.

        Others may run in its place first, as in Hadoop.
        """
        before = self._attempt(application)
        self._stop(before)
        self._start(before.application, number, before.queue, now_ms)

    def register(self, application: ApplicationId) -> None:
        """The AM of the current attempt is up."""
        self._attempt(application)

    def finish(self, application: ApplicationId, now_ms: int) -> None:  # noqa: ARG002
        """An application ended; everything it holds or asks is gone from the ledger."""
        attempt = self._ledger.attempts.get(application)
        if attempt is not None:
            self._stop(attempt)
            del self._ledger.attempts[application]

    def _stop(self, attempt: Attempt) -> None:
        ledger, queue = self._ledger, attempt.queue
        for container in tuple(attempt.containers.values()):
            ledger.free(attempt, container)
        for name in tuple(attempt.reservations):
            ledger.unreserve(ledger.rooms[name])
        for key in tuple(attempt.keys):
            self._drop_ask(attempt, key)
        attempt.stopped = True
        queue.line.drop(attempt)
        if self._runners.remove(attempt, queue):
            if attempt.am_running:
                queue.am_usage = subtract(queue.am_usage, attempt.am_size)
            self._runners.replace_one(attempt, queue)
        ledger.line_up_queue(queue)
        ledger.touch()

    def move(self, application: ApplicationId, queue: str, now_ms: int) -> str:  # noqa: ARG002
        """Move an application with its containers; returns the leaf's full path.

        Raises:
            Rejected: the target does not take it; nothing changed.
        """
        self._settle_size()
        attempt = self._attempt(application)
        old, target = attempt.queue, self._tree.find_leaf(queue)
        if target is None:
            raise Rejected(
                Reason.QUEUE_NOT_LEAF,
                f"queue {with_root(queue)} does not exist or is not a leaf; "
                "move to a leaf that exists",
            )
        if target is old:
            return old.path
        if attempt.is_runnable:
            self._check_move(attempt, target)
        self._move(attempt, old, target)
        return target.path

    def _check_move(self, attempt: Attempt, target: Queue) -> None:
        """Refuse a move that would break a limit of a queue it newly counts in."""
        shared = {above.path for above in attempt.queue.up()}
        for above in target.up():
            if above.path in shared:
                break
            if above.running == above.maximum_running:
                raise Rejected(
                    Reason.PARALLEL_LIMIT,
                    f"queue {above.path} runs {above.running} applications, "
                    f"as many as it may ({above.maximum_running}); wait or raise its limit",
                )
            if not fits(add(above.usage, attempt.usage), above.maximum):
                raise Rejected(
                    Reason.QUEUE_MAXIMUM,
                    f"queue {above.path} holds {above.usage} and would hold "
                    f"{add(above.usage, attempt.usage)}, its maximum is {above.maximum}",
                )
        if not self._runners.may_run(target, attempt):
            raise Rejected(
                Reason.PARALLEL_LIMIT,
                f"queue {target.path} or user {attempt.application.user} already runs as many "
                "applications as they may",
            )

    def _move(self, attempt: Attempt, old: Queue, target: Queue) -> None:
        was_running = attempt.is_runnable
        old.line.drop(attempt)
        for above in old.up():
            above.usage = subtract(above.usage, attempt.usage)
        old.pending = subtract(old.pending, attempt.pending)
        old.reserved = subtract(old.reserved, _reserved_by(attempt))
        self._runners.remove(attempt, old)
        if was_running and attempt.am_running:
            # The new queue never counts this AM: Hadoop leaves it out when applications move.
            old.am_usage = subtract(old.am_usage, attempt.am_size)
        attempt.queue = target
        for above in target.up():
            above.usage = add(above.usage, attempt.usage)
        target.pending = add(target.pending, attempt.pending)
        target.reserved = add(target.reserved, _reserved_by(attempt))
        self._runners.add(attempt, target)
        if was_running:
            self._runners.replace_one(attempt, old)
        self._ledger.line_up_queue(old)
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def set_priority(self, application: ApplicationId, priority: int, now_ms: int) -> int:  # noqa: ARG002
        """Applications have no priorities here: 0 is in force, as in Hadoop."""
        self._attempt(application)
        return 0

    def _attempt(self, application: ApplicationId) -> Attempt:
        attempt = self._ledger.attempts.get(application)
        if attempt is None:
            raise Rejected(
                Reason.INVALID_REQUEST, f"{application} is not in the scheduler; submit it first"
            )
        return attempt

    # --- asks and containers

    def update_asks(self, application: ApplicationId, asks: Sequence[Ask], now_ms: int) -> None:  # noqa: ARG002
        """Replace the outstanding count of each ask's key (absolute; 0 cancels).

        Raises:
            Rejected: above the maximum allocation, negative, of a resource the queue has none of,
                or for a partition. Nothing of the call was applied.
        """
        self._settle_size()
        attempt = self._attempt(application)
        for ask in asks:
            self._check_ask(attempt, ask)
        for ask in asks:
            self._set_ask(attempt, replace(ask, size=self._normalized(ask.size, attempt.queue)))
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def _check_ask(self, attempt: Attempt, ask: Ask) -> None:
        names = self._ledger.types.names
        what = f"{attempt.application.id}, priority {ask.key.priority}"
        if ask.count < 0:
            raise Rejected(
                Reason.INVALID_REQUEST, f"{what}: count is {ask.count}, it must not be negative"
            )
        if ask.partition:
            raise Rejected(
                Reason.PARTITION_ACCESS,
                f"{what}: partition {ask.partition!r} is asked for; the Fair Scheduler has no "
                "partitions, leave it out",
            )
        check_size(ask.size, self._container_maximum(attempt.queue), names, what)
        check_queue_has(ask.size, attempt.queue.maximum, names, attempt.queue.path)

    def _container_maximum(self, queue: Queue | None) -> Vector:
        """The largest container that may be asked for: configured, and what a node can hold."""
        self._settle_size()
        maximum = self._ledger.maximum_allocation
        if self._largest_node is not None:
            maximum = (*component_min(maximum[:2], self._largest_node[:2]), *maximum[2:])
        return container_maximum(maximum, queue.maximum_container if queue is not None else ())

    def _normalized(self, size: Vector, queue: Queue) -> Vector:
        ledger = self._ledger
        return normalized(
            size, ledger.minimum_allocation, self._container_maximum(queue), ledger.increment
        )

    def _set_ask(self, attempt: Attempt, ask: Ask) -> None:
        self._drop_ask(attempt, ask.key)
        if ask.count == 0:
            return
        outstanding = Outstanding(ask, ask.count)
        for name, count in ask.locality.nodes:
            outstanding.nodes[name] = count
            room = self._ledger.rooms.get(name)
            if room is not None:
                rack = room.node.rack
                outstanding.racks[rack] = outstanding.racks.get(rack, 0) + count
        outstanding.racks.update(ask.locality.racks)
        attempt.asks[ask.key] = outstanding
        insort(attempt.keys, ask.key)
        self._ledger.want(attempt, ask.size, ask.count)

    def _drop_ask(self, attempt: Attempt, key: AskKey) -> None:
        known = attempt.asks.pop(key, None)
        if known is not None:
            attempt.keys.remove(key)
            self._ledger.want(attempt, known.ask.size, -known.count)

    def recover(self, application: ApplicationId, container: Container) -> None:
        """Count a container that was granted before this ledger was built; never refused."""
        attempt = self._attempt(application)
        if (container.id.epoch, container.id.number) in attempt.containers:
            return
        self._ledger.hold(attempt, container)
        attempt.next_number = max(attempt.next_number, container.id.number + 1)
        if container.am and not attempt.am_running:
            self._drop_ask(attempt, AM_KEY)
            attempt.am_running = True
            attempt.am_size = container.size
            attempt.queue.am_usage = add(attempt.queue.am_usage, container.size)
        self._ledger.available = subtract(self._ledger.cluster, self._ledger.allocated)
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def release(self, container: ContainerId, now_ms: int) -> None:  # noqa: ARG002
        """A container ended or was given back; unknown ids are ignored (freed once)."""
        self._free(container)

    def _free(self, container: ContainerId) -> None:
        attempt = self._ledger.attempts.get(container.attempt.application)
        held = (
            attempt.containers.get((container.epoch, container.number))
            if attempt is not None and attempt.id == container.attempt
            else None
        )
        if attempt is None or held is None:
            return
        self._ledger.free(attempt, held)
        self._ledger.line_up(attempt)

    # --- deciding

    def update(self, now_ms: int) -> None:
        """Recompute shares if something changed, and note who is starved now."""
        self._settle_size()
        if self._ledger.is_stale:
            sharing.update(self._ledger)
        self._preempter.look(now_ms)

    def offer(self, node: str, now_ms: int) -> Sequence[Decision]:  # noqa: ARG002
        """One scheduling opportunity of one node (Hadoop: nodeUpdate)."""
        room = self._ledger.rooms.get(node)
        return [] if room is None else self._assigner.offer(room)

    def cycle(self, now_ms: int, limit: int) -> Sequence[Decision]:
        """Offer all nodes until nothing changes or *limit* grants were made."""
        self._tidy(now_ms)
        decisions: list[Decision] = []
        grants = 0
        while grants < limit and self._idle_version != self._ledger.version:
            self.update(now_ms)
            version = self._ledger.version
            for room in tuple(self._ledger.rooms.values()):
                if not self._assigner.is_of_use(room):
                    continue
                made = self._assigner.offer(room)
                decisions += made
                grants += sum(1 for decision in made if isinstance(decision, Grant))
                if grants >= limit:
                    break
            if version == self._ledger.version and not self._waits_for_locality():
                self._idle_version = version
            elif version == self._ledger.version:
                break
        return decisions

    def _waits_for_locality(self) -> bool:
        return self._ledger.config.offers.node_locality_threshold >= 0

    def _tidy(self, now_ms: int) -> None:
        if now_ms - self._tidied_ms >= _TIDY_MS:
            self._tidied_ms = now_ms
            self._tree.tidy(now_ms)

    def preempt(self, now_ms: int) -> Sequence[Decision]:
        """One pass: those whose time is up are killed, others are marked and told."""
        if not self._ledger.config.preemption.enabled:
            return []
        self.update(now_ms)
        told = {container.id for container in self._preempter.choose(now_ms)}
        wait = self._ledger.config.preemption.wait_before_kill_ms
        decisions: list[Decision] = []
        for attempt in self._ledger.attempts.values():
            for container, since in attempt.marked.items():
                if now_ms - since >= wait:
                    decisions.append(Preempt(container, kill=True, message=_KILLED))
                elif container in told:
                    decisions.append(Preempt(container, kill=False, message=_MARKED))
        return decisions

    # --- asking

    def queue_status(self) -> Sequence[QueueStatus]:
        """Every queue, parents before children, in configured order."""
        self._settle_size()
        return reporting.queue_status(self._ledger, self._assigner)

    def why(self, application: ApplicationId, key: AskKey | None, now_ms: int) -> Verdict | None:  # noqa: ARG002
        """What stops an ask (None: the application's AM) now; None when nothing waits."""
        attempt = self._attempt(application)
        return explaining.why(self._ledger, self._assigner, self._runners, attempt, key or AM_KEY)

    def outstanding(self, application: ApplicationId) -> Sequence[Ask]:
        """What an application still asks for, in order of key; the AM's ask included."""
        attempt = self._ledger.attempts.get(application)
        if attempt is None:
            return []
        return [
            replace(attempt.asks[key].ask, count=attempt.asks[key].count) for key in attempt.keys
        ]

    def reservations(self, application: ApplicationId) -> Sequence[Reserve]:
        """What is reserved for an application."""
        attempt = self._ledger.attempts.get(application)
        if attempt is None:
            return []
        return [
            Reserve(application, held.key, node, held.size)
            for node, held in attempt.reservations.items()
        ]

    def queue_of(self, application: ApplicationId) -> str | None:
        """The leaf an application is in; None when it is not in the ledger."""
        attempt = self._ledger.attempts.get(application)
        return None if attempt is None else attempt.queue.path

    def demand(self, queue: str) -> Vector:
        """What a queue holds and wants, as of the last update, no more than its maximum."""
        return self._ledger.queues[queue].demand

    def runnable(self, queue: str) -> int:
        """How many applications of a leaf may run."""
        return len(self._ledger.queues[queue].runnable)

    def headroom(self, application: ApplicationId) -> Vector:
        """What the application may still get (Hadoop: AllocateResponse.limit)."""
        self._settle_size()
        queue, ledger = self._attempt(application).queue, self._ledger
        free = subtract(ledger.cluster, ledger.allocated)
        available = component_min(free, subtract(queue.maximum, queue.usage))
        return headrooms.headroom(queue.policy, queue.fair_share, queue.usage, available)

    def containers(self) -> Sequence[Container]:
        """Every container in the ledger, in order of id."""
        held = [
            container
            for attempt in self._ledger.attempts.values()
            for container in attempt.containers.values()
        ]
        return sorted(held, key=lambda container: container.id)


def _reserved_by(attempt: Attempt) -> Vector:
    sizes = [reservation.size for reservation in attempt.reservations.values()]
    total = tuple(0 for _ in attempt.usage)
    for size in sizes:
        total = add(total, size)
    return total

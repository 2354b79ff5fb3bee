"""The Fair Scheduler behind the calls of `schedulers.api.ResourceScheduler`.

Beyond those calls: `update` recomputes shares and starvation as Hadoop's update thread does. A
cycle does it by itself whenever something changed; whoever offers single nodes calls it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import AM_KEY, Ask, AskKey, Locality, is_update
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import Rejected
from kubeyarn.model.fair_queues import FairClusterConfig
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.reasons import Reason, Verdict
from kubeyarn.model.resources import ResourceTypes, Vector, add, component_min, subtract
from kubeyarn.schedulers.api import (
    Decision,
    Grant,
    Increase,
    Preempt,
    QueueStatus,
    Reserve,
    SchedulerNodeReport,
)
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.fair import explain as explaining
from kubeyarn.schedulers.fair import headroom as headrooms
from kubeyarn.schedulers.fair import share_update as sharing
from kubeyarn.schedulers.fair import status as reporting
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.attempt_lifecycle import Attempts
from kubeyarn.schedulers.fair.container_assigner import Assigner
from kubeyarn.schedulers.fair.max_running_apps import Runners
from kubeyarn.schedulers.fair.objects import Attempt, Room
from kubeyarn.schedulers.fair.placement import with_root
from kubeyarn.schedulers.fair.preemption import Preempter
from kubeyarn.schedulers.fair.queue_manager import Tree
from kubeyarn.schedulers.fair.queue_tree_checks import check_config
from kubeyarn.schedulers.fair.sizing import Sizing
from kubeyarn.schedulers.fair.submission import Admission
from kubeyarn.schedulers.java_numbers import single

_TIDY_MS = 10_000
_QUIET_ROUNDS = 3
_MARKED = "its room goes to an application below its share"
_KILLED = "preempted: its room goes to an application below its share"


class FairScheduler:
    """Hadoop's FairScheduler as a ledger and plain calls.

    *epoch* goes into the ids of containers and grows whenever a scheduler takes over. One that
    *stumbles* leaves a refresh half done where Hadoop does: at a removed queue that is gone.
    """

    def __init__(
        self, types: ResourceTypes | None = None, epoch: int = 0, *, stumbles: bool = False
    ) -> None:
        self._ledger = Ledger(types or ResourceTypes(), epoch)
        self._tree = Tree(self._ledger, stumbles=stumbles)
        self._runners = Runners(self._ledger)
        self._sizing = Sizing(self._ledger, self._tree)
        self._admission = Admission(self._ledger, self._tree, self._sizing)
        self._attempts = Attempts(self._ledger, self._runners, self._sizing)
        self._assigner = Assigner(self._ledger)
        self._preempter = Preempter(self._ledger)
        self._idle_version = -1
        self._tidied_ms = 0

    # --- configuration

    def configure(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force; running containers are never touched.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """
        check_config(config, self._ledger.types)
        self._sizing.settle()
        ledger = self._ledger
        ledger.config = config.fair or FairClusterConfig()
        ledger.check_access = config.check_access
        ledger.minimum_allocation = config.minimum_allocation
        ledger.maximum_allocation = config.maximum_allocation
        ledger.increment = config.increment_allocation or config.minimum_allocation
        ledger.reservation_threshold = multiply(
            ledger.increment, single(ledger.config.offers.reservation_multiple)
        )
        seen_through = self._tree.configure(config.queues, ledger.config.defaults, now_ms)
        sharing.rebuild_lines(ledger)
        if seen_through:
            self._runners.refill()
        ledger.touch()

    # --- nodes

    def stop(self, queue: str) -> None:
        """Queues of the Fair Scheduler have no state: one takes applications until it is gone."""

    def add_node(self, node: Node) -> None:
        """A node joins, last in order; containers that were recovered before are found on it.

        One that is known already changes as `update_node` says, and keeps its containers.
        """
        if node.name in self._ledger.rooms:
            self.update_node(node)
            return
        self._ledger.open(Room(node, self._ledger.zero))
        self._sizing.grow(node.total)

    def update_node(self, node: Node) -> None:
        """A node's total, partition, rack or schedulability changed; its containers stay."""
        room = self._ledger.rooms.get(node.name)
        if room is None:
            self.add_node(node)
            return
        change = subtract(node.total, room.node.total)
        room.free = add(room.free, change)
        if room.node.rack != node.rack:
            self._ledger.change_rack(room, node.rack)
        room.node = node
        self._sizing.grow(change)

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
        self._sizing.grow(subtract(self._ledger.zero, room.node.total))
        return lost

    # --- applications

    def submit(self, application: Application, now_ms: int) -> str:
        """Take an application; returns the leaf's full path it was placed in.

        Raises:
            Rejected: no rule takes it, the queue is no leaf, access, or an AM that is too large.
        """
        known = self._ledger.attempts.get(application.id)
        if known is not None:
            return known.queue.path
        if not self._ledger.queues:
            raise Rejected(Reason.QUEUE_NOT_FOUND, "there is no configuration yet; try again")
        self._sizing.settle()
        leaf = self._admission.admit(application, now_ms)
        self._attempts.start(application, 1, leaf, application.submitted_ms or now_ms)
        return leaf.path

    def start_attempt(self, application: ApplicationId, number: int, now_ms: int) -> None:
        """A further attempt replaces the one before, whose containers are gone; it asks for an AM.

        Others may run in its place first, as in Hadoop.
        """
        self.restart_attempts({application: number}, now_ms)

    def restart_attempts(self, numbers: Mapping[ApplicationId, int], now_ms: int) -> None:
        """Several attempts ended at once: all leave before any of their successors joins."""
        ended = [(self._attempt(application), number) for application, number in numbers.items()]
        for before, _ in ended:
            self._attempts.stop(before)
        for before, number in ended:
            self._attempts.start(before.application, number, before.queue, now_ms)

    def exclude_for_master(self, application: ApplicationId, places: frozenset[str]) -> None:
        """Nodes and racks where the current attempt's AM is not granted; replaces those before."""
        attempt = self._attempt(application)
        attempt.master_locality = Locality(excluded=places)
        asked = attempt.asks.get(AM_KEY)
        if asked is not None:
            self._attempts.ask(attempt, replace(asked.ask, locality=attempt.master_locality))
            self._ledger.touch()

    def master_gone(self, application: ApplicationId) -> None:
        """The current attempt's AM was granted and has ended: it is not asked for."""
        self._sizing.settle()
        attempt = self._attempt(application)
        asked = attempt.asks.get(AM_KEY)
        if attempt.am_running or asked is None:
            return
        self._attempts.drop_ask(attempt, AM_KEY)
        attempt.am_running, attempt.am_size = True, asked.ask.size
        attempt.queue.am_usage = add(attempt.queue.am_usage, attempt.am_size)
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def ask_for_master(self, application: ApplicationId, now_ms: int) -> None:
        """The current attempt asks for its AM again: the grant was taken back before it started."""
        self._sizing.settle()
        attempt = self._attempt(application)
        if not attempt.am_running:
            return
        attempt.am_running = False
        attempt.queue.am_usage = subtract(attempt.queue.am_usage, attempt.am_size)
        self._attempts.ask(
            attempt, Ask(AM_KEY, 1, attempt.am_size, locality=attempt.master_locality)
        )
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def finish(self, application: ApplicationId, now_ms: int) -> None:
        """An application ended; everything it holds or asks is gone from the ledger."""
        attempt = self._ledger.attempts.get(application)
        if attempt is not None:
            self._attempts.stop(attempt)
            del self._ledger.attempts[application]
            self._ledger.tags.remove_application(application)

    def move(self, application: ApplicationId, queue: str, now_ms: int) -> str:
        """Move an application with its containers; returns the leaf's full path.

        Raises:
            Rejected: the target does not take it; nothing changed.
        """
        self._sizing.settle()
        attempt = self._attempt(application)
        old, target = attempt.queue, self._tree.find_leaf(self._tree.inside(queue))
        if target is None:
            raise Rejected(
                Reason.QUEUE_NOT_LEAF,
                f"queue {with_root(queue)} does not exist or is not a leaf; "
                "move to a leaf that exists",
            )
        if target is old:
            return old.path
        self._attempts.check_move(attempt, target)
        self._attempts.move(attempt, target)
        return target.path

    def priority(self, application: ApplicationId) -> int:
        """Applications have no priorities here: 0, as in Hadoop.

        Raises:
            Rejected: it is not known.
        """
        self._attempt(application)
        return 0

    def set_priority(self, application: ApplicationId, priority: int, now_ms: int) -> int:
        """Applications have no priorities here (Hadoop: updateApplicationPriority).

        Raises:
            Rejected: always.
        """
        self._attempt(application)
        raise Rejected(
            Reason.INVALID_REQUEST,
            f"{application}: the Fair Scheduler does not order applications by priority; "
            "leave the priority out, or use weights of queues",
        )

    def _attempt(self, application: ApplicationId) -> Attempt:
        attempt = self._ledger.attempts.get(application)
        if attempt is None:
            raise Rejected(
                Reason.INVALID_REQUEST, f"{application} is not in the scheduler; submit it first"
            )
        return attempt

    # --- asks and containers

    def update_asks(self, application: ApplicationId, asks: Sequence[Ask], now_ms: int) -> None:
        """Replace the outstanding count of each ask's key (absolute; 0 cancels).

        Raises:
            Rejected: above the maximum allocation, negative, of a resource the queue has none of,
                or for a partition. Nothing of the call was applied.
        """
        self._sizing.settle()
        attempt = self._attempt(application)
        for ask in asks:
            self._admission.check_ask(attempt, ask)
        for ask in asks:
            size = self._sizing.normalized(ask.size, attempt.queue)
            self._attempts.ask(attempt, replace(ask, size=size))
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def recover(self, application: ApplicationId, container: Container) -> None:
        """Count a container that was granted before this ledger was built; never refused."""
        attempt = self._attempt(application)
        if container.id in attempt.containers:
            return
        self._ledger.hold(attempt, container)
        self._ledger.unreckoned[attempt] = None
        if container.id.attempt == attempt.id:
            attempt.next_number = max(attempt.next_number, container.id.number + 1)
        if container.am and not attempt.am_running:
            self._attempts.drop_ask(attempt, AM_KEY)
            attempt.am_running = True
            attempt.am_size = container.size
            attempt.queue.am_usage = add(attempt.queue.am_usage, container.size)
        self._ledger.available = subtract(self._ledger.cluster, self._ledger.allocated)
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def skip_numbers(self, application: ApplicationId, last: int) -> None:
        """Container numbers up to *last* of this ledger's epoch were given away before."""
        attempt = self._attempt(application)
        attempt.next_number = max(attempt.next_number, last + 1)

    def node_reports(self) -> Sequence[SchedulerNodeReport]:
        """Every node with what its containers leave of it."""
        return [
            SchedulerNodeReport(
                room.node.name,
                room.node.rack,
                room.node.partition,
                room.free,
                room.node.schedulable,
                room.reservation is not None,
            )
            for room in self._ledger.rooms.values()
        ]

    def next_id(self, application: ApplicationId) -> ContainerId:
        """A new id for a container of the current attempt that somebody else grants."""
        return self._assigner.next_id(self._attempt(application))

    def rounded(self, application: ApplicationId, size: Vector) -> Vector:
        """The size that a container of the application gets when it wants *size*.

        Raises:
            Rejected: above the maximum allocation, negative, or of what the queue has none of.
        """
        attempt = self._attempt(application)
        self._admission.check_ask(attempt, Ask(AM_KEY, 1, size))
        return self._sizing.normalized(size, attempt.queue)

    def decrease(self, container: ContainerId, size: Vector) -> None:
        """Charge a container for less, where it is; types that are more in *size* stay."""
        self._sizing.settle()
        attempt = self._ledger.attempts.get(container.attempt.application)
        held = attempt.containers.get(container) if attempt is not None else None
        if attempt is None or held is None:
            return
        less = component_min(held.size, size)
        if less != held.size:
            self._recount(attempt, held, held._replace(size=less))

    def request_increase(self, container: Container, more: Vector) -> None:
        """Want *more* for a container where it is; zero: nothing more.

        Raises:
            Rejected: its application is not known.
        """
        self._sizing.settle()
        attempt = self._attempt(container.id.attempt.application)
        self._attempts.want_more(attempt, container, more)
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def _recount(self, attempt: Attempt, before: Container, after: Container) -> None:
        self._ledger.free(attempt, before)
        self._ledger.hold(attempt, after)
        self._ledger.available = subtract(self._ledger.cluster, self._ledger.allocated)
        self._ledger.line_up(attempt)

    def _swapped(self, decision: Decision) -> Decision:
        """What was granted for an update of a container, as that container (swapContainer)."""
        if not isinstance(decision, Grant) or not is_update(decision.container.key):
            return decision
        granted = decision.container
        attempt = self._attempt(granted.id.attempt.application)
        wanted = attempt.updates.pop(granted.key.name)
        attempt.patience.pop(granted.key, None)
        held = attempt.containers.get(wanted.id)
        if held is None:
            promoted = wanted._replace(size=granted.size, partition=granted.partition)
            self._recount(attempt, granted, promoted)
            return Increase(promoted)
        self._ledger.free(attempt, granted)
        grown = held._replace(size=add(held.size, granted.size))
        self._recount(attempt, held, grown)
        return Increase(grown)

    def release(self, container: ContainerId, now_ms: int) -> None:
        """A container ended or was given back; unknown ids are ignored (freed once)."""
        self._free(container)

    def _free(self, container: ContainerId) -> None:
        attempt = self._ledger.attempts.get(container.attempt.application)
        held = attempt.containers.get(container) if attempt is not None else None
        if attempt is None or held is None:
            return
        self._ledger.free(attempt, held)
        if attempt.updates:
            self._attempts.want_more(attempt, held, self._ledger.zero)
        self._ledger.line_up(attempt)

    # --- deciding

    def update(self, now_ms: int) -> None:
        """Recompute shares if something changed, and note who is starved now."""
        if not self._ledger.queues:
            return
        self._sizing.settle()
        if self._ledger.is_stale:
            sharing.update(self._ledger)
        self._preempter.look(now_ms)

    def node_update(self, node: str, now_ms: int) -> Sequence[Decision]:
        """One scheduling opportunity of one node (Hadoop: nodeUpdate)."""
        room = self._ledger.rooms.get(node)
        made = [] if room is None or not self._ledger.queues else self._assigner.offer(room)
        return [self._swapped(decision) for decision in made]

    def cycle(self, now_ms: int, limit: int) -> Sequence[Decision]:
        """Offer all nodes until nothing changes or *limit* grants were made."""
        decisions: list[Decision] = []
        if not self._ledger.queues:
            return decisions
        self._tidy(now_ms)
        grants = quiet = 0
        while grants < limit and quiet < _QUIET_ROUNDS:
            if self._idle_version == self._ledger.version:
                break
            before, version = grants, self._ledger.version
            grants += self._round(now_ms, limit - grants, decisions)
            quiet = quiet + 1 if grants == before else 0
            if version == self._ledger.version and not self._waits_for_locality():
                self._idle_version = version
        return [self._swapped(decision) for decision in decisions]

    def _round(self, now_ms: int, limit: int, decisions: list[Decision]) -> int:
        """Offer every node once, or until *limit* grants were made; returns how many were."""
        self.update(now_ms)
        grants = 0
        for room in tuple(self._ledger.rooms.values()):
            if not self._assigner.is_of_use(room):
                continue
            made = self._assigner.offer(room)
            decisions += made
            grants += sum(1 for decision in made if isinstance(decision, Grant))
            if grants >= limit:
                break
        return grants

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
        if not self._ledger.queues:
            return []
        self._sizing.settle()
        return reporting.queue_status(self._ledger, self._assigner)

    def why(self, application: ApplicationId, key: AskKey | None, now_ms: int) -> Verdict | None:
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

    def effective_maximum(self, queue: str, partition: str) -> Vector | None:
        """What a queue may hold at most; partitions are nothing to the Fair Scheduler."""
        self._sizing.settle()
        found = self._ledger.queues.get(queue)
        return None if found is None else found.maximum

    def user_over_cap(self, application: ApplicationId, held: Vector, partition: str) -> bool:
        """Never: the Fair Scheduler limits what users run, not what they hold."""
        return False

    def headroom(self, application: ApplicationId) -> Vector:
        """What the application may still get (Hadoop: AllocateResponse.limit)."""
        self._sizing.settle()
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

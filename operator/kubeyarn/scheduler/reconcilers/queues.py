"""YarnQueues: the queue tree that the objects call for, put in force as far as it adds up.

Compared are the queues' specs with the tree in force. All of them are looked at together, because
they add up or do not together; `queue_tree.put_in_force` finds the largest part that does. What was
in force before is the fallback of each queue: from this process, or from the queues' status
(`inForce`) when another process decided, so that a restart decides the same.

A deleted queue is stopped at once and goes when nothing uses it and the others add up without it.
A new scheduler goes by the applications that it will recover instead of those that it knows.
Until then its object stays, held by the ResourceManager's finalizer. Whether that is so can change
without any queue changing, when an application ends; so `leaving` is compared with what the tree
was tried without last (`SchedulerState.tried_without`).
"""

from __future__ import annotations

from collections.abc import Mapping

from kubeyarn.crd import amounts, scheduler_config
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.lifecycle.application import TERMINAL
from kubeyarn.model.queues import SchedulerConfig, SchedulerKind
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.queue_tree import put_in_force
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.scheduler_state import SchedulerState
from kubeyarn.schedulers.fair.queue_tree_checks import check_policies

_ROOT = ("", scheduler_config.ROOT)
_IN_THE_TREE = "putting the tree in force"


class QueueReconciler:
    """Takes the queues into the scheduler, and says which scheduler they call for."""

    def __init__(self, cache: SchedulerCache, state: SchedulerState) -> None:
        self._cache = cache
        self._queues = cache.queues
        self._state = state

    def sync(self, now_ms: int, *, recovering: bool = False) -> bool:
        """Put what the queues say in force, as far as it adds up.

        *recovering*: the applications in the queues have not been recovered yet. Returns whether
        the scheduler was begun anew because no queue is left; it has to be told of the nodes again
        then.
        """
        without = self._unused(self._to_recover()) if recovering else self.leaving()
        self._state.try_without(without)
        wanted = {path: q for path, q in self._queues.objects.items() if path not in without}
        if not wanted and not self._state.applications.queues_in_use():
            # Every queue has gone, or is going, and nothing runs: the next tree begins without the
            # specs of this one to fall back on.
            self._state.forget_queues()
            return True
        before = self._state.in_force.objects or self._remembered()
        # Before the tree is tried: a queue that is restored must not take anything new meanwhile.
        for path in (before.keys() | without) - wanted.keys():
            self._state.scheduler.stop(path)
        before = {
            path: self._queues.objects.get(path, known).with_spec(known.spec)
            for path, known in before.items()
        }
        self._put_in_force(wanted, before, now_ms)
        return False

    def _put_in_force(
        self,
        wanted: Mapping[str, UncheckedQueue],
        before: Mapping[str, UncheckedQueue],
        now_ms: int,
    ) -> None:
        """Put what adds up in force; queues that our code fails on keep what was in force."""
        errors = self._cache.errors
        # Another tree than the one that failed, perhaps.
        errors.end_rest(Watched.QUEUE, _ROOT)
        error = errors.attempt(Watched.QUEUE, _ROOT, self._try_tree, wanted, before, now_ms)
        at_fault = set() if error is None else self._at_fault(wanted, before)
        for path in wanted:
            if error is not None and path in at_fault:
                errors.tell(Watched.QUEUE, ("", path), error, _IN_THE_TREE)
            else:
                for work in (_IN_THE_TREE, scheduler_config.read_queues.__qualname__):
                    errors.forget(Watched.QUEUE, ("", path), work)
        kept = {
            path: before.get(path, queue) if path in at_fault else queue
            for path, queue in wanted.items()
            if path in before or path not in at_fault
        }
        # Once more without them: the other changes of this turn are in force whatever one queue
        # does.
        if at_fault and kept:
            errors.end_rest(Watched.QUEUE, _ROOT)
            errors.attempt(Watched.QUEUE, _ROOT, self._try_tree, kept, before, now_ms)

    def _at_fault(
        self, wanted: Mapping[str, UncheckedQueue], before: Mapping[str, UncheckedQueue]
    ) -> set[str]:
        """The new specs that cannot be read alone; all new ones where each of them can."""
        new = {p for p, q in wanted.items() if p not in before or q.spec != before[p].spec}
        # What the code fails on may be two specs together; then nobody can say which, and none is
        # taken.
        return {path for path in new if self._fails_alone(path, wanted[path])} or new

    def _fails_alone(self, path: str, queue: UncheckedQueue) -> bool:
        errors, key, read = self._cache.errors, ("", path), scheduler_config.read_queues
        errors.end_rest(Watched.QUEUE, key)
        error = errors.attempt(Watched.QUEUE, key, read, [queue], self._state.types)
        return error is not None

    def _try_tree(
        self,
        wanted: Mapping[str, UncheckedQueue],
        before: Mapping[str, UncheckedQueue],
        now_ms: int,
    ) -> None:
        types = self._state.types
        tree = put_in_force(wanted, before, types, lambda config: self._try(config, now_ms))
        self._state.put_in_force(tree)

    def _try(self, config: SchedulerConfig, now_ms: int) -> None:
        """Put a configuration in force.

        Raises:
            ConfigRefused: it does not add up.
        """
        if config.kind is SchedulerKind.FAIR:
            # The Fair Scheduler itself would leave such queues out and not say so.
            check_policies(config)
        self._state.scheduler.configure(config, now_ms)

    def leaving(self) -> frozenset[str]:
        """Deleted queues that no application and no queue below them uses any more."""
        return self._unused(self._state.applications.queues_in_use())

    def _unused(self, leaves: set[str]) -> frozenset[str]:
        """The deleted queues with neither one of the *leaves* nor a queue that stays below them."""
        queues = self._queues.objects
        deleted = {path for path, queue in queues.items() if queue.deleted}
        used = leaves | (queues.keys() - deleted)
        return frozenset(
            path
            for path in deleted
            if not any(one == path or one.startswith(path + ".") for one in used)
        )

    def _to_recover(self) -> set[str]:
        """The leaves of applications that a new scheduler will find running.

        It knows no application yet when its queues are put in force. Without this a deleted queue
        would go under an application that runs in it, whose containers then count nowhere.
        """
        applications, requests = self._cache.applications.objects, self._cache.requests
        leaves = {queue for _, queue in self._state.applications.detached.values()}
        for key in requests.applications():
            application, states = applications.get(key), requests.of_application(key)
            running = application is not None and application.status.state not in TERMINAL
            if running or any(s.running or s.request.status.grants for s in states):
                leaves |= {s.queue or s.request.status.queue for s in states} - {""}
        return leaves

    def may_leave_now(self) -> bool:
        """Whether other deleted queues may leave than those the tree was tried without."""
        return self.leaving() != self._state.tried_without

    def _remembered(self) -> dict[str, UncheckedQueue]:
        """What was in force when another process decided, from the queues' status."""
        return {
            path: queue.with_spec(queue.status.in_force)
            for path, queue in self._queues.objects.items()
            if queue.status.in_force is not None
        }

    # Which scheduler.

    def needs_rebuild(self) -> bool:
        """Whether the objects call for another scheduler than the one in force.

        Root names the other kind, something names a resource that it does not count, or it stands
        for queues of which none is left.
        """
        return (
            self.wanted_kind() is not self._state.kind
            or self.wanted_types() != self._state.types
            or self.are_abandoned()
        )

    def are_abandoned(self) -> bool:
        """Whether all queues are gone, and nothing runs in them any more.

        Nothing is left to hold on to then: what comes next begins anew, as after a restart.
        """
        gone = not self._queues.objects and not len(self._state.applications)
        return gone and bool(self._state.in_force.objects)

    def wanted_kind(self) -> SchedulerKind:
        """The scheduler that root names."""
        root = self._queues.objects.get(scheduler_config.ROOT)
        # Of the spec as it is written: one with faults elsewhere names its scheduler still.
        cluster = None if root is None else root.spec.get("cluster")
        named = cluster.get("scheduler") if isinstance(cluster, Mapping) else None
        return SchedulerKind.FAIR if named == SchedulerKind.FAIR.value else SchedulerKind.CAPACITY

    def wanted_types(self) -> ResourceTypes:
        """Every resource that a queue or a node names, and those that requests were sized in.

        A resource whose last node goes, or that root names no longer, stays a type until no request
        names it any more: what is held of it is charged on, and who asks for it waits.
        """
        named = {
            *self._queues.named_resources(),
            *self._cache.nodes.extended_resources(),
            *self._cache.requests.named_resources(),
        }
        # Rare: a size is in the status, and so in the cache, as soon as it has been written.
        if any(name not in named for name in self._state.types.names):
            named |= self._unwritten_resources()
        return amounts.resource_types(named)

    def _unwritten_resources(self) -> set[str]:
        types, states = self._state.types, self._cache.requests.states.values()
        return {
            name
            for state in states
            for size in (state.size, *(one.size for one in state.allocations.values()))
            if size is not None
            for name, amount in types.mapping(size).items()
            if amount
        }

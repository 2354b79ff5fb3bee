"""The queues themselves: made from the configuration, on demand, and gone when empty.

Theory of operation (Hadoop: QueueManager, AllocationFileLoaderService).

A *declared* queue stands in the configuration. A *dynamic* one was made for an application, or was
declared once; it goes when it is empty, at the next `on_check`. Settings of a queue that nobody
declares come from the defaults and from its parent.

What holds: every queue but root has a parent that is a parent queue and whose policy allows its
own. A queue that would break this is not made, and Hadoop's configuration loads all the same. A
queue that changes between leaf and parent is *incompatible* with the one that is there: an empty
one is removed at once, for another the change waits in `_incompatible` until it is.

Why order matters: of equal children the first is served first, and preemption looks at leaves
in the order of `state.queues`. Hadoop keeps declared queues in hash sets, leaves apart from
parents, so new queues are made in the order in which Java's HashMap lists their paths, leaves
first, and a refresh does not sort those that are there.

`max_share` follows from the size of the cluster, too (`fair_shares.update_max_share`); everything
else comes from the configuration alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubeyarn.model.errors import Rejected
from kubeyarn.model.fair_queues import (
    FairPolicy,
    FairQueueConfig,
    FairQueueDefaults,
)
from kubeyarn.model.queues import Access, QueueConfig, check_path_length
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.fair.cluster_state import ROOT
from kubeyarn.schedulers.fair.fair_shares import (
    update_max_share,
    update_max_shares,
    update_steady_shares,
)
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue, FSParentQueue, FSQueue
from kubeyarn.schedulers.fair.placement import with_root
from kubeyarn.schedulers.fair.scheduling_policy import is_child_policy_allowed
from kubeyarn.schedulers.java_collections import hash_order
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState

_NOT_CONFIGURED = FairQueueConfig()
_EVERYBODY = Access(everyone=True)
_NOBODY = Access()


class QueueManager:
    """Makes, changes and removes the queues of one scheduler."""

    def __init__(self, state: FairClusterState, *, hadoop_compatible: bool = False) -> None:
        self._state = state
        self._hadoop_compatible = hadoop_compatible
        self._declared: dict[str, QueueConfig] = {}
        self._defaults = FairQueueDefaults()
        self._incompatible: dict[tuple[str, bool], None] = {}

    # --- queues by name

    def get_queue(self, name: str) -> FSQueue | None:
        """The queue of that path, whose leading `root.` may be missing."""
        return self._state.queues.get(with_root(name))

    def get_leaf_queue(self, name: str) -> FSLeafQueue | None:
        """The leaf queue of that path, if there is one."""
        queue = self.get_queue(name)
        return queue if isinstance(queue, FSLeafQueue) else None

    def is_declared(self, path: str) -> bool:
        """Whether the queue exists because the configuration says so."""
        queue = self.get_queue(path)
        return queue is not None and not queue.is_dynamic

    def is_leaf(self, path: str) -> bool:
        """Whether the queue exists and is a leaf."""
        return self.get_leaf_queue(path) is not None

    def is_reservable(self, path: str) -> bool:
        """Whether the queue exists and is kept for reservations."""
        path = with_root(path)
        return path in self._state.queues and self._settings(path).reservable

    def default_queue_of(self, path: str) -> str:
        """Where an application goes that is sent to *path*.

        Without a reservation that is, in a queue for reservations, the leaf for all others
        (Hadoop: FairScheduler.getDefaultQueueForPlanQueue).
        """
        if not self.is_reservable(path):
            return path
        return f"{with_root(path)}.{path.rpartition('.')[2]}-default"

    # --- the configuration

    def update_allocation_configuration(
        self, queues: Sequence[QueueConfig], defaults: FairQueueDefaults, now_ms: int
    ) -> bool:
        """Put a configuration in force; whether it was seen through to its end."""
        before = list(self._declared)
        self._declared = {queue.path: queue for queue in queues}
        self._defaults = defaults
        if ROOT not in self._state.queues:
            self._new_queue(ROOT, None, now_ms, is_leaf=False).is_dynamic = False
        # Policies first: whether a new queue may be made depends on its parent's new one.
        self._set_policies(self._state.root)
        self._ensure_queues_exist(queues, now_ms)
        # Parents come before their children, which inherit some of their settings.
        for queue in self._state.root.walk():
            self._apply_settings(queue)
        for queue in self._state.root.walk():
            if isinstance(queue, FSParentQueue):
                queue.order_is_non_transitive = any(_divides_by_zero(q) for q in queue.children)
        update_steady_shares(self._state)
        update_max_shares(self._state)
        # After the steady shares, as in Hadoop: what undeclared children are limited to below
        # counts in their steady shares only when nodes change the next time.
        if not self._set_queues_to_dynamic(before):
            return False
        for queue in self._state.queues.values():
            self._limit_dynamic_child(queue)
        return True

    def _ensure_queues_exist(self, queues: Sequence[QueueConfig], now_ms: int) -> None:
        parents = {queue.parent for queue in queues}
        ordered = sorted(queues, key=lambda queue: queue.order)
        leaves = [q.path for q in ordered if not _is_parent(q) and q.path not in parents]
        others = [q.path for q in ordered if _is_parent(q) or q.path in parents]
        for path in hash_order(leaves):
            self._ensure_queue_exists(path, now_ms, is_leaf=True)
        for path in hash_order(others):
            self._ensure_queue_exists(path, now_ms, is_leaf=False)

    def _ensure_queue_exists(self, path: str, now_ms: int, *, is_leaf: bool) -> None:
        if path == ROOT:
            return
        if self._remove_empty_incompatible(path, is_leaf=is_leaf) is False:
            self._incompatible[path, is_leaf] = None
            return
        queue = self._get_or_create(path, now_ms, is_leaf=is_leaf)
        if queue is not None:
            queue.is_dynamic = False

    def _set_queues_to_dynamic(self, before: Sequence[str]) -> bool:
        """Let queues that are no longer declared go once they are empty; False: not seen through.

        Hadoop's setQueuesToDynamic fails at a queue that does not exist, for example one that went
        with its parent when that became a leaf: those after it stay, and so do the limits. Only a
        *hadoop_compatible* scheduler does the same.
        """
        removed = [path for path in before if path not in self._declared]
        for path in hash_order(removed, len(before)):
            queue = self._state.queues.get(path)
            if queue is not None:
                queue.is_dynamic = True
            elif self._hadoop_compatible:
                return False
        return True

    def _set_policies(self, queue: FSQueue) -> bool:
        """Give existing queues their new policies, unless a parent does not allow its child's.

        Hadoop: FSQueue.verifyAndSetPolicyFromConf.
        """
        policy = self._policy(queue.path)
        for child in queue.child_queues:
            allowed = is_child_policy_allowed(policy, self._policy(child.path))
            if not allowed or not self._set_policies(child):
                return False
        queue.policy = policy
        return True

    def _policy(self, path: str) -> FairPolicy:
        return self._settings(path).policy or self._defaults.policy

    def _settings(self, path: str) -> FairQueueConfig:
        declared = self._declared.get(path)
        if declared is None or declared.fair is None:
            return _NOT_CONFIGURED
        return declared.fair

    def _apply_settings(self, queue: FSQueue) -> None:
        """Give a queue its settings; the parent has its own already (Hadoop: FSQueue.reinit)."""
        settings, defaults = self._settings(queue.path), self._defaults
        zero = self._state.zero
        queue.weight = single(1.0 if settings.weight is None else settings.weight)
        queue.min_share = zero if settings.minimum is None else settings.minimum
        queue.configured_max_share = settings.maximum or defaults.maximum
        queue.max_running_apps = _first(
            settings.maximum_running_applications, defaults.maximum_running_applications
        )
        if isinstance(queue, FSParentQueue):
            queue.max_child_share = settings.child_maximum
        elif isinstance(queue, FSLeafQueue):
            share = settings.maximum_am_share
            queue.max_am_share = defaults.maximum_am_share if share is None else share
        self._set_max_container_allocation(queue, settings)
        self._set_preemption(queue, settings)
        self._set_access(queue)
        update_max_share(self._state, queue)

    def _set_max_container_allocation(self, queue: FSQueue, settings: FairQueueConfig) -> None:
        if settings.maximum_container is not None:
            queue.max_container_allocation = settings.maximum_container
        elif queue.parent is not None:
            queue.max_container_allocation = queue.parent.max_container_allocation
        else:
            queue.max_container_allocation = ()

    def _set_preemption(self, queue: FSQueue, settings: FairQueueConfig) -> None:
        """Timeouts, threshold and protection, which are the parent's unless the queue sets them."""
        parent, defaults = queue.parent, self._defaults
        queue.min_share_preemption_timeout_ms = _first(
            settings.min_share_preemption_timeout_ms,
            parent.min_share_preemption_timeout_ms
            if parent
            else defaults.min_share_preemption_timeout_ms,
        )
        queue.fair_share_preemption_timeout_ms = _first(
            settings.fair_share_preemption_timeout_ms,
            parent.fair_share_preemption_timeout_ms
            if parent
            else defaults.fair_share_preemption_timeout_ms,
        )
        threshold = settings.fair_share_preemption_threshold
        if threshold is None:
            above = parent or defaults
            threshold = above.fair_share_preemption_threshold
        queue.fair_share_preemption_threshold = threshold
        queue.preemptable = settings.allow_preemption_from and (
            parent is None or parent.preemptable
        )

    def _set_access(self, queue: FSQueue) -> None:
        declared = self._declared.get(queue.path)
        default = _EVERYBODY if queue.parent is None else _NOBODY
        submit = declared.submit if declared is not None else None
        administer = declared.administer if declared is not None else None
        queue.access = (submit or default, administer or default)

    def _limit_dynamic_child(self, queue: FSQueue) -> None:
        """Give a queue that is not declared the maximum its parent gives such children."""
        parent = queue.parent
        if parent is None or queue.path in self._declared or parent.max_child_share is None:
            return
        queue.configured_max_share = parent.max_child_share
        update_max_share(self._state, queue)

    # --- queues on demand

    def get_or_create_leaf(self, path: str, now_ms: int) -> FSLeafQueue:
        """The leaf of that path, made with its missing ancestors if it does not exist.

        Raises:
            Rejected: it exists as a parent, a leaf stands above it, or its policy is not allowed.
        """
        path = with_root(path)
        known = self._state.queues.get(path)
        queue = known or self._create(path, now_ms, is_leaf=True)
        if not isinstance(queue, FSLeafQueue):
            raise Rejected(
                Reason.QUEUE_NOT_LEAF,
                f"queue {path} is not a leaf queue; use a leaf below it, or another queue",
            )
        if known is None:
            update_steady_shares(self._state)
            self._state.dirty.shares_changed()
        return queue

    def _get_or_create(self, path: str, now_ms: int, *, is_leaf: bool) -> FSQueue | None:
        known = self._state.queues.get(path)
        return known if known is not None else self._create(path, now_ms, is_leaf=is_leaf)

    def _create(self, path: str, now_ms: int, *, is_leaf: bool) -> FSQueue | None:
        """Make a queue and its missing ancestors; None where a policy or a leaf is in the way.

        Ancestors that were made before the failure stay, as in Hadoop.
        """
        check_path_length(path)
        missing: list[str] = []
        above = path
        while above not in self._state.queues:
            _check_name(above)
            missing.insert(0, above)
            above = above.rpartition(".")[0]
        queue = self._state.queues[above]
        for name in missing:
            if not isinstance(queue, FSParentQueue):
                return None
            policy = self._policy(name)
            # A missing queue before the last one is a parent, which cannot be fifo.
            leaf = is_leaf and name == path
            if not is_child_policy_allowed(queue.policy, policy):
                return None
            if not leaf and policy is FairPolicy.FIFO:
                return None
            queue = self._new_queue(name, queue, now_ms, is_leaf=leaf)
        return queue

    def _new_queue(
        self, path: str, parent: FSParentQueue | None, now_ms: int, *, is_leaf: bool
    ) -> FSQueue:
        zero = self._state.zero
        queue: FSQueue
        if is_leaf:
            queue = FSLeafQueue(path, parent, zero)
            queue.last_time_at_min_share_ms = now_ms
        else:
            queue = FSParentQueue(path, parent, zero)
        queue.policy = self._policy(path)
        self._state.queues[path] = queue
        if parent is not None:
            parent.children.append(queue)
        self._apply_settings(queue)
        if parent is not None and _divides_by_zero(queue):
            parent.order_is_non_transitive = True
        self._limit_dynamic_child(queue)
        return queue

    # --- queues that go

    def _remove_empty_incompatible(self, path: str, *, is_leaf: bool) -> bool | None:
        """Remove an empty queue that is in the way of *path*.

        Hadoop: removeEmptyIncompatibleQueues. True: removed. False: it is not empty. None: nothing
        is in the way.
        """
        # Hadoop never removes root.default to make a queue below it.
        if path.startswith(f"{ROOT}.default."):
            return None
        known = self._state.queues.get(path)
        if known is not None:
            if isinstance(known, FSLeafQueue) == is_leaf:
                return None
            return self._remove_if_empty(known)
        above = path.rpartition(".")[0]
        while above:
            queue = self._state.queues.get(above)
            if isinstance(queue, FSLeafQueue):
                return self._remove_if_empty(queue)
            above = above.rpartition(".")[0]
        return None

    def _remove_if_empty(self, queue: FSQueue) -> bool:
        if not queue.is_empty:
            return False
        self._remove(queue)
        return True

    def _remove(self, queue: FSQueue) -> None:
        for child in tuple(queue.child_queues):
            self._remove(child)
        del self._state.queues[queue.path]
        if queue.parent is not None:
            queue.parent.children.remove(queue)
            queue.parent.schedulables.remove(queue)
        self._state.dirty.shares_changed()

    def on_check(self, now_ms: int) -> None:
        """Remove empty dynamic queues, and retry queues that were incompatible.

        Hadoop: AllocationReloadListener.onCheck, every ten seconds.
        """
        # Children before parents, so that a parent whose last child goes goes with it.
        for queue in reversed(list(self._state.root.walk())):
            if queue.is_dynamic and queue.parent is not None and queue.is_empty:
                self._remove(queue)
        for path, is_leaf in tuple(self._incompatible):
            if self._remove_empty_incompatible(path, is_leaf=is_leaf) is False:
                continue
            del self._incompatible[path, is_leaf]
            made = self._get_or_create(path, now_ms, is_leaf=is_leaf)
            if made is not None:
                made.is_dynamic = path not in self._declared


def _is_parent(queue: QueueConfig) -> bool:
    return queue.path == ROOT or (queue.fair is not None and queue.fair.parent)


def _divides_by_zero(queue: FSQueue) -> bool:
    """Whether its parent's policy divides by a weight of 0 (see comparators)."""
    parent = queue.parent
    return parent is not None and parent.policy is FairPolicy.DRF and queue.weight <= 0


def _first(configured: int | None, otherwise: int) -> int:
    return otherwise if configured is None else configured


def _check_name(path: str) -> None:
    name = path.rpartition(".")[2]
    if not name or name != name.strip():
        raise Rejected(
            Reason.QUEUE_NOT_FOUND,
            f"queue {path!r} cannot be made: every part of it needs a name without blanks",
        )

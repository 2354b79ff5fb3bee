"""The queues themselves: made from the configuration, on demand, and gone when empty.

Hadoop: QueueManager. A queue whose policy its parent does not allow is not made, and a queue that
changes between leaf and parent waits until the old one is empty.
"""

from __future__ import annotations

from collections.abc import Sequence

from kubeyarn.model.errors import Rejected
from kubeyarn.model.fair_queues import (
    UNBOUNDED,
    FairPolicy,
    FairQueueConfig,
    FairQueueDefaults,
)
from kubeyarn.model.queues import Access, QueueConfig
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import component_max
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.compute_fair_shares import Claim, fair_shares
from kubeyarn.schedulers.fair.objects import Queue
from kubeyarn.schedulers.fair.placement import with_root
from kubeyarn.schedulers.java_collections import hash_order
from kubeyarn.schedulers.java_numbers import single

_ROOT = "root"
_NOTHING = FairQueueConfig()
_EVERYBODY = Access(everyone=True)
_NOBODY = Access()


class Tree:
    """The queue tree of a ledger."""

    def __init__(self, ledger: Ledger, *, stumbles: bool = False) -> None:
        self._ledger = ledger
        self._stumbles = stumbles
        self._declared: dict[str, QueueConfig] = {}
        self._defaults = FairQueueDefaults()
        self._postponed: dict[tuple[str, bool], None] = {}

    # --- asking

    def find(self, name: str) -> Queue | None:
        """The queue of that path, whose leading `root.` may be missing."""
        return self._ledger.queues.get(with_root(name))

    def find_leaf(self, name: str) -> Queue | None:
        """The leaf queue of that path, if there is one."""
        queue = self.find(name)
        return queue if queue is not None and queue.is_leaf else None

    def is_declared(self, path: str) -> bool:
        """Whether the queue exists because the configuration says so."""
        queue = self.find(path)
        return queue is not None and queue.declared

    def is_leaf(self, path: str) -> bool:
        """Whether the queue exists and is a leaf."""
        return self.find_leaf(path) is not None

    def is_reservable(self, path: str) -> bool:
        """Whether the queue exists and is kept for reservations."""
        return with_root(path) in self._ledger.queues and self._settings(with_root(path)).reservable

    def inside(self, path: str) -> str:
        """Where an application goes that is sent to *path*.

        Without a reservation that is, in a queue for reservations, the leaf for all others
        (Hadoop: FairScheduler.getDefaultQueueForPlanQueue).
        """
        if not self.is_reservable(path):
            return path
        return f"{with_root(path)}.{path.rpartition('.')[2]}-default"

    # --- the configuration

    def configure(
        self, queues: Sequence[QueueConfig], defaults: FairQueueDefaults, now_ms: int
    ) -> bool:
        """Put a configuration in force; whether it was seen through to its end.

        Hadoop: AllocationReloadListener.onReload, QueueManager.updateAllocationConfiguration.
        """
        before = list(self._declared)
        self._declared = {queue.path: queue for queue in queues}
        self._defaults = defaults
        if _ROOT not in self._ledger.queues:
            self._make(_ROOT, None, now_ms, is_leaf=False).declared = True
        self._set_policies(self._ledger.root)
        parents = {queue.parent for queue in queues}
        ordered = sorted(queues, key=lambda queue: queue.order)
        leaves = [q.path for q in ordered if not _is_parent(q) and q.path not in parents]
        others = [q.path for q in ordered if _is_parent(q) or q.path in parents]
        # Hadoop keeps them in hash sets; who is looked at first for starvation follows from it.
        for path in hash_order(leaves):
            self._declare(path, now_ms, is_leaf=True)
        for path in hash_order(others):
            self._declare(path, now_ms, is_leaf=False)
        for queue in self._ledger.root.down():
            self._set_up(queue)
        for queue in self._ledger.root.down():
            queue.is_contrary = any(_is_weightless(child) for child in queue.children)
        self.share_steadily()
        self.set_maxima()
        if not self._make_dynamic(before):
            return False
        self._apply_child_limits()
        return True

    def _make_dynamic(self, before: Sequence[str]) -> bool:
        """Queues no longer declared may go once they are empty; False for who stumbles over one.

        Hadoop's setQueuesToDynamic fails at a queue that does not exist, for example one that went
        with its parent when that became a leaf: those after it stay, and so do the limits.
        """
        removed = [path for path in before if path not in self._declared]
        for path in hash_order(removed, len(before)):
            gone = self._ledger.queues.get(path)
            if gone is not None:
                gone.declared = False
            elif self._stumbles:
                return False
        return True

    def _set_policies(self, queue: Queue) -> bool:
        """Give existing queues their new policies, unless a parent does not allow its child's."""
        policy = self._policy(queue.path)
        for child in queue.children:
            if not allows(policy, self._policy(child.path)) or not self._set_policies(child):
                return False
        queue.policy = policy
        return True

    def _policy(self, path: str) -> FairPolicy:
        return self._settings(path).policy or self._defaults.policy

    def _settings(self, path: str) -> FairQueueConfig:
        declared = self._declared.get(path)
        return declared.fair if declared is not None and declared.fair is not None else _NOTHING

    def _declare(self, path: str, now_ms: int, *, is_leaf: bool) -> None:
        if path == _ROOT:
            return
        if self._make_way(path, is_leaf=is_leaf) is False:
            self._postponed[path, is_leaf] = None
            return
        queue = self._find_or_create(path, now_ms, is_leaf=is_leaf)
        if queue is not None:
            queue.declared = True

    def _set_up(self, queue: Queue) -> None:
        """Give a queue its settings; the parent has its own already."""
        settings, defaults, parent = self._settings(queue.path), self._defaults, queue.parent
        zero = self._ledger.zero
        queue.weight = single(1.0 if settings.weight is None else settings.weight)
        queue.minimum = zero if settings.minimum is None else settings.minimum
        queue.limit = settings.maximum or defaults.maximum
        queue.child_limit = settings.child_maximum
        queue.maximum_container = self._container_limit(settings, parent)
        queue.maximum_running = _first(
            settings.maximum_running_applications, defaults.maximum_running_applications
        )
        share = settings.maximum_am_share
        queue.maximum_am_share = defaults.maximum_am_share if share is None else share
        queue.min_timeout_ms = _first(
            settings.min_share_preemption_timeout_ms,
            parent.min_timeout_ms if parent else defaults.min_share_preemption_timeout_ms,
        )
        queue.fair_timeout_ms = _first(
            settings.fair_share_preemption_timeout_ms,
            parent.fair_timeout_ms if parent else defaults.fair_share_preemption_timeout_ms,
        )
        threshold = settings.fair_share_preemption_threshold
        if threshold is None:
            threshold = parent.threshold if parent else defaults.fair_share_preemption_threshold
        queue.threshold = threshold
        queue.allow_preemption = settings.allow_preemption_from and (
            parent is None or parent.allow_preemption
        )
        self._set_access(queue)
        self._set_maximum(queue)

    def _container_limit(
        self, settings: FairQueueConfig, parent: Queue | None
    ) -> tuple[int | None, ...]:
        if settings.maximum_container is not None:
            return settings.maximum_container
        return parent.maximum_container if parent is not None else ()

    def _set_access(self, queue: Queue) -> None:
        declared = self._declared.get(queue.path)
        default = _EVERYBODY if queue.parent is None else _NOBODY
        submit = declared.submit if declared is not None else None
        administer = declared.administer if declared is not None else None
        queue.access = (submit or default, administer or default)

    def _apply_child_limits(self) -> None:
        """Dynamic queues have the maximum their parent gives such children."""
        for queue in self._ledger.queues.values():
            self._limit_dynamic(queue)

    def _limit_dynamic(self, queue: Queue) -> None:
        parent = queue.parent
        if parent is None or queue.path in self._declared or parent.child_limit is None:
            return
        queue.limit = parent.child_limit
        self._set_maximum(queue)

    def set_maxima(self) -> None:
        """Work out every queue's maximum in the cluster as it is."""
        for queue in self._ledger.queues.values():
            self._set_maximum(queue)

    def _set_maximum(self, queue: Queue) -> None:
        queue.maximum = component_max(queue.limit.of(self._ledger.cluster), queue.minimum)
        queue.is_bounded = min(queue.maximum) < UNBOUNDED

    def share_steadily(self) -> None:
        """Work out the steady fair shares, which count every queue."""
        self._ledger.root.steady_share = self._ledger.cluster
        self._share_below(self._ledger.root)

    def _share_below(self, queue: Queue) -> None:
        places = range(len(self._ledger.cluster)) if queue.policy is FairPolicy.DRF else (0,)
        for place in places if queue.policy is not FairPolicy.FIFO else ():
            claims = [Claim(q.weight, q.minimum[place], q.maximum[place]) for q in queue.children]
            shares = fair_shares(claims, queue.steady_share[place])
            for child, share in zip(queue.children, shares, strict=True):
                steady = child.steady_share
                child.steady_share = (*steady[:place], share, *steady[place + 1 :])
        for child in queue.children:
            if not child.is_leaf:
                self._share_below(child)

    # --- queues on demand

    def leaf_for(self, path: str, now_ms: int) -> Queue:
        """The leaf of that path, made with its missing ancestors if it does not exist.

        Raises:
            Rejected: it exists as a parent, a leaf stands above it, or its policy is not allowed.
        """
        path = with_root(path)
        known = self._ledger.queues.get(path)
        queue = known or self._create(path, now_ms, is_leaf=True)
        if queue is None or not queue.is_leaf:
            raise Rejected(
                Reason.QUEUE_NOT_LEAF,
                f"queue {path} is not a leaf queue; use a leaf below it, or another queue",
            )
        if known is None:
            self.share_steadily()
            self._ledger.touch()
        return queue

    def _find_or_create(self, path: str, now_ms: int, *, is_leaf: bool) -> Queue | None:
        known = self._ledger.queues.get(path)
        return known if known is not None else self._create(path, now_ms, is_leaf=is_leaf)

    def _create(self, path: str, now_ms: int, *, is_leaf: bool) -> Queue | None:
        """Make a queue and its missing ancestors; None where a policy or a leaf is in the way."""
        missing: list[str] = []
        above = path
        while above not in self._ledger.queues:
            _check_name(above)
            missing.insert(0, above)
            above = above.rpartition(".")[0]
        parent = self._ledger.queues[above]
        if parent.is_leaf:
            return None
        queue = parent
        for name in missing:
            policy = self._policy(name)
            leaf = is_leaf and name == path
            if not allows(parent.policy, policy) or (not leaf and policy is FairPolicy.FIFO):
                return None
            queue = self._make(name, parent, now_ms, is_leaf=leaf)
            parent = queue
        return queue

    def _make(self, path: str, parent: Queue | None, now_ms: int, *, is_leaf: bool) -> Queue:
        queue = Queue(path, parent, self._ledger.zero, is_leaf=is_leaf)
        queue.policy = self._policy(path)
        queue.at_min_share_ms = now_ms
        self._ledger.queues[path] = queue
        if parent is not None:
            parent.children.append(queue)
        self._set_up(queue)
        if parent is not None and _is_weightless(queue):
            parent.is_contrary = True
        self._limit_dynamic(queue)
        return queue

    # --- queues that go

    def _make_way(self, path: str, *, is_leaf: bool) -> bool | None:
        """Remove an empty queue that is in the way of *path*.

        True: removed. False: it is not empty. None: nothing is in the way.
        """
        if path.startswith(f"{_ROOT}.default."):
            return None
        known = self._ledger.queues.get(path)
        if known is not None:
            return None if known.is_leaf == is_leaf else self._remove_if_empty(known)
        above = path.rpartition(".")[0]
        while above:
            queue = self._ledger.queues.get(above)
            if queue is not None and queue.is_leaf:
                return self._remove_if_empty(queue)
            above = above.rpartition(".")[0]
        return None

    def _remove_if_empty(self, queue: Queue) -> bool:
        if not queue.is_empty:
            return False
        self._remove(queue)
        return True

    def _remove(self, queue: Queue) -> None:
        for child in tuple(queue.children):
            self._remove(child)
        del self._ledger.queues[queue.path]
        if queue.parent is not None:
            queue.parent.children.remove(queue)
            queue.parent.line.drop(queue)
        self._ledger.touch()

    def tidy(self, now_ms: int) -> None:
        """Remove empty dynamic queues and retry what was postponed (every ten seconds)."""
        for queue in reversed(list(self._ledger.root.down())):
            if not queue.declared and queue.parent is not None and queue.is_empty:
                self._remove(queue)
        for path, is_leaf in tuple(self._postponed):
            if self._make_way(path, is_leaf=is_leaf) is False:
                continue
            del self._postponed[path, is_leaf]
            made = self._find_or_create(path, now_ms, is_leaf=is_leaf)
            if made is not None:
                made.declared = path in self._declared


def _is_parent(queue: QueueConfig) -> bool:
    return queue.path == _ROOT or (queue.fair is not None and queue.fair.parent)


def _is_weightless(queue: Queue) -> bool:
    """Whether its parent's policy divides by a weight of nothing."""
    parent = queue.parent
    return parent is not None and parent.policy is FairPolicy.DRF and queue.weight <= 0


def _first(said: int | None, otherwise: int) -> int:
    return otherwise if said is None else said


def allows(parent: FairPolicy, child: FairPolicy) -> bool:
    """Whether a queue of one policy may have a child of another (Hadoop: isChildPolicyAllowed)."""
    if parent is FairPolicy.FIFO:
        return False
    return parent is FairPolicy.DRF or child is not FairPolicy.DRF


def _check_name(path: str) -> None:
    name = path.rpartition(".")[2]
    if not name or name != name.strip():
        raise Rejected(
            Reason.QUEUE_NOT_FOUND,
            f"queue {path!r} cannot be made: every part of its name must be said, without blanks",
        )

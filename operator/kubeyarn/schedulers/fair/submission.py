"""Whether an application or an ask is taken, and where (Hadoop: RMAppManager, FairScheduler)."""

from __future__ import annotations

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask
from kubeyarn.model.errors import AccessDenied, Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.objects import Attempt, Queue
from kubeyarn.schedulers.fair.placement import Submission, default_rules, place
from kubeyarn.schedulers.fair.queue_manager import Tree
from kubeyarn.schedulers.fair.sizes import check_queue_has, check_size
from kubeyarn.schedulers.fair.sizing import Sizing


class Admission:
    """Checks what comes in; refuses before anything is changed but the queue made for it."""

    def __init__(self, ledger: Ledger, tree: Tree, sizing: Sizing) -> None:
        self._ledger = ledger
        self._tree = tree
        self._sizing = sizing

    def admit(self, application: Application, now_ms: int) -> Queue:
        """The leaf that takes an application, made if need be.

        Raises:
            Rejected: no rule takes it, the queue is no leaf, access, or an AM that is too large.
        """
        taken = self._ledger.queues.get(application.placed)
        if taken is not None and taken.is_leaf:
            return taken
        path = self._place(application)
        if self._ledger.check_access:
            self._check_access(application, self._nearest(path))
        if application.am_size is not None:
            maximum = self._sizing.container_maximum(self._tree.find(path))
            check_size(application.am_size, maximum, self._ledger.types, "AM container")
        leaf = self._tree.leaf_for(self._tree.inside(path), now_ms)
        if self._ledger.check_access:
            self._check_access(application, leaf)
        if application.am_size is not None:
            size = self._sizing.normalized(application.am_size, leaf)
            check_queue_has(size, leaf.maximum, self._ledger.types, leaf.path)
        return leaf

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
            if above.path in application.allowed:
                return
            if any(access.allows(application.user, groups) for access in above.access):
                return
        raise AccessDenied(
            queue.path,
            f"user {application.user} may neither submit to queue {queue.path} nor administer "
            "it, nor any queue above it; ask for the right to submit",
        )

    def check_ask(self, attempt: Attempt, ask: Ask) -> None:
        """Refuse an ask that can never be served as it is.

        Raises:
            Rejected: negative, too large, of a resource the queue has none of, or for a partition.
        """
        types = self._ledger.types
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
        check_size(ask.size, self._sizing.container_maximum(attempt.queue), types, what)
        check_queue_has(ask.size, attempt.queue.maximum, types, attempt.queue.path)

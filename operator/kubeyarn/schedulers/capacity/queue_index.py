"""Queues by path and by short name: what submission and placement look up.

Hadoop: CSQueueStore. The index is rebuilt whenever a queue comes or goes; nothing else changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
    from kubeyarn.schedulers.capacity.objects.queue import Queue


class QueueIndex:
    """All queues of a tree, to be rebuilt when queues come or go.

    *on_demand* says whether any was auto-created.
    """

    def __init__(self) -> None:
        self.queues: dict[str, Queue] = {}
        self.on_demand = False
        self._named: dict[str, list[Queue]] = {}

    def rebuild(self, root: ParentQueue) -> None:
        """Take in the tree as it is now."""
        self.queues = {queue.path: queue for queue in root.walk()}
        self.on_demand = any(queue.on_demand for queue in self.queues.values())
        self._named = {}
        for queue in self.queues.values():
            queue.chain = tuple(queue.path_up())
            self._named.setdefault(queue.name, []).append(queue)

    def known(self, name: str) -> bool:
        """Whether a queue has this path or short name."""
        return name in self.queues or name in self._named

    def queue(self, name: str) -> Queue:
        """The queue meant by a path or short name.

        Raises:
            Rejected: QueueNotFound or QueueAmbiguous.
        """
        queue = self.queues.get(name)
        if queue is not None:
            return queue
        named = self._named.get(name, [])
        if not named:
            raise Rejected(Reason.QUEUE_NOT_FOUND, f"queue {name!r} does not exist")
        if len(named) > 1:
            raise Rejected(
                Reason.QUEUE_AMBIGUOUS,
                f"queue name {name!r} is ambiguous: it may be "
                + " or ".join(sorted(one.path for one in named))
                + "; use the full path",
            )
        return named[0]

    def leaf(self, name: str) -> LeafQueue:
        """The leaf meant by a path or short name.

        Raises:
            Rejected: QueueNotFound, QueueAmbiguous or QueueNotLeaf.
        """
        queue = self.queue(name)
        if not queue.leaf:
            raise Rejected(Reason.QUEUE_NOT_LEAF, f"queue {queue.path} is not a leaf queue")
        return queue

    def nearest(self, path: str) -> Queue | None:
        """The deepest existing queue on the way to *path*."""
        while path and path not in self.queues:
            path = path.rpartition(".")[0]
        return self.queues.get(path)

    # -- what placement asks ---------------------------------------------------------------------

    def path_of(self, name: str) -> str | None:
        """The full path of an existing queue, by path or unambiguous short name."""
        if name in self.queues:
            return name
        named = self._named.get(name, [])
        return named[0].path if len(named) == 1 else None

    def is_leaf(self, path: str) -> bool:
        """Whether an existing queue is a leaf."""
        return self.queues[path].leaf

    def ambiguous(self, name: str) -> bool:
        """Whether several queues have this short name."""
        return name not in self.queues and len(self._named.get(name, ())) > 1

    def makes_children(self, path: str) -> bool:
        """Whether an existing queue makes leaves on demand."""
        return self.queues[path].makes_children

    def makes_parents(self, path: str) -> bool:
        """Whether an existing queue makes branches on demand."""
        return self.queues[path].makes_branches

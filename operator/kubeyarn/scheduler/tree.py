"""The queues that the objects call for, put in force."""

from __future__ import annotations

from kubeyarn.crd import amounts, queues
from kubeyarn.crd.object import Object
from kubeyarn.model.queues import SchedulerConfig, SchedulerKind
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.scheduler import nodes, queue_tree
from kubeyarn.scheduler.books import Books
from kubeyarn.scheduler.queue_tree import InForce
from kubeyarn.schedulers.fair.queue_tree_checks import check_policies


def configure(books: Books, now_ms: int) -> None:
    """Put what the queues say in force, as far as it adds up.

    A deleted queue that nothing uses goes, if the others add up without it; until then it
    stays, stopped, and so does its object (`resourcemanager.queues.QueueKeeper`).
    """
    books.tried_without = leaving(books)
    found = {path: q for path, q in books.queues.items() if path not in books.tried_without}
    if not found and not books.placed:
        # Every queue has gone, or is going, and nothing runs: nothing is owed to the tree.
        _begin_anew(books, now_ms)
        return
    before = books.in_force.objects or _remembered(books)
    for path in (before.keys() | books.tried_without) - found.keys():
        books.engine.stop(path)
    before = {
        path: queue_tree.with_spec(books.queues.get(path, word), queue_tree.spec(word))
        for path, word in before.items()
    }
    books.in_force = queue_tree.put_in_force(
        found, before, books.types, lambda config: _try(books, config, now_ms)
    )


def _try(books: Books, config: SchedulerConfig, now_ms: int) -> None:
    """Put a configuration in force that leaves no queue out without a word."""
    if config.kind is SchedulerKind.FAIR:
        check_policies(config)
    books.engine.configure(config, now_ms)


def _begin_anew(books: Books, now_ms: int) -> None:
    """Forget the tree; the next one is held to nothing that this one said."""
    books.in_force = InForce()
    books.engine = books.make_engine(books.kind, books.types)
    books.in_engine.clear()
    for name in sorted(books.nodes):
        nodes.sync_node(books, name, now_ms)


def leaving(books: Books) -> frozenset[str]:
    """Deleted queues that no application and no queue below them uses any more."""
    deleted = {path for path, q in books.queues.items() if "deletionTimestamp" in q["metadata"]}
    used = {*books.placed.values(), *(books.queues.keys() - deleted)}
    return frozenset(
        path
        for path in deleted
        if not any(one == path or one.startswith(path + ".") for one in used)
    )


def _remembered(books: Books) -> dict[str, Object]:
    """The words in force when another process decided, from the queues' status."""
    remembered = {}
    for name, queue in books.queues.items():
        words = (queue.get("status") or {}).get("inForce")
        if words is not None:
            remembered[name] = queue_tree.with_spec(queue, words)
    return remembered


def abandoned(books: Books) -> bool:
    """Whether all queues are gone, and nothing runs in them any more.

    Nothing is left to hold on to then: what comes next begins anew, as after a restart.
    """
    return not books.queues and not books.submitted_as and bool(books.in_force.objects)


def wanted_kind(books: Books) -> SchedulerKind:
    """The scheduler that root names."""
    root = (books.queues.get(queues.ROOT) or {}).get("spec") or {}
    said = (root.get("cluster") or {}).get("scheduler")
    return SchedulerKind.FAIR if said == SchedulerKind.FAIR.value else SchedulerKind.CAPACITY


def all_types(books: Books) -> ResourceTypes:
    """Every resource that a queue or a node names."""
    if books.named_by_queues is None:
        books.named_by_queues = frozenset(queues.resource_types(books.queues.values()).names)
    on_nodes = {name for name, count in books.extended.items() if count}
    return amounts.resource_types({*books.named_by_queues, *on_nodes})

"""Pods as the ledger sees them: those of containers, and foreign ones that take room."""

from __future__ import annotations

from kubeyarn.crd.object import Key, Object
from kubeyarn.model.ids import ContainerId
from kubeyarn.scheduler import binding, facts
from kubeyarn.scheduler.books import Books
from kubeyarn.scheduler.facts import PodUse


def see_pod(books: Books, pod: Object, *, deleted: bool) -> tuple[PodUse, str]:
    """Take a pod as seen; returns its facts and the node whose free room it changed, or ""."""
    use = facts.pod_use(pod)
    key = (use.namespace, use.name)
    before = books.pods.get(key)
    if not deleted:
        books.pods[key] = use
    elif before is not None and before.uid == use.uid:
        # A deletion that nobody watched tells only which pod it was.
        use = books.pods.pop(key)
    if use.container is not None:
        _see_container(books, use, deleted=deleted)
        return use, _no_longer_foreign(books, key, use, deleted=deleted)
    return use, _see_foreign(books, key, use, before, deleted=deleted)


def _see_foreign(
    books: Books, key: Key, use: PodUse, before: PodUse | None, *, deleted: bool
) -> str:
    if not use.node:
        return ""
    counted = books.foreign[use.node]
    if deleted or use.over:
        known = counted.get(key)
        if known is None or known.uid != use.uid:
            return ""
        del counted[key]
        return use.node
    counted[key] = use
    same = before is not None and before.node == use.node and before.requests == use.requests
    return "" if same else use.node


def _no_longer_foreign(books: Books, key: Key, use: PodUse, *, deleted: bool) -> str:
    """The end of a container that counted on its node only, for its queue was gone."""
    known = books.foreign.get(use.node, {}).get(key)
    if known is None or known.uid != use.uid or not (deleted or use.over):
        return ""
    del books.foreign[use.node][key]
    return use.node


def _see_container(books: Books, use: PodUse, *, deleted: bool) -> None:
    container = use.container
    if container is None:
        return
    current = books.pods_of.get(container)
    if deleted:
        if current is not None and current.uid == use.uid:
            del books.pods_of[container]
        _ended(books, container, use.uid)
        return
    books.pods_of[container] = use
    if use.node:
        binding.bind(books, container, use.uid)
    if use.over:
        _ended(books, container, use.uid)
    elif use.node and container not in books.granted_to:
        books.strays.add(container)


def _ended(books: Books, container: ContainerId, uid: str) -> None:
    """A container's pod is over. One that never was the bound one changes nothing."""
    held = books.held(container)
    if held is not None and held.bound_uid in ("", uid):
        binding.free(books, container)

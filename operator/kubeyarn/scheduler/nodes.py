"""Nodes as the ledger sees them."""

from __future__ import annotations

from kubeyarn.scheduler import binding, usage
from kubeyarn.scheduler.books import Books, Object


def see_node(books: Books, node: Object) -> bool:
    """Take a node as seen; whether it matters to the ledger."""
    facts = usage.node_facts(node)
    if books.nodes.get(facts.name) == facts:
        return False
    books.nodes[facts.name] = facts
    return True


def sync_node(books: Books, name: str) -> None:
    """Bring one node in line."""
    facts = books.nodes.get(name)
    if facts is None:
        if name in books.in_engine:
            books.in_engine.discard(name)
            for container in books.engine.remove_node(name):
                binding.free(books, container.id)
        return
    taken: dict[str, int] = {}
    for pod in books.foreign.get(name, {}).values():
        for resource, amount in pod.requests.items():
            taken[resource] = taken.get(resource, 0) + amount
    node = usage.ledger_node(facts, taken, books.types)
    if name in books.in_engine:
        books.engine.update_node(node)
    else:
        books.in_engine.add(name)
        books.engine.add_node(node)

"""Nodes as the ledger sees them, those that are gone included while something is bound to them.

A deleted node's pods live on until Kubernetes has removed them, and run again if the node comes
back. So its containers are counted until their pods are over; it has no room for others meanwhile.
"""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.crd.object import Object
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.scheduler import binding, granting
from kubeyarn.scheduler.asks import RequestState
from kubeyarn.scheduler.books import Books
from kubeyarn.scheduler.facts import NodeFacts, extended, ledger_node, node_facts


def see_node(books: Books, node: Object) -> bool:
    """Take a node as seen; whether it matters to the ledger."""
    facts = node_facts(node)
    before = books.nodes.get(facts.name)
    if before == facts:
        return False
    if before is not None:
        books.extended.subtract(extended(list(before.allocatable)))
    books.extended.update(extended(list(facts.allocatable)))
    books.nodes[facts.name] = facts
    books.lost_nodes.pop(facts.name, None)
    if before is not None and before.partition != facts.partition:
        binding.repartition(books, facts.name)
    return True


def forget_node(books: Books, name: str) -> None:
    """Take a node as deleted."""
    facts = books.nodes.pop(name, None)
    if facts is not None:
        books.lost_nodes[name] = facts
        books.extended.subtract(extended(list(facts.allocatable)))


def sync_node(books: Books, name: str, now_ms: int) -> None:
    """Bring one node in line."""
    facts = books.nodes.get(name)
    if facts is None:
        _lose(books, name, now_ms)
        return
    taken: dict[str, int] = {}
    for pod in books.foreign.get(name, {}).values():
        for resource, amount in pod.requests.items():
            taken[resource] = taken.get(resource, 0) + amount
    _tell(books, ledger_node(facts, taken, books.types))


def stand_in(books: Books) -> None:
    """Have the engine know the nodes that are gone and that living pods are bound to."""
    for use in books.pods_of.values():
        if use.node and not use.over and use.node not in books.nodes:
            _keep(books, use.node)


def lost(books: Books) -> list[str]:
    """Nodes that are gone: those the engine knows still, and those that grants name."""
    named = {
        held.node
        for state in books.requests.values()
        for held in state.grants.values()
        if not held.freed
    }
    return sorted((named | books.in_engine) - books.nodes.keys())


def _lose(books: Books, name: str, now_ms: int) -> None:
    """A node is gone: what has no pod there is asked again, the rest goes with its pods.

    What an ApplicationMaster was told of is its to launch: it hears of the end by the pod's.
    """
    for container, state in _held_on(books, name):
        if not state.asked_by_master:
            granting.revoke(books, container, now_ms)
    if _held_on(books, name):
        _keep(books, name)
        return
    books.lost_nodes.pop(name, None)
    if name in books.in_engine:
        books.in_engine.discard(name)
        books.engine.remove_node(name)


def _held_on(books: Books, name: str) -> list[tuple[ContainerId, RequestState]]:
    """The containers that hold room on a node, and the requests they were granted to."""
    return [
        (container, state)
        for state in list(books.requests.values())
        for container, held in list(state.grants.items())
        if held.node == name and not held.freed
    ]


def _keep(books: Books, name: str) -> None:
    facts = books.lost_nodes.setdefault(name, NodeFacts(name, {}, "", "", schedulable=False))
    nothing = replace(facts, allocatable={}, schedulable=False)
    _tell(books, ledger_node(nothing, {}, books.types))


def _tell(books: Books, node: Node) -> None:
    if node.name in books.in_engine:
        books.engine.update_node(node)
    else:
        books.in_engine.add(node.name)
        books.engine.add_node(node)

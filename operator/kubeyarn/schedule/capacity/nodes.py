"""Nodes in the ledger and the totals of each partition."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.resources import ResourceTypes, Vector, add, subtract
from kubeyarn.schedule.tags import TagBook

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ContainerId
    from kubeyarn.model.nodes import Node
    from kubeyarn.schedule.capacity.application import Reservation


@dataclass(slots=True)
class LedgerNode:
    """A node, what it holds, and its one reservation (Hadoop: FiCaSchedulerNode)."""

    node: Node
    name: str
    total: Vector
    free: Vector
    partition: str
    rack: str
    position: int
    book: TagBook
    containers: dict[ContainerId, Container] = field(default_factory=dict)
    reservation: Reservation | None = None

    def hold(self, container: Container) -> None:
        """Put *container* on the node."""
        self.containers[container.id] = container
        self.free = subtract(self.free, container.size)
        if container.tags:
            self.book.add(container, self.rack)

    def drop(self, container: Container) -> None:
        """Take *container* off the node."""
        if self.containers.pop(container.id, None) is not None:
            self.free = add(self.free, container.size)
            if container.tags:
                self.book.remove(container, self.rack)

    def move(self, rack: str) -> None:
        """The node belongs to another rack from now on."""
        for container in self.containers.values() if rack != self.rack else ():
            if container.tags:
                self.book.remove(container, self.rack)
                self.book.add(container, rack)
        self.rack = rack


class Cluster:
    """All nodes, in the order they joined, and what each partition amounts to."""

    __slots__ = ("_joined", "book", "nodes", "partitions", "total", "types", "zero")

    def __init__(self, types: ResourceTypes) -> None:
        self.types = types
        zero = self.zero = types.zero()
        self.nodes: dict[str, LedgerNode] = {}
        self.partitions: dict[str, Vector] = {"": zero}
        self.total = zero
        self._joined = 0
        self.book = TagBook()

    def partition(self, name: str) -> Vector:
        """The total of a partition (Hadoop: RMNodeLabelsManager.getResourceByLabel)."""
        return self.partitions.get(name, self.zero)

    def add(self, node: Node) -> LedgerNode:
        """A node joins, last in order."""
        self._joined += 1
        ledger = LedgerNode(
            node,
            node.name,
            node.total,
            node.total,
            node.partition,
            node.rack,
            self._joined,
            self.book,
        )
        self.nodes[node.name] = ledger
        if node.schedulable:
            self._count(node.partition, node.total)
        return ledger

    def _count(self, partition: str, amount: Vector) -> None:
        self.partitions[partition] = add(self.partitions.get(partition, self.zero), amount)
        self.total = add(self.total, amount)

    def remove(self, name: str) -> LedgerNode | None:
        """A node leaves."""
        ledger = self.nodes.pop(name, None)
        if ledger is not None and ledger.node.schedulable:
            self._count(ledger.partition, tuple(-x for x in ledger.total))
        return ledger

    def recount(self) -> None:
        """Sum up the partitions anew."""
        partitions: dict[str, Vector] = {"": self.zero}
        total = self.zero
        for node in self.nodes.values():
            if node.node.schedulable:
                partitions[node.partition] = add(
                    partitions.get(node.partition, self.zero), node.total
                )
                total = add(total, node.total)
        self.partitions = partitions
        self.total = total

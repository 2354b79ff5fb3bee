"""Nodes, the totals of each partition, and the nodes of one in order of use."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from kubeyarn.model.queues import NodeOrdering
from kubeyarn.model.resources import ResourceTypes, Vector, subtract
from kubeyarn.schedulers.allocation_tags import AllocationTagsManager
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.app_attempt import indexed
from kubeyarn.schedulers.capacity.objects.preemptable_containers import NONE_KILLABLE
from kubeyarn.schedulers.largest_node import LargestNode

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping, Sequence

    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ContainerId
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.app_attempt import Reservation
    from kubeyarn.schedulers.capacity.objects.preemptable_containers import KillableContainer


_Value = TypeVar("_Value", bound="Hashable")
_MOST_EQUALS = 4096


@dataclass(slots=True)
class FiCaSchedulerNode:
    """A node, what it holds, and its one reservation (Hadoop: FiCaSchedulerNode).

    *free_slots* is how many more pods the kubelet takes. One that is *open_to_all* is in the
    default partition and not dedicated. *unindexed* are containers that are not among the others
    yet.
    """

    node: Node
    name: str
    total: Vector
    free: Vector
    free_slots: int
    partition: str
    dedicated: bool
    open_to_all: bool
    rack: str
    position: int
    tags: AllocationTagsManager
    reservation: Reservation | None = None
    killable: Mapping[ContainerId, KillableContainer] = field(default_factory=lambda: NONE_KILLABLE)
    unindexed: list[Container] = field(default_factory=list)
    _containers: dict[ContainerId, Container] = field(default_factory=dict)

    @property
    def containers(self) -> dict[ContainerId, Container]:
        """What is held, by id."""
        return indexed(self._containers, self.unindexed)

    def put(self, container: Container) -> None:
        """*container* is on the node from now on."""
        self.containers[container.id] = container
        if container.tags:
            self.tags.add_container(container, self.rack)

    def drop(self, container: Container) -> bool:
        """Take *container* off the node; False when it was not there."""
        if self.containers.pop(container.id, None) is None:
            return False
        if container.tags:
            self.tags.remove_container(container, self.rack)
        return True

    def mark_killable(self, found: KillableContainer) -> None:
        """Others may take the room of a container on the node."""
        self.killable = {**self.killable, found.container.id: found}

    def unmark_killable(self, container: ContainerId) -> bool:
        """A container is gone; False when nobody might have taken its room."""
        if container not in self.killable:
            return False
        left = {other: found for other, found in self.killable.items() if other != container}
        self.killable = left or NONE_KILLABLE
        return True

    def move(self, rack: str) -> None:
        """The node belongs to another rack from now on."""
        for container in self.containers.values() if rack != self.rack else ():
            if container.tags:
                self.tags.remove_container(container, self.rack)
                self.tags.add_container(container, rack)
        self.rack = rack


class CapacityNodeTracker:
    """All nodes, in the order they joined, and what each partition amounts to.

    *preemptable_queues* are the paths that Hadoop's PreemptionManager knows.
    """

    __slots__ = (
        "_equals",
        "_joined",
        "hadoop_compatible",
        "largest_node",
        "nodes",
        "partitions",
        "preemptable_queues",
        "tags",
        "total",
        "types",
        "zero",
    )

    def __init__(self, types: ResourceTypes, *, hadoop_compatible: bool = False) -> None:
        self.types = types
        self.hadoop_compatible = hadoop_compatible
        zero = self.zero = types.zero()
        self.nodes: dict[str, FiCaSchedulerNode] = {}
        self.partitions: dict[str, Vector] = {"": zero}
        self.total = zero
        self._joined = 0
        self.largest_node = LargestNode()
        self._equals: dict[object, object] = {}
        self.tags = AllocationTagsManager()
        self.preemptable_queues: set[str] = set()

    def partition(self, name: str) -> Vector:
        """The total of a partition (Hadoop: RMNodeLabelsManager.getResourceByLabel)."""
        return self.partitions.get(name, self.zero)

    def queues_refreshed(self, paths: Iterable[str]) -> None:
        """A configuration is in force; queues that it removes stay known, too.

        Hadoop: PreemptionManager.refreshQueues.
        """
        self.preemptable_queues.update(paths)

    def interned(self, value: _Value) -> _Value:
        """The one object that stands for all that are equal to *value*.

        Limits of a thousand queues that are alike are then one place in memory, and near.
        """
        # Whoever holds an object of the old table keeps it; equal values are then two for a while,
        # which costs memory and nothing else.
        if len(self._equals) >= _MOST_EQUALS:
            self._equals.clear()
        found = self._equals.setdefault(value, value)
        assert isinstance(found, type(value))
        return found

    def add(self, node: Node) -> FiCaSchedulerNode:
        """A node joins, last in order."""
        # A number that only grows: a node that left and came back is last again, as in Hadoop.
        self._joined += 1
        made = FiCaSchedulerNode(
            node,
            node.name,
            node.total,
            node.total,
            node.pods,
            node.partition,
            node.dedicated,
            not node.partition and not node.dedicated,
            node.rack,
            self._joined,
            self.tags,
        )
        self.nodes[node.name] = made
        self.largest_node.came(node)
        accounts.add_node(self, made)
        return made

    def remove(self, name: str) -> FiCaSchedulerNode | None:
        """A node leaves."""
        made = self.nodes.pop(name, None)
        if made is not None:
            self.largest_node.went(made.node)
            accounts.remove_node(self, made)
        return made


_Key = tuple["Vector", str]


class CandidateNodeSet:
    """Nodes from the least used to the most, and which of them are reserved.

    With *minimum_allocation* full nodes are left out, and whoever looks for a node is spared those
    that have too little. Without it every node is looked at, as Hadoop does.
    """

    def __init__(
        self, nodes: Iterable[FiCaSchedulerNode], calc: Calculator, step: Vector | None = None
    ) -> None:
        self._fits, self._holds = calc.fits, calc.holds
        self._step = step
        self._places: dict[str, _Key] = {}
        self._reserved: dict[str, FiCaSchedulerNode] = {}
        self._keys: list[_Key] = []
        self._nodes: list[FiCaSchedulerNode] = []
        # Hadoop's ResourceUsageMultiNodeLookupPolicy sorts by allocated resource, and by name among
        # equals.
        for node in sorted(nodes, key=_key):
            if node.reservation is not None:
                self._reserved[node.name] = node
            if self._is_open(node):
                key = self._places[node.name] = _key(node)
                self._keys.append(key)
                self._nodes.append(node)

    def __len__(self) -> int:
        return len(self._nodes)

    def in_order(self, ordering: NodeOrdering) -> Sequence[FiCaSchedulerNode]:
        """The nodes as a queue tries them."""
        return self._nodes if ordering is NodeOrdering.SPREAD else self._nodes[::-1]

    def may_hold(self, node: FiCaSchedulerNode, size: Vector) -> bool:
        """Whether it is worth a look at the node for a container of that size."""
        return self._step is None or bool(node.killable) or self._holds(node.free, size)

    def reserved(self) -> list[FiCaSchedulerNode]:
        """The nodes that are reserved now."""
        # A reservation may be given up at another node than the one that is offered, so it is
        # looked for now.
        for name in [name for name, node in self._reserved.items() if node.reservation is None]:
            del self._reserved[name]
        return list(self._reserved.values())

    def changed(self, node: FiCaSchedulerNode) -> None:
        """Put a node where it belongs, after something was granted or reserved there."""
        if node.reservation is not None:
            self._reserved[node.name] = node
        before = self._places.pop(node.name, None)
        if before is not None:
            # By the key it was filed under: what the node holds has changed since.
            at = bisect_left(self._keys, before)
            del self._keys[at], self._nodes[at]
        if self._is_open(node):
            key = self._places[node.name] = _key(node)
            at = bisect_left(self._keys, key)
            self._keys.insert(at, key)
            self._nodes.insert(at, node)

    def _is_open(self, node: FiCaSchedulerNode) -> bool:
        # What may be killed makes room that *free* does not show.
        if self._step is None or node.killable:
            return True
        return node.free_slots > 0 and self._fits(self._step, node.free)


def _key(node: FiCaSchedulerNode) -> _Key:
    return subtract(node.total, node.free), node.name

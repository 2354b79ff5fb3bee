"""Nodes as the scheduler sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from kubeyarn.model.resources import Vector

UNLIMITED_PODS = 2**31 - 1
"""The pod slots of a node that says nothing of them."""


@dataclass(frozen=True, slots=True)
class Node:
    """A node that can hold containers (Hadoop: SchedulerNode).

    *total* is what containers of ours may use at most: a Kubernetes node's allocatable less what
    foreign pods request. *partition* is its node label, "" the default partition. A node that is
    not *schedulable* (cordoned, not ready, decommissioning) keeps its containers and takes none.
    *pods* is how many containers of ours may be there at most, whatever their size: allocatable
    pods (kubelet: `maxPods`) less the foreign pods.

    *capability* is the most that a container could have there, whatever runs there now and whether
    the node takes containers now (Hadoop: RMNode.getTotalCapability); None: *total*.
    """

    name: str
    total: Vector
    partition: str = ""
    rack: str = "/default-rack"
    schedulable: bool = True
    pods: int = UNLIMITED_PODS
    attributes: tuple[tuple[str, str], ...] = field(default=())
    capability: Vector | None = None

    @property
    def total_capability(self) -> Vector:
        """The most that a container could have there."""
        return self.total if self.capability is None else self.capability


def largest_capability(nodes: Iterable[Node]) -> Vector | None:
    """Of each resource what the node with the most of it has; None without nodes.

    Hadoop: ClusterNodeTracker.maxAllocation, which looks at each resource by itself and at all
    registered nodes, of whatever partition.
    """
    capabilities = [node.total_capability for node in nodes]
    return tuple(map(max, zip(*capabilities, strict=True))) if capabilities else None

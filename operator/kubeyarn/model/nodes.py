"""Nodes as the scheduler sees them."""

from __future__ import annotations

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
    pods (kubelet: `maxPods`) less the foreign pods. Nodes of one *node_class* are alike for whoever
    chooses nodes by what they are. A *dedicated* one takes only containers of asks that list its
    class.

    *capability* is the most that a container could have there, whatever runs there now and whether
    the node takes containers now (Hadoop: RMNode.getTotalCapability); None: *total*. Where it says
    nothing at all no container may ever use the node.
    """

    name: str
    total: Vector
    partition: str = ""
    rack: str = "/default-rack"
    schedulable: bool = True
    pods: int = UNLIMITED_PODS
    attributes: tuple[tuple[str, str], ...] = field(default=())
    node_class: int = 0
    dedicated: bool = False
    capability: Vector | None = None

    @property
    def total_capability(self) -> Vector:
        """The most that a container could have there."""
        return self.total if self.capability is None else self.capability

    @property
    def is_registered(self) -> bool:
        """Whether containers may ever use it; one of nothing, as Hadoop has them, counts too."""
        return self.capability is None or any(self.capability)

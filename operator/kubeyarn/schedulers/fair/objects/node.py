"""Nodes as the scheduler sees them (Hadoop: FSSchedulerNode)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import add

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ContainerId
    from kubeyarn.model.nodes import Node
    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt, ReservedContainer


class FSSchedulerNode:
    """A node, its containers, and for whom resources on it are kept.

    *containers* are in order of their grant: a list, because a node has some dozens of them, and a
    table for each node would be most of what a grant takes. *containers_for_preemption* were chosen
    and not freed yet; *resources_preempted_for_app* is what their ends are to give to each starved
    application. *free_slots* is how many more pods the kubelet takes.
    """

    __slots__ = (
        "available",
        "containers",
        "containers_for_preemption",
        "free_slots",
        "reserved_container",
        "resources_preempted_for_app",
        "rm_node",
        "total_resources_preempted",
    )

    def __init__(self, rm_node: Node, zero: Vector) -> None:
        self.rm_node = rm_node
        self.available = rm_node.total
        self.free_slots = rm_node.pods
        self.containers: list[Container] = []
        self.reserved_container: ReservedContainer | None = None
        self.containers_for_preemption: set[ContainerId] = set()
        self.resources_preempted_for_app: dict[FSAppAttempt, Vector] = {}
        self.total_resources_preempted = zero

    @property
    def total_reserved(self) -> Vector:
        """What is kept: reserved, or preempted for somebody (Hadoop: getTotalReserved)."""
        # The common case makes no new vector.
        if self.reserved_container is None:
            return self.total_resources_preempted
        return add(self.total_resources_preempted, self.reserved_container.size)

"""Nodes as the scheduler sees them."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubeyarn.model.resources import Vector


@dataclass(frozen=True, slots=True)
class Node:
    """A node that can hold containers (Hadoop: SchedulerNode).

    *total* is what containers of ours may use at most: a Kubernetes node's allocatable less what
    foreign pods request. *partition* is its node label, "" the default partition. A node that is
    not *schedulable* (cordoned, not ready, decommissioning) keeps its containers and takes none.
    """

    name: str
    total: Vector
    partition: str = ""
    rack: str = "/default-rack"
    schedulable: bool = True
    attributes: tuple[tuple[str, str], ...] = field(default=())

"""Shapes of load to measure the engines with."""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, percent

GIB = 1024


@dataclass(frozen=True, slots=True)
class Shape:
    """A cluster of equal nodes, equal queues in equal parents, and equal applications.

    *slots* is GiB and vcores a node; each application asks for *containers* of 1 GiB and 1 vcore.
    """

    nodes: int = 2000
    slots: int = 64
    queues: int = 100
    parents: int = 10
    apps: int = 500
    containers: int = 200
    users: int = 10


def queues(shape: Shape) -> tuple[QueueConfig, ...]:
    """Root, *parents* parents, and the leaves evenly below them."""
    found = [QueueConfig("root")]
    leaves = shape.queues // shape.parents
    for p in range(shape.parents):
        parent = QueueConfig(f"root.p{p}", len(found), capacity=percent(100 / shape.parents))
        found.append(parent)
        found += [
            QueueConfig(
                f"root.p{p}.q{q}",
                len(found) + q,
                capacity=percent(100 / leaves),
                user_limit_factor=100.0,
            )
            for q in range(leaves)
        ]
    return tuple(found)


def configuration(shape: Shape) -> SchedulerConfig:
    """The Capacity Scheduler's settings for the shape."""
    return SchedulerConfig(
        queues=queues(shape),
        minimum_allocation=(GIB, 1),
        maximum_allocation=(shape.slots * GIB, shape.slots),
        maximum_am_share=1.0,
        dominant=True,
    )


def nodes(shape: Shape) -> list[Node]:
    """Equal nodes."""
    return [Node(f"n{i}", (shape.slots * GIB, shape.slots)) for i in range(shape.nodes)]


def applications(shape: Shape) -> list[Application]:
    """Applications spread over leaves and users."""
    leaves = [queue.path for queue in queues(shape) if queue.path.count(".") == 2]
    return [
        Application(
            id=ApplicationId(1, i + 1),
            user=f"u{i % shape.users}",
            queue=leaves[i % len(leaves)],
            am_size=(GIB, 1),
            order=i + 1,
        )
        for i in range(shape.apps)
    ]


def ask(shape: Shape) -> Ask:
    """What every application asks for."""
    return Ask(AskKey(1), shape.containers, (GIB, 1))

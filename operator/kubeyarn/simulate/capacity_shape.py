"""The shapes the Capacity Scheduler is measured on: many equal queues, many equal applications."""

from __future__ import annotations

from dataclasses import dataclass, replace

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import (
    Partition,
    QueueConfig,
    QueuePartition,
    SchedulerConfig,
    percent,
)
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

_GIB = 1024
_LABEL = "x"
_BLOCKER = 10**6
"""The number of the application that blocks nodes."""


@dataclass(frozen=True, slots=True)
class CapacityShape:
    """How much there is of everything; *slots* are GiB and vcores of a node.

    Each application asks for *containers* in all, evenly over *sizes* (GiB, vcores) and over
    *priorities*. *blocked* is the share of nodes that are all but full before, so that they get
    reserved. With *partitioned* every second node and every second application is in a partition.
    """

    nodes: int = 2000
    slots: int = 64
    queues: int = 100
    parents: int = 10
    applications: int = 500
    containers: int = 200
    users: int = 10
    sizes: tuple[Vector, ...] = ((1, 1),)
    priorities: int = 1
    blocked: float = 0.0
    partitioned: bool = False
    user_limit_factor: float = 100.0

    def others(self) -> dict[str, CapacityShape]:
        """Variants of the same size, harder than equal containers on equal nodes."""
        return {
            "mixed sizes": replace(self, sizes=((1, 1), (2, 1), (1, 2), (3, 2))),
            "five priorities": replace(self, priorities=5),
            "10% reserved nodes": replace(self, sizes=((2, 1),), blocked=0.1),
            "partitions": replace(self, partitioned=True),
            "50 users at their limits": replace(self, users=50, user_limit_factor=0.1),
        }

    def config(self) -> SchedulerConfig:
        """*parents* parents with equal leaves; masters unlimited."""
        return SchedulerConfig(
            queues=self._queues(),
            minimum_allocation=(_GIB, 1),
            maximum_allocation=(self.slots * _GIB, self.slots),
            maximum_am_share=1.0,
            dominant=True,
            partitions=(Partition(_LABEL, exclusive=True),) if self.partitioned else (),
        )

    def scheduler(self) -> CapacityScheduler:
        """A scheduler with all nodes, whose applications have their masters and ask for nothing."""
        made = CapacityScheduler(ResourceTypes())
        made.configure(self.config(), 0)
        blocked = int(self.nodes * self.blocked)
        self._add_nodes(made, 0, blocked)
        if blocked:
            self._block(made, blocked)
        self._add_nodes(made, blocked, self.nodes)
        for number in range(self.applications):
            made.submit(self._application(number), 0)
        made.cycle(0, 10**9)
        return made

    def ask(self, made: CapacityScheduler) -> int:
        """Let every application ask; returns how many containers are wanted."""
        asks = self._asks()
        for number in range(self.applications):
            made.update_asks(self._id(number), asks, 0)
        return sum(ask.count for ask in asks) * self.applications

    def _queues(self) -> tuple[QueueConfig, ...]:
        queues = [self._queue("root", 0, 100.0)]
        leaves = self.queues // self.parents
        for p in range(self.parents):
            queues.append(self._queue(f"root.p{p}", len(queues), 100 / self.parents))
            queues += [
                self._queue(f"root.p{p}.q{q}", len(queues) + q, 100 / leaves) for q in range(leaves)
            ]
        return tuple(queues)

    def _queue(self, path: str, order: int, share: float) -> QueueConfig:
        queue = QueueConfig(
            path, order, capacity=percent(share), user_limit_factor=self.user_limit_factor
        )
        if not self.partitioned:
            return queue
        return replace(
            queue,
            accessible_partitions=frozenset((_LABEL,)),
            partitions=(QueuePartition(_LABEL, percent(share)),),
        )

    def _add_nodes(self, made: CapacityScheduler, first: int, last: int) -> None:
        total = (self.slots * _GIB, self.slots)
        for number in range(first, last):
            labelled = self.partitioned and number % 2
            made.add_node(Node(f"n{number}", total, partition=_LABEL if labelled else ""))

    def _block(self, made: CapacityScheduler, blocked: int) -> None:
        """One application leaves the last GiB free on each node there is so far."""
        blocker = replace(self._application(0), id=self._id(_BLOCKER))
        made.submit(blocker, 0)
        made.update_asks(
            blocker.id,
            [Ask(AskKey(1), blocked, ((self.slots - 1) * _GIB, self.slots - 1))],
            0,
        )
        made.cycle(0, 10**9)
        made.update_asks(blocker.id, [Ask(AskKey(1), 0, (_GIB, 1))], 0)

    def _application(self, number: int) -> Application:
        queue = number % self.queues
        leaves = self.queues // self.parents
        partition = _LABEL if self.partitioned and number % 2 else None
        return Application(
            id=self._id(number),
            user=f"u{number % self.users}",
            queue=f"root.p{queue // leaves}.q{queue % leaves}",
            am_size=(_GIB, 1),
            order=number + 1,
            partition=partition,
        )

    def _asks(self) -> list[Ask]:
        kinds = [(size, p) for size in self.sizes for p in range(1, self.priorities + 1)]
        each = self.containers // len(kinds)
        return [
            Ask(AskKey(priority, number), each, (size[0] * _GIB, *size[1:]))
            for number, (size, priority) in enumerate(kinds)
        ]

    def _id(self, number: int) -> ApplicationId:
        return ApplicationId(1, number + 1)

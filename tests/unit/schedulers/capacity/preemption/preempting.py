"""A cluster that preempts: queues, applications that fill them, and what a pass takes of whom."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import (
    ChildOrdering,
    Partition,
    PreemptionConfig,
    QueueConfig,
    SchedulerConfig,
    percent,
)
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.api import Grant, Preempt
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

RULES = PreemptionConfig(
    enabled=True,
    maximum_wait_before_kill_ms=1000,
    total_per_round=1.0,
    maximum_ignored_over_capacity=0.0,
    natural_termination=1.0,
)
"""A pass takes all it can at once."""

ONE = (1, 1)


def leaf(path: str, capacity: float, **settings: object) -> QueueConfig:
    """A leaf whose only user may hold all of the cluster."""
    return replace(
        QueueConfig(path, capacity=percent(capacity), user_limit_factor=-1.0),
        **settings,  # type: ignore[arg-type]
    )


class Preempting:
    """Nodes of ten units of memory and ten cores; containers are of one each unless said."""

    def __init__(
        self,
        *queues: QueueConfig,
        nodes: int = 1,
        rules: PreemptionConfig = RULES,
        by_priority: bool = False,
        partitions: tuple[Partition, ...] = (),
        root: QueueConfig | None = None,
    ) -> None:
        self.engine = CapacityScheduler(ResourceTypes())
        ordering = ChildOrdering.PRIORITY_UTILIZATION if by_priority else None
        top = replace(root or QueueConfig("root"), child_ordering=ordering)
        ordered = [replace(queue, order=place) for place, queue in enumerate(queues)]
        self.engine.configure(
            SchedulerConfig(
                queues=(top, *ordered),
                minimum_allocation=ONE,
                maximum_allocation=(10, 10),
                maximum_application_priority=10,
                maximum_am_share=1.0,
                dominant=True,
                partitions=partitions,
                preemption=rules,
            ),
            0,
        )
        for number in range(nodes):
            self.node(f"n{number}")

    def node(self, name: str, size: Vector = (10, 10), partition: str = "") -> None:
        """A node joins."""
        self.engine.add_node(Node(name, size, partition=partition))

    def app(
        self,
        number: int,
        queue: str,
        count: int = 0,
        *,
        user: str = "",
        priority: int = 0,
        am: Vector | None = ONE,
        partition: str | None = None,
    ) -> None:
        """Submit an application, and have it ask for *count* containers and get what it can."""
        identity = ApplicationId(1, number)
        self.engine.submit(
            Application(
                identity,
                user or f"u{number}",
                queue,
                am_size=am,
                order=number,
                priority=priority,
                partition=partition,
            ),
            0,
        )
        self.cycle()
        if count:
            self.ask(number, count)
            self.cycle()

    def ask(
        self,
        number: int,
        count: int,
        size: Vector = ONE,
        *,
        priority: int = 1,
        locality: Locality = Locality(),  # noqa: B008 - immutable
    ) -> None:
        """Ask for containers, and let nothing be granted yet."""
        ask = Ask(AskKey(priority), count, size, locality=locality)
        self.engine.update_asks(ApplicationId(1, number), [ask], 0)

    def cycle(self, now_ms: int = 0) -> Counter[int]:
        """One cycle; how many containers each application was granted."""
        return Counter(
            one.container.id.attempt.application.number
            for one in self.engine.cycle(now_ms, 1000)
            if isinstance(one, Grant)
        )

    def preempt(self, now_ms: int = 0) -> list[Preempt]:
        """One pass."""
        return [one for one in self.engine.preempt(now_ms) if isinstance(one, Preempt)]

    def taken(self, now_ms: int = 0) -> Counter[int]:
        """How many containers one pass takes of each application, by number."""
        return Counter(one.container.attempt.application.number for one in self.preempt(now_ms))

    def kill(self, container: ContainerId) -> None:
        """A container ends."""
        self.engine.release(container, 0)

    def containers(self, number: int) -> list[Container]:
        """An application's containers, the oldest first."""
        held = self.engine.state.apps[ApplicationId(1, number)].containers.values()
        return sorted(held, key=lambda container: container.id)

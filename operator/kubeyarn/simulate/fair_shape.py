"""The shape the Fair Scheduler is measured on: many equal queues, many equal applications."""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.fair_queues import (
    FairClusterConfig,
    FairPolicy,
    FairQueueConfig,
    FairQueueDefaults,
)
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, SchedulerKind
from kubeyarn.schedulers.fair.scheduler import FairScheduler

_USERS = 10
_MIB = 1024
_ONE = (_MIB, 1)


@dataclass(frozen=True, slots=True)
class FairShape:
    """How much there is of everything; memory is MiB, *slots* are GiB and vcores of a node."""

    nodes: int = 2000
    slots: int = 64
    queues: int = 100
    parents: int = 10
    applications: int = 500
    containers: int = 200
    policy: FairPolicy = FairPolicy.FAIR

    def config(self) -> SchedulerConfig:
        """*parents* parents with equal leaves, masters unlimited."""
        paths = [f"root.p{i % self.parents}.q{i}" for i in range(self.queues)]
        parents = [f"root.p{i}" for i in range(self.parents)]
        named = enumerate(("root", *parents, *paths))
        queues = tuple(QueueConfig(path, order=i, fair=FairQueueConfig()) for i, path in named)
        defaults = FairQueueDefaults(policy=self.policy, maximum_am_share=-1.0)
        largest = (self.slots * _MIB, self.slots)
        return SchedulerConfig(
            queues=queues,
            minimum_allocation=_ONE,
            maximum_allocation=largest,
            increment_allocation=_ONE,
            kind=SchedulerKind.FAIR,
            fair=FairClusterConfig(defaults=defaults),
        )

    def scheduler(self) -> FairScheduler:
        """A scheduler with all nodes, whose applications have their masters and ask for nothing."""
        made = FairScheduler()
        made.configure(self.config(), 0)
        for number in range(self.nodes):
            made.add_node(Node(f"n{number}", (self.slots * _MIB, self.slots)))
        for number in range(self.applications):
            made.submit(self._application(number), 0)
        made.cycle(0, self.applications)
        return made

    def ask(self, made: FairScheduler) -> int:
        """Let every application ask; returns how many containers are wanted."""
        ask = Ask(AskKey(1), self.containers, _ONE)
        for number in range(self.applications):
            made.update_asks(self._id(number), [ask], 0)
        return self.containers * self.applications

    def _application(self, number: int) -> Application:
        queue = number % self.queues
        return Application(
            self._id(number),
            user=f"u{number % _USERS}",
            queue=f"root.p{queue % self.parents}.q{queue}",
            am_size=_ONE,
            order=number,
            submitted_ms=number + 1,
        )

    def _id(self, number: int) -> ApplicationId:
        return ApplicationId(1, number + 1)

"""A fair cluster in a few words."""

from __future__ import annotations

from collections.abc import Sequence

from kubeyarn.hadoop.fair_yarn_site_xml import read_fair_scheduler
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.api import Decision, Grant, Preempt, QueueStatus
from kubeyarn.schedulers.fair.cluster_state import FairClusterState
from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt, FSPendingAsk
from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue, FSParentQueue
from kubeyarn.schedulers.fair.scheduler import FairScheduler
from property.schedulers.fair.recounting import check_accounts

TYPES = ResourceTypes()
ZERO = (0, 0)
GIB = (1024, 1)
A = '<queue name="a"/>'


def app_id(number: int) -> ApplicationId:
    """The id of the cluster's application of that number."""
    return ApplicationId(1, number)


class Books:
    """root with the leaves a and b, two attempts in a, one node of 10 GiB and 10 vcores."""

    def __init__(self) -> None:
        self.state = FairClusterState(ResourceTypes(), 0)
        self.accounts = FSAccounts(self.state)
        self.root = FSParentQueue("root", None, ZERO)
        self.a = FSLeafQueue("root.a", self.root, ZERO)
        self.b = FSLeafQueue("root.b", self.root, ZERO)
        self.root.children += [self.a, self.b]
        for queue in (self.root, self.a, self.b):
            self.state.queues[queue.path] = queue
        self.one, self.other = self.attempt(1), self.attempt(2)
        self.node = FSSchedulerNode(Node("n0", (10240, 10), rack="/r0"), ZERO)
        self.accounts.add_node(self.node)

    def attempt(self, number: int) -> FSAppAttempt:
        application = Application(app_id(number), "u", "a", am_size=(1024, 1))
        found = FSAppAttempt(application, 1, self.a, ZERO, number)
        found.is_runnable = True
        self.state.attempts[app_id(number)] = found
        return found

    def container(
        self, number: int, size: Vector = (1024, 1), node: str = "n0", owner: int = 1
    ) -> Container:
        identity = ContainerId(self.state.attempts[app_id(owner)].id, 0, number)
        return Container(identity, AskKey(1), node, size)

    def ask(self, attempt: FSAppAttempt, count: int, size: Vector = (1024, 1)) -> None:
        attempt.asks[AskKey(1)] = FSPendingAsk(Ask(AskKey(1), count, size), count)
        attempt.ask_keys.append(AskKey(1))
        self.accounts.change_pending(attempt, size, count)

    def check(self) -> None:
        check_accounts(self.state, with_am_used=True)

    def join(self, node: Node) -> None:
        """Another node joins."""
        self.accounts.add_node(FSSchedulerNode(node, ZERO))


class FairCluster:
    """A scheduler, nodes of 10 GiB and 10 vcores, and a clock in seconds."""

    def __init__(self, queues: str, *, nodes: int = 2, **settings: str) -> None:
        self.scheduler = FairScheduler(TYPES)
        self.settings = {f"yarn.scheduler.fair.{k}": v for k, v in settings.items()}
        self.now_ms = 0
        self.scheduler.configure(self.config(queues), self.now_ms)
        for number in range(nodes):
            self.scheduler.add_node(Node(f"n{number}", (10240, 10)))

    def config(self, queues: str) -> SchedulerConfig:
        """A configuration from what stands inside <allocations>."""
        return read_fair_scheduler(self.settings, f"<allocations>{queues}</allocations>", TYPES)

    def reload(self, queues: str) -> None:
        """Put another allocation file in force."""
        self.scheduler.configure(self.config(queues), self.now_ms)

    def submit(
        self,
        number: int,
        queue: str = "a",
        *,
        user: str = "",
        am: Vector | None = GIB,
        groups: tuple[str, ...] = (),
    ) -> str:
        """Submit an application; later numbers are later."""
        application = Application(
            app_id(number),
            user or f"u{number}",
            queue,
            groups,
            am_size=am,
            order=number,
            submitted_ms=number,
        )
        return self.scheduler.submit(application, self.now_ms)

    def ask(self, number: int, count: int, size: Vector = GIB, *, priority: int = 1) -> None:
        """Set the outstanding count of a priority."""
        self.scheduler.update_asks(
            app_id(number), [Ask(AskKey(priority), count, size)], self.now_ms
        )

    def run(self, number: int, queue: str = "a", *, count: int, size: Vector = GIB) -> None:
        """Submit an application, start its AM and ask for containers."""
        self.submit(number, queue)
        self.cycle()
        self.ask(number, count, size)

    def cycle(self, limit: int = 10**9) -> Sequence[Decision]:
        """Schedule until nothing changes."""
        return self.scheduler.cycle(self.now_ms, limit)

    def wait(self, seconds: int) -> None:
        """Let time pass; whoever is starved is noticed."""
        self.now_ms += seconds * 1000
        self.scheduler.update(self.now_ms)

    def preempt(self) -> list[Container]:
        """One pass of preemption whose victims are killed at once."""
        held = {container.id: container for container in self.scheduler.containers()}
        gone = [
            held[decision.container]
            for decision in self.scheduler.preempt(self.now_ms)
            if isinstance(decision, Preempt)
        ]
        for container in gone:
            self.scheduler.release(container.id, self.now_ms)
        return gone

    def release(self, number: int, count: int) -> None:
        """Give back containers, never the AM."""
        for container in [c for c in self.held(number) if not c.am][:count]:
            self.scheduler.release(container.id, self.now_ms)

    def held(self, number: int) -> list[Container]:
        """The containers of an application."""
        return [
            c for c in self.scheduler.containers() if c.id.attempt.application == app_id(number)
        ]

    def count(self, number: int) -> int:
        """How many containers an application has, its AM included."""
        return len(self.held(number))

    def status(self, queue: str) -> QueueStatus:
        """What a queue shows."""
        return next(s for s in self.scheduler.queue_status() if s.path == f"root.{queue}")

    def paths(self) -> list[str]:
        """Every queue there is."""
        return [status.path for status in self.scheduler.queue_status()]


def grants(decisions: Sequence[Decision]) -> list[Container]:
    """The containers that were granted."""
    return [decision.container for decision in decisions if isinstance(decision, Grant)]


def why(cluster: FairCluster, number: int, priority: int | None = None) -> Reason | None:
    """The reason why an ask waits; without a priority the ApplicationMaster's."""
    key = None if priority is None else AskKey(priority)
    verdict = cluster.scheduler.why(app_id(number), key, cluster.now_ms)
    return None if verdict is None else verdict.reason

"""A small cluster under the Capacity Scheduler, in a few words."""

from __future__ import annotations

from kubeyarn.hadoop.capacity_scheduler_xml import read_capacity_scheduler
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import Partition
from kubeyarn.model.reasons import Verdict
from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.api import Grant, QueueStatus
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

PREFIX = "yarn.scheduler.capacity."
TWO_QUEUES = {
    "root.queues": "a,b",
    "root.a.capacity": "50",
    "root.b.capacity": "50",
    "root.a.user-limit-factor": "2",
    "root.b.user-limit-factor": "2",
    "maximum-am-resource-percent": "1.0",
    "per-node-heartbeat.maximum-offswitch-assignments": "100",
    "resource-calculator": "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator",
}


def app_id(number: int) -> ApplicationId:
    """The id of the cluster's application of that number."""
    return ApplicationId(1, number)


class SmallCluster:
    """An engine with nodes of 8 GiB and 8 vcores; *settings* are capacity-scheduler's own."""

    def __init__(
        self,
        settings: dict[str, str] | None = None,
        *,
        nodes: int = 1,
        partitions: tuple[Partition, ...] = (),
        others: dict[str, str] | None = None,
        epoch: int = 0,
        hadoop_compatible: bool = False,
    ) -> None:
        self.partitions = partitions
        self.others = others or {}
        config, types = self._read(settings or {})
        self.engine = CapacityScheduler(types, epoch=epoch, hadoop_compatible=hadoop_compatible)
        self.engine.configure(config, 0)
        for number in range(nodes):
            self.node(f"n{number}")

    def _read(self, settings: dict[str, str]) -> tuple:  # type: ignore[type-arg]
        values = {PREFIX + name: value for name, value in {**TWO_QUEUES, **settings}.items()}
        return read_capacity_scheduler({**values, **self.others}, self.partitions)

    def configure(self, settings: dict[str, str]) -> None:
        """Put other settings in force."""
        self.engine.configure(self._read(settings)[0], 0)

    def node(self, name: str, size: Vector = (8192, 8), **changes: object) -> None:
        """A node joins or changes."""
        self.engine.add_node(Node(name, size, **changes))  # type: ignore[arg-type]

    def submit(
        self,
        number: int,
        queue: str = "a",
        *,
        user: str = "u",
        am: Vector = (1024, 1),
        **more: object,
    ) -> ApplicationId:
        """Submit an application and return its id."""
        app = Application(app_id(number), user, queue, am_size=am, order=number, **more)  # type: ignore[arg-type]
        self.engine.submit(app, 0)
        return app.id

    def ask(
        self,
        number: int,
        count: int,
        size: Vector = (1024, 1),
        *,
        priority: int = 1,
        partition: str | None = None,
        locality: Locality = Locality(),  # noqa: B008 - immutable
    ) -> None:
        """Ask for containers."""
        ask = Ask(AskKey(priority), count, size, partition, locality)
        self.engine.update_asks(app_id(number), [ask], 0)

    def cycle(self, limit: int = 1000) -> list[Container]:
        """One cycle; what it granted."""
        return [d.container for d in self.engine.cycle(0, limit) if isinstance(d, Grant)]

    def why(self, number: int, priority: int | None = 1) -> Verdict | None:
        """What stops an application's ask, or its AM."""
        key = None if priority is None else AskKey(priority)
        return self.engine.why(app_id(number), key, 0)

    def status(self, path: str) -> QueueStatus:
        """A queue's status."""
        return next(one for one in self.engine.queue_status() if one.path == path)

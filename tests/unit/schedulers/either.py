"""One application in either engine, on a few nodes of 10 GiB and 10 vcores."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.containers import Container
from kubeyarn.model.fair_queues import FairQueueConfig
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, SchedulerKind, percent
from kubeyarn.model.reasons import Verdict
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.api import Decision, Grant, SteppedScheduler
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from kubeyarn.schedulers.fair.scheduler import FairScheduler

APP = ApplicationId(1, 1)
OTHER = ApplicationId(1, 2)
MAPS = AskKey(1, 0)
BOTH = pytest.mark.parametrize("kind", [SchedulerKind.CAPACITY, SchedulerKind.FAIR])


class Either:
    """An engine of one kind with one leaf, root.a, that may have everything.

    *nodes* name the racks of n0, n1, ...; the application's AM is one of 1 GiB and 1 vcore, granted
    unless *master* is None.
    """

    def __init__(
        self,
        kind: SchedulerKind,
        nodes: Sequence[str] = ("r0", "r1", "r0"),
        *,
        master: tuple[int, int] | None = (1, 1),
        start: bool = True,
    ) -> None:
        fair = FairQueueConfig() if kind is SchedulerKind.FAIR else None
        types = ResourceTypes()
        self.engine: SteppedScheduler = (
            CapacityScheduler(types) if kind is SchedulerKind.CAPACITY else FairScheduler(types)
        )
        leaf = QueueConfig(
            "root.a",
            order=1,
            capacity=percent(100),
            user_limit_factor=-1.0,
            maximum_am_share=1.0,
            fair=fair,
        )
        self.engine.configure(
            SchedulerConfig(
                kind=kind,
                queues=(QueueConfig("root", fair=fair), leaf),
                minimum_allocation=(1, 1),
                increment_allocation=(1, 1),
                maximum_allocation=(10, 10),
                dominant=True,
            ),
            0,
        )
        for number, rack in enumerate(nodes):
            self.engine.add_node(Node(f"n{number}", (10, 10), rack=rack))
        self.submit(APP, master=master)
        if start:
            self.cycle()

    def submit(self, app: ApplicationId, *, master: tuple[int, int] | None = (1, 1)) -> None:
        """Another application; its AM is not granted yet."""
        self.engine.submit(Application(app, "u", "root.a", am_size=master, order=app.number), 0)

    def ask(
        self,
        count: int,
        size: tuple[int, int] = (1, 1),
        *,
        key: AskKey = MAPS,
        app: ApplicationId = APP,
        **said: object,
    ) -> None:
        """Want *count* containers under a key; *said* are further words of the ask."""
        excluded = frozenset(said.pop("excluded", ()))  # type: ignore[call-overload]
        if excluded:
            said["locality"] = Locality(excluded=excluded)
        self.engine.update_asks(app, [Ask(key, count, size, **said)], 0)  # type: ignore[arg-type]

    def decide(self, now_ms: int = 0) -> list[Decision]:
        """All decisions of one cycle."""
        return list(self.engine.cycle(now_ms, 1000))

    def cycle(self, now_ms: int = 0) -> list[Container]:
        """What one cycle grants."""
        return [d.container for d in self.decide(now_ms) if isinstance(d, Grant)]

    def why(self, key: AskKey | None = MAPS, app: ApplicationId = APP) -> Verdict:
        """What stops an ask, or (None) the AM; there is something."""
        verdict = self.engine.why(app, key, 0)
        assert verdict is not None
        return verdict

    def used(self) -> tuple[int, ...]:
        """What the leaf holds."""
        return next(s for s in self.engine.queue_status() if s.path == "root.a").used

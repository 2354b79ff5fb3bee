"""Random clusters and what happens to them, for the Capacity Scheduler."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import strategies as st

from kubeyarn.hadoop.capacity_scheduler_xml import read_capacity_scheduler
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey, Locality
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import Rejected
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.nodes import UNLIMITED_PODS, Node
from kubeyarn.model.queues import Partition, SchedulerConfig
from kubeyarn.model.resources import add, subtract
from kubeyarn.schedulers.api import Decision, Preempt
from kubeyarn.schedulers.capacity.allocator.fast_path import FastPath
from kubeyarn.schedulers.capacity.objects.node import CapacityNodeTracker
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

PREFIX = "yarn.scheduler.capacity."
LEAVES = ("root.a", "root.b.x", "root.b.y", "root.c")

MORE = ((1024, 0), (2048, 1), (0, 2), (0, 0))
SIZES = st.sampled_from([(1024, 1), (2048, 1), (1024, 3), (4096, 2), (7168, 5)])
PARTITIONS = (Partition("gold"), Partition("lent", exclusive=False))


@dataclass(frozen=True)
class Step:
    """One thing that happens: its name, and numbers that choose among what there is."""

    what: str
    numbers: tuple[int, ...] = ()
    size: tuple[int, int] = (1024, 1)


STEP = st.builds(
    Step,
    st.sampled_from(
        [
            "submit",
            "ask",
            "ask",
            "ask",
            "cycle",
            "cycle",
            "offer",
            "release",
            "grow",
            "shrink",
            "promote",
            "finish",
            "restart",
            "add",
            "remove",
            "priority",
            "preempt",
            "move",
        ]
    ),
    st.tuples(st.integers(0, 11), st.integers(0, 7), st.integers(0, 5)),
    SIZES,
)
STORY = st.lists(STEP, min_size=15, max_size=60)


@st.composite
def properties(draw: st.DrawFn) -> dict[str, str]:
    """Settings of a small tree that add up, in Hadoop's words."""
    share = st.integers(10, 45)
    first, second = draw(share), draw(share)
    inner = draw(st.integers(0, 100))
    said = {
        "root.queues": "a,b,c",
        "root.b.queues": "x,y",
        "root.a.capacity": str(first),
        "root.b.capacity": str(second),
        "root.c.capacity": str(100 - first - second),
        "root.b.x.capacity": str(inner),
        "root.b.y.capacity": str(100 - inner),
        "root.a.maximum-capacity": str(draw(st.integers(first, 100))),
        "root.b.x.user-limit-factor": draw(st.sampled_from(["0.5", "1", "3"])),
        "root.a.user-limit-factor": draw(st.sampled_from(["1", "-1"])),
        "root.b.user-limit-factor": "3",
        "root.c.ordering-policy": draw(st.sampled_from(["fifo", "fair"])),
        "root.c.minimum-user-limit-percent": draw(st.sampled_from(["25", "100"])),
        "maximum-am-resource-percent": draw(st.sampled_from(["0.1", "0.5", "1.0"])),
        "per-node-heartbeat.maximum-offswitch-assignments": draw(st.sampled_from(["1", "4"])),
        "node-locality-delay": draw(st.sampled_from(["-1", "2"])),
    }
    if draw(st.booleans()):
        said["resource-calculator"] = (
            "org.apache.hadoop.yarn.util.resource.DominantResourceCalculator"
        )
    if draw(st.booleans()):
        for path in ("root", "root.a", "root.b", "root.b.x", "root.b.y", "root.c"):
            said[f"{path}.accessible-node-labels"] = "gold,lent"
        for path, capacity in (("a", "50"), ("b", "30"), ("c", "20"), ("b.x", "60"), ("b.y", "40")):
            said[f"root.{path}.accessible-node-labels.gold.capacity"] = capacity
            said[f"root.{path}.accessible-node-labels.lent.capacity"] = capacity
    values = {PREFIX + name: value for name, value in said.items()}
    if draw(st.booleans()):
        values["yarn.resourcemanager.scheduler.monitor.enable"] = "true"
    return values


class ClosedFastPath(FastPath):
    """Never opens, so that every offer goes the general way."""

    def update(
        self, root: ParentQueue, cluster: CapacityNodeTracker, config: SchedulerConfig
    ) -> None:
        """Stay closed."""


@dataclass
class Teller:
    """Lets a story happen to an engine with four nodes and six applications that want something.

    *decisions* is everything it decided.
    """

    values: dict[str, str]
    fast_path: bool = True
    engine: CapacityScheduler = field(init=False)
    apps: list[ApplicationId] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    now_ms: int = 0
    promoted: int = 0

    def __post_init__(self) -> None:
        config, types = read_capacity_scheduler(self.values, PARTITIONS)
        self.engine = CapacityScheduler(types)
        if not self.fast_path:
            self.engine.state.fast_path = ClosedFastPath()
        self.engine.configure(config, 0)
        for number in range(4):
            self.add(number)
        for number in range(6):
            self.tell(Step("submit", (number, number, 0)))
            self.tell(Step("ask", (number, 4, 0)))

    def tell(self, step: Step) -> None:
        """Let one step happen; what the engine refuses is noted."""
        self.now_ms += 1000
        try:
            getattr(self, step.what)(*self._arguments(step))
        except Rejected as rejected:
            self.refused.append(str(rejected))

    def _arguments(self, step: Step) -> tuple[object, ...]:
        return (*step.numbers, step.size) if step.what in ("submit", "ask") else step.numbers[:1]

    def submit(self, a: int, b: int, c: int, size: tuple[int, int]) -> None:
        """An application of one of three users in any leaf."""
        number = len(self.apps) + 1
        app = Application(
            ApplicationId(1, number),
            user=f"u{b % 3}",
            queue=LEAVES[a % len(LEAVES)],
            am_size=size,
            priority=c,
            order=number,
        )
        self.engine.submit(app, self.now_ms)
        self.apps.append(app.id)

    def ask(self, a: int, b: int, c: int, size: tuple[int, int]) -> None:
        """A live application asks for up to seven containers, perhaps on a node or partition."""
        app = self._app(a)
        partition = (None, None, None, "gold", "lent", "")[c]
        locality = Locality(nodes=((f"n{a % 4}", 2),)) if c == 1 else Locality()
        key = AskKey(c % 3)
        self.engine.update_asks(app, [Ask(key, b, size, partition, locality)], self.now_ms)

    def cycle(self, a: int) -> None:
        """A cycle, often with a small limit."""
        self.decisions += self.engine.cycle(self.now_ms, a * 2 + 1)

    def offer(self, a: int) -> None:
        """A heartbeat of one node."""
        self.decisions += self.engine.node_update(f"n{a % 5}", self.now_ms)

    def release(self, a: int) -> None:
        """Some container ends."""
        held = self.engine.containers()
        if held:
            self.engine.release(held[a % len(held)].id, self.now_ms)

    def grow(self, a: int) -> None:
        """Some container wants more of one type or both, or no more."""
        held = self.engine.containers()
        if held:
            container = held[a * 3 % len(held)]
            wanted = add(container.size, MORE[a % len(MORE)])
            rounded = self.engine.rounded(container.id.attempt.application, wanted)
            more = tuple(max(0, x) for x in subtract(rounded, container.size))
            self.engine.request_increase(container, more)

    def shrink(self, a: int) -> None:
        """Some container has less."""
        held = self.engine.containers()
        if held:
            self.engine.decrease(held[a % len(held)].id, (1024, 1))

    def promote(self, a: int) -> None:
        """A container that was not counted is to be."""
        self.promoted += 1
        name = ContainerId(AttemptId(self._app(a), 1), 0, 1000 + self.promoted)
        spare = Container(name, AskKey(a % 3), f"n{a % 5}", (2048, 1))
        self.engine.request_increase(spare, spare.size)

    def finish(self, a: int) -> None:
        """Some application ends."""
        self.engine.finish(self._app(a), self.now_ms)

    def restart(self, a: int) -> None:
        """Some application begins its second attempt."""
        self.engine.start_attempt(self._app(a), 2, self.now_ms)

    def add(self, a: int) -> None:
        """A node joins, or one changes its partition."""
        partition = ("", "", "", "gold", "lent", "")[a % 6]
        name = f"n{a % 5}"
        slots = 3 if a % 7 == 6 else UNLIMITED_PODS
        node = Node(name, (8192, 8), partition=partition, rack=f"r{a % 2}", pods=slots)
        self.engine.add_node(node)

    def remove(self, a: int) -> None:
        """A node is lost."""
        self.engine.remove_node(f"n{a % 5}")

    def priority(self, a: int) -> None:
        """An application's priority changes."""
        self.engine.set_priority(self._app(a), a % 4, self.now_ms)

    def move(self, a: int) -> None:
        """An application moves to another leaf."""
        self.engine.move(self._app(a), LEAVES[a % len(LEAVES)], self.now_ms)

    def preempt(self, _a: int) -> None:
        """A pass of preemption; what is killed ends at once."""
        for decision in self.engine.preempt(self.now_ms):
            self.decisions.append(decision)
            if isinstance(decision, Preempt) and decision.kill:
                self.engine.release(decision.container, self.now_ms)

    def _app(self, number: int) -> ApplicationId:
        return self.apps[number % len(self.apps)] if self.apps else ApplicationId(1, 999)

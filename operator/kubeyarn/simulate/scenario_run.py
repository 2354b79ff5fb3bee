"""A run of a scenario: applications come, ask and go while nodes heartbeat.

A step that fails, because it cannot be read or the scheduler refuses it, is noted with its place,
and the run goes on, as the recordings of Hadoop do. Nodes heartbeat in the order in which they
joined, and AMs register after a whole round, so that a run has one outcome.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.errors import IllegalEvent, Rejected, SpecError
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.schedulers.api import Decision, Grant, Preempt
from kubeyarn.simulate.scenario import (
    DEFAULTS,
    Data,
    Scenario,
    Step,
    amounts,
    read_config,
    read_nodes,
    removed_keys,
    text,
    whole,
    word,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from collections.abc import Set as AbstractSet

    from kubeyarn.model.containers import Container
    from kubeyarn.simulate.scheduler import SimulatedScheduler
    from kubeyarn.simulate.trace import Trace

QUIET_ROUNDS = 3
STEP_MS = 1000
TIMESTAMP = 1
ENDED = ("finished", "killed", "failed", "rejected")


@dataclass(slots=True)
class SimulatedApp:
    """An application of the scenario, as its user sees it."""

    name: str
    id: ApplicationId
    state: str = "accepted"
    message: str = ""
    attempt: int = 1
    running: bool = False
    master: ContainerId | None = None
    kept: dict[AskKey, Ask] = field(default_factory=dict)


class ScenarioRun:
    """Runs the steps of a scenario against a scheduler.

    *observe* is called by each `observe` step with its name, *step_done* after every step; *trace*
    takes the decisions in words.
    """

    def __init__(
        self,
        scenario: Scenario,
        simulated: SimulatedScheduler,
        *,
        observe: Callable[[str], None],
        step_done: Callable[[Step], None],
        trace: Trace | None,
    ) -> None:
        self.scenario = scenario
        self.simulated = simulated
        self.scheduler = simulated.scheduler
        self.trace = trace
        self.now_ms = STEP_MS
        self.apps: dict[str, SimulatedApp] = {}
        self.by_id: dict[ApplicationId, SimulatedApp] = {}
        self.nodes: list[str] = []
        self.preempted: dict[str, int] = {}
        self.errors: list[Data] = []
        self.config = {**DEFAULTS, **scenario.config}
        self.allocations = scenario.allocations
        self._observe = observe
        self._step_done = step_done

    def begin(self) -> None:
        """Start the scheduler, and let the nodes register.

        Raises:
            ConfigRefused: the scheduler does not start with this configuration.
        """
        self.simulated.configure(self.config, self.allocations, self.now_ms)
        for data in self.scenario.nodes:
            self._add_nodes(data)
        self.simulated.after_step(self.now_ms)

    def run(self) -> None:
        """Do all steps; one that fails is noted, and the run goes on."""
        for index, step in enumerate(self.scenario.steps):
            if self.trace is not None:
                self.trace.step(index, step)
            try:
                self._do(step)
            except SpecError as error:
                self._fail(index, step.action, error)
            self.now_ms += STEP_MS
            self.simulated.after_step(self.now_ms)
            self._step_done(step)

    def _fail(self, index: int, action: str, error: SpecError) -> None:
        self.errors.append({"step": index, "action": action, "message": str(error)})
        if self.trace is not None:
            self.trace.note(f"error: {error}")

    def _do(self, step: Step) -> None:
        actions: dict[str, Callable[[Data], None]] = {
            "submit": self._submit,
            "settle": self._settle,
            "heartbeat": self._heartbeat,
            "request": self._request,
            "cancel": self._cancel,
            "release": self._release,
            "finish": self._finish,
            "kill": self._kill,
            "move": self._move,
            "setPriority": self._set_priority,
            "addNode": self._add_nodes,
            "removeNode": self._remove_node,
            "refreshQueues": self._refresh,
            "stopQueue": lambda a: self._set_state(a, "STOPPED"),
            "startQueue": lambda a: self._set_state(a, "RUNNING"),
            "preempt": self._preempt,
            "advance": self._advance,
            "observe": lambda a: self._observe(word(a, "name")),
        }
        action = actions.get(step.action)
        if action is None:
            raise SpecError(f"step: {step.action!r} is unknown, known are {sorted(actions)}")
        action(step.arguments)

    # -- nodes -----------------------------------------------------------------------------------

    def _add_nodes(self, arguments: Data) -> None:
        for node in read_nodes(arguments, self.simulated.types):
            if node.name in self.nodes:
                raise SpecError(f"node {node.name!r} exists already; give it another name")
            self.scheduler.add_node(node)
            self.nodes.append(node.name)

    def _remove_node(self, arguments: Data) -> None:
        name = word(arguments, "name")
        if name not in self.nodes:
            raise SpecError(f"node {name!r} does not exist")
        self.nodes.remove(name)
        self._restart_lost({container.id for container in self.scheduler.remove_node(name)})

    def _restart_lost(self, lost: AbstractSet[ContainerId]) -> None:
        """Applications that lost their AM begin another attempt, in order of submission."""
        apps = [a for a in self.by_id.values() if a.master in lost and a.state not in ENDED]
        for app in apps:
            app.running, app.master = False, None
            app.kept.clear()
            app.state = "accepted"
            app.attempt += 1
        if apps:
            self.scheduler.restart_attempts({app.id: app.attempt for app in apps}, self.now_ms)

    # -- rounds ----------------------------------------------------------------------------------

    def _settle(self, arguments: Data) -> None:
        # One quiet round is not enough: what a heartbeat misses for locality, a later one grants.
        quiet, enough = 0, QUIET_ROUNDS
        if self.scenario.partitions:
            # An ask without a label lets an offer of each node pass before it borrows a partition.
            enough = len(self.nodes) + 2
        while quiet < enough:
            quiet = 0 if self._round() else quiet + 1

    def _heartbeat(self, arguments: Data) -> None:
        node = text(arguments.get("node"))
        if node is not None and node not in self.nodes:
            raise SpecError(f"node {node!r} does not exist")
        for _ in range(whole(arguments, "times", 1)):
            if node is None:
                self._round()
            else:
                self._offer(node)
                self._register()

    def _round(self) -> bool:
        """Every node heartbeats once, then AMs register; whether anything changed."""
        self.simulated.before_round(self.now_ms)
        changed = False
        for name in list(self.nodes):
            changed |= bool(self._offer(name))
        return self._register() or changed

    def _offer(self, node: str) -> Sequence[Decision]:
        decisions = self.scheduler.node_update(node, self.now_ms)
        if self.trace is not None:
            self.trace.decisions(decisions)
        killed: set[ContainerId] = set()
        for decision in decisions:
            if isinstance(decision, Grant) and decision.container.am:
                app = self.by_id[decision.container.id.attempt.application]
                app.running, app.master = True, decision.container.id
            elif isinstance(decision, Preempt):
                killed.add(decision.container)
                self._count_preempted(decision.container)
        if killed:
            self._restart_lost(killed)
        return decisions

    def _count_preempted(self, container: ContainerId) -> None:
        name = self.by_id[container.attempt.application].name
        self.preempted[name] = self.preempted.get(name, 0) + 1

    def _register(self) -> bool:
        """AMs that got their container register and send what was kept for them."""
        registered = False
        for app in self.by_id.values():
            if not app.running or app.state != "accepted":
                continue
            app.state = "running"
            registered = True
            kept, app.kept = list(app.kept.values()), {}
            if kept:
                self.scheduler.update_asks(app.id, kept, self.now_ms)
        return registered

    # -- applications ----------------------------------------------------------------------------

    def _submit(self, arguments: Data) -> None:
        name, user = word(arguments, "app"), word(arguments, "user")
        number = len(self.apps) + 1
        app = SimulatedApp(name, ApplicationId(TIMESTAMP, number))
        self.apps[name] = app
        am = arguments.get("am")
        am_data: Data = dict(am) if isinstance(am, dict) else {}
        priority = arguments.get("priority")
        application = Application(
            id=app.id,
            user=user,
            queue=text(arguments.get("queue")) or "default",
            groups=self.scenario.groups.get(user, (user,)),
            name=name,
            priority=None if priority is None else whole(arguments, "priority"),
            am_size=amounts(am_data, self.simulated.types),
            partition=text(arguments.get("label")),
            am_partition=text(am_data.get("label")),
            order=number,
            submitted_ms=self.now_ms,
        )
        try:
            self.scheduler.submit(application, self.now_ms)
        except Rejected as error:
            app.state, app.message = "rejected", str(error)
            if self.trace is not None:
                self.trace.note(f"{name} is rejected ({error.reason}): {error}")
            return
        self.by_id[app.id] = app

    def _live(self, arguments: Data) -> SimulatedApp:
        name = word(arguments, "app")
        app = self.apps.get(name)
        if app is None or app.state in ENDED:
            raise IllegalEvent(f"application {name!r} is not running")
        return app

    def _accepted(self, arguments: Data) -> SimulatedApp:
        """An application that was not rejected; it may have ended."""
        app = self.apps.get(word(arguments, "app"))
        if app is None or app.state == "rejected":
            return self._live(arguments)
        return app

    def _running(self, arguments: Data) -> SimulatedApp:
        app = self._live(arguments)
        if app.state != "running":
            raise IllegalEvent(f"application {app.name!r} is not running")
        return app

    def _request(self, arguments: Data) -> None:
        app = self._live(arguments)
        key = AskKey(whole(arguments, "priority", 1), whole(arguments, "allocationRequestId", -1))
        ask = Ask(
            key=key,
            count=whole(arguments, "count"),
            size=amounts(arguments, self.simulated.types),
            partition=text(arguments.get("label")),
        )
        if app.state != "running":
            app.kept[key] = ask
            return
        self.scheduler.update_asks(app.id, [ask], self.now_ms)

    def _cancel(self, arguments: Data) -> None:
        app = self.apps.get(word(arguments, "app"))
        priority = whole(arguments, "priority", 1)
        if app is None or app.state in ENDED:
            return
        if app.state != "running":
            app.kept = {k: ask for k, ask in app.kept.items() if k.priority != priority}
            return
        size = amounts({}, self.simulated.types)
        self.scheduler.update_asks(app.id, [Ask(AskKey(priority), 0, size)], self.now_ms)

    def _release(self, arguments: Data) -> None:
        app = self._running(arguments)
        priority = arguments.get("priority")
        held = [
            c
            for c in self.containers_of(app)
            if not c.am and (priority is None or c.key.priority == priority)
        ]
        if arguments.get("newest", True) is not False:
            held.reverse()
        for container in held[: whole(arguments, "count")]:
            self.scheduler.release(container.id, self.now_ms)

    def containers_of(self, app: SimulatedApp) -> list[Container]:
        """What an application holds, in order of id."""
        return [c for c in self.scheduler.containers() if c.id.attempt.application == app.id]

    def _finish(self, arguments: Data) -> None:
        self._end(self._running(arguments), "finished")

    def _kill(self, arguments: Data) -> None:
        app = self._accepted(arguments)
        if app.state not in ENDED:
            self._end(app, "killed")

    def _end(self, app: SimulatedApp, state: str) -> None:
        app.state, app.running = state, False
        self.by_id.pop(app.id, None)
        self.scheduler.finish(app.id, self.now_ms)

    def _move(self, arguments: Data) -> None:
        app = self._live(arguments)
        self.scheduler.move(app.id, word(arguments, "queue"), self.now_ms)

    def _set_priority(self, arguments: Data) -> None:
        app = self._accepted(arguments)
        if app.state in ENDED:
            return
        self.scheduler.set_priority(app.id, whole(arguments, "priority"), self.now_ms)

    # -- configuration and time ------------------------------------------------------------------

    def _refresh(self, arguments: Data) -> None:
        said = arguments.get("config") or {}
        config = {**self.config, **read_config(said)}
        for key in removed_keys(said):
            config.pop(key, None)
        allocations = text(arguments.get("fairAllocations")) or self.allocations
        self.simulated.configure(config, allocations, self.now_ms)
        self.config, self.allocations = config, allocations

    def _set_state(self, arguments: Data, state: str) -> None:
        key = f"yarn.scheduler.capacity.{word(arguments, 'queue')}.state"
        self._refresh({"config": {key: state}})

    def _advance(self, arguments: Data) -> None:
        self.now_ms += whole(arguments, "seconds") * 1000

    def _preempt(self, arguments: Data) -> None:
        seconds = whole(arguments, "seconds", self.simulated.preemption_seconds())
        for _ in range(whole(arguments, "rounds", 1)):
            self.now_ms += seconds * 1000
            self._preempt_once()
            self._settle({})

    def _preempt_once(self) -> None:
        decisions = self.scheduler.preempt(self.now_ms)
        if self.trace is not None:
            self.trace.decisions(decisions)
        held = {c.id for c in self.scheduler.containers()}
        lost: set[ContainerId] = set()
        for decision in decisions:
            if isinstance(decision, Preempt) and decision.kill and decision.container in held:
                held.remove(decision.container)
                lost.add(decision.container)
                self._count_preempted(decision.container)
                self.scheduler.release(decision.container, self.now_ms)
        self._restart_lost(lost)

"""A run of a scenario: applications come, ask and go while nodes heartbeat.

A step that fails, because it cannot be read or the scheduler refuses it, is noted with its place,
and the run goes on, as the recordings of Hadoop do. Nodes heartbeat in the order in which they
joined, and AMs register after a whole round, so that a run has one outcome.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.lifecycle.lifetime import allowed_lifetime
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.errors import IllegalEvent, Rejected, SpecError
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import CPU, MEMORY
from kubeyarn.schedulers.api import Decision, Grant, Preempt
from kubeyarn.simulate.scenario import (
    DEFAULTS,
    MASTER_KEYS,
    MOST_NODES,
    MOST_ROUNDS,
    STEP_KEYS,
    Data,
    Scenario,
    Step,
    amounts,
    check_keys,
    check_labels,
    flag,
    label,
    mapping,
    names,
    priority,
    read_config,
    read_nodes,
    removed_keys,
    text,
    whole,
    word,
)
from kubeyarn.simulate.simulated_app import ENDED, SimulatedApp, read_places
from kubeyarn.simulate.simulated_nodes import NO_TIMEOUT, SimulatedNodes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from collections.abc import Set as AbstractSet

    from kubeyarn.model.containers import Container
    from kubeyarn.model.resources import Vector
    from kubeyarn.simulate.scheduler import SimulatedScheduler
    from kubeyarn.simulate.trace import Trace

QUIET_ROUNDS = 3
STEP_MS = 1000
TIMESTAMP = 1
ANY_PLACE = "*"


class ScenarioRun:
    """Runs the steps of a scenario against a scheduler.

    *observe* is called by each `observe` step with its arguments, *step_done* after every step;
    *trace* takes the decisions in words.
    """

    def __init__(
        self,
        scenario: Scenario,
        simulated: SimulatedScheduler,
        *,
        observe: Callable[[Data], None],
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
        self.nodes = SimulatedNodes(self.scheduler)
        self._unfetched: dict[ContainerId, Container] = {}
        self.preempted: dict[str, int] = {}
        self.errors: list[Data] = []
        self.config = {**DEFAULTS, **scenario.config}
        self.allocations = scenario.allocations
        self._observe = observe
        self._step_done = step_done

    def begin(self) -> None:
        """Start the scheduler, and let the nodes register.

        Raises:
            ConfigRefused: the scheduler does not start with this configuration, or a node has a
                label that it cannot have.
        """
        # As the ResourceManager's start: labels are known before queues refer to them, and queues
        # before nodes register, whose size then makes their capacities.
        check_labels(self.scenario.partitions)
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
            # No two steps are at one time: Hadoop orders applications by when they were submitted
            # or began.
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
            "updateNode": self._update_node,
            "decommission": lambda a: self.nodes.leave(word(a, "node")),
            "recommission": lambda a: self.nodes.stay(word(a, "node")),
            "unhealthy": self._fall_ill,
            "healthy": lambda a: self.nodes.recover(word(a, "node")),
            "blacklist": self._blacklist,
            "setLifetime": self._set_lifetime,
            "refreshQueues": self._refresh,
            "stopQueue": lambda a: self._set_state(a, "STOPPED"),
            "startQueue": lambda a: self._set_state(a, "RUNNING"),
            "preempt": self._preempt,
            "advance": self._advance,
            "observe": self._observe,
        }
        action = actions.get(step.action)
        if action is None:
            raise SpecError(f"step: {step.action!r} is unknown, known are {sorted(actions)}")
        # A mistyped key would otherwise leave a default in force, and the scenario would prove
        # nothing.
        check_keys(step.arguments, STEP_KEYS[step.action], step.action)
        action(step.arguments)

    # -- nodes -----------------------------------------------------------------------------------

    def _add_nodes(self, arguments: Data) -> None:
        nodes = read_nodes(arguments, self.simulated.types, self.scenario.partitions)
        if len(self.nodes) + len(nodes) > MOST_NODES:
            raise SpecError(f"nodes: found more than {MOST_NODES}, allowed: at most that")
        for node in nodes:
            self.nodes.add(node)

    def _remove_node(self, arguments: Data) -> None:
        self._lose(self.nodes.remove(word(arguments, "name")))

    def _fall_ill(self, arguments: Data) -> None:
        self._lose(self.nodes.fall_ill(word(arguments, "node")))

    def _update_node(self, arguments: Data) -> None:
        name = word(arguments, "name")
        before = self.nodes.node(name).total
        types = self.simulated.types
        changed: Data = {"memory": before[MEMORY], "vcores": before[CPU], **arguments}
        timeout = whole(arguments, "overcommitTimeout", NO_TIMEOUT, least=NO_TIMEOUT)
        self._resize(name, amounts(changed, types, least=0), timeout)

    def _resize(self, name: str, total: Vector, timeout_seconds: int) -> None:
        self.nodes.resize(name, total, timeout_seconds, self.now_ms)
        self._kill_over_commitment(name)

    def _kill_over_commitment(self, name: str) -> bool:
        killed = self.nodes.to_kill(name, self.now_ms)
        for container in killed:
            self._count_preempted(container.id)
            self.scheduler.release(container.id, self.now_ms)
        self._lose(killed)
        return bool(killed)

    def _lose(self, lost: Sequence[Container]) -> None:
        """Containers are gone: AMs begin another attempt, and what nobody knows of is asked again.

        What an AM has not fetched yet it never hears of, so the scheduler asks for it once more
        (Hadoop: recoverResourceRequestForContainer).
        """
        if lost:
            self._restart_lost({container.id for container in lost})
            self._ask_again(lost)

    def _ask_again(self, lost: Iterable[Container]) -> None:
        for container in lost:
            app = self.by_id.get(container.id.attempt.application)
            # An AM that knows of a container asks for another itself, or does not.
            if self._unfetched.pop(container.id, None) is None:
                continue
            if app is None or app.state != "running":
                continue
            # A former attempt's asks went with it.
            if container.id.attempt != AttemptId(app.id, app.attempt):
                continue
            ask = app.ask_again(container, self.simulated.outstanding_rows(app.id, container.key))
            if ask is not None:
                self.scheduler.update_asks(app.id, [ask], self.now_ms)

    def _restart_lost(self, lost: AbstractSet[ContainerId]) -> None:
        """Applications that lost their AM begin another attempt, in order of submission."""
        apps = [a for a in self.by_id.values() if a.master in lost and a.state not in ENDED]
        for app in apps:
            app.begin_attempt()
        if apps:
            self.scheduler.restart_attempts({app.id: app.attempt for app in apps}, self.now_ms)

    # -- rounds ----------------------------------------------------------------------------------

    def _settle(self, arguments: Data) -> None:
        # One quiet round is not enough: what a heartbeat misses for locality, a later one grants.
        quiet, enough = 0, QUIET_ROUNDS
        if self.scenario.partitions:
            # An ask without a label lets an offer of each node pass before it borrows a partition.
            enough = len(self.nodes) + 2
        for _ in range(max(enough, MOST_ROUNDS)):
            quiet = 0 if self._round() else quiet + 1
            if quiet >= enough:
                return
        raise SpecError(f"settle: found changes after {MOST_ROUNDS} rounds still; use heartbeat")

    def _heartbeat(self, arguments: Data) -> None:
        node = text(arguments.get("node"), "node")
        if node is not None:
            self.nodes.node(node)
        for _ in range(whole(arguments, "times", 1, most=MOST_ROUNDS)):
            if node is None:
                self._round()
            else:
                self._beat(node)
                self._register()

    def _round(self) -> bool:
        """Every node heartbeats once, then AMs register and fetch; whether anything changed."""
        self.simulated.before_round(self.now_ms)
        changed = False
        for name in self.nodes:
            changed |= self._beat(name)
        # After the nodes: containers of AMs that were granted in this round run by now.
        changed |= self._register()
        # Every AM has fetched what there was.
        self._unfetched.clear()
        return changed

    def _beat(self, name: str) -> bool:
        """One heartbeat of a node; whether anything changed.

        A leaving node shrinks to what was used on it when the heartbeat began, with what has been
        granted since then killed again (Hadoop: AbstractYarnScheduler.nodeUpdate, whose event for
        the new size comes after the offer).
        """
        if not self.nodes.is_leaving(name):
            killed = self._kill_over_commitment(name)
            return bool(self._offer(name)) or killed
        used = self.nodes.used(name)
        changed = self._kill_over_commitment(name)
        if self.simulated.grants_on_leaving_nodes:
            changed |= bool(self._offer(name))
        if used != self.nodes.node(name).total:
            changed = True
            self._resize(name, used, 0)
        return changed

    def _offer(self, node: str) -> Sequence[Decision]:
        decisions = self.scheduler.node_update(node, self.now_ms)
        if self.trace is not None:
            self.trace.decisions(decisions)
        held = self._unfetched
        killed: set[ContainerId] = set()
        for decision in decisions:
            if isinstance(decision, Grant):
                container = decision.container
                self.nodes.granted(container.id)
                if container.am:
                    app = self.by_id[container.id.attempt.application]
                    app.start_master(container.id)
                else:
                    self._unfetched[container.id] = container
            elif isinstance(decision, Preempt):
                self._count_preempted(decision.container)
                killed.add(decision.container)
        if killed:
            self._restart_lost(killed)
            self._ask_again([held[one] for one in killed if one in held])
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
            registered = True
            kept = app.register()
            if kept:
                self._send(app, kept)
        return registered

    def _send(self, app: SimulatedApp, asks: Sequence[Ask]) -> None:
        """An AM's call: what it was given so far comes back with the answer."""
        self._fetch(app)
        rows = self.simulated.outstanding_rows
        sent = [app.to_send(ask, rows(app.id, ask.key), self.nodes.rack_of) for ask in asks]
        self.scheduler.update_asks(app.id, sent, self.now_ms)

    def _fetch(self, app: SimulatedApp) -> None:
        for container in [c for c in self._unfetched if c.attempt.application == app.id]:
            del self._unfetched[container]

    # -- applications ----------------------------------------------------------------------------

    def _submit(self, arguments: Data) -> None:
        name, user = word(arguments, "app"), word(arguments, "user")
        # Also of those that are rejected: Hadoop's ids go on whatever becomes of an application.
        number = len(self.apps) + 1
        app = SimulatedApp(name, ApplicationId(TIMESTAMP, number), submitted_ms=self.now_ms)
        am = mapping(arguments.get("am") or {}, "am")
        check_keys(am, MASTER_KEYS, "am")
        lifetime = None if arguments.get("lifetime") is None else whole(arguments, "lifetime")
        application = Application(
            id=app.id,
            user=user,
            queue=text(arguments.get("queue"), "queue") or "default",
            groups=self.scenario.groups.get(user, (user,)),
            name=name,
            priority=None if arguments.get("priority") is None else priority(arguments),
            am_size=amounts(am, self.simulated.types),
            partition=label(arguments.get("label")),
            am_partition=label(am.get("label")),
            order=number,
            submitted_ms=self.now_ms,
        )
        self.apps[name] = app
        try:
            _check_lifetime(lifetime)
            self.scheduler.submit(application, self.now_ms)
        except Rejected as error:
            app.reject(str(error))
            if self.trace is not None:
                self.trace.note(f"{name} is rejected ({error.reason}): {error}")
            return
        self.by_id[app.id] = app
        allowed = allowed_lifetime(lifetime or 0, *self.simulated.lifetimes(app.id))
        if allowed > 0:
            app.expire_at(self.now_ms + allowed * 1000)

    def _set_lifetime(self, arguments: Data) -> None:
        app = self._live(arguments)
        expires_ms = self.now_ms + whole(arguments, "lifetime", least=1) * 1000
        _, maximum = self.simulated.lifetimes(app.id)
        if maximum > 0:
            expires_ms = min(expires_ms, app.submitted_ms + maximum * 1000)
        app.expire_at(expires_ms)

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
        request_id = whole(arguments, "allocationRequestId", -1)
        key = AskKey(priority(arguments, 1), request_id)
        count = whole(arguments, "count")
        ask = Ask(
            key=key,
            count=count,
            size=amounts(arguments, self.simulated.types),
            partition=label(arguments.get("label")),
            locality=read_places(arguments, count, self.nodes.rack_of),
        )
        if app.state != "running":
            app.keep(ask)
            return
        self._send(app, [ask])

    def _cancel(self, arguments: Data) -> None:
        app = self.apps.get(word(arguments, "app"))
        wanted = priority(arguments, 1)
        if app is None or app.state in ENDED:
            return
        if app.state != "running":
            app.drop_kept(wanted)
            return
        size = amounts({}, self.simulated.types)
        self._send(app, [Ask(AskKey(wanted), 0, size)])

    def _blacklist(self, arguments: Data) -> None:
        app = self._running(arguments)
        added, removed = names(arguments, "add"), names(arguments, "remove")
        if ANY_PLACE in added:
            raise IllegalEvent(f"add: found {ANY_PLACE!r}, allowed: names of nodes and racks")
        self._fetch(app)
        self.scheduler.exclude(app.id, app.exclude(added, removed))

    def _release(self, arguments: Data) -> None:
        app = self._running(arguments)
        self._fetch(app)
        wanted = None if arguments.get("priority") is None else priority(arguments)
        held = [
            c
            for c in self.containers_of(app)
            if not c.am and (wanted is None or c.key.priority == wanted)
        ]
        if flag(arguments, "newest", default=True):
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
        app.end(state)
        self.by_id.pop(app.id, None)
        self.scheduler.finish(app.id, self.now_ms)

    def _move(self, arguments: Data) -> None:
        app = self._live(arguments)
        self.scheduler.move(app.id, word(arguments, "queue"), self.now_ms)

    def _set_priority(self, arguments: Data) -> None:
        app = self._accepted(arguments)
        if app.state in ENDED:
            return
        self.scheduler.set_priority(app.id, priority(arguments), self.now_ms)

    # -- configuration and time ------------------------------------------------------------------

    def _refresh(self, arguments: Data) -> None:
        given = arguments.get("config") or {}
        config = {**self.config, **read_config(given)}
        for key in removed_keys(given):
            config.pop(key, None)
        allocations = text(arguments.get("fairAllocations"), "fairAllocations") or self.allocations
        self.simulated.configure(config, allocations, self.now_ms)
        # Only now: a refresh that is refused leaves the configuration as it was, as Hadoop's does.
        self.config, self.allocations = config, allocations

    def _set_state(self, arguments: Data, state: str) -> None:
        key = f"yarn.scheduler.capacity.{word(arguments, 'queue')}.state"
        self._refresh({"config": {key: state}})

    def _advance(self, arguments: Data) -> None:
        self.now_ms += whole(arguments, "seconds", least=0) * 1000
        for app in list(self.by_id.values()):
            if app.expires_ms is not None and self.now_ms > app.expires_ms:
                self._end(app, "killed")

    def _preempt(self, arguments: Data) -> None:
        seconds = whole(arguments, "seconds", self.simulated.preemption_seconds())
        for _ in range(whole(arguments, "rounds", 1, most=MOST_ROUNDS)):
            self.now_ms += seconds * 1000
            self._preempt_once()
            self._settle({})

    def _preempt_once(self) -> None:
        decisions = self.scheduler.preempt(self.now_ms)
        if self.trace is not None:
            self.trace.decisions(decisions)
        # Taken before any is released: one container may be named by two policies, and ends once.
        held = {c.id: c for c in self.scheduler.containers()}
        lost: list[Container] = []
        for decision in decisions:
            if isinstance(decision, Preempt) and decision.kill and decision.container in held:
                lost.append(held.pop(decision.container))
                self._count_preempted(decision.container)
                self.scheduler.release(decision.container, self.now_ms)
        self._lose(lost)


def _check_lifetime(seconds: int | None) -> None:
    """Refuse a lifetime that is over at once (Hadoop: RMServerUtils.validateApplicationTimeouts).

    Raises:
        Rejected: it is not above 0.
    """
    if seconds is not None and seconds <= 0:
        message = f"lifetime: found {seconds}, expected a number of seconds above 0"
        raise Rejected(Reason.INVALID_REQUEST, message)

"""The allocation loop: take in what changed, decide, and have it written. One task, no locks.

Watch events come between two turns and only note what changed: an object goes into the cache, its
name into a set. A turn then looks at each name once, so a burst of events costs one look. The steps
and their order are `AllocationLoop.turn`. Everything runs on one event loop and no step waits, so
the caches, the scheduler and the accounts are consistent whenever anybody else (a writer, the
extender) can look at them.

Whatever one object makes our code raise stays with it (`reconcile_errors`): handlers and
reconcilers are called through `ReconcileErrors.attempt`, and others are served as before. What is
decided on all objects at once (a cycle, a pass of preemption) is called through `_step`. When that
fails, whatever it had charged by then is abandoned, because a scheduler is built anew from the
objects, and the object that it failed on is left out from then on (`set_aside`). Where none can be
named the step itself rests for a while; the others go on.

A scheduler is built anew (`rebuild`) at the start, and when the objects call for another one. Order
matters there: the queue tree first, then nodes, then applications by their ids with what they hold,
so that the same objects give the same scheduler whatever order they were listed in.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from prometheus_client import Counter, Histogram

from kubeyarn.crd import scheduler_config, times
from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ContainerId
from kubeyarn.scheduler.access_review import Allows
from kubeyarn.scheduler.asks import AskReader
from kubeyarn.scheduler.cache import SchedulerCache, application_id
from kubeyarn.scheduler.container_updates import ContainerUpdater
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.departures import Departures
from kubeyarn.scheduler.facts import PodUse
from kubeyarn.scheduler.failed_step import subject_of
from kubeyarn.scheduler.queue_tree import InForce
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.reconcilers.applications import ApplicationReconciler
from kubeyarn.scheduler.reconcilers.nodes import NodeReconciler
from kubeyarn.scheduler.reconcilers.pods import PodReconciler
from kubeyarn.scheduler.reconcilers.queues import QueueReconciler
from kubeyarn.scheduler.reconcilers.requests import ContainerRequestReconciler
from kubeyarn.scheduler.reconcilers.requirements import RequirementsReconciler
from kubeyarn.scheduler.recovery import Recovery
from kubeyarn.scheduler.refusals import PodRefusal, read_refusal
from kubeyarn.scheduler.request_state import Allocation, RequestState, master
from kubeyarn.scheduler.scheduler_state import SchedulerState
from kubeyarn.scheduler.settings import Settings
from kubeyarn.scheduler.status.am_limits import AMLimitsReporter
from kubeyarn.scheduler.status.queues import QueueWriter
from kubeyarn.scheduler.status.requests import RequestWriter
from kubeyarn.scheduler.status.waiting import WaitingReasons
from kubeyarn.scheduler.step_rests import StepRests
from kubeyarn.schedulers.api import Decision, Grant, Increase, Preempt

_log = logging.getLogger(__name__)

GRANTS = Counter("kubeyarn_grants", "Containers granted.")
PREEMPTIONS = Counter("kubeyarn_preemptions", "Containers marked and killed.", ["what"])
ABANDONED = Counter(
    "kubeyarn_abandoned_turns", "Turns of the allocation loop that failed, by step.", ["step"]
)
CYCLES = Histogram(
    "kubeyarn_cycle_seconds",
    "Time of one scheduling cycle.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
)

T = TypeVar("T")

_REBUILDING = "rebuilding"

_IDLE_S = 0.5
_BURST_S = 0.002


class Interval:
    """Something that is done once in a while, the first time at once."""

    def __init__(self) -> None:
        self._due_at = float("-inf")

    def is_due(self, now: float, every_s: float) -> bool:
        """Whether it is to be done at the time *now*; the next time is *every_s* later."""
        if now < self._due_at:
            return False
        self._due_at = now + every_s
        return True

    def at_once(self) -> None:
        """It is to be done at the next chance."""
        self._due_at = float("-inf")


class AllocationLoop:
    """Runs the scheduler on what was seen."""

    def __init__(
        self,
        cache: SchedulerCache,
        state: SchedulerState,
        containers: ContainerAccounts,
        allows: Allows,
        settings: Settings,
        now_ms: Callable[[], int] = lambda: int(time.time() * 1000),
    ) -> None:
        self._cache = cache
        self._errors = cache.errors
        self._state = state
        self._containers = containers
        self._settings = settings
        self._now_ms = now_ms
        asks = AskReader(cache, state)
        # Reconcilers, by the kind of object; see the room's own page for who uses whom.
        self.requirements = RequirementsReconciler(cache)
        self.requests = ContainerRequestReconciler(
            cache, state, containers, asks, allows, self.requirements
        )
        self.recovery = Recovery(cache, state, containers, asks)
        self.updates = ContainerUpdater(cache, state, containers, asks)
        self.queues = QueueReconciler(cache, state)
        self.pods = PodReconciler(cache, containers)
        self.applications = ApplicationReconciler(
            cache,
            state,
            containers,
            self.requests,
            self.recovery,
            self.updates,
            allows,
            self.requirements,
        )
        self.nodes = NodeReconciler(cache, state, containers, self.applications.revoke)
        self._departures = Departures(cache)
        self._waiting = WaitingReasons(cache, state, self.requirements)
        self._am_limits = AMLimitsReporter(cache, state)
        # What changed since the last turn.
        self._wake = asyncio.Event()
        self._queues_changed = False
        self._nodes_changed = False
        self._changed_nodes: set[str] = set()
        self._changed_applications: set[Key] = set()
        # Of applications that are as they were: which of their requests changed.
        self._changed_requests: dict[Key, set[Key]] = {}
        self._refused: set[ContainerId] = set()
        # What is done once in a while.
        self._revoking, self._backoffs, self._lost, self._leaving = (Interval() for _ in range(4))
        self._preempting, self._reporting = Interval(), Interval()
        self._explaining, self._explaining_updates = Interval(), Interval()
        self._errors.follow(self._now_ms, self._error_changed)
        # Steps that failed, and whether what the scheduler was told since is to be told anew.
        self._rests = StepRests()
        self._must_rebuild = False

    # What is seen arrives here; it is only noted.

    def queue_seen(self, what: str, item: Object) -> None:
        """A YarnQueue changed."""
        self._errors.attempt_event(Watched.QUEUE, key_of(item), self._see_queue, what, item)

    def node_seen(self, what: str, item: Object) -> None:
        """A node changed; heartbeats are none."""
        key = key_of(item)
        if self._errors.attempt_event(Watched.NODE, key, self._see_node, what, item) is not None:
            # Nobody knows what it has now, so it gets nothing more.
            self._cache.nodes.close(key[1])
            self._changed_nodes.add(key[1])
            self._wake.set()

    def pod_seen(self, what: str, item: Object) -> None:
        """A pod changed, ours or foreign."""
        self._errors.attempt_event(Watched.POD, key_of(item), self._see_pod, what, item)

    def application_seen(self, what: str, item: Object) -> None:
        """A YarnApplication changed."""
        key = key_of(item)
        self._errors.attempt_event(Watched.APPLICATION, key, self._see_application, what, item)

    def request_seen(self, what: str, item: Object) -> None:
        """A ContainerRequest changed."""
        self._errors.attempt_event(Watched.REQUEST, key_of(item), self._see_request, what, item)

    def _see_queue(self, what: str, item: Object) -> None:
        self._queues_changed |= self._cache.queues.see(item, deleted=what == "DELETED")
        self._wake.set()

    def _see_node(self, what: str, item: Object) -> None:
        if self.nodes.see(item, deleted=what == "DELETED"):
            self._nodes_changed = True
            self._changed_nodes.add(item["metadata"]["name"])
            self._wake.set()

    def _see_pod(self, what: str, item: Object) -> None:
        before, deleted = self._cache.pods.get(key_of(item)), what == "DELETED"
        use, node = self.pods.see(item, deleted=deleted)
        self._departures.see(before, use, self._now_ms(), deleted=deleted)
        if node:
            self._changed_nodes.add(node)
        if use.container is not None:
            state = self._cache.requests.of_container(use.container)
            if state is not None:
                self._changed_requests.setdefault(state.application, set()).add(state.key)
            if use.refused and not use.node:
                self._refused.add(use.container)
        if node or use.container is not None:
            self._wake.set()

    def _see_application(self, what: str, item: Object) -> None:
        self.look_again(self._cache.applications.see(item, deleted=what == "DELETED"))

    def _see_request(self, what: str, item: Object) -> None:
        surplus = self._cache.requests.surplus
        application = self._cache.requests.see(item, deleted=what == "DELETED")
        if self._errors.get(Watched.APPLICATION, application) is not None or (
            what == "DELETED" and surplus(application)
        ):
            # It may be what its application failed on, or make room for another request.
            self._errors.end_rest(Watched.APPLICATION, application)
            self._changed_applications.add(application)
        self._changed_requests.setdefault(application, set()).add(key_of(item))
        self._wake.set()

    def _error_changed(self, kind: Watched, key: Key) -> None:
        """Have it written on the object, or on the one of ours that speaks for it."""
        requests = self._cache.requests
        if kind is Watched.QUEUE:
            self._reporting.at_once()
        elif kind is Watched.REQUEST:
            requests.unreadable_changed(key)
        elif kind is Watched.APPLICATION:
            am = master(requests.masters_of(key))
            if am is not None:
                requests.changed(am)

    def look_again(self, application: Key) -> None:
        """Something that an application waits for may be known now."""
        self._changed_applications.add(application)
        self._wake.set()

    # The loop.

    async def run(self, requests: RequestWriter, queues: QueueWriter) -> None:
        """Turn until cancelled; everything that was seen before is in the first turn."""
        self._must_rebuild = True
        self._rebuild_if_must()
        for key in list(self._cache.requests.states):
            requests.queue.add(key)
        for kind, key in self._errors.known():
            if kind is Watched.REQUEST:
                requests.queue.add(key)
        # What was listed stays: the collector need not walk it in the middle of a cycle.
        gc.collect()
        gc.freeze()
        while True:
            if self.turn(queues.refresh):
                # The rest of the grants is for the next turn; let writes and watches run first.
                await asyncio.sleep(0)
                continue
            self._wake.clear()
            try:
                # Not wait_for: before Python 3.12 it may swallow a cancellation.
                async with asyncio.timeout(_IDLE_S):
                    await self._wake.wait()
                # A burst of events costs one turn.
                await asyncio.sleep(_BURST_S)
            except TimeoutError:
                pass

    def turn(self, report_queues: Callable[[], None]) -> bool:
        """Take in, decide, and look after what was decided; whether there may be more to grant.

        *report_queues* has the queues' status written where it is not as it should be.
        """
        if not self._rebuild_if_must():
            return False
        now, now_ms = time.monotonic(), self._now_ms()
        every_s, why_s = self._settings.queue_status_every_s, self._settings.why_every_s
        # 1. What changed since the last turn goes into the scheduler; grants whose pods will not be
        #    bound however long they wait are revoked; the scheduler decides; grants, increases and
        #    preemptions go onto the requests that they are for.
        more = self.cycle()
        # 2. Grants whose pods kube-scheduler refuses for too long are revoked, too.
        if self._revoking.is_due(now, every_s):
            self._step("revoking", lambda: self.revoke_refused(now_ms), None)
        # 3. Nodes that refused an application's pods are tried again when their backoff ends.
        if self._backoffs.is_due(now, every_s):
            self._step("ending backoffs", lambda: self._end_backoffs(now_ms), None)
        # 4. Lost nodes are forgotten when nothing runs there any more.
        if self._lost.is_due(now, every_s) and self._cache.nodes.lost:
            self._step("forgetting nodes", lambda: self._settle(now_ms), None)
        # 5. Deleted queues leave when nothing uses them any more: the next turn tries without them.
        if self._leaving.is_due(now, every_s) and self._step(
            "letting queues go", self.queues.may_leave_now, otherwise=False
        ):
            self._queues_changed = True
            self._wake.set()
        # 6. The preemption policy takes back what is owed to others, as often as root says.
        config = self._state.in_force.config
        if (
            config is not None
            and config.preemption.enabled
            and self._preempting.is_due(now, config.preemption.interval_ms / 1000)
        ):
            self._step("preempting", lambda: self._preempt(now_ms), None)
        # 7. What is held, and why the rest waits, goes to the writers of status.
        if self._reporting.is_due(now, every_s):
            root = ("", scheduler_config.ROOT)
            self._errors.attempt(Watched.QUEUE, root, report_queues)
            self._am_limits.report(now, self._settings.am_limits_every_s)
        if self._explaining.is_due(now, every_s) and self._step(
            "explaining", lambda: self._waiting.explain(now, now_ms, why_s), otherwise=False
        ):
            self._explaining.at_once()
        if self._explaining_updates.is_due(now, why_s):
            self._step("explaining updates", lambda: self.updates.explain(now_ms), None)
        return more

    def cycle(self) -> bool:
        """Take in what changed and run one scheduling cycle; whether there may be more to grant."""
        now_ms = self._now_ms()
        if not self._rebuild_if_must() or not self._step(
            "taking in", lambda: self._take_in(now_ms), otherwise=False
        ):
            return False
        more = self._step("the cycle", lambda: self._decide(now_ms), otherwise=False)
        if not self._state.opportunistic.idle:
            self._step("the opportunistic cycle", self._decide_opportunistic, otherwise=False)
        return more

    def _decide(self, now_ms: int) -> bool:
        most = self._settings.grants_per_cycle
        self._revoke_at_once(now_ms)
        started = time.perf_counter()
        decisions = self._state.scheduler.cycle(now_ms, most)
        CYCLES.observe(time.perf_counter() - started)
        increases = [one for one in decisions if isinstance(one, Increase)]
        for increase in increases:
            # Before opportunistic containers are looked at: one that is promoted is charged by the
            # scheduler now, and must not be counted by the opportunistic allocator as well.
            self.updates.increased(increase)
        return self._note(decisions) + len(increases) >= most

    def _decide_opportunistic(self) -> bool:
        """Have opportunistic containers go whose room was taken, and grant others."""
        opportunistic, scheduler = self._state.opportunistic, self._state.scheduler
        most = self._settings.grants_per_cycle
        limits, queue_of = self._state.opportunistic_limits, self._state.queue_of
        nodes = scheduler.node_reports()
        self._note(opportunistic.cycle(nodes, scheduler.next_id, most, limits, queue_of))
        return True

    def _note(self, decisions: Sequence[Decision]) -> int:
        """Note grants and preemptions on their requests; returns how many grants there are."""
        grants = [one for one in decisions if isinstance(one, Grant)]
        for grant in grants:
            self._grant(grant.container)
        for decision in decisions:
            if isinstance(decision, Preempt):
                self.note_preemption(decision)
        GRANTS.inc(len(grants))
        return len(grants)

    def _step(self, step: str, work: Callable[[], T], otherwise: T) -> T:
        """Do a step of the turn; *otherwise* where it fails, or rests because it did."""
        now_ms = self._now_ms()
        if self._rests.rests(step, now_ms):
            return otherwise
        try:
            done = work()
        except Exception as error:  # noqa: BLE001 - the loop must go on
            self._abandon(step, error, now_ms)
            return otherwise
        self._rests.done(step)
        self._cache.set_aside.decided(step)
        return done

    def _abandon(self, step: str, error: Exception, now_ms: int) -> None:
        """Go on without the object that a step failed on, or without the step."""
        ABANDONED.labels(step).inc()
        subject = subject_of(error, self._state.applications)
        if subject is None or self._cache.set_aside.has(*subject):
            self._rests.failed(step, now_ms)
            _log.error("%s failed; it rests, all else goes on", step, exc_info=error)
        else:
            self._cache.set_aside.put(subject, step, error, now_ms)
            kind, key = subject
            name = "/".join(part for part in key if part)
            _log.error("%s failed on %s %s: set aside", step, kind.value, name, exc_info=error)
        # What was charged in the middle of it is not known to anybody: none of it is kept.
        self._must_rebuild = True
        if step != _REBUILDING:
            self._rebuild_if_must()

    def _rebuild_if_must(self) -> bool:
        """Build the scheduler anew if a step failed; whether it is as the objects say."""
        if self._must_rebuild:
            self._must_rebuild = self._step(_REBUILDING, self._rebuild_whole, otherwise=True)
        return not self._must_rebuild

    def _rebuild_whole(self) -> bool:
        self.rebuild(self._now_ms())
        return False

    # 1. Taking in.

    def _take_in(self, now_ms: int) -> bool:
        """Bring the scheduler in line with what was seen: queues, nodes, applications, orphans."""
        if self.queues.needs_rebuild():
            _log.info("the scheduler or the resource types changed: building the scheduler anew")
            self.rebuild(now_ms)
            return True
        if self._queues_changed:
            self._queues_changed = False
            self._sync_queues(now_ms)
            # What a queue refused before it may take now.
            self._changed_applications |= set(self._cache.applications.objects)
            self._reporting.at_once()
        for kind, key in (*self._errors.due(), *self._cache.set_aside.take_rested(now_ms)):
            self._try_again(kind, key)
        applications, self._changed_applications = self._changed_applications, set()
        requests, self._changed_requests = self._changed_requests, {}
        for key in applications | requests.keys():
            self._read_requirements(key, None if key in applications else requests[key])
        nodes, self._changed_nodes = sorted(self._changed_nodes), set()
        for name in nodes:
            self.nodes.sync(name, now_ms)
        # Who may be where must be known before anything is asked for.
        applications |= self._settle_requirements(now_ms)
        if self._nodes_changed:
            self._nodes_changed = False
            # What was too large for every node may fit one now.
            states = self._cache.requests.states.values()
            applications |= {s.application for s in states if s.refused}
        for key in self._by_submission(applications | requests.keys()):
            self.applications.sync(key, now_ms, None if key in applications else requests[key])
        if self._cache.pods.has_orphans:
            self._settle(now_ms)
        return True

    def _read_requirements(self, application: Key, only: Collection[Key] | None = None) -> None:
        read = self.requirements.read
        self._errors.attempt(Watched.APPLICATION, application, read, application, only)

    def _settle_requirements(self, now_ms: int) -> set[Key]:
        """Tell the scheduler of nodes that are classed anew; who may be on other nodes now."""
        nodes, applications = self.requirements.settle()
        for name in sorted(nodes):
            self.nodes.sync(name, now_ms)
            self._nodes_changed = True
        return applications

    def _try_again(self, kind: Watched, key: Key) -> None:
        """An object that our code failed on has rested."""
        if kind is Watched.NODE:
            self._changed_nodes.add(key[1])
        elif kind is Watched.APPLICATION:
            self._changed_applications.add(key)
        elif kind is Watched.REQUEST:
            state = self._cache.requests.get(key)
            if state is not None:
                self._changed_requests.setdefault(state.application, set()).add(key)
        elif kind is Watched.QUEUE:
            # With it its applications are looked at.
            self._queues_changed = True

    def _sync_queues(self, now_ms: int, *, recovering: bool = False) -> None:
        if self.queues.sync(now_ms, recovering=recovering):
            for name in sorted(self._cache.nodes.facts):
                self.nodes.sync(name, now_ms)

    def _settle(self, now_ms: int) -> None:
        """Adopt containers that no request lists, and let go of lost nodes that are empty."""
        changed = self.recovery.adopt(now_ms)
        for name in [*self.nodes.lost(), *changed]:
            self.nodes.sync(name, now_ms)

    def _by_submission(self, keys: set[Key]) -> list[Key]:
        """Applications by submission, so that order does not hang on which event came first."""

        def order(key: Key) -> tuple[str, str, Key]:
            application = self._cache.applications.objects.get(key)
            if application is None:
                return "", "", key
            return application.metadata.creation_timestamp, application.status.application_id, key

        return sorted(keys, key=order)

    def rebuild(self, now_ms: int) -> None:
        """Have a new scheduler know everything that is cached, in an order of the objects alone."""
        kind, types = self.queues.wanted_kind(), self.queues.wanted_types()
        if self.queues.are_abandoned():
            self._state.put_in_force(InForce())
        for state in self._cache.requests.states.values():
            state.convert(self._state.types, types)
        self._state.reset(kind, types)
        self._containers.reset()
        for key in self._cache.requests.applications():
            self._read_requirements(key)
        self._sync_queues(now_ms, recovering=True)
        for name in sorted(self._cache.nodes.facts):
            self.nodes.sync(name, now_ms)
        self._settle_requirements(now_ms)
        self.nodes.keep_lost()
        applications = self._cache.applications.objects
        ids = {key: application_id(application) for key, application in applications.items()}
        for _, key in sorted((one, key) for key, one in ids.items() if one is not None):
            self.applications.sync(key, now_ms)
        self.recovery.enter_detached(now_ms)
        for key in sorted(self._cache.requests.applications()):
            if ids.get(key) is None:
                self.applications.sync(key, now_ms)
        self._settle(now_ms)
        self._queues_changed = False
        self._changed_nodes.clear()
        self._changed_applications.clear()
        self._changed_requests.clear()

    # 2. Decisions, noted on the requests that they are for.

    def _grant(self, container: Container) -> None:
        """Note a new container, to be written: a grant is durable before its pod exists."""
        state = self._request_for(container)
        if state is None:
            # Asked and gone within one cycle: nobody is there to be told.
            self._containers.release_charge(container.id)
            return
        self._state.applications.number_given(container.id)
        allocation = Allocation(container.node, opportunistic=state.opportunistic)
        self._cache.requests.allocate(state, container.id, allocation)
        state.count_grant(container.size)
        self._cache.requests.changed(state)

    def _request_for(self, container: Container) -> RequestState | None:
        """The request that a new container answers; None when it is gone."""
        submitted = self._state.applications.by_id(container.id.attempt.application)
        if submitted is None:
            return None
        if not container.am:
            return self._cache.requests.get((submitted.key[0], container.key.name))
        number = container.id.attempt.number
        states = self._cache.requests.masters_of(submitted.key)
        return next((s for s in states if s.attempt == number), None)

    def note_preemption(self, decision: Preempt) -> None:
        """Note that a container is marked to be taken back, or is killed now."""
        state = self._cache.requests.of_container(decision.container)
        allocation = self._cache.requests.allocation(decision.container)
        if state is None or allocation is None:
            return
        if allocation.preempt(decision.message, kill=decision.kill):
            if decision.kill:
                self._containers.cancel_increase(decision.container)
            self._cache.requests.changed(state)

    # What is done once in a while.

    def revoke_refused(self, now_ms: int) -> None:
        """Revoke grants whose pods kube-scheduler refuses for too long, or in vain by now."""
        patience_ms = self._settings.bind_patience_s * 1000
        created_before = times.timestamp(now_ms - patience_ms)
        refused = [use for use in self._cache.pods.of_containers() if use.refused and not use.node]
        in_vain = {use.uid for use in self._waiting_in_vain(refused, now_ms)}
        for use in refused:
            if use.uid in in_vain or use.created < created_before:
                self._revoke(use, now_ms)

    def _end_backoffs(self, now_ms: int) -> None:
        self.requirements.forget_learned(now_ms)
        self.applications.end_backoffs(now_ms)

    def _revoke_at_once(self, now_ms: int) -> None:
        """Revoke grants whose pods were refused just now for what waiting does not change."""
        refused, self._refused = sorted(self._refused), set()
        uses = [self._cache.pods.of_container(container) for container in refused]
        waiting = [use for use in uses if use is not None and use.refused and not use.node]
        in_vain = self._waiting_in_vain(waiting, now_ms)
        for use in in_vain:
            self._revoke(use, now_ms)
        if in_vain:
            # Others of the same template are not to be granted where these were refused.
            for key in self._by_submission(self._settle_requirements(now_ms)):
                self.applications.sync(key, now_ms)

    def _waiting_in_vain(self, refused: list[PodUse], now_ms: int) -> list[PodUse]:
        """The pods that will not be bound however long they wait.

        What lacks room waits where somebody leaves the node, or just has: the refusal may be older
        than the room.
        """
        refusals = {use.uid: read_refusal(use.refused) for use in refused}
        left: set[str] = set()
        if PodRefusal.NO_ROOM in refusals.values():
            left = self._departures.nodes(now_ms)
        return [
            use
            for use in refused
            if refusals[use.uid] is PodRefusal.LASTS
            or (refusals[use.uid] is PodRefusal.NO_ROOM and self._granted_node(use) not in left)
        ]

    def _granted_node(self, use: PodUse) -> str:
        allocation = self._cache.requests.allocation(use.container) if use.container else None
        return allocation.node if allocation is not None else ""

    def _revoke(self, use: PodUse, now_ms: int) -> None:
        container = use.container
        allocation = self._cache.requests.allocation(container) if container else None
        if container is not None and allocation is not None and not allocation.released:
            _log.warning("%s: grant taken back, its pod is refused: %s", container, use.refused)
            state = self._cache.requests.of_container(container)
            if state is not None:
                self._errors.attempt(
                    Watched.REQUEST, state.key, self.applications.revoke, container, now_ms
                )

    def _preempt(self, now_ms: int) -> None:
        for decision in self._state.scheduler.preempt(now_ms):
            if isinstance(decision, Preempt):
                self.note_preemption(decision)
                PREEMPTIONS.labels("killed" if decision.kill else "marked").inc()

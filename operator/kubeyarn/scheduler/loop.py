"""The allocation loop: take in what changed, decide, have it written. One task, no locks."""

from __future__ import annotations

import asyncio
import gc
import logging
import time
from datetime import UTC, datetime

from prometheus_client import Counter, Histogram

from kubeyarn.crd.object import Key, Object
from kubeyarn.scheduler.ledger import Ledger
from kubeyarn.scheduler.settings import Settings
from kubeyarn.scheduler.status.queues import QueueWriter
from kubeyarn.scheduler.status.requests import RequestWriter
from kubeyarn.schedulers.api import Grant, Increase, Preempt

_log = logging.getLogger(__name__)


GRANTS = Counter("kubeyarn_grants", "Containers granted.")
PREEMPTIONS = Counter("kubeyarn_preemptions", "Containers marked and killed.", ["what"])
CYCLES = Histogram(
    "kubeyarn_cycle_seconds",
    "Time of one scheduling cycle.",
    buckets=(0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0),
)

_IDLE_S = 0.5
_MOST_EXPLAINED = 100


class AllocationLoop:
    """Collects what changed between two cycles and runs the engine on it."""

    def __init__(self, ledger: Ledger, settings: Settings) -> None:
        self._ledger = ledger
        self._settings = settings
        self._wake = asyncio.Event()
        self._queues = False
        self._nodes: set[str] = set()
        self._applications: set[Key] = set()
        self._status_due = 0.0
        self._preempt_due = 0.0
        self._growing_due = 0.0

    # What is seen arrives here; it is only noted.

    def queue_seen(self, what: str, item: Object) -> None:
        """A YarnQueue changed."""
        name = item["metadata"]["name"]
        if what == "DELETED":
            self._ledger.queues.pop(name, None)
            self._queues = True
        else:
            before = self._ledger.queues.get(name)
            self._ledger.queues[name] = item
            # Our own status writes come back, too; they change nothing.
            self._queues |= before is None or _word(before) != _word(item)
        if self._queues:
            self._ledger.named_by_queues = None
        self._wake.set()

    def node_seen(self, what: str, item: Object) -> None:
        """A node changed; heartbeats are none."""
        name = item["metadata"]["name"]
        if what == "DELETED":
            self._ledger.forget_node(name)
        elif not self._ledger.see_node(item):
            return
        self._nodes.add(name)
        self._wake.set()

    def pod_seen(self, what: str, item: Object) -> None:
        """A pod changed, ours or foreign."""
        use, node = self._ledger.see_pod(item, deleted=what == "DELETED")
        if node:
            self._nodes.add(node)
        if use.container is not None:
            owner = self._ledger.owner_of(use.container)
            if owner is not None:
                self._applications.add(owner)
        if node or use.container is not None:
            self._wake.set()

    def application_seen(self, what: str, item: Object) -> None:
        """A YarnApplication changed."""
        self._applications.add(self._ledger.see_application(item, deleted=what == "DELETED"))
        self._wake.set()

    def request_seen(self, what: str, item: Object) -> None:
        """A ContainerRequest changed."""
        self._applications.add(self._ledger.see_request(item, deleted=what == "DELETED"))
        self._wake.set()

    def look_again(self, application: Key) -> None:
        """Something else that an application waited for is known now."""
        self._applications.add(application)
        self._wake.set()

    # The loop.

    async def run(self, requests: RequestWriter, queues: QueueWriter) -> None:
        """Cycle until cancelled; everything that was seen before is in the first cycle."""
        self._ledger.rebuild(_now_ms())
        self._queues, self._nodes, self._applications = False, set(), set()
        for key in list(self._ledger.requests):
            requests.queue.add(key)
        # What was listed stays: the collector need not walk it in the middle of a cycle.
        gc.collect()
        gc.freeze()
        while True:
            more = self.cycle()
            self._tell(requests, queues)
            if more:
                await asyncio.sleep(0)
                continue
            self._wake.clear()
            try:
                # Not wait_for: before Python 3.12 it may swallow a cancellation.
                async with asyncio.timeout(_IDLE_S):
                    await self._wake.wait()
                # A burst of events costs one cycle.
                await asyncio.sleep(0.002)
            except TimeoutError:
                pass

    def cycle(self) -> bool:
        """One cycle; whether there may be more to grant at once."""
        now_ms = _now_ms()
        self._take_in(now_ms)
        started = time.perf_counter()
        most = self._settings.grants_per_cycle
        decisions = [*self._ledger.engine.cycle(now_ms, most)]
        # Who is promoted counts in the engine by now, and must not count beside it, too.
        grown = [decision for decision in decisions if isinstance(decision, Increase)]
        for one in grown:
            self._ledger.grown(one)
        decisions += self._ledger.see_to_opportunistic(most)
        CYCLES.observe(time.perf_counter() - started)
        grants = [d for d in decisions if isinstance(d, Grant)]
        for grant in grants:
            self._ledger.granted(grant)
        for decision in decisions:
            if isinstance(decision, Preempt):
                self._ledger.preempting(decision)
        GRANTS.inc(len(grants))
        return len(grants) + len(grown) >= most

    def _take_in(self, now_ms: int) -> None:
        if self._ledger.outgrown():
            _log.info("the scheduler or the resource types changed: building the ledger anew")
            self._ledger.rebuild(now_ms)
            self._queues, self._nodes, self._applications = False, set(), set()
            return
        if self._queues:
            self._queues = False
            self._ledger.configure(now_ms)
            # What a queue refused before it may take now.
            self._applications |= set(self._ledger.applications)
            self._status_due = 0.0
        nodes, self._nodes = sorted(self._nodes), set()
        for name in nodes:
            self._ledger.sync_node(name, now_ms)
        for key in self._in_order(self._applications):
            self._ledger.sync_application(key, now_ms)
        self._applications = set()
        if self._ledger.strays:
            self._ledger.settle(now_ms)

    def _revoke(self, now_ms: int) -> None:
        """Give back grants whose pods kube-scheduler refused for too long."""
        patience_ms = self._settings.bind_patience_s * 1000
        before = datetime.fromtimestamp((now_ms - patience_ms) / 1000, UTC)
        for container, use in self._ledger.refused(before.strftime("%Y-%m-%dT%H:%M:%SZ")):
            held = self._ledger.held(container)
            if held is not None and not held.freed:
                _log.warning("%s: grant taken back, its pod is refused: %s", container, use.refused)
                self._ledger.revoke(container, now_ms)

    def _in_order(self, keys: set[Key]) -> list[Key]:
        """Applications by submission, so that order does not hang on which event came first."""

        def order(key: Key) -> tuple[str, str, Key]:
            found = self._ledger.applications.get(key) or {}
            created = (found.get("metadata") or {}).get("creationTimestamp") or ""
            return created, (found.get("status") or {}).get("applicationId") or "", key

        return sorted(keys, key=order)

    def _tell(self, requests: RequestWriter, queues: QueueWriter) -> None:
        """Once in a while: why requests wait, and what queues hold."""
        now = time.monotonic()
        if now < self._status_due:
            return
        self._status_due = now + self._settings.queue_status_every_s
        self._revoke(_now_ms())
        self._ledger.forgive(_now_ms())
        if self._ledger.lost_nodes:
            self._ledger.settle(_now_ms())
        if self._ledger.leaving() != self._ledger.tried_without:
            self._queues = True
            self._wake.set()
        self._preempt(now)
        queues.refresh()
        self._explain(requests, now)
        self._explain_growing(now)

    def _preempt(self, now: float) -> None:
        """One pass of the preemption policy, as often as root says."""
        config = self._ledger.in_force.config
        if config is None or not config.preemption.enabled or now < self._preempt_due:
            return
        self._preempt_due = now + config.preemption.interval_ms / 1000
        for decision in self._ledger.engine.preempt(_now_ms()):
            if isinstance(decision, Preempt):
                self._ledger.preempting(decision)
                PREEMPTIONS.labels("killed" if decision.kill else "marked").inc()

    def _explain(self, requests: RequestWriter, now: float) -> None:
        ledger = self._ledger
        for key, state in ledger.requests.items():
            identity = ledger.submitted(state.application)
            if identity is None or not state.pending or state.deleted or state.over:
                continue
            if now - state.waits_asked_at < self._settings.why_every_s:
                continue
            state.waits_asked_at = now
            ask = None if state.am else ledger.ask_key(state)
            verdict = (
                ledger.opportunist.why(identity, ledger.ask_key(state))
                if state.opportunistic
                else ledger.engine.why(identity, ask, _now_ms())
            )
            if verdict is None:
                continue
            if state.waits is None or state.waits[0] != verdict.reason.value:
                state.waits = (verdict.reason.value, verdict.message)
                requests.queue.add(key)

    def _explain_growing(self, now: float) -> None:
        """Why containers wait that want more, so many at a time."""
        if now < self._growing_due:
            return
        self._growing_due = now + self._settings.why_every_s
        for container in list(self._ledger.growing)[:_MOST_EXPLAINED]:
            self._ledger.why_growing(container, _now_ms())


def _word(queue: Object) -> tuple[Object, bool]:
    return queue.get("spec") or {}, "deletionTimestamp" in queue["metadata"]


def _now_ms() -> int:
    return int(time.time() * 1000)

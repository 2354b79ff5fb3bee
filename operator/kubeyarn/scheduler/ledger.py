"""The ledger keeper: brings the scheduling engine in line with what the API server says.

Everything here is a level. `rebuild` makes a fresh engine from all that is cached, in an order
that depends on the objects alone; the `sync_…` calls bring a living engine in line with one object
that changed. Both lead to the same ledger.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from kubeyarn.crd import amounts, queues, submissions
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import Rejected, SpecError
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedule.engine import Engine, Grant, Preempt
from kubeyarn.scheduler import asks, configuring, usage
from kubeyarn.scheduler.asks import Held, Key, RequestState
from kubeyarn.scheduler.configuring import InForce
from kubeyarn.scheduler.usage import NodeFacts, PodUse

_log = logging.getLogger(__name__)

Object = dict[str, Any]

ENDED = ("FINISHED", "FAILED", "KILLED")
AM_ROLE = "ApplicationMaster"

MakeEngine = Callable[[SchedulerKind, ResourceTypes], Engine]


class Ledger:
    """Caches of what was seen, and the engine that decides on them.

    `changed` is called with a request's key whenever its status should be written again.
    """

    def __init__(self, make_engine: MakeEngine) -> None:
        self._make_engine = make_engine
        self.changed: Callable[[Key], None] = lambda _: None
        self.types = ResourceTypes()
        self.queues: dict[str, Object] = {}
        self.in_force = InForce()
        self.tried_without: frozenset[str] = frozenset()
        self.nodes: dict[str, NodeFacts] = {}
        self.pods: dict[Key, PodUse] = {}
        self.applications: dict[Key, Object] = {}
        self.requests: dict[Key, RequestState] = {}
        self.kind = SchedulerKind.CAPACITY
        self.engine: Engine = make_engine(self.kind, self.types)
        self._foreign: dict[str, dict[Key, PodUse]] = defaultdict(dict)
        self._pods_of: dict[ContainerId, PodUse] = {}
        self._in_engine: set[str] = set()
        self._submitted: dict[Key, ApplicationId] = {}
        self._placed: dict[Key, str] = {}
        self._wished: dict[Key, tuple[int | None, str]] = {}
        self._key_of: dict[ApplicationId, Key] = {}
        self._requests_of: dict[Key, set[Key]] = defaultdict(set)
        self._request_of: dict[ContainerId, Key] = {}
        self._known_as: dict[ApplicationId, Application] = {}
        self._apart: dict[Key, Application] = {}
        self._last_number: dict[ApplicationId, tuple[int, int]] = {}
        self._attempts: dict[ApplicationId, int] = {}
        self._bound: dict[tuple[str, str], list[int]] = {}

    # The whole.

    def rebuild(self, now_ms: int) -> None:
        """A fresh engine from everything that is cached."""
        if self._abandoned():
            self.in_force = InForce()
        before, self.types = self.types, self._all_types()
        self._in_engine.clear()
        self._submitted.clear()
        places, self._placed = self._placed, {}
        self._key_of.clear()
        self._attempts.clear()
        for state in self.requests.values():
            state.asked = None
            if state.size is not None:
                known = before.mapping(state.size)
                state.size = tuple(known.get(name, 0) for name in self.types.names)
        self.kind = self._wanted_kind()
        self.engine = self._make_engine(self.kind, self.types)
        self.configure(now_ms)
        for name in sorted(self.nodes):
            self.sync_node(name)
        self._bound = {}
        with_id = {
            key: identity
            for key, found in self.applications.items()
            if (identity := _application_id(found)) is not None
        }
        for _, key in sorted((identity, key) for key, identity in with_id.items()):
            self.sync_application(key, now_ms)
        for key, application in sorted(self._apart.items()):
            # The engine has it back as one whose AM is over; it asks for nothing.
            gone = replace(application, placed=places[key], am_size=None)
            self._enter(key, gone, self._states(key, None), now_ms)
        for key in sorted(self._requests_of.keys() - with_id.keys()):
            self.sync_application(key, now_ms)

    def outgrown(self) -> bool:
        """Whether the engine is not the one any more that the objects call for.

        Root names another scheduler, something names a resource it does not know, or it stands for
        queues of which none is left.
        """
        changed = self._wanted_kind() is not self.kind or self._all_types() != self.types
        return changed or self._abandoned()

    def _abandoned(self) -> bool:
        """Whether all queues are gone, and nothing runs in them any more.

        Nothing is left to hold on to then: what comes next begins anew, as after a restart.
        """
        return not self.queues and not self._submitted and bool(self.in_force.objects)

    def _wanted_kind(self) -> SchedulerKind:
        root = (self.queues.get(queues.ROOT) or {}).get("spec") or {}
        said = (root.get("cluster") or {}).get("scheduler")
        return SchedulerKind.FAIR if said == SchedulerKind.FAIR.value else SchedulerKind.CAPACITY

    def _all_types(self) -> ResourceTypes:
        named = set(queues.resource_types(self.queues.values()).names)
        for node in self.nodes.values():
            named |= usage.extended(list(node.allocatable))
        return amounts.resource_types(named)

    # Queues.

    def configure(self, now_ms: int) -> None:
        """Put what the queues say in force, as far as it adds up.

        A deleted queue that nothing uses goes, if the others add up without it; until then it
        stays, stopped, and so does its object (`resourcemanager.queues.QueueKeeper`).
        """
        self.tried_without = self.leaving()
        found = {path: q for path, q in self.queues.items() if path not in self.tried_without}
        if not found and not self._placed:
            # Every queue has gone, or is going, and nothing runs: nothing is owed to the tree.
            self._begin_anew()
            return
        before = self.in_force.objects or self._remembered()
        for path in (before.keys() | self.tried_without) - found.keys():
            self.engine.stop(path)
        before = {
            path: configuring.with_spec(self.queues.get(path, word), configuring.spec(word))
            for path, word in before.items()
        }
        self.in_force = configuring.put_in_force(
            found, before, self.types, lambda config: self.engine.configure(config, now_ms)
        )

    def _begin_anew(self) -> None:
        """Forget the tree; the next one is held to nothing that this one said."""
        self.in_force = InForce()
        self.engine = self._make_engine(self.kind, self.types)
        self._in_engine.clear()
        for name in sorted(self.nodes):
            self.sync_node(name)

    def leaving(self) -> frozenset[str]:
        """Deleted queues that no application and no queue below them uses any more."""
        deleted = {path for path, q in self.queues.items() if "deletionTimestamp" in q["metadata"]}
        used = {*self._placed.values(), *(self.queues.keys() - deleted)}
        return frozenset(
            path
            for path in deleted
            if not any(one == path or one.startswith(path + ".") for one in used)
        )

    def _remembered(self) -> dict[str, Object]:
        """The words in force when another process decided, from the queues' status."""
        remembered = {}
        for name, queue in self.queues.items():
            words = (queue.get("status") or {}).get("inForce")
            if words is not None:
                remembered[name] = configuring.with_spec(queue, words)
        return remembered

    # Nodes and foreign pods.

    def see_node(self, node: Object) -> bool:
        """Take a node as seen; whether it matters to the ledger."""
        facts = usage.node_facts(node)
        if self.nodes.get(facts.name) == facts:
            return False
        self.nodes[facts.name] = facts
        return True

    def sync_node(self, name: str) -> None:
        """Bring one node in line."""
        facts = self.nodes.get(name)
        if facts is None:
            if name in self._in_engine:
                self._in_engine.discard(name)
                for container in self.engine.remove_node(name):
                    self._free(container.id)
            return
        taken: dict[str, int] = {}
        for pod in self._foreign.get(name, {}).values():
            for resource, amount in pod.requests.items():
                taken[resource] = taken.get(resource, 0) + amount
        node = usage.ledger_node(facts, taken, self.types)
        if name in self._in_engine:
            self.engine.update_node(node)
        else:
            self._in_engine.add(name)
            self.engine.add_node(node)

    def see_pod(self, pod: Object, *, deleted: bool) -> tuple[PodUse, str]:
        """Take a pod as seen; returns its facts and the node whose free room it changed, or ""."""
        use = usage.pod_use(pod)
        key = (use.namespace, use.name)
        before = self.pods.get(key)
        if not deleted:
            self.pods[key] = use
        elif before is not None and before.uid == use.uid:
            # A deletion that nobody watched tells only which pod it was.
            use = self.pods.pop(key)
        if use.container is not None:
            self._see_container(use, deleted=deleted)
            return use, ""
        return use, self._see_foreign(key, use, before, deleted=deleted)

    def _see_foreign(self, key: Key, use: PodUse, before: PodUse | None, *, deleted: bool) -> str:
        if not use.node:
            return ""
        counted = self._foreign[use.node]
        if deleted or use.over:
            known = counted.get(key)
            if known is None or known.uid != use.uid:
                return ""
            del counted[key]
            return use.node
        counted[key] = use
        same = before is not None and before.node == use.node and before.requests == use.requests
        return "" if same else use.node

    def _see_container(self, use: PodUse, *, deleted: bool) -> None:
        container = use.container
        if container is None:
            return
        current = self._pods_of.get(container)
        if deleted:
            if current is not None and current.uid == use.uid:
                del self._pods_of[container]
            self._ended(container, use.uid)
            return
        self._pods_of[container] = use
        if use.node:
            self.bind(container, use.uid)
        if use.over:
            self._ended(container, use.uid)

    def _ended(self, container: ContainerId, uid: str) -> None:
        """A container's pod is over. One that never was the bound one changes nothing."""
        held = self.held(container)
        if held is not None and held.bound_uid in ("", uid):
            self._free(container)

    # Applications and requests.

    def see_application(self, found: Object, *, deleted: bool) -> Key:
        """Take a YarnApplication as seen."""
        key = _key(found)
        if deleted:
            self.applications.pop(key, None)
        else:
            self.applications[key] = found
        return key

    def see_request(self, found: Object, *, deleted: bool) -> Key:
        """Take a ContainerRequest as seen; returns its application's key."""
        key = _key(found)
        state = self.requests.get(key)
        uid = found["metadata"]["uid"]
        if deleted:
            # A deletion that nobody watched tells only which request it was.
            if state is None:
                return key[0], ""
            state.deleted |= state.uid == uid
            return state.application
        if state is not None and state.uid != uid:
            self._set_apart(state, state.application)
            state = None
        owner = (key[0], found["spec"]["application"])
        if state is None:
            am = found["spec"].get("role") == AM_ROLE
            state = self.requests[key] = RequestState(key, uid, owner, am, found)
            self._requests_of[owner].add(key)
        state.found = found
        return owner

    def sync_application(self, key: Key, now_ms: int) -> None:
        """Bring one application with its requests in line."""
        found = self.applications.get(key)
        self._retire(key, found, now_ms)
        states = self._states(key, found)
        identity = _application_id(found) if found else self._submitted.get(key)
        if identity is None:
            for state in states:
                self._orphan(state)
            return
        for state in states:
            self._read_once(state, identity)
            self._drop_completed(state)
        self._supersede(states)
        over = found is None or (found.get("status") or {}).get("state") in ENDED
        self._free_unlaunched([state for state in states if found is None or state.deleted])
        wanted = not over or _any_live(states)
        if found is not None and wanted and key not in self._submitted:
            self._submit(key, found, states, now_ms, over=over)
        if key in self._submitted and not over:
            self._sync_attempt(key, states, now_ms)
        if key in self._submitted and found is not None and not over:
            self._sync_wishes(key, found, states, now_ms)
        if key in self._submitted:
            for state in states:
                if over and not state.over:
                    state.over = True
                    self.changed(state.key)
                self._sync_asks(state, over=over, now_ms=now_ms)
            if over:
                self._finish_when_empty(key, states, now_ms)
        for state in [s for s in states if s.deleted and not s.live]:
            self._forget_request(state)

    def _states(self, key: Key, found: Object | None) -> list[RequestState]:
        """An application's requests, deleted ones first: another may ask by the same key now."""
        states = [self.requests[k] for k in self._requests_of.get(key, ())]
        for state in states:
            if state.deleted and not state.made_for(found):
                self._forget_request(state)
        mine = [state for state in states if state.made_for(found)]
        return sorted(mine, key=lambda state: (not state.deleted, state.key))

    def _retire(self, key: Key, found: Object | None, now_ms: int) -> None:
        """Keep apart what a deleted application still holds, so that its name is free again."""
        identity = self._submitted.get(key)
        same = found is not None and _application_id(found) == identity
        if identity is None or same or key in self._apart:
            return
        apart = (key[0], f"{key[1]} {identity}")
        self._apart[apart] = self._known_as[identity]
        self._submitted[apart] = self._submitted.pop(key)
        self._placed[apart] = self._placed.pop(key)
        self._key_of[identity] = apart
        self._wished.pop(key, None)
        for state in [self.requests[k] for k in sorted(self._requests_of[key])]:
            self._set_apart(state, apart)
        self.sync_application(apart, now_ms)

    def _set_apart(self, state: RequestState, application: Key) -> None:
        """Keep what a request holds under another key; what it says from now on is another's."""
        self._forget_request(state)
        mark = state.uid if application == state.application else application[1]
        apart = replace(
            state,
            key=(state.key[0], f"{state.key[1]} {mark}"),
            application=application,
            deleted=True,
        )
        self.requests[apart.key] = apart
        self._requests_of[application].add(apart.key)
        for container in apart.grants:
            self._request_of[container] = apart.key
        if application != state.application and not state.deleted:
            # The object is still there: its owner's next one begins with it from the start.
            anew = RequestState(state.key, state.uid, state.application, state.am, state.found)
            anew.asked = 0
            self.requests[anew.key] = anew
            self._requests_of[anew.application].add(anew.key)
            self.changed(anew.key)

    def _read_once(self, state: RequestState, identity: ApplicationId) -> None:
        """Read what an earlier process granted; from then on the grants here are the truth."""
        if state.asked is not None or state.grants:
            return
        status = state.found.get("status") or {}
        state.granted = max(state.granted, int(status.get("granted") or 0))
        state.queue = status.get("queue") or ""
        state.grants = asks.read_grants(state.found, identity)
        if status.get("resources"):
            state.size = amounts.vector(status["resources"], "status.resources", self.types)
        for container in state.grants:
            self._request_of[container] = state.key
            pod = self._pods_of.get(container)
            if pod is not None:
                state.grants[container].freed = pod.over

    def _drop_completed(self, state: RequestState) -> None:
        for container in asks.completed(state.found):
            if container in state.grants:
                self._free(container)
                del state.grants[container]
                self._request_of.pop(container, None)
                self.changed(state.key)

    def _submit(
        self, key: Key, found: Object, states: list[RequestState], now_ms: int, *, over: bool
    ) -> None:
        """Give the engine an application that has its AM's request."""
        am = asks.master(states)
        if am is None or (am.accepted is not None and not am.accepted[0]):
            return
        try:
            application = self._application(found, states, am, over=over)
            self._enter(key, application, states, now_ms)
            if not over and not am.live and not am.pending:
                self.engine.master_gone(application.id)
        except SpecError as error:
            reason = error.reason if isinstance(error, Rejected) else "InvalidRequest"
            am.accepted = (False, str(reason), str(error))
            self.changed(am.key)
            return
        am.queue = self._placed[key]
        am.accepted = (True, "Accepted", f"placed in {am.queue}")
        self.changed(am.key)

    def _enter(
        self, key: Key, application: Application, states: list[RequestState], now_ms: int
    ) -> None:
        """Submit an application and have its containers counted.

        Raises:
            SpecError: the engine does not take it.
        """
        self._placed[key] = self.engine.submit(application, now_ms)
        self._submitted[key] = application.id
        self._known_as[application.id] = application
        self._key_of[application.id] = key
        self._begin(application, states, now_ms)
        for state in states:
            state.queue = state.queue or self._placed[key]
            self._recover(state, application.id)
        # A ledger built anew in the same process must not name containers by names used before.
        attempt, last = self._last_number.get(application.id, (0, 0))
        if attempt == self._attempts[application.id]:
            self.engine.skip_numbers(application.id, last)

    def _begin(self, application: Application, states: list[RequestState], now_ms: int) -> None:
        """Have the engine know which attempt it is that is being submitted."""
        am = asks.master(states)
        number = am.attempt if am is not None and application.am_size is not None else 1
        if number > 1:
            self.engine.start_attempt(application.id, number, now_ms)
        self._attempts[application.id] = number

    def _supersede(self, states: list[RequestState]) -> None:
        """Note which requests are of attempts that have ended: they want nothing any more."""
        am = asks.master(states)
        newest = am.attempt if am is not None else 1
        for state in states:
            superseded = 0 < state.attempt < newest
            if state.superseded is not superseded:
                state.superseded = superseded
                self.changed(state.key)

    def _sync_attempt(self, key: Key, states: list[RequestState], now_ms: int) -> None:
        """Begin the attempt that the newest request for an AM is of.

        What former attempts still hold is counted on: it is kept, or its pods are being deleted.
        """
        identity, am = self._submitted[key], asks.master(states)
        if am is None or am.attempt <= self._attempts[identity]:
            return
        self._attempts[identity] = am.attempt
        self.engine.start_attempt(identity, am.attempt, now_ms)
        for state in states:
            self._count(state, identity)
            if not state.am:
                state.asked = None
        am.queue = self._placed[key]
        am.accepted = (True, "Accepted", f"placed in {am.queue}")
        self.changed(am.key)

    def _sync_wishes(
        self, key: Key, found: Object, states: list[RequestState], now_ms: int
    ) -> None:
        """Priority and queue of a living application, as its spec says them now."""
        identity, spec = self._submitted[key], found["spec"]
        wished = (spec.get("priority"), spec.get("queue") or "")
        before = self._wished.get(key)
        self._wished[key] = wished
        if before is None or before == wished:
            return
        if wished[0] is not None and wished[0] != before[0]:
            with suppress(SpecError):
                # A scheduler that has no priorities goes on without.
                self.engine.set_priority(identity, int(wished[0]), now_ms)
        if wished[1] and wished[1] != before[1]:
            self._move(key, wished[1], states, now_ms)

    def _move(self, key: Key, queue: str, states: list[RequestState], now_ms: int) -> None:
        """Move an application with its containers (Hadoop: moveApplicationAcrossQueues)."""
        am = asks.master(states)
        try:
            placed = self.engine.move(self._submitted[key], queue, now_ms)
        except SpecError as error:
            if am is not None:
                am.moved = (False, getattr(error, "reason", "MoveRefused"), str(error))
                self.changed(am.key)
            return
        self._placed[key] = placed
        for state in states:
            self._recount(state, placed)
            self.changed(state.key)
        if am is not None:
            am.moved = (True, "Moved", f"moved to {placed}")

    def _recount(self, state: RequestState, queue: str) -> None:
        bound = [held for held in state.grants.values() if held.bound_uid and not held.freed]
        for held in bound:
            self._count_bound(state, held, -1)
        state.queue = queue
        for held in bound:
            self._count_bound(state, held, 1)

    def _application(
        self, found: Object, states: list[RequestState], am: RequestState, *, over: bool
    ) -> Application:
        application = submissions.application(found, self.types)
        order = application.id.cluster_timestamp * 1_000_000 + application.id.number
        # What was placed once stays there: placement rules speak of new applications only.
        before = [s for s in states if s.am and s.queue and asks.accepted_before(s.found)]
        placed = max(before, key=lambda s: s.attempt).queue if before else ""
        queue = placed or am.queue or application.queue
        return replace(
            application,
            order=order,
            queue=queue,
            placed=placed,
            am_size=None if over and not am.live else application.am_size,
        )

    def _recover(self, state: RequestState, identity: ApplicationId) -> None:
        self._count(state, identity)
        for container, held in sorted(state.grants.items()):
            if not held.freed:
                pod = self._pods_of.get(container)
                held.bound_uid = ""
                if pod is not None and pod.node:
                    self.bind(container, pod.uid)

    def _count(self, state: RequestState, identity: ApplicationId) -> None:
        """Have the engine count what a request holds."""
        ask = self._ask(state)
        if ask is None:
            return
        for container, held in sorted(state.grants.items()):
            if not held.freed:
                current = container.attempt.number == self._attempts[identity]
                self.engine.recover(
                    identity,
                    Container(
                        container,
                        ask.key,
                        held.node,
                        state.size or ask.size,
                        ask.partition or self._known_as[identity].partition or "",
                        am=state.am and current,
                    ),
                )

    def _sync_asks(self, state: RequestState, *, over: bool, now_ms: int) -> None:
        identity = self._submitted[state.application]
        state.queue = state.queue or self._placed.get(state.application, "")
        wanted = 0 if over else state.pending
        if state.am or state.asked == wanted:
            state.asked = wanted
            return
        ask = self._ask(state)
        if ask is None:
            return
        try:
            self.engine.update_asks(identity, [replace(ask, count=wanted)], now_ms)
        except SpecError as error:
            reason = error.reason if isinstance(error, Rejected) else "InvalidRequest"
            self._refuse(state, str(reason), str(error))
            return
        state.asked = wanted
        if state.accepted is None or not state.accepted[0]:
            state.accepted = (True, "Accepted", f"asked in {state.queue}")
        self.changed(state.key)

    def _ask(self, state: RequestState) -> Ask | None:
        try:
            ask = submissions.ask(state.found, self.types)
        except SpecError as error:
            self._refuse(state, "InvalidRequest", str(error))
            return None
        state.size = state.size or ask.size
        return ask

    def _refuse(self, state: RequestState, reason: str, message: str) -> None:
        refusal = (False, reason, message)
        if state.accepted != refusal:
            state.accepted = refusal
            state.asked = 0
            self.changed(state.key)

    def _orphan(self, state: RequestState) -> None:
        """A request whose application is not there, or has no id yet."""
        name = state.application[1]
        if state.deleted:
            self._forget_request(state)
        elif state.application not in self.applications:
            message = f"spec.application: found {name!r}, which does not exist in this namespace"
            self._refuse(state, "ApplicationNotFound", message)

    def _free_unlaunched(self, states: list[RequestState]) -> None:
        """A deleted application's or request's grants that have no pod get none any more.

        The pods there are give their room back as they go.
        """
        for state in states:
            for container in state.grants:
                if container not in self._pods_of:
                    self._free(container)

    def _finish_when_empty(self, key: Key, states: list[RequestState], now_ms: int) -> None:
        if _any_live(states):
            return
        identity = self._submitted.pop(key)
        self._apart.pop(key, None)
        self._known_as.pop(identity, None)
        self._last_number.pop(identity, None)
        self._attempts.pop(identity, None)
        self._placed.pop(key, None)
        self._wished.pop(key, None)
        self._key_of.pop(identity, None)
        self.engine.finish(identity, now_ms)

    def _forget_request(self, state: RequestState) -> None:
        self.requests.pop(state.key, None)
        self._requests_of[state.application].discard(state.key)
        for container in state.grants:
            self._request_of.pop(container, None)

    # Containers.

    def granted(self, grant: Grant) -> None:
        """Note a decision of the engine, to be written."""
        container = grant.container
        state = self._request_for(container)
        if state is None:
            # Asked and gone within one cycle: nobody is there to be told.
            self.engine.release(container.id, 0)
            return
        attempt = container.id.attempt
        known = self._last_number.get(attempt.application, (0, 0))
        self._last_number[attempt.application] = max(known, (attempt.number, container.id.number))
        state.grants[container.id] = Held(container.node)
        state.granted += 1
        state.asked = max(0, (state.asked or 0) - 1)
        state.size = container.size
        state.waits = None
        self._request_of[container.id] = state.key
        self.changed(state.key)

    def _request_for(self, container: Container) -> RequestState | None:
        key = self._key_of.get(container.id.attempt.application)
        if key is None:
            return None
        if not container.am:
            return self.requests.get((key[0], container.key.name))
        number = container.id.attempt.number
        states = (self.requests[k] for k in self._requests_of[key])
        return next((s for s in states if s.am and s.attempt == number), None)

    def held(self, container: ContainerId) -> Held | None:
        """The grant of a container."""
        key = self._request_of.get(container)
        state = self.requests.get(key) if key else None
        return state.grants.get(container) if state else None

    def request_of(self, container: ContainerId) -> RequestState | None:
        """The request that a container was granted to."""
        key = self._request_of.get(container)
        return self.requests.get(key) if key else None

    def submitted(self, key: Key) -> ApplicationId | None:
        """The id under which the engine knows an application."""
        return self._submitted.get(key)

    def ask_key(self, state: RequestState) -> AskKey:
        """The key under which the engine knows a request's ask."""
        return submissions.ask_key(state.found)

    def bind(self, container: ContainerId, uid: str) -> None:
        """A pod uses a grant from now on; counted in its queues as bound."""
        state = self.request_of(container)
        held = self.held(container)
        if state is None or held is None or held.bound_uid or held.freed:
            return
        held.bound_uid, held.partition = uid, self.partition_of(held.node)
        self._count_bound(state, held, 1)

    def unbind(self, container: ContainerId, uid: str) -> None:
        """The binding did not come about."""
        state = self.request_of(container)
        held = self.held(container)
        if state is not None and held is not None and held.bound_uid == uid and not held.freed:
            held.bound_uid = ""
            self._count_bound(state, held, -1)

    def _count_bound(self, state: RequestState, held: Held, sign: int) -> None:
        if state.size is None:
            return
        for path in upwards(state.queue):
            holds = self._bound.setdefault((path, held.partition), [0] * len(state.size))
            for place, amount in enumerate(state.size):
                holds[place] += sign * amount

    def partition_of(self, node: str) -> str:
        """The partition whose limits hold for what runs on a node; the Fair Scheduler has none."""
        facts = self.nodes.get(node)
        return "" if facts is None or self.kind is SchedulerKind.FAIR else facts.partition

    def bound(self, path: str, partition: str = "") -> Vector:
        """What bound containers hold of a partition, in a queue and those below it."""
        return tuple(self._bound.get((path, partition), self.types.zero()))

    def limit(self, path: str, partition: str = "") -> Vector | None:
        """The most a queue may hold of a partition; None for a queue that is not in force."""
        in_force = self.in_force.config is not None
        return self.engine.ceiling(path, partition) if in_force else None

    def preempting(self, decision: Preempt) -> None:
        """Note that a container is marked to be taken back, or is taken back now."""
        state, held = self.request_of(decision.container), self.held(decision.container)
        if state is None or held is None or held.freed:
            return
        if held.preempting is not None and held.preempting[0]:
            return
        said = (decision.kill, decision.message)
        if held.preempting != said:
            held.preempting = said
            self.changed(state.key)

    def revoke(self, container: ContainerId, now_ms: int) -> None:
        """Take back a grant whose pod kube-scheduler refuses, and ask for another in its place.

        What an ApplicationMaster asked is only taken back: it is told, and asks again itself.
        """
        state, held = self.request_of(container), self.held(container)
        if state is None or held is None or held.freed or held.bound_uid:
            return
        self._free(container)
        del state.grants[container]
        self._request_of.pop(container, None)
        if not state.asked_by_master:
            state.granted -= 1
            self._ask_again(state, now_ms)
        self.changed(state.key)

    def _ask_again(self, state: RequestState, now_ms: int) -> None:
        identity = self._submitted.get(state.application)
        if identity is None or state.over or state.superseded:
            return
        if state.am:
            self.engine.ask_for_master(identity, now_ms)
            return
        state.asked = None
        self._sync_asks(state, over=False, now_ms=now_ms)

    def refused(self, before: str) -> list[tuple[ContainerId, PodUse]]:
        """Granted containers whose pods kube-scheduler could not bind since the time *before*."""
        return [
            (container, use)
            for container, use in self._pods_of.items()
            if use.refused and not use.node and use.created < before
        ]

    def owner_of(self, container: ContainerId) -> Key | None:
        """The application whose container it is."""
        state = self.request_of(container)
        return state.application if state else None

    def _free(self, container: ContainerId) -> None:
        """Give a container's room back, once."""
        held = self.held(container)
        if held is None or held.freed:
            return
        state = self.request_of(container)
        if held.bound_uid and state is not None:
            self._count_bound(state, held, -1)
        held.freed = True
        self.engine.release(container, 0)


def _any_live(states: Iterable[RequestState]) -> bool:
    return any(state.live for state in states)


def upwards(queue: str) -> list[str]:
    """A queue's path and those of its parents, root first; none for ""."""
    parts = queue.split(".") if queue else []
    return [".".join(parts[: i + 1]) for i in range(len(parts))]


def _key(found: Object) -> Key:
    return found["metadata"].get("namespace", ""), found["metadata"]["name"]


def _application_id(found: Object) -> ApplicationId | None:
    text = (found.get("status") or {}).get("applicationId")
    return ApplicationId.parse(text) if text else None

"""What the scheduler has seen of the API server's objects, with the indices that it needs.

Theory of operation. Five kinds are watched; each has a cache of its own here. A watch event
replaces one object and says what of it matters: the caches are levels, so seeing an object twice,
late, or after events were missed comes to the same. Deletions after a relist carry metadata only,
so what was known of the object is looked up, never read from the event; and they name a uid,
because another object may have the name by then.

All indices are private and change together with what they index:

- pods by key, by container id (the newest pod of a container), and per node those pods that are not
  ours (they take room of it);
- bound pods of ours that no request lists (orphaned containers), until recovery has looked at them;
- requests by key, by application, and by granted container;
- how many nodes have each extended resource, and how many requests' statuses name each resource;
- what requests require of nodes, and the classes of nodes that these tell apart.

Nothing here decides anything. Caches are read by everybody and written by the reconcilers, through
these methods alone. `tests/unit/scheduler/test_cache.py` recounts the indices after random events.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from kubeyarn.cluster.feasibility.node_classes import NodeClasses
from kubeyarn.cluster.feasibility.node_requirements import NodeRequirements
from kubeyarn.crd import scheduler_config
from kubeyarn.crd.container_request import ContainerRequest, Role
from kubeyarn.crd.object import Key, Object, key_of
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler.facts import NodeFacts, PodUse, WhyUnusable, extended_resources
from kubeyarn.scheduler.node_backoff import NodeBackoff
from kubeyarn.scheduler.reconcile_errors import ReconcileErrors
from kubeyarn.scheduler.request_state import Allocation, RequestState
from kubeyarn.scheduler.set_aside import SetAside

MOST_REQUESTS = 20_000
"""How many ContainerRequests of one application are served."""

_NO_KEYS: frozenset[Key] = frozenset()


class QueueCache:
    """YarnQueues by path."""

    def __init__(self) -> None:
        self._queues: dict[str, UncheckedQueue] = {}
        # As they came, to compare with them what is to be written.
        self._raw: dict[str, Object] = {}
        # The resources that queues name; None: to be looked up, because a queue changed.
        self._named: frozenset[str] | None = None

    @property
    def objects(self) -> Mapping[str, UncheckedQueue]:
        """All queues by path, read-only."""
        return MappingProxyType(self._queues)

    def written_status(self, path: str) -> Mapping[str, Any]:
        """A queue's status as the API server has it; empty where there is no such queue."""
        return self._raw.get(path, {}).get("status") or {}

    def see(self, queue: Object, *, deleted: bool) -> bool:
        """Take a queue as seen; false: nothing changed but its status, which we write ourselves.

        Raises:
            ObjectUnreadable: it cannot be read; what was known of it stays.
        """
        path = queue["metadata"]["name"]
        before = self._queues.get(path)
        if deleted:
            self._queues.pop(path, None)
            self._raw.pop(path, None)
        else:
            self._take(path, UncheckedQueue.read(queue), queue)
            if before is not None and _asked_of(before) == _asked_of(self._queues[path]):
                return False
        self._named = None
        return True

    def status_written(self, queue: Object) -> None:
        """Take the answer to our own write of status, so that it is not written again.

        An answer that brings a new spec is left to the watch, which must see that it is new.

        Raises:
            ObjectUnreadable: it cannot be read; what was known of it stays.
        """
        path = queue["metadata"]["name"]
        known = self._raw.get(path)
        if known is not None and known["metadata"]["uid"] == queue["metadata"]["uid"]:
            later = newer(known, queue)
            read = UncheckedQueue.read(later)
            if _asked_of(read) == _asked_of(self._queues[path]):
                self._take(path, read, later)

    def _take(self, path: str, read: UncheckedQueue, raw: Object) -> None:
        self._queues[path], self._raw[path] = read, raw

    def named_resources(self) -> frozenset[str]:
        """Every resource that a queue names."""
        if self._named is None:
            self._named = frozenset(scheduler_config.resource_types(self._queues.values()).names)
        return self._named


class NodeCache:
    """Nodes by name, and those that are gone while containers may run on them still."""

    def __init__(self) -> None:
        self._nodes: dict[str, NodeFacts] = {}
        self._lost: dict[str, NodeFacts] = {}
        self._extended: Counter[str] = Counter()

    @property
    def facts(self) -> Mapping[str, NodeFacts]:
        """All nodes that exist, by name, read-only."""
        return MappingProxyType(self._nodes)

    @property
    def lost(self) -> Mapping[str, NodeFacts]:
        """Nodes that are gone and not forgotten, by name, read-only."""
        return MappingProxyType(self._lost)

    def see(self, facts: NodeFacts) -> bool:
        """Take a node as seen; false: nothing of it changed that matters, as with a heartbeat."""
        before = self._nodes.get(facts.name)
        if before == facts:
            return False
        if before is not None:
            self._extended.subtract(extended_resources(before.allocatable))
        self._extended.update(extended_resources(facts.allocatable))
        self._nodes[facts.name] = facts
        self._lost.pop(facts.name, None)
        return True

    def delete(self, name: str) -> None:
        """Take a node as deleted; it is lost until nothing runs there any more."""
        facts = self._nodes.pop(name, None)
        if facts is not None:
            self._lost[name] = facts
            self._extended.subtract(extended_resources(facts.allocatable))

    def close(self, name: str) -> None:
        """A node's object cannot be taken in: it takes nothing more."""
        facts = self._nodes.get(name)
        if facts is not None:
            self._nodes[name] = replace(facts, unusable=WhyUnusable.NOT_READY)

    def lose(self, name: str) -> NodeFacts:
        """A lost node's facts; one that this process never saw has neither resources nor label."""
        return self._lost.setdefault(name, NodeFacts(name, {}, "", "", WhyUnusable.NOT_READY))

    def forget(self, name: str) -> None:
        """Nothing runs on a lost node any more."""
        self._lost.pop(name, None)

    def partition(self, name: str) -> str:
        """The partition label of a node, lost ones included; "" where there is none."""
        facts = self._nodes.get(name) or self._lost.get(name)
        return "" if facts is None else facts.partition

    def extended_resources(self) -> set[str]:
        """The extended resources that some node has."""
        return {name for name, count in self._extended.items() if count}


class PodCache:
    """Pods: those of containers, and those of others, which take room of their nodes."""

    def __init__(self) -> None:
        self._pods: dict[Key, PodUse] = {}
        self._of_container: dict[ContainerId, PodUse] = {}
        self._foreign: dict[str, dict[Key, PodUse]] = defaultdict(dict)
        self._orphaned: set[ContainerId] = set()

    def get(self, key: Key) -> PodUse | None:
        """A pod by namespace and name."""
        return self._pods.get(key)

    def of_container(self, container: ContainerId) -> PodUse | None:
        """The newest pod of a container."""
        return self._of_container.get(container)

    def of_containers(self) -> Iterable[PodUse]:
        """The newest pod of every container."""
        return self._of_container.values()

    def nodes_being_left(self) -> set[str]:
        """The nodes of pods that are being deleted."""
        return {use.node for use in self._pods.values() if use.node and use.ending and not use.over}

    def foreign_on(self, node: str) -> Iterable[PodUse]:
        """The pods on a node that take room of it without being granted."""
        return self._foreign.get(node, {}).values()

    def see(self, seen: PodUse, *, deleted: bool) -> tuple[PodUse, str]:
        """Take a pod as seen; returns what is known of it, and the node whose free room changed.

        The node is "" when none did.
        """
        key = (seen.namespace, seen.name)
        before = self._pods.get(key)
        use = seen
        if not deleted:
            self._pods[key] = use
        elif before is not None and before.uid == use.uid:
            # A deletion that nobody watched tells only which pod it was.
            use = self._pods.pop(key)
        # Containers count by their grants, so that a grant without a pod counts as well.
        if use.container is None:
            return use, self._see_foreign(key, use, before, deleted=deleted)
        if not deleted:
            self._of_container[use.container] = use
        else:
            current = self._of_container.get(use.container)
            if current is not None and current.uid == use.uid:
                del self._of_container[use.container]
        return use, self._end_foreign(key, use) if deleted or use.over else ""

    def _see_foreign(self, key: Key, use: PodUse, before: PodUse | None, *, deleted: bool) -> str:
        if not use.node:
            return ""
        if deleted or use.over:
            return self._end_foreign(key, use)
        self._foreign[use.node][key] = use
        if before is None:
            return use.node
        # One that is larger than its node takes room only when it runs.
        was = (before.node, before.requests, before.running)
        return "" if was == (use.node, use.requests, use.running) else use.node

    def _end_foreign(self, key: Key, use: PodUse) -> str:
        """A pod takes no room any more; one of the same name that came after it still does."""
        known = self._foreign.get(use.node, {}).get(key)
        if known is None or known.uid != use.uid:
            return ""
        del self._foreign[use.node][key]
        if not self._foreign[use.node]:
            del self._foreign[use.node]
        return use.node

    def count_as_foreign(self, use: PodUse) -> None:
        """A container whose queue is gone takes room of its node only, until its pod is over."""
        self._foreign[use.node][use.namespace, use.name] = use

    def orphan(self, container: ContainerId) -> None:
        """A pod is bound whose container no request lists; recovery has to look at it."""
        self._orphaned.add(container)

    @property
    def has_orphans(self) -> bool:
        """Whether recovery has something to look at."""
        return bool(self._orphaned)

    def take_orphans(self) -> list[ContainerId]:
        """The containers that no request lists, in order; each is handed out once."""
        orphaned, self._orphaned = sorted(self._orphaned), set()
        return orphaned


class ApplicationCache:
    """YarnApplications by key."""

    def __init__(self) -> None:
        self._applications: dict[Key, YarnApplication] = {}

    @property
    def objects(self) -> Mapping[Key, YarnApplication]:
        """All applications by key, read-only."""
        return MappingProxyType(self._applications)

    def see(self, item: Object, *, deleted: bool) -> Key:
        """Take an application as seen; returns its key.

        Raises:
            SpecError: it cannot be read, or its id; what was known of it stays.
        """
        key = key_of(item)
        if deleted:
            self._applications.pop(key, None)
        else:
            application = YarnApplication.read(item)
            # Read once, so that whoever reads it later need not think of an id that is none.
            application_id(application)
            self._applications[key] = application
        return key


class RequestCache:
    """ContainerRequests with their state, by key, by application and by granted container.

    `on_change` is called with the key of a request whose status should be written again.
    """

    def __init__(self, node_classes: NodeClasses) -> None:
        self._node_classes = node_classes
        self._states: dict[Key, RequestState] = {}
        # In order; and those of them that are for AMs, that back off nodes, and that are too many.
        self._of_application: dict[Key, list[Key]] = {}
        self._masters: dict[Key, set[Key]] = {}
        self._backing_off: dict[Key, set[Key]] = {}
        self._surplus: dict[Key, frozenset[Key] | None] = {}
        self._granted_to: dict[ContainerId, Key] = {}
        self._resources: Counter[str] = Counter()
        self._on_change: Callable[[Key], None] = lambda _: None

    def on_change(self, call: Callable[[Key], None]) -> None:
        """Have *call* told which requests' status should be written."""
        self._on_change = call

    def changed(self, state: RequestState) -> None:
        """A request's status should be written again."""
        self._on_change(state.key)

    def unreadable_changed(self, key: Key) -> None:
        """What is to be told of a request that could not be taken in is something else now."""
        self._on_change(key)

    @property
    def states(self) -> Mapping[Key, RequestState]:
        """All requests by key, read-only."""
        return MappingProxyType(self._states)

    def get(self, key: Key) -> RequestState | None:
        """A request."""
        return self._states.get(key)

    def named_resources(self) -> set[str]:
        """The resources that the status of some request names: they are, or were, asked for."""
        return {name for name, count in self._resources.items() if count}

    def applications(self) -> set[Key]:
        """The applications that have requests."""
        return set(self._of_application)

    def of_application(self, application: Key) -> list[RequestState]:
        """The requests of an application, in order of their keys."""
        return [self._states[key] for key in self._of_application.get(application, ())]

    def masters_of(self, application: Key) -> list[RequestState]:
        """The requests for an application's AMs, of all its attempts, in order of their keys."""
        return [self._states[key] for key in sorted(self._masters.get(application, ()))]

    def backoffs_of(self, application: Key) -> list[Mapping[str, NodeBackoff]]:
        """The node backoffs of an application's requests, in no order."""
        return [self._states[key].backoffs for key in self._backing_off.get(application, ())]

    def backed_off(self, state: RequestState) -> None:
        """A request keeps its application off nodes from now on."""
        if state.backoffs:
            self._backing_off.setdefault(state.application, set()).add(state.key)

    def surplus(self, application: Key) -> frozenset[Key]:
        """The requests of an application that are more than it may have: the youngest ones.

        Those that were granted something are none of them.
        """
        keys = self._of_application.get(application, ())
        if len(keys) <= MOST_REQUESTS:
            return _NO_KEYS
        known = self._surplus.get(application)
        if known is None:
            there = [s for s in (self._states[key] for key in keys) if not s.deleted]
            waiting = [state for state in there if not state.am and not state.granted]
            waiting.sort(key=lambda state: (state.request.metadata.creation_timestamp, state.key))
            many = min(max(0, len(there) - MOST_REQUESTS), len(waiting))
            known = frozenset(state.key for state in waiting[len(waiting) - many :])
            self._surplus[application] = known
        return known

    def current(
        self, application: Key, yarn_application: YarnApplication | None
    ) -> list[RequestState]:
        """The requests of the application *yarn_application*, deleted ones first.

        Deleted ones first, because another may ask by the same key now: the scheduler must drop the
        old ask before it takes the new one. Deleted requests of an earlier application of this name
        are forgotten.
        """
        return self._mine(self.of_application(application), yarn_application)

    def some_current(
        self, keys: Iterable[Key], application: Key, yarn_application: YarnApplication | None
    ) -> list[RequestState]:
        """As `current`, those of *keys* alone."""
        states = (self._states.get(key) for key in keys)
        mine = [state for state in states if state and state.application == application]
        return self._mine(mine, yarn_application)

    def _mine(
        self, states: list[RequestState], yarn_application: YarnApplication | None
    ) -> list[RequestState]:
        for state in states:
            if state.deleted and not state.made_for(yarn_application):
                self.forget(state)
        mine = [state for state in states if state.made_for(yarn_application)]
        return sorted(mine, key=lambda state: (not state.deleted, state.key))

    def is_listed(self, container: ContainerId) -> bool:
        """Whether a request lists the container."""
        return container in self._granted_to

    def of_container(self, container: ContainerId) -> RequestState | None:
        """The request that a container was granted to."""
        key = self._granted_to.get(container)
        return self._states.get(key) if key else None

    def allocation(self, container: ContainerId) -> Allocation | None:
        """The allocation of a container."""
        state = self.of_container(container)
        return state.allocations.get(container) if state else None

    def on_node(self, node: str) -> list[tuple[ContainerId, RequestState]]:
        """The containers on a node that are not released, and the requests they were granted to."""
        return [
            (container, state)
            for state in self._states.values()
            for container, allocation in state.allocations.items()
            if allocation.node == node and not allocation.released
        ]

    def nodes_to_leave(self) -> set[str]:
        """The nodes of containers that were told to go, or that go when their room is needed."""
        return {
            allocation.node
            for state in self._states.values()
            for allocation in state.allocations.values()
            if (allocation.killed or allocation.opportunistic) and not allocation.released
        }

    def nodes_in_use(self) -> set[str]:
        """The nodes of all containers that are not released."""
        return {
            allocation.node
            for state in self._states.values()
            for allocation in state.allocations.values()
            if not allocation.released
        }

    # Changes.

    def see(self, item: Object, *, deleted: bool) -> Key:
        """Take a request as seen; returns its application's key.

        Raises:
            ObjectUnreadable: it cannot be read; what was known of it stays.
        """
        key, uid = key_of(item), item["metadata"]["uid"]
        state = self._states.get(key)
        if deleted:
            # A deletion that nobody watched tells only which request it was.
            if state is None:
                return key[0], ""
            if state.uid == uid:
                state.delete()
                self._surplus.pop(state.application, None)
            return state.application
        if state is not None and state.uid == uid:
            if not _same_grants(state.raw, item):
                # By a scheduler that led before: what it granted is none of ours; it is taken off.
                self.changed(state)
            # Its status is compared with this, also where it cannot be read.
            state.see(item, state.request)
        request = ContainerRequest.read(item)
        if state is not None and state.uid != uid:
            self.detach(state, state.application)
            state = None
        application = (key[0], request.spec.application)
        if state is None:
            am = request.spec.role is Role.APPLICATION_MASTER
            state = RequestState(key, uid, application, am, item, request)
            self._add(state)
        self._replace(state, item, request)
        return application

    def status_written(self, key: Key, written: Object) -> None:
        """Take the answer to our own write of status, so that it is not written again."""
        state = self._states.get(key)
        if state is not None and state.uid == written["metadata"]["uid"]:
            latest = newer(state.raw, written)
            state.see(latest, state.request)
            self._replace(state, latest, ContainerRequest.read(latest))

    def allocate(self, state: RequestState, container: ContainerId, allocation: Allocation) -> None:
        """List a container as granted to a request."""
        state.list(container, allocation)
        self._granted_to[container] = state.key

    def drop(self, state: RequestState, container: ContainerId) -> None:
        """List a container of a request no longer."""
        state.unlist(container)
        self._granted_to.pop(container, None)

    def forget(self, state: RequestState) -> None:
        """Keep nothing of a request any more."""
        known = self._states.pop(state.key, None)
        if known is not None:
            self._resources.subtract(known.request.named_resources())
            self.require(known, None)
        self._unfile(state)
        for container in state.allocations:
            self._granted_to.pop(container, None)

    def require(
        self, state: RequestState, wanted: NodeRequirements | None, template: object = None
    ) -> None:
        """What a request's containers require of their nodes, as their *template* says.

        None: it asks for none any more.
        """
        before = state.requirements
        state.require(wanted, template)
        if before is wanted or before == wanted:
            return
        # In this order, so that a node which both tolerate is not left for a moment.
        if wanted is not None:
            self._node_classes.add(wanted)
        if before is not None:
            self._node_classes.remove(before)

    def detach(self, state: RequestState, application: Key) -> None:
        """Keep what a request holds under another key, because its name is used anew.

        Either another request has its name, or its application's name is free for another one; then
        *application* is the detached application's key, and a request whose object exists still
        begins anew for the next application of the name.
        """
        self.forget(state)
        mark = state.uid if application == state.application else application[1]
        kept = state.detached((state.key[0], f"{state.key[1]} {mark}"), application)
        self._add(kept)
        for container in kept.allocations:
            self._granted_to[container] = kept.key
        if application != state.application and not state.deleted:
            anew = RequestState(
                state.key, state.uid, state.application, state.am, state.raw, state.request
            )
            anew.ask_no_more()
            self._add(anew)
            self.changed(anew)

    def keep_container(
        self, use: PodUse, application: Key, container: ContainerId, allocation: Allocation,
        size: Vector | None, queue: str,
    ) -> RequestState:  # fmt: skip
        """Go on counting a container that no request lists, by a request that nobody wrote.

        It asks for nothing, has no object, and goes with its one container.
        """
        name = f"{use.name} {use.uid}"
        made = {
            "metadata": {"name": name, "namespace": use.namespace, "uid": use.uid},
            "spec": {"application": application[1], "count": 0},
        }
        state = RequestState(
            (use.namespace, name),
            use.uid,
            application,
            am=False,
            raw=made,
            request=ContainerRequest.read(made),
            size=size,
            queue=queue,
            asked=0,
            deleted=True,
        )
        self._add(state)
        self.allocate(state, container, allocation)
        return state

    def _add(self, state: RequestState) -> None:
        self._states[state.key] = state
        keys = self._of_application.setdefault(state.application, [])
        at = bisect_left(keys, state.key)
        if keys[at : at + 1] != [state.key]:
            keys.insert(at, state.key)
        if state.am:
            self._masters.setdefault(state.application, set()).add(state.key)
        self._surplus.pop(state.application, None)
        self.backed_off(state)
        self._resources.update(state.request.named_resources())

    def _unfile(self, state: RequestState) -> None:
        """Keep a request in no index of its application; of one without any keep nothing."""
        application = state.application
        keys = self._of_application.get(application, [])
        at = bisect_left(keys, state.key)
        if keys[at : at + 1] == [state.key]:
            del keys[at]
        if not keys:
            self._of_application.pop(application, None)
        for index in (self._masters, self._backing_off):
            filed = index.get(application)
            if filed is not None:
                filed.discard(state.key)
                if not filed:
                    del index[application]
        self._surplus.pop(application, None)

    def _replace(self, state: RequestState, item: Object, request: ContainerRequest) -> None:
        before, after = state.request.named_resources(), request.named_resources()
        if before != after:
            self._resources.subtract(before)
            self._resources.update(after)
        state.see(item, request)


class SchedulerCache:
    """All that was seen, by kind, and which objects our code fails on.

    *set_aside* are those that decisions are made without, because making them failed.
    """

    def __init__(self) -> None:
        self.errors = ReconcileErrors()
        self.set_aside = SetAside(self.errors)
        self.queues = QueueCache()
        self.nodes = NodeCache()
        self.pods = PodCache()
        self.applications = ApplicationCache()
        self.node_classes = NodeClasses()
        self.requests = RequestCache(self.node_classes)

    def is_another_pod(self, use: PodUse, key: Key | None = None) -> bool:
        """Whether a pod says that it is a container and cannot be: it is of another application.

        *key* is the application that has its container, where no request lists that. Without an
        application nothing can be compared.
        """
        state = self.requests.of_container(use.container) if use.container is not None else None
        key = state.application if state is not None else key
        application = self.applications.objects.get(key) if key is not None else None
        if application is None:
            return False
        meta = application.metadata
        return use.namespace != meta.namespace or use.owner not in ("", meta.uid)


def application_id(yarn_application: YarnApplication) -> ApplicationId | None:
    """The id that a YarnApplication was given; None until it was."""
    text = yarn_application.status.application_id
    return ApplicationId.parse(text) if text else None


def newer(known: Object, written: Object) -> Object:
    """The later of two versions of an object."""
    if int(known["metadata"]["resourceVersion"]) > int(written["metadata"]["resourceVersion"]):
        return known
    return written


def _asked_of(queue: UncheckedQueue) -> tuple[Mapping[str, Any], bool]:
    return queue.spec, queue.deleted


def _same_grants(before: Object, after: Object) -> bool:
    was, now = before.get("status") or {}, after.get("status") or {}
    return bool(was.get("grants") == now.get("grants"))

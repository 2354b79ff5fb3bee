"""YarnQueue.status: what a queue may hold and holds, and the conditions that say how it is.

Every queue is looked at in each report; one is written only when its status differs from what is
wanted, and at most once in a while, so that a busy queue costs one write a second.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import NotFound
from kubeyarn.cluster.resources import QUEUES
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.crd import all_fields_acting, conditions, shares
from kubeyarn.crd.conditions import NewCondition
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model.errors import Problem
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.facts import NodeFacts
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.scheduler_state import SchedulerState
from kubeyarn.scheduler.status.patch import changes, now, shown
from kubeyarn.schedulers.api import PartitionStatus, QueueStatus, UserStatus

# As many as the definition lets the list have.
_MOST_MADE = 1000
_MOST_USERS = 1000


class QueueWriter:
    """Keeps YarnQueue.status current, each queue at most once in a while."""

    def __init__(
        self, client: KubeClient, cache: SchedulerCache, state: SchedulerState, every_s: float
    ) -> None:
        self._client = client
        self._queues = cache.queues
        self._errors = cache.errors
        self._nodes = cache.nodes
        self._node_classes = cache.node_classes
        self._state = state
        self._every_s = every_s
        self._wanted: dict[str, Object] = {}
        self._written_at: dict[str, float] = {}
        self.queue: WorkQueue[str] = WorkQueue(self.write, settle_s=0.0)

    def refresh(self) -> None:
        """Have every queue written whose status is not what it should be."""
        wanted = self.wanted()
        for path in self._queues.objects:
            if changes(self._queues.written_status(path), wanted[path]):
                # Kept until it is written: a queue that rests meanwhile is written as it was seen
                # last, not as it was when it was added.
                self._wanted[path] = wanted[path]
                self.queue.add(path)

    def wanted(self) -> dict[str, Object]:
        """What the status of each queue should say."""
        state, objects = self._state, self._queues.objects
        in_force = state.in_force.config is not None
        statuses = {s.path: s for s in state.scheduler.queue_status()} if in_force else {}
        made = made_queues(statuses.values(), objects, state.types.mapping)
        return {
            path: self._status(queue, statuses.get(path)) | {"madeQueues": made.get(path, [])}
            for path, queue in objects.items()
        }

    async def write(self, path: str) -> None:
        """Write what of a queue's status was not as it should be at the last refresh."""
        rest = self._written_at.get(path, float("-inf")) + self._every_s - time.monotonic()
        if rest > 0:
            self.queue.add(path, after_s=rest)
            return
        wanted = self._wanted.pop(path, None)
        body = changes(self._queues.written_status(path), wanted or {})
        # Gone, or back to what it was while it rested: nothing to write.
        if path not in self._queues.objects or not body:
            return
        self._written_at[path] = time.monotonic()
        try:
            written = await self._client.patch(QUEUES, path, {"status": body}, sub="status")
        except NotFound:
            return
        self._queues.status_written(written)

    def _status(self, queue: UncheckedQueue, status: QueueStatus | None) -> Object:
        state = self._state
        path, generation = queue.metadata.name, queue.metadata.generation
        written = self._queues.written_status(path)
        error = self._errors.get(Watched.QUEUE, ("", path))
        problem = state.in_force.problems.get(path)
        if error is not None:
            problem = Problem(path, "", error.reason, error.message)
        wanted: Object = {
            "observedGeneration": generation,
            "conditions": conditions.updated(
                written.get("conditions"),
                queue_conditions(queue, status, problem, SchedulerKind(state.kind.value)),
                generation,
                now(),
            ),
        }
        in_force = state.in_force.objects.get(path)
        # Its absence lets a deleted queue go.
        wanted["inForce"] = None if in_force is None else in_force.spec
        if status is not None:
            # What only leaves and the Fair Scheduler have goes with them.
            wanted |= {
                name: None for name in ("am", "users", "fairShare", "partitions") if name in written
            }
            wanted |= usage_status(status, state.types.mapping)
        if path == "root":
            nodes = self._nodes.facts
            left_out = unusable_nodes(
                nodes.values(),
                state.types,
                self._node_classes.is_tolerated,
                has_partitions=state.has_partitions,
            )
            wanted["nodes"] = len(nodes) - sum(entry["nodes"] for entry in left_out)
            wanted["unusableNodes"] = left_out
        return wanted


def queue_conditions(
    queue: UncheckedQueue,
    status: QueueStatus | None,
    problem: Problem | None,
    scheduler: SchedulerKind = SchedulerKind.CAPACITY,
) -> list[NewCondition]:
    """The conditions of a queue under the scheduler in force. Pure."""
    told = [all_fields_acting.queue_condition(queue.spec, scheduler)]
    if problem is not None:
        message = problem.message
        if status is not None:
            message = f"{message.removesuffix('.')}. What it said before stays in force."
        told.append(NewCondition("Accepted", False, problem.reason, message))
    elif status is None:
        told.append(NewCondition("Accepted", False, "NotInForce", "waits for the queue root"))
    else:
        told.append(NewCondition("Accepted", True, "InForce", "its spec is in force"))
    if status is None:
        told.append(
            NewCondition("Ready", False, "NotInForce", "it is not part of the tree in force")
        )
    elif queue.deleted:
        message = f"it is deleted and goes when its {status_applications(status)} have ended"
        told.append(NewCondition("Ready", False, "Deleting", message))
    elif status.state != "Running":
        told.append(NewCondition("Ready", False, status.state, f"it is {status.state}"))
    else:
        told.append(NewCondition("Ready", True, "Running", "it takes applications"))
    return told


def status_applications(status: QueueStatus) -> str:
    """How many applications a queue has, in words."""
    count = status.active_applications + status.pending_applications
    return "1 application" if count == 1 else f"{count} applications"


QuantitiesOf = Callable[[Vector], Mapping[str, str]]


def usage_status(status: QueueStatus, mapping: Callable[[Vector], Mapping[str, int]]) -> Object:
    """What a queue has and holds, as status says it. Pure."""

    def quantities_of(vector: Vector) -> dict[str, str]:
        return shown(mapping(vector))

    active, pending = status.active_applications, status.pending_applications
    wanted: Object = {
        "leaf": status.leaf,
        "state": status.state,
        **_amounts(status, quantities_of, leaf=status.leaf),
        "containers": status.containers,
        "usedCapacity": shares.show_percentage(status.used_capacity),
        "absoluteUsedCapacity": shares.show_percentage(status.absolute_used_capacity),
        "applications": {"active": active, "pending": pending, "total": active + pending},
    }
    if status.leaf:
        wanted["users"] = [
            {
                **_user(user, quantities_of),
                "activeApplications": user.active_applications,
                "pendingApplications": user.pending_applications,
            }
            for user in status.users[:_MOST_USERS]
        ]
    if status.partitions:
        wanted["partitions"] = [
            _partition(one, quantities_of, leaf=status.leaf) for one in status.partitions
        ]
    if status.steady_fair_share is not None and status.instantaneous_fair_share is not None:
        wanted["fairShare"] = {
            "steady": quantities_of(status.steady_fair_share),
            "instantaneous": quantities_of(status.instantaneous_fair_share),
            "demand": quantities_of(status.demand or status.used),
        }
    return wanted


def _partition(status: PartitionStatus, quantities_of: QuantitiesOf, *, leaf: bool) -> Object:
    wanted: Object = {"name": status.name, **_amounts(status, quantities_of, leaf=leaf)}
    if leaf:
        wanted["users"] = [_user(user, quantities_of) for user in status.users[:_MOST_USERS]]
    return wanted


def _amounts(
    status: QueueStatus | PartitionStatus, quantities_of: QuantitiesOf, *, leaf: bool
) -> Object:
    """What a queue has and holds, in all or of one partition."""
    amounts: Object = {
        "effective": {
            "minimum": quantities_of(status.minimum),
            "maximum": quantities_of(status.maximum),
        },
        "used": quantities_of(status.used),
        "pending": quantities_of(status.pending),
        "reserved": quantities_of(status.reserved),
    }
    if leaf:
        amounts["am"] = {
            "used": quantities_of(status.am_used),
            "limit": quantities_of(status.am_limit),
        }
    return amounts


def _user(user: UserStatus, quantities_of: QuantitiesOf) -> Object:
    return {
        "name": user.name,
        "used": quantities_of(user.used),
        "limit": quantities_of(user.limit),
    }


def unusable_nodes(
    nodes: Iterable[NodeFacts],
    types: ResourceTypes,
    is_tolerated: Callable[[str], bool],
    *,
    has_partitions: bool,
) -> list[Object]:
    """What the cluster's size leaves out, by the reason. Pure."""
    counts: Counter[str] = Counter()
    amounts: dict[str, Counter[str]] = {}
    for node in nodes:
        tolerated = is_tolerated(node.name)
        why = node.why_unusable(has_partitions=has_partitions, tolerated=tolerated)
        if why is not None:
            counts[why.value] += 1
            amounts.setdefault(why.value, Counter()).update(
                {name: node.allocatable.get(name, 0) for name in types.names}
            )
    return [
        {"reason": reason, "nodes": counts[reason], "resources": shown(amounts[reason])}
        for reason in sorted(counts)
    ]


def made_queues(
    statuses: Iterable[QueueStatus],
    objects: Collection[str],
    mapping: Callable[[Vector], Mapping[str, int]],
) -> dict[str, list[Object]]:
    """The auto-created queues, by the nearest queue above that is an object. Pure."""
    made: dict[str, list[Object]] = {}
    for status in statuses:
        if status.path in objects:
            continue
        # Queues may be made below made ones; the nearest that is an object tells of all of them.
        above = status.path.rpartition(".")[0]
        while above and above not in objects:
            above = above.rpartition(".")[0]
        entry = {
            "name": status.path,
            "leaf": status.leaf,
            "used": shown(mapping(status.used)),
            "containers": status.containers,
            "applications": status.active_applications + status.pending_applications,
        }
        made.setdefault(above, []).append(entry)
    return {path: children[:_MOST_MADE] for path, children in made.items()}

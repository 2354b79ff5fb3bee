"""What is charged for containers: the only writer of allocations after they were granted.

Three accounts are kept equal here. The *allocation* on its request says what is charged and whether
it is released; the *scheduler* (or the allocator of opportunistic containers) charges it to queue,
user and node; *bound usage* counts it while a pod uses it. A container is bound once, released
once, and counted in its queue's sums exactly as long as `Allocation.counts_as_bound` holds.

Two processes race for a container: kube-scheduler binds its pod while the loop may release it. Both
run on this event loop, and every call here runs to its end without waiting, so one of them comes
first: a released grant is not bound any more (the bind check refuses it), and a bound one is
released with the end of its pod. A release that names a pod which never was the bound one changes
nothing.

A container that is to be larger, or guaranteed instead of opportunistic, waits for room as an ask
on its node alone; what was asked for is remembered, so that asking the same costs nothing and a new
scheduler or attempt can be asked anew.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubeyarn.model.asks import update_key
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.reasons import Verdict
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.extender.bound_usage import BoundUsage
from kubeyarn.scheduler.request_state import Allocation, RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState


class RequestedIncrease(NamedTuple):
    """What the scheduler was asked for a container, and where its node was: partition and rack."""

    container: Container
    more: Vector
    place: tuple[str, str]


class ContainerAccounts:
    """Granted containers, from their binding to their release."""

    def __init__(self, cache: SchedulerCache, state: SchedulerState) -> None:
        self._cache = cache
        self._state = state
        self._bound = BoundUsage()
        self._increases: dict[ContainerId, RequestedIncrease] = {}

    @property
    def bound(self) -> BoundUsage:
        """What bound containers hold; to be read only."""
        return self._bound

    @property
    def increases(self) -> Iterable[ContainerId]:
        """The containers that wait for more."""
        return list(self._increases)

    def reset(self) -> None:
        """A new scheduler charges nothing yet."""
        self._bound.clear()
        self._increases.clear()

    def partition_of(self, node: str) -> str:
        """The partition whose limits hold for what runs on a node; the Fair Scheduler has none."""
        if self._state.kind is SchedulerKind.FAIR:
            return ""
        return self._cache.nodes.partition(node)

    # From binding to release.

    def bind(self, container: ContainerId, uid: str) -> None:
        """A pod uses a grant from now on; a grant that is used or released stays as it is."""
        state, allocation = self._find(container)
        if state is None or allocation is None or allocation.bound_uid or allocation.released:
            # The watch tells again what the extender has counted; another pod of the same
            # container comes too late.
            return
        allocation.bind(uid, self.partition_of(allocation.node))
        self._count(state, allocation)

    def count_requests(self, container: ContainerId, uid: str, requests: Mapping[str, int]) -> None:
        """The bound pod requests so much: one that was resized past its grant counts as it is."""
        state, allocation = self._find(container)
        if state is None or allocation is None or not allocation.counts_as_bound:
            return
        types = self._state.types
        # Resources that nobody counts are no part of any limit.
        asked = types.vector({n: amount for n, amount in requests.items() if n in types.names})
        if allocation.bound_uid != uid or allocation.requested == asked:
            return
        self._uncount(state, allocation)
        allocation.request(asked)
        self._count(state, allocation)

    def unbind(self, container: ContainerId, uid: str) -> None:
        """The binding did not come about."""
        state, allocation = self._find(container)
        if state is None or allocation is None or not allocation.counts_as_bound:
            return
        if allocation.bound_uid == uid:
            self._uncount(state, allocation)
            allocation.unbind()

    def release(self, container: ContainerId) -> None:
        """Give a container's resources back, once."""
        state, allocation = self._find(container)
        if state is None or allocation is None or allocation.released:
            return
        # Uncounted before it is released: what is released counts as bound no more.
        if allocation.counts_as_bound:
            self._uncount(state, allocation)
        allocation.release()
        self.cancel_increase(container)
        self.release_charge(container)

    def pod_ended(self, container: ContainerId, uid: str) -> None:
        """A container's pod is over; one that never was the bound one changes nothing."""
        allocation = self._cache.requests.allocation(container)
        # An older pod of the same name may end while the bound one runs.
        if allocation is not None and allocation.bound_uid in ("", uid):
            self.release(container)

    def release_charge(self, container: ContainerId) -> None:
        """Charge nothing for a container any more, whoever charges it."""
        # One of the two charges it, never both.
        if self._state.opportunistic.release(container) is None:
            self._state.scheduler.release(container, 0)

    def recount_recovered(self, state: RequestState) -> None:
        """A new scheduler has recovered a request's containers: count which of them are bound."""
        for container, allocation in sorted(state.allocations.items()):
            if allocation.released:
                continue
            pod = self._cache.pods.of_container(container)
            # A new scheduler counts nothing as bound yet.
            allocation.unbind()
            if pod is not None and pod.node and not self._cache.is_another_pod(pod):
                self.bind(container, pod.uid)
                self.count_requests(container, pod.uid, pod.requests)

    # What is charged.

    def charge(
        self, state: RequestState, allocation: Allocation, size: Vector, *, opportunistic: bool
    ) -> None:
        """A container holds so much from now on, in its queue or outside of all guarantees."""
        # Taken off as it was and put on as it is: sums are never set, or a lost difference would
        # stay.
        counted = allocation.counts_as_bound
        if counted:
            self._uncount(state, allocation)
        allocation.charge(size, opportunistic=opportunistic)
        if counted:
            self._count(state, allocation)

    def move(self, state: RequestState, queue: str) -> None:
        """A request's containers are charged to another queue from now on."""
        bound = [one for one in state.allocations.values() if one.counts_as_bound]
        for allocation in bound:
            self._uncount(state, allocation)
        state.enter_queue(queue)
        for allocation in bound:
            self._count(state, allocation)

    def relabel(self, node: str) -> None:
        """Count what is bound to a node in the partition that it belongs to now.

        Source: Hadoop CapacityScheduler.updateLabelsOnNode: usage moves with the node's label.
        """
        partition = self.partition_of(node)
        for container, state in self._cache.requests.on_node(node):
            allocation = state.allocations[container]
            if not allocation.bound_uid or allocation.partition == partition:
                continue
            self._uncount(state, allocation)
            allocation.relabel(partition)
            self._count(state, allocation)

    def _count(self, state: RequestState, allocation: Allocation) -> None:
        size = _held(state, allocation)
        # Opportunistic containers hold nothing of a queue, so no maximum is checked for them.
        if size is not None and not allocation.opportunistic:
            user = self._state.applications.user_of(state.application)
            self._bound.add(state.queue, user, allocation.partition, size)

    def _uncount(self, state: RequestState, allocation: Allocation) -> None:
        size = _held(state, allocation)
        if size is not None and not allocation.opportunistic:
            user = self._state.applications.user_of(state.application)
            self._bound.remove(state.queue, user, allocation.partition, size)

    # What is wanted more (Hadoop: ContainerUpdateContext).

    def request_increase(self, container: Container, more: Vector) -> None:
        """Ask for *more* for a container, in place of what was asked before; zero: nothing."""
        if not any(more):
            self.cancel_increase(container.id)
            return
        # The ask is made for the node's partition and rack, so it is another one when these change.
        facts = self._cache.nodes.facts.get(container.node)
        place = (facts.partition, facts.rack) if facts is not None else ("", "")
        known = self._increases.get(container.id)
        if known is None or (known.more, known.place) != (more, place):
            self._increases[container.id] = RequestedIncrease(container, more, place)
            self._state.scheduler.request_increase(container, more)

    def cancel_increase(self, container: ContainerId) -> None:
        """A container wants nothing more."""
        known = self._increases.pop(container, None)
        application = container.attempt.application
        # A finished application's asks went with it.
        if known is not None and self._state.applications.by_id(application) is not None:
            self._state.scheduler.request_increase(known.container, self._state.types.zero())
        allocation = self._cache.requests.allocation(container)
        if allocation is not None:
            allocation.wait_no_more()

    def increase_given(self, container: ContainerId) -> None:
        """The scheduler has given what was asked for."""
        self._increases.pop(container, None)

    def forget_increases(self, application: ApplicationId) -> None:
        """The scheduler has forgotten what an application's containers want."""
        for container in [c for c in self._increases if c.attempt.application == application]:
            del self._increases[container]

    def node_changed(self, node: str) -> None:
        """Ask anew for what waits on a node whose partition or rack has changed."""
        for known in [k for k in self._increases.values() if k.container.node == node]:
            self.request_increase(known.container, known.more)

    def why_no_increase(self, container: ContainerId, now_ms: int) -> Verdict | None:
        """What stops a container from having more; None: it wants nothing, or nothing does."""
        known = self._increases.get(container)
        if known is None:
            return None
        key = update_key(known.container.key, str(container))
        return self._state.scheduler.why(container.attempt.application, key, now_ms)

    def _find(self, container: ContainerId) -> tuple[RequestState | None, Allocation | None]:
        requests = self._cache.requests
        return requests.of_container(container), requests.allocation(container)


def _held(state: RequestState, allocation: Allocation) -> Vector | None:
    """What a bound container holds: what is charged, or more where its pod requests more."""
    size = allocation.size or state.size
    if size is None or allocation.requested is None:
        return size
    return tuple(max(one, other) for one, other in zip(size, allocation.requested, strict=True))

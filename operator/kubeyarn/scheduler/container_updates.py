"""Container updates: granted containers that are to have another size or execution type.

Source: Hadoop AbstractYarnScheduler.handleContainerUpdates. A request's spec lists, by container,
what is wanted (`spec.updates`); its status says what is charged (`status.updates`, ours) and what
the pods have (`status.updated`, the ResourceManager's).

What is charged is never less than what the pod has: a *decrease* is charged as soon as the pod is
smaller, an *increase* before it grows, once its node has room. A *demotion* to opportunistic frees
the queue's resources at once. A *promotion* waits for room like an increase of all that the
container has. So a pod is at no time larger than its charge, whoever of the two processes is late.
"""

from __future__ import annotations

from kubeyarn.crd import amounts
from kubeyarn.crd.container_request import ContainerUpdateSpec, ExecutionType, by_container
from kubeyarn.model.asks import Ask
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector, component_max, component_min, subtract
from kubeyarn.scheduler.asks import AskReader
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.request_reader import (
    ActualContainer,
    actual_container,
)
from kubeyarn.scheduler.request_state import Allocation, RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState
from kubeyarn.schedulers.api import Increase

# Each costs a search for what stops it; the rest has its turn when these have got theirs.
_MOST_EXPLAINED = 100


class ContainerUpdater:
    """Has the scheduler charge what containers are to have, as far as it can."""

    def __init__(
        self,
        cache: SchedulerCache,
        state: SchedulerState,
        containers: ContainerAccounts,
        asks: AskReader,
    ) -> None:
        self._requests = cache.requests
        self._errors = cache.errors
        self._state = state
        self._containers = containers
        self._asks = asks

    def sync(self, state: RequestState, *, over: bool = False) -> None:
        """Bring the charges of a request's containers in line with what is wanted."""
        wanted = by_container(state.request.spec.updates)
        if not wanted and not state.updating:
            return
        updated = by_container(state.request.status.updated)
        ask = self._asks.read(state)
        for container in sorted({*wanted, *state.updating} & state.allocations.keys()):
            allocation = state.allocations[container]
            if allocation.released or state.size is None or ask is None:
                continue
            state.update(container)
            before = allocation.update_status()
            # What ends gets nothing more, and what it waits for is needed by others.
            if over or allocation.killed:
                self._containers.cancel_increase(container)
            else:
                actual = actual_container(updated.get(container), state, self._state.types)
                self._sync_one(state, ask, container, wanted.get(container), actual)
            if allocation.update_status() != before:
                self._requests.changed(state)
        state.forget_ended_updates()

    def increased(self, decision: Increase) -> None:
        """A container has more from now on, or is guaranteed."""
        container = decision.container
        state = self._requests.of_container(container.id)
        allocation = self._requests.allocation(container.id)
        self._containers.increase_given(container.id)
        if state is None or allocation is None or allocation.released:
            self._state.scheduler.release(container.id, 0)
            return
        # Promoted or larger: the scheduler charges all of it from now on.
        self._state.opportunistic.release(container.id)
        self._containers.charge(state, allocation, container.size, opportunistic=False)
        allocation.wait_no_more()
        # Another size may be wanted by now.
        self.sync(state)
        self._requests.changed(state)

    def explain(self, now_ms: int) -> None:
        """Note what containers wait for that want more, so many at a time."""
        for container in list(self._containers.increases)[:_MOST_EXPLAINED]:
            state = self._requests.of_container(container)
            if state is not None:
                self._errors.attempt(Watched.REQUEST, state.key, self._explain, container, now_ms)

    def _explain(self, container: ContainerId, now_ms: int) -> None:
        """The same reason costs no write."""
        state = self._requests.of_container(container)
        allocation = self._requests.allocation(container)
        verdict = self._containers.why_no_increase(container, now_ms)
        if state is None or allocation is None or verdict is None:
            return
        if allocation.wait_for(verdict):
            self._requests.changed(state)

    def _sync_one(
        self,
        state: RequestState,
        ask: Ask,
        container: ContainerId,
        wanted: ContainerUpdateSpec | None,
        actual: ActualContainer,
    ) -> None:
        allocation = state.allocations[container]
        size, opportunistic, refused = actual.size, actual.opportunistic, ""
        try:
            size = self._wanted_size(container, wanted, actual)
            opportunistic = self._wanted_type(state, container, wanted, actual)
        except SpecError as error:
            refused = str(error)
        allocation.want(size, refused)
        charged = self._asks.container(state, ask, container)
        if charged is None:
            return
        if opportunistic and not allocation.opportunistic:
            self._demote(state, allocation, charged)
        if allocation.opportunistic:
            self._hold_opportunistic(state, allocation, charged, actual.size)
            # A promotion asks for all that the container has.
            more = self._state.types.zero() if opportunistic else actual.size
            self._containers.request_increase(charged, more)
        else:
            self._charge(state, allocation, charged, component_max(actual.size, size))

    def _wanted_size(
        self, container: ContainerId, wanted: ContainerUpdateSpec | None, actual: ActualContainer
    ) -> Vector:
        """The size that is wanted, rounded up.

        Raises:
            SpecError: it cannot be given.
        """
        if wanted is None or not wanted.resources:
            return actual.size
        if actual.opportunistic:
            raise SpecError(
                "updates.resources: found a size for an opportunistic container, allowed: for "
                "guaranteed ones; promote it first"
            )
        named = amounts.positive_vector(wanted.resources, "updates", self._state.types)
        size = tuple(new or old for new, old in zip(named, actual.size, strict=True))
        return self._state.scheduler.rounded(container.attempt.application, size)

    def _demote(self, state: RequestState, allocation: Allocation, container: Container) -> None:
        self._containers.cancel_increase(container.id)
        self._state.scheduler.release(container.id, 0)
        self._state.opportunistic.hold(container)
        self._containers.charge(state, allocation, container.size, opportunistic=True)
        # The policy takes back what is guaranteed; nobody needs this one's resources any more.
        allocation.spare()

    def _hold_opportunistic(
        self, state: RequestState, allocation: Allocation, container: Container, size: Vector
    ) -> None:
        """Count an opportunistic container as large as its pod is."""
        if container.size != size:
            self._state.opportunistic.release(container.id)
            self._state.opportunistic.hold(container._replace(size=size))
            self._containers.charge(state, allocation, size, opportunistic=True)

    def _charge(
        self, state: RequestState, allocation: Allocation, container: Container, size: Vector
    ) -> None:
        """Charge a decrease at once, and ask for an increase."""
        # What shrinks in one resource and grows in another does both: room is credited at once,
        # more is asked for.
        least = component_min(container.size, size)
        if least != container.size:
            self._state.scheduler.decrease(container.id, least)
            self._containers.charge(state, allocation, least, opportunistic=False)
        self._containers.request_increase(container._replace(size=least), subtract(size, least))

    def _wanted_type(
        self,
        state: RequestState,
        container: ContainerId,
        wanted: ContainerUpdateSpec | None,
        actual: ActualContainer,
    ) -> bool:
        """Whether it is to be opportunistic.

        Raises:
            SpecError: an ApplicationMaster may not, or its queue may have no more of them.
        """
        kind = None if wanted is None else wanted.execution_type
        if kind is None:
            return actual.opportunistic
        if kind is not ExecutionType.OPPORTUNISTIC:
            return False
        if state.am:
            raise SpecError(
                "updates.executionType: found Opportunistic for an ApplicationMaster, allowed: "
                "Guaranteed"
            )
        # One that is counted so already stays so.
        if not actual.opportunistic and not state.allocations[container].opportunistic:
            limits, queue_of = self._state.opportunistic_limits, self._state.queue_of
            refusal = limits.refusal(state.queue)
            full = self._state.opportunistic.full(container.attempt.application, limits, queue_of)
            if refusal or full is not None:
                why = refusal or f"found Opportunistic: {full.message if full else ''}"
                raise SpecError(f"updates.executionType: {why}")
        return True

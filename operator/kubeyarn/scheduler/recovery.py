"""Recovery: containers that the scheduler in force did not grant itself, and must count.

Theory of operation. A scheduler starts with nothing charged, in a new process, after the resource
types changed, or for an application's next attempt. Before it decides anything, each container that
may run is charged (Hadoop: AbstractYarnScheduler.recoverContainersOnNode), because a container
that is not charged would have its room given to another. There are three ways to know of one:

1. A request lists it. `enter` submits the application and charges what its requests list.
2. Nothing lists it, but its pod is bound: the request went first, or a grant was taken back and the
   binding came about all the same. Such an *orphaned container* is adopted: its pod's annotations
   say whose it is. It is charged to its queue, by a request that nobody wrote.
3. As 2, and its queue is gone, too, or it is of another namespace or owner than the application
   that it names. It takes room of its node like a foreign pod.

Orphans are noticed when their pod is seen and looked at between two cycles (`adopt`), so nothing is
granted in between.
"""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.crd.object import Key
from kubeyarn.model.applications import Application
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.scheduler.asks import AskReader
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.facts import ContainerOrigin, PodUse
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.request_state import Allocation, RequestState, master
from kubeyarn.scheduler.scheduler_state import SchedulerState


class Recovery:
    """Has the scheduler charge what it did not grant."""

    def __init__(
        self,
        cache: SchedulerCache,
        state: SchedulerState,
        containers: ContainerAccounts,
        asks: AskReader,
    ) -> None:
        self._cache = cache
        self._state = state
        self._containers = containers
        self._asks = asks

    def enter(
        self, key: Key, application: Application, states: list[RequestState], now_ms: int
    ) -> None:
        """Submit an application and have its containers charged.

        Raises:
            SpecError: the scheduler does not take it.
        """
        am, scheduler = master(states), self._state.scheduler
        queue = scheduler.submit(application, now_ms)
        attempt = am.attempt if am is not None and application.am_size is not None else 1
        self._state.applications.add(key, application, queue, attempt)
        if attempt > 1:
            scheduler.start_attempt(application.id, attempt, now_ms)
        for state in states:
            self._cache.errors.attempt(
                Watched.REQUEST, state.key, self._recover, state, queue, application.id
            )
        # A scheduler built anew in the same process must not name containers by names used before.
        last = self._state.applications.last_number(application.id, attempt)
        if last is not None:
            scheduler.skip_numbers(application.id, last)

    def _recover(self, state: RequestState, queue: str, application: ApplicationId) -> None:
        state.enter_queue(state.queue or queue)
        self.charge_running(state, application)
        self._containers.recount_recovered(state)

    def enter_detached(self, now_ms: int) -> None:
        """Submit the applications to a new scheduler whose YarnApplications are gone.

        Their AMs are over: they ask for nothing and stay in their queues.
        """
        for key, (application, queue) in sorted(self._state.applications.detached.items()):
            # Where it was: placement rules may have changed since, and what runs there stays there.
            ended = replace(application, placed=queue, am_size=None)
            self._cache.errors.attempt(
                Watched.APPLICATION, key, self._enter_detached, key, ended, now_ms
            )

    def _enter_detached(self, key: Key, ended: Application, now_ms: int) -> None:
        states = self._cache.requests.current(key, None)
        try:
            self.enter(key, ended, states, now_ms)
        except SpecError:
            # Its queue is gone: its containers are adopted next, as pods that take room.
            self._state.applications.forget_detached(key)
            for container in [c for state in states for c in state.allocations]:
                self._cache.pods.orphan(container)

    def charge_running(self, state: RequestState, application: ApplicationId) -> None:
        """Have what a request holds charged, by the scheduler or as opportunistic."""
        ask = self._asks.read(state)
        submitted = self._state.applications.by_id(application)
        if ask is None or submitted is None:
            return
        # In order of ids, so that two processes come to the same sums in the same order.
        for container, allocation in sorted(state.allocations.items()):
            if allocation.released:
                continue
            charged = self._asks.container(state, ask, container)
            if charged is None:
                continue
            if not allocation.opportunistic:
                self._state.scheduler.recover(application, charged)
                continue
            self._state.opportunistic.hold(charged)
            # The scheduler numbers these, too, but does not see them recovered.
            if container.attempt.number == submitted.attempt:
                self._state.scheduler.skip_numbers(application, container.number)

    def adopt(self, now_ms: int) -> list[str]:
        """Charge the orphaned containers; returns the nodes whose free room changed."""
        changed: list[str] = []
        for container in self._cache.pods.take_orphans():
            use = self._cache.pods.of_container(container)
            if use is None or not use.node or use.over:
                continue
            submitted = self._state.applications.by_id(container.attempt.application)
            if self._cache.is_another_pod(use, submitted.key if submitted is not None else None):
                self._cache.pods.count_as_foreign(use)
                changed.append(use.node)
                continue
            if self._cache.requests.is_listed(container) or use.origin is None:
                continue
            key = (use.namespace, use.name)
            self._cache.errors.attempt(
                Watched.POD, key, self._adopt, container, use, use.origin, now_ms, changed
            )
        return changed

    def _adopt(
        self, container: ContainerId, use: PodUse, origin: ContainerOrigin, now_ms: int,
        changed: list[str],
    ) -> None:  # fmt: skip
        """Charge it to its queue; one whose queue is gone takes room of its node, which changes."""
        identity = container.attempt.application
        submitted = self._state.applications.by_id(identity)
        if submitted is not None:
            key, queue = submitted.key, submitted.queue
        else:
            key, queue = (use.namespace, f"{origin.application} {identity}"), origin.queue
        types = self._state.types
        # Its pod may name resources that the scheduler does not count, such as ephemeral-storage.
        size = types.vector({name: n for name, n in use.requests.items() if name in types.names})
        allocation = Allocation(use.node, opportunistic=origin.opportunistic)
        state = self._cache.requests.keep_container(use, key, container, allocation, size, queue)
        if submitted is not None:
            self.charge_running(state, identity)
        elif not self._enter_unseen(key, container, origin, now_ms):
            self._cache.requests.forget(state)
            self._cache.pods.count_as_foreign(use)
            changed.append(use.node)
            return
        self._containers.bind(container, use.uid)

    def _enter_unseen(
        self, key: Key, container: ContainerId, origin: ContainerOrigin, now_ms: int
    ) -> bool:
        """Submit an application of which nothing is left but pods; whether the scheduler takes it.

        It has no AM to ask for and stays where it was placed once.
        """
        identity = container.attempt.application
        order = identity.cluster_timestamp * 1_000_000 + identity.number
        application = Application(
            identity, origin.user, origin.queue, placed=origin.queue, order=order
        )
        states = self._cache.requests.current(key, None)
        self._state.applications.detach_unseen(key, application)
        try:
            self.enter(key, application, states, now_ms)
        except SpecError:
            self._state.applications.forget_detached(key)
            return False
        return True

"""ContainerRequests: what is still wanted of each is asked of the scheduler.

Compared are the containers that a request wants (its count, and those wanted again, less those
granted) and the places where it wants none, with what the scheduler was asked last
(`RequestState.asked`, `excluded`, `asked_where`). These three are the cache: they spare parsing a
request that did not change. A grant lowers `asked` with the count; a new scheduler, a new attempt
and a revoked grant clear it (`ask_anew`).

The grants of an object are read once, when this process first works on it (`restore`); afterwards
only the ResourceManager's fields are read. The races:

- *A leader before this one writes late.* Its epoch is lower, so the API server refuses it once this
  one has written; what came before that is overwritten (`RequestCache.see` has it written again).
- *The pod goes before its end is recorded, or after.* Either frees the container; it leaves the
  list only when the ResourceManager has recorded the end, which is how both know of it.
- *A recorded end, but the pod may run.* The container is listed no longer and counts until its pod
  is over (`RequestCache.keep_container`).
- *A request is deleted and made again under its name.* The old one keeps its containers under
  another key until they end.
"""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.crd import amounts
from kubeyarn.crd.container_request import by_container
from kubeyarn.crd.object import Key
from kubeyarn.model.asks import Ask
from kubeyarn.model.errors import Rejected, SpecError
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.reasons import Reason
from kubeyarn.scheduler.access_review import ADMINISTER, AccessReview, Allows
from kubeyarn.scheduler.asks import AskReader
from kubeyarn.scheduler.cache import MOST_REQUESTS, SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.node_backoff import (
    avoided_nodes,
    excluded_places,
    read_backoffs,
    with_refusal,
)
from kubeyarn.scheduler.reconcilers.requirements import RequirementsReconciler
from kubeyarn.scheduler.refusals import PodRefusal, read_refusal
from kubeyarn.scheduler.request_reader import accepted_before, read_allocations
from kubeyarn.scheduler.request_state import RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState, SubmittedApplication

_SURPLUS = (
    f"spec.application: found more than {MOST_REQUESTS} ContainerRequests of the application, "
    f"allowed: {MOST_REQUESTS}, of which the oldest are served; delete those that have got all "
    "they want, or ask for several containers by spec.count"
)


class ContainerRequestReconciler:
    """Takes the requests of an application into the scheduler."""

    def __init__(
        self,
        cache: SchedulerCache,
        state: SchedulerState,
        containers: ContainerAccounts,
        asks: AskReader,
        allows: Allows,
        requirements: RequirementsReconciler,
    ) -> None:
        self._allows = allows
        self._cache = cache
        self._requests = cache.requests
        self._state = state
        self._containers = containers
        self._asks = asks
        self._requirements = requirements
        # When the first node backoff of an application ends.
        self._backoff_ends: dict[Key, int] = {}

    # What has been granted.

    def restore(self, state: RequestState, application: ApplicationId) -> None:
        """Read what an earlier process granted; from then on the allocations are the truth."""
        if state.asked is not None or state.allocations:
            # This process has decided on it: the status is older than what is known here.
            return
        status, types = state.request.status, self._state.types
        size = (
            amounts.vector(status.resources, "status.resources", types)
            if status.resources
            else None
        )
        allocations, updating = read_allocations(state.request, application, types)
        state.restore(
            granted=status.granted,
            queue=status.queue,
            size=size,
            backoffs=read_backoffs(state.request),
            updating=updating,
        )
        for container, allocation in allocations.items():
            pod = self._cache.pods.of_container(container)
            if pod is not None and pod.over:
                # It ended while no scheduler looked; the ResourceManager has yet to record it.
                allocation.release()
            self._requests.allocate(state, container, allocation)
        self._requests.backed_off(state)

    def drop_completed(self, state: RequestState) -> None:
        """Release what the ResourceManager has recorded as ended, and list it no longer."""
        for container in by_container(state.request.status.completed):
            allocation = state.allocations.get(container)
            if allocation is None:
                continue
            self._requests.changed(state)
            use = self._cache.pods.of_container(container)
            # An end may be recorded without having been seen, as on a lost node.
            may_run = use is not None and bool(use.node) and not use.over
            if use is None or not may_run or allocation.released:
                self._containers.release(container)
                self._requests.drop(state, container)
                continue
            self._requests.drop(state, container)
            self._requests.keep_container(
                use, state.application, container, allocation, state.size, state.queue
            )

    def release_unlaunched(self, states: list[RequestState]) -> None:
        """Release the containers of deleted requests that have no pod: they get none any more.

        Those that have one give their resources back as it goes.
        """
        for state in states:
            for container in state.allocations:
                if self._cache.pods.of_container(container) is None:
                    self._containers.release(container)

    def supersede(self, states: list[RequestState], am: RequestState | None) -> None:
        """Note which requests are of attempts before *am*'s: they want nothing any more."""
        newest = am.attempt if am is not None else 1
        for state in states:
            if state.supersede(0 < state.attempt < newest):
                self._requests.changed(state)

    # What is wanted.

    def ask(self, state: RequestState, avoided: frozenset[str], *, over: bool, now_ms: int) -> None:
        """Have the scheduler know how many containers a request still wants, and where.

        *avoided* are the nodes that its application keeps off, looked up once for all its requests.
        """
        submitted = self._state.applications.get(state.application)
        if submitted is None:
            return
        state.enter_queue(state.queue or submitted.queue)
        classes = self._requirements.classes_of(state)
        # What may be nowhere is not asked: it would hold a place that others can use.
        nowhere = self._requirements.is_nowhere(state)
        wanted = 0 if over or nowhere else state.pending
        if state.am:
            # The scheduler asks for AMs by itself, one for each attempt.
            state.ask_no_more(wanted)
            return
        spec = state.request.spec
        if not state.asked and state.key in self._requests.surplus(state.application):
            self._asks.refuse(state, "TooManyRequests", _SURPLUS)
            return
        excluded = excluded_places(state.request, avoided)
        where = (spec.locality, spec.placement_constraint, spec.allocation_tags, classes)
        # Thousands of requests come by in a second; those that ask the same are not parsed again.
        same_place = state.excluded == excluded and state.asked_where == where
        if state.asked == wanted and (same_place or not wanted):
            return
        if not self._may_ask(state, submitted):
            return
        ask = self._asks.read(state)
        if ask is None:
            return
        try:
            ask = replace(
                ask,
                count=wanted,
                locality=replace(ask.locality, excluded=excluded, classes=classes),
                admitted=state.was_taken or accepted_before(state.request),
            )
            if state.opportunistic:
                self._ask_opportunistic(submitted, ask)
            else:
                self._state.scheduler.update_asks(submitted.id, [ask], now_ms)
        except SpecError as error:
            reason = error.reason if isinstance(error, Rejected) else "InvalidRequest"
            # Told on the request; the application and its other requests go on.
            self._asks.refuse(state, str(reason), str(error))
            return
        state.ask(wanted, excluded, where)
        if nowhere:
            # Told in the same write as that it is accepted.
            why = self._requirements.why_nowhere(state)
            state.wait_for(with_refusal(why, state.backoffs, now_ms))
        if state.accepted is None or state.refused:
            state.accept(f"asked in {state.queue}")
        self._requests.changed(state)

    def _may_ask(self, state: RequestState, submitted: SubmittedApplication) -> bool:
        """Whether who wrote a request may ask in the name of its application.

        Where root says queueAccess: ByRole, that is the application's user, or an administrator of
        its queue; one without user is the application's own. Nothing is asked without an answer,
        and what was taken once stays (see `AccessReview`).
        """
        spec, user = state.request.spec, submitted.application.user
        config = self._state.in_force.config
        by_role = config is not None and config.check_access
        if not by_role or spec.user in ("", user) or accepted_before(state.request):
            return True
        groups = tuple(sorted(set(spec.user_groups)))
        review = AccessReview(spec.user, groups, submitted.queue, verbs=(ADMINISTER,))
        allowed = self._allows(state.application, review)
        if allowed is False:
            message = (
                f"spec.user: found {spec.user!r}, who may not ask for containers of application "
                f"{state.application[1]} of user {user!r}, allowed: that user, and users with the "
                f"verb administer on the YarnQueue {submitted.queue} or one above it"
            )
            self._asks.refuse(state, str(Reason.ACCESS_DENIED), message)
        return bool(allowed)

    def _ask_opportunistic(self, submitted: SubmittedApplication, ask: Ask) -> None:
        """Ask for opportunistic containers.

        Raises:
            SpecError: root or its queue allows none, it is too large, it has a placement
                constraint, or a partition out of its queue's reach.
        """
        refusal = self._state.opportunistic_limits.refusal(submitted.queue)
        if refusal:
            raise SpecError(f"spec.executionType: {refusal}")
        if ask.constraint is not None:
            raise SpecError(
                "spec.placementConstraint: found one with executionType Opportunistic, allowed: "
                "Guaranteed"
            )
        size = self._state.scheduler.rounded(
            submitted.id, ask.size, admitted=ask.admitted, partition=ask.partition or ""
        )
        self._state.opportunistic.update(submitted.id, replace(ask, size=size))

    def locate_master(self, state: RequestState, avoided: frozenset[str]) -> None:
        """Have the scheduler know where the current attempt's AM may be granted."""
        submitted = self._state.applications.get(state.application)
        excluded = excluded_places(state.request, avoided)
        classes = self._requirements.classes_of(state)
        if submitted is not None and state.locate(excluded, classes):
            self._state.scheduler.locate_master(submitted.id, excluded, classes)

    def avoided(self, application: Key, now_ms: int) -> frozenset[str]:
        """The nodes that an application keeps off now; when that changes by itself is noted."""
        # A node that refused one request's pod will refuse those of its application's others.
        backoffs = self._requests.backoffs_of(application)
        ends = [b.until_ms for one in backoffs for b in one.values() if b.until_ms > now_ms]
        if ends:
            self._backoff_ends[application] = min(ends)
        return avoided_nodes(backoffs, now_ms)

    def take_ended_backoffs(self, now_ms: int) -> list[Key]:
        """The applications that may use a node again, each handed out once."""
        ended = [key for key, until_ms in self._backoff_ends.items() if until_ms <= now_ms]
        for key in ended:
            del self._backoff_ends[key]
        return ended

    def refuse_orphan(self, state: RequestState) -> None:
        """A request whose application is not there, or has no id yet.

        One that the ResourceManager made is of an application that it has seen: its watch was
        quicker than ours. Refused, it would end the application.
        """
        if state.deleted:
            self._requests.forget(state)
            return
        exists = state.application in self._cache.applications.objects
        if not exists and not (state.am or state.asked_by_master):
            name = state.application[1]
            message = f"spec.application: found {name!r}, which does not exist in this namespace"
            self._asks.refuse(state, "ApplicationNotFound", message)

    # What is taken back.

    def take_back(self, state: RequestState, container: ContainerId, now_ms: int) -> bool:
        """Release a granted container that was never bound, and list it no longer.

        Its node is left out for a while if it refused the container's pod; whether it is.
        """
        allocation = state.allocations[container]
        self._containers.release(container)
        self._requests.drop(state, container)
        pod = self._cache.pods.of_container(container)
        if pod is None or not pod.refused:
            return False
        state.back_off(allocation.node, now_ms, pod.refused)
        self._requests.backed_off(state)
        if pod.required is not None and read_refusal(pod.refused) is PodRefusal.LASTS:
            until_ms = state.backoffs[allocation.node].until_ms
            self._requirements.learn(state, allocation.node, pod.required, until_ms)
        return True

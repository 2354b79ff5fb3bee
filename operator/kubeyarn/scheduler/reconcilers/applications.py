"""YarnApplications: submitted, brought up to date and finished, each together with its requests.

An application is looked at as a whole (`sync`) whenever it, one of its requests or one of its pods
changed, because the parts decide over each other: the AM's request lets it be submitted, the newest
AM's attempt supersedes older requests, and it is finished when its last container is released.

Compared are the object's state and the attempt of its newest AM's request with what the scheduler
was told (`SubmittedApplications`), and the priority and queue of its spec with those acted on last.
The latter are kept in the status of the AM's request, so that a change made while no scheduler ran
is not lost, and one that was acted on is not acted on twice.

The races:

- *A request comes before its application.* The ResourceManager's are left alone, because it has
  seen the application and its watch was quicker; others are told that there is none.
- *An application is deleted while its containers run*, and another may be made under its name at
  once. What is left of the first is detached: it has a key of its own, asks for nothing, and is
  finished when its last container is released.
- *A user's rights are not known yet.* Submission waits for the access review, which has the
  application looked at again. Nobody is let in without an answer.
- *Restart.* An application that was placed once is submitted to its old queue, with the priority
  that it had there: placement rules and rights speak of new applications only.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from kubeyarn.crd.object import Key
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.application import TERMINAL
from kubeyarn.model.applications import Application
from kubeyarn.model.errors import AccessDenied, Rejected, SpecError
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.scheduler.access_review import AccessReview, Allows, denied, groups_of
from kubeyarn.scheduler.cache import SchedulerCache, application_id
from kubeyarn.scheduler.container_updates import ContainerUpdater
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.reconcilers.requests import ContainerRequestReconciler
from kubeyarn.scheduler.reconcilers.requirements import RequirementsReconciler
from kubeyarn.scheduler.recovery import Recovery
from kubeyarn.scheduler.request_reader import accepted_before, applied_before, priority_before
from kubeyarn.scheduler.request_state import Outcome, RequestState, any_running, master
from kubeyarn.scheduler.scheduler_state import SchedulerState, SubmittedApplication


class ApplicationReconciler:
    """Takes applications with their requests into the scheduler."""

    def __init__(
        self,
        cache: SchedulerCache,
        state: SchedulerState,
        containers: ContainerAccounts,
        requests: ContainerRequestReconciler,
        recovery: Recovery,
        updates: ContainerUpdater,
        allows: Allows,
        requirements: RequirementsReconciler,
    ) -> None:
        self._cache = cache
        self._errors = cache.errors
        self._state = state
        self._containers = containers
        self._requests = requests
        self._recovery = recovery
        self._updates = updates
        self._allows = allows
        self._requirements = requirements

    def sync(self, key: Key, now_ms: int, only: Collection[Key] | None = None) -> None:
        """Bring one application with its requests in line, or note that our code fails on it.

        *only* are those of its requests that changed, where nothing else did: what changes costs
        no look at the thousands that do not.
        """
        self._errors.attempt(Watched.APPLICATION, key, self._sync, key, now_ms, only)

    def _sync(self, key: Key, now_ms: int, only: Collection[Key] | None) -> None:
        yarn_application = self._cache.applications.objects.get(key)
        self._detach_former(key, yarn_application, now_ms)
        submitted = self._state.applications.get(key)
        if only is not None and yarn_application is not None and submitted is not None:
            masters = {state.key for state in self._cache.requests.masters_of(key)}
            if masters.isdisjoint(only):
                self._sync_some(submitted, yarn_application, only, now_ms)
                return
        self._sync_all(key, yarn_application, submitted, now_ms)

    def _sync_some(
        self, submitted: SubmittedApplication, yarn_application: YarnApplication,
        only: Collection[Key], now_ms: int,
    ) -> None:  # fmt: skip
        """Bring some requests in line, of an application that is as it was."""
        key, over = submitted.key, yarn_application.status.state in TERMINAL
        everything = self._cache.requests.some_current(only, key, yarn_application)
        states = [state for state in everything if self._take_in(state, submitted.id)]
        am = master(self._cache.requests.masters_of(key))
        self._requests.supersede(states, am)
        self._requests.release_unlaunched([state for state in states if state.deleted])
        self._ask_all(states, submitted, now_ms, over=over)
        if over and not any_running(self._cache.requests.of_application(key)):
            self._finish(key, now_ms)
        self._forget_deleted(states)

    def _sync_all(
        self, key: Key, yarn_application: YarnApplication | None,
        submitted: SubmittedApplication | None, now_ms: int,
    ) -> None:  # fmt: skip
        states = self._cache.requests.current(key, yarn_application)
        identity = (
            application_id(yarn_application)
            if yarn_application
            else submitted.id
            if submitted
            else None
        )
        if identity is None:
            for state in states:
                self._requests.refuse_orphan(state)
            return
        # 1. What its requests hold: read what was granted, release what has ended.
        everything = states
        states = [state for state in states if self._take_in(state, identity)]
        taken_in = {state.key for state in states}
        if any(s.am and not s.deleted and s.key not in taken_in for s in everything):
            # Which attempt is the newest is not known before its AM's request can be taken in.
            return
        self._requests.supersede(states, master(states))
        self._requests.release_unlaunched(
            [s for s in states if yarn_application is None or s.deleted]
        )
        # 2. Submit it; one that has ended counts while containers of it run.
        over = yarn_application is None or yarn_application.status.state in TERMINAL
        if yarn_application is not None and submitted is None and (not over or any_running(states)):
            self._submit(key, yarn_application, states, now_ms, over=over)
            submitted = self._state.applications.get(key)
        if submitted is not None:
            # 3. Its newest attempt, and what its spec says of priority and queue.
            if not over:
                self._begin_attempt(submitted, states, now_ms)
                am = master(states)
                if am is not None:
                    avoided = self._requests.avoided(key, now_ms)
                    self._requests.locate_master(am, avoided)
            if yarn_application is not None and not over:
                self._apply_spec(submitted, yarn_application, states, now_ms)
            # 4. What it wants: containers, and changes of those that it has.
            if not over:
                self._suspend(submitted, states, now_ms)
            self._ask_all(states, submitted, now_ms, over=over)
            # 5. Finish it with its last container.
            if over and not any_running(everything):
                self._finish(key, now_ms)
        self._forget_deleted(states)

    def _ask_all(
        self, states: list[RequestState], submitted: SubmittedApplication, now_ms: int, *,
        over: bool,
    ) -> None:  # fmt: skip
        avoided = self._requests.avoided(submitted.key, now_ms)
        for state in states:
            self._errors.attempt(
                Watched.REQUEST, state.key, self._ask, state, submitted, avoided, now_ms, over=over
            )

    def _forget_deleted(self, states: list[RequestState]) -> None:
        for state in [s for s in states if s.deleted and not s.running]:
            self._cache.requests.forget(state)

    def _take_in(self, state: RequestState, identity: ApplicationId) -> bool:
        """Read what a request was granted and what has ended of it; false: our code fails on it.

        It asks for nothing then, or what it holds would be granted a second time.
        """
        attempt = self._errors.attempt
        failed = attempt(Watched.REQUEST, state.key, self._requests.restore, state, identity)
        if failed is None:
            failed = attempt(Watched.REQUEST, state.key, self._requests.drop_completed, state)
        return failed is None

    def _suspend(
        self, submitted: SubmittedApplication, states: list[RequestState], now_ms: int
    ) -> None:
        """Ask for no AM while the application is set aside, and for it afterwards."""
        suspended = self._cache.set_aside.holds(submitted.key, submitted.queue)
        was_suspended = submitted.suspend(suspended)
        if suspended:
            self._state.scheduler.master_gone(submitted.id)
        elif was_suspended:
            am = master(states)
            if am is not None and am.pending and not am.running:
                self._state.scheduler.ask_for_master(submitted.id, now_ms)

    def _ask(
        self, state: RequestState, submitted: SubmittedApplication, avoided: frozenset[str],
        now_ms: int, *, over: bool,
    ) -> None:  # fmt: skip
        """Have the scheduler know what a request wants."""
        if over and state.end():
            self._cache.requests.changed(state)
        nothing = over or submitted.suspended
        self._requests.ask(state, avoided, over=nothing, now_ms=now_ms)
        if not submitted.suspended:
            self._updates.sync(state, over=over)

    def _detach_former(
        self, key: Key, yarn_application: YarnApplication | None, now_ms: int
    ) -> None:
        """Detach what a deleted application holds still, so that its name is free again."""
        applications = self._state.applications
        submitted = applications.get(key)
        if submitted is None or applications.is_detached(key):
            return
        # By id, not by uid: the id is what the scheduler and the container names know.
        if yarn_application is not None and application_id(yarn_application) == submitted.id:
            return
        # It lives on under another key until its last container has ended: what runs counts, and an
        # application of the same name may come at once.
        detached = applications.detach(key)
        for state in self._cache.requests.of_application(key):
            self._cache.requests.detach(state, detached)
        self.sync(detached, now_ms)

    def _finish(self, key: Key, now_ms: int) -> None:
        identity = self._state.applications.finish(key)
        self._state.scheduler.finish(identity, now_ms)
        self._containers.forget_increases(identity)
        self._state.opportunistic.finish(identity)

    # Submission.

    def _submit(
        self,
        key: Key,
        yarn_application: YarnApplication,
        states: list[RequestState],
        now_ms: int,
        *,
        over: bool,
    ) -> None:
        """Submit an application that has its AM's request."""
        am = master(states)
        # A refusal stands on the request for good; another attempt of the user is another
        # application.
        if am is None or am.refused:
            return
        try:
            application = self._read_application(yarn_application, states, am, over=over)
            if not self._enter_if_allowed(key, yarn_application, application, states, now_ms):
                return
            # It was granted once and has ended: no AM is asked for until the next attempt.
            if not over and not am.running and not am.pending:
                self._state.scheduler.master_gone(application.id)
        except SpecError as error:
            reason = error.reason if isinstance(error, Rejected) else "InvalidRequest"
            am.refuse(str(reason), str(error))
            self._cache.requests.changed(am)
            return
        self._accept_master(key, am)

    def _accept_master(self, key: Key, am: RequestState) -> None:
        submitted = self._state.applications.get(key)
        if submitted is not None:
            am.enter_queue(submitted.queue)
            am.accept(f"placed in {submitted.queue}")
            self._cache.requests.changed(am)

    def _enter_if_allowed(
        self,
        key: Key,
        yarn_application: YarnApplication,
        application: Application,
        states: list[RequestState],
        now_ms: int,
    ) -> bool:
        """Submit an application as soon as its user's rights are known; whether they are.

        Which queue it is about is the scheduler's to say, whose placement decides; so the right is
        reviewed for the queue that its refusal names.

        Raises:
            SpecError: the scheduler does not take it.
        """
        while True:
            try:
                self._recovery.enter(key, application, states, now_ms)
            except AccessDenied as refusal:
                groups = groups_of(yarn_application, application)
                review = AccessReview(application.user, groups, refusal.queue)
                allowed = self._allows(key, review)
                if allowed is None:
                    return False
                if not allowed or refusal.queue in application.allowed:
                    raise denied(review) from refusal
                application = replace(application, allowed=application.allowed | {refusal.queue})
            else:
                return True

    def _read_application(
        self,
        yarn_application: YarnApplication,
        states: list[RequestState],
        am: RequestState,
        *,
        over: bool,
    ) -> Application:
        application = yarn_application.submission(self._state.types)
        # What was placed once stays there: placement rules speak of new applications only.
        before = [s for s in states if s.am and s.queue and accepted_before(s.request)]
        placed = max(before, key=lambda s: s.attempt).queue if before else ""
        priority = priority_before(states) if placed else None
        config = self._state.in_force.config
        known_groups = config.user_groups if config is not None else {}
        return replace(
            application,
            groups=known_groups.get(application.user, application.groups),
            # By id: the order of submission survives a restart, that of events does not.
            order=application.id.cluster_timestamp * 1_000_000 + application.id.number,
            queue=placed or am.queue or application.queue,
            placed=placed,
            priority=application.priority if priority is None else priority,
            am_size=None if over and not am.running else application.am_size,
            am_classes=self._requirements.classes_of(am),
        )

    def _begin_attempt(
        self, submitted: SubmittedApplication, states: list[RequestState], now_ms: int
    ) -> None:
        """Begin the attempt that the newest request for an AM is of.

        What former attempts hold is charged on: it is kept, or its pods are being deleted.
        """
        am = master(states)
        if am is None or am.attempt <= submitted.attempt:
            return
        submitted.begin_attempt(am.attempt)
        self._state.scheduler.start_attempt(submitted.id, am.attempt, now_ms)
        self._containers.forget_increases(submitted.id)
        for state in states:
            # Starting an attempt makes the scheduler forget what the former ones hold and ask.
            self._errors.attempt(
                Watched.REQUEST, state.key, self._recovery.charge_running, state, submitted.id
            )
            state.begin_attempt()
        self._accept_master(submitted.key, am)

    # Priority and queue of the spec.

    def _apply_spec(
        self,
        submitted: SubmittedApplication,
        yarn_application: YarnApplication,
        states: list[RequestState],
        now_ms: int,
    ) -> None:
        """Act on a priority or a queue that the spec did not have before."""
        applications, requests = self._state.applications, self._cache.requests
        wanted = (yarn_application.spec.priority, yarn_application.spec.queue)
        # What was acted on last, also by a scheduler before this one: acting again on a priority
        # that an administrator has changed since would undo that.
        before = applications.last_spec(submitted.key) or applied_before(states) or wanted
        applications.spec_applied(submitted.key, wanted)
        am = master(states)
        if am is None:
            return
        changed = am.apply(wanted)
        priority, queue = wanted
        if priority is not None and priority != before[0]:
            am.prioritize(self._prioritize(submitted, priority, now_ms))
            changed = True
        if queue and queue != before[1]:
            am.move(self._move(submitted, queue, states, now_ms))
            changed = True
        if am.has_priority(self._state.scheduler.priority(submitted.id)) or changed:
            requests.changed(am)

    def _prioritize(self, submitted: SubmittedApplication, wanted: int, now_ms: int) -> Outcome:
        """Change an application's priority (Hadoop: updateApplicationPriority)."""
        if self._state.kind is SchedulerKind.FAIR:
            message = (
                f"spec.priority: found {wanted}, allowed: what it was when submitted, because the "
                "Fair Scheduler does not support changing priorities"
            )
            return False, "PriorityNotSupported", message
        try:
            given = self._state.scheduler.set_priority(submitted.id, wanted, now_ms)
        except SpecError as error:
            reason = getattr(error, "reason", "PriorityRefused")
            return False, reason, f"spec.priority: {error}"
        limit = f", the most that is allowed; spec.priority is {wanted}" if given != wanted else ""
        return True, "Prioritized", f"priority {given} is in force{limit}"

    def _move(
        self, submitted: SubmittedApplication, queue: str, states: list[RequestState], now_ms: int
    ) -> Outcome:
        """Move an application with its containers (Hadoop: moveApplicationAcrossQueues)."""
        try:
            leaf = self._state.scheduler.move(submitted.id, queue, now_ms)
        except SpecError as error:
            return False, getattr(error, "reason", "MoveRefused"), str(error)
        submitted.move(leaf)
        # The scheduler has moved what it charges; bound usage and statuses follow.
        for state in states:
            self._containers.move(state, leaf)
            self._cache.requests.changed(state)
        return True, "Moved", f"moved to {leaf}"

    # Grants that come to nothing.

    def revoke(self, container: ContainerId, now_ms: int) -> None:
        """Take back a grant that comes to nothing, and ask for another in its place.

        Its pod is refused by kube-scheduler, or its node went before it had one. What an
        ApplicationMaster asked for is only taken back: it is told, and asks again itself.
        """
        state = self._cache.requests.of_container(container)
        allocation = self._cache.requests.allocation(container)
        if state is None or allocation is None or allocation.released or allocation.bound_uid:
            return
        if self._requests.take_back(state, container, now_ms):
            # All its requests keep off the node from now on.
            self.sync(state.application, now_ms)
        if not state.asked_by_master:
            state.uncount_grant()
            self._ask_again(state, now_ms)
        self._cache.requests.changed(state)

    def _ask_again(self, state: RequestState, now_ms: int) -> None:
        submitted = self._state.applications.get(state.application)
        if submitted is None or state.over or state.superseded:
            return
        if submitted.suspended:
            state.ask_anew()
            return
        if state.am:
            self._state.scheduler.ask_for_master(submitted.id, now_ms)
            return
        state.ask_anew()
        avoided = self._requests.avoided(state.application, now_ms)
        self._requests.ask(state, avoided, over=False, now_ms=now_ms)

    def end_backoffs(self, now_ms: int) -> None:
        """Let applications use nodes again that they have kept off for long enough."""
        for key in self._requests.take_ended_backoffs(now_ms):
            self.sync(key, now_ms)

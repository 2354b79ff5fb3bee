"""Why requests wait: looked up once in a while, written only when the reason is another one.

What waits must cost no API writes, so numbers that change in a message are written together with
the next change of the reason or of a grant. A lookup costs the scheduler a search for what stops
the ask; that is why each request is looked at only so often.
"""

from __future__ import annotations

from dataclasses import replace

from kubeyarn.model.reasons import Verdict
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.node_backoff import refused_last
from kubeyarn.scheduler.reconcile_errors import ReconcileErrors, Watched
from kubeyarn.scheduler.reconcilers.requirements import RequirementsReconciler
from kubeyarn.scheduler.request_state import RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState, SubmittedApplication


class WaitingReasons:
    """Notes on requests what stops them."""

    def __init__(
        self, cache: SchedulerCache, state: SchedulerState, requirements: RequirementsReconciler
    ) -> None:
        self._requests = cache.requests
        self._errors: ReconcileErrors = cache.errors
        self._state = state
        self._requirements = requirements

    def explain(self, now: float, now_ms: int, every_s: float) -> None:
        """Look at the requests that wait, each at most once in *every_s* seconds.

        *now* is the monotonic time, *now_ms* that of the scheduler.
        """
        for state in self._requests.states.values():
            submitted = self._state.applications.get(state.application)
            if submitted is None or not state.pending or state.deleted or state.over:
                continue
            if now - state.explained_at < every_s:
                continue
            state.explain(now)
            self._errors.attempt(
                Watched.REQUEST, state.key, self._explain, state, submitted, now_ms
            )

    def _explain(self, state: RequestState, submitted: SubmittedApplication, now_ms: int) -> None:
        verdict = self._why(state, submitted, now_ms)
        refusal = refused_last(state.backoffs, now_ms)
        if verdict is not None and refusal:
            verdict = replace(verdict, message=f"{verdict.message}; {refusal}")
        if verdict is not None and state.wait_for(verdict):
            self._requests.changed(state)

    def _why(
        self, state: RequestState, submitted: SubmittedApplication, now_ms: int
    ) -> Verdict | None:
        nowhere = self._requirements.why(state)
        if nowhere is not None:
            return nowhere
        if state.opportunistic:
            key = state.request.ask_key()
            limits, queue_of = self._state.opportunistic_limits, self._state.queue_of
            return self._state.opportunistic.why(submitted.id, key, limits, queue_of)
        ask = None if state.am else state.request.ask_key()
        return self._state.scheduler.why(submitted.id, ask, now_ms)

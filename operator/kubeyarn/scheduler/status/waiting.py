"""Why requests wait: looked up once in a while, written only when the reason is another one.

What waits must cost no API writes, so numbers that change in a message are written together with
the next change of the reason or of a grant. A lookup costs the scheduler a search for what stops
the ask; that is why each request is looked at only so often.
"""

from __future__ import annotations

from kubeyarn.model.reasons import Verdict
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.node_backoff import with_refusal
from kubeyarn.scheduler.reconcile_errors import ReconcileErrors, Watched
from kubeyarn.scheduler.reconcilers.requirements import RequirementsReconciler
from kubeyarn.scheduler.request_state import RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState, SubmittedApplication

# Each costs some tenths of a millisecond; the next turn goes on.
_MOST_AT_ONCE = 200


class WaitingReasons:
    """Notes on requests what stops them."""

    def __init__(
        self, cache: SchedulerCache, state: SchedulerState, requirements: RequirementsReconciler
    ) -> None:
        self._requests = cache.requests
        self._errors: ReconcileErrors = cache.errors
        self._state = state
        self._requirements = requirements

    def explain(self, now: float, now_ms: int, every_s: float) -> bool:
        """Look at requests that wait, each at most once in *every_s* seconds, so many at a time.

        Those come first that were looked at longest ago; returns whether there are more. *now* is
        the monotonic time, *now_ms* that of the scheduler.
        """
        due = [
            state
            for state in self._requests.states.values()
            if now - state.explained_at >= every_s and not state.deleted and not state.over
        ]
        due.sort(key=_explained_at)
        looked_at = 0
        for state in due:
            submitted = self._state.applications.get(state.application)
            if submitted is None or not state.pending:
                # Looked at for this time.
                state.explain(now)
                continue
            if looked_at == _MOST_AT_ONCE:
                return True
            looked_at += 1
            state.explain(now)
            self._errors.attempt(
                Watched.REQUEST, state.key, self._explain, state, submitted, now_ms
            )
        return False

    def _explain(self, state: RequestState, submitted: SubmittedApplication, now_ms: int) -> None:
        verdict = self._why(state, submitted, now_ms)
        if verdict is None:
            return
        if state.wait_for(with_refusal(verdict, state.backoffs, now_ms)):
            self._requests.changed(state)

    def _why(
        self, state: RequestState, submitted: SubmittedApplication, now_ms: int
    ) -> Verdict | None:
        if self._requirements.is_nowhere(state):
            return self._requirements.why_nowhere(state)
        if state.opportunistic:
            key = state.request.ask_key()
            limits, queue_of = self._state.opportunistic_limits, self._state.queue_of
            return self._state.opportunistic.why(submitted.id, key, limits, queue_of)
        ask = None if state.am else state.request.ask_key()
        return self._state.scheduler.why(submitted.id, ask, now_ms)


def _explained_at(state: RequestState) -> float:
    return state.explained_at

"""ContainerRequests read into what the scheduler is told: asks, and containers of asks."""

from __future__ import annotations

from kubeyarn.model.asks import Ask
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.request_state import RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState


class AskReader:
    """Reads requests, and refuses those that cannot be read: they are told so in their status."""

    def __init__(self, cache: SchedulerCache, state: SchedulerState) -> None:
        self._requests = cache.requests
        self._state = state

    def read(self, state: RequestState) -> Ask | None:
        """What a request asks; None, and the request refused, if it cannot be read."""
        try:
            ask = state.request.ask(self._state.types)
        except SpecError as error:
            self.refuse(state, "InvalidRequest", str(error))
            return None
        state.learn_size(ask.size)
        return ask

    def refuse(self, state: RequestState, reason: str, message: str) -> None:
        """Refuse a request; the same refusal again costs no write."""
        if state.refuse(reason, message):
            state.ask_no_more()
            self._requests.changed(state)

    def container(self, state: RequestState, ask: Ask, container: ContainerId) -> Container | None:
        """A granted container as the scheduler charges it; None: its application is unknown there.

        Its partition is the one that was asked for; the scheduler charges that of its node.
        """
        submitted = self._state.applications.by_id(container.attempt.application)
        if submitted is None:
            return None
        allocation = state.allocations[container]
        return Container(
            container,
            ask.key,
            allocation.node,
            allocation.size or state.size or ask.size,
            ask.partition or submitted.application.partition or "",
            am=state.am and container.attempt.number == submitted.attempt,
            tags=ask.tags,
        )

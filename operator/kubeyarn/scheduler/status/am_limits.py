"""What an ApplicationMaster is told of limits, on its own ContainerRequest: headroom, maximum.

Theory of operation. The headroom of an application changes whenever anybody else's containers come
or go, so writing each change would cost a busy cluster one write a second for each application. Who
waits costs no API writes, and who only hears that others run costs few:

* whatever is written of the request for another reason carries the limits as they are then;
* otherwise a change is written when it is worth it (`is_worth_a_write`), to one application at
  most once in `Settings.am_limits_every_s`, and to all of them together at most ten times in one
  round of a second, to whom has waited longest first.

So a thousand applications cost at most ten writes a second, and nothing at all while nothing
changes. No grant depends on what is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from kubeyarn.crd import quantities
from kubeyarn.crd.object import Object
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.request_state import AMLimits, RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState

MOST_IN_A_ROUND = 10
_STEP = 0.1
_SETTLED_S = 30.0


class AMLimitsReader:
    """Looks up what an ApplicationMaster is to be told."""

    def __init__(self, cache: SchedulerCache, state: SchedulerState) -> None:
        self._errors = cache.errors
        self._state = state

    def read(self, request: RequestState) -> AMLimits | None:
        """The limits of the application whose ApplicationMaster's request this is.

        None: it is another request, or of an AM that does not run, and nothing new is told; or our
        code fails on it, which the request says, and the rest of its status is written as ever.
        """
        if not request.am or request.over or request.superseded or request.deleted:
            return None
        # An unmanaged AM runs elsewhere: its request is for 0 containers.
        if request.count and not request.running:
            return None
        submitted = self._state.applications.get(request.application)
        if submitted is None:
            return None
        limits: list[AMLimits] = []
        self._errors.attempt(Watched.REQUEST, request.key, self._look_up, submitted.id, limits)
        return limits[0] if limits else None

    def _look_up(self, application: ApplicationId, limits: list[AMLimits]) -> None:
        scheduler = self._state.scheduler
        # Below 0 on an over-committed cluster; quantities of resources are not.
        headroom = tuple(max(0, amount) for amount in scheduler.headroom(application))
        limits.append(AMLimits(headroom, scheduler.maximum_allocation(application)))


def limits_status(limits: AMLimits, types: ResourceTypes) -> Object:
    """Limits as status shows them: every resource that the scheduler counts, those at 0 too."""
    return {
        "headroom": _shown(types.mapping(limits.headroom)),
        "maximumAllocation": _shown(types.mapping(limits.maximum_allocation)),
    }


def _shown(amounts: Mapping[str, int]) -> dict[str, str]:
    """What has no limit is left out."""
    return {
        name: quantities.show(name, amount)
        for name, amount in amounts.items()
        if amount < quantities.LARGEST
    }


def is_worth_a_write(told: AMLimits | None, now: AMLimits, since_s: float) -> bool:
    """Whether a change since what was *told* *since_s* seconds ago is worth a write of its own.

    It is when some resource changed by a tenth or more, begins or ceases to be there, when the
    maximum changed, and at last when nothing else was written for half a minute.
    """
    if told is None or told.maximum_allocation != now.maximum_allocation:
        return True
    if told.headroom == now.headroom:
        return False
    return since_s >= _SETTLED_S or _changed_by_a_step(told.headroom, now.headroom)


def _changed_by_a_step(before: Vector, after: Vector) -> bool:
    return any(
        one != other and (min(one, other) <= 0 or abs(one - other) >= _STEP * max(one, other))
        for one, other in zip(before, after, strict=True)
    )


@dataclass(frozen=True, slots=True)
class _Due:
    told_at: float
    request: RequestState


class AMLimitsReporter:
    """Has limits written that changed."""

    def __init__(self, cache: SchedulerCache, state: SchedulerState) -> None:
        self._requests = cache.requests
        self._limits = AMLimitsReader(cache, state)

    def report(self, now: float, every_s: float) -> None:
        """Have those written that have waited longest, each at most once in *every_s* seconds.

        *now* is the monotonic time.
        """
        due = []
        for request in self._requests.states.values():
            if not request.am or now - request.limits_told_at < every_s:
                continue
            limits = self._limits.read(request)
            since_s = now - request.limits_told_at
            if limits is not None and is_worth_a_write(request.limits_told, limits, since_s):
                due.append(_Due(request.limits_told_at, request))
        due.sort(key=lambda one: one.told_at)
        for one in due[:MOST_IN_A_ROUND]:
            one.request.tell_limits(now)
            self._requests.changed(one.request)

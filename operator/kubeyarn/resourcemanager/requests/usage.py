"""What containers have used, as status keeps it: in each request, and summed up in the application.

A request's part is written together with the ends of the containers, and so counts each once.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from kubeyarn.crd import quantities
from kubeyarn.crd.container_request import RequestUsage
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle import usage
from kubeyarn.lifecycle.am_session import CompletedContainer
from kubeyarn.lifecycle.usage import Usage
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.requests.request_view import RequestView

_NOTHING = RequestUsage()
_MIB = 1 << 20
_MILLI = 1000


def after(
    seen: RequestView,
    ended: Collection[CompletedContainer],
    held_s: Callable[[ContainerId], int],
) -> Object:
    """`usage` of a request's status after containers *ended* just now.

    Empty when none did; *held_s* is for how many seconds a container had its room.
    """
    if not ended:
        return {}
    total = _read(seen)
    for container in ended:
        size = seen.size_of(container.id)
        total += usage.of_container(size, held_s(container.id), container.exit_status)
    return {
        "usage": {
            "amountSeconds": _shown(total.seconds),
            "preemptedAmountSeconds": _shown(total.preempted_seconds),
            "preemptedContainers": total.preempted,
        }
    }


def of_application(views: Iterable[RequestView], before: Mapping[str, Any]) -> Object:
    """`usage` of an application's status, from its requests.

    It never falls: what was used is used, also by a request that somebody deleted.
    """
    total = sum((_read(view) for view in views if view.usage != _NOTHING), start=Usage())
    now = {
        "memorySeconds": total.seconds.get("memory", 0) // _MIB,
        "vcoreSeconds": total.seconds.get("cpu", 0) // _MILLI,
        "preemptedMemorySeconds": total.preempted_seconds.get("memory", 0) // _MIB,
        "preemptedVcoreSeconds": total.preempted_seconds.get("cpu", 0) // _MILLI,
        "preemptedContainers": total.preempted,
    }
    return {name: max(count, int(before.get(name) or 0)) for name, count in now.items()}


def _read(view: RequestView) -> Usage:
    recorded = view.usage
    return Usage(
        quantities.amounts(recorded.amount_seconds, "usage.amountSeconds"),
        quantities.amounts(recorded.preempted_amount_seconds, "usage.preemptedAmountSeconds"),
        recorded.preempted_containers,
    )


def _shown(amounts: Mapping[str, int]) -> Object:
    return {name: quantities.show(name, amount) for name, amount in amounts.items()}

"""An ApplicationMaster's registration (Hadoop: registerApplicationMaster)."""

from __future__ import annotations

from kubeyarn.lifecycle.am_session import GrantedContainer
from kubeyarn.resourcemanager import cluster_limits
from kubeyarn.resourcemanager.amservice import responses, wire
from kubeyarn.resourcemanager.amservice.callers import Caller
from kubeyarn.resourcemanager.amservice.headroom import allocation
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.requests import request_builder


def register(cache: Cache, caller: Caller, message: wire.Register, now_ms: int) -> wire.Registered:
    """Take a registration; the answer tells what there is already.

    Raises:
        ProtocolError: AlreadyRegistered.
    """
    session = caller.session
    views = [v for v in caller.asks(cache) if v.attempt == session.attempt.number]
    live = [
        view.granted_container(container)
        for view in views
        for container in view.grants
        if container not in view.completed
    ]
    # A request's count is over its whole life: what an AM asks for now comes on top of what it was
    # granted ever.
    ever = {view.key: view.granted for view in views}
    kept = _kept(cache, caller)
    # An unmanaged AM may be started again by whoever runs it, within the same attempt, and
    # registers once more, which Hadoop allows in that case alone.
    again = caller.application.spec.unmanaged_am and caller.keeps_containers
    session.register(live, ever, message.tracking_url, now_ms, kept=kept, again=again)
    session.host, session.rpc_port = message.host, message.rpc_port
    session.excluded = _excluded(cache, caller)
    low, high = allocation(cache, caller)
    return wire.Registered(
        application_id=str(caller.record.id),
        attempt_id=str(session.attempt),
        queue=caller.record.queue,
        minimum_allocation=request_builder.shown(low),
        maximum_allocation=request_builder.shown(high),
        resource_types=list(dict.fromkeys((*request_builder.ALWAYS_SHOWN, *sorted(high)))),
        scheduler_resource_types=cluster_limits.scheduled(cache),
        containers_from_previous_attempts=[responses.container(c) for c in kept],
        containers=[responses.container(c) for c in live],
        response_id=session.response_id,
    )


def _excluded(cache: Cache, caller: Caller) -> frozenset[str]:
    """Nodes that this attempt excluded, and the last one if containers are handed on."""
    number = caller.session.attempt.number
    return frozenset(
        name
        for view in caller.asks(cache)
        if view.attempt == number or (caller.keeps_containers and view.attempt == number - 1)
        for name in view.excluded
    )


def _kept(cache: Cache, caller: Caller) -> list[GrantedContainer]:
    """Containers of former attempts that run on (Hadoop: keepContainers...Attempts)."""
    if not caller.keeps_containers:
        return []
    pods = cache.pods(caller.key)
    return [
        view.granted_container(container)
        for view in caller.asks(cache)
        if view.attempt < caller.session.attempt.number
        for container in view.grants
        if container not in view.completed
        and (pod := pods.get(container)) is not None
        and pod.running
        and not pod.deleting
    ]

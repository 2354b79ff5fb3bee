"""Why an ask waits, with the numbers (`why`): the first limit in the scheduler's own order.

The checks of container_assigner are asked once more, for all nodes at once. Nothing is changed: an
opportunity is not counted, and no order is moved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.asks import AM_KEY, is_update
from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.model.reasons import Reason, Verdict, listed
from kubeyarn.model.resources import add, fits
from kubeyarn.schedulers.fair.am_limits import am_limit, can_run_am, max_am_resource
from kubeyarn.schedulers.fair.container_assigner import allows_constraint, is_excluded
from kubeyarn.schedulers.fair.scheduling_policy import is_usage_below_share

if TYPE_CHECKING:
    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.resources import ResourceTypes, Vector
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.max_running_apps import MaxRunningAppsEnforcer
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt, FSPendingAsk
    from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
    from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue


def explain(
    state: FairClusterState, enforcer: MaxRunningAppsEnforcer, attempt: FSAppAttempt, key: AskKey
) -> Verdict | None:
    """What stops the ask of that key; None when it is not outstanding."""
    ask = attempt.asks.get(key)
    if ask is None:
        return None
    return (
        _non_runnable(enforcer, attempt)
        or _no_node_fits(state, ask)
        or _excluded(state, attempt, ask)
        or _constrained(state, attempt, ask)
        or _over_am_share(state, attempt, key)
        or _over_max_share(state, attempt, ask)
        or _nodes(state, attempt, ask)
        or _behind(state, attempt, ask)
    )


def _non_runnable(enforcer: MaxRunningAppsEnforcer, attempt: FSAppAttempt) -> Verdict | None:
    if attempt.is_runnable:
        return None
    queue, user = attempt.queue, attempt.application.user
    place = queue.non_runnable_apps.index(attempt) + 1
    # The user's limit before the queues': it is looked at first when an application may become
    # runnable.
    running, maximum = enforcer.runnable_apps_of(user), enforcer.max_running_apps_of(user)
    if running >= maximum:
        message = f"user {user} runs {running} applications and may run {maximum}"
        return Verdict(Reason.PARALLEL_LIMIT, message, place)
    full = next((q for q in queue.path_up() if q.num_runnable_apps >= q.max_running_apps), queue)
    return Verdict(
        Reason.PARALLEL_LIMIT,
        f"queue {full.path} runs {full.num_runnable_apps} applications and may run "
        f"{full.max_running_apps}",
        place,
    )


def _over_am_share(state: FairClusterState, attempt: FSAppAttempt, key: AskKey) -> Verdict | None:
    queue, text = attempt.queue, state.types.text
    if attempt.am_running or attempt.unmanaged or key != AM_KEY:
        return None
    size = attempt.asks[key].ask.size
    if can_run_am(state, queue, size) or _fits_am_share_of_empty_cluster(state, queue, size):
        return None
    return Verdict(
        Reason.AM_LIMIT,
        f"queue {queue.path}: ApplicationMasters use {text(queue.am_used)}, "
        f"this one wants {text(size)}, together they may use {text(am_limit(state, queue))} "
        f"(maxAMShare {queue.max_am_share:g})",
        _place(attempt),
    )


def _fits_am_share_of_empty_cluster(
    state: FairClusterState, queue: FSLeafQueue, size: Vector
) -> bool:
    """Whether the AM share would do if the cluster were not full.

    Where the queue has no fair share of a resource, its AMs may use part of what is available.
    """
    limit = max_am_resource(queue.max_am_share, queue.fair_share, state.cluster, queue.max_share)
    # Then the share is small because others hold the cluster, which the verdict about nodes says
    # better.
    full = not any(fits(size, node.available) for node in state.nodes.values())
    return full and fits(add(queue.am_used, size), limit)


def _over_max_share(
    state: FairClusterState, attempt: FSAppAttempt, ask: FSPendingAsk
) -> Verdict | None:
    text = state.types.text
    for queue in attempt.queue.path_up():
        if not fits(add(queue.used, ask.ask.size), queue.max_share):
            own = queue is attempt.queue
            return Verdict(
                Reason.QUEUE_MAXIMUM if own else Reason.PARENT_MAXIMUM,
                f"queue {queue.path} holds {text(queue.used)}; with {text(ask.ask.size)} more it "
                f"would pass its maximum, {text(queue.max_share)}",
                _place(attempt),
            )
    return None


def _schedulable_nodes(state: FairClusterState, ask: FSPendingAsk) -> list[FSSchedulerNode]:
    """The nodes that the ask may be on, whatever they hold."""
    nodes = state.nodes.values()
    return [node for node in nodes if node.rm_node.schedulable and ask.suits(node.rm_node)]


def _names(nodes: list[FSSchedulerNode]) -> list[str]:
    return [node.rm_node.name for node in nodes]


def _no_node_fits(state: FairClusterState, ask: FSPendingAsk) -> Verdict | None:
    size, nodes = ask.ask.size, _schedulable_nodes(state, ask)
    if any(fits(size, node.rm_node.total) for node in nodes):
        return None
    allowed = " that its template allows" if ask.ask.locality.classes is not None else ""
    message = f"none of {len(nodes)} schedulable nodes{allowed} has {state.types.text(size)}"
    return Verdict(Reason.NO_NODE_FITS, message)


def _excluded(state: FairClusterState, attempt: FSAppAttempt, ask: FSPendingAsk) -> Verdict | None:
    """All nodes with room for it are excluded; if no node has room, all that are large enough."""
    size, locality = ask.ask.size, ask.ask.locality
    if not locality.excluded:
        return None
    able = [node for node in _schedulable_nodes(state, ask) if fits(size, node.rm_node.total)]
    for nodes in ([node for node in able if fits(size, node.available)], able):
        excluded = [node for node in nodes if is_excluded(locality, node)]
        if nodes and len(excluded) == len(nodes):
            what = "with room" if nodes is not able else "that could hold it"
            message = (
                f"all nodes {what} are excluded: {listed(_names(excluded))}; {ask.count} of "
                f"{state.types.text(size)} wait"
            )
            return Verdict(Reason.NODES_EXCLUDED, message, _place(attempt))
    return None


def _constrained(
    state: FairClusterState, attempt: FSAppAttempt, ask: FSPendingAsk
) -> Verdict | None:
    """The placement constraint forbids all nodes that have room for it."""
    constraint, size = ask.ask.constraint, ask.ask.size
    if constraint is None:
        return None
    nodes = [node for node in _schedulable_nodes(state, ask) if fits(size, node.available)]
    if not nodes or any(allows_constraint(state, attempt, ask, node) for node in nodes):
        return None
    message = (
        f"none of {len(nodes)} nodes with room is allowed by {constraint.text!r}: "
        f"{listed(_names(nodes))}; {ask.count} of {state.types.text(size)} wait"
    )
    return Verdict(Reason.PLACEMENT_CONSTRAINT, message, _place(attempt))


def _nodes(state: FairClusterState, attempt: FSAppAttempt, ask: FSPendingAsk) -> Verdict | None:
    size, nodes = ask.ask.size, _schedulable_nodes(state, ask)
    if is_update(ask.ask.key):
        nodes = [node for node in nodes if node.rm_node.name in ask.nodes]
    if attempt.reservations:
        names = ", ".join(sorted(attempt.reservations))
        return Verdict(Reason.RESERVED, f"room is reserved and filling up on {names}")
    if not any(fits(size, node.available) for node in nodes):
        return _nodes_full(state, attempt, f"no node has {state.types.text(size)} free")
    with_room = [node for node in nodes if fits(size, node.available)]
    if not is_update(ask.ask.key) and all(node.free_slots <= 0 for node in with_room):
        full = f"no node has a free pod slot: {len(with_room)} with room hold all that they take"
        return _nodes_full(state, attempt, full)
    if ask.nodes or ask.racks:
        return Verdict(
            Reason.LOCALITY_DELAY,
            f"it waits for nodes {sorted(ask.nodes)} or racks {sorted(ask.racks)}, "
            f"{ask.allowed_locality.opportunities} opportunities passed by",
        )
    return None


def _nodes_full(state: FairClusterState, attempt: FSAppAttempt, full: str) -> Verdict:
    """The nodes are full; a queue below its fair share is next when something ends."""
    for queue in attempt.queue.path_up():
        if queue.parent is None:
            break
        policy = queue.parent.policy
        if is_usage_below_share(policy, state.cluster, queue.used, queue.fair_share):
            return Verdict(
                Reason.BELOW_IN_FAIR_SHARE,
                f"{full}; queue {queue.path} holds {_shared(state.types, policy, queue.used)}, "
                f"below its fair share of {_shared(state.types, policy, queue.fair_share)}, "
                "and is next when containers end",
                _place(attempt),
            )
    return Verdict(Reason.NODES_BUSY, full, _place(attempt))


def _shared(types: ResourceTypes, policy: FairPolicy, vector: Vector) -> str:
    """The amounts a policy shares out: all under drf, memory alone under fair."""
    if policy is FairPolicy.DRF:
        return types.text(vector)
    return types.amount(types.names[0], vector[0])


def _behind(state: FairClusterState, attempt: FSAppAttempt, ask: FSPendingAsk) -> Verdict:
    place = _place(attempt)
    return Verdict(
        Reason.BEHIND_IN_QUEUE,
        f"{ask.count} of {state.types.text(ask.ask.size)} wait for their turn, number "
        f"{place} in queue {attempt.queue.path}",
        place,
    )


def _place(attempt: FSAppAttempt) -> int:
    """Its place in its leaf's order, 1 is next; 0 when it is not in order."""
    for place, child in enumerate(attempt.queue.schedulables, start=1):
        if child is attempt:
            return place
    return 0

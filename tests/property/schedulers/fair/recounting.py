"""Every sum that accounts keeps, counted anew from the containers, asks and reservations."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from kubeyarn.model.resources import Vector, add, scale, subtract
from kubeyarn.schedulers.fair.cluster_state import FairClusterState
from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue


def total(state: FairClusterState, vectors: Iterable[Vector]) -> Vector:
    found = state.zero
    for vector in vectors:
        found = add(found, vector)
    return found


def check_accounts(state: FairClusterState, *, with_am_used: bool) -> None:
    """Fail where a sum is not what a recount says.

    *with_am_used* False leaves out the use of ApplicationMasters, which no recount can tell once
    an application was moved (see accounts).
    """
    for attempt in state.attempts.values():
        check_attempt(state, attempt)
    for queue in state.queues.values():
        members = [a for a in state.attempts.values() if queue in a.queue.path_up()]
        assert queue.used == total(state, (a.used for a in members)), queue.path
        if isinstance(queue, FSLeafQueue):
            assert queue.pending == total(state, (a.pending for a in members)), queue.path
            reserved = [r.size for a in members for r in a.reservations.values()]
            assert queue.reserved == total(state, reserved), queue.path
            if with_am_used:
                running = [a.am_resource for a in members if a.am_running and a.is_runnable]
                assert queue.am_used == total(state, running), queue.path
    check_nodes(state)
    check_cluster(state)


def check_attempt(state: FairClusterState, attempt: FSAppAttempt) -> None:
    containers = attempt.containers.values()
    assert attempt.used == total(state, (c.size for c in containers))
    asked = (scale(ask.ask.size, ask.count) for ask in attempt.asks.values())
    assert attempt.pending == total(state, asked)
    assert attempt.ask_keys == sorted(attempt.asks)
    chosen = (c.size for c in containers if c.id in attempt.containers_to_preempt)
    assert attempt.resources_to_preempt == total(state, chosen)
    assert attempt.containers_to_preempt.keys() <= attempt.containers.keys()


def check_nodes(state: FairClusterState) -> None:
    charged = [c for attempt in state.attempts.values() for c in attempt.containers.values()]
    for name, node in state.nodes.items():
        there = [container for container in charged if container.node == name]
        assert sorted(node.containers) == sorted(there)
        used = total(state, (container.size for container in there))
        assert node.available == subtract(node.rm_node.total, used), name
        assert node.free_slots == node.rm_node.pods - len(there), name
        promised = total(state, node.resources_preempted_for_app.values())
        assert node.total_resources_preempted == promised, name
        reserved = node.reserved_container
        if reserved is not None:
            assert reserved.attempt.reservations[name] is reserved
    reservations = sum(len(attempt.reservations) for attempt in state.attempts.values())
    assert reservations == sum(1 for n in state.nodes.values() if n.reserved_container is not None)


def check_cluster(state: FairClusterState) -> None:
    attempts = state.attempts.values()
    usable = [node for node in state.nodes.values() if node.rm_node.schedulable]
    held = (container.size for node in usable for container in node.containers)
    assert state.allocated == total(state, held)
    assert state.cluster == total(state, (node.rm_node.total for node in usable))
    assert state.available == subtract(state.cluster, state.allocated)
    sizes: Counter[Vector] = Counter()
    for attempt in attempts:
        for ask in attempt.asks.values():
            sizes[ask.ask.size] += ask.count
    assert state.pending_sizes == dict(sizes)

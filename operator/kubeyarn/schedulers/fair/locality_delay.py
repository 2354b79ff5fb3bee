"""How long an ask waits for the nodes and racks it names (delay scheduling).

An ask that names nodes passes over offers of other nodes until it missed so many: after
`yarn.scheduler.fair.locality.threshold.node` times the number of nodes it takes nodes in the same
rack, after `...threshold.rack` times as many more any node. A grant nearer than allowed brings
the wait back to that level. Hadoop: FSAppAttempt.getAllowedLocalityLevel, assignContainer.

Counted are opportunities: offers of a node with room at which the ask's turn came. So the wait is
kept with the ask's key and outlives the ask (`AllowedLocality`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.model.fair_queues import FairOffers
    from kubeyarn.model.nodes import Node
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.app_attempt import AllowedLocality, FSPendingAsk

NOT_SET, NODE_LOCAL, RACK_LOCAL, OFF_SWITCH = -1, 0, 1, 2


def locality_on(state: FairClusterState, ask: FSPendingAsk, node: Node) -> int | None:
    """How near *node* is to what was asked for; None while a nearer one is waited for.

    Counts the offer as an opportunity.
    """
    if not ask.nodes and not ask.racks:
        return OFF_SWITCH
    ask.allowed_locality.opportunities += 1
    allowed = allowed_level(ask.allowed_locality, state.config.offers, len(state.nodes))
    # Without a count for its rack a node is not served as wanted, even if it is named: Hadoop asks
    # for the rack's count first.
    in_rack = ask.racks.get(node.rack, 0) > 0
    if in_rack and ask.nodes.get(node.name, 0) > 0:
        return NODE_LOCAL
    if in_rack and not ask.ask.locality.relax and not names_rack(ask, node.rack):
        return None
    if in_rack and allowed >= RACK_LOCAL:
        return RACK_LOCAL
    if not ask.ask.locality.relax:
        return None
    return OFF_SWITCH if allowed == OFF_SWITCH else None


def allowed_level(allowed: AllowedLocality, offers: FairOffers, nodes: int) -> int:
    """The farthest level that is allowed, which goes one on after enough opportunities.

    *nodes* is the number of nodes in the cluster.
    """
    node, rack = offers.node_locality_threshold, offers.rack_locality_threshold
    if node < 0 or rack < 0:
        return OFF_SWITCH
    if allowed.level == NOT_SET:
        allowed.level = NODE_LOCAL
    elif allowed.level < OFF_SWITCH:
        threshold = min(node if allowed.level == NODE_LOCAL else rack, 1.0)
        # More than the threshold, not as many; and the threshold is a float.
        if allowed.opportunities > nodes * single(threshold):
            allowed.level += 1
            allowed.opportunities = 0
    return allowed.level


def is_on_wanted_place(ask: FSPendingAsk, node: Node) -> bool:
    """Whether an ask that does not relax its locality may be served on *node*."""
    if ask.ask.locality.relax:
        return True
    on_node = ask.nodes.get(node.name, 0) > 0
    in_rack = ask.racks.get(node.rack, 0) > 0
    return in_rack and (on_node or names_rack(ask, node.rack))


def names_rack(ask: FSPendingAsk, rack: str) -> bool:
    """Whether the rack was asked for by name, and not for one of its nodes."""
    return any(name == rack for name, _ in ask.ask.locality.racks)


def count_down(ask: FSPendingAsk, node: Node, level: int) -> None:
    """One container less is wanted, here and wherever it might have been instead."""
    ask.count -= 1
    if ask.nodes or ask.racks:
        ask.allowed_locality.level = min(ask.allowed_locality.level, level)
        if level == NODE_LOCAL:
            ask.nodes[node.name] -= 1
        if level <= RACK_LOCAL:
            ask.racks[node.rack] -= 1

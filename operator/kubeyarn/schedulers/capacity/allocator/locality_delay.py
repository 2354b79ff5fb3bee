"""How long an ask waits for the nodes and racks that it names.

Theory of operation (Hadoop: RegularContainerAllocator.canAssign and
FiCaSchedulerApp.getSchedulingOpportunities; `node-locality-delay`,
`rack-locality-additional-delay`). An ask counts the nodes it was offered since it last got one that
it names: its *scheduling opportunities*. It accepts less locality the more it has passed up:

* a node that it names, at once;
* a node in a rack that it names, after `node-locality-delay` opportunities, or as many as there are
  nodes, if these are fewer;
* any node, after `rack-locality-additional-delay` more; where that is not set (-1), after a number
  that grows with the containers still asked for and with the share of the cluster that is named.

An ask that names no place, and a reservation, wait for nothing. An ask that does not relax its
locality never goes further than the places it names, however long it waits.

A second count, *missed opportunities*, keeps nodes of a shared partition for the asks that name it:
an ask for no partition borrows such a node once it has been offered as many nodes as there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.objects.resource_limits import NodeType
from kubeyarn.schedulers.java_numbers import quotient, single

if TYPE_CHECKING:
    from kubeyarn.model.queues import OfferConfig
    from kubeyarn.schedulers.capacity.objects.app_attempt import PendingAsk
    from kubeyarn.schedulers.capacity.objects.resource_limits import CSAssignment
    from kubeyarn.schedulers.capacity.objects.resource_limits import SchedulingOpportunity as Chance


def may_be_rack_local(ask: PendingAsk, rules: OfferConfig, cluster_nodes: int) -> bool:
    """Whether a node in a rack that the ask names will do by now."""
    if not ask.relax and not ask.nodes:
        # It insists on racks alone, so none of its nodes is closer than this one.
        return True
    return ask.scheduling_opportunities > min(cluster_nodes, rules.node_locality_delay)


def may_be_off_switch(ask: PendingAsk, rules: OfferConfig, cluster_nodes: int) -> bool:
    """Whether any node will do by now."""
    if ask.unique_locations == 1:
        return True
    if rules.rack_additional_delay > -1:
        delay = rules.node_locality_delay + rules.rack_additional_delay
        return ask.scheduling_opportunities > min(cluster_nodes, delay)
    named = min(quotient(ask.unique_locations - 1, cluster_nodes), 1.0)
    return ask.scheduling_opportunities > min(cluster_nodes, single(ask.count * named))


def may_ignore_exclusivity(ask: PendingAsk, cluster_nodes: int) -> bool:
    """Whether the ask has left shared partitions to their own for long enough."""
    return ask.missed_opportunities >= cluster_nodes


def reset_opportunities(ask: PendingAsk, assignment: CSAssignment, opportunity: Chance) -> None:
    """Wait anew after an assignment that was as close as one could wish."""
    node_type = assignment.node_type
    if node_type is NodeType.NODE_LOCAL or (
        node_type is NodeType.RACK_LOCAL and opportunity.rules.rack_full_reset
    ):
        ask.scheduling_opportunities = 0
    if not opportunity.node.partition:
        ask.missed_opportunities = 0

"""A node's life as ApplicationMasters see it (Hadoop: RMNodeImpl, DecommissioningNodesWatcher).

A function of what is seen now and since when, so that a restart of the ResourceManager changes
nothing: Kubernetes keeps the times.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class NodeState(StrEnum):
    """Hadoop's NodeState, as far as Kubernetes nodes have it."""

    RUNNING = "RUNNING"
    UNHEALTHY = "UNHEALTHY"
    LOST = "LOST"
    DECOMMISSIONING = "DECOMMISSIONING"
    DECOMMISSIONED = "DECOMMISSIONED"


class NodeUpdateType(StrEnum):
    """What a change means for an ApplicationMaster (Hadoop: NodeUpdateType)."""

    USABLE = "NODE_USABLE"
    UNUSABLE = "NODE_UNUSABLE"
    DECOMMISSIONING = "NODE_DECOMMISSIONING"


UNUSABLE = frozenset({NodeState.UNHEALTHY, NodeState.LOST, NodeState.DECOMMISSIONED})


@dataclass(frozen=True, slots=True)
class NodeSigns:
    """What is seen of a node; times in ms since 1970, 0 for what is not so.

    *unready_since_ms*: the kubelet is not ready, which it says itself unless *silent*;
    *cordoned_since_ms*: no new pods are to go there; *timeout_s*: how long containers may stay
    then, for ever when negative; *busy*: containers of applications are on it.
    """

    deleted: bool = False
    silent: bool = False
    unready_since_ms: int = 0
    cordoned_since_ms: int = 0
    timeout_s: int = -1
    busy: bool = False


@dataclass(frozen=True, slots=True)
class NodeView:
    """A node's state; *over*: why containers on it have ended, empty while they may run.

    *remaining_s* is what is left until containers of a DECOMMISSIONING node are ended, -1 for ever.
    """

    state: NodeState
    over: str = ""
    remaining_s: int = -1

    @property
    def update_type(self) -> NodeUpdateType:
        """What an ApplicationMaster is told of a change to this state."""
        if self.state is NodeState.DECOMMISSIONING:
            return NodeUpdateType.DECOMMISSIONING
        return NodeUpdateType.UNUSABLE if self.state in UNUSABLE else NodeUpdateType.USABLE


@dataclass(frozen=True, slots=True)
class NodeUpdate:
    """What an ApplicationMaster is told of a node (Hadoop: NodeReport)."""

    name: str
    view: NodeView


def view(signs: NodeSigns, expiry_s: int, now_ms: int) -> NodeView:
    """What a node is now; one that is not ready counts as it did until *expiry_s* have passed.

    Source: Hadoop NMLivelinessMonitor, `yarn.nm.liveness-monitor.expiry-interval-ms`.
    """
    if signs.deleted:
        return NodeView(NodeState.LOST, "Container released on a *lost* node, which was deleted")
    unready_s = (now_ms - signs.unready_since_ms) // 1000 if signs.unready_since_ms else 0
    # Silence before illness: a node that nothing is heard of cannot tell that it is ill.
    if unready_s >= expiry_s and signs.silent and signs.unready_since_ms:
        why = f"Container released on a *lost* node, not heard of for {unready_s} s"
        return NodeView(NodeState.LOST, why)
    if unready_s >= expiry_s and signs.unready_since_ms:
        why = f"Container released on an *unhealthy* node, not ready for {unready_s} s"
        return NodeView(NodeState.UNHEALTHY, why)
    if signs.cordoned_since_ms:
        return _decommissioning(signs, now_ms)
    return NodeView(NodeState.RUNNING)


def _decommissioning(signs: NodeSigns, now_ms: int) -> NodeView:
    """Graceful decommission (Hadoop: yarn.resourcemanager.nodemanager-graceful-decommission...)."""
    passed_s = (now_ms - signs.cordoned_since_ms) // 1000
    if 0 <= signs.timeout_s <= passed_s:
        why = f"Container released on a *decommissioned* node, cordoned for {passed_s} s"
        return NodeView(NodeState.DECOMMISSIONED, why)
    if not signs.busy:
        return NodeView(NodeState.DECOMMISSIONED)
    remaining_s = signs.timeout_s - passed_s if signs.timeout_s >= 0 else -1
    return NodeView(NodeState.DECOMMISSIONING, remaining_s=remaining_s)

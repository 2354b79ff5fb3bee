"""Containers on nodes that are lost or decommissioned (cordoned and drained). Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.nodes.tracker import NodeTracker
from kubeyarn.resourcemanager.pods.pod_state import PodState

Pods = Mapping[ContainerId, PodState]


def as_seen(nodes: NodeTracker, pods: Pods) -> Pods:
    """The pods of an application; on a node that is gone they are over, whatever they last said."""
    if nodes.all_well:
        return pods
    return {container: _as_seen(nodes, pod) for container, pod in pods.items()}


def _as_seen(nodes: NodeTracker, pod: PodState) -> PodState:
    if pod.ending is not None or nodes.reachable(pod.node):
        return pod
    return replace(pod, ending=nodes.ending(pod.node))


def pods_to_remove(
    nodes: NodeTracker, pods: Pods, unrecorded: Collection[ContainerId]
) -> Iterator[tuple[PodState, ContainerExit | None]]:
    """The pods that are to leave their nodes now, each with how its container will have ended.

    On a drained node, whose kubelet ends a pod in order, the container ends with the pod. A lost
    node reports no exits, so the exit is recorded before the pod is removed: then it is None, and a
    pod whose container is among the *unrecorded* stays for now.
    """
    if nodes.all_well:
        return
    for pod in list(pods.values()):
        ending = nodes.ending(pod.node)
        if ending is None or pod.ending is not None:
            continue
        if nodes.reachable(pod.node):
            if not pod.deleting:
                yield pod, ending
        elif pod.container not in unrecorded:
            yield pod, None

"""What becomes of containers on nodes that are lost or drained. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from kubeyarn.cluster import names
from kubeyarn.lifecycle.progress import Ending
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.nodes.tracker import Nodes
from kubeyarn.resourcemanager.pods.pod_state import PodFacts
from kubeyarn.resourcemanager.requests.request_view import RequestView

Pods = Mapping[ContainerId, PodFacts]


@dataclass(frozen=True, slots=True)
class Leaving:
    """A pod to delete; *ending*: how its container will have ended, None when that is recorded."""

    pod: PodFacts
    ending: Ending | None


def as_seen(nodes: Nodes, pods: Pods) -> Pods:
    """The pods of an application; on a node that is gone they are over, whatever they last said."""
    if nodes.all_well:
        return pods
    return {container: _as_seen(nodes, pod) for container, pod in pods.items()}


def _as_seen(nodes: Nodes, pod: PodFacts) -> PodFacts:
    if pod.ending is not None or nodes.reachable(pod.node):
        return pod
    return replace(pod, ending=nodes.ending(pod.node))


def without_pod(nodes: Nodes, view: RequestView, container: ContainerId) -> Ending | None:
    """How a container has ended that was never launched on a node that is gone.

    What no ApplicationMaster was told of has not ended then: it is granted elsewhere.
    """
    told = view.role == names.ROLE_ASK
    return nodes.ending(view.grants.get(container, "")) if told else None


def leaving(nodes: Nodes, pods: Pods, unrecorded: Collection[ContainerId]) -> Iterator[Leaving]:
    """The pods that are to leave their nodes now.

    On a node that nobody hears of, nobody says that one has ended: its end is recorded first, and
    *unrecorded* are those of which it is not.
    """
    if nodes.all_well:
        return
    for pod in list(pods.values()):
        ending = nodes.ending(pod.node)
        if ending is None or pod.ending is not None:
            continue
        if nodes.reachable(pod.node):
            if not pod.deleting:
                yield Leaving(pod, ending)
        elif pod.container not in unrecorded:
            yield Leaving(pod, None)

"""What the scheduler reads of nodes and pods. Pure.

Pods are of two kinds. A container of ours counts by its grant, and its pod may request no more than
that. Any other pod takes what it requests of its node's room, and the scheduler counts with what is
left.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from kubeyarn.cluster import names
from kubeyarn.cluster.feasibility.node_classes import NodeClass
from kubeyarn.cluster.feasibility.node_requirements import (
    NodeRequirements,
    NodeTraits,
    read_pinned,
)
from kubeyarn.cluster.feasibility.taints import Taint
from kubeyarn.cluster.pod_requests import pod_requests
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd import quantities
from kubeyarn.crd.container_request import ExecutionType
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.nodes import UNLIMITED_PODS, Node
from kubeyarn.model.resources import ResourceTypes, Vector

TRY_AGAIN = "to be tried again: "
# Messages of kube-scheduler that say nothing against a node: the extender was not there, or could
# not reach the API server. A pod that waits for these keeps its grant.
_SAYS_NOTHING_OF_THE_NODE = ("/scheduler/filter", "/scheduler/bind", TRY_AGAIN)
_PODS = "pods"


class WhyUnusable(StrEnum):
    """Why a node takes no containers."""

    NOT_READY = "NotReady"
    CORDONED = "Cordoned"
    TAINTED = "Tainted"
    TAINTED_BY_CONDITION = "TaintedByCondition"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """A Kubernetes node: allocatable in base units, and why it takes no containers, if so.

    *taints* are those by which an administrator keeps it for who tolerates them.
    """

    name: str
    allocatable: Mapping[str, int]
    partition: str
    rack: str
    unusable: WhyUnusable | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()

    def why_unusable(self, *, has_partitions: bool, tolerated: bool) -> WhyUnusable | None:
        """Why it takes no containers, under a scheduler that *has_partitions* or has none.

        A tainted node is used where it is *tolerated* by somebody who asks, and where it is of a
        partition, whose users are expected to come.
        """
        closed = self.is_closed(has_partitions=has_partitions, tolerated=tolerated)
        if closed and self.unusable in (None, WhyUnusable.TAINTED_BY_CONDITION):
            return WhyUnusable.TAINTED
        return self.unusable

    def is_closed(self, *, has_partitions: bool, tolerated: bool) -> bool:
        """Whether an administrator's taint keeps everybody off."""
        expected = tolerated or (has_partitions and bool(self.partition))
        return bool(self.taints) and not expected

    def traits(self, *, has_partitions: bool) -> NodeTraits:
        """The node as pod templates see it."""
        partition = self.partition if has_partitions else ""
        # Where nobody can ask for a partition nobody is trusted with its taint.
        return NodeTraits(self.name, self.labels, self.taints, partition)


@dataclass(frozen=True, slots=True)
class ContainerOrigin:
    """A container as its pod tells of it: whose it is."""

    application: str
    user: str
    queue: str
    opportunistic: bool = False


@dataclass(frozen=True, slots=True)
class PodUse:
    """A pod: *container* is its id when it is one of ours; *requests* what the whole pod asks for.

    *origin* is what a bound container's pod says of where it comes from, *owner* the uid of the
    YarnApplication that it belongs to. *unreadable* says which of a container's requests cannot be
    read. *running*: its kubelet has let it in. *ending*: it is being deleted. *required* is what
    a refused one requires of its node, the pin on it aside.
    """

    namespace: str
    name: str
    uid: str
    node: str
    container: ContainerId | None
    requests: Mapping[str, int]
    over: bool
    refused: str
    created: str
    origin: ContainerOrigin | None = None
    owner: str = ""
    unreadable: str = ""
    ending: bool = False
    required: NodeRequirements | None = None
    running: bool = False


def node_facts(node: Object) -> NodeFacts:
    """The facts of a node. One that Kubernetes has tainted for a condition takes nothing."""
    meta, spec, status = node["metadata"], node.get("spec") or {}, node.get("status") or {}
    labels = meta.get("labels") or {}
    partition = labels.get(names.PARTITION, "")
    taints = [
        Taint(str(t.get("key") or ""), str(t.get("value") or ""), str(t.get("effect") or ""))
        for t in spec.get("taints") or ()
    ]
    # Sorted, each once: nodes are classed by their taints, whose order says nothing.
    blocking = sorted({taint for taint in taints if taint.blocks})
    ready = any(
        c.get("type") == "Ready" and c.get("status") == "True"
        for c in status.get("conditions") or ()
    )
    unusable = None
    if not ready:
        unusable = WhyUnusable.NOT_READY
    elif spec.get("unschedulable"):
        unusable = WhyUnusable.CORDONED
    elif any(taint.is_of_a_condition for taint in blocking):
        unusable = WhyUnusable.TAINTED_BY_CONDITION
    return NodeFacts(
        name=meta["name"],
        allocatable=_amounts(status.get("allocatable") or {}),
        partition=partition,
        rack=labels.get(names.RACK) or "/default-rack",
        unusable=unusable,
        labels=labels,
        taints=tuple(taint for taint in blocking if not taint.is_of_a_condition),
    )


def pod_use(pod: Object) -> PodUse:
    """The facts of a pod, ours or foreign."""
    meta, spec, status = pod["metadata"], pod.get("spec") or {}, pod.get("status") or {}
    text = (meta.get("annotations") or {}).get(names.CONTAINER_ID)
    container = None
    # Another scheduler's pod has no grant, whatever its annotations say, and counts as foreign.
    if text and spec.get("schedulerName") == names.SCHEDULER_NAME:
        try:
            container = ContainerId.parse(text)
        except SpecError:
            container = None
    unreadable = ""
    try:
        requests = pod_requests(pod, skip_unreadable=container is None)
    except SpecError as error:
        # A foreign pod that cannot be read is told of and takes nothing; ours counts with what can
        # be read of it, and never binds.
        if container is None:
            raise
        requests, unreadable = pod_requests(pod, skip_unreadable=True), str(error)
    refused = _refused(status)
    return PodUse(
        namespace=meta["namespace"],
        name=meta["name"],
        uid=meta["uid"],
        node=spec.get("nodeName") or "",
        container=container,
        requests=requests,
        over=status.get("phase") in ("Succeeded", "Failed"),
        refused=refused,
        required=read_pinned(spec) if refused and container is not None else None,
        created=meta.get("creationTimestamp") or "",
        origin=_origin(pod) if container is not None and spec.get("nodeName") else None,
        owner=_owner(meta) if container is not None else "",
        unreadable=unreadable,
        ending=bool(meta.get("deletionTimestamp")),
        running=status.get("phase") == "Running",
    )


def _owner(meta: Object) -> str:
    """The uid of the YarnApplication that a pod belongs to; "" without one."""
    # The controller alone: anybody may add an owner to a pod of their own.
    for owner in meta.get("ownerReferences") or ():
        if owner.get("kind") == APPLICATIONS.kind and owner.get("controller"):
            return str(owner.get("uid") or "")
    return ""


def _origin(pod: Object) -> ContainerOrigin:
    annotations = pod["metadata"].get("annotations") or {}
    labels = pod["metadata"].get("labels") or {}
    return ContainerOrigin(
        application=annotations.get(names.APPLICATION) or "",
        user=annotations.get(names.USER) or "",
        queue=annotations.get(names.QUEUE) or "",
        opportunistic=labels.get(names.EXECUTION_TYPE) == ExecutionType.OPPORTUNISTIC,
    )


def taken_by(pods: Iterable[PodUse], facts: NodeFacts) -> dict[str, int]:
    """What pods that are no containers take of a node, each one of its pod slots.

    One that requests more than the whole node, and does not run, takes nothing: whoever names the
    node in it is refused by the kubelet, and would empty the cluster until then.
    """
    taken: dict[str, int] = {}
    for pod in pods:
        larger = any(pod.requests.get(n, 0) > most for n, most in facts.allocatable.items())
        # What was a container of ours was let onto its node by kube-scheduler.
        if larger and not pod.running and pod.container is None:
            continue
        for resource, amount in (*pod.requests.items(), (_PODS, 1)):
            taken[resource] = taken.get(resource, 0) + amount
    return taken


def scheduler_node(
    facts: NodeFacts,
    foreign: Mapping[str, int],
    types: ResourceTypes,
    *,
    has_partitions: bool = True,
    node_class: NodeClass | None = None,
) -> Node:
    """The node as the scheduler counts it: what foreign pods leave of it, pod slots included.

    Its capability does not count them: they may go, while one that asks too much is refused for
    good. A node that is closed by a taint will hold no container, however large it is.
    """
    tolerated = node_class is not None and node_class.tolerated > 0
    unusable = facts.why_unusable(has_partitions=has_partitions, tolerated=tolerated)
    closed = facts.is_closed(has_partitions=has_partitions, tolerated=tolerated)
    allocatable = tuple(facts.allocatable.get(name, 0) for name in types.names)
    total: Vector = tuple(
        max(0, facts.allocatable.get(name, 0) - foreign.get(name, 0)) for name in types.names
    )
    return Node(
        name=facts.name,
        total=total,
        partition=facts.partition,
        rack=facts.rack,
        pods=max(0, facts.allocatable.get(_PODS, UNLIMITED_PODS) - foreign.get(_PODS, 0)),
        schedulable=unusable is None,
        capability=types.zero() if closed else allocatable,
        node_class=node_class.number if node_class is not None else 0,
        dedicated=bool(facts.taints),
    )


def _refused(status: Object) -> str:
    """Why kube-scheduler did not bind a pod; "" when that says nothing of the pod or its node."""
    for condition in status.get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            message = str(condition.get("message"))
            passes = any(part in message for part in _SAYS_NOTHING_OF_THE_NODE)
            return "" if passes else f"{condition.get('reason')}: {message}"
    return ""


def _amounts(quantities_: Mapping[str, Any]) -> dict[str, int]:
    """Quantities in base units, of a pod or a node; those that we cannot represent are left out."""
    amounts: dict[str, int] = {}
    for name, value in quantities_.items():
        try:
            amounts[name] = quantities.amount(name, value, name)
        except SpecError:
            # The API server has validated them; what is left out is too large or too fine for us.
            continue
    return amounts


def extended_resources(resources: Iterable[str]) -> set[str]:
    """The extended resources among *resources*: those of a vendor, whose names have a domain."""
    return {name for name in resources if "/" in name}

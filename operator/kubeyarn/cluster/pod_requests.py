"""What a pod requests of its node (Kubernetes: k8s.io/component-helpers PodRequests). Pure.

The one rule by which a pod is counted: foreign pods take so much of their node's room, and a
container's pod may not be larger than its grant.

Containers run together, so they add up. Init containers run one after the other before them, so of
these the largest counts; one with restartPolicy Always (a native sidecar) goes on running, beside
the containers and beside the init containers after it. Requests of the pod as a whole count instead
of its containers', and the overhead of its runtime class comes on top. Where a container has a
limit and no request, the limit is its request, as the API server writes it.
"""

from __future__ import annotations

from collections.abc import Mapping

from kubeyarn.crd import field_reader, quantities
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError

Amounts = dict[str, int]

# The resources that a pod may have as a whole (Kubernetes: SupportedPodLevelResources).
_OF_THE_POD = ("cpu", "memory", "hugepages-")


def pod_requests(pod: Object, *, skip_unreadable: bool = False) -> Amounts:
    """What *pod* requests by each resource name, in base units.

    A container that is being resized counts with the most of what it asks for, was allotted and
    has (Kubernetes: PodResourcesOptions.UseStatusResources).

    Raises:
        SpecError: a quantity or the form is wrong; the message names the field. With
            *skip_unreadable* a wrong quantity counts as nothing.
    """
    return _PodReader(pod, skip_unreadable=skip_unreadable).total()


def container_requests(container: Object, field: str, *, skip_unreadable: bool = False) -> Amounts:
    """What one container requests; limits stand for requests where those are absent.

    Raises:
        SpecError: as `pod_requests`; the message begins with *field*.
    """
    resources = field_reader.mapping(container.get("resources") or {}, f"{field}.resources")
    requests: Amounts = {}
    # Limits first, so that requests win where both are set.
    for kind in ("limits", "requests"):
        requests |= amounts_at(
            resources, kind, f"{field}.resources", skip_unreadable=skip_unreadable
        )
    return requests


def amounts_at(
    parent: Mapping[str, object], name: str, field: str, *, skip_unreadable: bool = False
) -> Amounts:
    """The map of quantities that *parent*, found at *field*, has by *name*; empty if it has none.

    Raises:
        SpecError: as `pod_requests`.
    """
    amounts: Amounts = {}
    for resource, value in field_reader.mapping(parent.get(name) or {}, f"{field}.{name}").items():
        try:
            amounts[resource] = _amount(resource, value, f"{field}.{name}.{resource}")
        except SpecError:
            if not skip_unreadable:
                raise
    return amounts


def is_sidecar(init: Object) -> bool:
    """Whether an init container goes on running beside the containers."""
    return init.get("restartPolicy") == "Always"


def plus(a: Mapping[str, int], b: Mapping[str, int]) -> Amounts:
    """Both together, by resource name."""
    return {name: a.get(name, 0) + b.get(name, 0) for name in {**a, **b}}


def most(a: Mapping[str, int], b: Mapping[str, int]) -> Amounts:
    """The larger of the two, by resource name."""
    return {name: max(a.get(name, 0), b.get(name, 0)) for name in {**a, **b}}


class _PodReader:
    """Reads one pod."""

    def __init__(self, pod: Object, *, skip_unreadable: bool) -> None:
        self._spec: Object = pod.get("spec") or {}
        self._status: Object = pod.get("status") or {}
        self._skip_unreadable = skip_unreadable
        # A resize that its node can never do is no part of what the pod takes.
        self._infeasible = any(
            c.get("type") == "PodResizePending" and c.get("reason") == "Infeasible"
            for c in self._status.get("conditions") or ()
        )

    def total(self) -> Amounts:
        """What the pod requests."""
        total = self._of_containers()
        total |= self._of_the_whole(total)
        return plus(total, self._amounts(self._spec, "overhead", "spec"))

    def _of_containers(self) -> Amounts:
        """Kubernetes: AggregateContainerRequests."""
        running: Amounts = {}
        for place, container in self._each("containers"):
            running = plus(running, self._container(container, place, "containerStatuses"))
        sidecars: Amounts = {}
        starting: Amounts = {}
        for place, init in self._each("initContainers"):
            wanted = self._container(init, place, "initContainerStatuses")
            # Init containers run one after the other, each beside the sidecars that began before
            # it.
            starting = most(starting, plus(sidecars, wanted))
            if is_sidecar(init):
                sidecars = plus(sidecars, wanted)
        return most(plus(running, sidecars), starting)

    def _of_the_whole(self, of_containers: Mapping[str, int]) -> Amounts:
        """What is requested of the pod as a whole, with the API server's defaults for it."""
        whole = self._spec.get("resources")
        if not whole:
            return {}
        requests = self._of_pod_level(whole, "requests", "spec.resources")
        for name, limit in self._of_pod_level(whole, "limits", "spec.resources").items():
            # A limit alone is the request, unless requests of the containers tell; huge pages
            # cannot be promised twice, so for them it always is.
            told = None if name.startswith("hugepages-") else of_containers.get(name)
            requests.setdefault(name, limit if told is None else told)
        allotted = {"requests": self._status.get("allocatedResources")}
        for seen in (self._status.get("resources") or {}, allotted):
            requests = most(requests, self._of_pod_level(seen, "requests", "status.resources"))
        return requests

    def _of_pod_level(self, resources: object, kind: str, field: str) -> Amounts:
        given = self._amounts(field_reader.mapping(resources, field), kind, field)
        return {name: amount for name, amount in given.items() if name.startswith(_OF_THE_POD)}

    def _container(self, container: Object, place: str, statuses: str) -> Amounts:
        asked = container_requests(container, place, skip_unreadable=self._skip_unreadable)
        for status in self._status.get(statuses) or ():
            if status.get("name") == container.get("name") and status.get("resources"):
                has = self._amounts(status["resources"], "requests", f"status.{statuses}.resources")
                allotted = self._amounts(status, "allocatedResources", f"status.{statuses}")
                seen = most(has, allotted)
                # While a resize is under way the kubelet may still hold the old size or already the
                # new one.
                return seen if self._infeasible else most(asked, seen)
        return asked

    def _each(self, kind: str) -> list[tuple[str, Object]]:
        entries = field_reader.objects(self._spec.get(kind) or [], f"spec.{kind}")
        return [(f"spec.{kind}[{n}]", dict(container)) for n, container in enumerate(entries)]

    def _amounts(self, parent: Mapping[str, object], name: str, field: str) -> Amounts:
        return amounts_at(parent, name, field, skip_unreadable=self._skip_unreadable)


def _amount(resource: str, value: object, field: str) -> int:
    """An amount in base units; storage and huge pages are bytes, rounded up like memory."""
    if "/" in resource or resource == "cpu":
        return quantities.amount(resource, value, field)
    return quantities.memory(value, field)

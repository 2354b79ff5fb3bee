"""A launch's pod template against the size that was granted: the pod as a whole is that size. Pure.

The queue is charged for the granted size, so nothing in a template may add to it. What runs beside
the container itself (further containers, init containers that go on running, the overhead of a
runtime class) takes its requests out of the grant, and the container has what is left. Init
containers run before it and may use what it does not use yet.

Requests bound what a node promises, limits what is used. Memory cannot be taken back, so each
container of the pod has a memory limit: its own, or, for a sidecar that may use more than it
requests, that of the pod as a whole, which is the grant.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping

from kubeyarn.cluster.pod_requests import (
    Amounts,
    amounts_at,
    container_requests,
    is_sidecar,
    plus,
    pod_requests,
)
from kubeyarn.crd import field_reader, quantities
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError

_AT = "template.spec"
# They go around the grant: past the scheduler, past its node, or past what is counted.
_REFUSED = {
    "nodeName": "the scheduler chooses the node; allowed: locality",
    "schedulerName": "pods of containers are bound by KubeYARN's own scheduler",
    "schedulingGates": "a pod that waits at a gate would hold its grant",
    "resourceClaims": "queues do not count claimed devices; allowed: extended resources, which "
    "are asked for in resources",
}
_CRITICAL = ("system-node-critical", "system-cluster-critical")
# A container needs some of these; of other resources its sidecars may have all.
_NEEDED = ("cpu", "memory")


def fit(given: Mapping[str, object], granted: Mapping[str, int]) -> Object:
    """The spec of a template, its containers sized so that the pod requests what was granted.

    Raises:
        SpecError: it cannot fit, or says what no template may say; the message names the field.
    """
    _refuse_fields(given)
    spec: Object = copy.deepcopy(dict(given))
    room = room_of(spec, granted)
    containers = _objects(spec, "containers") or [{"name": "main"}]
    inits = _objects(spec, "initContainers")
    beside: Amounts = {}
    bounded = True
    for number, container in enumerate(containers[1:], start=1):
        place = f"{_AT}.containers[{number}]"
        beside = plus(beside, _wanted(container, place, beside, room, beside_main=True))
        bounded = bounded and _is_bounded(container, place, room)
    before: Amounts = {}
    for number, init in enumerate(inits):
        place = f"{_AT}.initContainers[{number}]"
        if is_sidecar(init):
            wanted = _wanted(init, place, beside, room, beside_main=True)
            beside, before = plus(beside, wanted), plus(before, wanted)
            bounded = bounded and _is_bounded(init, place, room)
        else:
            _bound_memory(init, place, room.get("memory", 0) - before.get("memory", 0))
            _is_bounded(init, place, room)
            _wanted(init, place, before, room, beside_main=False)
    # The main container has what is left: it is what the user asked for, and sidecars are extra.
    share = {name: amount - beside.get(name, 0) for name, amount in room.items()}
    containers[0]["resources"] = _resources_of_main(containers[0], share)
    spec["containers"] = containers
    if inits:
        spec["initContainers"] = inits
    _fit_whole(spec, room, bounded=bounded)
    # Counted once more as Kubernetes counts it: what was fitted piece by piece must add up whole.
    for name, amount in pod_requests({"spec": spec}).items():
        if amount > granted.get(name, 0):
            raise SpecError(f"template: {surplus(name, amount, granted)}")
    return spec


def room_of(spec: Mapping[str, object], granted: Mapping[str, int]) -> Amounts:
    """What was granted, less the overhead that the template says its runtime class has.

    Raises:
        SpecError: the overhead leaves nothing.
    """
    room = dict(granted)
    for name, amount in amounts_at(spec, "overhead", _AT).items():
        room[name] = room.get(name, 0) - amount
        if room[name] < 0 or (name in _NEEDED and room[name] == 0):
            raise SpecError(f"{_AT}.overhead.{name}: {surplus(name, amount, granted)}")
    return room


def resources(given: Object, size: Mapping[str, int]) -> Object:
    """Requests are what was granted; memory and extended resources are limits too.

    CPU has no limit unless the template gives one: YARN, too, lets idle cores be used.
    """
    granted = {name: quantities.show(name, amount) for name, amount in size.items() if amount}
    limits = {name: amount for name, amount in granted.items() if name != "cpu"}

    def kept(kind: str, but: Mapping[str, int]) -> Object:
        return {n: value for n, value in (given.get(kind) or {}).items() if n not in but}

    but_cpu = {name: amount for name, amount in size.items() if name != "cpu"}
    return {
        **given,
        "requests": {**kept("requests", size), **granted},
        "limits": {**kept("limits", but_cpu), **limits},
    }


def requests_beside_main(spec: Mapping[str, object]) -> Amounts:
    """What a pod requests beside its first container, all the time; no surprise if unreadable."""
    try:
        beside = amounts_at(spec, "overhead", "spec", skip_unreadable=True)
        others = _objects(spec, "containers")[1:]
        others += [init for init in _objects(spec, "initContainers") if is_sidecar(init)]
        for container in others:
            beside = plus(beside, container_requests(container, "spec", skip_unreadable=True))
    except SpecError:
        return {}
    return beside


def surplus(name: str, amount: int, granted: Mapping[str, int]) -> str:
    """That *amount* is more than was granted of a resource."""
    shown = quantities.show(name, granted.get(name, 0))
    return (
        f"found {name} {quantities.show(name, amount)}, granted: {shown} for the pod as a whole; "
        f"ask for more in resources, or use less in the template"
    )


def _refuse_fields(spec: Mapping[str, object]) -> None:
    for name, why in _REFUSED.items():
        if spec.get(name):
            value = str(spec[name])[:100]
            raise SpecError(f"{_AT}.{name}: found {value!r}, allowed: not set; {why}")
    priority_class = spec.get("priorityClassName")
    if priority_class in _CRITICAL:
        raise SpecError(
            f"{_AT}.priorityClassName: found {priority_class}, allowed: classes of your own; "
            "the kubelet would evict others' pods for it"
        )


def _objects(spec: Mapping[str, object], kind: str) -> list[Object]:
    return [dict(one) for one in field_reader.objects(spec.get(kind) or [], f"{_AT}.{kind}")]


def _wanted(
    container: Object,
    place: str,
    others: Mapping[str, int],
    room: Mapping[str, int],
    *,
    beside_main: bool,
) -> Amounts:
    """What a container requests, which with *others* must leave the main container something."""
    wanted = container_requests(container, place)
    for name, amount in wanted.items():
        left = room.get(name, 0) - others.get(name, 0) - amount
        if left < 0 or (left == 0 and beside_main and amount and name in _NEEDED):
            raise SpecError(f"{_field(container, place, name)}: {_no_room(name, amount, room)}")
    return wanted


def _no_room(name: str, amount: int, room: Mapping[str, int]) -> str:
    return (
        f"found {quantities.show(name, amount)}, which does not fit beside the rest of the pod "
        f"into the granted {quantities.show(name, room.get(name, 0))}; ask for more in resources, "
        "or use less in the template"
    )


def _field(container: Object, place: str, name: str) -> str:
    asked = (container.get("resources") or {}).get("requests") or {}
    return f"{place}.resources.{'requests' if name in asked else 'limits'}.{name}"


def _is_bounded(container: Object, place: str, room: Mapping[str, int]) -> bool:
    """Whether a container can use no more memory than it requests."""
    field = f"{place}.resources"
    given = container.get("resources") or {}
    limit = amounts_at(given, "limits", field).get("memory")
    # Without a limit it may use all memory of the node, and then the kernel or the kubelet ends
    # somebody else's container.
    if limit is None:
        return False
    if limit > room.get("memory", 0):
        raise SpecError(f"{field}.limits.memory: {_no_room('memory', limit, room)}")
    return limit <= amounts_at(given, "requests", field).get("memory", limit)


def _bound_memory(init: Object, place: str, left: int) -> None:
    """An init container without a memory limit may use what was granted, and no more."""
    field = f"{place}.resources"
    given = dict(field_reader.mapping(init.get("resources") or {}, field))
    limits = dict(field_reader.mapping(given.get("limits") or {}, f"{field}.limits"))
    if left > 0 and "memory" not in limits:
        limits["memory"] = quantities.show("memory", left)
        init["resources"] = {**given, "limits": limits}


def _resources_of_main(main: Object, share: Mapping[str, int]) -> Object:
    place = f"{_AT}.containers[0]"
    for name, amount in container_requests(main, place).items():
        if amount and share.get(name, 0) <= 0:
            raise SpecError(f"{_field(main, place, name)}: {_no_room(name, amount, share)}")
    return resources(main.get("resources") or {}, share)


def _fit_whole(spec: Object, room: Mapping[str, int], *, bounded: bool) -> None:
    """Resources of the pod as a whole: those of the template, or a bound for its sidecars."""
    field = f"{_AT}.resources"
    given = field_reader.mapping(spec.get("resources") or {}, field)
    if not given and (bounded or not room.get("memory")):
        return
    for kind, names in (("requests", None), ("limits", ("memory",))):
        for name, amount in amounts_at(given, kind, field).items():
            if amount > room.get(name, 0) and (names is None or name in names):
                raise SpecError(f"{field}.{kind}.{name}: {_no_room(name, amount, room)}")
    whole = {name: quantities.show(name, room[name]) for name in _NEEDED if room.get(name)}
    memory = {name: amount for name, amount in whole.items() if name == "memory"}
    spec["resources"] = {
        **given,
        "requests": {**(given.get("requests") or {}), **whole},
        "limits": {**(given.get("limits") or {}), **memory},
    }

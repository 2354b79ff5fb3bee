"""Pods of granted containers: a pure builder.

The user's template is kept as it is; what YARN decides (node, size, identity, environment) is laid
over it, and the short form's fields lie between.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from kubeyarn.cluster import names, pod_template
from kubeyarn.cluster.resources import APPLICATIONS
from kubeyarn.crd.container_request import ExecutionType
from kubeyarn.crd.launch import LaunchSpec
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.pods import (
    directories,
    environment,
    files,
    isolation,
    launch_script,
    template_shape,
)
from kubeyarn.resourcemanager.pods.environment import AMContext
from kubeyarn.resourcemanager.pods.isolation import Executors

# Hadoop's NodeManager waits a quarter of a second between the signals
# (yarn.nodemanager.sleep-delay-before-sigkill.ms), Kubernetes half a minute; a template may say.
STOP_SECONDS = 5


@dataclass(frozen=True, slots=True)
class ContainerLaunchContext:
    """How a container is launched, over an optional pod template (Hadoop: the same name)."""

    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[Mapping[str, Any], ...] = ()
    template: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[Mapping[str, Any], ...] = ()
    executor: str = ""

    @classmethod
    def of(cls, launch: LaunchSpec) -> ContainerLaunchContext:
        """The launch that `applicationMaster` or `container` describes."""
        return cls(
            image=launch.image or "",
            command=launch.command,
            args=launch.args,
            env=tuple({"name": each.name, "value": each.value} for each in launch.env),
            template=launch.template or {},
            files=tuple(msgspec.to_builtins(file) for file in launch.files),
            executor=launch.executor or "",
        )


@dataclass(frozen=True, slots=True)
class ContainerPlacement:
    """A granted container: which one, the node of its grant, and its size, in base units."""

    container: ContainerId
    node: str
    size: ResourceList
    request: str
    role: str
    opportunistic: bool = False


@dataclass(frozen=True, slots=True)
class PodOwner:
    """The application a pod is made for; *max_attempts* is how often its AM may be started."""

    name: str
    namespace: str
    uid: str
    user: str
    queue: str
    submitted_ms: int = 0
    max_attempts: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterDefaults:
    """What a cluster gives to every container, and what its administrator allows.

    *am_service* is the address that ApplicationMasters call; *localizer_image* has `kubeyarn`.
    *most_stop_s* is the longest time that a container may take to stop, in seconds;
    *most_attempts* is how often an ApplicationMaster may be started.
    """

    am_service: str = ""
    localizer_image: str = ""
    executors: Executors = field(default_factory=Executors)
    most_stop_s: int
    most_attempts: int


def make_pod(
    owner: PodOwner,
    placement: ContainerPlacement,
    context: ContainerLaunchContext,
    defaults: ClusterDefaults,
) -> Object:
    """The pod of a granted container; the same arguments make the same pod.

    Raises:
        SpecError: the template is no PodTemplateSpec, or the launch asks for what the cluster does
            not give.
    """
    template_shape.check(context.template)
    # The template is the cached object's; what is laid over it must not show there.
    template = copy.deepcopy(dict(context.template))
    given = template.get("spec") or {}
    spec = pod_template.fit(given, placement.size)
    main, *sidecars = spec["containers"]
    spec["containers"] = [_main(main, owner, placement, context, defaults), *sidecars]
    annotations = (template.get("metadata") or {}).get("annotations") or {}
    isolation.isolate(spec, context.executor, owner.user, defaults.executors, annotations)
    room = pod_template.room_of(given, placement.size)
    localizer = files.localizer(context.files, defaults.localizer_image, room)
    if localizer is not None:
        spec["initContainers"] = [localizer, *(spec.get("initContainers") or [])]
    # YARN never starts a container again: its AM decides what to do about it.
    spec["restartPolicy"] = "Never"
    spec["terminationGracePeriodSeconds"] = _stop_seconds(spec, defaults.most_stop_s)
    # Whatever the template says: another scheduler would ask no extender and bind past the queue.
    spec["schedulerName"] = names.SCHEDULER_NAME
    spec["affinity"] = _pinned(spec.get("affinity") or {}, placement.node)
    volumes = [*(spec.get("volumes") or []), *files.volumes(context.files)]
    spec["volumes"] = [*volumes, *directories.volumes(placement.role)]
    # A container needs no rights in the cluster unless its template names an account for them.
    if "serviceAccountName" not in spec:
        spec.setdefault("automountServiceAccountToken", False)
    metadata = _metadata(template.get("metadata") or {}, owner, placement)
    _keep_script(metadata, spec, placement.container)
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


def _stop_seconds(spec: Object, most: int) -> Any:
    """How long a container may take to stop: as its template says, at most as the cluster allows.

    What is no number is left for the API server to refuse.
    """
    wanted = spec.get("terminationGracePeriodSeconds")
    if wanted is None:
        return min(STOP_SECONDS, most)
    return min(wanted, most) if isinstance(wanted, int) else wanted


def _keep_script(metadata: Object, spec: Object, container: ContainerId) -> None:
    main = spec["containers"][0]
    text = launch_script.script(
        main["env"], main["workingDir"], main.get("command") or (), main.get("args") or ()
    )
    if text:
        metadata["annotations"][launch_script.ANNOTATION] = text
        spec["volumes"].append(launch_script.volume())
        main["volumeMounts"].append(launch_script.mount(container))


def _metadata(given: Object, owner: PodOwner, placement: ContainerPlacement) -> Object:
    container = placement.container
    labels = {
        "app.kubernetes.io/managed-by": "kubeyarn",
        "app.kubernetes.io/part-of": owner.name[: names.LONGEST_LABEL].rstrip("-."),
        "app.kubernetes.io/component": _component(placement.role),
        names.APPLICATION: owner.name[: names.LONGEST_LABEL].rstrip("-."),
        names.ATTEMPT: str(container.attempt.number),
        names.ROLE: placement.role,
        names.EXECUTION_TYPE: ExecutionType.of(placement.opportunistic),
    }
    # A label cannot be longer; a cut one would select another queue's pods. The annotation has it
    # all.
    if len(owner.queue) <= names.LONGEST_LABEL:
        labels[names.QUEUE] = owner.queue
    annotations = {
        names.APPLICATION: owner.name,
        names.APPLICATION_ID: str(container.attempt.application),
        names.CONTAINER_ID: str(container),
        names.QUEUE: owner.queue,
        names.USER: owner.user,
        names.REQUEST: placement.request,
    }
    return {
        "name": names.pod_name(owner.name, container),
        "namespace": owner.namespace,
        "labels": {**_users_own(given.get("labels") or {}), **labels},
        "annotations": {**_users_own(given.get("annotations") or {}), **annotations},
        "ownerReferences": [APPLICATIONS.owner_reference(owner.name, owner.uid)],
    }


def _users_own(given: Object) -> Object:
    """The labels or annotations of a template without those that say what a container is."""
    return {key: value for key, value in given.items() if not names.is_reserved(key)}


def owner_of(
    application: YarnApplication, record: ApplicationRecord, max_attempts: int
) -> PodOwner:
    """The application as its pods name it."""
    meta = application.metadata
    return PodOwner(
        meta.name,
        meta.namespace,
        meta.uid,
        record.user,
        record.queue,
        submitted_ms=record.start_ms,
        max_attempts=max_attempts,
    )


def _component(role: str) -> str:
    return "applicationmaster" if role == names.ROLE_AM else "container"


def _main(
    given: Object,
    owner: PodOwner,
    placement: ContainerPlacement,
    context: ContainerLaunchContext,
    defaults: ClusterDefaults,
) -> Object:
    main = {"name": "main", **given}
    if context.image:
        main["image"] = context.image
    if context.command:
        main["command"] = list(context.command)
    if context.args:
        main["args"] = list(context.args)
    main.setdefault("workingDir", directories.container_directory(placement.container))
    main["env"] = environment.variables(
        placement.container,
        owner.user,
        main["workingDir"],
        _start(owner, placement.role, defaults),
        [*(main.get("env") or []), *context.env],
    )
    given_mounts = main.get("volumeMounts") or []
    mounts = [*given_mounts, *directories.mounts(placement.container, placement.role)]
    main["volumeMounts"] = [*mounts, *files.mounts(context.files, main["workingDir"])]
    return main


def _start(owner: PodOwner, role: str, defaults: ClusterDefaults) -> AMContext | None:
    """What only an ApplicationMaster's environment has."""
    if role != names.ROLE_AM:
        return None
    return AMContext(owner.submitted_ms, owner.max_attempts, defaults.am_service)


def _pinned(affinity: Object, node: str) -> Object:
    """*affinity* narrowed to one node: required terms are alternatives, so each gets the pin.

    An empty term matches no node, and none is what it matches still.
    """
    # By the Node object's name and not by a label, which a node can change on itself.
    pin = {"key": "metadata.name", "operator": "In", "values": [node]}
    key = "requiredDuringSchedulingIgnoredDuringExecution"
    node_affinity = dict(affinity.get("nodeAffinity") or {})
    required = node_affinity.get(key)
    terms: Sequence[Object] = [{"matchFields": [pin]}]
    if required is not None:
        terms = [_pinned_term(term, pin) for term in required.get("nodeSelectorTerms") or ()]
    node_affinity[key] = {"nodeSelectorTerms": terms}
    return {**affinity, "nodeAffinity": node_affinity}


def _pinned_term(term: Object, pin: Object) -> Object:
    # With a pin an empty term would match the node, though its author's matches none.
    fields = term.get("matchFields") or []
    return {**term, "matchFields": [*fields, pin]} if fields or term.get("matchExpressions") else {}

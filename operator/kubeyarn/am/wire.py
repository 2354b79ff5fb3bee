"""What goes over the wire between an ApplicationMaster and the AM service, as values.

Reading and writing JSON shapes lives here and nowhere else; no I/O, no clock. Names on the wire
are camelCase, names in Python are not. Quantities stay Kubernetes quantities, as text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from kubeyarn.am.errors import InvalidAskError, ProtocolError

Json = Mapping[str, object]

SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
KILLED = "KILLED"
ENDED = "ENDED"
FINAL_STATUSES = (SUCCEEDED, FAILED, KILLED, ENDED)

PROMOTE = "PROMOTE_EXECUTION_TYPE"
DEMOTE = "DEMOTE_EXECUTION_TYPE"

_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")


class AskKey(NamedTuple):
    """What tells asks of one ApplicationMaster apart (Hadoop: SchedulerRequestKey).

    A lower *priority* is served first, as in YARN.
    """

    priority: int
    allocation_request_id: int


@dataclass(frozen=True, slots=True)
class Locality:
    """Where containers should be (Hadoop: resource name and relaxLocality)."""

    nodes: tuple[str, ...] = ()
    racks: tuple[str, ...] = ()
    relax: bool = True


@dataclass(frozen=True, slots=True)
class AskShape:
    """What each container of an ask looks like (Hadoop: ResourceRequest without its number).

    *resources* are Kubernetes quantities by name, *partition* the node label, empty for none.

    Raises:
        InvalidAskError: a resource is no positive quantity, or none is named.
    """

    key: AskKey
    resources: Mapping[str, str]
    partition: str = ""
    locality: Locality = field(default_factory=Locality)
    opportunistic: bool = False
    constraint: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        where = f"ask priority={self.key.priority} id={self.key.allocation_request_id}"
        if self.key.priority < 0:
            raise InvalidAskError(f"{where}: priority is {self.key.priority}, must be 0 or more")
        check_resources(where, self.resources)

    def to_wire(self, count: int) -> dict[str, object]:
        """This shape with the absolute number that is still wanted."""
        return {
            "priority": self.key.priority,
            "allocationRequestId": self.key.allocation_request_id,
            "count": count,
            "resources": dict(self.resources),
            "partition": self.partition,
            "locality": {
                "nodes": list(self.locality.nodes),
                "racks": list(self.locality.racks),
                "relax": self.locality.relax,
            },
            **({"executionType": "OPPORTUNISTIC"} if self.opportunistic else {}),
            **({"placementConstraint": self.constraint} if self.constraint else {}),
            **({"allocationTags": list(self.tags)} if self.tags else {}),
        }


def check_resources(where: str, resources: Mapping[str, str]) -> None:
    """Refuse what says no size.

    Raises:
        InvalidAskError: a resource is no positive quantity, or none is named.
    """
    if not resources:
        raise InvalidAskError(f"{where}: no resources, name at least cpu or memory")
    for name, amount in resources.items():
        if not isinstance(amount, str) or not _QUANTITY.fullmatch(amount):
            raise InvalidAskError(
                f"{where}: resources.{name} is {amount!r}, must be a quantity as text, "
                "for example '500m', '2' or '1Gi'"
            )


@dataclass(frozen=True, slots=True)
class Container:
    """A container that was granted (Hadoop: Container); *version* counts its updates."""

    id: str
    node: str
    key: AskKey
    resources: Mapping[str, str]
    version: int = 0
    opportunistic: bool = False


@dataclass(frozen=True, slots=True)
class Update:
    """What a container is to be (Hadoop: UpdateContainerRequest); *version* is what it is now.

    Of another size by *resources*, or by *type* guaranteed (PROMOTE) or opportunistic (DEMOTE).
    """

    container_id: str
    version: int = 0
    resources: tuple[tuple[str, str], ...] = ()
    type: str = ""

    def to_wire(self) -> dict[str, object]:
        """This update as the AM service reads it."""
        return {
            "containerId": self.container_id,
            "version": self.version,
            **({"resources": dict(self.resources)} if self.resources else {}),
            **({"type": self.type} if self.type else {}),
        }


@dataclass(frozen=True, slots=True)
class Refusal:
    """An update of a container that is not made (Hadoop: UpdateContainerError).

    *reason* is one of Hadoop's words, such as INCORRECT_CONTAINER_VERSION_ERROR.
    """

    container_id: str
    reason: str
    message: str
    version: int


@dataclass(frozen=True, slots=True)
class Ended:
    """A container that ended (Hadoop: ContainerStatus).

    *exit_status* is the process's own exit code, or one of YARN's ContainerExitStatus numbers.
    """

    container_id: str
    exit_status: int
    diagnostics: str


@dataclass(frozen=True, slots=True)
class Registration:
    """The answer to register (Hadoop: RegisterApplicationMasterResponse)."""

    application_id: str = ""
    attempt_id: str = ""
    queue: str = ""
    minimum_allocation: Mapping[str, str] = field(default_factory=dict)
    maximum_allocation: Mapping[str, str] = field(default_factory=dict)
    resource_types: tuple[str, ...] = ()
    previous: tuple[Container, ...] = ()
    containers: tuple[Container, ...] = ()
    response_id: int = 0


@dataclass(frozen=True, slots=True)
class RejectedAsk:
    """An ask that the RM does not serve."""

    key: AskKey
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class NodeUpdate:
    """A node whose state changed (Hadoop: NodeReport).

    *state* is RUNNING, UNHEALTHY, LOST, DECOMMISSIONING or DECOMMISSIONED, *update_type* one of
    NODE_USABLE, NODE_UNUSABLE and NODE_DECOMMISSIONING. *decommissioning_timeout_s* is what is left
    until the containers on a DECOMMISSIONING node are ended; -1 for ever.
    """

    node: str
    state: str
    update_type: str
    decommissioning_timeout_s: int = -1


@dataclass(frozen=True, slots=True)
class AllocateAnswer:
    """The answer to allocate (Hadoop: AllocateResponse)."""

    response_id: int
    allocated: tuple[Container, ...] = ()
    completed: tuple[Ended, ...] = ()
    headroom: Mapping[str, str] = field(default_factory=dict)
    cluster_nodes: int = 0
    preempting: tuple[str, ...] = ()
    preemption_message: str = ""
    strict: tuple[str, ...] = ()
    kill_after_seconds: int = 0
    rejected: tuple[RejectedAsk, ...] = ()
    updated_nodes: tuple[NodeUpdate, ...] = ()
    updated: tuple[Container, ...] = ()
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True)
class Launch:
    """How one granted container is started (Hadoop: ContainerLaunchContext).

    Without an *image* it is the AM's own image; *template* is a PodTemplateSpec that is merged
    under the rest; *files* are as in a YarnApplication.
    """

    container_id: str
    command: Sequence[str] = ()
    args: Sequence[str] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    template: Json = field(default_factory=dict)
    files: Sequence[Json] = ()
    executor: str = ""

    def to_wire(self) -> dict[str, object]:
        """This launch as the AM service reads it."""
        body: dict[str, object] = {
            "containerId": self.container_id,
            "command": list(self.command),
            "args": list(self.args),
            "env": [{"name": name, "value": value} for name, value in self.env.items()],
        }
        # Left out and not empty: what is not said is as for the AM itself.
        if self.image:
            body["image"] = self.image
        if self.template:
            body["template"] = self.template
        if self.executor:
            body["executor"] = self.executor
        if self.files:
            body["files"] = list(self.files)
        return body


@dataclass(frozen=True, slots=True)
class ContainerState:
    """What the RM knows of one container: *state* is NEW, RUNNING or COMPLETE."""

    container_id: str
    state: str
    exit_status: int | None


@dataclass(frozen=True, slots=True)
class ContainersAnswer:
    """The answer to launch, stop and status; *pods* and *errors* are by container id."""

    pods: Mapping[str, str]
    stopped: tuple[str, ...]
    states: Mapping[str, ContainerState]
    errors: Mapping[str, str]


def registration(body: Json) -> Registration:
    """Read the answer to register.

    Raises:
        ProtocolError: *body* is not of that shape.
    """
    return Registration(
        application_id=_text(body, "applicationId"),
        attempt_id=_text(body, "attemptId"),
        queue=_text(body, "queue"),
        minimum_allocation=_texts(body, "minimumAllocation"),
        maximum_allocation=_texts(body, "maximumAllocation"),
        resource_types=_names(body, "resourceTypes"),
        previous=tuple(map(_container, _objects(body, "containersFromPreviousAttempts"))),
        containers=tuple(map(_container, _objects(body, "containers"))),
        response_id=_integer(body, "responseId", 0),
    )


def allocate_answer(body: Json) -> AllocateAnswer:
    """Read the answer to allocate.

    Raises:
        ProtocolError: *body* is not of that shape.
    """
    preemption = _object(body, "preemption")
    return AllocateAnswer(
        response_id=_integer(body, "responseId"),
        allocated=tuple(map(_container, _objects(body, "allocated"))),
        completed=tuple(map(_ended, _objects(body, "completed"))),
        headroom=_texts(body, "headroom"),
        cluster_nodes=_integer(body, "clusterNodes", 0),
        preempting=_names(preemption, "containers"),
        preemption_message=_text(preemption, "message"),
        strict=_names(_object(preemption, "strict"), "containers"),
        kill_after_seconds=_integer(preemption, "killAfterSeconds", 0),
        rejected=tuple(map(_rejected, _objects(body, "rejected"))),
        updated_nodes=tuple(map(_node_update, _objects(body, "updatedNodes"))),
        updated=tuple(
            _container(_object(e, "container")) for e in _objects(body, "updatedContainers")
        ),
        refused=tuple(map(_refusal, _objects(body, "updateErrors"))),
    )


def containers_answer(body: Json) -> ContainersAnswer:
    """Read the answer to launch, stop and status.

    Raises:
        ProtocolError: *body* is not of that shape.
    """
    states = [
        ContainerState(_text(s, "containerId"), _text(s, "state"), _exit_status(s))
        for s in _objects(body, "statuses")
    ]
    return ContainersAnswer(
        pods={_text(e, "containerId"): _text(e, "pod") for e in _objects(body, "launched")},
        stopped=_names(body, "stopped"),
        states={state.container_id: state for state in states},
        errors={_text(e, "containerId"): _text(e, "message") for e in _objects(body, "errors")},
    )


def joined(answers: Sequence[ContainersAnswer]) -> ContainersAnswer:
    """Several answers about containers as one."""
    return ContainersAnswer(
        pods={k: v for answer in answers for k, v in answer.pods.items()},
        stopped=tuple(i for answer in answers for i in answer.stopped),
        states={k: v for answer in answers for k, v in answer.states.items()},
        errors={k: v for answer in answers for k, v in answer.errors.items()},
    )


def is_unregistered(body: Json) -> bool:
    """Read the answer to finish: whether the RM has stored the final status."""
    return body.get("isUnregistered") is True


def _container(body: Json) -> Container:
    return Container(
        id=_text(body, "containerId"),
        node=_text(body, "node"),
        key=AskKey(_integer(body, "priority"), _integer(body, "allocationRequestId", 0)),
        resources=_texts(body, "resources"),
        version=_integer(body, "version", 0),
        opportunistic=_text(body, "executionType") == "OPPORTUNISTIC",
    )


def _refusal(body: Json) -> Refusal:
    return Refusal(
        container_id=_text(body, "containerId"),
        reason=_text(body, "reason"),
        message=_text(body, "message"),
        version=_integer(body, "currentVersion", -1),
    )


def _rejected(body: Json) -> RejectedAsk:
    key = AskKey(_integer(body, "priority"), _integer(body, "allocationRequestId"))
    return RejectedAsk(key, _text(body, "reason"), _text(body, "message"))


def _node_update(body: Json) -> NodeUpdate:
    return NodeUpdate(
        node=_text(body, "node"),
        state=_text(body, "state"),
        update_type=_text(body, "updateType"),
        decommissioning_timeout_s=_integer(body, "decommissioningTimeoutSeconds", -1),
    )


def _ended(body: Json) -> Ended:
    return Ended(
        container_id=_text(body, "containerId"),
        exit_status=_integer(body, "exitStatus"),
        diagnostics=_text(body, "diagnostics"),
    )


def _exit_status(body: Json) -> int | None:
    return None if body.get("exitStatus") is None else _integer(body, "exitStatus")


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise ProtocolError(f"{name}: found {value!r}, expected text")
    return value


def _integer(body: Json, name: str, default: int | None = None) -> int:
    value = body.get(name)
    if value is None and default is not None:
        return default
    # JSON's true is Python's True, which is an int.
    if not isinstance(value, int) or isinstance(value, bool):
        raise ProtocolError(f"{name}: found {value!r}, expected an integer")
    return value


def _object(body: Json, name: str) -> Json:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ProtocolError(f"{name}: found {value!r}, expected an object")
    return value


def _texts(body: Json, name: str) -> dict[str, str]:
    return {key: str(value) for key, value in _object(body, name).items()}


def _objects(body: Json, name: str) -> list[Json]:
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise ProtocolError(f"{name}: found {value!r}, expected a list of objects")
    return value


def _names(body: Json, name: str) -> tuple[str, ...]:
    value = body.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ProtocolError(f"{name}: found {value!r}, expected a list of texts")
    return tuple(value)

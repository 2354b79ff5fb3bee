"""The AM service's messages as types: decoding checks them, OpenAPI is made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from kubeyarn.model.errors import SpecError


class Message(msgspec.Struct, rename="camel", kw_only=True, omit_defaults=False):
    """A JSON object with camelCase names."""


class FieldError(SpecError):
    """A field of a message that cannot be acted on."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


# What goes into the application's status as it is said, and is no longer than its definition takes:
# a status that the API server refuses would say nothing at all.
Host = Annotated[str, msgspec.Meta(max_length=253)]
Port = Annotated[int, msgspec.Meta(ge=-1, le=65535)]
TrackingUrl = Annotated[str, msgspec.Meta(max_length=2048)]


class Register(Message):
    """An ApplicationMaster registers."""

    host: Host = ""
    rpc_port: Port = -1
    tracking_url: TrackingUrl = ""


class Container(Message):
    """A granted container."""

    container_id: str
    node: str
    priority: int
    allocation_request_id: int
    resources: dict[str, str]
    version: int = 0
    execution_type: str = "GUARANTEED"


class Registered(Message):
    """What an AM is told when it registers."""

    application_id: str
    attempt_id: str
    queue: str
    minimum_allocation: dict[str, str]
    maximum_allocation: dict[str, str]
    resource_types: list[str]
    scheduler_resource_types: list[str]
    containers_from_previous_attempts: list[Container]
    containers: list[Container]
    response_id: int


class Locality(Message):
    """Where an ask wants to be."""

    nodes: list[str] = []
    racks: list[str] = []
    relax: bool = True


class Ask(Message):
    """An ask: *count* containers outstanding, absolute for its priority and allocationRequestId."""

    count: int
    resources: dict[str, str | int]
    priority: int = 0
    allocation_request_id: int = -1
    partition: str | None = None
    locality: Locality | None = None
    execution_type: Literal["GUARANTEED", "OPPORTUNISTIC"] = "GUARANTEED"
    placement_constraint: str = ""
    allocation_tags: list[str] = []


class ExcludeNodes(Message):
    """Nodes that the AM wants no more, or again."""

    add: list[str] = []
    remove: list[str] = []


class Update(Message):
    """What a container is to be: of another size, or guaranteed, or opportunistic.

    *version* is the container's, as the AM knows it. *type* is INCREASE_RESOURCE or
    DECREASE_RESOURCE with *resources*, PROMOTE_EXECUTION_TYPE or DEMOTE_EXECUTION_TYPE; empty, the
    sizes or *executionType* say which.
    """

    container_id: str
    version: int = 0
    type: str = ""
    resources: dict[str, str | int] = {}
    execution_type: Literal["", "GUARANTEED", "OPPORTUNISTIC"] = ""


class Allocate(Message):
    """A heartbeat."""

    response_id: int
    progress: float = 0.0
    asks: list[Ask] = []
    releases: list[str] = []
    exclude_nodes: ExcludeNodes | None = None
    updates: list[Update] = []
    tracking_url: TrackingUrl | None = None


class Completed(Message):
    """A container that ended."""

    container_id: str
    exit_status: int
    diagnostics: str


class Resources(Message):
    """So many containers of a size."""

    count: int
    resources: dict[str, str]


class PreemptionContract(Message):
    """What is taken back; *instead*: giving back that much of other containers will do as well."""

    containers: list[str] = []
    instead: list[Resources] = []


class Preemption(Message):
    """Containers that will be taken back soon, each told once.

    *strict* ones are taken whatever the AM does, *negotiable* ones unless it gives back as much
    (Hadoop: PreemptionMessage); *containers* are both. *kill_after_seconds* is the time to react.
    """

    containers: list[str] = []
    strict: PreemptionContract = msgspec.field(default_factory=PreemptionContract)
    negotiable: PreemptionContract = msgspec.field(default_factory=PreemptionContract)
    kill_after_seconds: int = 0
    message: str = ""


class Rejected(Message):
    """An ask that cannot be served as it is; told once for each reason."""

    priority: int
    allocation_request_id: int
    reason: str
    message: str


class NodeUpdate(Message):
    """A node whose state changed: RUNNING, UNHEALTHY, LOST, DECOMMISSIONING or DECOMMISSIONED.

    *decommissioning_timeout_seconds* is what is left until containers on a DECOMMISSIONING node are
    ended; -1 for ever.
    """

    node: str
    state: str
    update_type: str
    decommissioning_timeout_seconds: int = -1


class UpdatedContainer(Message):
    """A container that was changed, as it is now."""

    type: str
    container: Container


class UpdateError(Message):
    """An update that is not made; *currentVersion* is the container's, -1 if there is none."""

    container_id: str
    reason: str
    current_version: int
    message: str


class Allocated(Message):
    """The answer to a heartbeat."""

    response_id: int
    allocated: list[Container]
    completed: list[Completed]
    headroom: dict[str, str]
    cluster_nodes: int
    updated_nodes: list[NodeUpdate]
    priority: int
    preemption: Preemption
    rejected: list[Rejected] = []
    updated_containers: list[UpdatedContainer] = []
    update_errors: list[UpdateError] = []


class Finish(Message):
    """An ApplicationMaster unregisters.

    Of *diagnostics* the first 4096 characters are kept (Hadoop: `yarn.app.attempt.diagnostics.
    limit.kc` cuts them, too).
    """

    final_status: str
    diagnostics: str = ""
    tracking_url: TrackingUrl = ""


class Finished(Message):
    """Whether the final status is stored; if not, call again."""

    is_unregistered: bool


_URL = r"^https?://[^/?#@\s]+([/?]\S*)?$"


class KeyOf(Message):
    """A key of a ConfigMap or Secret."""

    name: str
    key: str


class PathOf(Message):
    """A path in a PersistentVolumeClaim."""

    name: str
    path: str = ""


class LocalFile(Message, omit_defaults=True):
    """A file that is there before the container starts; it has one source."""

    path: Annotated[str, msgspec.Meta(min_length=1, max_length=1024, pattern=r"^[^/]")]
    config_map: KeyOf | None = None
    secret: KeyOf | None = None
    persistent_volume_claim: PathOf | None = None
    url: Annotated[str, msgspec.Meta(max_length=2048, pattern=_URL)] | None = None
    sha256: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{64}$")] | None = None
    type: Literal["File", "Archive"] = "File"


class LaunchContainer(Message):
    """How one granted container is launched."""

    container_id: str
    image: str = ""
    command: list[str] = []
    args: list[str] = []
    env: list[dict[str, Any]] = []
    template: dict[str, Any] = {}
    files: list[LocalFile] = []
    executor: Literal["", "Default", "Linux", "Docker"] = ""


class Containers(Message):
    """Launch, stop and ask about containers."""

    launch: list[LaunchContainer] = []
    stop: list[str] = []
    status: list[str] = []


class Launched(Message):
    """A container whose pod is made."""

    container_id: str
    pod: str


class ContainerStatus(Message):
    """A container's state: NEW, RUNNING or COMPLETE (Hadoop: ContainerState)."""

    container_id: str
    state: str
    exit_status: int | None = None


class ContainerError(Message):
    """What could not be done for one container."""

    container_id: str
    message: str


class ContainersAnswer(Message):
    """What became of each container that was named."""

    launched: list[Launched] = []
    stopped: list[str] = []
    statuses: list[ContainerStatus] = []
    errors: list[ContainerError] = []


class Error(Message):
    """Every answer that says no."""

    error: str
    message: str
    field: str = ""

"""ContainerRequest: an ask of an application for containers, and what came of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from kubeyarn.crd import defaults, ranges
from kubeyarn.crd.fields import (
    AS_SET,
    Count,
    Fields,
    Line,
    ManyAmounts,
    PartitionName,
    PositiveAmounts,
    QueueName,
    Seconds,
    ShownAmounts,
    Time,
    camel,
    listed_by,
    rule,
    rules,
)
from kubeyarn.crd.launch import Launch
from kubeyarn.crd.status import Condition, ObservedGeneration, conditions


class Role(StrEnum):
    """What the containers are for (Hadoop: ContainerType)."""

    TASK = "Task"
    APPLICATION_MASTER = "ApplicationMaster"


class ExecutionType(StrEnum):
    """Whether the containers are guaranteed (Hadoop: ExecutionType)."""

    GUARANTEED = "Guaranteed"
    OPPORTUNISTIC = "Opportunistic"


class OnFailure(StrEnum):
    """Who acts when a container fails."""

    REPORT = "Report"
    RETRY = "Retry"


class Locality(Fields):
    """Where the containers would rather run."""

    nodes: list[Annotated[str, Field(min_length=1, max_length=253)]] = Field(
        default=[], max_length=1000, description="Nodes, by name.", json_schema_extra=AS_SET
    )
    racks: list[Annotated[str, Field(min_length=1, max_length=253)]] = Field(
        default=[], max_length=1000, description="Racks, by name.", json_schema_extra=AS_SET
    )
    relax: bool = Field(
        True,
        description="Whether another node is taken after a while. False: only those listed.",
    )


_ContainerId = Annotated[str, Field(max_length=80, pattern=r"^container_[0-9e_]+$")]


class Update(Fields):
    """What one container that was granted is to be from now on: of another size, or guaranteed or
    opportunistic.
    """

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "!has(self.resources) || !has(self.executionType)",
                "updates[]: found resources and executionType, allowed: one of them; what is not "
                "named stays as it is",
            )
        )
    )

    id: _ContainerId = Field(
        description="Its id, container_<timestamp>_<application>_<attempt>_<number>."
    )
    resources: ManyAmounts | None = Field(
        None, description="The size it is to have; what is not named stays. Unset: as it is."
    )
    execution_type: ExecutionType | None = Field(
        None,
        description="Guaranteed promotes an opportunistic container as soon as its queue, its user "
        "and its node have room for it; Opportunistic demotes a guaranteed one at once. Unset: as "
        "it is.",
    )


class Gang(Fields):
    """All or nothing: containers that are of use only together."""

    min_count: Annotated[int, Field(ge=1, le=100000)] = Field(
        1, description="Containers that must be there before any of them counts."
    )
    timeout_seconds: Seconds = Field(
        120, description="Seconds after which an incomplete gang gives back what it holds."
    )


_FIXED = ("application", "role", "priority", "allocationRequestId", "executionType")

_SPEC_RULES = [
    *(
        rule(
            f"self.{field} == oldSelf.{field}",
            f"{field} cannot be changed: it is what the request is known by; make another "
            "ContainerRequest",
        )
        for field in _FIXED
    ),
    rule(
        "self.resources == oldSelf.resources",
        "resources cannot be changed: containers already granted have that size; make another "
        "ContainerRequest",
    ),
    rule(
        "has(self.partition) == has(oldSelf.partition) && "
        "(!has(self.partition) || self.partition == oldSelf.partition)",
        "partition cannot be changed: make another ContainerRequest",
    ),
    rule(
        "self.role != 'ApplicationMaster' || self.count <= 1",
        "count: found more than 1 for the role ApplicationMaster, allowed: 1, or 0 for one that "
        "runs elsewhere",
    ),
    rule(
        "!has(self.gang) || self.gang.minCount <= self.count",
        "gang.minCount: found more than count, allowed: at most count",
    ),
    rule(
        "!has(self.locality) || self.locality.relax || "
        "has(self.locality.nodes) && size(self.locality.nodes) > 0 || "
        "has(self.locality.racks) && size(self.locality.racks) > 0",
        "locality: found relax: false with neither nodes nor racks, allowed: relax: true, or "
        "where the containers must run",
    ),
    rule(
        "self.onFailure != 'Report' || self.retryLimit == 0",
        "retryLimit: found more than 0 with onFailure: Report, allowed: 0, or onFailure: Retry",
    ),
]


class ContainerRequestSpec(Fields):
    """What is asked for (Hadoop: ResourceRequest)."""

    model_config = ConfigDict(json_schema_extra=rules(*_SPEC_RULES))

    application: Annotated[str, Field(min_length=1, max_length=253)] = Field(
        description="The YarnApplication that asks, in the same namespace."
    )
    role: Role = Field(
        Role.TASK,
        description="What the containers are for. ApplicationMaster is only used by the "
        "ResourceManager.",
    )
    priority: Count = Field(
        0,
        description="The order among the requests of one application; lower is served first, as "
        "in YARN.",
    )
    allocation_request_id: Annotated[int, Field(ge=-1)] = Field(
        0,
        description="A number of the application's own choice, which granted containers carry; "
        "lower is served first among equal priorities.",
    )
    count: Annotated[int, Field(ge=0, le=100000)] = Field(
        1,
        description="Containers wanted over the life of this request. It is a level: raising it "
        "asks for more, lowering it cancels what is not granted yet.",
    )
    resources: PositiveAmounts = Field(
        dict(defaults.TASK_RESOURCES), description="The size of each container."
    )
    partition: PartitionName | None = Field(
        None,
        description="The partition they must run in; an empty string is the nodes without a "
        "partition. Unset: the application's, or the queue's defaultPartition.",
    )
    locality: Locality | None = Field(
        None, description="Where they would rather run. Unset: anywhere."
    )
    exclude_nodes: list[Annotated[str, Field(min_length=1, max_length=253)]] = Field(
        default=[],
        max_length=1000,
        description="Nodes and racks, by name, where none of them is granted.",
        json_schema_extra=AS_SET,
    )
    execution_type: ExecutionType = Field(
        ExecutionType.GUARANTEED,
        description="Guaranteed containers count against the queue; Opportunistic ones use what "
        "is idle and go first.",
    )
    placement_constraint: Annotated[str, Field(max_length=4096)] = Field(
        "", description="A constraint in Hadoop's syntax, such as notin,node,hbase. Empty: none."
    )
    allocation_tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default=[],
        max_length=16,
        description="Tags the containers carry for placement constraints.",
        json_schema_extra=AS_SET,
    )
    updates: list[Update] = Field(
        default=[],
        max_length=10000,
        description="Other sizes or execution types for containers that were granted, each one a "
        "level: what it is to be from now on.",
        json_schema_extra=listed_by("id"),
    )
    gang: Gang | None = Field(
        None, description="All or nothing. Unset: each container is granted by itself."
    )
    on_failure: OnFailure = Field(
        OnFailure.REPORT,
        description="Report: the ApplicationMaster decides what to do. Retry: another container is "
        "asked for in its place, up to retryLimit times; what was preempted, or whose node or pod "
        "was lost, is asked for again however often.",
    )
    retry_limit: Annotated[int, Field(ge=0, le=1000)] = Field(
        0, description="Failed containers that are made again, over the whole request."
    )
    container: Launch | None = Field(
        None,
        description="How each granted container is launched. Unset: the ApplicationMaster "
        "launches each one itself.",
    )


Ranges = Annotated[str, Field(max_length=262144, pattern=ranges.PATTERN)]


class NodeGrants(Fields):
    """Containers granted on one node."""

    node: Annotated[str, Field(max_length=253)] = Field(description="The node they are on.")
    attempt: Count = Field(1, description="The application attempt whose containers these are.")
    epoch: Count = Field(0, description="The scheduler's epoch, the e<epoch> of container ids.")
    containers: Ranges = Field("", description="Container numbers, such as 1-5,9.")


class Preempting(Fields):
    """A container that the policy takes back for another queue or user."""

    id: Annotated[str, Field(max_length=80)] = Field(
        description="Its id, container_<timestamp>_<application>_<attempt>_<number>."
    )
    kill: bool = Field(False, description="False: marked, its AM is told. True: it is killed now.")
    message: Annotated[str, Field(max_length=512)] = Field("", description="Why it is taken back.")


class ChargedUpdate(Fields):
    """A container that is to be otherwise than it was granted, and what is charged for it now."""

    id: _ContainerId = Field(
        description="Its id, container_<timestamp>_<application>_<attempt>_<number>."
    )
    resources: ShownAmounts | None = Field(None, description="What is charged for it now.")
    wanted: ShownAmounts | None = Field(
        None,
        description="What it is to have, rounded up; it gets it once no more than that is charged.",
    )
    execution_type: ExecutionType | None = Field(
        None,
        description="As what it is counted now: Guaranteed against its queue and user, "
        "Opportunistic against nobody.",
    )
    waits: Annotated[str, Field(max_length=512)] | None = Field(
        None, description="What it waits for that is to be guaranteed, or to have more."
    )
    message: Annotated[str, Field(max_length=512)] = Field(
        "", description="Why it will not be had."
    )


class UpdatedContainer(Fields):
    """A container that is otherwise than it was granted."""

    id: _ContainerId = Field(
        description="Its id, container_<timestamp>_<application>_<attempt>_<number>."
    )
    version: Count = Field(1, description="How often it was changed.")
    resources: ShownAmounts | None = Field(None, description="What its pod has now.")
    execution_type: ExecutionType | None = Field(
        None, description="What it is now; its pod says the same by a label."
    )


class AvoidedNode(Fields):
    """A node on which kube-scheduler refused to bind a granted pod."""

    node: Annotated[str, Field(max_length=253)] = Field(description="The node that refused.")
    until: Time | None = Field(
        None, description="Until when the application is granted nothing there."
    )
    refusals: Count = Field(
        1, description="How often it refused; the time doubles with each, from 30 s to 600 s."
    )
    message: Annotated[str, Field(max_length=512)] = Field(
        "", description="What kube-scheduler said last."
    )


class Launched(Fields):
    """Containers of one attempt and epoch whose pods were seen."""

    attempt: Count = Field(1, description="The application attempt whose containers these are.")
    epoch: Count = Field(0, description="The scheduler's epoch, the e<epoch> of container ids.")
    containers: Ranges = Field("", description="Container numbers, such as 1-5,9.")


class Endings(Fields):
    """The containers that ended with one exit status."""

    exit_status: Annotated[int, Field(ge=-(2**31), le=2**31 - 1)] = Field(
        description="The process's exit code, or a negative number of YARN's ContainerExitStatus."
    )
    count: Count = Field(0, description="How many ended so.")
    last_container: Annotated[str, Field(max_length=80)] | None = Field(
        None, description="The last of them."
    )
    last_node: Line | None = Field(None, description="The node that it was on.")
    last_diagnostics: Annotated[str, Field(max_length=256)] = Field(
        "", description="What went wrong with it, in words."
    )


class CompletedContainer(Fields):
    """A container that ended."""

    id: Annotated[str, Field(max_length=80)] = Field(
        description="Its id, container_<timestamp>_<application>_<attempt>_<number>."
    )
    exit_status: Annotated[int, Field(ge=-(2**31), le=2**31 - 1)] = Field(
        0,
        description="The process's exit code, or a negative number of YARN's "
        "ContainerExitStatus, such as -102 for preempted.",
    )
    diagnostics: Annotated[str, Field(max_length=8192)] = Field(
        "", description="What went wrong, in words."
    )


class Applied(Fields):
    """Fields of the application that may be changed while it lives."""

    priority: Count | None = Field(None, description="spec.priority; unset: the queue's default.")
    queue: QueueName = Field("", description="spec.queue.")
    priority_in_force: Count | None = Field(
        None, description="The priority that it has, after limits and defaults."
    )


class RequestUsage(Fields):
    """What the request's containers that ended have used."""

    amount_seconds: ShownAmounts | None = Field(
        None, description="How much of each resource they held, times seconds."
    )
    preempted_amount_seconds: ShownAmounts | None = Field(
        None, description="The part of that of containers that were taken back."
    )
    preempted_containers: Count | None = Field(
        None, description="Containers taken back for other queues or applications."
    )


class ContainerRequestStatus(Fields):
    """What came of the request; the scheduler and the ResourceManager each write their part."""

    observed_generation: ObservedGeneration = None
    epoch: Count | None = Field(
        None,
        description="The epoch of the scheduler that wrote its part last. A scheduler that led "
        "before, and has not noticed yet, is refused. Scheduler.",
        json_schema_extra=rules(
            rule("self >= oldSelf", "a scheduler of a later epoch leads and has written already")
        ),
    )
    queue: QueueName | None = Field(
        None, description="The leaf queue that serves it: full path. Scheduler."
    )
    resources: ShownAmounts | None = Field(
        None,
        description="What each container gets: resources raised to the minimum allocation and "
        "rounded up to its increment. Scheduler.",
    )
    granted: Count | None = Field(
        None, description="Containers granted over the life of the request. Scheduler."
    )
    pending: Count | None = Field(
        None,
        description="Containers still wanted: count, retried and replaced, less granted. "
        "Scheduler.",
    )
    grants: list[NodeGrants] | None = Field(
        None,
        max_length=100000,
        description="Containers granted that have not been given back, by node. Scheduler.",
        json_schema_extra=listed_by("attempt", "epoch", "node"),
    )
    preempting: list[Preempting] | None = Field(
        None,
        max_length=100000,
        description="Containers that are being taken back. Scheduler.",
        json_schema_extra=listed_by("id"),
    )
    applied: Applied | None = Field(
        None,
        description="What of the application's spec was acted on last, whether it was refused or "
        "not; only of an ApplicationMaster's request. Scheduler.",
    )
    avoided_nodes: list[AvoidedNode] | None = Field(
        None,
        max_length=100,
        description="Nodes on which kube-scheduler refused this request's pods; its application "
        "is granted nothing there for a while. Scheduler.",
        json_schema_extra=listed_by("node"),
    )
    updates: list[ChargedUpdate] | None = Field(
        None,
        max_length=10000,
        description="What is charged for containers that are to be otherwise than they were "
        "granted. Scheduler.",
        json_schema_extra=listed_by("id"),
    )
    updated: list[UpdatedContainer] | None = Field(
        None,
        max_length=10000,
        description="Containers that are otherwise than they were granted. ResourceManager.",
        json_schema_extra=listed_by("id"),
    )
    running: Count | None = Field(None, description="Containers whose pods run. ResourceManager.")
    succeeded: Count | None = Field(
        None, description="Containers that ended with exit status 0. ResourceManager."
    )
    failed: Count | None = Field(
        None, description="Containers that ended otherwise. ResourceManager."
    )
    retried: Count | None = Field(
        None,
        description="Containers that failed and are asked for again, at most retryLimit; only with "
        "onFailure Retry. ResourceManager.",
    )
    replaced: Count | None = Field(
        None,
        description="Containers that were taken away (preempted, node or pod lost) and are asked "
        "for again; only with onFailure Retry. ResourceManager.",
    )
    launched: list[Launched] | None = Field(
        None,
        max_length=1000,
        description="Containers whose pods were seen, by epoch. ResourceManager.",
        json_schema_extra=listed_by("attempt", "epoch"),
    )
    completed: list[CompletedContainer] | None = Field(
        None,
        max_length=100000,
        description="Containers that ended and that the ApplicationMaster has not confirmed yet. "
        "ResourceManager.",
        json_schema_extra=listed_by("id"),
    )
    endings: list[Endings] | None = Field(
        None,
        max_length=32,
        description="How all its containers ended, by exit status; kept with the application. "
        "ResourceManager.",
        json_schema_extra=listed_by("exitStatus"),
    )
    usage: RequestUsage | None = Field(
        None, description="What its containers that ended have used. ResourceManager."
    )
    conditions: list[Condition] | None = conditions(  # type: ignore[assignment]
        "Accepted: the queue takes it. Satisfied: nothing is pending; when false, reason and "
        "message say what stops it. Moved, Prioritized: whether the application's new queue or "
        "priority was taken. AllFieldsActing: everything its spec says is acted on. Scheduler."
    )


class ContainerRequest(Fields):
    """An ask of an application: so many containers of this size, there, launched so. It is a
    level, not an edge: applying it twice asks for nothing new.
    """

    model_config = ConfigDict(alias_generator=camel, extra="allow")

    spec: ContainerRequestSpec = Field(description="What is asked for.")
    status: ContainerRequestStatus | None = Field(
        None, description="What came of it. The scheduler and the ResourceManager write it."
    )

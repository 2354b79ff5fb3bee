"""ContainerRequest: an ask of an application for containers, and what came of it.

The spec is a level: `count` is what is wanted over the request's life, so applying it twice asks
for nothing new. The status has two writers, and no field has both: the scheduler writes what was
granted and is charged, the ResourceManager what was launched and has ended. Containers are listed
as ranges of numbers, by node or attempt, because a request may hold thousands of them; an id is put
together from the application's id, the attempt, the epoch and the number.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import Annotated, ClassVar, TypeVar

from kubeyarn.crd import amounts, defaults, field_reader, ranges
from kubeyarn.crd.conditions import Condition, conditions_of
from kubeyarn.crd.decoding import Resource
from kubeyarn.crd.fields import (
    AS_ONE,
    AS_SET,
    NOTHING,
    Count,
    Extras,
    Field,
    Fields,
    Line,
    ManyAmounts,
    ObservedGeneration,
    PartitionName,
    PositiveAmounts,
    QueueName,
    Reported,
    Seconds,
    ShownAmounts,
    Time,
    listed_by,
    rule,
    rules,
)
from kubeyarn.crd.launch import LaunchSpec
from kubeyarn.model.asks import ANYWHERE, Ask, AskKey, Locality
from kubeyarn.model.constraints import PlacementConstraint
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers import constraint_parser


class Role(StrEnum):
    """What the containers are for (Hadoop: ContainerType)."""

    TASK = "Task"
    APPLICATION_MASTER = "ApplicationMaster"


class ExecutionType(StrEnum):
    """Whether the containers are guaranteed (Hadoop: ExecutionType)."""

    GUARANTEED = "Guaranteed"
    OPPORTUNISTIC = "Opportunistic"

    @classmethod
    def of(cls, opportunistic: bool) -> ExecutionType:
        """The type of a container that is opportunistic, or is not."""
        return cls.OPPORTUNISTIC if opportunistic else cls.GUARANTEED


class OnFailure(StrEnum):
    """Who acts when a container fails."""

    REPORT = "Report"
    RETRY = "Retry"


class LocalitySpec(Fields, frozen=True):
    """Where the containers would rather run."""

    nodes: Annotated[
        tuple[Annotated[str, Field(minLength=1, maxLength=253)], ...],
        Field("Nodes, by name.", maxItems=1000, **AS_SET),
    ] = ()
    racks: Annotated[
        tuple[Annotated[str, Field(minLength=1, maxLength=253)], ...],
        Field("Racks, by name.", maxItems=1000, **AS_SET),
    ] = ()
    relax: Annotated[
        bool, Field("Whether another node is taken after a while. False: only those listed.")
    ] = True


# As YARN prints it: what `ContainerId.parse` takes, and no less. An older object, with a part of
# an id, is still read: the ResourceManager passes that entry over and says so.
_ContainerId = Annotated[
    str,
    Field(
        maxLength=80,
        pattern="^container_(e[0-9]{2,}_)?[0-9]+_[0-9]{4,}_[0-9]{2,}_[0-9]{6,}$",
    ),
]


class ContainerUpdateSpec(Fields, frozen=True):
    """What one container that was granted is to be from now on: of another size, or guaranteed or
    opportunistic.
    """

    extras: ClassVar[Extras] = rules(
        rule(
            "!has(self.resources) || !has(self.executionType)",
            "updates[]: found resources and executionType, allowed: one of them; what is not "
            "named stays as it is",
        )
    )
    id: Annotated[
        _ContainerId, Field("Its id, container_<timestamp>_<application>_<attempt>_<number>.")
    ]
    resources: Annotated[
        ManyAmounts | None,
        Field("The size it is to have; what is not named stays. Unset: as it is."),
    ] = None
    execution_type: Annotated[
        ExecutionType | None,
        Field(
            "Guaranteed promotes an opportunistic container as soon as its queue, its user "
            "and its node have room for it; Opportunistic demotes a guaranteed one at "
            "once. Unset: as it is."
        ),
    ] = None


class GangSpec(Fields, frozen=True):
    """All or nothing: containers that are of use only together."""

    min_count: Annotated[
        int,
        Field(
            "Containers that must be there before any of them counts.", minimum=1, maximum=100000
        ),
    ] = 1
    timeout_seconds: Annotated[
        Seconds, Field("Seconds after which an incomplete gang gives back what it holds.")
    ] = 120


# The scheduler files an ask under these, and counts its containers against them. With another value
# it would be another ask, and the containers of the first one would be its own.
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
        # CEL fails on a field that is not set, and a failed rule refuses the object. So a rule on a
        # field that may be unset asks first whether it is set.
        "has(self.partition) == has(oldSelf.partition) && "
        "(!has(self.partition) || self.partition == oldSelf.partition)",
        "partition cannot be changed: make another ContainerRequest",
    ),
    rule(
        "self.user == oldSelf.user",
        "user cannot be changed: it is who asked; make another ContainerRequest",
    ),
    rule(
        "has(self.userGroups) == has(oldSelf.userGroups) && "
        "(!has(self.userGroups) || self.userGroups == oldSelf.userGroups)",
        "userGroups cannot be changed: they are those of who asked; make another ContainerRequest",
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


class ContainerRequestSpec(Fields, frozen=True):
    """What is asked for (Hadoop: ResourceRequest)."""

    extras: ClassVar[Extras] = rules(*_SPEC_RULES)
    application: Annotated[
        str,
        Field("The YarnApplication that asks, in the same namespace.", minLength=1, maxLength=253),
    ]
    user: Annotated[
        str,
        Field(
            "Who asks. Set from the request; empty: the application itself, by its "
            "ApplicationMaster. Where root says queueAccess: ByRole, it has to be the "
            "application's user or administer its queue.",
            maxLength=253,
        ),
    ] = ""
    user_groups: Annotated[
        tuple[Annotated[str, Field(minLength=1, maxLength=1024)], ...],
        Field("The groups of who asks. Set from the request.", maxItems=1024, **AS_ONE),
    ] = ()
    role: Annotated[
        Role,
        Field(
            "What the containers are for. ApplicationMaster is only used by the ResourceManager."
        ),
    ] = Role.TASK
    priority: Annotated[
        Count,
        Field(
            "The order among the requests of one application; lower is served first, as in YARN."
        ),
    ] = 0
    allocation_request_id: Annotated[
        int,
        Field(
            "A number of the application's own choice, which granted containers carry; "
            "lower is served first among equal priorities.",
            minimum=-1,
        ),
    ] = 0
    count: Annotated[
        int,
        Field(
            "Containers wanted over the life of this request. It is a level: raising it "
            "asks for more, lowering it cancels what is not granted yet.",
            minimum=0,
            maximum=100000,
        ),
    ] = 1
    resources: Annotated[PositiveAmounts, Field("The size of each container.")] = (
        defaults.TASK_RESOURCES
    )
    partition: Annotated[
        PartitionName | None,
        Field(
            "The partition they must run in; an empty string is the nodes without a "
            "partition. Unset: the application's, or the queue's defaultPartition."
        ),
    ] = None
    locality: Annotated[
        LocalitySpec | None, Field("Where they would rather run. Unset: anywhere.")
    ] = None
    exclude_nodes: Annotated[
        tuple[Annotated[str, Field(minLength=1, maxLength=253)], ...],
        Field("Nodes and racks, by name, where none of them is granted.", maxItems=1000, **AS_SET),
    ] = ()
    execution_type: Annotated[
        ExecutionType,
        Field(
            "Guaranteed containers count against the queue; Opportunistic ones use what is "
            "idle and go first."
        ),
    ] = ExecutionType.GUARANTEED
    placement_constraint: Annotated[
        str,
        Field(
            "A constraint in Hadoop's syntax, such as notin,node,hbase. Empty: none.",
            maxLength=4096,
        ),
    ] = ""
    allocation_tags: Annotated[
        tuple[Annotated[str, Field(minLength=1, maxLength=100)], ...],
        Field("Tags the containers carry for placement constraints.", maxItems=16, **AS_SET),
    ] = ()
    updates: Annotated[
        tuple[ContainerUpdateSpec, ...],
        Field(
            "Other sizes or execution types for containers that were granted, each one a "
            "level: what it is to be from now on.",
            maxItems=10000,
            **listed_by("id"),
        ),
    ] = ()
    gang: Annotated[
        GangSpec | None, Field("All or nothing. Unset: each container is granted by itself.")
    ] = None
    on_failure: Annotated[
        OnFailure,
        Field(
            "Report: the ApplicationMaster decides what to do. Retry: another container is "
            "asked for in its place, up to retryLimit times; what was preempted, or whose "
            "node or pod was lost, is asked for again however often."
        ),
    ] = OnFailure.REPORT
    retry_limit: Annotated[
        int,
        Field(
            "Failed containers that are made again, over the whole request.",
            minimum=0,
            maximum=1000,
        ),
    ] = 0
    container: Annotated[
        LaunchSpec | None,
        Field(
            "How each granted container is launched. Unset: the ApplicationMaster launches "
            "each one itself."
        ),
    ] = None


# A status names every container and has to stay far below the one and a half MiB that etcd takes.
Ranges = Annotated[str, Field(maxLength=262144, pattern=ranges.PATTERN)]


class ContainerNumbers(Fields, frozen=True):
    """Containers of one attempt and epoch, by their numbers."""

    attempt: Annotated[Count, Field("The application attempt whose containers these are.")] = 1
    epoch: Annotated[Count, Field("The scheduler's epoch, the e<epoch> of container ids.")] = 0
    containers: Annotated[Ranges, Field("Container numbers, such as 1-5,9.")] = ""

    def ids(self, application: ApplicationId) -> list[ContainerId]:
        """The ids of these containers.

        Raises:
            SpecError: the numbers are no ranges.
        """
        attempt = AttemptId(application, self.attempt)
        numbers = ranges.expand(self.containers)
        return [ContainerId(attempt, self.epoch, number) for number in numbers]


class LaunchedContainers(ContainerNumbers, frozen=True):
    """Containers of one attempt and epoch whose pods were seen."""


class NodeGrants(ContainerNumbers, frozen=True, kw_only=True):
    """Containers granted on one node."""

    node: Annotated[str, Field("The node they are on.", maxLength=253)]


class PreemptedContainer(Fields, frozen=True):
    """A container that the policy takes back for another queue or user."""

    id: Annotated[
        str, Field("Its id, container_<timestamp>_<application>_<attempt>_<number>.", maxLength=80)
    ]
    kill: Annotated[bool, Field("False: marked, its AM is told. True: it is killed now.")] = False
    message: Annotated[str, Field("Why it is taken back.", maxLength=512)] = ""


class ChargedUpdate(Fields, frozen=True):
    """A container that is to be otherwise than it was granted, and what is charged for it now."""

    id: Annotated[
        _ContainerId, Field("Its id, container_<timestamp>_<application>_<attempt>_<number>.")
    ]
    resources: Annotated[ShownAmounts, Reported("What is charged for it now.")] = NOTHING
    wanted: Annotated[
        ShownAmounts,
        Reported("What it is to have, rounded up; it gets it once no more than that is charged."),
    ] = NOTHING
    execution_type: Annotated[
        ExecutionType | None,
        Field(
            "As what it is counted now: Guaranteed against its queue and user, "
            "Opportunistic against nobody."
        ),
    ] = None
    waits: Annotated[
        str, Reported("What it waits for that is to be guaranteed, or to have more.", maxLength=512)
    ] = ""
    message: Annotated[str, Field("Why it will not be had.", maxLength=512)] = ""


class UpdatedContainerStatus(Fields, frozen=True):
    """A container that is otherwise than it was granted."""

    id: Annotated[
        _ContainerId, Field("Its id, container_<timestamp>_<application>_<attempt>_<number>.")
    ]
    version: Annotated[Count, Field("How often it was changed.")] = 1
    resources: Annotated[ShownAmounts, Reported("What its pod has now.")] = NOTHING
    execution_type: Annotated[
        ExecutionType | None, Field("What it is now; its pod says the same by a label.")
    ] = None


class AvoidedNode(Fields, frozen=True):
    """A node on which kube-scheduler refused to bind a granted pod."""

    node: Annotated[str, Field("The node that refused.", maxLength=253)]
    until: Annotated[Time, Reported("Until when the application is granted nothing there.")] = ""
    refusals: Annotated[
        Count, Field("How often it refused; the time doubles with each, from 30 s to 600 s.")
    ] = 1
    message: Annotated[str, Field("What kube-scheduler said last.", maxLength=512)] = ""


class ExitStatusCount(Fields, frozen=True):
    """The containers that ended with one exit status."""

    exit_status: Annotated[
        int,
        Field(
            "The process's exit code, or a negative number of YARN's ContainerExitStatus.",
            minimum=-(2**31),
            maximum=2**31 - 1,
        ),
    ]
    count: Annotated[Count, Field("How many ended so.")] = 0
    last_container: Annotated[str, Reported("The last of them.", maxLength=80)] = ""
    last_node: Annotated[Line, Reported("The node that it was on.")] = ""
    last_diagnostics: Annotated[str, Field("What went wrong with it, in words.", maxLength=256)] = (
        ""
    )


class CompletedContainerStatus(Fields, frozen=True):
    """A container that ended."""

    id: Annotated[
        str, Field("Its id, container_<timestamp>_<application>_<attempt>_<number>.", maxLength=80)
    ]
    exit_status: Annotated[
        int,
        Field(
            "The process's exit code, or a negative number of YARN's ContainerExitStatus, "
            "such as -102 for preempted.",
            minimum=-(2**31),
            maximum=2**31 - 1,
        ),
    ] = 0
    diagnostics: Annotated[str, Field("What went wrong, in words.", maxLength=8192)] = ""


class Applied(Fields, frozen=True):
    """Fields of the application that may be changed while it lives."""

    priority: Annotated[Count | None, Field("spec.priority; unset: the queue's default.")] = None
    queue: Annotated[QueueName, Field("spec.queue.")] = ""
    priority_in_force: Annotated[
        Count | None, Field("The priority that it has, after limits and defaults.")
    ] = None


class RequestUsage(Fields, frozen=True):
    """What the request's containers that ended have used."""

    amount_seconds: Annotated[
        ShownAmounts, Reported("How much of each resource they held, times seconds.")
    ] = NOTHING
    preempted_amount_seconds: Annotated[
        ShownAmounts, Reported("The part of that of containers that were taken back.")
    ] = NOTHING
    preempted_containers: Annotated[
        Count, Reported("Containers taken back for other queues or applications.")
    ] = 0


class ContainerRequestStatus(Fields, frozen=True):
    """What came of the request; the scheduler and the ResourceManager each write their part."""

    observed_generation: ObservedGeneration = None
    epoch: Annotated[
        Count | None,
        Field(
            # The one that lost its Lease may have writes under way that no clock of ours can stop.
            # The API server compares the two numbers, so such a write is refused whenever it
            # arrives.
            "The epoch of the scheduler that wrote its part last. A scheduler that led "
            "before, and has not noticed yet, is refused. Scheduler.",
            **rules(
                rule(
                    "self >= oldSelf", "a scheduler of a later epoch leads and has written already"
                )
            ),
        ),
    ] = None
    resource_manager_epoch: Annotated[
        Count | None,
        Field(
            "The epoch of the ResourceManager that wrote its part last. One that led before, and "
            "has not noticed yet, is refused. ResourceManager.",
            **rules(
                rule(
                    "self >= oldSelf",
                    "a ResourceManager of a later epoch leads and has written already",
                )
            ),
        ),
    ] = None
    queue: Annotated[
        QueueName, Reported("The leaf queue that serves it: full path. Scheduler.")
    ] = ""
    resources: Annotated[
        ShownAmounts,
        Reported(
            "What each container gets: resources raised to the minimum allocation and "
            "rounded up to its increment. Scheduler."
        ),
    ] = NOTHING
    granted: Annotated[
        Count, Reported("Containers granted over the life of the request. Scheduler.")
    ] = 0
    pending: Annotated[
        Count,
        Reported("Containers still wanted: count, retried and replaced, less granted. Scheduler."),
    ] = 0
    grants: Annotated[
        tuple[NodeGrants, ...],
        Reported(
            "Containers granted that have not been given back, by node. Scheduler.",
            maxItems=100000,
            **listed_by("attempt", "epoch", "node"),
        ),
    ] = ()
    preempting: Annotated[
        tuple[PreemptedContainer, ...],
        Reported(
            "Containers that are being taken back. Scheduler.", maxItems=100000, **listed_by("id")
        ),
    ] = ()
    headroom: Annotated[
        ShownAmounts,
        Reported(
            "How much more the application may get, as of a few seconds ago; only of an "
            "ApplicationMaster's request. Scheduler."
        ),
    ] = NOTHING
    maximum_allocation: Annotated[
        ShownAmounts,
        Reported(
            "The largest container that the application may ask for: what its queue allows and "
            "the largest nodes have; only of an ApplicationMaster's request. Scheduler."
        ),
    ] = NOTHING
    applied: Annotated[
        Applied | None,
        Field(
            "What of the application's spec was acted on last, whether it was refused or "
            "not; only of an ApplicationMaster's request. Scheduler."
        ),
    ] = None
    avoided_nodes: Annotated[
        tuple[AvoidedNode, ...],
        Reported(
            "Nodes on which kube-scheduler refused this request's pods; its application is "
            "granted nothing there for a while. Scheduler.",
            maxItems=100,
            **listed_by("node"),
        ),
    ] = ()
    updates: Annotated[
        tuple[ChargedUpdate, ...],
        Reported(
            "What is charged for containers that are to be otherwise than they were "
            "granted. Scheduler.",
            maxItems=10000,
            **listed_by("id"),
        ),
    ] = ()
    updated: Annotated[
        tuple[UpdatedContainerStatus, ...],
        Reported(
            "Containers that are otherwise than they were granted. ResourceManager.",
            maxItems=10000,
            **listed_by("id"),
        ),
    ] = ()
    running: Annotated[Count, Reported("Containers whose pods run. ResourceManager.")] = 0
    succeeded: Annotated[
        Count, Reported("Containers that ended with exit status 0. ResourceManager.")
    ] = 0
    failed: Annotated[Count, Reported("Containers that ended otherwise. ResourceManager.")] = 0
    retried: Annotated[
        Count,
        Reported(
            "Containers that failed and are asked for again, at most retryLimit; only with "
            "onFailure Retry. ResourceManager."
        ),
    ] = 0
    replaced: Annotated[
        Count,
        Reported(
            "Containers that were taken away (preempted, node or pod lost) and are asked "
            "for again; only with onFailure Retry. ResourceManager."
        ),
    ] = 0
    launched: Annotated[
        tuple[LaunchedContainers, ...],
        Reported(
            "Containers whose pods were seen, by epoch. ResourceManager.",
            maxItems=1000,
            **listed_by("attempt", "epoch"),
        ),
    ] = ()
    completed: Annotated[
        tuple[CompletedContainerStatus, ...],
        Reported(
            "Containers that ended and that the ApplicationMaster has not confirmed yet. "
            "ResourceManager.",
            maxItems=100000,
            **listed_by("id"),
        ),
    ] = ()
    endings: Annotated[
        tuple[ExitStatusCount, ...],
        Reported(
            "How all its containers ended, by exit status; kept with the application. "
            "ResourceManager.",
            maxItems=32,
            **listed_by("exitStatus"),
        ),
    ] = ()
    usage: Annotated[
        RequestUsage, Reported("What its containers that ended have used. ResourceManager.")
    ] = RequestUsage()
    conditions: Annotated[
        tuple[Condition, ...],
        conditions_of(
            "Accepted: the queue takes it. Satisfied: nothing is pending; when false, "
            "reason and message say what stops it. Moved, Prioritized: whether the "
            "application's new queue or priority was taken. AllFieldsActing: everything "
            "its spec says is acted on. Scheduler. Reconciled: false with what is wrong while the "
            "ResourceManager cannot act on a part of it; absent of one of which nothing ever was. "
            "ResourceManager."
        ),
    ] = ()


class ContainerRequest(Resource, frozen=True):
    """An ask of an application: so many containers of this size, there, launched so. It is a
    level, not an edge: applying it twice asks for nothing new.
    """

    spec: Annotated[ContainerRequestSpec, Field("What is asked for.")]
    status: Annotated[
        ContainerRequestStatus,
        Reported("What came of it. The scheduler and the ResourceManager write it."),
    ] = ContainerRequestStatus()

    @property
    def opportunistic(self) -> bool:
        """Whether its containers are granted outside of all guarantees."""
        return self.spec.execution_type is ExecutionType.OPPORTUNISTIC

    @property
    def asked_again(self) -> int:
        """Containers that it wants in place of others that ended badly."""
        return self.status.retried + self.status.replaced

    def ask_key(self) -> AskKey:
        """The key by which the scheduler knows it within its application.

        Raises:
            SpecError: its priority is below 0.
        """
        priority = field_reader.count(self.spec.priority, "spec.priority")
        return AskKey(priority, self.spec.allocation_request_id, self.metadata.name)

    def ask(self, types: ResourceTypes) -> Ask:
        """What it still wants: its count, and what is wanted again, less what was granted.

        Raises:
            SpecError: a field says nothing that can be acted on.
        """
        spec = self.spec
        wanted = field_reader.count(spec.count, "spec.count") + self.asked_again
        # A count that is lowered below what was granted takes nothing back: what runs goes on, and
        # nothing more is wanted.
        pending = max(0, wanted - self.status.granted)
        return Ask(
            key=self.ask_key(),
            count=pending,
            size=amounts.positive_vector(
                {**defaults.TASK_RESOURCES, **spec.resources}, "spec.resources", types
            ),
            partition=spec.partition,
            locality=_wanted_places(spec.locality, pending),
            opportunistic=self.opportunistic,
            constraint=_constraint(spec.placement_constraint),
            tags=tuple(sorted(spec.allocation_tags)),
        )

    def named_resources(self) -> frozenset[str]:
        """The resources that its status names: those of its size, and of containers' updates."""
        status = self.status
        return frozenset(
            name
            for amounts_ in (
                status.resources,
                *(update.resources for update in status.updates),
                *(update.resources for update in status.updated),
            )
            for name in amounts_
        )

    def granted_nodes(self, application: ApplicationId) -> dict[ContainerId, str]:
        """The containers that it was granted and that have not been given back, with their nodes.

        Raises:
            SpecError: the status lists no container numbers.
        """
        return {
            container: grants.node
            for grants in self.status.grants
            for container in grants.ids(application)
        }


def _wanted_places(locality: LocalitySpec | None, wanted: int) -> Locality:
    if locality is None:
        return ANYWHERE
    return Locality(
        nodes=tuple((node, wanted) for node in sorted(locality.nodes)),
        racks=tuple((rack, wanted) for rack in sorted(locality.racks)),
        relax=locality.relax,
    )


def _constraint(text: str) -> PlacementConstraint | None:
    try:
        return constraint_parser.parse(text) if text else None
    except SpecError as error:
        raise SpecError(f"spec.placementConstraint: {error}") from None


Entry = TypeVar(
    "Entry",
    ContainerUpdateSpec,
    ChargedUpdate,
    UpdatedContainerStatus,
    PreemptedContainer,
    CompletedContainerStatus,
)


def by_container(entries: Iterable[Entry]) -> dict[ContainerId, Entry]:
    """The entries of a list by the container that each is of; malformed ids are skipped."""
    entries_by_id = {}
    for entry in entries:
        with suppress(SpecError):
            entries_by_id[ContainerId.parse(entry.id)] = entry
    return entries_by_id

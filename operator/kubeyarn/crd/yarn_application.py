"""YarnApplication: a submission, and what became of it.

The spec is Hadoop's ApplicationSubmissionContext with the launch context of the ApplicationMaster;
most of it is fixed once it is submitted, which the API server holds by CEL rules. The status is
the ResourceManager's alone. It is also its memory: a restarted one goes on from what it reads here.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from kubeyarn.crd import amounts, defaults, field_reader, times
from kubeyarn.crd.conditions import Condition, conditions_of
from kubeyarn.crd.decoding import Resource
from kubeyarn.crd.fields import (
    AS_ONE,
    AS_SET,
    NOTHING,
    Count,
    Diagnostics,
    Extras,
    Field,
    Fields,
    Line,
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
from kubeyarn.lifecycle.application import PUBLIC_STATES, ApplicationState, FinalStatus
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.model.applications import Application
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.resources import ResourceTypes, Vector


class DesiredState(StrEnum):
    """What the user wants of the application."""

    RUNNING = "Running"
    KILLED = "Killed"


class SignalCommand(StrEnum):
    """What is done to a container (Hadoop: SignalContainerCommand)."""

    OUTPUT_THREAD_DUMP = "OutputThreadDump"
    GRACEFUL_SHUTDOWN = "GracefulShutdown"
    FORCEFUL_SHUTDOWN = "ForcefulShutdown"


class SignalSpec(Fields, frozen=True):
    """A signal to a container, sent once."""

    container_id: Annotated[
        str,
        Field(
            "The container's id, container_<timestamp>_<application>_<attempt>_<number>.",
            minLength=1,
            maxLength=80,
        ),
    ]
    command: Annotated[
        SignalCommand,
        Field(
            "OutputThreadDump: SIGQUIT to its first process. GracefulShutdown: it is "
            "stopped with its grace period, exit status 143. ForcefulShutdown: it is "
            "killed, 137."
        ),
    ] = SignalCommand.OUTPUT_THREAD_DUMP
    serial: Annotated[
        int, Field("Another number sends the signal again.", minimum=1, maximum=2**31 - 1)
    ] = 1


class SignalStatus(SignalSpec, frozen=True):
    """What became of a signal."""

    sent: Annotated[bool, Field("Whether it was sent.")] = False
    time: Annotated[Time, Reported("When it was sent or refused.")] = ""
    message: Annotated[Diagnostics, Reported("Why it was not sent.")] = ""


class Protocol(StrEnum):
    """How an ApplicationMaster speaks."""

    HTTP = "Http"
    OBJECTS = "Objects"


class ApplicationMasterSpec(LaunchSpec, frozen=True):
    """How the ApplicationMaster is launched, in container 1 of each attempt."""

    extras: ClassVar[Extras] = rules(
        rule(
            "has(self.image) || has(self.template)",
            "image: found none, allowed: an image such as example.org/my-am:1.0, or a "
            "template that names one",
        )
    )
    resources: Annotated[
        PositiveAmounts, Field("The size of the ApplicationMaster's container.")
    ] = defaults.AM_RESOURCES
    protocol: Annotated[
        Protocol,
        Field(
            "Http: it registers, asks and unregisters at the AM service. Objects: it calls "
            "nobody, is registered while it runs, asks by ContainerRequests, and "
            "unregisters by the annotation kubeyarn.io/final-status or by exiting with 0."
        ),
    ] = Protocol.HTTP


def _frozen(*fields: str) -> list[dict[str, object]]:
    return [
        rule(
            # Setting a field that was not set is a change, too, and so is taking it away.
            f"has(self.{field}) == has(oldSelf.{field}) && "
            f"(!has(self.{field}) || self.{field} == oldSelf.{field})",
            f"{field} cannot be changed once submitted: kill the application and submit another",
        )
        for field in fields
    ]


_SPEC_RULES = [
    rule(
        "has(self.applicationMaster) || self.unmanagedAM",
        "applicationMaster: found none, allowed: how the ApplicationMaster is launched, or "
        "unmanagedAM: true",
    ),
    rule(
        "!self.keepContainersAcrossAttempts || self.maxAttempts > 1",
        "keepContainersAcrossAttempts: found true with maxAttempts 1, allowed: only with "
        "maxAttempts 2 or more",
    ),
    rule(
        # Once, from empty: an object may have been made before the policy that stamps it was there.
        "oldSelf.user == '' || self.user == oldSelf.user",
        "user cannot be changed once submitted: kill the application and submit another",
    ),
    rule(
        "!has(oldSelf.userGroups) || oldSelf.userGroups.size() == 0 || "
        "(has(self.userGroups) && self.userGroups == oldSelf.userGroups)",
        "userGroups cannot be changed once submitted: kill the application and submit another",
    ),
    rule(
        # Its containers are being ended by now, and nothing brings them back.
        "oldSelf.desiredState != 'Killed' || self.desiredState == 'Killed'",
        "desiredState: found Running, allowed: Killed, because a killed application stays killed",
    ),
    *_frozen(
        "applicationName",
        "applicationType",
        "tags",
        "partition",
        "maxAttempts",
        "attemptFailuresValidityIntervalSeconds",
        "keepContainersAcrossAttempts",
        "unmanagedAM",
        "applicationMaster",
    ),
]


_ATTEMPT_ID = r"^(appattempt_[0-9]+_[0-9]{4,}_[0-9]{6,})?$"


class YarnApplicationSpec(Fields, frozen=True):
    """What is submitted (Hadoop: ApplicationSubmissionContext)."""

    extras: ClassVar[Extras] = rules(*_SPEC_RULES)
    application_name: Annotated[
        str,
        Field("A name for people; several may have the same. Empty: metadata.name.", maxLength=253),
    ] = ""
    application_type: Annotated[
        str,
        Field("What kind of application it is, such as YARN, SPARK or MAPREDUCE.", maxLength=20),
    ] = "YARN"
    tags: Annotated[
        tuple[Annotated[str, Field(minLength=1, maxLength=100)], ...],
        Field("Words to find it by.", maxItems=10, **AS_SET),
    ] = ()
    queue: Annotated[
        QueueName,
        Field(
            "The leaf queue that serves it: the full path, or the last part of it when no "
            "other leaf is called so. Empty: root.default, unless a placement rule says "
            "otherwise."
        ),
    ] = ""
    user: Annotated[
        str,
        Field(
            "Whose application it is. Set from the request; naming somebody else needs the "
            "right to submit for others (verb submitfor on yarnapplications).",
            maxLength=253,
        ),
    ] = ""
    user_groups: Annotated[
        tuple[Annotated[str, Field(minLength=1, maxLength=1024)], ...],
        Field(
            "The user's groups. Set from the request, for roles that are bound to groups "
            "and for placement rules; root's cluster.userGroups says otherwise for users "
            "it lists.",
            maxItems=1024,
            **AS_ONE,
        ),
    ] = ()
    priority: Annotated[
        Count | None,
        Field(
            "Its priority in the queue; higher is served first. Unset: the queue's "
            "defaultApplicationPriority."
        ),
    ] = None
    partition: Annotated[
        PartitionName | None,
        Field(
            "The partition of its containers; an empty string is the nodes without a "
            "partition. Unset: the queue's defaultPartition."
        ),
    ] = None
    max_attempts: Annotated[
        int,
        Field(
            "How often the ApplicationMaster is started before the application fails, at "
            "most as often as the ResourceManager's --am-max-attempts says. An "
            "ApplicationMaster that was preempted or whose node or pod was lost does not "
            "count, unless it is the only one.",
            minimum=1,
            maximum=100,
        ),
    ] = 2
    attempt_failures_validity_interval_seconds: Annotated[
        Seconds, Field("Failed attempts older than this do not count, in seconds; 0: all count.")
    ] = 0
    keep_containers_across_attempts: Annotated[
        bool,
        Field(
            "Whether running containers that the ApplicationMaster asked for outlive it "
            "when it fails and are handed to the next attempt. Containers of "
            "ContainerRequests written by hand always do."
        ),
    ] = False
    unmanaged_am: Annotated[
        bool,
        Field(
            "The ApplicationMaster runs elsewhere and is not launched: the application "
            "waits in ACCEPTED until somebody registers with the token in the Secret that "
            "status.unmanagedAM names. There is one attempt."
        ),
    ] = False
    lifetime_seconds: Annotated[
        Seconds,
        Field(
            "Seconds after its submission when it is killed; 0: the queue's default. Of "
            "one that lives it may be changed to an end in the future."
        ),
    ] = 0
    delete_delay_seconds: Annotated[
        Seconds | None,
        Field(
            "How long pods of its ended containers are kept, for their logs and files, in "
            "seconds. Unset: the ResourceManager's --finished-pod-retention-seconds."
        ),
    ] = None
    ttl_seconds_after_finished: Annotated[
        Seconds | None,
        Field(
            "Seconds after its end at which it is deleted with its pods. Unset: only when "
            "more have ended than the ResourceManager's --max-completed-applications."
        ),
    ] = None
    fail_attempt: Annotated[
        str,
        Field(
            "The id of an attempt that is ended as failed; another one follows if "
            "maxAttempts allows. An id of another application's or a former attempt does "
            "nothing.",
            maxLength=80,
            pattern=_ATTEMPT_ID,
        ),
    ] = ""
    signals: Annotated[
        tuple[SignalSpec, ...],
        Field(
            "Signals to its containers. status.signals says what became of each.",
            maxItems=256,
            **listed_by("containerId", "command"),
        ),
    ] = ()
    desired_state: Annotated[
        DesiredState, Field("Killed ends the application; that cannot be undone.")
    ] = DesiredState.RUNNING
    application_master: Annotated[
        ApplicationMasterSpec | None,
        Field("How the ApplicationMaster is launched. Unset: only with unmanagedAM."),
    ] = None


class AttemptStatus(Fields, frozen=True):
    """One start of the ApplicationMaster (Hadoop: ApplicationAttemptReport)."""

    id: Annotated[
        str, Field("Its id, appattempt_<timestamp>_<application>_<attempt>.", maxLength=80)
    ]
    number: Annotated[int | None, Field("1 for the first attempt.", minimum=1)] = None
    state: Annotated[AttemptState, Reported("Its state, in YARN's words.")] = AttemptState.NEW
    container_id: Annotated[str, Reported("The ApplicationMaster's container.", maxLength=80)] = ""
    pod: Annotated[Line, Reported("The ApplicationMaster's pod.")] = ""
    node: Annotated[Line, Reported("The node it runs on.")] = ""
    start_time: Annotated[Time, Reported("When the attempt began.")] = ""
    finish_time: Annotated[Time, Reported("When it ended.")] = ""
    exit_status: Annotated[
        int | None,
        Field(
            "How the ApplicationMaster's container ended: the process's exit code, or a "
            "negative number of YARN's ContainerExitStatus.",
            minimum=-(2**31),
            maximum=2**31 - 1,
        ),
    ] = None
    diagnostics: Annotated[Diagnostics, Reported("What went wrong, in words.")] = ""


class UnmanagedMaster(Fields, frozen=True):
    """How an ApplicationMaster that runs elsewhere proves whose it is."""

    secret: Annotated[
        Line,
        Reported(
            "The Secret in the application's namespace with its token (token) and the AM "
            "service's address (KUBEYARN_RM)."
        ),
    ] = ""
    token_digest: Annotated[str, Reported("The SHA-256 of the token.", maxLength=64)] = ""


class LifetimeStatus(Fields, frozen=True):
    """How long it may live (Hadoop: ApplicationTimeout)."""

    seconds: Annotated[Seconds, Field("Seconds since its submission; 0: for ever.")] = 0
    expiry_time: Annotated[Time, Reported("When it is killed.")] = ""


class UsageStatus(Fields, frozen=True):
    """What its containers that ended have used (Hadoop: ApplicationResourceUsageReport)."""

    memory_seconds: Annotated[
        int, Reported("Memory held times seconds, in MiB seconds.", minimum=0)
    ] = 0
    vcore_seconds: Annotated[int, Reported("Cores held times seconds.", minimum=0)] = 0
    preempted_memory_seconds: Annotated[
        int, Reported("The part of memorySeconds of containers that were taken back.", minimum=0)
    ] = 0
    preempted_vcore_seconds: Annotated[
        int, Reported("The part of vcoreSeconds of containers that were taken back.", minimum=0)
    ] = 0
    preempted_containers: Annotated[
        Count, Reported("Containers taken back for other queues or applications.")
    ] = 0


class YarnApplicationStatus(Fields, frozen=True):
    """What became of the application, in YARN's words; the ResourceManager writes it."""

    observed_generation: ObservedGeneration = None
    epoch: Annotated[
        Count | None,
        Field(
            # One that lost its Lease may have writes under way, and would count again what its
            # successor has counted, or give another id.
            "The epoch of the ResourceManager that wrote last. One that led before, and has not "
            "noticed yet, is refused.",
            **rules(
                rule(
                    "self >= oldSelf",
                    "a ResourceManager of a later epoch leads and has written already",
                )
            ),
        ),
    ] = None
    application_id: Annotated[
        str,
        Reported(
            "Its id, application_<timestamp>_<number>; given once.",
            maxLength=80,
            **rules(rule("self == oldSelf", "an application's id is given once")),
        ),
    ] = ""
    state: Annotated[
        ApplicationState,
        Reported(
            "NEW: seen. SUBMITTED: has an id. ACCEPTED: taken by a queue, waits for its "
            "ApplicationMaster. RUNNING: the ApplicationMaster has registered. FINISHED, "
            "FAILED, KILLED: ended.",
            enum=[state.value for state in PUBLIC_STATES],
        ),
    ] = ApplicationState.NEW
    final_status: Annotated[
        FinalStatus,
        Reported("How it ended, as the ApplicationMaster said; UNDEFINED until then."),
    ] = FinalStatus.UNDEFINED
    progress: Annotated[
        int,
        Reported(
            "How far it is, in percent, as the ApplicationMaster said.", minimum=0, maximum=100
        ),
    ] = 0
    queue: Annotated[QueueName, Reported("The leaf queue that took it: full path.")] = ""
    user: Annotated[str, Reported("Whose application it is.", maxLength=253)] = ""
    priority: Annotated[Count | None, Field("The priority in force.")] = None
    tracking_url: Annotated[
        str, Reported("Where the ApplicationMaster shows its work.", maxLength=2048)
    ] = ""
    host: Annotated[Line, Reported("Where the ApplicationMaster listens for clients.")] = ""
    rpc_port: Annotated[
        int, Reported("The port it listens on; -1: none.", minimum=-1, maximum=65535)
    ] = -1
    unmanaged_am: Annotated[
        UnmanagedMaster | None,
        Field("Only with unmanagedAM: where its ApplicationMaster finds its token."),
    ] = None
    diagnostics: Annotated[Diagnostics, Reported("Why it waits, or what went wrong, in words.")] = (
        ""
    )
    start_time: Annotated[Time, Reported("When it was submitted.")] = ""
    launch_time: Annotated[Time, Reported("When its first attempt was launched.")] = ""
    finish_time: Annotated[Time, Reported("When it ended.")] = ""
    attempts: Annotated[
        tuple[AttemptStatus, ...],
        Reported("Its attempts, first to last.", maxItems=100, **listed_by("id")),
    ] = ()
    signals: Annotated[
        tuple[SignalStatus, ...],
        Reported(
            "The signals of spec.signals that were sent or refused.",
            maxItems=256,
            **listed_by("containerId", "command"),
        ),
    ] = ()
    lifetime: Annotated[
        LifetimeStatus | None, Field("Its lifetime in force, by its spec and its queue.")
    ] = None
    allocated: Annotated[
        ShownAmounts, Reported("What it holds now: containers, and how much of each resource.")
    ] = NOTHING
    usage: Annotated[
        UsageStatus, Reported("What it has used over its life, by its containers that have ended.")
    ] = UsageStatus()
    conditions: Annotated[
        tuple[Condition, ...],
        conditions_of(
            "Accepted: a queue took it. Running: its ApplicationMaster is registered; when "
            "false the message says what it waits for. Finished: it ended. ChangesApplied: "
            "nothing that was changed while it lives was refused. AllFieldsActing: "
            "everything its spec says is acted on."
        ),
    ] = ()


class YarnApplication(Resource, frozen=True):
    """An application: who wants what to run where, and what became of it. Its ApplicationMaster
    is launched in a container of the queue, and asks for further containers as it goes.
    """

    spec: Annotated[YarnApplicationSpec, Field("What is submitted. Kill it with desiredState.")]
    status: Annotated[
        YarnApplicationStatus,
        Reported("What became of it, in YARN's words. The ResourceManager writes it."),
    ] = YarnApplicationStatus()

    def submission(self, types: ResourceTypes) -> Application:
        """What the scheduler needs to know of an application that has got its id.

        Raises:
            SpecError: a field says nothing that can be acted on, or there is no id yet.
        """
        spec, identity = self.spec, ApplicationId.parse(self.status.application_id)
        return Application(
            id=identity,
            # The status first: it was taken at submission, and stays whoever the spec names later.
            user=self.status.user or spec.user,
            queue=spec.queue,
            # Groups of Kubernetes' own, such as system:authenticated, are no groups of YARN's.
            groups=tuple(group for group in spec.user_groups if not group.startswith("system:")),
            name=spec.application_name or self.metadata.name,
            priority=None
            if spec.priority is None
            else field_reader.count(spec.priority, "spec.priority"),
            am_size=None if spec.unmanaged_am else self.am_size(types),
            partition=spec.partition,
            tags=spec.tags,
            # Hadoop orders applications by id. The id is given when the ResourceManager first sees
            # an application, so the order survives restarts of the scheduler and does not follow
            # names.
            order=identity.number,
            submitted_ms=times.milliseconds(self.metadata.creation_timestamp),
        )

    def am_size(self, types: ResourceTypes) -> Vector:
        """The size of its ApplicationMaster, with YARN's defaults where it names none.

        Raises:
            SpecError: no quantity, zero, or a resource that the cluster does not know.
        """
        master = self.spec.application_master
        named = {} if master is None else master.resources
        field = "spec.applicationMaster.resources"
        return amounts.positive_vector({**defaults.AM_RESOURCES, **named}, field, types)

"""YarnApplication: a submission, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from kubeyarn.crd import defaults
from kubeyarn.crd.fields import (
    AS_ONE,
    AS_SET,
    Count,
    Diagnostics,
    Fields,
    Line,
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


class DesiredState(StrEnum):
    """What the user wants of the application."""

    RUNNING = "Running"
    KILLED = "Killed"


class ApplicationState(StrEnum):
    """Hadoop's YarnApplicationState, in its own words."""

    NEW = "NEW"
    NEW_SAVING = "NEW_SAVING"
    SUBMITTED = "SUBMITTED"
    ACCEPTED = "ACCEPTED"
    RUNNING = "RUNNING"
    FINISHED = "FINISHED"
    FAILED = "FAILED"
    KILLED = "KILLED"


class FinalStatus(StrEnum):
    """Hadoop's FinalApplicationStatus, in its own words."""

    UNDEFINED = "UNDEFINED"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    KILLED = "KILLED"
    ENDED = "ENDED"


class AttemptState(StrEnum):
    """Hadoop's YarnApplicationAttemptState, in its own words."""

    NEW = "NEW"
    SUBMITTED = "SUBMITTED"
    SCHEDULED = "SCHEDULED"
    ALLOCATED_SAVING = "ALLOCATED_SAVING"
    ALLOCATED = "ALLOCATED"
    LAUNCHED = "LAUNCHED"
    FAILED = "FAILED"
    RUNNING = "RUNNING"
    FINISHING = "FINISHING"
    FINISHED = "FINISHED"
    KILLED = "KILLED"


class SignalCommand(StrEnum):
    """What is done to a container (Hadoop: SignalContainerCommand)."""

    OUTPUT_THREAD_DUMP = "OutputThreadDump"
    GRACEFUL_SHUTDOWN = "GracefulShutdown"
    FORCEFUL_SHUTDOWN = "ForcefulShutdown"


class Signal(Fields):
    """A signal to a container, sent once."""

    container_id: Annotated[str, Field(min_length=1, max_length=80)] = Field(
        description="The container's id, container_<timestamp>_<application>_<attempt>_<number>."
    )
    command: SignalCommand = Field(
        SignalCommand.OUTPUT_THREAD_DUMP,
        description="OutputThreadDump: SIGQUIT to its first process. GracefulShutdown: it is "
        "stopped with its grace period, exit status 143. ForcefulShutdown: it is killed, 137.",
    )
    serial: Annotated[int, Field(ge=1, le=2**31 - 1)] = Field(
        1, description="Another number sends the signal again."
    )


class SentSignal(Signal):
    """What became of a signal."""

    sent: bool = Field(False, description="Whether it was sent.")
    time: Time | None = Field(None, description="When it was sent or refused.")
    message: Diagnostics | None = Field(None, description="Why it was not sent.")


class Protocol(StrEnum):
    """How an ApplicationMaster speaks."""

    HTTP = "Http"
    OBJECTS = "Objects"


class ApplicationMaster(Launch):
    """How the ApplicationMaster is launched, in container 1 of each attempt."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "has(self.image) || has(self.template)",
                "image: found none, allowed: an image such as example.org/my-am:1.0, or a "
                "template that names one",
            )
        )
    )

    resources: PositiveAmounts = Field(
        dict(defaults.AM_RESOURCES), description="The size of the ApplicationMaster's container."
    )
    protocol: Protocol = Field(
        Protocol.HTTP,
        description="Http: it registers, asks and unregisters at the AM service. Objects: it calls "
        "nobody, is registered while it runs, asks by ContainerRequests, and unregisters by the "
        "annotation kubeyarn.io/final-status or by exiting with 0.",
    )


def _frozen(*fields: str) -> list[dict[str, object]]:
    return [
        rule(
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
        "oldSelf.user == '' || self.user == oldSelf.user",
        "user cannot be changed once submitted: kill the application and submit another",
    ),
    rule(
        "!has(oldSelf.userGroups) || oldSelf.userGroups.size() == 0 || "
        "(has(self.userGroups) && self.userGroups == oldSelf.userGroups)",
        "userGroups cannot be changed once submitted: kill the application and submit another",
    ),
    rule(
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


class YarnApplicationSpec(Fields):
    """What is submitted (Hadoop: ApplicationSubmissionContext)."""

    model_config = ConfigDict(json_schema_extra=rules(*_SPEC_RULES))

    application_name: Annotated[str, Field(max_length=253)] = Field(
        "", description="A name for people; several may have the same. Empty: metadata.name."
    )
    application_type: Annotated[str, Field(max_length=20)] = Field(
        "YARN", description="What kind of application it is, such as YARN, SPARK or MAPREDUCE."
    )
    tags: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default=[],
        max_length=10,
        description="Words to find it by.",
        json_schema_extra=AS_SET,
    )
    queue: QueueName = Field(
        "",
        description="The leaf queue that serves it: the full path, or the last part of it when no "
        "other leaf is called so. Empty: root.default, unless a placement rule says otherwise.",
    )
    user: Annotated[str, Field(max_length=253)] = Field(
        "",
        description="Whose application it is. Set from the request; naming somebody else needs "
        "the right to submit for others (verb submitfor on yarnapplications).",
    )
    user_groups: list[Annotated[str, Field(min_length=1, max_length=1024)]] = Field(
        default=[],
        max_length=1024,
        description="The user's groups. Set from the request, for roles that are bound to groups "
        "and for placement rules; root's cluster.userGroups says otherwise for users it lists.",
        json_schema_extra=AS_ONE,
    )
    priority: Count | None = Field(
        None,
        description="Its priority in the queue; higher is served first. Unset: the queue's "
        "defaultApplicationPriority.",
    )
    partition: PartitionName | None = Field(
        None,
        description="The partition of its containers; an empty string is the nodes without a "
        "partition. Unset: the queue's defaultPartition.",
    )
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        2,
        description="How often the ApplicationMaster is started before the application fails, at "
        "most as often as the ResourceManager's --am-max-attempts says. An ApplicationMaster that "
        "was preempted or whose node or pod was lost does not count, unless it is the only one.",
    )
    attempt_failures_validity_interval_seconds: Seconds = Field(
        0, description="Failed attempts older than this do not count, in seconds; 0: all count."
    )
    keep_containers_across_attempts: bool = Field(
        False,
        description="Whether running containers that the ApplicationMaster asked for outlive it "
        "when it fails and are handed to the next attempt. Containers of ContainerRequests written "
        "by hand always do.",
    )
    unmanaged_am: bool = Field(
        False,
        description="The ApplicationMaster runs elsewhere and is not launched: the application "
        "waits in ACCEPTED until somebody registers with the token in the Secret that "
        "status.unmanagedAM names. There is one attempt.",
    )
    lifetime_seconds: Seconds = Field(
        0,
        description="Seconds after its submission when it is killed; 0: the queue's default. Of "
        "one that lives it may be changed to an end in the future.",
    )
    delete_delay_seconds: Seconds | None = Field(
        None,
        description="How long pods of its ended containers are kept, for their logs and files, in "
        "seconds. Unset: the ResourceManager's --finished-pod-retention-seconds.",
    )
    ttl_seconds_after_finished: Seconds | None = Field(
        None,
        description="Seconds after its end at which it is deleted with its pods. Unset: only when "
        "more have ended than the ResourceManager's --max-completed-applications.",
    )
    fail_attempt: Annotated[str, Field(max_length=80, pattern=_ATTEMPT_ID)] = Field(
        "",
        description="The id of an attempt that is ended as failed; another one follows if "
        "maxAttempts allows. An id of another application's or a former attempt does nothing.",
    )
    signals: list[Signal] = Field(
        default=[],
        max_length=256,
        description="Signals to its containers. status.signals says what became of each.",
        json_schema_extra=listed_by("containerId", "command"),
    )
    desired_state: DesiredState = Field(
        DesiredState.RUNNING, description="Killed ends the application; that cannot be undone."
    )
    application_master: ApplicationMaster | None = Field(
        None,
        description="How the ApplicationMaster is launched. Unset: only with unmanagedAM.",
    )


class Attempt(Fields):
    """One start of the ApplicationMaster (Hadoop: ApplicationAttemptReport)."""

    id: Annotated[str, Field(max_length=80)] = Field(
        description="Its id, appattempt_<timestamp>_<application>_<attempt>."
    )
    number: Annotated[int, Field(ge=1)] | None = Field(None, description="1 for the first attempt.")
    state: AttemptState | None = Field(None, description="Its state, in YARN's words.")
    container_id: Annotated[str, Field(max_length=80)] | None = Field(
        None, description="The ApplicationMaster's container."
    )
    pod: Line | None = Field(None, description="The ApplicationMaster's pod.")
    node: Line | None = Field(None, description="The node it runs on.")
    start_time: Time | None = Field(None, description="When the attempt began.")
    finish_time: Time | None = Field(None, description="When it ended.")
    exit_status: int | None = Field(
        None,
        ge=-(2**31),
        le=2**31 - 1,
        description="How the ApplicationMaster's container ended: the process's exit code, or a "
        "negative number of YARN's ContainerExitStatus.",
    )
    diagnostics: Diagnostics | None = Field(None, description="What went wrong, in words.")


class UnmanagedMaster(Fields):
    """How an ApplicationMaster that runs elsewhere proves whose it is."""

    secret: Line | None = Field(
        None,
        description="The Secret in the application's namespace with its token (token) and the AM "
        "service's address (KUBEYARN_RM).",
    )
    token_digest: Annotated[str, Field(max_length=64)] | None = Field(
        None, description="The SHA-256 of the token."
    )


class Lifetime(Fields):
    """How long it may live (Hadoop: ApplicationTimeout)."""

    seconds: Seconds = Field(0, description="Seconds since its submission; 0: for ever.")
    expiry_time: Time | None = Field(None, description="When it is killed.")


class Usage(Fields):
    """What its containers that ended have used (Hadoop: ApplicationResourceUsageReport)."""

    memory_seconds: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Memory held times seconds, in MiB seconds."
    )
    vcore_seconds: Annotated[int, Field(ge=0)] | None = Field(
        None, description="Cores held times seconds."
    )
    preempted_memory_seconds: Annotated[int, Field(ge=0)] | None = Field(
        None, description="The part of memorySeconds of containers that were taken back."
    )
    preempted_vcore_seconds: Annotated[int, Field(ge=0)] | None = Field(
        None, description="The part of vcoreSeconds of containers that were taken back."
    )
    preempted_containers: Count | None = Field(
        None, description="Containers taken back for other queues or applications."
    )


class YarnApplicationStatus(Fields):
    """What became of the application, in YARN's words; the ResourceManager writes it."""

    observed_generation: ObservedGeneration = None
    application_id: Annotated[str, Field(max_length=80)] | None = Field(
        None, description="Its id, application_<timestamp>_<number>."
    )
    state: ApplicationState | None = Field(
        None,
        description="NEW: seen. SUBMITTED: has an id. ACCEPTED: taken by a queue, waits for its "
        "ApplicationMaster. RUNNING: the ApplicationMaster has registered. FINISHED, FAILED, "
        "KILLED: ended.",
    )
    final_status: FinalStatus | None = Field(
        None, description="How it ended, as the ApplicationMaster said; UNDEFINED until then."
    )
    progress: Annotated[int, Field(ge=0, le=100)] | None = Field(
        None, description="How far it is, in percent, as the ApplicationMaster said."
    )
    queue: QueueName | None = Field(None, description="The leaf queue that took it: full path.")
    user: Annotated[str, Field(max_length=253)] | None = Field(
        None, description="Whose application it is."
    )
    priority: Count | None = Field(None, description="The priority in force.")
    tracking_url: Annotated[str, Field(max_length=2048)] | None = Field(
        None, description="Where the ApplicationMaster shows its work."
    )
    host: Line | None = Field(None, description="Where the ApplicationMaster listens for clients.")
    rpc_port: Annotated[int, Field(ge=-1, le=65535)] | None = Field(
        None, description="The port it listens on; -1: none."
    )
    unmanaged_am: UnmanagedMaster | None = Field(
        None, description="Only with unmanagedAM: where its ApplicationMaster finds its token."
    )
    diagnostics: Diagnostics | None = Field(
        None, description="Why it waits, or what went wrong, in words."
    )
    start_time: Time | None = Field(None, description="When it was submitted.")
    launch_time: Time | None = Field(None, description="When its first attempt was launched.")
    finish_time: Time | None = Field(None, description="When it ended.")
    attempts: list[Attempt] | None = Field(
        None,
        max_length=100,
        description="Its attempts, first to last.",
        json_schema_extra=listed_by("id"),
    )
    signals: list[SentSignal] | None = Field(
        None,
        max_length=256,
        description="The signals of spec.signals that were sent or refused.",
        json_schema_extra=listed_by("containerId", "command"),
    )
    lifetime: Lifetime | None = Field(
        None, description="Its lifetime in force, by its spec and its queue."
    )
    allocated: ShownAmounts | None = Field(
        None, description="What it holds now: containers, and how much of each resource."
    )
    usage: Usage | None = Field(
        None, description="What it has used over its life, by its containers that have ended."
    )
    conditions: list[Condition] | None = conditions(  # type: ignore[assignment]
        "Accepted: a queue took it. Running: its ApplicationMaster is registered; when false the "
        "message says what it waits for. Finished: it ended. ChangesApplied: nothing that was "
        "changed while it lives was refused. AllFieldsActing: everything its spec says is acted "
        "on."
    )


class YarnApplication(Fields):
    """An application: who wants what to run where, and what became of it. Its ApplicationMaster
    is launched in a container of the queue, and asks for further containers as it goes.
    """

    model_config = ConfigDict(alias_generator=camel, extra="allow")

    spec: YarnApplicationSpec = Field(description="What is submitted. Kill it with desiredState.")
    status: YarnApplicationStatus | None = Field(
        None, description="What became of it, in YARN's words. The ResourceManager writes it."
    )

"""What is seen of one application: the facts that its next state depends on.

`take_snapshot` collects everything that is cached or remembered of an application at one moment, so
that all that is decided in one reconciliation is decided on the same facts. `observe` turns it into
`lifecycle.progress.ObservedState`, the input of the state machines; it is pure.

Where an ApplicationMaster's container ends, several parties may say how: this process stopped it,
its pod's last word, the request's status, the policy that took it back. The order below is the
order of who knows best; it has to be the same as that of `request_plan`, or the attempt and the
request would record different exit statuses of one container.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from kubeyarn.cluster import names
from kubeyarn.crd import quantities
from kubeyarn.crd.conditions import ConditionStatus
from kubeyarn.crd.object import Key, Object
from kubeyarn.crd.yarn_application import DesiredState, YarnApplication
from kubeyarn.lifecycle.am_session import AMSession
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import Admission, ContainerExit, ObservedState
from kubeyarn.lifecycle.records import ApplicationRecord, AttemptRecord
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager import application_spec
from kubeyarn.resourcemanager.applications import annotation_protocol, lifetime
from kubeyarn.resourcemanager.applications.lifetime import LifetimeInForce
from kubeyarn.resourcemanager.cache import UnreadApplication
from kubeyarn.resourcemanager.pods.pod_state import HOPELESS, PULLING, PodState
from kubeyarn.resourcemanager.requests.container_exits import ContainerExits
from kubeyarn.resourcemanager.requests.request_view import RequestView
from kubeyarn.resourcemanager.settings import Settings

# After a restart of the ResourceManager its session is new, but the AM has registered long ago.
_REGISTERED = (AttemptState.RUNNING, AttemptState.FINISHING)


@dataclass(frozen=True, slots=True)
class ApplicationSnapshot:
    """Everything about one application that decides how it moves on.

    *raw* is the object as it came, to compare its status with what is to be written. *am_request*,
    *am_pod* and *am_ending* are those of the current attempt's AM, if they exist. *name_taken*:
    what of others has the name of its request, so that there is none. *unread* is a newer version
    of the object that cannot be decoded.
    """

    raw: Object
    application: YarnApplication
    am_request: RequestView | None
    am_pod: PodState | None
    am_ending: ContainerExit | None
    session: AMSession
    lifetime: LifetimeInForce = field(default_factory=lambda: LifetimeInForce(0))
    name_taken: str = ""
    unread: UnreadApplication | None = None

    @property
    def generation(self) -> int:
        """The newest version of its spec that was seen, read or not."""
        known = self.application.metadata.generation
        return known if self.unread is None else max(known, self.unread.generation)


def take_snapshot(
    key: Key,
    raw: Object,
    application: YarnApplication,
    record: ApplicationRecord,
    views: Iterable[RequestView],
    exits: ContainerExits,
    session: AMSession,
    in_force: LifetimeInForce,
    name_taken: str = "",
) -> ApplicationSnapshot:
    """What is known of an application now; *views* are its requests."""
    attempt = record.attempt
    # Before there is an attempt its request is there: the scheduler answers it, and an attempt
    # begins.
    wanted = names.am_request_name(key[1], attempt.id.number if attempt else 1)
    of_masters = (view for view in views if view.role == names.ROLE_AM)
    request = next((view for view in of_masters if view.name == wanted), None)
    container = _am_container(record, request)
    pod = exits.pods(key).get(container) if container else None
    ending = _am_ending(key, container, pod, request, exits)
    # Last: the process of a preempted container exits by a signal, and its pod tells only that.
    ending = preempted(request, container, ending)
    return ApplicationSnapshot(
        raw, application, request, pod, ending, session, in_force, name_taken
    )


def _am_ending(
    key: Key,
    container: ContainerId | None,
    pod: PodState | None,
    request: RequestView | None,
    exits: ContainerExits,
) -> ContainerExit | None:
    """How the AM's container ended; None while it lives or is not there yet."""
    if container is None:
        return None
    if pod is not None:
        # What we stop ends when its pod has, and not before.
        return (exits.stopped_as(container) or pod.ending) if pod.ending else None
    # A process that has just begun knows nothing itself: what is recorded counts.
    known = exits.of(key, container) or recorded_exit(request, container)
    if known is None and request is not None and container in request.launched:
        return ContainerExit(ExitStatus.ABORTED, "The ApplicationMaster's pod was deleted.")
    return known


def observe(
    snapshot: ApplicationSnapshot, record: ApplicationRecord, settings: Settings, now_ms: int
) -> ObservedState:
    """The facts of *snapshot* on which the next state of its application depends. Pure."""
    application, request, pod = snapshot.application, snapshot.am_request, snapshot.am_pod
    session = snapshot.session
    container = _am_container(record, request)
    # A grant that was taken back is no end of the attempt: the AM is granted anew elsewhere.
    revoked = am_revoked(record, request, pod)
    observed = ObservedState(
        attempt=record.attempt.id.number if record.attempt else 1,
        retry=application_spec.retry_rule(application, settings.am_max_attempts),
        # The record is saved by the same write that says it is submitted.
        saved=True,
        invalid=invalid(application),
        kill=killed(application),
        outlived=lifetime.outlived(record, snapshot.lifetime.seconds, now_ms),
        # Nobody can grant what cannot be asked for.
        fail=snapshot.name_taken or failed_by_user(application, record),
        unmanaged=application.spec.unmanaged_am,
        admission=(
            Admission(refused=snapshot.name_taken) if snapshot.name_taken else admission(request)
        ),
        am_container=container,
        am_node=request.grants.get(container, "") if request and container else "",
        am_pod=names.pod_name(application.metadata.name, container) if container else "",
        am_running=bool(pod and pod.running),
        am_ending=None if revoked else snapshot.am_ending,
        unlaunched=_refused(snapshot.am_ending),
        am_revoked=revoked,
        registered=session.registered,
        tracking_url=session.tracking_url,
        progress=session.progress if session.registered else None,
        unregistration=session.unregistration,
        expired=expired(snapshot, record, settings, now_ms),
    )
    if application_spec.speaks_in_objects(application):
        return _with_annotations(observed, application, record)
    return observed


def _with_annotations(
    observed: ObservedState, application: YarnApplication, record: ApplicationRecord
) -> ObservedState:
    """An AM that calls no service is registered while it runs; its annotations say the rest."""
    ending = observed.am_ending
    ended_well = ending is not None and ending.exit_status == 0
    return replace(
        observed,
        registered=observed.am_running or ended_well,
        tracking_url=annotation_protocol.tracking_url(application),
        progress=annotation_protocol.progress(application),
        unregistration=annotation_protocol.unregistration(application, record.attempt_id, ending),
    )


def _refused(ending: ContainerExit | None) -> str:
    """What the API server had against a pod that it did not take."""
    never_ran = ending is not None and ending.exit_status == ExitStatus.INVALID
    return ending.diagnostics if ending is not None and never_ran else ""


def failed_by_user(application: YarnApplication, record: ApplicationRecord) -> str:
    """Why the current attempt is failed though its AM lives; "" when its user does not want that.

    Source: Hadoop ClientRMService.failApplicationAttempt.
    """
    wanted = application.spec.fail_attempt
    return "Attempt failed by its user." if wanted == str(record.attempt_id) else ""


def killed(application: YarnApplication) -> bool:
    """Whether the user wants the application ended."""
    wanted = application.spec.desired_state is DesiredState.KILLED
    return wanted or bool(application.metadata.deletion_timestamp)


def invalid(application: YarnApplication) -> str:
    """What is wrong with a spec beyond what the CRD checks; empty when nothing is."""
    if application.spec.unmanaged_am:
        return ""
    am = application.spec.application_master
    asked = am.resources if am is not None else {}
    try:
        size = quantities.amounts(asked, "spec.applicationMaster.resources")
    except SpecError as error:
        return str(error)
    for name, amount in size.items():
        if amount <= 0:
            return (
                f"spec.applicationMaster.resources.{name}: found {asked[name]!r}, "
                "allowed: more than 0"
            )
    if not application_spec.am_image(application):
        return (
            "spec.applicationMaster.image: found nothing, needed: the image of the "
            "ApplicationMaster, here or in template.spec.containers[0].image"
        )
    return ""


def admission(request: RequestView | None) -> Admission | None:
    """The scheduler's answer to the AM's request; None while it has not answered."""
    accepted = request.condition("Accepted") if request else None
    if request is None or accepted is None or accepted.status is ConditionStatus.UNKNOWN:
        return None
    if accepted.status is ConditionStatus.TRUE:
        return Admission(queue=request.queue)
    return Admission(refused=f"{accepted.reason}: {accepted.message}")


def expired(
    snapshot: ApplicationSnapshot, record: ApplicationRecord, settings: Settings, now_ms: int
) -> str:
    """Why the AM is given up: it cannot start, or has not called for too long."""
    attempt, pod = record.attempt, snapshot.am_pod
    if attempt is not None and snapshot.application.spec.unmanaged_am:
        return _unmanaged_expired(snapshot, attempt, settings, now_ms)
    if attempt is None or attempt.container is None:
        return ""
    if pod is not None and pod.waiting is not None and not pod.running:
        reason, message = pod.waiting
        # A registry that cannot be reached may be back in a minute; a name that does not exist
        # stays so.
        waited_s = (now_ms - pod.created_ms) / 1000
        grace_s = settings.image_pull_grace_s if reason in PULLING else 0
        if reason in HOPELESS or (reason in PULLING and waited_s > grace_s):
            return f"The ApplicationMaster's container cannot start: {reason}: {message}"
    if application_spec.speaks_in_objects(snapshot.application) and attempt.state in _REGISTERED:
        return _lingering(record, settings, now_ms)
    if snapshot.session.registered or attempt.state in _REGISTERED:
        silent_s = (now_ms - snapshot.session.last_heard_ms) / 1000
        if silent_s > settings.am_expiry_s:
            return f"The ApplicationMaster has not called for {silent_s:.0f} s."
    elif pod is not None and (now_ms - pod.created_ms) / 1000 > settings.launch_expiry_s:
        return (
            "The ApplicationMaster has not registered within "
            f"{settings.launch_expiry_s} s after its pod was made."
        )
    return ""


def _lingering(record: ApplicationRecord, settings: Settings, now_ms: int) -> str:
    """An AM that calls no service lives while its pod runs; once unregistered, it has to exit."""
    over = record.state is ApplicationState.FINISHING
    if over and now_ms - record.finish_ms > settings.am_expiry_s * 1000:
        return "The ApplicationMaster has unregistered and not exited."
    return ""


def _unmanaged_expired(
    snapshot: ApplicationSnapshot, attempt: AttemptRecord, settings: Settings, now_ms: int
) -> str:
    """An unmanaged AM has no launch to count from: its time begins with its attempt."""
    since = max(attempt.start_ms, snapshot.session.last_heard_ms)
    silent_s = (now_ms - since) / 1000
    if silent_s <= settings.am_expiry_s:
        return ""
    if snapshot.session.registered or attempt.state in _REGISTERED:
        return f"The ApplicationMaster has not called for {silent_s:.0f} s."
    return f"No ApplicationMaster has registered within {settings.am_expiry_s} s."


def _am_container(record: ApplicationRecord, request: RequestView | None) -> ContainerId | None:
    """The AM's container: the recorded one, or the first that its request was granted."""
    if record.attempt is not None and record.attempt.container is not None:
        return record.attempt.container
    if request is None:
        return None
    return min((*request.grants, *request.completed), default=None)


def am_revoked(
    record: ApplicationRecord, request: RequestView | None, pod: PodState | None
) -> bool:
    """Whether the scheduler took the AM's grant back before its pod was bound."""
    container = record.attempt.container if record.attempt else None
    if request is None or container is None or (pod is not None and pod.node):
        return False
    return container not in request.grants and container not in request.completed


def preempted(
    request: RequestView | None, container: ContainerId | None, ending: ContainerExit | None
) -> ContainerExit | None:
    """How the AM ended, as YARN has it where the policy took its container back."""
    if request is None or container is None or ending is None or ending.exit_status == 0:
        return ending
    kill, why = request.preempting.get(container, (False, ""))
    return ContainerExit(ExitStatus.PREEMPTED, why) if kill else ending


def recorded_exit(
    request: RequestView | None, container: ContainerId | None
) -> ContainerExit | None:
    """How the AM's container ended, when that is recorded."""
    if request is None or container is None:
        return None
    done = request.completed.get(container)
    if done is not None:
        return ContainerExit(done.exit_status, done.diagnostics)
    if container not in request.grants:
        return ContainerExit(ExitStatus.ABORTED, "The ApplicationMaster's container is gone.")
    return None

"""From Kubernetes objects to the facts that an application's next state depends on. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kubeyarn.cluster import names
from kubeyarn.crd import quantities
from kubeyarn.crd.object import Object
from kubeyarn.lifecycle import retry
from kubeyarn.lifecycle.am_session import AMSession
from kubeyarn.lifecycle.application import ApplicationState
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import Admission, Ending, Facts
from kubeyarn.lifecycle.records import ApplicationRecord, AttemptRecord
from kubeyarn.lifecycle.retry import RetryRule
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.applications import annotation_protocol, spec_changes
from kubeyarn.resourcemanager.applications.lifetime import InForce
from kubeyarn.resourcemanager.pods.pod_state import HOPELESS, PULLING, PodFacts
from kubeyarn.resourcemanager.requests.request_view import RequestView
from kubeyarn.resourcemanager.settings import Settings

# After a restart of the ResourceManager its session is new, but the AM has registered long ago.
_REGISTERED = (AttemptState.RUNNING, AttemptState.FINISHING)


@dataclass(frozen=True, slots=True)
class Seen:
    """Everything about one application that decides how it moves on."""

    application: Object
    am_request: RequestView | None
    am_pod: PodFacts | None
    am_ending: Ending | None
    session: AMSession
    lifetime: InForce = field(default_factory=lambda: InForce(0))


def facts(seen: Seen, record: ApplicationRecord, settings: Settings, now_ms: int) -> Facts:
    """What is seen of an application now."""
    request, pod, session = seen.am_request, seen.am_pod, seen.session
    container = _am_container(record, request)
    name = seen.application["metadata"]["name"]
    revoked = am_revoked(record, request, pod)
    found = Facts(
        attempt=record.attempt.id.number if record.attempt else 1,
        retry=retry_rule(seen.application, settings),
        saved=True,
        invalid=invalid(seen.application),
        kill=killed(seen.application),
        fail=spec_changes.fail(seen.application, record),
        unmanaged=unmanaged(seen.application),
        admission=admission(request),
        am_container=container,
        am_node=request.grants.get(container, "") if request and container else "",
        am_pod=names.pod_name(name, container) if container else "",
        am_running=bool(pod and pod.running),
        am_ending=None if revoked else seen.am_ending,
        unlaunched=_refused(seen.am_ending),
        am_revoked=revoked,
        registered=session.registered,
        tracking_url=session.tracking_url,
        progress=session.progress if session.registered else None,
        unregistration=session.unregistration,
        expired=expired(seen, record, settings, now_ms),
    )
    return (
        _said_in_objects(found, seen, record)
        if annotation_protocol.in_objects(seen.application)
        else found
    )


def _said_in_objects(found: Facts, seen: Seen, record: ApplicationRecord) -> Facts:
    """Of an AM that calls nobody: it is registered while it runs, and its word is annotations."""
    application, ending = seen.application, found.am_ending
    ended_well = ending is not None and ending.exit_status == 0
    return replace(
        found,
        registered=found.am_running or ended_well,
        tracking_url=annotation_protocol.tracking_url(application),
        progress=annotation_protocol.progress(application),
        unregistration=annotation_protocol.unregistration(application, record.attempt_id, ending),
    )


def retry_rule(application: Object, settings: Settings) -> RetryRule:
    """How often the application's AM is started: as it asks, and at most as the cluster allows."""
    spec = application["spec"]
    if unmanaged(application):
        return RetryRule()
    asked = int(spec.get("maxAttempts") or 0)
    validity_s = int(spec.get("attemptFailuresValidityIntervalSeconds") or 0)
    return RetryRule(retry.resolved(asked, settings.am_max_attempts), validity_s * 1000)


def unmanaged(application: Object) -> bool:
    """Whether its AM runs elsewhere and is not launched."""
    return bool(application["spec"].get("unmanagedAM"))


def _refused(ending: Ending | None) -> str:
    """What the API server had against a pod that it did not take."""
    never_ran = ending is not None and ending.exit_status == ExitStatus.INVALID
    return ending.diagnostics if ending is not None and never_ran else ""


def killed(application: Object) -> bool:
    """Whether the user wants it ended."""
    wanted = application["spec"].get("desiredState") == "Killed"
    return wanted or "deletionTimestamp" in application["metadata"]


def invalid(application: Object) -> str:
    """What is wrong with a spec beyond what the CRD checks; empty when nothing is."""
    spec = application["spec"]
    master = spec.get("applicationMaster") or {}
    if unmanaged(application):
        return ""
    try:
        sizes = quantities.amounts(
            master.get("resources") or {}, "spec.applicationMaster.resources"
        )
    except SpecError as error:
        return str(error)
    for name, amount in sizes.items():
        if amount <= 0:
            return (
                f"spec.applicationMaster.resources.{name}: found {master['resources'][name]!r}, "
                "allowed: more than 0"
            )
    containers = ((master.get("template") or {}).get("spec") or {}).get("containers") or [{}]
    if not master.get("image") and not containers[0].get("image"):
        return (
            "spec.applicationMaster.image: found nothing, needed: the image of the "
            "ApplicationMaster, here or in template.spec.containers[0].image"
        )
    return ""


def admission(request: RequestView | None) -> Admission | None:
    """The scheduler's answer, once it is about this generation of the AM's request."""
    accepted = condition(request, "Accepted")
    if request is None or accepted is None or accepted["status"] == "Unknown":
        return None
    if accepted["status"] == "True":
        return Admission(queue=str(request.status.get("queue") or ""))
    return Admission(refused=f"{accepted['reason']}: {accepted.get('message', '')}")


def condition(request: RequestView | None, kind: str) -> Object | None:
    """One condition of a request."""
    conditions: Sequence[Object] = request.status.get("conditions") or () if request else ()
    return next((c for c in conditions if c.get("type") == kind), None)


def expired(seen: Seen, record: ApplicationRecord, settings: Settings, now_ms: int) -> str:
    """Why the AM is given up: it cannot start, or has not called for too long."""
    attempt, pod = record.attempt, seen.am_pod
    if attempt is not None and unmanaged(seen.application):
        return _unmanaged_expired(seen, attempt, settings, now_ms)
    if attempt is None or attempt.container is None:
        return ""
    if pod is not None and pod.waiting is not None and not pod.running:
        reason, message = pod.waiting
        waited_s = (now_ms - pod.created_ms) / 1000
        grace_s = settings.image_pull_grace_s if reason in PULLING else 0
        if reason in HOPELESS or (reason in PULLING and waited_s > grace_s):
            return f"The ApplicationMaster's container cannot start: {reason}: {message}"
    if annotation_protocol.in_objects(seen.application) and attempt.state in _REGISTERED:
        return _lingering(record, settings, now_ms)
    if seen.session.registered or attempt.state in _REGISTERED:
        silent_s = (now_ms - seen.session.last_heard_ms) / 1000
        if silent_s > settings.am_expiry_s:
            return f"The ApplicationMaster has not called for {silent_s:.0f} s."
    elif pod is not None and (now_ms - pod.created_ms) / 1000 > settings.launch_expiry_s:
        return (
            "The ApplicationMaster has not registered within "
            f"{settings.launch_expiry_s} s after its pod was made."
        )
    return ""


def _lingering(record: ApplicationRecord, settings: Settings, now_ms: int) -> str:
    """Who calls nobody is heard by its process alone; after it unregistered that has to end."""
    over = record.state is ApplicationState.FINISHING
    if over and now_ms - record.finish_ms > settings.am_expiry_s * 1000:
        return "The ApplicationMaster has unregistered and not exited."
    return ""


def _unmanaged_expired(seen: Seen, attempt: AttemptRecord, settings: Settings, now_ms: int) -> str:
    """As a managed one: from its launch on, which here is the attempt's beginning."""
    since = max(attempt.start_ms, seen.session.last_heard_ms)
    silent_s = (now_ms - since) / 1000
    if silent_s <= settings.am_expiry_s:
        return ""
    if seen.session.registered or attempt.state in _REGISTERED:
        return f"The ApplicationMaster has not called for {silent_s:.0f} s."
    return f"No ApplicationMaster has registered within {settings.am_expiry_s} s."


def _am_container(record: ApplicationRecord, request: RequestView | None) -> ContainerId | None:
    if record.attempt is not None and record.attempt.container is not None:
        return record.attempt.container
    if request is None:
        return None
    return min((*request.grants, *request.completed), default=None)


def am_revoked(
    record: ApplicationRecord, request: RequestView | None, pod: PodFacts | None
) -> bool:
    """Whether the scheduler took the AM's grant back before its pod was bound."""
    container = record.attempt.container if record.attempt else None
    if request is None or container is None or (pod is not None and pod.node):
        return False
    return container not in request.grants and container not in request.completed


def preempted(
    request: RequestView | None, container: ContainerId | None, ending: Ending | None
) -> Ending | None:
    """How the AM ended, as YARN has it where the policy took its container back."""
    if request is None or container is None or ending is None or ending.exit_status == 0:
        return ending
    kill, why = request.preempting.get(container, (False, ""))
    return Ending(ExitStatus.PREEMPTED, why) if kill else ending


def am_ending(request: RequestView | None, container: ContainerId | None) -> Ending | None:
    """How the AM's container ended, when that is recorded."""
    if request is None or container is None:
        return None
    done = request.completed.get(container)
    if done is not None:
        return Ending(done.exit_status, done.diagnostics)
    if container not in request.grants:
        return Ending(ExitStatus.ABORTED, "The ApplicationMaster's container is gone.")
    return None

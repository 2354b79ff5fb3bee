"""What the spec of a YarnApplication says, where more than one part of the ResourceManager asks."""

from __future__ import annotations

from kubeyarn.crd.object import Object
from kubeyarn.lifecycle import retry
from kubeyarn.lifecycle.retry import RetryRule
from kubeyarn.resourcemanager.settings import Settings


def am_of(application: Object) -> Object:
    """How the application's ApplicationMaster is launched (Hadoop: the AM's CLC)."""
    am: Object = application["spec"].get("applicationMaster") or {}
    return am


def am_image(application: Object) -> str:
    """The image of the application's AM, which its containers have unless they say another."""
    am = am_of(application)
    containers = ((am.get("template") or {}).get("spec") or {}).get("containers") or [{}]
    return str(am.get("image") or containers[0].get("image") or "")


def unmanaged(application: Object) -> bool:
    """Whether the application's AM runs elsewhere and is not launched (Hadoop: unmanaged AM)."""
    return bool(application["spec"].get("unmanagedAM"))


def speaks_in_objects(application: Object) -> bool:
    """Whether the application's AM never calls the AM service."""
    return am_of(application).get("protocol") == "Objects"


def keeps_containers(application: Object) -> bool:
    """Whether containers live on from attempt to attempt.

    Source: Hadoop ApplicationSubmissionContext.keepContainersAcrossApplicationAttempts.
    """
    return bool(application["spec"].get("keepContainersAcrossAttempts"))


def retry_rule(application: Object, settings: Settings) -> RetryRule:
    """How often the application's AM is started: as it asks, at most as the cluster allows."""
    spec = application["spec"]
    if unmanaged(application):
        return RetryRule()
    asked = int(spec.get("maxAttempts") or 0)
    validity_s = int(spec.get("attemptFailuresValidityIntervalSeconds") or 0)
    return RetryRule(retry.resolved(asked, settings.am_max_attempts), validity_s * 1000)

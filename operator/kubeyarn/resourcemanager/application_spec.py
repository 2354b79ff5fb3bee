"""What the spec of a YarnApplication means, where more than one part of the process asks."""

from __future__ import annotations

from kubeyarn.crd.yarn_application import Protocol, YarnApplication
from kubeyarn.lifecycle import retry
from kubeyarn.lifecycle.retry import RetryRule
from kubeyarn.resourcemanager.settings import Settings


def am_image(application: YarnApplication) -> str:
    """The image of the application's AM, which its containers have unless they say another."""
    am = application.spec.application_master
    if am is None:
        return ""
    containers = ((am.template or {}).get("spec") or {}).get("containers") or [{}]
    return str(am.image or containers[0].get("image") or "")


def speaks_in_objects(application: YarnApplication) -> bool:
    """Whether the application's AM never calls the AM service."""
    am = application.spec.application_master
    return am is not None and am.protocol is Protocol.OBJECTS


def retry_rule(application: YarnApplication, settings: Settings) -> RetryRule:
    """How often the application's AM is started: as it asks, at most as the cluster allows."""
    spec = application.spec
    if spec.unmanaged_am:
        return RetryRule()
    validity_ms = spec.attempt_failures_validity_interval_seconds * 1000
    return RetryRule(retry.resolved(spec.max_attempts, settings.am_max_attempts), validity_ms)

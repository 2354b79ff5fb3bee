"""What the spec of a YarnApplication means, where more than one part of the process asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kubeyarn.crd.yarn_application import Protocol, YarnApplication
from kubeyarn.lifecycle import retry
from kubeyarn.lifecycle.retry import RetryRule


def am_image(application: YarnApplication) -> str:
    """The image of the application's AM, which its containers have unless they say another."""
    am = application.spec.application_master
    if am is None:
        return ""
    return am.image or _image_in(am.template or {})


def _image_in(template: Mapping[str, Any]) -> str:
    """The image that a template names; a template that is none is told when its pod is made."""
    spec = template.get("spec")
    containers = spec.get("containers") if isinstance(spec, Mapping) else None
    first = containers[0] if isinstance(containers, list | tuple) and containers else None
    return str(first.get("image") or "") if isinstance(first, Mapping) else ""


def speaks_in_objects(application: YarnApplication) -> bool:
    """Whether the application's AM never calls the AM service."""
    am = application.spec.application_master
    return am is not None and am.protocol is Protocol.OBJECTS


def retry_rule(application: YarnApplication, most_attempts: int) -> RetryRule:
    """How often the application's AM is started: as it asks, at most *most_attempts* times."""
    spec = application.spec
    if spec.unmanaged_am:
        return RetryRule()
    validity_ms = spec.attempt_failures_validity_interval_seconds * 1000
    return RetryRule(retry.resolved(spec.max_attempts, most_attempts), validity_ms)

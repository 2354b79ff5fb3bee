"""The environment of a container (Hadoop: ApplicationConstants.Environment, ContainerLaunch). Pure.

YARN's variables come first, so that what the user says may refer to them as `$(CONTAINER_ID)`, and
none of them can be said otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from kubeyarn.crd.object import Object
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.pods.directories import LOCAL_DIR, LOG_DIR, TOKEN_DIR

# The kubelet stands where the NodeManager stood, with one port for all it serves.
_KUBELET_PORT = "10250"


@dataclass(frozen=True, slots=True)
class AMContext:
    """What an ApplicationMaster is told of its application and of how to reach us."""

    submitted_ms: int
    max_attempts: int
    am_service: str


def variables(
    container: ContainerId,
    user: str,
    directory: str,
    am: AMContext | None,
    theirs: Iterable[Mapping[str, Any]],
) -> list[Object]:
    """All variables of a container in *directory*; *am* for an ApplicationMaster alone."""
    ours = _ours(container, user, directory, am)
    reserved = {variable["name"] for variable in ours}
    kept = [dict(v) for v in theirs if v.get("name") not in reserved]
    if not any(variable.get("name") == "HOME" for variable in kept):
        # A setting of YARN's NodeManager, so it may be said otherwise.
        ours.append({"name": "HOME", "value": LOCAL_DIR})
    return ours + kept


def _ours(container: ContainerId, user: str, directory: str, am: AMContext | None) -> list[Object]:
    plain = {
        "CONTAINER_ID": str(container),
        "APPLICATION_ID": str(container.attempt.application),
        "APP_ATTEMPT": str(container.attempt),
        "USER": user,
        "LOGNAME": user,
        "LOCAL_DIRS": LOCAL_DIR,
        "LOG_DIRS": LOG_DIR,
        "PWD": directory,
        "NM_PORT": _KUBELET_PORT,
        "NM_HTTP_PORT": _KUBELET_PORT,
    }
    if am is not None:
        plain |= {
            "APP_SUBMIT_TIME_ENV": str(am.submitted_ms),
            "MAX_APP_ATTEMPTS": str(am.max_attempts),
            "KUBEYARN_RM": am.am_service,
            "KUBEYARN_TOKEN_FILE": f"{TOKEN_DIR}/token",
        }
    ours: list[Object] = [{"name": name, "value": value} for name, value in plain.items()]
    # Known only when the kubelet starts the pod, which puts them in.
    for name, path in (("NM_HOST", "spec.nodeName"), ("POD_IP", "status.podIP")):
        ours.append({"name": name, "valueFrom": {"fieldRef": {"fieldPath": path}}})
    return ours

"""The labels, annotations and names that KubeYARN puts on Kubernetes objects."""

from __future__ import annotations

from collections.abc import Mapping

from kubeyarn.model.ids import ContainerId

GROUP = "kubeyarn.io"

APPLICATION = "kubeyarn.io/application"
ATTEMPT = "kubeyarn.io/attempt"
QUEUE = "kubeyarn.io/queue"
ROLE = "kubeyarn.io/role"
REQUEST = "kubeyarn.io/request"
SHAPE = "kubeyarn.io/shape"
EXECUTION_TYPE = "kubeyarn.io/execution-type"
APPLICATION_ID = "kubeyarn.io/application-id"
CONTAINER_ID = "kubeyarn.io/container-id"
USER = "kubeyarn.io/user"
PARTITION = "kubeyarn.io/partition"
RACK = "topology.kubernetes.io/zone"

# What an AM that speaks in objects only says of itself, on its YarnApplication.
PROGRESS = "kubeyarn.io/progress"
TRACKING_URL = "kubeyarn.io/tracking-url"
FINAL_STATUS = "kubeyarn.io/final-status"
DIAGNOSTICS = "kubeyarn.io/diagnostics"

MANAGED_PODS = "app.kubernetes.io/managed-by=kubeyarn"

QUEUE_FINALIZER = "kubeyarn.io/queue"

SCHEDULER_NAME = "kubeyarn"
AM_AUDIENCE = "kubeyarn-am"

LONGEST_LABEL = 63

ROLE_AM = "am"
ROLE_ASK = "ask"
ROLE_TASK = "task"

LOCALIZER = "kubeyarn-localizer"
"""The init container that brings the files of a container."""


def pod_name(application: str, container: ContainerId) -> str:
    """The name of a container's pod: the same for the same container, whoever asks.

    *application* is the object's name; it is cut so that the whole fits a pod's host name. The
    last two parts are the container's, whatever the application is called, so no other application
    has the same pod names.
    """
    epoch = f"e{container.epoch:02d}" if container.epoch else ""
    tail = f"-{container.attempt.number:02d}{epoch}-{container.number:06d}"
    return application[: LONGEST_LABEL - len(tail)].rstrip("-.") + tail


def is_reserved(key: str) -> bool:
    """Whether nobody but KubeYARN writes this label or annotation of a container's pod."""
    # The stand-ins for nodes of a local cluster read theirs, and nothing else does.
    return key.startswith(f"{GROUP}/") and not key.startswith(f"{GROUP}/fake-")


def labelled_attempt(labels: Mapping[str, str]) -> int:
    """The attempt that a request of an ApplicationMaster is of; 1 where its label says none."""
    number = labels.get(ATTEMPT, "")
    return int(number) if number.isascii() and number.isdigit() else 1


def am_request_name(application: str, attempt: int) -> str:
    """The name of the ContainerRequest that asks for an attempt's ApplicationMaster."""
    return f"{application[:200]}-am-{attempt}"

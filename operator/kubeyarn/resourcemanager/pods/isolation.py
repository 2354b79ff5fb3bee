"""How far a container is kept apart from its node and others (Hadoop: ContainerExecutor). Pure.

YARN's executors as levels: Default runs the pod as it is written; Linux runs it as the submitting
user's own UID and without any privilege; Docker runs an image that the administrator trusts, as
whoever the image says, but not privileged.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError

DEFAULT, LINUX, DOCKER = "Default", "Linux", "Docker"
EXECUTORS = (DEFAULT, LINUX, DOCKER)

_RUNTIME_DEFAULT = {"type": "RuntimeDefault"}
_DOCKER_HUB = "docker.io"
_APPARMOR = "container.apparmor.security.beta.kubernetes.io/"
_HOST = ("hostNetwork", "hostPID", "hostIPC")


@dataclass(frozen=True, slots=True)
class UserIds:
    """The UID and GID of users: as *given*, else one of *count* from *first* on, by the name.

    The same user always has the same, on every node and after every restart.
    """

    given: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    first: int = 1_000_000
    count: int = 1_000_000_000

    def of(self, user: str) -> tuple[int, int]:
        """A user's UID and GID."""
        if user in self.given:
            return self.given[user]
        digest = hashlib.sha256(user.encode()).digest()
        uid = self.first + int.from_bytes(digest[:8], "big") % self.count
        return uid, uid


@dataclass(frozen=True, slots=True)
class Executors:
    """What the administrator allows; the first executor is the default.

    *trusted* are registries, repositories or images, such as `registry.example.org/team`.
    Source: Hadoop `yarn.nodemanager.container-executor.class`, `docker.trusted.registries`.
    """

    allowed: tuple[str, ...] = EXECUTORS
    trusted: tuple[str, ...] = ()
    ids: UserIds = field(default_factory=UserIds)


def read_user_ids(text: str) -> dict[str, tuple[int, int]]:
    """The users of lines such as `alice=2001` or `alice=2001:3000`; # begins a comment.

    Raises:
        SpecError: a line is of another form, or names root.
    """
    by_user = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.partition("#")[0].strip()
        if not words:
            continue
        user, _, ids = words.partition("=")
        uid, _, gid = ids.strip().partition(":")
        if not user.strip() or not uid.isdigit() or not (gid or uid).isdigit() or int(uid) == 0:
            raise SpecError(f"line {number}: found {words!r}, allowed: USER=UID or USER=UID:GID")
        by_user[user.strip()] = (int(uid), int(gid or uid))
    return by_user


def isolate(
    spec: Object,
    named: str,
    user: str,
    executors: Executors,
    annotations: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Lay the executor that is *named*, or the cluster's own, over a pod's spec.

    *annotations* are its template's.

    Raises:
        SpecError: the executor is not allowed here, or does not allow what the pod asks for.
    """
    executor = named or executors.allowed[0]
    if executor not in executors.allowed:
        raise SpecError(
            f"executor: found {executor}, allowed in this cluster: {', '.join(executors.allowed)}"
        )
    if executor == DEFAULT:
        return
    # The first one is enough: the template is refused whole.
    for privilege in _privileges(spec):
        raise SpecError(f"template.spec.{privilege}: is not allowed with the executor {executor}")
    for key in sorted(annotations):
        # Kubernetes still takes it for the field appArmorProfile, which is checked above.
        if key.startswith(_APPARMOR):
            raise SpecError(
                f"template.metadata.annotations: found {key}, which is not allowed with the "
                f"executor {executor}; allowed: securityContext.appArmorProfile"
            )
    if executor == DOCKER:
        _check_images(spec, executors.trusted)
        _overlay(spec, {"allowPrivilegeEscalation": False, "seccompProfile": _RUNTIME_DEFAULT})
        return
    uid, gid = executors.ids.of(user)
    identity = {"runAsUser": uid, "runAsGroup": gid, "runAsNonRoot": True}
    confined = {"seccompProfile": _RUNTIME_DEFAULT, **identity}
    # On the pod and on each container: a container's own setting would win over the pod's.
    given = spec.get("securityContext") or {}
    # No group but the user's own: neither one that volumes are to have, which the kubelet adds to
    # the process's, nor those that the image's /etc/group gives to the UID.
    groups: Object = {"supplementalGroupsPolicy": "Strict"}
    if given.get("fsGroup") is not None:
        groups["fsGroup"] = gid
    spec["securityContext"] = {**given, **groups, **confined}
    no_rights = {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}
    _overlay(spec, {**no_rights, **confined})


def _overlay(spec: Object, context: Object) -> None:
    for kind in ("initContainers", "containers"):
        for container in spec.get(kind) or ():
            given = container.get("securityContext") or {}
            container["securityContext"] = {**given, **context}


def _privileges(spec: Object) -> Iterator[str]:
    """Fields of a pod that reach beyond it (Kubernetes: Pod Security Standards, Baseline)."""
    yield from (name for name in _HOST if spec.get(name))
    for number, volume in enumerate(spec.get("volumes") or ()):
        if "hostPath" in volume:
            yield f"volumes[{number}].hostPath"
    context = spec.get("securityContext") or {}
    for name in ("supplementalGroups", "sysctls"):
        if context.get(name):
            yield f"securityContext.{name}"
    yield from _unconfined("securityContext", context)
    for place, container in _containers(spec):
        yield from _of_container(place, container)


def _of_container(place: str, container: Object) -> Iterator[str]:
    for number, port in enumerate(container.get("ports") or ()):
        if port.get("hostPort"):
            yield f"{place}.ports[{number}].hostPort"
    context = container.get("securityContext") or {}
    if context.get("privileged"):
        yield f"{place}.securityContext.privileged"
    if (context.get("capabilities") or {}).get("add"):
        yield f"{place}.securityContext.capabilities.add"
    if context.get("procMount", "Default") != "Default":
        yield f"{place}.securityContext.procMount"
    yield from _unconfined(f"{place}.securityContext", context)


def _unconfined(place: str, context: Object) -> Iterator[str]:
    """Fields that take a pod or a container out of the kernel's security modules."""
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield f"{place}.appArmorProfile"
    if context.get("seLinuxOptions"):
        yield f"{place}.seLinuxOptions"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield f"{place}.windowsOptions.hostProcess"


def _containers(spec: Object) -> Iterator[tuple[str, Object]]:
    for kind in ("initContainers", "containers"):
        for number, container in enumerate(spec.get(kind) or ()):
            yield f"{kind}[{number}]", container


def _images(spec: Object) -> Iterator[tuple[str, str]]:
    """The images that a pod runs or mounts, with their places."""
    for place, container in _containers(spec):
        yield f"{place}.image", str(container.get("image") or "")
    for number, volume in enumerate(spec.get("volumes") or ()):
        mounted = volume.get("image")
        if mounted is not None:
            reference = mounted.get("reference") if isinstance(mounted, Mapping) else mounted
            yield f"volumes[{number}].image.reference", str(reference or "")


def _check_images(spec: Object, trusted: tuple[str, ...]) -> None:
    for place, image in _images(spec):
        if not any(_covers(entry, image) for entry in trusted):
            listed = ", ".join(trusted) or "none, see --trusted-images"
            raise SpecError(
                f"template.spec.{place}: found {image}, which is not trusted; "
                f"allowed with the executor {DOCKER}: {listed}"
            )


def _covers(entry: str, image: str) -> bool:
    """Whether an entry is an image's registry, one of its repositories, or the image itself."""
    whole, trusted = _whole(image), entry.rstrip("/")
    if not _is_registry(trusted.partition("/")[0]):
        trusted = f"{_DOCKER_HUB}/{trusted}"
    # What follows a registry's name after a colon is its port: another registry.
    ends = "/:@" if "/" in trusted else "/"
    return whole == trusted or whole.startswith(tuple(trusted + end for end in ends))


def _whole(image: str) -> str:
    """An image's name with what Docker puts before it."""
    first, _, rest = image.partition("/")
    if rest and _is_registry(first):
        return image
    return f"{_DOCKER_HUB}/{image}" if rest else f"{_DOCKER_HUB}/library/{image}"


def _is_registry(word: str) -> bool:
    return "." in word or ":" in word or word == "localhost"

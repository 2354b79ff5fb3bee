"""How a container is launched (Hadoop: ContainerLaunchContext), for the AM and for tasks alike."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from kubeyarn.crd.fields import (
    AS_ONE,
    Extras,
    Field,
    Fields,
    FreeForm,
    Line,
    listed_by,
    rule,
    rules,
)

URL = r"^https?://[^/?#@\s]+([/?]\S*)?$"


Argument = Annotated[str, Field(maxLength=16384)]


class EnvironmentVariable(Fields, frozen=True):
    """A variable of the container's environment."""

    name: Annotated[
        str, Field("The variable's name.", minLength=1, maxLength=253, pattern="^[^=]+$")
    ]
    value: Annotated[str, Field("The variable's value.", maxLength=32768)] = ""


class FileType(StrEnum):
    """What is done with a file once it is there (Hadoop: LocalResourceType)."""

    FILE = "File"
    ARCHIVE = "Archive"


class KeySource(Fields, frozen=True):
    """A key of a ConfigMap or Secret in the application's namespace."""

    name: Annotated[Line, Field("The object's name.", minLength=1)]
    key: Annotated[Line, Field("The key within it.", minLength=1)]


class VolumeSource(Fields, frozen=True):
    """A path in a PersistentVolumeClaim of the application's namespace."""

    name: Annotated[Line, Field("The claim's name.", minLength=1)]
    path: Annotated[
        str,
        Field(
            "The path within its volume. Empty: all of it, as a directory.",
            maxLength=1024,
            pattern="^([^/].*)?$",
        ),
    ] = ""


class LocalFileSpec(Fields, frozen=True):
    """A file that is put into the container before its command starts (Hadoop: LocalResource)."""

    extras: ClassVar[Extras] = rules(
        rule(
            "[has(self.configMap), has(self.secret), has(self.persistentVolumeClaim), "
            "has(self.url)].filter(x, x).size() == 1",
            "'file ' + self.path + ': allowed: exactly one of configMap, secret, "
            "persistentVolumeClaim and url'",
        )
    )
    path: Annotated[
        str,
        Field(
            "Where it goes, relative to the container's working directory.",
            minLength=1,
            maxLength=1024,
            pattern="^[^/].*$",
        ),
    ]
    config_map: Annotated[
        KeySource | None, Field("Take it from a ConfigMap. Unset: from the other sources.")
    ] = None
    secret: Annotated[
        KeySource | None, Field("Take it from a Secret. Unset: from the other sources.")
    ] = None
    persistent_volume_claim: Annotated[
        VolumeSource | None, Field("Take it from a volume. Unset: from the other sources.")
    ] = None
    url: Annotated[
        str | None,
        Field(
            "Fetch it by http or https before the container starts. Unset: from the other sources.",
            maxLength=2048,
            pattern=URL,
        ),
    ] = None
    sha256: Annotated[
        str | None,
        Field(
            "The checksum it must have, or else the container ends with -1000. Unset: not checked.",
            pattern="^[0-9a-f]{64}$",
            maxLength=64,
        ),
    ] = None
    type: Annotated[
        FileType,
        Field(
            "Archive (zip or tar; plain, gzip, bzip2 or xz) is unpacked: path is a directory then."
        ),
    ] = FileType.FILE


class Executor(StrEnum):
    """How far a container is kept apart (Hadoop: ContainerExecutor, ContainerRuntime)."""

    DEFAULT = "Default"
    LINUX = "Linux"
    DOCKER = "Docker"


class LaunchSpec(Fields, frozen=True):
    """How a container is launched."""

    image: Annotated[
        str | None,
        Field(
            "The image it runs. Unset: the template's, or the ApplicationMaster's.",
            minLength=1,
            maxLength=1024,
        ),
    ] = None
    command: Annotated[
        tuple[Argument, ...],
        Field("The command, not run in a shell. Empty: the image's own.", maxItems=256, **AS_ONE),
    ] = ()
    args: Annotated[
        tuple[Argument, ...], Field("The command's arguments.", maxItems=1024, **AS_ONE)
    ] = ()
    env: Annotated[
        tuple[EnvironmentVariable, ...],
        Field(
            "Variables of its environment, besides those that YARN sets (CONTAINER_ID, "
            "APPLICATION_ID, APP_ATTEMPT, NM_HOST, NM_PORT, NM_HTTP_PORT, USER, LOGNAME, "
            "LOCAL_DIRS, LOG_DIRS, PWD), to which they may refer as $(CONTAINER_ID).",
            maxItems=256,
            **listed_by("name"),
        ),
    ] = ()
    files: Annotated[
        tuple[LocalFileSpec, ...],
        Field("Files that are there before the command starts.", maxItems=256, **listed_by("path")),
    ] = ()
    executor: Annotated[
        Executor | None,
        Field(
            "How far it is kept apart. Default: as the template says. Linux: as the "
            "submitting user's UID and without any privilege. Docker: an image that the "
            "administrator trusts, not privileged. Unset: the ApplicationMaster's, or the "
            "cluster's first one."
        ),
    ] = None
    template: Annotated[
        FreeForm | None,
        Field(
            "A PodTemplateSpec for everything else: volumes, tolerations, security. What "
            "image, command, args, env and resources say wins over its first container. It "
            "is kept as written; the API server checks it when the pod is made. Unset: "
            "nothing else."
        ),
    ] = None

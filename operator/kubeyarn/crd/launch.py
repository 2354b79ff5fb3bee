"""How a container is launched (Hadoop: ContainerLaunchContext), for the AM and for tasks alike."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from kubeyarn.crd.fields import AS_ONE, Fields, FreeForm, Line, listed_by, rule, rules

# No user and password in it: those would be readable by whoever reads the application.
URL = r"^https?://[^/?#@\s]+([/?]\S*)?$"

Argument = Annotated[str, Field(max_length=16384)]


class EnvironmentVariable(Fields):
    """A variable of the container's environment."""

    name: Annotated[str, Field(min_length=1, max_length=253, pattern=r"^[^=]+$")] = Field(
        description="The variable's name."
    )
    value: Annotated[str, Field(max_length=32768)] = Field("", description="The variable's value.")


class FileType(StrEnum):
    """What is done with a file once it is there (Hadoop: LocalResourceType)."""

    FILE = "File"
    ARCHIVE = "Archive"


class KeyOf(Fields):
    """A key of a ConfigMap or Secret in the application's namespace."""

    name: Annotated[Line, Field(min_length=1)] = Field(description="The object's name.")
    key: Annotated[Line, Field(min_length=1)] = Field(description="The key within it.")


class PathOf(Fields):
    """A path in a PersistentVolumeClaim of the application's namespace."""

    name: Annotated[Line, Field(min_length=1)] = Field(description="The claim's name.")
    path: Annotated[str, Field(max_length=1024, pattern=r"^([^/].*)?$")] = Field(
        "", description="The path within its volume. Empty: all of it, as a directory."
    )


class LocalFile(Fields):
    """A file that is put into the container before its command starts (Hadoop: LocalResource)."""

    model_config = ConfigDict(
        json_schema_extra=rules(
            rule(
                "[has(self.configMap), has(self.secret), has(self.persistentVolumeClaim), "
                "has(self.url)].filter(x, x).size() == 1",
                "'file ' + self.path + ': allowed: exactly one of configMap, secret, "
                "persistentVolumeClaim and url'",
            )
        )
    )

    path: Annotated[str, Field(min_length=1, max_length=1024, pattern=r"^[^/].*$")] = Field(
        description="Where it goes, relative to the container's working directory."
    )
    config_map: KeyOf | None = Field(
        None, description="Take it from a ConfigMap. Unset: from the other sources."
    )
    secret: KeyOf | None = Field(
        None, description="Take it from a Secret. Unset: from the other sources."
    )
    persistent_volume_claim: PathOf | None = Field(
        None, description="Take it from a volume. Unset: from the other sources."
    )
    url: Annotated[str, Field(max_length=2048, pattern=URL)] | None = Field(
        None,
        description="Fetch it by http or https before the container starts. Unset: from the other "
        "sources.",
    )
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", max_length=64)] | None = Field(
        None,
        description="The checksum it must have, or else the container ends with -1000. Unset: not "
        "checked.",
    )
    type: FileType = Field(
        FileType.FILE,
        description="Archive (zip or tar; plain, gzip, bzip2 or xz) is unpacked: path is a "
        "directory then.",
    )


class Executor(StrEnum):
    """How far a container is kept apart (Hadoop: ContainerExecutor, ContainerRuntime)."""

    DEFAULT = "Default"
    LINUX = "Linux"
    DOCKER = "Docker"


class Launch(Fields):
    """How a container is launched."""

    image: Annotated[str, Field(min_length=1, max_length=1024)] | None = Field(
        None, description="The image it runs. Unset: the template's, or the ApplicationMaster's."
    )
    command: list[Argument] = Field(
        default=[],
        max_length=256,
        description="The command, not run in a shell. Empty: the image's own.",
        json_schema_extra=AS_ONE,
    )
    args: list[Argument] = Field(
        default=[],
        max_length=1024,
        description="The command's arguments.",
        json_schema_extra=AS_ONE,
    )
    env: list[EnvironmentVariable] = Field(
        default=[],
        max_length=256,
        description="Variables of its environment, besides those that YARN sets (CONTAINER_ID, "
        "APPLICATION_ID, APP_ATTEMPT, NM_HOST, NM_PORT, NM_HTTP_PORT, USER, LOGNAME, LOCAL_DIRS, "
        "LOG_DIRS, PWD), to which they may refer as $(CONTAINER_ID).",
        json_schema_extra=listed_by("name"),
    )
    files: list[LocalFile] = Field(
        default=[],
        max_length=256,
        description="Files that are there before the command starts.",
        json_schema_extra=listed_by("path"),
    )
    executor: Executor | None = Field(
        None,
        description="How far it is kept apart. Default: as the template says. Linux: as the "
        "submitting user's UID and without any privilege. Docker: an image that the administrator "
        "trusts, not privileged. Unset: the ApplicationMaster's, or the cluster's first one.",
    )
    template: FreeForm | None = Field(
        None,
        description="A PodTemplateSpec for everything else: volumes, tolerations, security. What "
        "image, command, args, env and resources say wins over its first container. It is kept as "
        "written; the API server checks it when the pod is made. Unset: nothing else.",
    )

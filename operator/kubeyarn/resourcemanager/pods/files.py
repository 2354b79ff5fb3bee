"""Files that are there before a container's command starts (Hadoop: LocalResource). Pure.

Keys of ConfigMaps and Secrets and paths of claims are mounted as they are. What is fetched,
checked or unpacked is brought by an init container into a directory of the pod and mounted from
there. All are read-only and, like a NodeManager's localized files, do not change while it runs.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from typing import Any

from kubeyarn.cluster import names
from kubeyarn.crd import quantities
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError

Files = Sequence[Mapping[str, Any]]

_NAME = "kubeyarn-file-"
_CLAIM = "kubeyarn-claim-"
_LOCALIZED = "kubeyarn-localized"
_MOUNTED_AS = "file"
_TO = "/kubeyarn/localized"
_SOURCES = "/kubeyarn/sources"
# What Python needs to fetch and unpack; it is a limit, and asks for no more than was granted.
_LOCALIZER_MEMORY = 128 * 2**20
_USER = 65532


def volumes(files: Files) -> list[Object]:
    """The sources that Kubernetes mounts, and the directory of what is localized."""
    keyed = [_keyed(n, file) for n, file in enumerate(files) if _key(file)]
    keyed += [
        {"name": f"{_CLAIM}{number}", "persistentVolumeClaim": {"claimName": claim}}
        for number, claim in enumerate(_claims(files))
    ]
    if any(_localized(file) for file in files):
        keyed.append({"name": _LOCALIZED, "emptyDir": {}})
    return keyed


def mounts(files: Files, directory: str) -> list[Object]:
    """Where the files go; their paths are relative to *directory*."""
    return [
        {
            **_source(files, number, file),
            "mountPath": posixpath.join(directory, file["path"]),
            "readOnly": True,
        }
        for number, file in enumerate(files)
    ]


def localizer(files: Files, image: str, size: Mapping[str, int]) -> Object | None:
    """The init container that fetches, checks and unpacks files; None if none need that.

    Raises:
        SpecError: there is something to do, and no *image* to do it.
    """
    wanted = [(number, file) for number, file in enumerate(files) if _localized(file)]
    if not wanted:
        return None
    if not image:
        raise SpecError(
            f"files: {wanted[0][1]['path']} is to be fetched, checked or unpacked, which this "
            "cluster is not set up for: start the ResourceManager with --localizer-image"
        )
    sources = [
        {**_direct(files, n, file), "mountPath": f"{_SOURCES}/{n}", "readOnly": True}
        for n, file in wanted
        if not file.get("url")
    ]
    return {
        "name": names.LOCALIZER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3", "-m", "kubeyarn.resourcemanager.pods.localizer"],
        "args": [_argument(number, file) for number, file in wanted],
        "resources": _resources(size),
        "securityContext": {
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "runAsNonRoot": True,
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "volumeMounts": [{"name": _LOCALIZED, "mountPath": _TO}, *sources],
    }


def _localized(file: Mapping[str, Any]) -> bool:
    """Whether a file needs more than a mount."""
    archive = (file.get("type") or "File") == "Archive"
    return bool(archive or file.get("url") or file.get("sha256"))


def _source(files: Files, number: int, file: Mapping[str, Any]) -> Object:
    if _localized(file):
        return {"name": _LOCALIZED, "subPath": str(number)}
    return _direct(files, number, file)


def _direct(files: Files, number: int, file: Mapping[str, Any]) -> Object:
    """The volume of a file that is not fetched, and where in it the file is."""
    claim = file.get("persistentVolumeClaim")
    if not claim:
        return {"name": f"{_NAME}{number}", "subPath": _MOUNTED_AS}
    name = f"{_CLAIM}{_claims(files).index(claim['name'])}"
    return {"name": name, "subPath": claim["path"]} if claim.get("path") else {"name": name}


def _claims(files: Files) -> list[str]:
    """The claims by name, each once: a pod mounts a claim once."""
    claims = [file.get("persistentVolumeClaim") for file in files]
    return list(dict.fromkeys(claim["name"] for claim in claims if claim))


def _key(file: Mapping[str, Any]) -> bool:
    return bool(file.get("configMap") or file.get("secret"))


def _keyed(number: int, file: Mapping[str, Any]) -> Object:
    source = file.get("configMap") or file["secret"]
    # Under one name, whatever the key is called, so that the mount can name the file within.
    items = [{"key": source["key"], "path": _MOUNTED_AS}]
    name = f"{_NAME}{number}"
    if file.get("configMap"):
        return {"name": name, "configMap": {"name": source["name"], "items": items}}
    return {"name": name, "secret": {"secretName": source["name"], "items": items}}


def _argument(number: int, file: Mapping[str, Any]) -> str:
    url = file.get("url") or ""
    wanted = {
        "path": file["path"],
        "to": f"{_TO}/{number}",
        "url": url,
        "source": "" if url else f"{_SOURCES}/{number}",
        "sha256": file.get("sha256") or "",
        "archive": (file.get("type") or "File") == "Archive",
    }
    # Kubernetes reads $(NAME) in arguments as a variable; $$ is a dollar.
    return json.dumps({k: v for k, v in wanted.items() if v}).replace("$", "$$")


def _resources(size: Mapping[str, int]) -> Object:
    """The granted size: the container itself does not use it yet."""
    granted = {n: size[n] for n in ("cpu", "memory") if size.get(n)}
    most = max(granted.get("memory", 0), _LOCALIZER_MEMORY)
    return {
        "requests": {name: quantities.show(name, amount) for name, amount in granted.items()},
        "limits": {"memory": quantities.show("memory", most)},
    }

"""Writes OCI image archives: a tar of blobs that containerd, Docker and kind load."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import tarfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_CONFIG = "application/vnd.oci.image.config.v1+json"
_LAYER = "application/vnd.oci.image.layer.v1.tar"
_MANIFEST = "application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True, slots=True)
class Layer:
    """One layer: a tar file, compressed by gzip or not; the diff id is that of the bare tar."""

    path: Path
    digest: str
    diff_id: str
    size: int

    @property
    def media_type(self) -> str:
        """The layer's media type."""
        return f"{_LAYER}+gzip" if self.path.suffix == ".gz" else _LAYER


@dataclass(frozen=True, slots=True)
class ImageConfig:
    """What a container of the image runs, as, where and with what."""

    entrypoint: tuple[str, ...] = ()
    command: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    user: str = ""
    working_directory: str = "/"
    labels: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        """The `config` of the image's configuration."""
        return {
            "Entrypoint": list(self.entrypoint),
            "Cmd": list(self.command),
            "Env": [f"{name}={value}" for name, value in self.environment.items()],
            "User": self.user,
            "WorkingDir": self.working_directory,
            "Labels": dict(self.labels),
        }


def layer(path: Path) -> Layer:
    """The layer that a .tar or .tar.gz file is; its digests are kept beside it."""
    note, size = path.with_suffix(".digests"), path.stat().st_size
    # To hash a layer twice, packed and unpacked, takes seconds for each image that is written.
    if not note.exists() or note.stat().st_mtime_ns < path.stat().st_mtime_ns:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        diff_id = digest
        if path.suffix == ".gz":
            with gzip.open(path) as opened:
                diff_id = hashlib.file_digest(opened, "sha256").hexdigest()
        note.write_text(f"sha256:{digest} sha256:{diff_id}")
    digest, diff_id = note.read_text().split()
    return Layer(path, digest, diff_id, size)


def architecture() -> str:
    """This machine's architecture in OCI's words."""
    machine = platform.machine()
    return _ARCHITECTURES.get(machine, machine)


def write(
    archive: Path, names: Sequence[str], layers: Sequence[Layer], config: ImageConfig
) -> None:
    """Write an image under its names; the file appears whole or not at all."""
    configuration = _encoded(
        {
            "architecture": architecture(),
            "os": "linux",
            "config": config.as_json(),
            "rootfs": {"type": "layers", "diff_ids": [entry.diff_id for entry in layers]},
        }
    )
    manifest = _encoded(
        {
            "schemaVersion": 2,
            "mediaType": _MANIFEST,
            "config": _descriptor(_CONFIG, configuration),
            "layers": [
                {"mediaType": entry.media_type, "digest": entry.digest, "size": entry.size}
                for entry in layers
            ],
        }
    )
    partial = archive.with_name(f".{archive.name}.{os.getpid()}.partial")
    try:
        with tarfile.open(partial, "w") as tar:
            _add(tar, "oci-layout", _encoded({"imageLayoutVersion": "1.0.0"}))
            _add(tar, "index.json", _encoded(_index(names, manifest)))
            _add(tar, "manifest.json", _encoded(_docker(names, layers, configuration)))
            for blob in (configuration, manifest):
                _add(tar, _blob(_digest(blob)), blob)
            # Two layers may have the same content, and a tar file the same name once.
            for digest, entry in {entry.digest: entry for entry in layers}.items():
                _add_file(tar, _blob(digest), entry.path)
        partial.rename(archive)
    finally:
        partial.unlink(missing_ok=True)


def _index(names: Sequence[str], manifest: bytes) -> dict[str, object]:
    platform_of = {"architecture": architecture(), "os": "linux"}
    return {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [
            {
                **_descriptor(_MANIFEST, manifest),
                "platform": platform_of,
                "annotations": {
                    "io.containerd.image.name": _full(name),
                    "org.opencontainers.image.ref.name": name.rpartition(":")[2],
                },
            }
            for name in names
        ],
    }


def _docker(names: Sequence[str], layers: Sequence[Layer], configuration: bytes) -> object:
    # `docker load` before version 25 reads this and not the index.
    return [
        {
            "Config": _blob(_digest(configuration)),
            "RepoTags": list(names),
            "Layers": [_blob(entry.digest) for entry in layers],
        }
    ]


def _full(name: str) -> str:
    first = name.partition("/")[0]
    has_registry = "/" in name and ("." in first or ":" in first or first == "localhost")
    if has_registry:
        return name
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"


def _descriptor(media_type: str, blob: bytes) -> dict[str, object]:
    return {"mediaType": media_type, "digest": _digest(blob), "size": len(blob)}


def _digest(blob: bytes) -> str:
    return f"sha256:{hashlib.sha256(blob).hexdigest()}"


def _blob(digest: str) -> str:
    return "blobs/" + digest.replace(":", "/")


def _encoded(content: object) -> bytes:
    return json.dumps(content, sort_keys=True, separators=(",", ":")).encode()


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), 0o644
    tar.addfile(entry, io.BytesIO(content))


def _add_file(tar: tarfile.TarFile, name: str, path: Path) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = path.stat().st_size, 0o644
    with path.open("rb") as file:
        tar.addfile(entry, file)

"""The images of a cluster with no registry."""

from __future__ import annotations

import io
import struct
import tarfile
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local import dockerfile, gobuild, imagebuild, locking, oci, wheels
from kubeyarn.local.binaries import KUBERNETES_VERSION
from kubeyarn.local.lookup import Lookup
from kubeyarn.local.user_directories import cache_directory

if TYPE_CHECKING:
    from collections.abc import Callable

    Say = Callable[[str], None]

KUBEYARN = "kubeyarn/kubeyarn:dev"
PAUSE = "localhost/kubeyarn/pause:1"
KUBE_SCHEDULER = f"registry.k8s.io/kube-scheduler:{KUBERNETES_VERSION}"

_PAUSE_SOURCE = """package main

import (
	"os/signal"
	"syscall"
)

func main() {
	signal.Ignore(syscall.SIGCHLD)
	for {
		syscall.Pause()
	}
}
"""


def pause(say: Say) -> Path:
    """The archive of the image whose process holds a pod's namespaces and does nothing."""
    archive = _images() / "pause-1.tar"
    if not archive.exists():
        say("pause image: packing")
        _pack(archive, PAUSE, {"pause": pause_program(oci.architecture())}, "/pause")
    return archive


def kube_scheduler(say: Say) -> Path:
    """The archive of kube-scheduler's image under its official name, from the cached program."""
    archive = _images() / f"kube-scheduler-{KUBERNETES_VERSION}.tar"
    if not archive.exists():
        program = Lookup(say).find(["kube-scheduler"])["kube-scheduler"]
        say("kube-scheduler image: packing")
        where = "usr/local/bin/kube-scheduler"
        _pack(archive, KUBE_SCHEDULER, {where: program.read_bytes()}, f"/{where}")
    return archive


def kubeyarn(say: Say) -> Path:
    """The archive of KubeYARN's image, built from operator/Dockerfile with no registry.

    Only what changed since the last time is built again.
    Raises LocalClusterError where there is no source tree, or when a step fails.
    """
    directory = _images()
    with locking.exclusive(directory / ".kubeyarn.lock"):
        with tempfile.TemporaryDirectory(dir=directory, prefix=".context-") as context:
            wheels.make_context(Path(context), directory / "wheels", say)
            text = (wheels.project() / "operator/Dockerfile").read_text()
            layers = directory / "layers"
            layers.mkdir(exist_ok=True)
            build = imagebuild.Build(Path(context), layers, say)
            build.run(dockerfile.parse(text, {"BASE": imagebuild.HOST_BASE}))
        archive, mark = directory / "kubeyarn.tar", directory / "kubeyarn.state"
        stack = [oci.layer(path) for path in build.stack]
        state = f"{[layer.digest for layer in stack]} {build.config}"
        if not archive.exists() or not mark.exists() or mark.read_text() != state:
            say("kubeyarn image: packing")
            mark.unlink(missing_ok=True)
            oci.write(archive, [KUBEYARN], stack, build.config)
            mark.write_text(state)
    return archive


def context(directory: Path, say: Say) -> None:
    """Write the build context of operator/Dockerfile for another builder."""
    wheels.make_context(directory, _images() / "wheels", say)


def pause_program(architecture: str) -> bytes:
    """A static ELF program that lets the kernel reap its children and sleeps for ever.

    Raises LocalClusterError where neither its machine code is here nor Go to build it.
    """
    if architecture != "amd64":
        return gobuild.build_source(_PAUSE_SOURCE)
    base, header = 0x400000, 64 + 56
    code = bytes.fromhex(
        # rt_sigaction(SIGCHLD, {SIG_IGN}, NULL, 8): nobody waits for orphans, so none may linger
        "bf11000000"  # mov edi, 17
        "488d351c000000"  # lea rsi, [rip + 28]: the action below
        "31d2"  # xor edx, edx
        "41ba08000000"  # mov r10d, 8
        "b80d000000"  # mov eax, 13
        "0f05"  # syscall
        "b822000000"  # mov eax, 34: pause()
        "0f05"  # syscall
        "ebf7"  # jmp back to the mov
    )
    code += bytes(-len(code) % 8) + struct.pack("<QQQQ", 1, 0, 0, 0)
    size = header + len(code)
    elf = struct.pack(
        "<16sHHIQQQIHHHHHH",
        b"\x7fELF\x02\x01\x01",
        *(2, 62, 1, base + header, 64, 0, 0, 64, 56, 1, 0, 0, 0),
    )
    load = struct.pack("<IIQQQQQQ", 1, 5, 0, base, base, size, size, 0x1000)
    return elf + load + code


def _images() -> Path:
    directory = cache_directory() / "images"
    directory.mkdir(parents=True, exist_ok=True)
    return directory


def _pack(archive: Path, name: str, files: dict[str, bytes], entrypoint: str) -> None:
    with tempfile.TemporaryDirectory(dir=archive.parent, prefix=".pack-") as scratch:
        path = Path(scratch, "layer.tar")
        with tarfile.open(path, "w") as tar:
            for file, content in files.items():
                entry = tarfile.TarInfo(file)
                entry.size, entry.mode = len(content), 0o755
                tar.addfile(entry, io.BytesIO(content))
        config = oci.ImageConfig(entrypoint=(entrypoint,), user="65535:65535")
        oci.write(archive, [name], [oci.layer(path)], config)

"""Builds an image from a Dockerfile with no registry and no container engine.

Every COPY and RUN is a layer, kept under a hash of all that it depends on. A RUN runs in the root
file system made of the layers before it, in a mount namespace of its own, so that an interrupted
one leaves no mount; what it changed is its layer.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import stat
import subprocess
import tarfile
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local import dockerfile, oci, rootfs
from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from kubeyarn.local.dockerfile import Instruction

    Say = Callable[[str], None]
    Stamp = tuple[int, int, int, int]

HOST_BASE = "host"
_UNUSED_DAYS = 7
_NO_OVERLAY = 97
_ENTER = """
mount -t overlay overlay -o "$OVERLAY" "$ROOT" || exit 97
mount --rbind /dev "$ROOT/dev" && mount --rbind /proc "$ROOT/proc" || exit 1
cd "$ROOT" && exec chroot "$ROOT" /bin/sh -c "$1"
"""


class Workspace:
    """Where a RUN runs: on top of an unpacked root that it does not change."""

    def __init__(self, scratch: Path, root: Path) -> None:
        self._scratch, self._lower = scratch, root
        self.upper = scratch / "upper"
        for directory in (self.upper, scratch / "work", scratch / "root"):
            directory.mkdir(mode=0o755)

    def execute(self, command: str, environment: Mapping[str, str], line: int) -> None:
        """Run a command as the image's root; what it changes appears in `upper`.

        The mounts live in a namespace of their own and so end with the command.
        Raises LocalClusterError, with what the command said, when it fails.
        """
        is_root = os.geteuid() == 0
        overlay = f"lowerdir={self._lower},upperdir={self.upper},workdir={self._scratch}/work"
        own = {"OVERLAY": overlay if is_root else f"{overlay},userxattr", "HOME": "/root"}
        paths = f"{environment['PATH']}:/usr/sbin:/usr/bin:/sbin:/bin"
        done = subprocess.run(
            [
                *("unshare", *([] if is_root else ["--map-root-user"])),
                *("--mount", "--propagation=private", "sh", "-c", _ENTER, "sh", command),
            ],
            env={**environment, **own, "ROOT": str(self._scratch / "root"), "PATH": paths},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == _NO_OVERLAY:
            raise LocalClusterError(
                f"building the image needs overlayfs below {self._scratch.parent}:"
                f" {done.stderr.strip()}; set KUBEYARN_CACHE_DIR to a directory on a disk's own"
                " file system, or build with Docker: docker build -f operator/Dockerfile"
            )
        if done.returncode != 0:
            tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
            raise LocalClusterError(
                f"Dockerfile line {line}: RUN {command}: exit {done.returncode}\n{tail}"
            )


@dataclass(slots=True)
class Build:
    """One build: the layers so far and the configuration that comes with them."""

    context: Path
    layers: Path
    say: Say
    stack: list[Path] = field(default_factory=list)
    settled: int = 0
    chain: str = ""
    config: oci.ImageConfig = field(default_factory=oci.ImageConfig)

    def run(self, instructions: Sequence[Instruction]) -> None:
        """Carry out the instructions.

        Raises LocalClusterError, with the line, when one fails.
        """
        steps: dict[str, Callable[[Instruction], None]] = {
            "FROM": self._from,
            "COPY": self._copy,
            "RUN": self._run,
        }
        for instruction in instructions:
            step = steps.get(instruction.name, self._configure)
            step(instruction)
        self._forget_unused()

    def _from(self, instruction: Instruction) -> None:
        if instruction.words != (HOST_BASE,):
            raise LocalClusterError(
                f"Dockerfile line {instruction.line}: FROM {instruction.words[0]}: only the base"
                f" `{HOST_BASE}` can be had without a registry"
            )
        self._layer("base " + rootfs.key(), self._base)
        self.config = replace(
            self.config, environment=dict(rootfs.ENVIRONMENT), command=("python3",)
        )

    def _base(self, archive: Path) -> None:
        self.say("base: packing this machine's Python and tools")
        with tempfile.TemporaryDirectory(dir=self.layers, prefix=".base-") as scratch:
            root = Path(scratch, "root")
            root.mkdir(mode=0o755)
            rootfs.make(root)
            _pack(archive, root, _names(root))

    def _copy(self, instruction: Instruction) -> None:
        *sources, target = instruction.words
        files = {target: [self.context / source for source in sources]}
        content = _content(path for paths in files.values() for path in paths)
        self._layer(
            f"COPY {instruction.words} {content}",
            lambda archive: self._copied(archive, files[target], target),
            settles=False,
        )

    def _copied(self, archive: Path, sources: Sequence[Path], target: str) -> None:
        with tempfile.TemporaryDirectory(dir=self.layers, prefix=".copy-") as scratch:
            root = Path(scratch, "root")
            place = root / target.lstrip("/")
            place.parent.mkdir(parents=True)
            for source in sources:
                if source.is_dir():
                    shutil.copytree(source, place, dirs_exist_ok=True)
                else:
                    into_directory = target.endswith("/") or len(sources) > 1
                    file = place / source.name if into_directory else place
                    file.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy2(source, file)
            _pack(archive, root, _names(root))

    def _run(self, instruction: Instruction) -> None:
        # RUN is carried out as root of a namespace; what another user could do there would differ.
        if self.config.user:
            raise LocalClusterError(
                f"Dockerfile line {instruction.line}: RUN after USER: put it before"
            )
        command, environment = instruction.words[0], dict(self.config.environment)
        self._layer(
            f"RUN {command} {sorted(environment.items())} {self.config.working_directory}",
            lambda archive: self._ran(archive, instruction.line, command),
        )

    def _ran(self, archive: Path, line: int, command: str) -> None:
        self.say(f"RUN {command[:70]}")
        with tempfile.TemporaryDirectory(dir=self.layers, prefix=".run-") as scratch:
            work = Workspace(Path(scratch), self._root())
            # Layers of COPY since then are few files; to unpack a whole root for each costs more.
            for layer in self.stack[self.settled :]:
                _unpack(layer, work.upper)
            before = _stamps(work.upper)
            work.execute(command, self.config.environment, line)
            after = _stamps(work.upper)
            changed = sorted(name for name, stamp in after.items() if before.get(name) != stamp)
            # overlayfs says by a device of number 0 that a file below it is gone; a layer says it
            # by a name.
            hidden = {name for name in changed if _is_whiteout(work.upper / name)}
            # What a COPY brought lies in `upper` itself: removing it leaves no whiteout there.
            gone = _topmost(hidden | (set(before) - set(after)))
            _pack(archive, work.upper, [name for name in changed if name not in hidden], gone)

    def _root(self) -> Path:
        """The root file system of the layers up to the last FROM or RUN, unpacked once."""
        root = self.stack[self.settled - 1].with_suffix(".root")
        if not root.is_dir():
            partial = root.with_suffix(".unpacking")
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(mode=0o755)
            for layer in self.stack[: self.settled]:
                _unpack(layer, partial)
            partial.rename(root)
        # An unpacked root is some hundred MiB, and only the newest is built upon.
        for older in self.layers.glob("*.root"):
            if older != root:
                shutil.rmtree(older, ignore_errors=True)
        return root

    def _configure(self, instruction: Instruction) -> None:
        config, words = self.config, instruction.words
        match instruction.name:
            case "ENV":
                merged = {**config.environment, **dockerfile.pairs(instruction)}
                self.config = replace(config, environment=merged)
            case "LABEL":
                labels = {**config.labels, **dockerfile.pairs(instruction)}
                self.config = replace(config, labels=labels)
            case "USER":
                self.config = replace(config, user=words[0])
            case "WORKDIR":
                self.config = replace(config, working_directory=words[0])
            case "ENTRYPOINT":
                self.config = replace(config, entrypoint=words, command=())
            case "CMD":
                self.config = replace(config, command=words)

    def _layer(self, step: str, make: Callable[[Path], None], *, settles: bool = True) -> None:
        # A layer is known by all steps up to it, as in Docker's cache: each may see what those
        # before it made.
        self.chain = hashlib.sha256(f"{self.chain}\n{step}".encode()).hexdigest()
        archive = self.layers / f"{self.chain}.tar.gz"
        if archive.exists():
            os.utime(archive)
        else:
            # Two builds at once may make the same layer; whoever is last puts the same content
            # there.
            partial = self.layers / f".{self.chain}.{os.getpid()}.partial"
            try:
                make(partial)
                partial.rename(archive)
            finally:
                partial.unlink(missing_ok=True)
        self.stack.append(archive)
        if settles:
            self.settled = len(self.stack)

    def _forget_unused(self) -> None:
        # A layer's time is that of its last use.
        old = time.time() - _UNUSED_DAYS * 86400
        for archive in self.layers.glob("*.tar.gz"):
            if archive.stat().st_mtime < old:
                archive.unlink(missing_ok=True)
                archive.with_suffix(".digests").unlink(missing_ok=True)


def _topmost(names: set[str]) -> list[str]:
    return sorted(name for name in names if name.rpartition("/")[0] not in names)


def _is_whiteout(path: Path) -> bool:
    status = path.lstat()
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def _names(root: Path) -> list[str]:
    return sorted(_stamps(root))


def _stamps(root: Path) -> dict[str, Stamp]:
    return {name: _stamp(entry) for name, entry in _walk(root, "")}


def _walk(directory: Path, prefix: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(directory) as entries:
        for entry in entries:
            name = f"{prefix}{entry.name}"
            status = entry.stat(follow_symlinks=False)
            yield name, status
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(Path(entry.path), f"{name}/")


def _stamp(status: os.stat_result) -> Stamp:
    is_directory = stat.S_ISDIR(status.st_mode)
    # A directory changes its time with every file in it; that alone is no change of its own.
    when = 0 if is_directory else status.st_mtime_ns
    size = 0 if is_directory else status.st_size
    return (status.st_mode, size, when, status.st_uid)


def _content(paths: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file():
                digest.update(f"{file.relative_to(path.parent)}\n".encode())
                digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()


def _pack(archive: Path, root: Path, names: Sequence[str], gone: Sequence[str] = ()) -> None:
    # The fastest level: the disk, not the processor, is what an import waits for. No time of
    # its own, so that equal content makes equal layers.
    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in names:
            entry = tar.gettarinfo(root / name, name)
            entry = _owned(entry)
            if entry.isfile():
                with (root / name).open("rb") as content:
                    tar.addfile(entry, content)
            else:
                tar.addfile(entry)
        for name in gone:
            directory, _, last = name.rpartition("/")
            tar.addfile(_owned(tarfile.TarInfo(f"{directory}/.wh.{last}".lstrip("/"))))


def _owned(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    # Without root all files are the user's; in the image they are root's.
    if os.geteuid() != 0 or entry.uid == os.geteuid():
        entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mtime = int(entry.mtime)
    return entry


def _unpack(archive: Path, root: Path) -> None:
    # tar is several times faster than tarfile, and this is most of a build's time.
    owner = "--numeric-owner" if os.geteuid() == 0 else "--no-same-owner"
    command = ["tar", "--extract", "--preserve-permissions", owner]
    subprocess.run(
        [*command, "--file", str(archive), "--directory", str(root)],
        check=True,
        capture_output=True,
    )
    for mark in [
        root / name for name in _stamps(root) if name.rpartition("/")[2].startswith(".wh.")
    ]:
        _erase(mark.with_name(mark.name.removeprefix(".wh.")))
        mark.unlink()


def _erase(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

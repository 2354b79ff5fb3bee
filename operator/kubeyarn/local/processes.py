"""The processes of a cluster: started detached, recorded by pid and start time, ended for sure.

A pid alone may have been given to a stranger since; with its start time it names one process for
good. Every process also carries the cluster's state directory in its environment, so that one
that died between start and record, and the children of one that was killed, are found again.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MARK = "KUBEYARN_CLUSTER"


@dataclass(frozen=True, slots=True)
class Process:
    """One process, named so that a reused pid is not mistaken for it; started in clock ticks."""

    pid: int
    started: int

    @property
    def alive(self) -> bool:
        """Whether it runs; a dead child that nobody has waited for does not."""
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, os.WNOHANG)
        return started(self.pid) == self.started

    def signal(self, number: int) -> None:
        """Send a signal, unless it is gone."""
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)


@dataclass(frozen=True, slots=True)
class Component:
    """One component's process and what it takes to start it again."""

    name: str
    version: str
    arguments: tuple[str, ...]
    environment: tuple[tuple[str, str], ...]
    process: Process | None
    health: str = ""


def flag_list(flags: Mapping[str, object]) -> Sequence[str]:
    """Flags as components written in Go take them."""
    return [f"--{name}={value}" for name, value in flags.items()]


def settings_file(content: Mapping[str, object]) -> str:
    """The text of a component's settings file; JSON is YAML, too."""
    return json.dumps(content, indent=1)


class Components:
    """The components of one cluster, recorded in files below its state directory."""

    def __init__(self, directory: Path) -> None:
        self._records = directory / "components"
        self._logs = directory / "logs"
        self._mark = str(directory)

    def names(self) -> list[str]:
        """The names of the recorded components, in the order of the alphabet."""
        return sorted(path.stem for path in self._records.glob("*.json"))

    def get(self, name: str) -> Component:
        """The record of a component.

        Raises LocalClusterError when there is none of this name.
        """
        try:
            fields = json.loads((self._records / f"{name}.json").read_text())
        except FileNotFoundError:
            known = ", ".join(self.names()) or "none"
            raise LocalClusterError(f"no component {name} here; there are: {known}") from None
        process = fields.pop("process")
        return Component(
            name=fields["name"],
            version=fields["version"],
            arguments=tuple(fields["arguments"]),
            environment=tuple((key, value) for key, value in fields["environment"]),
            process=Process(**process) if process else None,
            health=fields["health"],
        )

    def start(self, component: Component, claim: socket.socket | None = None) -> Component:
        """Start a component, detached from this process, its output appended to its log."""
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{component.name}.log").open("ab") as log:
            child = subprocess.Popen(
                component.arguments,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                cwd="/",
                env={**os.environ, **dict(component.environment), MARK: self._mark},
                # Ctrl+C of the command that starts it is not for the cluster, which lives on after
                # it.
                start_new_session=True,
                pass_fds=[claim.fileno()] if claim else [],
            )
        # Whether it lives is asked of /proc, by this process or the next one.
        child.returncode = 0
        running = Process(child.pid, started(child.pid) or 0)
        return self._record(component, running)

    def log_tail(self, name: str, lines: int = 12) -> str:
        """The last lines of a component's log."""
        try:
            text = (self._logs / f"{name}.log").read_text(errors="replace")
        except FileNotFoundError:
            return "(no log)"
        return "\n".join(text.splitlines()[-lines:])

    def marked(self) -> list[Process]:
        """All processes of the machine that carry this cluster's mark."""
        wanted = f"{MARK}={self._mark}".encode()
        return [process for process in _all() if wanted in _environment_of(process.pid)]

    def _record(self, component: Component, process: Process) -> Component:
        fields = {**asdict(component), "process": asdict(process)}
        self._records.mkdir(parents=True, exist_ok=True)
        partial = self._records / f".{component.name}.partial"
        partial.write_text(json.dumps(fields, indent=1))
        partial.rename(self._records / f"{component.name}.json")
        return self.get(component.name)


def started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot; None for none or a dead one."""
    try:
        line = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The command's name is in brackets and may hold anything: count from behind it.
    fields = line.rpartition(")")[2].split()
    return None if fields[0] in {"Z", "X"} and not _has_threads(pid) else int(fields[19])


def _has_threads(pid: int) -> bool:
    # A killed process is a zombie from its first thread's end on; the others still hold its files.
    try:
        return len(list(Path(f"/proc/{pid}/task").iterdir())) > 1
    except (FileNotFoundError, ProcessLookupError):
        return False


def end(processes: Iterable[Process], patience_s: float) -> None:
    """End processes: ask, wait up to *patience_s* for all together, then kill.

    Raises LocalClusterError when one outlives being killed by ten seconds.
    """
    # All are asked before any is waited for: together they take as long as the slowest.
    waiting = [process for process in processes if process.alive]
    for number, wait_s in ((signal.SIGTERM, patience_s), (signal.SIGKILL, 10.0)):
        if number is signal.SIGTERM and not patience_s:
            continue
        for process in waiting:
            process.signal(number)
        waiting = _outliving(waiting, wait_s)
    if waiting:
        pids = ", ".join(str(process.pid) for process in waiting)
        raise LocalClusterError(f"killed, but still there after 10 s: pid {pids}")


def _outliving(processes: list[Process], wait_s: float) -> list[Process]:
    deadline = time.monotonic() + wait_s
    while (alive := [process for process in processes if process.alive]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.02)
    return alive


def of_pids(pids: Iterable[int]) -> list[Process]:
    """Those of these pids that live, by their start time from now on."""
    return [Process(pid, ticks) for pid in pids if (ticks := started(pid)) is not None]


def _all() -> Iterator[Process]:
    yield from of_pids(int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _environment_of(pid: int) -> Sequence[bytes]:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ()


def environment(**variables: str) -> tuple[tuple[str, str], ...]:
    """Variables in the form that a component records."""
    pairs: Mapping[str, str] = variables
    return tuple(sorted(pairs.items()))

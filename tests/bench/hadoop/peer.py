"""Apache Hadoop's scheduler in a Java process that stays for many runs."""

from __future__ import annotations

import contextlib
import json
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bench.hadoop.program import CannotMeasureHadoop, class_path

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Request:
    """What a run is of; the fields are those of the Java class of this name."""

    scheduler: str
    mode: str
    policy: str
    nodes: int
    slots: int
    queues: int
    parents: int
    applications: int
    containers: int
    users: int


@dataclass(frozen=True, slots=True)
class Measured:
    """What a run came to: *seconds* are processor time of the busiest Java thread.

    *granted* are containers by path of leaf; *halfway* the same when half was granted, or empty.
    """

    grants: int
    seconds: float
    wall_seconds: float
    process_seconds: float
    granted: dict[str, int]
    halfway: dict[str, int]

    @property
    def grants_per_second(self) -> float:
        return self.grants / self.seconds


class Hadoop:
    """A running Java process."""

    def __init__(self, process: subprocess.Popen[str], scratch: Path) -> None:
        self._process = process
        self._scratch = scratch

    def run(self, request: Request) -> Measured:
        """Grant everything with a ResourceManager of its own.

        Raises CannotMeasureHadoop, with what Java printed, when the process ended.
        """
        line = json.dumps({**asdict(request), "scratch": str(self._scratch)})
        with contextlib.suppress(BrokenPipeError):
            print(line, file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline() if self._process.stdout else ""
        if not answer:
            said = (self._scratch / "stderr").read_text()[-2000:]
            raise CannotMeasureHadoop(f"java: exit {self._process.wait()}\n{said}")
        found = json.loads(answer)
        found["wall_seconds"] = found.pop("wallSeconds")
        found["process_seconds"] = found.pop("processSeconds")
        return Measured(**found)


@contextlib.contextmanager
def hadoop() -> Iterator[Hadoop]:
    """A Java process for the block. Raises CannotMeasureHadoop when it cannot be had."""
    command = ["java", "-Xmx2g", "-cp", class_path(), "kubeyarn.bench.Bench"]
    with tempfile.TemporaryDirectory(prefix="kubeyarn-hadoop-") as directory:
        scratch = Path(directory)
        with (
            (scratch / "stderr").open("w") as stderr,
            subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                text=True,
            ) as process,
        ):
            try:
                yield Hadoop(process, scratch)
            finally:
                process.kill()

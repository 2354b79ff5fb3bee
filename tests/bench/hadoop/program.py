"""The Java program that drives Hadoop: its jars fetched once, its classes compiled when changed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local.locking import exclusive
from kubeyarn.local.user_directories import cache_directory

if TYPE_CHECKING:
    from collections.abc import Iterable

_HERE = Path(__file__).parent
_POM = _HERE / "pom.xml"
_SOURCES = _HERE / "java"
_PACKAGES = {
    "java": "a JDK of Java 17 or later (Debian: openjdk-17-jdk-headless)",
    "javac": "a JDK of Java 17 or later (Debian: openjdk-17-jdk-headless)",
    "mvn": "Apache Maven (Debian: maven)",
}


class CannotMeasureHadoop(Exception):
    """What the machine lacks, or what a tool said."""


def class_path() -> str:
    """The program's class path for `java -cp`; the first call fetches 90 MB of jars.

    Raises CannotMeasureHadoop when a tool is missing or fails.
    """
    _check_tools()
    sources = sorted(_SOURCES.rglob("*.java"))
    jars = cache_directory() / f"hadoop-bench-{_digest([_POM])}"
    classes = jars / f"classes-{_digest([_POM, *sources])}"
    with exclusive(jars.with_name(f"{jars.name}.lock")):
        if not (jars / "lib").is_dir():
            _fetch(jars / "lib")
        if not classes.is_dir():
            _compile(sources, jars / "lib", classes)
    return os.pathsep.join([str(classes), str(jars / "lib" / "*")])


def _check_tools() -> None:
    missing = [tool for tool in _PACKAGES if shutil.which(tool) is None]
    if missing:
        lines = "".join(f"\n- the program `{tool}`: install {_PACKAGES[tool]}" for tool in missing)
        raise CannotMeasureHadoop(f"to measure Apache Hadoop this machine lacks:{lines}")


def _digest(files: Iterable[Path]) -> str:
    found = hashlib.sha256()
    for file in files:
        found.update(f"{file.relative_to(_HERE)}\0".encode())
        found.update(file.read_bytes())
    return found.hexdigest()[:12]


def _fetch(into: Path) -> None:
    partial = _anew(into)
    goal = ["dependency:copy-dependencies", f"-DoutputDirectory={partial}"]
    _run(["mvn", "--quiet", "--batch-mode", "--file", str(_POM), *goal])
    partial.rename(into)


def _compile(sources: list[Path], jars: Path, into: Path) -> None:
    partial = _anew(into)
    options = ["--release", "17", "-nowarn", "-cp", f"{jars}/*", "-d", str(partial)]
    _run(["javac", *options, *map(str, sources)])
    partial.rename(into)


def _anew(directory: Path) -> Path:
    """An empty place to prepare it in, so that an interrupted call leaves nothing half done."""
    partial = directory.with_name(f"{directory.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    return partial


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = "\n".join((done.stdout + done.stderr).splitlines()[-20:])
        raise CannotMeasureHadoop(f"{command[0]}: exit {done.returncode}\n{said}")

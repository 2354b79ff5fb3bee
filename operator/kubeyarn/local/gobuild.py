"""Builds programs from Go modules in a throw-away module that requires them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local.binaries import Module
from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubeyarn.local.binaries import Binary

_LOCAL = ("./", "../")
_STANDARD_LIBRARY = Module("the standard library", "")


def build(binaries: Sequence[Binary], scratch: Path) -> dict[str, Path]:
    """Build programs of one Go module with one `go build` below *scratch*; the file of each.

    Raises LocalClusterError when Go (or gcc, for runc) is missing or the build fails.
    """
    module = binaries[0].module
    # go's own work directory too, so that an interrupted build leaves nothing elsewhere.
    environment = {**_environment(module), "GOTMPDIR": str(scratch)}
    work, output = scratch / "module", scratch / "bin"
    work.mkdir()
    output.mkdir()
    upstream, source = _upstream(module, environment)
    text = module_file(module, upstream)
    if module.edits:
        _edited(module, source, scratch / "source")
        text += f"replace {module.path} => ../source\n"
    (work / "go.mod").write_text(text)
    _go(_build_arguments(binaries, output), work, environment)
    return {binary.name: output / _output_name(binary.package) for binary in binaries}


def build_source(source: str) -> bytes:
    """Build a static program of one file that needs the standard library only.

    Raises LocalClusterError when Go is missing or the build fails.
    """
    with tempfile.TemporaryDirectory(prefix="kubeyarn-go-") as scratch:
        work = Path(scratch)
        (work / "main.go").write_text(source)
        environment = {**_environment(_STANDARD_LIBRARY), "GOTMPDIR": scratch}
        _go(["build", "-trimpath", "-ldflags=-s -w", "-o", "out", "main.go"], work, environment)
        return (work / "out").read_bytes()


def missing_tools(module: Module) -> tuple[str, ...]:
    """The tools that a build of this module needs and the machine lacks."""
    needed = ("go", "gcc") if module.cgo else ("go",)
    return tuple(tool for tool in needed if shutil.which(tool) is None)


def module_file(module: Module, upstream: Mapping[str, object]) -> str:
    """The go.mod that builds a module's programs as its authors do.

    Replacements apply in the main module only, so they are carried over; those by a directory
    of the upstream repository become the version published beside it.
    """
    lines = [
        "module kubeyarn.local/build",
        f"go {upstream['Go']}",
        f"require {module.path} {module.version}",
    ]
    lines += [f"godebug {e['Key']}={e['Value']}" for e in _entries(upstream, "GoDebug")]
    for entry in _entries(upstream, "Exclude"):
        lines.append(f"exclude {entry['Path']} {entry['Version']}")
    for entry in _entries(upstream, "Replace"):
        lines += _replacement(module, entry)
    return "\n".join(lines) + "\n"


def _replacement(module: Module, entry: Mapping[str, Mapping[str, str]]) -> list[str]:
    old, new = entry["Old"], entry["New"]
    if not new["Path"].startswith(_LOCAL):
        subject = f"{old['Path']} {old.get('Version', '')}".strip()
        return [f"replace {subject} => {new['Path']} {new['Version']}"]
    # Kubernetes' own libraries are directories of its repository, and are published under other
    # versions at the same commit.
    if module.staging_version:
        return [f"replace {old['Path']} => {old['Path']} {module.staging_version}"]
    return []


def _entries(upstream: Mapping[str, object], key: str) -> list[dict[str, dict[str, str]]]:
    requirements = upstream.get(key) or []
    assert isinstance(requirements, list)
    return requirements


def _edited(module: Module, source: Path, into: Path) -> None:
    # The module cache is read-only, and so are its copies until they are told otherwise.
    shutil.copytree(source, into, copy_function=shutil.copyfile)
    for directory, _, _ in os.walk(into):
        Path(directory).chmod(0o755)
    for edit in module.edits:
        file = into / edit.file
        text = file.read_text()
        if edit.old not in text:
            raise LocalClusterError(
                f"{module.path} {module.version}: {edit.file} has no {edit.old!r} to change;"
                " the recipe in binaries.py does not fit this version"
            )
        file.write_text(text.replace(edit.old, edit.new))


def _upstream(module: Module, environment: Mapping[str, str]) -> tuple[dict[str, object], Path]:
    wanted = f"{module.path}@{module.version}"
    answer = json.loads(_go(["mod", "download", "-json", wanted], Path("/"), environment))
    parsed: dict[str, object] = json.loads(
        _go(["mod", "edit", "-json", answer["GoMod"]], Path("/"), environment)
    )
    return parsed, Path(answer["Dir"])


def _build_arguments(binaries: Sequence[Binary], output: Path) -> list[str]:
    module = binaries[0].module
    flags = ["build", "-mod=mod", "-trimpath", "-buildvcs=false"]
    if module.tags:
        flags.append("-tags=" + ",".join(module.tags))
    flags.append("-ldflags=" + " ".join(("-s", "-w", *module.ldflags)))
    return [*flags, "-o", f"{output}/", *(binary.package for binary in binaries)]


def _environment(module: Module) -> dict[str, str]:
    missing = missing_tools(module)
    if missing:
        raise LocalClusterError(
            f"building {module.path} {module.version} needs {' and '.join(missing)},"
            f" not found on PATH: install {' and '.join(missing)}"
        )
    return {
        **os.environ,
        # A static program runs in any image and on any libc.
        "CGO_ENABLED": "1" if module.cgo else "0",
        "GO111MODULE": "on",
        "GOWORK": "off",
        # A developer's own flags, such as -mod=vendor, would change what is built.
        "GOFLAGS": "",
    }


def _go(arguments: Sequence[str], directory: Path, environment: Mapping[str, str]) -> str:
    done = subprocess.run(
        ["go", *arguments],
        cwd=directory,
        env=dict(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-15:])
        raise LocalClusterError(f"go {' '.join(arguments)}: exit {done.returncode}\n{tail}")
    return done.stdout


def _output_name(package: str) -> str:
    last = package.rsplit("/", 1)[-1]
    is_major = last.startswith("v") and last[1:].isdigit()
    return package.rsplit("/", 2)[-2] if is_major else last

"""The build context of the image: wheels of the locked dependencies and of KubeYARN itself."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import kubeyarn
from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Say = Callable[[str], None]

_LOCK = "requirements/runtime.lock"
_SOURCES = ("pyproject.toml", "README.md", "LICENSE", "crds", "operator/kubeyarn")
_TAIL_LINES = 15


def project() -> Path:
    """The root of the source tree that this code runs from.

    KUBEYARN_SOURCE names it where KubeYARN is installed as a wheel.
    Raises LocalClusterError where there is no source tree.
    """
    explicit = os.environ.get("KUBEYARN_SOURCE")
    root = Path(explicit) if explicit else Path(kubeyarn.__file__).resolve().parents[2]
    if not (root / "pyproject.toml").is_file() or not (root / "operator/Dockerfile").is_file():
        raise LocalClusterError(
            f"{root} is no source tree of KubeYARN (pyproject.toml, operator/Dockerfile):"
            " the image is built from one; name it in KUBEYARN_SOURCE"
        )
    return root


def make_context(context: Path, cache: Path, say: Say) -> None:
    """Fill a directory with what operator/Dockerfile copies.

    Raises LocalClusterError when wheels cannot be had, with what pip said.
    """
    root = project()
    parts = {"dependencies": _dependencies(root, cache, say), "kubeyarn": _own(root, cache, say)}
    for name, wheels in parts.items():
        target = context / "wheels" / name
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(wheels, target)


def _dependencies(root: Path, cache: Path, say: Say) -> Path:
    lock = root / _LOCK
    key = _hash([lock.read_bytes(), sys.version.encode()])
    arguments = ["--require-hashes", "--no-deps", "-r", str(lock)]
    return _built(cache / f"dependencies-{key}", arguments, "wheels of the dependencies", say)


def _own(root: Path, cache: Path, say: Say) -> Path:
    key = _hash(_named(path, root) for path in _source_files(root))
    arguments = ["--no-deps", *_build_tools(), str(root)]
    return _built(cache / f"kubeyarn-{key}", arguments, "KubeYARN's wheel", say)


def _build_tools() -> list[str]:
    """Build with the tools that are installed here, by their hashes, where they are.

    pip would fetch others, of any version, for a build by itself.
    """
    command = [_pip()[0], "-c", "import hatchling"]
    installed = subprocess.run(command, capture_output=True, check=False).returncode == 0
    return ["--no-build-isolation"] if installed else []


def _built(target: Path, arguments: Sequence[str], what: str, say: Say) -> Path:
    if target.is_dir():
        return target
    say(f"{what}: building")
    partial = target.with_name(f".{target.name}.{os.getpid()}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        _pip_wheel(["--wheel-dir", str(partial), *arguments], what)
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    for older in target.parent.glob(f"{target.name.split('-')[0]}-*"):
        if older != target:
            shutil.rmtree(older, ignore_errors=True)
    return target


def _pip_wheel(arguments: Sequence[str], what: str) -> None:
    command = [*_pip(), "wheel", "--disable-pip-version-check", "--quiet", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        tail = "\n".join((done.stderr or done.stdout).strip().splitlines()[-_TAIL_LINES:])
        raise LocalClusterError(f"{what}: {' '.join(command)}: exit {done.returncode}\n{tail}")


def _pip() -> list[str]:
    base = getattr(sys, "_base_executable", sys.executable)
    for python in (sys.executable, base):
        asked = subprocess.run([python, "-m", "pip", "--version"], capture_output=True, check=False)
        if asked.returncode == 0:
            return [python, "-m", "pip"]
    raise LocalClusterError(
        f"the image's wheels need pip, which neither {sys.executable} nor {base} has:"
        " install pip or python3-venv"
    )


def _source_files(root: Path) -> Iterator[Path]:
    for name in _SOURCES:
        path = root / name
        files = [path] if path.is_file() else sorted(path.rglob("*"))
        yield from (p for p in files if p.is_file() and "__pycache__" not in p.parts)


def _named(path: Path, root: Path) -> bytes:
    return f"{path.relative_to(root)}\n".encode() + path.read_bytes()


def _hash(parts: Iterator[bytes] | Sequence[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()[:16]

"""A base image from this machine itself: its Python, a shell, a few tools, their libraries.

Laid out like the official python:slim image, so that one Dockerfile suits both. It stands in for
FROM where no registry can be reached.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import ssl
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_RECIPE = "2"
_TOOLS = (
    *("sh", "ls", "cat", "echo", "sleep", "date", "hostname", "env", "id", "df", "du", "nproc"),
    *("uname", "head", "tail", "wc", "sort", "uniq", "grep", "sed", "tee", "kill", "sha256sum"),
    *("mkdir", "rmdir", "rm", "cp", "mv", "ln", "chmod", "chown", "touch", "test", "true", "false"),
    *("cut", "tr", "seq", "stat", "readlink", "basename", "dirname", "find", "xargs", "printf"),
    *("timeout", "expr", "whoami", "pwd", "ps", "tar", "gzip", "mktemp", "yes", "awk", "which"),
)
# Loaded by name at run time, so no program's list of needed libraries has them.
# What manylinux wheels may link to, whatever this interpreter itself needs (PEP 600), and what
# libc loads by name.
_LOADED_LATER = (
    "libgcc_s.so.1",
    "libstdc++.so.6",
    "libm.so.6",
    "libdl.so.2",
    "librt.so.1",
    "libutil.so.1",
    "libpthread.so.0",
    "libresolv.so.2",
    "libnss_files.so.2",
    "libnss_dns.so.2",
)
_LEFT_OUT = {
    *("test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"),
    *("site-packages", "dist-packages", "idle_test", "__phello__"),
}
_LIBRARY = re.compile(r"(?:=>\s+)?(/\S+)\s+\(0x")
_DIRECTORIES = ("dev", "etc", "home", "proc", "root", "run", "sys", "usr/local/bin", "var/tmp")
_FILES = {
    "etc/passwd": "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n",
    "etc/group": "root:x:0:\nnogroup:x:65534:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    "etc/hosts": "127.0.0.1 localhost\n",
    "etc/ld.so.conf": "/usr/local/lib\n",
}
# Debian's own Python installs elsewhere than upstream's, unless it is told not to.
_IS_DEBIANS = "posix_local" in sysconfig.get_scheme_names()
_SITE = "dist-packages" if _IS_DEBIANS else "site-packages"
ENVIRONMENT = {
    **({"DEB_PYTHON_INSTALL_LAYOUT": "deb"} if _IS_DEBIANS else {}),
    "PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "PYTHON_VERSION": f"{sys.version_info.major}.{sys.version_info.minor}.{sys.version_info.micro}",
}


def key() -> str:
    """What the base depends on, as a hash: this Python and this recipe."""
    parts = [_RECIPE, sys.version, str(_python()), str(_stdlib()), *_TOOLS, *_LOADED_LATER]
    # An update of this machine's Python in place has the same version and another time.
    parts += [str(path.stat().st_mtime_ns) for path in (_python(), _stdlib())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def make(root: Path) -> None:
    """Make the base's root file system in an empty directory.

    Raises LocalClusterError when this machine's Python cannot be taken along.
    """
    _lay_out(root)
    programs = list(_copy_tools(root))
    programs += _copy_python(root)
    _copy_libraries(root, programs)
    _copy_certificates(root)
    _install_pip(root)
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin:/usr/bin")
    if ldconfig:
        subprocess.run([ldconfig, "-r", root], capture_output=True, check=False)


def _lay_out(root: Path) -> None:
    for directory in _DIRECTORIES:
        (root / directory).mkdir(parents=True)
    for directory in ("tmp", "var/tmp"):
        (root / directory).mkdir(exist_ok=True)
        (root / directory).chmod(0o1777)
    for name in ("bin", "sbin", "lib", "lib64", "lib32"):
        host = Path("/", name)
        # As here: programs name their loader by a path such as /lib64/ld-linux-x86-64.so.2.
        if host.is_symlink():
            (root / "usr" / name).mkdir(parents=True, exist_ok=True)
            (root / name).symlink_to(f"usr/{name}")
        elif host.is_dir():
            (root / name).mkdir()
    (root / "var/run").symlink_to("/run")
    for name, content in _FILES.items():
        (root / name).write_text(content)


def _copy_tools(root: Path) -> Iterator[Path]:
    for tool in _TOOLS:
        source = shutil.which(tool, path="/usr/bin:/bin:/usr/sbin:/sbin")
        if source is None:
            continue
        yield _copy(Path(source), root, Path("/usr/bin", tool))
    if not (root / "usr/bin/sh").exists():
        raise LocalClusterError("base image: this machine has no sh in /usr/bin or /bin")


def _copy_python(root: Path) -> list[Path]:
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    program = _copy(_python(), root, Path("/usr/local/bin", version))
    for alias in ("python3", "python"):
        program.with_name(alias).symlink_to(version)
    stdlib = root / "usr/local/lib" / version
    shutil.copytree(_stdlib(), stdlib, symlinks=False, ignore=_left_out)
    dynamic = Path(sysconfig.get_config_var("DESTSHARED") or "")
    if dynamic.is_dir() and not dynamic.is_relative_to(_stdlib()):
        shutil.copytree(dynamic, stdlib / "lib-dynload", dirs_exist_ok=True)
    (stdlib / _SITE).mkdir(exist_ok=True)
    return [program, *(path for path in stdlib.rglob("*.so") if path.is_file())]


def _left_out(directory: str, names: list[str]) -> set[str]:
    unwanted = {
        name
        for name in names
        if name in _LEFT_OUT or name.startswith(("config-", "_test", "_ctypes_test", "_tkinter"))
    }
    if Path(directory).name == "unittest":
        return set()
    return unwanted | ({"EXTERNALLY-MANAGED"} & set(names))


def _copy_libraries(root: Path, programs: Iterable[Path]) -> None:
    libraries = set(_needed(programs))
    beside = next((path.parent for path in libraries if path.name == "libc.so.6"), None)
    if beside is None:
        raise LocalClusterError(
            "base image: this Python is not linked to glibc's libc.so.6; build the image with"
            " Docker instead: docker build -f operator/Dockerfile"
        )
    # glibc opens them by name when a host or a user is looked up; ldd does not show them.
    later = [beside / name for name in _LOADED_LATER if (beside / name).exists()]
    for library in libraries | set(later) | set(_needed(later)):
        # A library of a Python that was built elsewhere is put where the loader of the image looks.
        at_home = library.is_relative_to("/lib") or library.is_relative_to("/usr/lib")
        is_loader = library.name.startswith("ld-")
        _copy(library, root, library if at_home or is_loader else beside / library.name)


def _needed(programs: Iterable[Path]) -> Iterator[Path]:
    listing = subprocess.run(["ldd", *programs], capture_output=True, text=True, check=False).stdout
    for match in _LIBRARY.finditer(listing):
        yield Path(match[1])


def _copy_certificates(root: Path) -> None:
    paths = ssl.get_default_verify_paths()
    bundle = next((p for p in (paths.cafile, paths.openssl_cafile) if p and Path(p).exists()), None)
    if bundle is None:
        return
    for target in {"/etc/ssl/certs/ca-certificates.crt", paths.openssl_cafile}:
        _copy(Path(bundle), root, Path(target))


def _install_pip(root: Path) -> None:
    site = root / "usr/local/lib" / _stdlib().name / _SITE
    bundled = sorted((_stdlib() / "ensurepip" / "_bundled").glob("pip-*.whl"))
    if bundled:
        with zipfile.ZipFile(bundled[-1]) as wheel:
            wheel.extractall(site)
        return
    for candidate in (sysconfig.get_paths()["purelib"], "/usr/lib/python3/dist-packages"):
        if Path(candidate, "pip").is_dir():
            shutil.copytree(Path(candidate, "pip"), site / "pip")
            return
    raise LocalClusterError(
        "base image: this Python has neither ensurepip nor pip: install python3-venv or pip"
    )


def _copy(source: Path, root: Path, target: Path) -> Path:
    # Through the host's own directory links: /lib/x may be usr/lib/x here and there.
    place = root / os.path.realpath(target.parent).lstrip("/") / target.name
    if not str(target).startswith(("/lib", "/bin", "/sbin", "/usr/lib", "/etc")):
        place = root / str(target).lstrip("/")
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        shutil.copy2(source, place, follow_symlinks=True)
    return place


def _python() -> Path:
    base = getattr(sys, "_base_executable", sys.executable)
    return Path(os.path.realpath(base))


def _stdlib() -> Path:
    return Path(sysconfig.get_path("stdlib"))

"""Official downloads, kept only when their checksum is right."""

from __future__ import annotations

import hashlib
import http.client
import os
import platform
import tarfile
import urllib.error
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local.binaries import SITES
from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from kubeyarn.local.binaries import Binary, Download

_CONNECT_TIMEOUT_SECONDS = 4.0
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


class Unreachable(LocalClusterError):
    """A site does not answer or does not have the file; a build may do instead."""


class Downloads:
    """Fetches programs from their official sites; a site that failed once is not asked again.

    KUBEYARN_DOWNLOAD_URL names one mirror for all sites; `none` switches downloads off.
    """

    def __init__(self, mirror: str | None = None) -> None:
        self._mirror = os.environ.get("KUBEYARN_DOWNLOAD_URL") if mirror is None else mirror
        self._closed: dict[str, str] = {}

    def fetch(self, binary: Binary, into: Path) -> Path:
        """Download a program and give its file.

        Raises Unreachable when there is nothing to download, LocalClusterError when what came
        is not what the checksum says.
        """
        download = binary.download
        if download is None or self._mirror == "none":
            raise Unreachable(f"{binary.name}: no download")
        base = self._mirror or SITES[download.base]
        url = base + _filled(download.path)
        # The checksum first: it is small, and a site that does not have it need not be asked for
        # the rest.
        checksum = self._checksum(base, download)
        partial = into / f"{binary.name}.download"
        try:
            _expect(checksum, _save(url, partial), url)
            return _unpacked(partial, _filled(download.member)) if download.member else partial
        except BaseException:
            partial.unlink(missing_ok=True)
            raise

    def _checksum(self, base: str, download: Download) -> str:
        if base in self._closed:
            raise Unreachable(self._closed[base])
        url = base + _filled(download.checksum_path)
        try:
            with _opened(url) as answer:
                return checksum_of(answer.read().decode(), _filled(download.path))
        except urllib.error.HTTPError as error:
            raise Unreachable(f"{url}: HTTP {error.code}") from error
        except OSError as error:
            # Each further program would wait for the same timeout.
            self._closed[base] = f"{base} is not reachable: {error}"
            raise Unreachable(self._closed[base]) from error


def checksum_of(text: str, path: str) -> str:
    """The SHA-256 that a checksum file gives for a file: alone, or on the line with its name."""
    lines = [line.split() for line in text.splitlines() if line.strip()]
    if len(lines) == 1 and len(lines[0]) == 1:
        return lines[0][0].lower()
    name = path.rsplit("/", 1)[-1]
    for words in lines:
        if len(words) == 2 and words[1].lstrip("*").rsplit("/", 1)[-1] == name:
            return words[0].lower()
    raise Unreachable(f"no checksum for {name} among {len(lines)} lines")


def _filled(path: str) -> str:
    machine = platform.machine()
    return path.format(os="linux", arch=_ARCHITECTURES.get(machine, machine))


def _opened(url: str) -> http.client.HTTPResponse:
    answer = urllib.request.urlopen(url, timeout=_CONNECT_TIMEOUT_SECONDS)
    assert isinstance(answer, http.client.HTTPResponse)
    return answer


def _save(url: str, partial: Path) -> str:
    digest = hashlib.sha256()
    try:
        with _opened(url) as answer, partial.open("wb") as file:
            while chunk := answer.read(1 << 20):
                digest.update(chunk)
                file.write(chunk)
    except (OSError, http.client.HTTPException) as error:
        raise Unreachable(f"{url}: {error}") from error
    return digest.hexdigest()


def _expect(expected: str, actual: str, url: str) -> None:
    if actual != expected:
        raise LocalClusterError(
            f"{url}: sha256 is {actual}, its checksum file says {expected}:"
            " the file was changed on the way; it was not kept"
        )


def _unpacked(archive: Path, member: str) -> Path:
    target = archive.with_suffix(".member")
    with tarfile.open(archive) as opened:
        try:
            source = opened.extractfile(member)
        except KeyError:
            source = None
        if source is None:
            raise LocalClusterError(f"{archive.name}: no file {member} in the archive")
        with source, target.open("wb") as file:
            while chunk := source.read(1 << 20):
                file.write(chunk)
    archive.unlink()
    return target

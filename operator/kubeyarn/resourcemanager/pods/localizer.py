"""Brings a container's files to its node before it starts (Hadoop: ContainerLocalizer).

Runs in an init container, of KubeYARN's image, with one argument for each file: JSON as
`files.localized` makes it. Standard library alone, so that little memory is enough.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from kubeyarn import __version__
from kubeyarn.resourcemanager.pods.unpacking import BadArchiveError, unpack

_CHUNK = 1 << 20
_SILENCE_S = 60
_PAUSES_S = (1, 2, 4, 8)
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
TERMINATION_LOG = "/dev/termination-log"


class LocalizationError(Exception):
    """Why a file is not there; *again*: another try may bring it."""

    def __init__(self, message: str, *, again: bool = False) -> None:
        super().__init__(message)
        self.again = again


@dataclass(frozen=True, slots=True)
class Wanted:
    """One file: where it comes from (*url*, else the path *source*) and where it goes."""

    path: str
    to: Path
    url: str = ""
    source: str = ""
    sha256: str = ""
    archive: bool = False

    @classmethod
    def parse(cls, text: str) -> Wanted:
        """One argument of the init container."""
        fields: dict[str, Any] = json.loads(text)
        return cls(**{**fields, "to": Path(fields["to"])})


def main(arguments: Sequence[str]) -> int:
    """Bring all files; the first that cannot be brought is told to the kubelet."""
    for text in arguments:
        wanted = Wanted.parse(text)
        try:
            localize(wanted)
        except (LocalizationError, BadArchiveError, OSError) as error:
            return _fail(f"files: {wanted.path}: {wanted.url or 'its source'}: {error}")
        print(f"{wanted.path}: there", flush=True)
    return 0


def localize(wanted: Wanted, pause: Callable[[float], None] = time.sleep) -> None:
    """Bring one file, check it, and unpack it when it is an archive.

    Raises:
        LocalizationError: it cannot be had, or its checksum is not the one that was said.
        BadArchiveError: it is no archive that can be unpacked.
    """
    wanted.to.parent.mkdir(parents=True, exist_ok=True)
    # Under its own name only when it is whole: the kubelet starts a failed init container again on
    # the same volume.
    part = wanted.to.with_name(wanted.to.name + ".part")
    digest = _download(wanted.url, part, pause) if wanted.url else _copy(Path(wanted.source), part)
    if wanted.sha256 and digest != wanted.sha256:
        raise LocalizationError(
            f"the checksum differs: expected sha256 {wanted.sha256}, found {digest}; "
            "the file was changed, or files[].sha256 is not its checksum"
        )
    if wanted.archive:
        unpack(part, wanted.to)
        part.unlink()
        return
    # Executable as a NodeManager's localized files are: scripts are run from where they are.
    part.chmod(0o555)
    part.rename(wanted.to)


def _copy(source: Path, to: Path) -> str:
    if not source.is_file():
        raise LocalizationError("found no such file; allowed: a file to check or to unpack")
    with source.open("rb") as content, to.open("wb") as target:
        return _hashed(content, target)[0]


def _download(url: str, to: Path, pause: Callable[[float], None]) -> str:
    """The file behind *url*; its sha256. What may pass is tried again a few times."""
    for wait_s in (*_PAUSES_S, None):
        try:
            return _get(url, to)
        except LocalizationError as error:
            if wait_s is None or not error.again:
                raise
            print(f"{url}: {error}; tried again in {wait_s} s", flush=True)
            pause(wait_s)
    raise AssertionError


def _get(url: str, to: Path) -> str:
    request = urllib.request.Request(url, headers={"User-Agent": f"kubeyarn/{__version__}"})
    try:
        with _opener().open(request, timeout=_SILENCE_S) as answer, to.open("wb") as target:
            digest, size = _hashed(answer, target)
            announced = answer.headers.get("Content-Length")
    except urllib.error.HTTPError as error:
        again = error.code in _TRY_AGAIN
        raise LocalizationError(
            f"the server answered {error.code} {error.reason}", again=again
        ) from error
    except urllib.error.URLError as error:
        raise LocalizationError(f"cannot be reached: {error.reason}", again=True) from error
    except (http.client.HTTPException, TimeoutError, ConnectionError) as error:
        raise LocalizationError(f"the transfer broke: {error!r}", again=True) from error
    # urllib does not complain of a body that ends early.
    if announced is not None and int(announced) != size:
        raise LocalizationError(f"the transfer broke after {size} of {announced} bytes", again=True)
    return digest


def _hashed(content: IO[bytes], target: IO[bytes]) -> tuple[str, int]:
    """Copy; the sha256 and the number of bytes."""
    digest, size = hashlib.sha256(), 0
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
        size += len(chunk)
        target.write(chunk)
    return digest.hexdigest(), size


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to http and https, but never from https to http."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        scheme = newurl.partition(":")[0].lower()
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise LocalizationError(f"the server redirects to {newurl}; allowed: https")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """An opener of http and https alone: no files, no ftp."""
    # `build_opener` would bring handlers of file:// and ftp:// along, and a redirect could read the
    # container's own files.
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener


def _fail(message: str) -> int:
    """Say why, where the kubelet takes it into the pod's status."""
    print(message, file=sys.stderr, flush=True)
    log = os.environ.get("KUBEYARN_TERMINATION_LOG", TERMINATION_LOG)
    try:
        Path(log).write_text(message[:4096], encoding="utf-8")
    except OSError as error:
        print(f"{log}: {error}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

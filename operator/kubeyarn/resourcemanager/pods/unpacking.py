"""Archives, unpacked so that nothing lands outside of where they belong (Hadoop: FileUtil.unTar).

Only files, directories and links within the archive are made. Nothing is written through a link,
and when all is there, no link leads elsewhere, also not by way of another one. Standard library
alone: an init container runs this.
"""

from __future__ import annotations

import lzma
import os
import posixpath
import shutil
import stat
import tarfile
import zipfile
import zlib
from pathlib import Path
from typing import IO


class BadArchiveError(Exception):
    """What was found in an archive, or that it is none."""


def unpack(archive: Path, to: Path) -> None:
    """Unpack a zip or a tar, plain or compressed by gzip, bzip2 or xz, into the directory *to*.

    Raises:
        BadArchiveError: it is none of these, is damaged, or an entry would land outside of *to*.
    """
    to.mkdir(parents=True)
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as opened:
                _unzip(opened, to)
        elif tarfile.is_tarfile(archive):
            with tarfile.open(archive) as tar:
                _untar(tar, to)
        else:
            raise BadArchiveError("it is neither a zip nor a tar (plain, gzip, bzip2 or xz)")
        _check_links(to)
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise BadArchiveError(f"the archive is damaged: {error}") from error
    except (RuntimeError, NotImplementedError) as error:
        # What zipfile says of encryption and of compression that it does not know.
        raise BadArchiveError(f"the archive cannot be read: {error}") from error


def _untar(tar: tarfile.TarFile, to: Path) -> None:
    # Not `extractall`: what its filters refuse depends on the release of Python, and each entry
    # that is refused is to be told by its name.
    for entry in tar:
        if entry.isdir():
            _directory(to, entry.name)
        elif entry.issym():
            _link(to, entry.name, entry.linkname)
        elif entry.islnk():
            _again(to, entry.name, entry.linkname)
        elif entry.isfile():
            content = tar.extractfile(entry)
            assert content is not None
            _file(to, entry.name, content, entry.mode)
        else:
            raise BadArchiveError(f"{entry.name!r} is a device or a pipe; allowed: files and links")


def _unzip(opened: zipfile.ZipFile, to: Path) -> None:
    for entry in opened.infolist():
        # A zip from Unix keeps the mode there; one from elsewhere has 0, a plain file.
        mode = entry.external_attr >> 16
        if entry.is_dir():
            _directory(to, entry.filename)
        elif stat.S_ISLNK(mode):
            _link(to, entry.filename, os.fsdecode(opened.read(entry)))
        else:
            with opened.open(entry) as content:
                _file(to, entry.filename, content, mode)


def _directory(to: Path, name: str) -> None:
    parts = _parts(name)
    if parts:
        _place(to, [*parts, "."])


def _file(to: Path, name: str, content: IO[bytes], mode: int) -> None:
    place = _new(to, name)
    # `x` fails where something is: a link that an earlier entry put there is not followed.
    with place.open("xb") as target:
        shutil.copyfileobj(content, target)
    # Everybody may read, nobody may write: the container runs as whoever it says.
    place.chmod(0o555 if mode & 0o111 else 0o444)


def _link(to: Path, name: str, target: str) -> None:
    where = posixpath.normpath(posixpath.join(posixpath.dirname("/".join(_parts(name))), target))
    if target.startswith("/") or where == ".." or where.startswith("../"):
        raise BadArchiveError(f"the link {name!r} leads to {target!r}, outside of the archive")
    _new(to, name).symlink_to(target)


def _check_links(to: Path) -> None:
    """Where links lead by way of each other is known only when all of them are made."""
    whole = to.resolve()
    for place in to.rglob("*"):
        if place.is_symlink() and not _leads_into(whole, place):
            name, target = place.relative_to(to), place.readlink()
            raise BadArchiveError(
                f"the link {str(name)!r} leads to {str(target)!r}, by way of other links outside "
                "of the archive"
            )


def _leads_into(whole: Path, link: Path) -> bool:
    try:
        return link.resolve().is_relative_to(whole)
    except (RuntimeError, OSError):
        # They lead to each other, and nowhere.
        return True


def _again(to: Path, name: str, other: str) -> None:
    """A hard link to an earlier entry."""
    source = _place(to, _parts(other))
    if source.is_symlink() or not source.is_file():
        raise BadArchiveError(f"{name!r} is a hard link to {other!r}, which is no earlier file")
    os.link(source, _new(to, name))


def _new(to: Path, name: str) -> Path:
    """Where an entry goes; an earlier one of the same name gives way, as tar has it."""
    parts = _parts(name)
    if not parts:
        raise BadArchiveError(f"an entry is called {name!r}")
    place = _place(to, parts)
    if place.is_symlink() or place.is_file():
        place.unlink()
    elif place.exists():
        raise BadArchiveError(f"{name!r} is a directory and something else")
    return place


def _place(to: Path, parts: list[str]) -> Path:
    """The path of an entry below *to*, with its directories made; none of them is a link."""
    place = to
    for part in parts[:-1]:
        place = place / part
        # An archive may make a link and then an entry "below" it, which would land wherever it
        # leads.
        if place.is_symlink():
            raise BadArchiveError(f"{'/'.join(parts)!r} goes through the link {part!r}")
        try:
            place.mkdir(exist_ok=True)
        except FileExistsError:
            raise BadArchiveError(f"{'/'.join(parts)!r} goes through a file") from None
    return place if parts[-1] == "." else place / parts[-1]


def _parts(name: str) -> list[str]:
    if name.startswith("/") or "\0" in name or "\\" in name:
        raise BadArchiveError(f"an entry is called {name!r}; allowed: relative paths with /")
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise BadArchiveError(f"an entry is called {name!r}, which leads outside of the archive")
    return parts

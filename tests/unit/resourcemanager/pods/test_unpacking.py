"""Archives: what lands where, and what never leaves its directory."""

from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from kubeyarn.resourcemanager.pods.unpacking import BadArchiveError, unpack

SYMLINK = 0o120777 << 16


def tar_of(path: Path, *entries: tarfile.TarInfo | tuple[tarfile.TarInfo, bytes], how="w") -> Path:
    with tarfile.open(path, how) as tar:
        for entry in entries:
            info, content = entry if isinstance(entry, tuple) else (entry, b"")
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def file(name, content=b"x", mode=0o644):
    info = tarfile.TarInfo(name)
    info.mode = mode
    return info, content


def other(name, kind, target=""):
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def link(name, target):
    return other(name, tarfile.SYMTYPE, target)


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(directory)): p.read_bytes()
        for p in sorted(directory.rglob("*"))
        if p.is_file()
    }


@pytest.mark.parametrize("how", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_is_unpacked_whatever_compresses_it(tmp_path, how):
    archive = tar_of(
        tmp_path / "a",
        file("./d/a.txt", b"A"),
        file("d/run.sh", b"#!", 0o755),
        link("d/again", "a.txt"),
        other("d/hard", tarfile.LNKTYPE, "d/a.txt"),
        other("empty", tarfile.DIRTYPE),
        how=how,
    )
    unpack(archive, tmp_path / "to")

    assert contents(tmp_path / "to") == {
        "d/a.txt": b"A", "d/again": b"A", "d/hard": b"A", "d/run.sh": b"#!",
    }  # fmt: skip
    assert (tmp_path / "to/empty").is_dir()
    assert (tmp_path / "to/d/a.txt").stat().st_mode & 0o777 == 0o444
    assert (tmp_path / "to/d/run.sh").stat().st_mode & 0o777 == 0o555


def test_a_zip_is_unpacked_with_its_links_and_rights(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as found:
        found.writestr("d/a.txt", "A")
        run = zipfile.ZipInfo("run.sh")
        run.external_attr = 0o100755 << 16
        found.writestr(run, "#!")
        again = zipfile.ZipInfo("again")
        again.external_attr = SYMLINK
        found.writestr(again, "d/a.txt")
        found.writestr("empty/", "")
    unpack(tmp_path / "a", tmp_path / "to")

    assert contents(tmp_path / "to") == {"again": b"A", "d/a.txt": b"A", "run.sh": b"#!"}
    assert (tmp_path / "to/again").is_symlink()
    assert (tmp_path / "to/run.sh").stat().st_mode & 0o111
    assert (tmp_path / "to/empty").is_dir()


def test_a_later_entry_of_a_name_wins(tmp_path):
    unpack(tar_of(tmp_path / "a", file("a", b"1"), file("a", b"2")), tmp_path / "to")

    assert contents(tmp_path / "to") == {"a": b"2"}


@pytest.mark.parametrize(
    ("entries", "says"),
    [
        ([file("../out")], "leads outside"),
        ([file("d/../../out")], "leads outside"),
        ([file("/out")], "relative paths"),
        ([file("d\\out")], "relative paths"),
        ([link("a", "/etc/passwd")], "outside of the archive"),
        ([link("a", "../out")], "outside of the archive"),
        ([link("d/a", "../../out")], "outside of the archive"),
        ([link("a", "."), file("a/out")], "goes through the link 'a'"),
        ([link("a", "d"), other("a/b", tarfile.DIRTYPE)], "goes through the link 'a'"),
        ([file("a"), file("a/b")], "goes through a file"),
        ([other("a", tarfile.LNKTYPE, "../out")], "leads outside"),
        ([link("a", "b"), other("c", tarfile.LNKTYPE, "a")], "no earlier file"),
        ([other("a", tarfile.LNKTYPE, "nothing")], "no earlier file"),
        ([other("a", tarfile.FIFOTYPE)], "device or a pipe"),
        ([other("a", tarfile.CHRTYPE)], "device or a pipe"),
        ([file("d/a"), file("d")], "a directory and something else"),
    ],
)
def test_nothing_lands_outside_and_no_device_is_made(tmp_path, entries, says):
    (tmp_path / "out").write_text("safe")
    with pytest.raises(BadArchiveError, match=says):
        unpack(tar_of(tmp_path / "a", *entries), tmp_path / "to")

    assert (tmp_path / "out").read_text() == "safe"


def test_a_zip_that_leads_outside_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a", "w") as found:
        found.writestr("../out", "x")
    with pytest.raises(BadArchiveError, match="leads outside"):
        unpack(tmp_path / "a", tmp_path / "to")

    assert not (tmp_path / "out").exists()


def test_what_is_no_archive_is_named(tmp_path):
    (tmp_path / "a").write_bytes(b"just words" * 100)
    with pytest.raises(BadArchiveError, match="neither a zip nor a tar"):
        unpack(tmp_path / "a", tmp_path / "to")


def test_a_damaged_archive_is_named(tmp_path):
    whole = tar_of(tmp_path / "a", file("big", bytes(range(256)) * 4096), how="w:gz").read_bytes()
    (tmp_path / "b").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadArchiveError, match="damaged"):
        unpack(tmp_path / "b", tmp_path / "to")


@pytest.mark.parametrize(
    "links",
    [
        (link("d/d/up", "../.."), link("e", "d/d/up/../x")),
        # The other way round, where the second one is not there yet.
        (link("e", "d/d/up/../x"), link("d/d/up", "../..")),
    ],
    ids=["after", "before"],
)
def test_links_lead_nowhere_else_by_way_of_each_other(tmp_path, links):
    with pytest.raises(BadArchiveError, match=r"'e' leads to 'd/d/up/\.\./x', by way of other"):
        unpack(tar_of(tmp_path / "a", file("d/d/f"), *links), tmp_path / "to")


def test_links_that_lead_to_each_other_lead_nowhere(tmp_path):
    unpack(tar_of(tmp_path / "a", link("one", "two"), link("two", "one")), tmp_path / "to")

    assert contents(tmp_path / "to") == {}

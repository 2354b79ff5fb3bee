"""Files over real HTTP: fetched, checked, unpacked, tried again, and refused with a clear word."""

from __future__ import annotations

import hashlib
import http.server
import io
import json
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from kubeyarn.resourcemanager.pods import localizer
from kubeyarn.resourcemanager.pods.localizer import LocalizationError, Wanted, localize

DATA = b"some data\n" * 1000
SHA = hashlib.sha256(DATA).hexdigest()


class Site(http.server.ThreadingHTTPServer):
    """Serves what `answers` says, one answer for each request of a path, the last one for ever."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[tuple[int, dict[str, str], bytes]]] = {}
        self.asked: list[str] = []

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.server_port}{path}"

    def serve(self, path: str, body: bytes, status: int = 200, **headers: str) -> str:
        self.answers.setdefault(path, []).append((status, headers, body))
        return self.url(path)


class Handler(http.server.BaseHTTPRequestHandler):
    server: Site

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        answers = self.server.answers[self.path]
        status, headers, body = answers.pop(0) if len(answers) > 1 else answers[0]
        self.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def site() -> Iterator[Site]:
    server = Site()
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def bring(url: str, to: Path, **said) -> list[float]:
    """Localize; returns the pauses between the tries."""
    pauses: list[float] = []
    localize(Wanted("data", to, url=url, **said), pauses.append)
    return pauses


def test_a_file_is_there_readable_and_executable_for_everybody(site, tmp_path):
    assert bring(site.serve("/d", DATA), tmp_path / "0", sha256=SHA) == []

    assert (tmp_path / "0").read_bytes() == DATA
    assert (tmp_path / "0").stat().st_mode & 0o777 == 0o555
    assert [p.name for p in tmp_path.iterdir()] == ["0"]


def test_an_archive_is_checked_as_a_whole_and_unpacked(site, tmp_path):
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        info = tarfile.TarInfo("d/a.txt")
        info.size = len(DATA)
        tar.addfile(info, io.BytesIO(DATA))
    sha = hashlib.sha256(content.getvalue()).hexdigest()
    bring(site.serve("/a.tgz", content.getvalue()), tmp_path / "0", sha256=sha, archive=True)

    assert (tmp_path / "0/d/a.txt").read_bytes() == DATA
    assert [p.name for p in tmp_path.iterdir()] == ["0"]


def test_another_checksum_is_refused_with_both_of_them(site, tmp_path):
    url = site.serve("/d", DATA + b"x")
    with pytest.raises(LocalizationError) as refused:
        bring(url, tmp_path / "0", sha256=SHA)

    found = hashlib.sha256(DATA + b"x").hexdigest()
    assert f"expected sha256 {SHA}, found {found}" in str(refused.value)
    assert site.asked == ["/d"]
    assert not (tmp_path / "0").exists()


def test_a_server_in_trouble_is_asked_again(site, tmp_path):
    site.serve("/d", b"busy", 503)
    site.serve("/d", DATA[:100], Content_Length=str(len(DATA)))
    url = site.serve("/d", DATA)

    assert bring(url, tmp_path / "0", sha256=SHA) == [1, 2]
    assert (tmp_path / "0").read_bytes() == DATA


def test_a_server_that_stays_in_trouble_is_given_up(site, tmp_path):
    url = site.serve("/d", b"busy", 503)
    with pytest.raises(LocalizationError, match="the server answered 503"):
        bring(url, tmp_path / "0")

    assert len(site.asked) == 5


def test_what_is_not_there_is_not_asked_for_again(site, tmp_path):
    url = site.serve("/d", b"", 404)
    with pytest.raises(LocalizationError, match="the server answered 404 Not Found"):
        bring(url, tmp_path / "0")

    assert site.asked == ["/d"]


def test_nobody_listening_is_said(tmp_path):
    with pytest.raises(LocalizationError, match=r"cannot be reached: .*refused"):
        bring("http://127.0.0.1:1/d", tmp_path / "0")


def test_redirects_are_followed_to_http_only(site, tmp_path):
    there = site.serve("/there", DATA)
    bring(site.serve("/d", b"", 302, Location=there), tmp_path / "0", sha256=SHA)
    assert (tmp_path / "0").read_bytes() == DATA

    secret = tmp_path / "secret"
    secret.write_text("secret")
    for target in (secret.as_uri(), "ftp://127.0.0.1/d"):
        url = site.serve(f"/to-{target[:4]}", b"", 302, Location=target)
        with pytest.raises(LocalizationError, match=r"redirects to|is not allowed"):
            bring(url, tmp_path / "1")


def test_no_other_scheme_is_opened(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("secret")
    with pytest.raises(LocalizationError, match="cannot be reached: unknown url type"):
        bring(secret.as_uri(), tmp_path / "0")


def test_what_is_mounted_is_checked_and_copied(tmp_path):
    (tmp_path / "source").write_bytes(DATA)
    localize(Wanted("data", tmp_path / "0", source=str(tmp_path / "source"), sha256=SHA))

    assert (tmp_path / "0").read_bytes() == DATA
    with pytest.raises(LocalizationError, match="no such file"):
        localize(Wanted("data", tmp_path / "1", source=str(tmp_path)))


def run(log: Path, *wanted: dict[str, object]) -> subprocess.CompletedProcess[str]:
    """The init container's process."""
    command = [sys.executable, "-m", localizer.__name__, *map(json.dumps, wanted)]
    variables = {"KUBEYARN_TERMINATION_LOG": str(log)}
    return subprocess.run(command, env=variables, capture_output=True, text=True, check=False)


def test_the_process_brings_all_files(site, tmp_path):
    url = site.serve("/d", DATA)
    files = [{"path": f"d{n}", "to": str(tmp_path / f"{n}"), "url": url} for n in (0, 1)]
    done = run(tmp_path / "log", *files)

    assert done.returncode == 0, done.stderr
    assert done.stdout == "d0: there\nd1: there\n"
    assert not (tmp_path / "log").exists()


def test_the_process_says_why_where_the_kubelet_reads_it(site, tmp_path):
    url = site.serve("/d", DATA)
    wrong = {"path": "in/d", "to": str(tmp_path / "0"), "url": url, "sha256": "0" * 64}
    done = run(tmp_path / "log", wrong)

    assert done.returncode == 1
    assert (tmp_path / "log").read_text() == (
        f"files: in/d: {url}: the checksum differs: expected sha256 {'0' * 64}, found {SHA}; "
        "the file was changed, or files[].sha256 is not its checksum"
    )

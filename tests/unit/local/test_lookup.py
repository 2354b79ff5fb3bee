from __future__ import annotations

import hashlib
import http.server
import io
import os
import stat
import subprocess
import sys
import tarfile
import threading
import urllib.error
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from kubeyarn.local import download, gobuild, lookup
from kubeyarn.local.binaries import BINARIES, KUBERNETES, RUNC, Binary
from kubeyarn.local.download import Downloads, Unreachable
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.lookup import Lookup

ETCD = BINARIES["etcd"]
KUBELET = BINARIES["kubelet"]
HELM = BINARIES["helm"]


def names(directory: Path) -> list[str]:
    """What lies in a directory."""
    return sorted(path.name for path in directory.iterdir())


def program(path: Path, says: str) -> Path:
    """A program that prints a version."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    directory = tmp_path / "cache"
    directory.mkdir()
    return directory


@pytest.fixture(autouse=True)
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No program of this machine is found unless the test puts one there."""
    for name in [name for name in os.environ if name.startswith("KUBEYARN_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python" / "python3"))


class Site:
    """A web site on this machine that serves files and counts who asked."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        site = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.asked.append(self.path)
                content = site.files.get(self.path)
                self.send_response(200 if content is not None else 404)
                self.end_headers()
                self.wfile.write(content or b"")

            def log_message(self, *arguments: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def offer(self, binary: Binary, content: bytes, checksum: str | None = None) -> None:
        assert binary.download is not None
        path = download._filled(binary.download.path)
        self.files[path] = content
        digest = checksum or hashlib.sha256(content).hexdigest()
        name = path.rpartition("/")[2]
        listing = f"{'0' * 64}  other-file\n{digest}  {name}\n"
        self.files[download._filled(binary.download.checksum_path)] = listing.encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.close()


Finder = Callable[..., Lookup]


@pytest.fixture
def a_lookup(cache: Path) -> Finder:
    def make(mirror: str = "none", said: list[str] | None = None) -> Lookup:
        lines = [] if said is None else said
        return Lookup(lines.append, cache, Downloads(mirror))

    return make


def test_an_explicit_setting_wins_over_everything(
    a_lookup: Finder, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = program(tmp_path / "mine", "anything")
    program(tmp_path / "bin" / "etcd", "etcd Version: 3.6.7")
    program(tmp_path / "path" / "etcd", "etcd Version: 3.6.7")
    program(cache / "etcd", "")
    monkeypatch.setenv("KUBEYARN_ETCD", str(mine))
    monkeypatch.setenv("KUBEYARN_BIN_DIR", str(tmp_path / "bin"))

    assert a_lookup().find(["etcd"]) == {"etcd": mine}


def test_a_directory_of_programs_wins_over_path_and_cache(
    a_lookup: Finder, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = program(tmp_path / "bin" / "etcd", "")
    program(tmp_path / "path" / "etcd", "etcd Version: 3.6.7")
    program(cache / "etcd", "")
    monkeypatch.setenv("KUBEYARN_BIN_DIR", str(tmp_path / "bin"))

    assert a_lookup().find(["etcd"]) == {"etcd": given}


def test_a_setting_that_names_no_program_is_an_error(
    a_lookup: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEYARN_KUBE_APISERVER", "/no/such/file")

    with pytest.raises(LocalClusterError, match="KUBEYARN_KUBE_APISERVER=/no/such/file"):
        a_lookup().find(["kube-apiserver"])


def test_path_wins_over_the_cache_when_the_version_is_the_pinned_one(
    a_lookup: Finder, cache: Path, tmp_path: Path
) -> None:
    installed = program(tmp_path / "path" / "kubelet", f"Kubernetes {KUBELET.version}")
    program(cache / "kubelet", "")

    assert a_lookup().find(["kubelet"]) == {"kubelet": installed}


@pytest.mark.parametrize("says", ["Kubernetes v1.36.2", "Kubernetes v1.37.0", "no version", ""])
def test_path_is_passed_over_when_the_version_is_another(
    a_lookup: Finder, cache: Path, tmp_path: Path, says: str
) -> None:
    program(tmp_path / "path" / "kubelet", says)
    cached = program(cache / "kubelet", "")

    assert a_lookup().find(["kubelet"]) == {"kubelet": cached}


@pytest.mark.parametrize(
    ("says", "fits"), [("v3.14.0+gabc", True), ("v4.3.1", True), ("v3.9.9", False)]
)
def test_any_version_from_the_minimum_on_does_where_skew_is_harmless(
    a_lookup: Finder, cache: Path, tmp_path: Path, says: str, fits: bool
) -> None:
    installed = program(tmp_path / "path" / "helm", says)
    cached = program(cache / "helm", "")

    assert a_lookup().find(["helm"]) == {"helm": installed if fits else cached}


def test_a_program_beside_this_python_counts_as_on_path(a_lookup: Finder, tmp_path: Path) -> None:
    from_a_wheel = program(tmp_path / "python" / "kubectl", "Client Version: v1.36.0")

    assert a_lookup().find(["kubectl"]) == {"kubectl": from_a_wheel}


def test_a_download_is_kept_when_its_checksum_is_right(
    a_lookup: Finder, cache: Path, site: Site
) -> None:
    site.offer(KUBELET, b"the kubelet")
    said: list[str] = []

    found = a_lookup(site.url, said).find(["kubelet"])["kubelet"]

    assert found == cache / "kubelet"
    assert found.read_bytes() == b"the kubelet"
    assert found.stat().st_mode & stat.S_IXUSR
    assert [line for line in said if "kubelet" in line and "downloaded" in line]
    assert names(cache) == ["kubelet"]


def test_a_download_with_a_wrong_checksum_is_refused_and_not_kept(
    a_lookup: Finder, cache: Path, site: Site
) -> None:
    site.offer(KUBELET, b"a changed kubelet", checksum="a" * 64)

    with pytest.raises(LocalClusterError, match=r"its checksum file says a{64}"):
        a_lookup(site.url).find(["kubelet"])

    assert names(cache) == []


def test_a_program_is_taken_out_of_the_archive_it_comes_in(
    a_lookup: Finder, cache: Path, site: Site
) -> None:
    assert HELM.download is not None
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w:gz") as tar:
        for name, content in (("README", b"no"), (HELM.download.member, b"the helm")):
            entry = tarfile.TarInfo(download._filled(name))
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    site.offer(HELM, archive.getvalue())

    found = a_lookup(site.url).find(["helm"])["helm"]

    assert found.read_bytes() == b"the helm"
    assert names(cache) == ["helm"]


def test_a_file_that_the_site_does_not_have_cannot_be_downloaded(cache: Path, site: Site) -> None:
    with pytest.raises(Unreachable, match="404"):
        Downloads(site.url).fetch(KUBELET, cache)


def test_a_site_that_does_not_answer_is_asked_once(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def nobody(url: str) -> None:
        asked.append(url)
        raise urllib.error.URLError("timed out")

    monkeypatch.setattr(download, "_opened", nobody)
    downloads = Downloads("http://mirror")

    for binary in (KUBELET, ETCD, HELM):
        with pytest.raises(Unreachable, match=r"http://mirror is not reachable: .*timed out"):
            downloads.fetch(binary, cache)

    assert len(asked) == 1


@pytest.mark.parametrize(
    "text",
    [
        "abc123\n",
        "abc123  kubelet\n",
        "ABC123 *kubelet\nfff  kubectl\n",
        "fff  kubectl\nabc123  ./kubelet\n",
    ],
)
def test_checksum_files_of_all_forms_are_read(text: str) -> None:
    assert download.checksum_of(text, "/v1/bin/kubelet") == "abc123"


def test_a_checksum_file_without_the_name_is_no_checksum() -> None:
    with pytest.raises(Unreachable, match="no checksum for kubelet"):
        download.checksum_of("fff  kubectl\neee  etcd\n", "/v1/bin/kubelet")


def test_what_is_nowhere_is_built_and_put_into_the_cache(
    a_lookup: Finder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gobuild, "missing_tools", lambda module: ())
    monkeypatch.setattr(gobuild, "build", _fake_build)
    said: list[str] = []

    found = a_lookup(said=said).find(["kubelet", "kubectl", "etcd"])

    assert {name: path.read_bytes() for name, path in found.items()} == {
        name: f"{name} built".encode() for name in ("kubelet", "kubectl", "etcd")
    }
    assert names(cache) == ["etcd", "kubectl", "kubelet"]
    assert any(line.startswith("kubelet, kubectl v1.36.3: building") for line in said)


def test_a_failed_build_leaves_the_cache_as_it_was(
    a_lookup: Finder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(binaries: list[Binary], scratch: Path) -> dict[str, Path]:
        (scratch / "half").write_text("half a kubelet")
        raise LocalClusterError("go build: exit 1")

    monkeypatch.setattr(gobuild, "build", fails)

    with pytest.raises(LocalClusterError, match="exit 1"):
        a_lookup().find(["kubelet"])

    assert names(cache) == []


def test_without_go_the_error_says_what_to_install_before_anything_is_built(
    a_lookup: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(LocalClusterError, match="not found on PATH: install go"):
        a_lookup().find(["etcd"])


def test_what_cannot_be_built_fails_before_what_can_is_built(
    a_lookup: Finder, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[str] = []

    def build(binaries: list[Binary], scratch: Path) -> dict[str, Path]:
        if binaries[0].module == RUNC:
            raise LocalClusterError("needs gcc")
        built.extend(binary.name for binary in binaries)
        return _fake_build(binaries, scratch)

    monkeypatch.setattr(gobuild, "build", build)
    lacking = {RUNC: ("gcc",)}
    monkeypatch.setattr(gobuild, "missing_tools", lambda module: lacking.get(module, ()))

    with pytest.raises(LocalClusterError, match="needs gcc"):
        a_lookup().find(["etcd", "kubelet", "runc"])

    assert built == []


def _fake_build(binaries: list[Binary], scratch: Path) -> dict[str, Path]:
    for binary in binaries:
        (scratch / binary.name).write_text(f"{binary.name} built")
    return {binary.name: scratch / binary.name for binary in binaries}


_BUILDER = """
import sys, time
from pathlib import Path
from kubeyarn.local import gobuild
from kubeyarn.local.download import Downloads
from kubeyarn.local.lookup import Lookup

cache, log = Path(sys.argv[1]), Path(sys.argv[2])

def build(binaries, scratch):
    found = {}
    for binary in binaries:
        with log.open("a") as file:
            file.write(binary.name + "\\n")
        path = scratch / binary.name
        with path.open("w") as file:
            for part in range(10):
                file.write(f"{binary.name} {part}\\n")
                file.flush()
                time.sleep(0.02)
        found[binary.name] = path
    return found

gobuild.build = build
gobuild.missing_tools = lambda module: ()
found = Lookup(print, cache, Downloads("none")).find(["kubelet", "etcd"])
for name, path in found.items():
    assert path.read_text() == "".join(f"{name} {part}\\n" for part in range(10)), path
"""


def test_two_builders_at_once_build_once_and_both_get_whole_programs(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()
    log = tmp_path / "built"
    source = str(Path(lookup.__file__).parents[2])
    environment = {"PYTHONPATH": source, "PATH": "/nowhere"}
    command = [sys.executable, "-c", _BUILDER, str(cache), str(log)]

    builders = [subprocess.Popen(command, env=environment) for _ in range(3)]

    assert [builder.wait() for builder in builders] == [0, 0, 0]
    assert sorted(log.read_text().split()) == ["etcd", "kubelet"]
    assert names(cache) == ["etcd", "kubelet"]


def test_the_mess_of_a_killed_build_does_not_stand_in_the_way(
    a_lookup: Finder, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scratch = cache / ".k8s.io-kubernetes.scratch"
    (scratch / "module").mkdir(parents=True)
    (cache / ".k8s.io-kubernetes.lock").touch()
    monkeypatch.setattr(gobuild, "build", _fake_build)
    monkeypatch.setattr(gobuild, "missing_tools", lambda module: ())

    a_lookup().find(["kubelet"])

    assert names(cache) == ["kubelet"]


def test_the_module_file_repeats_what_only_a_main_module_may_say() -> None:
    upstream = {
        "Go": "1.26.0",
        "GoDebug": [{"Key": "default", "Value": "go1.26"}],
        "Exclude": [{"Path": "example.org/bad", "Version": "v1.0.0"}],
        "Replace": [
            {"Old": {"Path": "k8s.io/api"}, "New": {"Path": "./staging/src/k8s.io/api"}},
            {"Old": {"Path": "a.org/x"}, "New": {"Path": "b.org/x", "Version": "v1.2.3"}},
        ],
    }

    assert gobuild.module_file(KUBERNETES, upstream).splitlines() == [
        "module kubeyarn.local/build",
        "go 1.26.0",
        "require k8s.io/kubernetes v1.36.3",
        "godebug default=go1.26",
        "exclude example.org/bad v1.0.0",
        "replace k8s.io/api => k8s.io/api v0.36.3",
        "replace a.org/x => b.org/x v1.2.3",
    ]


def test_a_directory_beside_the_module_is_the_published_one_where_versions_are_given() -> None:
    upstream = {
        "Go": "1.24.0",
        "Replace": [{"Old": {"Path": "go.etcd.io/etcd/api/v3"}, "New": {"Path": "../api"}}],
    }

    assert "replace" not in gobuild.module_file(ETCD.module, upstream)


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("k8s.io/kubernetes/cmd/kubelet", "kubelet"),
        ("go.etcd.io/etcd/server/v3", "server"),
        ("github.com/opencontainers/runc", "runc"),
    ],
)
def test_the_file_that_go_makes_is_known_from_the_package(package: str, name: str) -> None:
    assert gobuild._output_name(package) == name


def test_a_recipe_that_does_not_fit_the_source_is_an_error_not_a_wrong_program(
    tmp_path: Path,
) -> None:
    source = tmp_path / "source"
    (source / "libcontainer/seccomp").mkdir(parents=True)
    (source / RUNC.edits[0].file).write_text("package seccomp // all new")

    with pytest.raises(LocalClusterError, match="does not fit this version"):
        gobuild._edited(replace(RUNC), source, tmp_path / "edited")


@pytest.mark.parametrize("binary", BINARIES.values(), ids=lambda binary: binary.name)
def test_every_program_can_be_had_and_says_how_its_setting_is_called(binary: Binary) -> None:
    assert binary.download is not None
    assert binary.package.startswith(binary.module.path)
    assert binary.setting.startswith("KUBEYARN_")
    assert binary.exact or binary.minimum or not binary.on_path

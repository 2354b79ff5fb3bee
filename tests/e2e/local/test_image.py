from __future__ import annotations

import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from kubeyarn.local import dockerfile, image, imagebuild, wheels
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.imagebuild import Build

pytestmark = [pytest.mark.e2e, pytest.mark.kubelet, pytest.mark.timeout(300)]

RECIPE = """
ARG BASE=python:3.11
FROM ${BASE}
ENV GREETING=hello
COPY data /data
RUN echo "$GREETING $(cat /data/name)" > /said && rm /data/surplus && rm -r /etc/ssl
COPY late /late
RUN cat /said /late/word > /all && python3 -c 'import ssl, sqlite3, ctypes' && id -u >> /all
WORKDIR /data
USER 65532:65532
ENTRYPOINT ["cat"]
"""


@pytest.fixture(scope="module")
def layers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of layers for this module: its base is made once."""
    return tmp_path_factory.mktemp("layers")


@pytest.fixture
def context(tmp_path: Path) -> Path:
    for name, content in (("data/name", "world"), ("data/surplus", ""), ("late/word", "late\n")):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
    return tmp_path


Builder = Callable[..., tuple[Build, list[str]]]


@pytest.fixture
def build(layers: Path, context: Path) -> Builder:
    def run(recipe: str = RECIPE) -> tuple[Build, list[str]]:
        said: list[str] = []
        made = Build(context, layers, said.append)
        made.run(dockerfile.parse(recipe, {"BASE": imagebuild.HOST_BASE}))
        return made, said

    return run


def file_in(layer: Path, name: str) -> str:
    with tarfile.open(layer) as opened:
        member = opened.extractfile(name)
        assert member is not None
        return member.read().decode()


def names_in(layer: Path) -> set[str]:
    with tarfile.open(layer) as opened:
        return {entry.name for entry in opened if not entry.isdir()}


def test_every_copy_and_run_is_a_layer_of_just_what_it_changed(build: Builder) -> None:
    made, _ = build()

    base, data, first, late, second = made.stack
    assert {"usr/local/bin/python3.11", "usr/bin/sh", "etc/passwd"} <= names_in(base)
    assert names_in(data) == {"data/name", "data/surplus"}
    assert names_in(first) == {"said", "data/.wh.surplus", "etc/.wh.ssl"}
    assert file_in(first, "said") == "hello world\n"
    assert names_in(late) == {"late/word"}
    assert names_in(second) == {"all"}
    assert file_in(second, "all") == "hello world\nlate\n0\n"


def test_the_configuration_says_what_the_dockerfile_says(build: Builder) -> None:
    config = build()[0].config

    assert config.entrypoint == ("cat",)
    assert config.command == ()
    assert config.user == "65532:65532"
    assert config.working_directory == "/data"
    assert config.environment["GREETING"] == "hello"
    assert config.environment["PATH"].startswith("/usr/local/bin:")


def test_nothing_is_done_again_when_nothing_changed(build: Builder) -> None:
    first, _ = build()

    second, said = build()

    assert said == []
    assert second.stack == first.stack


def test_what_changed_and_what_comes_after_it_is_done_again(build: Builder, context: Path) -> None:
    first, _ = build()
    (context / "late/word").write_text("later\n")

    second, said = build()

    assert [line.split()[:2] for line in said] == [["RUN", "cat"]]
    assert second.stack[:3] == first.stack[:3]
    assert file_in(second.stack[4], "all") == "hello world\nlater\n0\n"


def test_a_command_that_fails_is_reported_with_its_line_and_leaves_no_layer(
    build: Builder, layers: Path
) -> None:
    with pytest.raises(LocalClusterError, match=r"line 3: RUN echo oops; exit 3: exit 3\noops"):
        build("ARG BASE\nFROM ${BASE}\nRUN echo oops; exit 3\n")

    assert [path.name for path in layers.iterdir() if path.name.startswith(".")] == []


def test_no_mount_is_left_by_a_build(build: Builder, layers: Path) -> None:
    build()

    assert str(layers) not in Path("/proc/self/mountinfo").read_text()


def test_a_base_that_needs_a_registry_is_refused(build: Builder) -> None:
    with pytest.raises(LocalClusterError, match=r"FROM python:3.11: only the base `host`"):
        build("FROM python:3.11\n")


def test_kubeyarns_image_is_complete_and_is_not_built_again_for_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A copy, so that whoever edits the sources meanwhile does not matter.
    for part in ("pyproject.toml", "README.md", "LICENSE", "requirements", "crds", "operator"):
        source = wheels.project() / part
        if source.is_dir():
            shutil.copytree(source, tmp_path / part)
        else:
            shutil.copy(source, tmp_path)
    monkeypatch.setenv("KUBEYARN_SOURCE", str(tmp_path))
    archive = image.kubeyarn(print)
    said: list[str] = []

    assert image.kubeyarn(said.append) == archive

    assert said == []
    with tarfile.open(archive) as opened:
        assert {"oci-layout", "index.json", "manifest.json"} <= set(opened.getnames())


def test_kube_schedulers_image_is_the_program_alone_under_its_official_name() -> None:
    archive = image.kube_scheduler(print)

    with tarfile.open(archive) as opened:
        index = opened.extractfile("index.json")
        assert index is not None
        assert "registry.k8s.io/kube-scheduler:v1.36.3" in index.read().decode()
        blobs = [entry for entry in opened if entry.name.startswith("blobs/")]
    assert max(entry.size for entry in blobs) > 50 << 20

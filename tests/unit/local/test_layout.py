from __future__ import annotations

from pathlib import Path

import pytest

from kubeyarn.local import layout, user_directories
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.layout import Record


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBEYARN_STATE_DIR", str(tmp_path))
    return tmp_path


def test_a_record_is_read_back_as_it_was_written() -> None:
    record = Record(slot=3, kubelet=True, fake_nodes=5, boot="b")
    layout.layout("mine").write(record)

    assert layout.layout("mine").read() == record
    assert [each.name for each in layout.layouts()] == ["mine"]


@pytest.mark.parametrize("content", ["", "{", "{}", '{"slot": 1, "surprise": 2}'])
def test_a_record_that_cannot_be_read_counts_as_none(content: str) -> None:
    found = layout.layout("torn")
    found.of("cluster.json").write_text(content)

    assert found.read() is None


@pytest.mark.parametrize("name", ["", "Mine", "a/b", "..", "-a", "a-", "x" * 41, "a b"])
def test_a_name_that_cannot_be_a_nodes_is_refused(name: str) -> None:
    with pytest.raises(LocalClusterError, match="lower-case letters"):
        layout.layout(name)


def test_the_cache_is_keyed_by_the_kubernetes_version(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBEYARN_CACHE_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert user_directories.cache_directory() == tmp_path / "kubeyarn" / "v1.36.3"

    monkeypatch.setenv("KUBEYARN_CACHE_DIR", str(tmp_path / "mine"))
    assert user_directories.cache_directory() == tmp_path / "mine" / "v1.36.3"


def test_a_relative_xdg_directory_is_ignored_as_its_specification_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KUBEYARN_STATE_DIR")
    monkeypatch.setenv("XDG_STATE_HOME", "relative")

    assert user_directories.state_directory() == Path.home() / ".local/state/kubeyarn"

from __future__ import annotations

from pathlib import Path

import pytest

from kubeyarn.local import cgroups
from kubeyarn.local.errors import LocalClusterError


@pytest.fixture
def unified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that looks like the root of cgroup v2, as far as its files go."""
    monkeypatch.setattr(cgroups, "_MOUNT", tmp_path)
    return tmp_path


def controllers(group: Path, available: str, handed_down: str = "") -> None:
    group.mkdir(exist_ok=True)
    (group / "cgroup.controllers").write_text(available)
    (group / "cgroup.subtree_control").write_text(handed_down)


def test_on_version_two_missing_controllers_are_named_with_what_to_do(unified: Path) -> None:
    controllers(unified, "cpu memory pids")
    controllers(unified / "kubeyarn-3", "cpu memory", "cpu memory")

    with pytest.raises(
        LocalClusterError, match=r"no controllers cpuset, pids for.*--cgroupns=host"
    ):
        cgroups.create(3)


def test_on_version_two_each_available_controller_is_handed_down(
    unified: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    controllers(unified, "cpu cpuset memory pids")
    controllers(unified / "kubeyarn-3", "cpu cpuset memory pids")
    written: list[str] = []
    monkeypatch.setattr(cgroups, "_expect_controllers", lambda group: None)
    monkeypatch.setattr(Path, "write_text", lambda self, text: written.append(text))

    cgroups.create(3)

    assert written == ["+cpu", "+cpuset", "+memory", "+pids"] * 2


def test_a_machine_says_itself_which_version_it_has(unified: Path) -> None:
    assert not cgroups.is_unified()

    controllers(unified, "cpu")

    assert cgroups.is_unified()

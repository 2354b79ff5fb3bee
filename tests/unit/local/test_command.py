from __future__ import annotations

import json
from pathlib import Path

import click.testing
import pytest

from kubeyarn.local import command, prerequisites
from kubeyarn.local.binaries import BINARIES, NODE
from kubeyarn.local.cluster import ComponentStatus, LocalCluster
from kubeyarn.local.errors import LocalClusterError


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KUBEYARN_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


def run(*arguments: str) -> click.testing.Result:
    return click.testing.CliRunner().invoke(command.cluster, list(arguments))


@pytest.fixture
def running(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [
        ComponentStatus("etcd", 11, "v3.6.7", healthy=True),
        ComponentStatus("kube-scheduler", 0, "v1.36.3", healthy=False),
    ]
    monkeypatch.setattr(LocalCluster, "status", lambda self: found)


@pytest.mark.usefixtures("running")
def test_status_shows_every_component_and_fails_unless_all_are_well() -> None:
    result = run("status")

    assert result.exit_code == 1
    rows = [line.split() for line in result.output.splitlines()[1:]]
    assert rows == [
        ["etcd", "11", "healthy", "v3.6.7"],
        ["kube-scheduler", "-", "ended", "v1.36.3"],
    ]


@pytest.mark.usefixtures("running")
def test_status_as_json_is_for_programs() -> None:
    assert json.loads(run("status", "-o", "json").output)["components"][0] == {
        "name": "etcd",
        "pid": 11,
        "healthy": True,
        "version": "v3.6.7",
    }


def test_status_of_no_cluster_says_so_and_fails() -> None:
    result = run("status", "--name", "nobody")

    assert result.exit_code == 1
    assert result.output == "cluster nobody is not up\n"


def test_the_kubeconfig_of_no_cluster_is_an_error_that_says_what_to_do() -> None:
    result = run("kubeconfig", "--name", "nobody")

    assert result.exit_code == 1
    assert "kubeyarn cluster up --name nobody" in result.output


def test_the_kubeconfig_is_printed_or_its_path(state: Path) -> None:
    path = state / "clusters" / "mine" / "admin.kubeconfig"
    path.parent.mkdir(parents=True)
    path.write_text("kind: Config\n")

    assert run("kubeconfig", "--name", "mine").output == "kind: Config\n"
    assert run("kubeconfig", "--name", "mine", "--path").output == f"{path}\n"


def test_a_name_that_cannot_be_is_refused_without_a_traceback() -> None:
    result = run("up", "--name", "No_Name")

    assert result.exit_code == 1
    assert "lower-case" in result.output


def test_wrong_usage_exits_with_two() -> None:
    assert run("up", "--fake-nodes", "-1").exit_code == 2
    assert run("nonsense").exit_code == 2


def test_the_settings_name_every_program_and_start_nothing(state: Path) -> None:
    result = run("up", "--settings")

    assert result.exit_code == 0
    for binary in BINARIES.values():
        assert binary.setting in result.output
    assert not state.exists()


def test_every_program_can_be_had_before_it_is_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in BINARIES:
        (tmp_path / name).touch(0o755)
    monkeypatch.setenv("KUBEYARN_BIN_DIR", str(tmp_path))

    everything, no_node = run("fetch"), run("fetch", "--no-kubelet")

    assert everything.exit_code == no_node.exit_code == 0
    shown = {line.split()[0]: line.split()[-1] for line in everything.output.splitlines()}
    assert shown == {name: str(tmp_path / name) for name in BINARIES}
    assert {line.split()[0] for line in no_node.output.splitlines()} == {*BINARIES} - {*NODE}


def test_without_root_the_error_says_what_still_works(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites.os, "geteuid", lambda: 1000)

    with pytest.raises(LocalClusterError, match="root: a real kubelet") as caught:
        prerequisites.check(kubelet=True)

    assert "--no-kubelet" in str(caught.value)
    prerequisites.check(kubelet=False)


def test_all_that_is_missing_is_said_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prerequisites.shutil, "which", lambda tool: None)

    with pytest.raises(LocalClusterError) as caught:
        prerequisites.check(kubelet=True)

    assert "`ip`: install the package iproute2" in str(caught.value)
    assert "`mount`" in str(caught.value)

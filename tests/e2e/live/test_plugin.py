"""`kubectl yarn` and `kubectl explain` against a cluster where something runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.conftest import empty
from e2e.live.installed import Live

pytestmark = [pytest.mark.e2e, pytest.mark.kubelet, pytest.mark.timeout(150, func_only=True)]

Json = dict[str, Any]
NAMESPACE = "plugin"


@pytest.fixture(scope="module")
def running(real_node: Live) -> Iterator[Json]:
    """The application `talker` with one container that said a word."""
    live = real_node
    live.replace_queues(
        manifests.root(),
        manifests.queue("root.a", capacity="70%", maximumAMShare="50%"),
        manifests.queue("root.b", capacity="30%"),
    )
    live.kubectl.run("create", "namespace", NAMESPACE)
    say = ["sh", "-c", "echo hello from $CONTAINER_ID; sleep 1"]
    live.apply(
        NAMESPACE,
        manifests.idle("talker", "root.a", applicationName="a talker", tags=["t1"]),
        manifests.request("words", "talker", 1, command=say),
        manifests.request("rest", "talker", 1),
    )
    live.wait_for_status(NAMESPACE, "words", succeeded=1)
    live.wait_for_status(NAMESPACE, "rest", running=1)
    yield live.wait_for_state(NAMESPACE, "talker", "RUNNING")
    empty(live, NAMESPACE)
    live.kubectl.run("delete", "namespace", NAMESPACE, "--wait=false")


def yarn(live: Live, *arguments: str) -> str:
    done = live.yarn(*arguments, "-n", NAMESPACE)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_application_list_and_status(live: Live, running: Json) -> None:
    identity = running["status"]["applicationId"]
    listed = yarn(live, "application", "-list")
    row = next(line for line in listed.splitlines() if identity in line)
    for word in ("a talker", "YARN", "root.a", "RUNNING", "UNDEFINED"):
        assert word in row, listed
    assert identity not in yarn(live, "application", "-list", "-appStates", "FINISHED")
    assert identity in yarn(live, "application", "-list", "-appTags", "t1")
    for name in (identity, "talker", "a talker"):
        report = yarn(live, "application", "-status", name)
        for word in (identity, "a talker", "root.a", "RUNNING", "kubernetes-admin"):
            assert word in report, report


def test_queue_list_and_status(live: Live, running: Json) -> None:
    listed = yarn(live, "queue", "-list", "all")
    for word in ("root.a", "root.b", "70"):
        assert word in listed, listed
    for name in ("root.a", "a"):
        report = yarn(live, "queue", "-status", name)
        for word in ("root.a", "RUNNING", "70"):
            assert word.lower() in report.lower(), report


def test_node_list(live: Live, running: Json) -> None:
    listed = yarn(live, "node", "-list")
    row = next(line for line in listed.splitlines() if live.cluster.node_name in line)
    assert "RUNNING" in row, listed
    # The ApplicationMaster and the container that still runs.
    assert "2" in row.split(), listed


def test_logs_of_all_containers_and_of_the_application_master(live: Live, running: Json) -> None:
    identity = running["status"]["applicationId"]
    written = yarn(live, "logs", "-applicationId", identity)
    assert (
        f"hello from container_{identity.removeprefix('application_')}"
        in written.replace("container_e", "container_")
        or "hello from container_" in written
    ), written
    assert "registered as appattempt_" in written, written
    master = yarn(live, "logs", "-applicationId", "talker", "-am", "ALL")
    assert "registered as appattempt_" in master, master
    assert "hello from" not in master, master


def test_what_is_not_there_is_said(live: Live, running: Json) -> None:
    for arguments in (
        ("application", "-status", "application_1_0001"),
        ("application", "-kill", "nobody"),
        ("queue", "-status", "root.nowhere"),
        ("logs", "-applicationId", "nobody"),
    ):
        done = live.yarn(*arguments, "-n", NAMESPACE)
        assert done.returncode == 1, done
        assert arguments[-1] in done.stderr, done.stderr
    assert live.yarn("application", "-nonsense").returncode == 2


def test_explain_teaches_every_field(live: Live) -> None:
    for kind, words in (
        ("yarnapplication", ["applicationMaster", "keepContainersAcrossAttempts", "queue"]),
        ("yarnqueue", ["maximumCapacity", "userLimitFactor", "minimumAllocation"]),
        ("containerrequest", ["allocationRequestId", "placementConstraint", "locality"]),
    ):
        told = live.kubectl.run("explain", f"{kind}.spec", "--recursive")
        for word in words:
            assert word in told, told
        field = live.kubectl.run("explain", f"{kind}.spec.{words[0]}") if kind[4] == "a" else told
        assert "DESCRIPTION" in field, field


def test_get_prints_the_columns_and_the_short_names_work(live: Live, running: Json) -> None:
    for name, words in (
        ("yapp", ["talker", "RUNNING", "root.a"]),
        ("creq", ["words", "rest"]),
        ("yq", ["root.a", "70%"]),
    ):
        told = live.kubectl.run("get", name, "-n", NAMESPACE)
        for word in words:
            assert word in told, told
    both = live.kubectl.json("yarn", "-n", NAMESPACE)["items"]
    assert {item["kind"] for item in both} >= {"YarnApplication", "ContainerRequest"}
    chosen = ("--field-selector", "spec.queue=root.a")
    named = live.kubectl.json("yapp", "-n", NAMESPACE, *chosen)["items"]
    assert [item["metadata"]["name"] for item in named] == ["talker"], json.dumps(named)[:500]

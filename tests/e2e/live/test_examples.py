"""The examples, applied as the README says, tell their story and end well."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from e2e.live.conftest import EXAMPLES, empty
from e2e.live.installed import ENDED, Live
from e2e.live.manifests import condition
from e2e.live.patience import until

pytestmark = [pytest.mark.e2e, pytest.mark.kubelet, pytest.mark.timeout(300, func_only=True)]

NAMESPACE = "examples"
APPLICATIONS = ("wordcount", "distributed-shell", "by-hand")


@dataclass
class Watched:
    """The examples at their end, and what `kubectl get -w` printed meanwhile."""

    live: Live
    lines: list[str]

    def states(self, name: str) -> list[str]:
        """The states of an application, one after the other."""
        seen: list[str] = []
        for line in self.lines:
            found, state, *_ = (*line.split(), "")
            if found == name and state and seen[-1:] != [state]:
                seen.append(state)
        return seen


@pytest.fixture(scope="module")
def examples(real_node: Live) -> Iterator[Watched]:
    """All examples, applied at once, followed to their end."""
    live = real_node
    live.kubectl.run("create", "namespace", NAMESPACE)
    live.remove_queues()
    live.kubectl.run("apply", "-f", str(EXAMPLES / "01-queues.yaml"))
    live.wait_for_queues("root.engineering.etl", "root.engineering.adhoc", "root.research")
    columns = "-o=custom-columns=N:.metadata.name,S:.status.state,F:.status.finalStatus"
    watch = subprocess.Popen(
        [
            *(live.cluster.kubectl, "--kubeconfig", live.cluster.kubeconfig_path),
            *("get", "yapp", "-n", NAMESPACE, "-w", "--no-headers", columns),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        live.kubectl.run("apply", "-n", NAMESPACE, "-k", str(EXAMPLES))
        for name in APPLICATIONS:
            live.wait_for_state(NAMESPACE, name, *ENDED, seconds=180)
        for name in APPLICATIONS:
            # Unregistered is not yet gone: the ApplicationMaster's process ends a little later.
            live.wait_for_release(NAMESPACE, name)
    finally:
        watch.terminate()
        lines = watch.communicate(timeout=20)[0].splitlines()
    yield Watched(live, lines)
    empty(live, NAMESPACE)
    live.kubectl.run("delete", "namespace", NAMESPACE, "--wait=false")


@pytest.mark.parametrize("name", APPLICATIONS)
def test_an_example_ends_well_and_is_watched_through_its_states(
    examples: Watched, name: str
) -> None:
    status = examples.live.application(NAMESPACE, name)["status"]
    assert (status["state"], status["finalStatus"]) == ("FINISHED", "SUCCEEDED"), status
    assert status["progress"] == 100
    assert len(status["attempts"]) == 1
    assert status["allocated"].get("containers", 0) == 0
    states = examples.states(name)
    story = [state for state in states if state in ("ACCEPTED", "RUNNING", "FINISHED")]
    assert story == ["ACCEPTED", "RUNNING", "FINISHED"], states


@pytest.mark.parametrize("name", APPLICATIONS)
def test_events_and_conditions_of_an_example_read_well(examples: Watched, name: str) -> None:
    live = examples.live
    found = live.application(NAMESPACE, name)
    accepted, running, finished = (condition(found, t) for t in ("Accepted", "Running", "Finished"))
    assert accepted["status"] == "True"
    assert found["status"]["queue"] in accepted["message"]
    assert (running["status"], running["reason"]) == ("False", "Ended")
    assert (finished["status"], finished["reason"]) == ("True", "Succeeded")
    reasons = [event["reason"] for event in live.events(NAMESPACE, name)]
    order = [r for r in reasons if r in ("ApplicationAccepted", "ApplicationRunning")]
    assert order == ["ApplicationAccepted", "ApplicationRunning"], reasons
    assert "ApplicationFinished" in reasons
    for event in live.events(NAMESPACE, name):
        assert event["type"] == "Normal", event
        assert found["status"]["applicationId"] in event["note"], event


def test_the_word_count_equals_a_count_in_one_process(examples: Watched, counted) -> None:
    assert counted["words"] > 100_000
    assert examples.live.word_count_result(NAMESPACE, "wordcount") == counted


def test_the_distributed_shell_ran_its_command_in_four_containers(examples: Watched) -> None:
    done = examples.live.yarn("logs", "-applicationId", "distributed-shell", "-n", NAMESPACE)
    assert done.returncode == 0, done.stderr
    said = [line for line in done.stdout.splitlines() if line.startswith("container ")]
    assert len(said) == len(set(said)) == 4, done.stdout
    assert all("container_" in line for line in said), said


def test_containers_by_hand_ran_without_code(examples: Watched) -> None:
    status = examples.live.request(NAMESPACE, "hello")["status"]
    assert (status["granted"], status["pending"], status["succeeded"]) == (3, 0, 3), status
    assert condition({"status": status}, "Accepted")["status"] == "True"


def test_nothing_of_ended_applications_is_left_in_the_queues(examples: Watched) -> None:
    until(
        "queues hold nothing",
        examples.live.queues,
        lambda found: all(
            queue["status"].get("containers", 0) == 0
            and queue["status"]["applications"]["total"] == 0
            for queue in found.values()
        ),
        seconds=20,
    )

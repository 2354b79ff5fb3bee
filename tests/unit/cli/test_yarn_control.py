"""`kubectl yarn`: attempts, containers, and what is changed of applications that live."""

from __future__ import annotations

import json
import time

import pytest

from unit.cli.test_yarn import APPS, ID, calls, change, run, state

__all__ = ["run", "state"]

ATTEMPT = "appattempt_1763850000000_0001_{:06d}"
CONTAINER = "container_1763850000000_0001_01_{:06d}"


@pytest.fixture(autouse=True)
def two_attempts(state):
    """The first application's second attempt runs."""

    def with_attempts(body):
        body["objects"][APPS][0]["status"]["attempts"] = [
            {
                "id": ATTEMPT.format(1),
                "number": 1,
                "state": "FAILED",
                "containerId": CONTAINER.format(1),
                "diagnostics": "it exited with 3",
            },
            {"id": ATTEMPT.format(2), "number": 2, "state": "RUNNING", "node": "n5"},
        ]

    change(state, with_attempts)


def patched(state):
    """The patches that were made, as (name, spec)."""
    found = []
    for call in json.loads(state.read_text())["calls"]:
        if call[0] == "patch":
            text = next(word for word in call if word.startswith("--patch="))
            found.append((call[2], json.loads(text.removeprefix("--patch="))["spec"]))
    return found


@pytest.mark.parametrize("command", ["application", "applicationattempt"])
def test_failing_an_attempt_says_its_id_in_the_spec(run, state, command):
    code, out, _ = run(f"{command} -fail {ATTEMPT.format(2)}")

    assert code == 0
    assert out == f"Failing attempt {ATTEMPT.format(2)} of application {ID.format(1)}\n"
    assert patched(state) == [("wordcount", {"failAttempt": ATTEMPT.format(2)})]


def test_an_attempt_that_is_over_is_left_alone(run, state):
    code, out, _ = run(f"application -fail {ATTEMPT.format(1)}")

    assert (code, out) == (0, f"Application attempt {ATTEMPT.format(1)} has already finished \n")
    assert patched(state) == []


def test_an_attempt_that_is_not_there_names_those_that_are(run):
    code, _, err = run(f"applicationattempt -status {ATTEMPT.format(9)}")

    assert code == 1
    assert f"{ATTEMPT.format(9)} doesn't exist; found: {ATTEMPT.format(1)}, " in err


@pytest.mark.parametrize(
    ("line", "said", "spec"),
    [
        ("-updatePriority 7 -appId waits", "Updating priority", {"priority": 7}),
        ("-changeQueue root.b -appId waits", "to queue root.b", {"queue": "root.b"}),
        ("-movetoqueue waits -queue root.b", "to queue root.b", {"queue": "root.b"}),
    ],
)
def test_changes_are_fields_of_the_spec(run, state, line, said, spec):
    code, out, _ = run(f"application {line}")

    assert code == 0
    assert said in out
    assert ID.format(2) in out
    assert patched(state) == [("waits", spec)]


def test_a_lifetime_counts_from_now_on_the_command_line_and_from_the_start_in_the_spec(run, state):
    started = time.time() - 1000
    text = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(started))
    change(state, lambda body: body["objects"][APPS][0]["status"].update(startTime=text))
    code, _, _ = run(f"application -updateLifetime 60 -appId {ID.format(1)}")

    assert code == 0
    ((name, spec),) = patched(state)
    assert name == "wordcount"
    assert 1060 <= spec["lifetimeSeconds"] <= 1065


def test_an_application_that_has_ended_cannot_be_changed(run, state):
    code, _, err = run("application -updatePriority 7 -appId done")

    assert code == 1
    assert f"Application {ID.format(3)} is FINISHED: nothing can be changed" in err
    assert patched(state) == []


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("application -updatePriority 7", "needs -appId <id or name>"),
        ("application -updatePriority high -appId waits", "'high' is no priority"),
        ("application -updateLifetime 0 -appId waits", "must be a whole number of 1 or more"),
        ("application -movetoqueue waits", "needs -queue <queue>"),
        ("application -fail waits", "'waits' is no attempt's id"),
        ("container -status waits", "'waits' is no container's id"),
        (f"container -signal {CONTAINER.format(2)} HUP", "must be one of OUTPUT_THREAD_DUMP"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(run, state, line, said):
    code, _, err = run(line)

    assert code == 2
    assert said in err
    assert patched(state) == []


def test_attempts_are_listed_as_yarn_lists_them(run):
    code, out, _ = run(f"applicationattempt -list {ID.format(1)}")

    lines = out.splitlines()
    assert (code, lines[0]) == (0, "Total number of application attempts :2")
    rows = [[cell.strip() for cell in line.split("\t")] for line in lines[1:]]
    assert rows == [
        ["ApplicationAttempt-Id", "State", "AM-Container-Id", "Tracking-URL"],
        [ATTEMPT.format(1), "FAILED", CONTAINER.format(1), "N/A"],
        [ATTEMPT.format(2), "RUNNING", "N/A", "http://10.0.0.9:4040"],
    ]


def test_an_attempt_is_reported_as_yarn_reports_it(run):
    code, out, _ = run(f"applicationattempt -status {ATTEMPT.format(1)}")

    assert code == 0
    assert out.splitlines() == [
        "Application Attempt Report : ",
        f"\tApplicationAttempt-Id : {ATTEMPT.format(1)}",
        "\tState : FAILED",
        f"\tAMContainer : {CONTAINER.format(1)}",
        "\tTracking-URL : N/A",
        "\tRPC Port : -1",
        "\tAM Host : N/A",
        "\tDiagnostics : it exited with 3",
    ]


def test_containers_of_an_attempt_are_its_pods(run):
    code, out, _ = run(f"container -list {ATTEMPT.format(1)}")

    lines = out.splitlines()
    assert (code, lines[0]) == (0, "Total number of containers :2")
    rows = [[cell.strip() for cell in line.split("\t")] for line in lines[2:]]
    assert rows == [
        [CONTAINER.format(1), "N/A", "N/A", "RUNNING", "n1"],
        [CONTAINER.format(2), "N/A", "N/A", "RUNNING", "n1"],
    ]


def test_a_container_is_reported_and_one_without_a_pod_is_not_there(run):
    code, out, _ = run(f"container -status {CONTAINER.format(2)}")
    assert code == 0
    assert "\tPod : default/wordcount-01-000002" in out.splitlines()

    code, _, err = run(f"container -status {CONTAINER.format(77)}")
    assert code == 1
    assert "doesn't exist, or its pod is gone" in err


@pytest.mark.parametrize(
    ("words", "command"),
    [
        ("", "OutputThreadDump"),
        (" OUTPUT_THREAD_DUMP", "OutputThreadDump"),
        (" GRACEFUL_SHUTDOWN", "GracefulShutdown"),
        (" FORCEFUL_SHUTDOWN", "ForcefulShutdown"),
    ],
)
def test_a_signal_is_an_entry_of_the_spec(run, state, words, command):
    code, out, _ = run(f"container -signal {CONTAINER.format(2)}{words}")

    assert (code, out) == (0, f"Signalling container {CONTAINER.format(2)}\n")
    entry = {"containerId": CONTAINER.format(2), "command": command, "serial": 1}
    assert patched(state) == [("wordcount", {"signals": [entry]})]


def test_the_same_signal_again_has_the_next_number_and_others_stay(run, state):
    run(f"container -signal {CONTAINER.format(2)}")
    run(f"container -signal {CONTAINER.format(1)} GRACEFUL_SHUTDOWN")
    run(f"container -signal {CONTAINER.format(2)}")

    assert [
        (s["containerId"][-1], s["command"], s["serial"]) for s in patched(state)[-1][1]["signals"]
    ] == [("1", "GracefulShutdown", 1), ("2", "OutputThreadDump", 2)]


def test_ids_with_an_epoch_name_their_application_too(run, state):
    epoch = CONTAINER.format(2).replace("container_", "container_e17_")
    code, _, _ = run(f"container -signal {epoch}")

    assert code == 0
    assert patched(state)[0][0] == "wordcount"
    assert calls(state)


@pytest.mark.parametrize(
    ("lifetime", "shown"),
    [
        (None, "ExpiryTime : 2026-11-23T03:01:40"),
        ({"seconds": 40}, "ExpiryTime : 2026-11-23T03:00:40"),
        ({"seconds": 0}, "ExpiryTime : UNLIMITED"),
    ],
)
def test_the_lifetime_in_force_is_reported(run, state, lifetime, shown):
    def with_lifetime(body):
        app = body["objects"][APPS][0]
        app["spec"]["lifetimeSeconds"] = 100
        app["status"]["startTime"] = "2026-11-23T03:00:00Z"
        if lifetime is not None:
            app["status"]["lifetime"] = lifetime

    change(state, with_lifetime)
    assert shown in run("application -status wordcount")[1]

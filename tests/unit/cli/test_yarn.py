"""`kubectl yarn` against a kubectl that answers from a file: what it asks, prints, exits with."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from kubeyarn.cli import yarn, yarn_printing

STUB = Path(__file__).parent / "kubectl_stub.py"
APPS, QUEUES = "yarnapplications.kubeyarn.io", "yarnqueues.kubeyarn.io"
ID = "application_1763850000000_{:04d}"


def an_app(number: int, name: str, state: str, namespace: str = "default", **more) -> dict:
    status = {
        "applicationId": ID.format(number),
        "state": state,
        "finalStatus": "UNDEFINED",
        "progress": 42,
        "queue": "root.engineering.etl",
        "user": "alice",
        **more.pop("status", {}),
    }
    return {
        "apiVersion": "kubeyarn.io/v1alpha1",
        "kind": "YarnApplication",
        "metadata": {"name": name, "namespace": namespace},
        "spec": {"queue": "root.engineering.etl", **more},
        "status": status,
    }


def a_condition(kind: str, status: str, message: str) -> dict:
    return {
        "type": kind,
        "status": status,
        "lastTransitionTime": "2026-11-23T03:00:00Z",
        "reason": "Because",
        "message": message,
    }


def a_queue(path: str, **spec) -> dict:
    status = {
        "state": "Running",
        "usedCapacity": "30.0%",
        "containers": 12,
        "applications": {"active": 2, "pending": 1, "total": 3},
        "pending": {"cpu": "2", "memory": "4Gi"},
    }
    return {"kind": "YarnQueue", "metadata": {"name": path}, "spec": spec, "status": status}


def a_node(name: str, ready: str = "True", *, cordoned: bool = False) -> dict:
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": {"kubeyarn.io/partition": "gpu"}},
        "spec": {"unschedulable": True} if cordoned else {},
        "status": {
            "conditions": [{"type": "Ready", "status": ready, "message": "kubelet says so"}],
            "addresses": [{"type": "InternalIP", "address": "10.0.0.7"}],
            "allocatable": {"cpu": "8", "memory": "16Gi"},
        },
    }


def a_pod(number: int, node: str, *, attempt: int = 1, app: str = "wordcount") -> dict:
    container = f"container_1763850000000_0001_{attempt:02d}_{number:06d}"
    return {
        "kind": "Pod",
        "metadata": {
            "name": f"{app}-{attempt:02d}-{number:06d}",
            "namespace": "default",
            "labels": {
                "kubeyarn.io/application": app,
                "kubeyarn.io/attempt": str(attempt),
                "kubeyarn.io/role": "am" if number == 1 else "task",
            },
            "annotations": {"kubeyarn.io/container-id": container},
        },
        "spec": {"nodeName": node},
        "status": {"phase": "Running"},
    }


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    wordcount = an_app(
        1,
        "wordcount",
        "RUNNING",
        applicationName="word count",
        tags=["Nightly"],
        priority=3,
        status={
            "trackingUrl": "http://10.0.0.9:4040",
            "startTime": "2026-11-23T03:00:00Z",
            "usage": {"memorySeconds": 81000, "vcoreSeconds": 79},
            "attempts": [{"id": "appattempt_1", "state": "RUNNING", "node": "n1"}],
            "allocated": {"containers": 5},
        },
    )
    waiting = {
        "conditions": [
            a_condition("Accepted", "True", "Placed in queue"),
            a_condition("Running", "False", "AM limit: 2Gi of 2Gi, place 3 of 7"),
            a_condition("AllFieldsActing", "False", "gang is not acted on"),
        ],
        "progress": 0,
    }
    body = {
        "objects": {
            APPS: [
                wordcount,
                an_app(2, "waits", "ACCEPTED", applicationType="SPARK", status=waiting),
                an_app(3, "done", "FINISHED", status={"finalStatus": "SUCCEEDED"}),
                an_app(4, "wordcount", "RUNNING", namespace="team-b"),
            ],
            QUEUES: [
                a_queue("root", cluster={"scheduler": "Capacity", "preemption": {"enabled": True}}),
                a_queue("root.engineering", capacity="60%"),
                a_queue("root.engineering.etl", capacity="70%", maximumCapacity="90%"),
                a_queue("root.research", capacity="3w", preemption={"disabled": True}),
                a_queue("root.research.etl", capacityByResource={"memory": "16Gi", "cpu": "50%"}),
            ],
            "nodes": [
                a_node("n2"),
                a_node("n1"),
                a_node("n3", "False"),
                a_node("n4", "Unknown"),
                a_node("n5", cordoned=True),
                a_node("n6", cordoned=True),
            ],
            "pods": [
                a_pod(2, "n1"),
                a_pod(1, "n1"),
                a_pod(1, "n5", attempt=2),
                a_pod(3, "n2", app="other"),
            ],
        },
        "logs": {"wordcount-01-000001": "am says\nhello\n", "wordcount-01-000002": "no newline"},
        "calls": [],
    }
    path = tmp_path / "state.json"
    path.write_text(json.dumps(body))
    monkeypatch.setenv("STUB_STATE", str(path))
    monkeypatch.setenv("KUBECTL", str(STUB))
    return path


def change(state: Path, function) -> None:
    body = json.loads(state.read_text())
    function(body)
    state.write_text(json.dumps(body))


def calls(state: Path) -> list[str]:
    return [" ".join(call) for call in json.loads(state.read_text())["calls"]]


@pytest.fixture
def run(state, capsys):
    def call(line: str) -> tuple[int, str, str]:
        code = yarn.main(line.split())
        out, err = capsys.readouterr()
        return code, out, err

    return call


def test_applications_are_listed_as_yarn_lists_them(run):
    code, out, _ = run("application -list")

    header, columns, first, second = out.splitlines()
    assert code == 0
    assert header == (
        "Total number of applications (application-types: [], "
        "states: [SUBMITTED, ACCEPTED, RUNNING] and tags: []):2"
    )
    assert columns.split("\t") == [
        "                Application-Id",
        "    Application-Name",
        "    Application-Type",
        "      User",
        "     Queue",
        "             State",
        "       Final-State",
        "       Progress",
        "                       Tracking-URL",
    ]
    assert [cell.strip() for cell in first.split("\t")] == [
        *(ID.format(1), "word count", "YARN", "alice", "root.engineering.etl", "RUNNING"),
        *("UNDEFINED", "42%", "http://10.0.0.9:4040"),
    ]
    assert [cell.strip() for cell in second.split("\t")][-2:] == ["0%", "N/A"]


@pytest.mark.parametrize(
    ("line", "numbers"),
    [
        ("app --list", [1, 2]),
        ("app -list -appStates ALL", [1, 2, 3]),
        ("app -list -appStates finished,KILLED", [3]),
        ("app -list --appStates=FINISHED", [3]),
        ("app -list -appTypes spark", [2]),
        ("app -list -appTags nightly,weekly", [1]),
        ("app -list -A", [1, 2, 4]),
        ("app -list -n team-b", [4]),
        ("app -list --namespace=team-b", [4]),
        ("app -list -n nowhere", []),
    ],
)
def test_what_is_listed_can_be_chosen(run, line, numbers):
    code, out, _ = run(line)

    assert code == 0
    assert [row.split()[0] for row in out.splitlines()[2:]] == [ID.format(n) for n in numbers]


@pytest.mark.parametrize("form", ["-o json", "-ojson", "--output=yaml", "-o yaml"])
def test_lists_are_printed_as_objects_on_demand(run, form):
    code, out, _ = run(f"app -list {form}")

    assert code == 0
    listed = yaml.safe_load(out)
    assert listed["kind"] == "List"
    assert [app["metadata"]["name"] for app in listed["items"]] == ["wordcount", "waits"]


def test_wide_names_the_objects(run):
    _, out, _ = run("app -list -o wide")

    assert "default/wordcount" in out


@pytest.mark.parametrize(
    "name", [ID.format(1), "wordcount", "default/wordcount", "-n default wordcount"]
)
def test_one_application_is_reported_as_yarn_reports_it(run, name):
    code, out, _ = run(f"application -status {name}")

    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Application Report : "
    assert [line.split(" : ")[0].strip() for line in lines[1:]] == [
        *("Application-Id", "Application-Name", "Application-Type", "User", "Queue"),
        *("Application Priority", "Start-Time", "Finish-Time", "Progress", "State"),
        *("Final-State", "Tracking-URL", "RPC Port", "AM Host"),
        *("Aggregate Resource Allocation", "Aggregate Resource Preempted"),
        *("Log Aggregation Status", "Diagnostics", "Unmanaged Application"),
        *("Application Node Label Expression", "AM container Node Label Expression"),
        "TimeoutType",
    ]
    assert f"\tApplication-Id : {ID.format(1)}" in lines
    assert "\tApplication Priority : 3" in lines
    assert "\tStart-Time : 1795402800000" in lines
    assert "\tFinish-Time : 0" in lines
    assert "\tAggregate Resource Allocation : 81000 MB-seconds, 79 vcore-seconds" in lines
    assert "\tTimeoutType : LIFETIME\tExpiryTime : UNLIMITED\tRemainingTime : -1seconds" in lines


def test_an_id_is_found_in_whatever_namespace(run):
    _, out, _ = run(f"app -status {ID.format(4)} -o json")

    assert json.loads(out)["metadata"]["namespace"] == "team-b"


def test_an_id_is_found_by_who_may_only_see_one_namespace(run, state):
    change(state, lambda body: body.update(forbidden=[APPS]))

    assert run(f"app -status {ID.format(1)}")[0] == 0
    assert run(f"app -status {ID.format(4)} -n team-b")[0] == 0
    assert run(f"app -status {ID.format(4)}")[0] == 1


def test_a_waiting_application_says_what_it_waits_for(run):
    _, out, _ = run("app -status waits")

    assert "\tDiagnostics : AM limit: 2Gi of 2Gi, place 3 of 7\n" in out


def test_a_lifetime_is_shown_with_what_is_left(run, state):
    change(state, lambda body: body["objects"][APPS][0]["spec"].update(lifetimeSeconds=60))

    _, out, _ = run("app -status wordcount")
    assert "ExpiryTime : 2026-11-23T03:01:00.000+0000\tRemainingTime : " in out


def test_the_name_an_application_calls_itself_is_understood(state, capsys):
    assert yarn.main(["app", "-status", "word count"]) == 0
    assert ID.format(1) in capsys.readouterr().out


def test_a_name_that_means_two_asks_which(run):
    code, _, err = run("app -status wordcount -A")

    assert code == 1
    assert ID.format(1) in err
    assert ID.format(4) in err


@pytest.mark.parametrize("name", ["nope", ID.format(99)])
def test_an_unknown_application_names_those_there_are(run, name):
    code, out, err = run(f"app -status {name}")

    assert (code, out) == (1, "")
    assert f"Application with id '{name}' doesn't exist in RM; found: " in err
    assert f"wordcount ({ID.format(1)})" in err


def test_killing_patches_the_desired_state(run, state):
    code, out, _ = run(f"application -kill {ID.format(1)} waits done")

    assert code == 0
    assert out.splitlines() == [
        f"Killing application {ID.format(1)}",
        f"Killing application {ID.format(2)}",
        f"Application {ID.format(3)} has already finished ",
    ]
    patches = [call for call in calls(state) if call.startswith("patch")]
    assert patches == [
        f"patch {APPS} {name} --namespace=default --type=merge "
        '--patch={"spec": {"desiredState": "Killed"}}'
        for name in ("wordcount", "waits")
    ]


def test_killing_goes_on_after_one_that_is_not_there(run, state):
    code, out, err = run("app -kill nope waits")

    assert code == 1
    assert "doesn't exist in RM" in err
    assert out == f"Killing application {ID.format(2)}\n"


def test_queues_are_listed(run):
    code, out, _ = run("queue -list")

    assert code == 0
    lines = out.splitlines()
    assert lines[0] == "Total Queues:5"
    rows = [[cell.strip() for cell in line.split("\t")] for line in lines[2:]]
    assert rows[2] == [
        *("root.engineering.etl", "RUNNING", "70%", "90%", "30.0%", "3", "12"),
        "cpu 2, memory 4Gi",
    ]
    assert rows[4][2] == "[memory=16Gi,cpu=50%]"
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)


def test_the_children_of_a_queue_are_listed(run):
    _, out, _ = run("queue -list engineering")

    assert [line.split()[0] for line in out.splitlines()[2:]] == ["root.engineering.etl"]


def test_one_queue_is_reported_as_yarn_reports_it(run):
    code, out, _ = run("queue -status root.engineering.etl")

    assert code == 0
    assert out.splitlines() == [
        "Queue Information : ",
        "Scheduler Name : CapacityScheduler",
        "Queue Name : etl",
        "Queue Path : root.engineering.etl",
        "\tState : RUNNING",
        "\tCapacity : 70.00%",
        "\tCurrent Capacity : 30.00%",
        "\tMaximum Capacity : 90.00%",
        "\tWeight : -1.00",
        "\tMaximum Parallel Apps : 2147483647",
        "\tDefault Node Label expression : <DEFAULT_PARTITION>",
        "\tAccessible Node Labels : *",
        "\tPreemption : enabled",
        "\tIntra-queue Preemption : disabled",
    ]


def test_what_a_queue_holds_of_each_partition_is_reported(run, state):
    status = {
        "leaf": True,
        "partitions": [
            {
                "name": "gpu",
                "effective": {"minimum": {"memory": "4Gi"}, "maximum": {"memory": "8Gi"}},
                "used": {"memory": "2Gi", "cpu": "1"},
                "am": {"used": {"memory": "1Gi"}, "limit": {"memory": "2Gi"}},
                "users": [{"name": "u", "used": {"memory": "2Gi"}, "limit": {"memory": "4Gi"}}],
            },
            {"name": ""},
        ],
    }
    change(state, lambda body: body["objects"][QUEUES][2]["status"].update(status))
    _, out, _ = run("queue -status root.engineering.etl")

    lines = out.splitlines()
    assert lines[lines.index("\tNode Label gpu : ") :][:8] == [
        "\tNode Label gpu : ",
        "\t\tEffective Minimum : memory 4Gi",
        "\t\tEffective Maximum : memory 8Gi",
        "\t\tUsed : memory 2Gi, cpu 1",
        "\t\tPending : none",
        "\t\tReserved : none",
        "\t\tAM Used : memory 1Gi of at most memory 2Gi",
        "\t\tUser u : memory 2Gi of at most memory 4Gi",
    ]
    assert "\tNode Label <DEFAULT_PARTITION> : " in lines


@pytest.mark.parametrize(
    ("share", "shown"),
    [("0%", ".00%"), ("0.5%", ".50%"), ("100%", "100.00%"), ("3w", "3w"), ("[cpu=1]", "[cpu=1]")],
)
def test_shares_are_printed_with_hundredths_as_yarn_does(share, shown):
    assert yarn_printing.hundredths(share) == shown


def test_preemption_is_disabled_by_an_ancestor(run):
    _, out, _ = run("queue -status root.research.etl")

    assert "\tPreemption : disabled" in out


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("etl", "means root.engineering.etl, root.research.etl; say the full path"),
        ("nope", "found: root, root.engineering, root.engineering.etl"),
    ],
)
def test_a_queue_name_that_is_not_one_queue_is_an_error(run, name, said):
    code, _, err = run(f"queue -status {name}")

    assert code == 1
    assert said in err


@pytest.mark.parametrize(
    ("line", "rows"),
    [
        ("node -list", [("n1", "RUNNING", "2"), ("n2", "RUNNING", "1")]),
        ("node -list -states lost", [("n4", "LOST", "0")]),
        (
            "node -list -all",
            [
                *(("n1", "RUNNING", "2"), ("n2", "RUNNING", "1"), ("n3", "UNHEALTHY", "0")),
                *(("n4", "LOST", "0"), ("n5", "DECOMMISSIONING", "1")),
                ("n6", "DECOMMISSIONED", "0"),
            ],
        ),
    ],
)
def test_nodes_are_listed_with_yarns_states_and_their_containers(run, line, rows):
    code, out, _ = run(line)

    assert code == 0
    first, columns, *found = out.splitlines()
    assert first == f"Total Nodes:{len(rows)}"
    assert columns.split() == [
        *("Node-Id", "Node-State", "Node-Http-Address", "Number-of-Running-Containers")
    ]
    cells = [[cell.strip() for cell in row.split("\t")] for row in found]
    assert [(row[0], row[1], row[3]) for row in cells] == rows
    assert {row[2] for row in cells} == {"10.0.0.7:10250"}


def test_one_node_is_reported(run):
    code, out, _ = run("node -status n1")

    assert code == 0
    assert "\tContainers : 2" in out
    assert "\tNode-Labels : gpu" in out
    assert run("node -status n9")[0] == 1


def test_logs_are_printed_container_by_container(run):
    code, out, _ = run("logs -applicationId wordcount")

    assert code == 0
    heads = [line for line in out.splitlines() if line.startswith("Container: ")]
    assert heads == [
        "Container: container_1763850000000_0001_01_000001 on n1",
        "Container: container_1763850000000_0001_01_000002 on n1",
        "Container: container_1763850000000_0001_02_000001 on n5",
    ]
    assert "LogLength:14\nLog Contents:\nam says\nhello\nEnd of LogType:stdout\n" in out
    assert "no newline\nEnd of LogType:stdout" in out
    assert "(no log: " in out


@pytest.mark.parametrize(
    ("chosen", "ids"),
    [
        ("-am ALL", ["01_000001", "02_000001"]),
        ("-am 1", ["01_000001"]),
        ("-am -1", ["02_000001"]),
        ("-am 1,2", ["01_000001", "02_000001"]),
        ("-containerId container_1763850000000_0001_01_000002", ["01_000002"]),
        ("-containerId wordcount-01-000002", ["01_000002"]),
    ],
)
def test_which_containers_logs_are_printed_can_be_chosen(run, chosen, ids):
    code, out, _ = run(f"logs -applicationId {ID.format(1)} {chosen}")

    assert code == 0
    heads = [line for line in out.splitlines() if line.startswith("Container: ")]
    assert [head.split()[1].removeprefix("container_1763850000000_0001_") for head in heads] == ids


def test_following_needs_one_container(run):
    code, _, err = run("logs -applicationId wordcount -follow")

    assert code == 2
    assert "-follow needs one container" in err


def test_following_hands_over_to_kubectl(state, capfd):
    assert yarn.main(["logs", "-applicationId", "wordcount", "-am", "1", "-follow"]) == 0

    assert capfd.readouterr().out == "am says\nhello\n"
    assert calls(state)[-1] == "logs --follow --namespace=default wordcount-01-000001"


def test_an_application_without_pods_says_so(run):
    code, _, err = run("logs -applicationId done")

    assert code == 1
    assert "(FINISHED) has no pods" in err


def test_pods_of_long_named_applications_are_told_apart_by_their_annotation(run, state):
    long, other = "a" * 70, "a" * 71
    pod = a_pod(1, "n1", app=long[:63])
    pod["metadata"]["annotations"]["kubeyarn.io/application"] = long

    def more(body):
        body["objects"][APPS] += [an_app(8, long, "RUNNING"), an_app(9, other, "RUNNING")]
        body["objects"]["pods"].append(pod)

    change(state, more)
    assert run(f"logs -applicationId {long}")[0] == 0
    assert run(f"logs -applicationId {other}")[0] == 1


def test_a_container_that_is_not_there_names_those_that_are(run):
    code, _, err = run("logs -applicationId wordcount -containerId container_x")

    assert code == 1
    assert "container_1763850000000_0001_01_000001" in err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("", None),
        (
            "nonsense",
            "must be one of application, applicationattempt, container, queue, node, logs, app",
        ),
        ("app", "say what to do: -list, -status, -kill"),
        ("app -status", "application -status needs <id or name>"),
        ("app -status a b", "'b' is one word too many"),
        ("app -kill", "application -kill needs"),
        ("app -lisst", "unknown option -lisst; did you mean -list?"),
        ("app -list -status a", "-list and -status cannot stand together"),
        ("app -list -appStates", "-appStates needs STATE"),
        ("app -list -appStates SLEEPING", "The application state SLEEPING is invalid"),
        ("app -status a -appStates ALL", "application -status has no option -appStates"),
        ("app -list -o xml", "'xml', must be one of json, yaml, wide"),
        ("app -list -A=1", "-all-namespaces takes no value"),
        ("node -list -states SLEEPING", "SLEEPING is none of RUNNING"),
        ("logs", "logs needs -applicationId"),
        ("logs -applicationId wordcount -am x", "must be ALL, or attempts"),
    ],
)
def test_a_wrong_command_line_exits_with_2_and_says_why(run, line, said):
    code, _, err = run(line)

    assert code == 2
    assert said is None or said in err


@pytest.mark.parametrize("line", ["-help", "help", "app -help", "logs --help", "node -list -h"])
def test_help_is_no_failure(run, line):
    code, out, err = run(line)

    assert (code, err) == (0, "")
    assert "kubectl yarn" in out


def test_the_users_choice_of_cluster_is_handed_to_kubectl(run, state):
    run("app -list --context kind --kubeconfig=/k --as bob -request-timeout 5s")

    assert calls(state) == [
        f"--context=kind --kubeconfig=/k --as=bob --request-timeout=5s get {APPS} -o json"
    ]


def test_missing_custom_resources_say_what_to_install(run, state):
    change(state, lambda body: body["objects"].pop(APPS))

    code, _, err = run("app -list")
    assert code == 1
    assert "not installed in this cluster" in err
    assert "memcache.go" not in err


def test_a_missing_kubectl_is_named(run, monkeypatch):
    monkeypatch.setenv("KUBECTL", "/no/kubectl")

    code, _, err = run("app -list")
    assert code == 1
    assert "/no/kubectl: No such file or directory; install kubectl" in err


def test_objects_that_the_resourcemanager_has_not_seen_yet_are_shown(run, state):
    fresh = {"metadata": {"name": "fresh", "namespace": "default"}, "spec": {}}
    change(state, lambda body: body["objects"][APPS].append(fresh))

    code, out, _ = run("app -list -appStates NEW")
    assert code == 0
    assert out.splitlines()[2].split() == [
        *("fresh", "fresh", "YARN", "N/A", "default", "NEW", "UNDEFINED", "0%", "N/A")
    ]
    assert run("app -status fresh")[0] == 0


def test_it_starts_quickly_and_loads_no_client_library(state):
    """Bound: 200 ms of this process; the import of a Kubernetes client alone takes longer.

    Processor time is measured, because wall time measures whatever else the machine does.
    """
    code = "import sys; from kubeyarn.cli import yarn; yarn.main(['-help']); print(*sys.modules)"
    best = min(_seconds_of(code)[0] for _ in range(5))
    loaded = set(_seconds_of(code)[1].split())

    assert best < 0.2
    assert not {"kubernetes", "kopf", "pydantic", "aiohttp", "asyncio", "yaml"} & loaded


def _seconds_of(code: str) -> tuple[float, str]:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return used, done.stdout


def test_an_object_that_cannot_be_read_is_named_with_its_field(run, state):
    change(state, lambda body: body["objects"][APPS][0]["status"].update(progress="half"))
    code, out, err = run("application -list")

    assert (code, out) == (1, "")
    assert err == "error: YarnApplication wordcount: status.progress: found 'half', expected int\n"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;owned\x07\x1b[2J", "^[]0;owned^G^[[2J"),
        ("\x9b31m", "\\x9b31m"),
        ("\x7f\r", "^?^M"),
        ("one\n\ttwo", "one\n\ttwo"),
        ("Grüße", "Grüße"),
    ],
)
def test_nothing_that_others_wrote_acts_on_a_terminal(text, shown):
    assert yarn_printing.harmless(text) == shown
    assert yarn_printing.report("T", [("L", text)]) == f"T\n\tL : {shown}"
    assert yarn_printing.table([0], [[text]]) == shown

"""What is wrong is said on the object or in the answer, with field, found and allowed.

Everything else goes on: a healthy application runs beside.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.conftest import empty
from e2e.live.installed import Live
from e2e.live.manifests import condition
from e2e.live.patience import until
from e2e.live.puppet import Puppet, ask
from kubeyarn.local import image

pytestmark = [pytest.mark.e2e, pytest.mark.kubelet, pytest.mark.timeout(150, func_only=True)]

Json = dict[str, Any]
HEALTHY = "healthy"
AMOUNTS = ("0", "-1", "NaN", "1e400", "9999999E")


@pytest.fixture(scope="module")
def tree(real_node: Live) -> Live:
    """Queues for these tests: leaves a and stopped, and root.parent with a child."""
    live = real_node
    open_to_all = {"maximumCapacity": "100%", "userLimitFactor": "10", "maximumAMShare": "80%"}
    live.replace_queues(
        manifests.root(maximumAllocation={"cpu": "1", "memory": "1Gi"}),
        manifests.queue("root.a", capacity="50%", **open_to_all),
        manifests.queue("root.parent", capacity="40%"),
        manifests.queue("root.parent.leaf", capacity="100%"),
        manifests.queue("root.stopped", capacity="10%", state="Stopped"),
    )
    return live


@pytest.fixture(scope="module", autouse=True)
def healthy(tree: Live) -> Iterator[Live]:
    """An application that must not notice anything."""
    tree.kubectl.run("create", "namespace", HEALTHY)
    tree.apply(
        HEALTHY,
        manifests.idle("beside", "root.a"),
        manifests.request("containers", "beside", 1),
    )
    tree.wait_for_state(HEALTHY, "beside", "RUNNING")
    yield tree
    empty(tree, HEALTHY)
    tree.kubectl.run("delete", "namespace", HEALTHY, "--wait=false")


@pytest.fixture(autouse=True)
def everything_else_goes_on(tree: Live) -> Iterator[None]:
    """Before and after: the healthy application runs, and gets another container when it asks."""
    yield
    assert manifests.state(tree.application(HEALTHY, "beside")) == "RUNNING"
    count = tree.request(HEALTHY, "containers")["spec"]["count"] + 1
    command = ["true"]
    tree.apply(HEALTHY, manifests.request("containers", "beside", count, command=command))
    tree.wait_for_status(HEALTHY, "containers", granted=count, seconds=30)


def said(found: Json, kind: str, reason: str, *words: str) -> None:
    """The condition is False for this reason and its message has these words."""
    now = condition(found, kind)
    assert (now.get("status"), now.get("reason")) == ("False", reason), found["status"]
    for word in words:
        assert word in now["message"], now["message"]


# What an application asks for.


@pytest.mark.parametrize(
    ("queue", "reason", "words"),
    [
        ("root.nowhere", "QueueNotFound", ["root.nowhere"]),
        ("root.parent", "QueueNotLeaf", ["root.parent"]),
        ("root.stopped", "QueueStopped", ["root.stopped"]),
    ],
)
def test_an_application_for_a_queue_that_takes_none_fails_with_the_reason(
    tree: Live, namespace: str, queue: str, reason: str, words: list[str]
) -> None:
    tree.apply(namespace, manifests.idle("lost", queue))
    found = tree.wait_for_state(namespace, "lost", "FAILED", seconds=30)
    said(found, "Accepted", reason, *words)
    assert found["status"]["finalStatus"] == "FAILED"
    assert queue in found["status"]["diagnostics"]
    events = until("an event", lambda: tree.events(namespace, "lost"))
    failed = [e for e in events if e["reason"] == "ApplicationFailed"]
    assert failed, events
    assert (failed[0]["type"], queue in failed[0]["note"]) == ("Warning", True), failed
    assert tree.pods(namespace) == []


def test_an_amount_that_is_none_is_refused_with_its_field(tree: Live, namespace: str) -> None:
    for amount, of_master in itertools.product(AMOUNTS, (False, True)):
        size = {"memory": amount, "cpu": "100m"}
        if of_master:
            found = manifests.idle("absurd", "root.a", resources=size)
        else:
            found = manifests.request("absurd", "beside", 1, resources=size)
        done = tree.kubectl.attempt(
            "apply", "-n", namespace, "-f", "-", stdin=manifests.as_json(found)
        )
        assert done.returncode != 0, done.stdout
        assert "resources" in done.stderr, done.stderr
        assert "memory" in done.stderr, done.stderr
        assert amount in done.stderr, done.stderr
        assert "quantity such as" in done.stderr, done.stderr


def test_an_application_master_above_the_maximum_allocation_fails_with_the_numbers(
    tree: Live, namespace: str
) -> None:
    tree.apply(namespace, manifests.idle("big", "root.a", resources={"cpu": "1", "memory": "2Gi"}))
    found = tree.wait_for_state(namespace, "big", "FAILED", seconds=30)
    said(found, "Accepted", "MaximumAllocation", "memory", "2Gi", "1Gi")


def test_a_request_above_the_maximum_allocation_is_not_accepted(tree: Live, namespace: str) -> None:
    size = {"cpu": "3", "memory": "128Mi"}
    tree.apply(
        namespace,
        manifests.idle("app", "root.a"),
        manifests.request("big", "app", 1, resources=size),
        manifests.request("right", "app", 1),
    )
    tree.wait_for_status(namespace, "right", granted=1)
    found = until(
        "the big request is judged",
        lambda: tree.request(namespace, "big"),
        lambda found: condition(found, "Accepted"),
    )
    said(found, "Accepted", "MaximumAllocation", "cpu", "3", "1")
    assert found["status"].get("granted", 0) == 0


def test_a_request_for_an_application_that_does_not_exist_says_so(
    tree: Live, namespace: str
) -> None:
    tree.apply(namespace, manifests.request("lonely", "nobody", 2))
    found = until(
        "the request is judged",
        lambda: tree.request(namespace, "lonely"),
        lambda found: condition(found, "Accepted"),
        seconds=20,
    )
    said(found, "Accepted", "ApplicationNotFound", "spec.application", "'nobody'")
    tree.apply(namespace, manifests.idle("nobody", "root.a"))
    tree.wait_for_status(namespace, "lonely", granted=2, running=2, seconds=60)


# ApplicationMasters that misbehave.


def test_an_image_that_does_not_exist_is_told_and_ends_the_application(
    tree: Live, namespace: str
) -> None:
    image = "kubeyarn/none-such:0"
    tree.apply(namespace, manifests.idle("imageless", "root.a", am_image=image))
    found = until(
        "the condition tells of the image",
        lambda: tree.application(namespace, "imageless"),
        lambda found: image in condition(found, "Running").get("message", ""),
        seconds=60,
    )
    assert condition(found, "Running")["reason"] in ("ErrImagePull", "ImagePullBackOff"), found
    tree.kubectl.run("delete", "yapp", "imageless", "-n", namespace, "--timeout=30s")
    until("no pod is left", lambda: tree.pods(namespace), lambda pods: not pods)


@pytest.mark.parametrize("status", [0, 3])
def test_an_application_master_that_never_registers_fails_with_its_exit_status(
    tree: Live, namespace: str, status: int
) -> None:
    command = ["sh", "-c", f"exit {status}"]
    tree.apply(namespace, manifests.application("mute", "root.a", command))
    found = tree.wait_for_state(namespace, "mute", "FAILED")
    assert f"status {status} without registering" in found["status"]["diagnostics"]
    assert found["status"]["attempts"][0]["exitStatus"] == status
    assert condition(found, "Finished")["reason"] == "Failed"


def test_an_application_master_that_only_registers_fails_though_it_exits_with_0(
    tree: Live, namespace: str
) -> None:
    program = (
        "import os, urllib.request as u;"
        "t = open(os.environ['KUBEYARN_TOKEN_FILE']).read();"
        "u.urlopen(u.Request(os.environ['KUBEYARN_RM'] + '/am/v1/register', b'{}',"
        "{'Authorization': 'Bearer ' + t}))"
    )
    command = ["python", "-c", program]
    tree.apply(namespace, manifests.application("rude", "root.a", command))
    found = tree.wait_for_state(namespace, "rude", "FAILED")
    assert "status 0 without unregistering" in found["status"]["diagnostics"]
    assert found["status"]["finalStatus"] == "FAILED"


# The AM service.


def test_an_ask_above_the_maximum_allocation_is_refused_and_the_next_one_taken(
    tree: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    master = puppet("app", "root.a")
    assert master.registered["maximumAllocation"] == {"cpu": "1", "memory": "1Gi"}
    for field, found, allowed, wrong in (
        ("asks[1].resources.memory", "2Gi", "1Gi", ask(1, cpu="1", memory="2Gi")),
        ("asks[1].resources.cpu", "0", "more than 0", ask(1, memory="1Gi")),
        ("asks[1].resources.cpu", "-1", "0 or more", ask(1, cpu="-1", memory="1Gi")),
        ("asks[1].resources.cpu", "NaN", "quantity", ask(1, cpu="NaN", memory="1Gi")),
        ("asks[1].count", "-1", "0 to 100000", ask(-1)),
        ("asks[1].count", "1000000", "0 to 100000", ask(1_000_000)),
        ("asks[1].priority", "-1", "0 or more", ask(1, priority=-1)),
    ):
        answer = master.try_allocate(ask(1), wrong)
        assert (answer.status, answer.body["field"]) == (400, field), answer
        for word in (field, found, allowed):
            assert word in answer.body["message"], answer
    assert [r["spec"].get("role") for r in tree.requests(namespace)] == ["ApplicationMaster"]
    master.allocate(ask(1))
    until("one is granted", lambda: master.allocate()["allocated"])


def test_only_the_application_s_own_token_speaks_for_it(
    tree: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    master = puppet("app", "root.a")
    tree.apply(namespace, manifests.request("task", "app", 1))
    tree.wait_for_status(namespace, "task", running=1)
    task = next(p for p in tree.pods(namespace) if "task" in p["metadata"]["labels"].values())
    stranger = tree.token(namespace, task["metadata"]["name"])
    wrong_audience = tree.token(namespace, f"{_master_pod(tree, namespace)}", audience="other")
    for token, status, error in (
        (stranger, 403, "NotAnApplicationMaster"),
        (wrong_audience, 401, "Unauthorized"),
        ("garbage", 401, "Unauthorized"),
        (None, 401, "Unauthorized"),
    ):
        for verb, body in _CALLS.items():
            answer = tree.call(f"/am/v1/{verb}", body, token, master.address)
            assert (answer.status, answer.body["error"]) == (status, error), (verb, answer)
            assert len(answer.body["message"]) > 20, answer
    master.allocate()


def test_an_application_master_cannot_touch_another_application_s_containers(
    tree: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    one, other = puppet("one", "root.a"), puppet("other", "root.a")
    one.allocate(ask(1))
    granted = until("one is granted", lambda: one.allocate()["allocated"])
    mine = granted[0]["containerId"]
    launched = one.post(
        "containers", {"launch": [{"containerId": mine, "command": ["sleep", "60"]}]}
    )
    assert launched.body["errors"] == [], launched
    answer = other.post("containers", {"stop": [mine], "launch": [{"containerId": mine}]})
    assert [e["message"] for e in answer.body["errors"]] == [
        "no such container of this application"
    ] * 2, answer
    refused = other.try_allocate(releases=(mine,))
    assert (refused.status, refused.body["field"]) == (400, "releases[0]"), refused
    until(
        "it runs all the same",
        lambda: one.post("containers", {"status": [mine]}).body["statuses"],
        lambda statuses: statuses[0]["state"] == "RUNNING",
    )


_CALLS: dict[str, Json] = {
    "register": {"host": "x"},
    "allocate": {"responseId": 0},
    "finish": {"finalStatus": "SUCCEEDED"},
    "containers": {},
}


def test_malformed_json_is_refused_at_every_endpoint_of_the_am_service(
    tree: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    master = puppet("app", "root.a")
    for verb in _CALLS:
        _check_malformed(master, verb)
    master.allocate()


def _check_malformed(master: Puppet, verb: str) -> None:
    for body in (b"", b"{", b"nonsense", b"\xff\xfe", b'{"responseId": 1,}', b'{"x":' * 9999):
        answer = master.post(verb, body)
        assert (answer.status, answer.body["error"]) == (400, "InvalidJson"), (body[:9], answer)
    for body in (b"[]", b"null", b"3"):
        answer = master.post(verb, body)
        assert (answer.status, answer.body["error"]) == (400, "InvalidRequest"), (body, answer)
        assert "xpected `object`" in answer.body["message"], answer


def test_a_field_of_the_wrong_type_is_named(
    tree: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    master = puppet("app", "root.a")
    for verb, body, field in (
        ("register", {"rpcPort": "x"}, "rpcPort"),
        ("allocate", {"responseId": 0, "asks": [{"count": "many"}]}, "asks[0].count"),
        (
            "allocate",
            {"responseId": 0, "asks": [{"count": 1, "resources": 3}]},
            "asks[0].resources",
        ),
        ("allocate", {"responseId": 0, "releases": ["x"]}, "releases[0]"),
        ("finish", {"finalStatus": "GREAT"}, "finalStatus"),
        ("containers", {"launch": [{}]}, "launch[0]"),
    ):
        answer = master.post(verb, body)
        assert (answer.status, answer.body["field"]) == (400, field), (body, answer)
    late = master.post("allocate", {"responseId": 77})
    assert (late.status, late.body["error"]) == (409, "InvalidResponseId"), late
    assert "77" in late.body["message"]


def _master_pod(live: Live, namespace: str) -> str:
    pods = live.kubectl.json("pods", "-n", namespace, "-l", "kubeyarn.io/role=am")["items"]
    return str(pods[0]["metadata"]["name"])


# kube-scheduler's extender.


def test_malformed_json_is_refused_by_the_extender(tree: Live) -> None:
    program = """
import urllib.error, urllib.request
for verb in ("filter", "bind", "preempt"):
    for body in (b"{", b"[]", b"", b"null", b'{"Pod": 3, "PodName": 3}', b'{"x":' * 9999):
        try:
            with urllib.request.urlopen("http://127.0.0.1:8031/scheduler/" + verb, body) as answer:
                print(answer.status, verb, answer.read())
        except urllib.error.HTTPError as error:
            print(error.code, verb, error.read())
"""
    said = tree.kubectl.run(
        *("exec", "-n", "kubeyarn-system", "deploy/kubeyarn-scheduler", "-c", "scheduler"),
        *("--", "python", "-c", program),
    )
    lines = said.splitlines()
    assert [line.split()[0] for line in lines] == ["400"] * 18, said
    assert all("Error" in line for line in lines), said


# Queues.


def test_a_queue_that_is_deleted_in_use_stays_until_its_application_has_ended(
    tree: Live, namespace: str
) -> None:
    tree.apply("default", manifests.queue("root.parent", capacity="40%"))
    tree.apply("default", manifests.queue("root.parent.leaf", capacity="60%"))
    tree.apply("default", manifests.queue("root.parent.doomed", capacity="40%"))
    tree.wait_for_queues("root.parent.doomed", "root.parent.leaf")
    tree.apply(namespace, manifests.idle("last", "root.parent.doomed"))
    tree.wait_for_state(namespace, "last", "RUNNING")
    tree.kubectl.run("delete", "yq", "root.parent.doomed", "--wait=false")
    event = until(
        "an event tells of it",
        lambda: [
            e for e in tree.events("default", "root.parent.doomed") if e["reason"] == "QueueInUse"
        ],
    )[0]
    assert event["type"] == "Warning"
    assert f"{namespace}/last" in event["note"]
    found = until(
        "its condition tells of it",
        lambda: tree.queues()["root.parent.doomed"],
        lambda queue: condition(queue, "Ready").get("reason") == "Deleting",
    )
    assert found["metadata"]["deletionTimestamp"]
    assert manifests.state(tree.application(namespace, "last")) == "RUNNING"
    tree.apply(namespace, manifests.idle("late", "root.parent.doomed"))
    refused = tree.wait_for_state(namespace, "late", "FAILED", seconds=30)
    said(refused, "Accepted", "QueueStopped", "root.parent.doomed")
    tree.apply("default", manifests.queue("root.parent.leaf", capacity="100%"))
    tree.kubectl.run("delete", "yapp", "last", "-n", namespace, "--wait=false")
    until(
        "the queue goes",
        tree.queues,
        lambda found: "root.parent.doomed" not in found,
        seconds=40,
    )
    tree.wait_for_queues("root.a", "root.parent.leaf")


def test_children_whose_capacities_add_up_to_130_percent_change_nothing(
    tree: Live, namespace: str
) -> None:
    before = tree.queues()
    tree.apply("default", manifests.queue("root.greedy", capacity="30%"))
    found = until(
        "the greedy queue is judged",
        lambda: tree.queues()["root.greedy"],
        lambda queue: condition(queue, "Accepted"),
        seconds=20,
    )
    said(found, "Accepted", "CapacitySum", "root", "130%", "100%")
    assert "effective" not in found["status"], found["status"]
    root = until(
        "root is judged, too",
        lambda: tree.queues()["root"],
        lambda queue: condition(queue, "Accepted").get("status") == "False",
        seconds=20,
    )
    said(root, "Accepted", "CapacitySum", "130%", "stays in force")
    after = tree.queues()
    for path, queue in before.items():
        assert after[path]["status"]["effective"] == queue["status"]["effective"], path
        taken = condition(after[path], "Accepted")["status"]
        assert taken == ("False" if path == "root" else "True"), path
    tree.apply(namespace, manifests.idle("lost", "root.greedy"))
    tree.apply(namespace, manifests.idle("fine", "root.a"))
    said(
        tree.wait_for_state(namespace, "lost", "FAILED", seconds=30),
        "Accepted",
        "QueueNotFound",
        "root.greedy",
    )
    tree.wait_for_state(namespace, "fine", "RUNNING")
    tree.kubectl.run("delete", "yq", "root.greedy", "--timeout=20s")


def test_a_queue_whose_new_capacity_does_not_add_up_keeps_its_old_one(tree: Live) -> None:
    before = tree.queues()["root.a"]["status"]["effective"]
    tree.kubectl.run("patch", "yq", "root.a", "--type=merge", '-p={"spec":{"capacity":"80%"}}')
    found = until(
        "its condition tells of the sum",
        lambda: tree.queues()["root.a"],
        lambda queue: condition(queue, "Accepted").get("status") == "False",
        seconds=20,
    )
    said(found, "Accepted", "CapacitySum", "130%", "stays in force")
    assert found["status"]["effective"] == before
    assert found["spec"]["capacity"] == "80%"
    assert found["status"]["inForce"]["capacity"] == "50%"
    tree.kubectl.run("patch", "yq", "root.a", "--type=merge", '-p={"spec":{"capacity":"50%"}}')
    tree.wait_for_queues("root.a")
    assert condition(tree.queues()["root.a"], "Accepted")["status"] == "True"


# What a pod asks for beside what was granted.


def test_a_sidecar_above_the_grant_never_runs(tree: Live, namespace: str) -> None:
    """Three cores beside a grant of a tenth of one: the container ends, and the field is named."""
    hog = {"name": "hog", "image": image.KUBEYARN, "command": manifests.SLEEP}
    hog |= {"resources": {"requests": {"cpu": "3"}}}
    container = {
        "image": image.KUBEYARN,
        "command": manifests.SLEEP,
        "template": {"spec": {"containers": [{"name": "main"}, hog]}},
    }
    tree.apply(
        namespace,
        manifests.idle("wide", "root.a"),
        manifests.request("hogs", "wide", 1, container=container),
    )
    tree.wait_for_state(namespace, "wide", "RUNNING")
    tree.wait_for_status(namespace, "hogs", failed=1, seconds=30)

    notes = [e["note"] for e in tree.events(namespace, "wide") if e["reason"] == "LaunchRefused"]
    assert "template.spec.containers[1].resources.requests.cpu: found 3" in notes[0], notes
    names = [c["name"] for pod in tree.pods(namespace) for c in pod["spec"]["containers"]]
    assert "hog" not in names


def test_a_sidecar_takes_from_the_grant(tree: Live, namespace: str) -> None:
    sidecar = {"name": "beside", "image": image.KUBEYARN, "command": manifests.SLEEP}
    container = {
        "image": image.KUBEYARN,
        "command": manifests.SLEEP,
        "template": {"spec": {"containers": [{"name": "main"}, sidecar]}},
    }
    tree.apply(
        namespace,
        manifests.idle("pair", "root.a"),
        manifests.request("pairs", "pair", 1, container=container),
    )
    tree.wait_for_state(namespace, "pair", "RUNNING")
    tree.wait_for_status(namespace, "pairs", running=1, seconds=60)
    pods = [p for p in tree.pods(namespace) if len(p["spec"]["containers"]) == 2]

    assert [pod["spec"]["resources"]["limits"] for pod in pods] == [{"memory": "128Mi"}]

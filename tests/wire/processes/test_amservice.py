"""The AM service: who may call, what may be said, and what is answered to the rest."""

from __future__ import annotations

import asyncio

import pytest

from wire.processes.cluster import NAMESPACE, Master, ask

CALLS = ("register", "allocate", "finish", "containers")


async def refused(master, call, body, **headers):
    """Status, word and message of an answer that says no."""
    status, answer = await master.say(call, body, **headers)
    assert status >= 400
    assert set(answer) == {"error", "message", "field"}
    return status, answer["error"], answer["message"], answer["field"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("header", ["", "Basic YTpi", "Bearer ", "token"])
async def test_who_brings_no_token_learns_nothing(cluster, call, header):
    stranger = Master(cluster, "")
    status, error, message, _ = await refused(stranger, call, b"{", Authorization=header)

    assert (status, error) == (401, "Unauthorized")
    assert "$KUBEYARN_TOKEN_FILE" in message


async def test_a_token_that_is_not_valid_is_refused(cluster, master):
    status, error, message, _ = await refused(Master(cluster, "forged"), "allocate", {})

    assert (status, error) == (401, "Unauthorized")
    assert "not valid for audience 'kubeyarn-am'" in message


async def test_a_token_that_is_not_bound_to_a_pod_is_refused(cluster):
    user = {"username": "system:serviceaccount:team-a:default", "extra": {}}
    review = {"authenticated": True, "audiences": ["kubeyarn-am"], "user": user}
    cluster.api.tokens["unbound"] = review
    status, error, message, _ = await refused(Master(cluster, "unbound"), "register", {})

    assert (status, error) == (401, "Unauthorized")
    assert "not bound to a pod" in message


async def test_a_tasks_token_speaks_for_no_application(cluster, master):
    await master.beat(ask(1))
    await master.beat_until(lambda: master.containers)
    await master.launch(*master.containers)
    await cluster.until(lambda: cluster.pods("task", phase="Running"))
    task = Master(cluster, cluster.token(cluster.pods("task")[0]))

    for call, body in {"allocate": {"responseId": 1}, "finish": {"finalStatus": "FAILED"}}.items():
        status, error, _, _ = await refused(task, call, body)
        assert (status, error) == (403, "NotAnApplicationMaster")
    assert cluster.application()["state"] == "RUNNING"


async def test_a_pod_of_somebody_else_speaks_for_no_application(cluster, master):
    meta = {"name": "stranger", "namespace": NAMESPACE, "labels": {"kubeyarn.io/role": "x"}}
    spec = {"nodeName": "n1", "containers": [{"name": "c"}]}
    pod = cluster.api.put("pods", {"metadata": meta, "spec": spec, "status": {"phase": "Running"}})
    status, error, message, _ = await refused(Master(cluster, cluster.token(pod)), "register", {})

    assert (status, error) == (403, "NotAnApplicationMaster")
    assert "team-a/stranger" in message


async def test_one_applications_am_cannot_touch_anothers_containers(cluster, master):
    await master.beat(ask(1))
    await master.beat_until(lambda: master.containers)
    theirs = master.containers[0]["containerId"]
    cluster.submit("other", queue="root.b")
    await cluster.until(lambda: len(cluster.pods("am", phase="Running")) == 2)
    other = cluster.master("other")
    await other.register()

    _, answer = await other.say(
        "containers",
        {"launch": [{"containerId": theirs}], "stop": [theirs], "status": [theirs]},
    )
    assert [(e["containerId"], e["message"]) for e in answer["errors"]] == [
        (theirs, "no such container of this application")
    ] * 3
    body = {"responseId": other.response_id, "releases": [theirs]}
    status, error, message, field = await refused(other, "allocate", body)
    assert (status, error, field) == (400, "InvalidRequest", "releases[0]")
    assert "no container of this attempt" in message
    again = await master.beat()
    assert again["completed"] == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b"\xff", b'{"a": NaN}'])
async def test_what_is_no_json_is_refused_at_every_call(cluster, master, call, body):
    status, error, message, _ = await refused(master, call, body)

    assert (status, error) == (400, "InvalidJson")
    assert message.startswith("the body is not JSON: ")


@pytest.mark.parametrize(
    ("call", "body", "field"),
    [
        ("register", {"rpcPort": "x"}, "rpcPort"),
        ("register", [], "body"),
        ("allocate", {}, "body"),
        ("allocate", {"responseId": "1"}, "responseId"),
        ("allocate", {"responseId": 0, "asks": [{"count": 1}]}, "asks[0]"),
        ("allocate", {"responseId": 0, "asks": [ask(1), ask("x")]}, "asks[1].count"),
        ("allocate", {"responseId": 0, "progress": "half"}, "progress"),
        ("finish", {"finalStatus": 1}, "finalStatus"),
        ("containers", {"launch": [{"image": "x"}]}, "launch[0]"),
        ("containers", {"stop": "all"}, "stop"),
    ],
)
async def test_what_has_the_wrong_shape_is_refused_with_its_field(master, call, body, field):
    status, error, _, at = await refused(master, call, body)

    assert (status, error, at) == (400, "InvalidRequest", field)


@pytest.mark.parametrize(
    ("wrong", "field", "allowed"),
    [
        ({"count": -1}, "count", "found -1, allowed: 0 to 100000"),
        ({"count": 10**9}, "count", "allowed: 0 to 100000"),
        ({"priority": -1}, "priority", "found -1, allowed: 0 or more"),
        ({"allocationRequestId": -2}, "allocationRequestId", "found -2, allowed: -1 or more"),
        ({"resources": {"cpu": "1"}}, "resources.memory", "found 0, allowed: more than 0"),
        ({"resources": {"cpu": "0", "memory": "1Gi"}}, "resources.cpu", "allowed: more than 0"),
        ({"resources": {"cpu": "1", "memory": "much"}}, "resources.memory", "found 'much'"),
        ({"resources": {"cpu": "-1", "memory": "1Gi"}}, "resources.cpu", "found '-1'"),
        ({"resources": {"cpu": "1", "memory": "1e30"}}, "resources.memory", "allowed: at most"),
        (
            {"resources": {"cpu": "1", "memory": "65Gi"}},
            "resources.memory",
            "found 65Gi, allowed: at most the maximum allocation 16Gi",
        ),
        (
            {"resources": {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "-1"}},
            "resources.nvidia.com/gpu",
            "found '-1'",
        ),
    ],
)
async def test_an_ask_that_cannot_be_is_refused_whole_with_its_field(
    cluster, master, wrong, field, allowed
):
    body = {"responseId": 0, "asks": [ask(1), {**ask(1), **wrong}], "progress": 0.9}
    status, error, message, at = await refused(master, "allocate", body)

    assert (status, error, at) == (400, "InvalidRequest", f"asks[1].{field}")
    assert allowed in message
    # Nothing of it was taken.
    assert (await master.beat())["responseId"] == 1
    assert not [name for plural, _, name in cluster.api.objects if "-p1" in name]


async def test_a_release_that_names_no_container_is_refused(master):
    body = {"responseId": 0, "releases": ["container_of_mine"]}
    status, error, message, field = await refused(master, "allocate", body)

    assert (status, error, field) == (400, "InvalidRequest", "releases[0]")
    assert "expected container_<timestamp>_<app>_<attempt>_<n>" in message


async def test_a_final_status_that_is_none_is_refused(master):
    for said in ("DONE", "UNDEFINED", ""):
        status, error, message, _ = await refused(master, "finish", {"finalStatus": said})
        assert (status, error) == (400, "InvalidRequest")
        assert "allowed: SUCCEEDED, FAILED, KILLED, ENDED" in message


async def test_who_has_not_registered_is_told_to(cluster):
    cluster.submit()
    await cluster.until(lambda: cluster.pods("am", phase="Running"))
    master = cluster.master()
    bodies = {"allocate": {"responseId": 0}, "finish": {"finalStatus": "FAILED"}, "containers": {}}
    for call, body in bodies.items():
        status, error, _, _ = await refused(master, call, body)
        assert (status, error) == (409, "ApplicationMasterNotRegistered")


async def test_registering_tells_what_an_am_needs_to_know(cluster, master):
    answer = await master.register()

    assert answer == {
        "applicationId": cluster.application()["applicationId"],
        "attemptId": cluster.application()["attempts"][0]["id"],
        "queue": "root.a",
        "minimumAllocation": {"cpu": "1", "memory": "1Gi"},
        "maximumAllocation": {"cpu": "8", "memory": "16Gi"},
        "resourceTypes": ["memory", "cpu"],
        "schedulerResourceTypes": ["memory", "cpu"],
        "containersFromPreviousAttempts": [],
        "containers": [],
        "responseId": 0,
    }
    await master.beat()
    status, error, _, _ = await refused(master, "register", {})
    assert (status, error) == (409, "AlreadyRegistered")


async def test_response_ids_are_kept(master):
    first = await master.beat(ask(1))
    _, again = await master.say("allocate", {"responseId": 0})
    assert again["responseId"] == first["responseId"] == 1

    status, error, message, _ = await refused(master, "allocate", {"responseId": 7})
    assert (status, error) == (409, "InvalidResponseId")
    assert "found 7, expected 1" in message


async def test_a_heartbeat_brings_headroom_and_the_number_of_nodes(cluster, master):
    await cluster.until(
        lambda: cluster.api.get("yarnqueues", "root.a")["status"].get("containers") == 1
    )
    answer = await master.beat()

    assert answer["clusterNodes"] == 2
    # The user's limit, 10, is nearer than the queue's maximum, 12800m; the AM holds 1.
    assert answer["headroom"]["cpu"] == "9"


async def test_containers_are_launched_asked_about_and_stopped(cluster, master):
    await master.beat(ask(3))
    await master.beat_until(lambda: len(master.containers) == 3)
    ids = sorted(c["containerId"] for c in master.containers)
    answer = await master.launch({"containerId": ids[0]}, {"containerId": ids[1]})
    assert sorted(entry["containerId"] for entry in answer["launched"]) == ids[:2]
    assert await master.launch({"containerId": ids[0]}) == {
        "launched": [entry for entry in answer["launched"] if entry["containerId"] == ids[0]],
        "stopped": [],
        "statuses": [],
        "errors": [],
    }
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)

    async def states():
        _, said = await master.say("containers", {"status": [*ids, "container_x"]})
        assert [e["containerId"] for e in said["errors"]] == ["container_x"]
        return [s["state"] for s in said["statuses"]]

    async def running():
        return await states() == ["RUNNING", "RUNNING", "NEW"]

    await cluster.until(running)
    _, said = await master.say("containers", {"stop": [ids[0]]})
    assert said["stopped"] == [ids[0]]
    await master.beat(releases=ids[1:])
    await master.beat_until(lambda: len(master.completed) == 3)

    ended = {c["containerId"]: c["exitStatus"] for c in master.completed}
    assert ended == {ids[0]: -105, ids[1]: -100, ids[2]: -100}
    await cluster.until(lambda: not cluster.pods("task"))


async def test_an_image_of_its_own_is_the_default_of_its_containers(cluster, master):
    await master.beat(ask(1))
    await master.beat_until(lambda: master.containers)
    await master.launch(*master.containers)

    assert cluster.pods("task")[0]["spec"]["containers"][0]["image"] == "words:1"


async def test_a_pod_that_the_api_server_refuses_ends_its_container(cluster, master):
    await master.beat(ask(1))
    await master.beat_until(lambda: master.containers)
    cluster.api.trouble(1, 403, method="POST", path="/pods")
    await master.launch(*master.containers)
    await master.beat_until(lambda: master.completed)

    assert master.completed[0]["exitStatus"] == -1000
    assert "was refused: trouble on demand: 403" in master.completed[0]["diagnostics"]


async def test_after_the_unregistration_nothing_more_is_answered(cluster, master):
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    await master.finish()

    for call in ("containers", "register"):
        status, error, _, _ = await refused(master, call, {})
        assert (status, error) == (409, "AttemptEnded")
    # A heartbeat is answered, with nothing, as by Hadoop (DefaultAMSProcessor.allocate).
    answer = await master.beat(ask(5))
    assert answer["allocated"] == answer["completed"] == []
    assert not [name for plural, _, name in cluster.api.objects if "-p1" in name]


async def test_an_ask_that_no_queue_serves_is_told_with_the_reason(cluster, master):
    await master.beat(ask(1, partition="gpu", allocationRequestId=3), ask(1))
    rejected = []

    async def told():
        rejected.extend((await master.beat())["rejected"])
        return rejected and master.containers

    await cluster.until(told)
    assert [(r["priority"], r["allocationRequestId"]) for r in rejected] == [(1, 3)]
    assert "gpu" in rejected[0]["message"]
    assert rejected[0]["reason"]
    # Once, and the others were served.
    assert (await master.beat())["rejected"] == []
    assert len(master.containers) == 1


async def test_an_extended_resource_is_asked_for_and_granted(cluster, master):
    cluster.node("n3", **{"nvidia.com/gpu": "2"})
    resources = {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "1"}
    await master.beat(ask(1, resources=resources), ask(1, allocationRequestId=1))
    await master.beat_until(lambda: len(master.containers) == 2)

    sizes = {c["allocationRequestId"]: c["resources"] for c in master.containers}
    assert sizes == {-1: resources, 1: {"cpu": "1", "memory": "1Gi"}}
    node = next(c["node"] for c in master.containers if c["allocationRequestId"] == -1)
    assert node == "n3"
    await master.launch(*master.containers)
    gpus = [
        pod["spec"]["containers"][0]["resources"]["requests"].get("nvidia.com/gpu")
        for pod in cluster.pods("task")
    ]
    assert sorted(gpus, key=str) == ["1", None]


async def test_an_ask_that_the_api_server_does_not_take_is_told_and_hurts_no_other(cluster, master):
    cluster.api.trouble(1, 422, method="POST", path="/containerrequests")
    await master.beat(ask(1, allocationRequestId=1))
    rejected = []

    async def told():
        rejected.extend((await master.beat())["rejected"])
        return rejected

    await cluster.until(told)
    assert rejected[0]["allocationRequestId"] == 1
    await master.beat(ask(1, allocationRequestId=2))
    await master.beat_until(lambda: master.containers)


async def test_a_repeated_answer_is_the_same_answer(cluster, master):
    await master.beat(ask(2))
    told = {}

    async def both():
        told.update(await master.beat())
        return len(told["allocated"]) == 2 or (told["allocated"] and len(master.containers) == 2)

    await cluster.until(both)
    _, again = await master.say(
        "allocate", {"responseId": master.response_id - 1, "asks": [ask(7)], "progress": 1}
    )
    assert again == told
    # What came with the repetition was not taken.
    assert (
        cluster.api.get("containerrequests", f"words-1-p1-{shape_of(cluster)}", NAMESPACE)["spec"][
            "count"
        ]
        == 2
    )


def shape_of(cluster):
    return next(
        name.rpartition("-")[2] for plural, _, name in cluster.api.objects if "-1-p1-" in name
    )


async def test_an_am_of_an_application_that_is_gone_is_told_so(cluster, master):
    pod = cluster.pods("am")[0]
    # Garbage collection is slow here.
    pod["metadata"]["ownerReferences"] = []
    cluster.api.remove("yarnapplications", "words", NAMESPACE)

    async def gone():
        status, answer = await master.say("allocate", {"responseId": 0})
        return (status, answer.get("error")) == (404, "ApplicationNotFound")

    await cluster.until(gone)


async def test_a_path_that_is_not_served_says_so(cluster, master):
    status, answer = await master.say("nothing", {})
    assert (status, answer["error"]) == (404, "InvalidRequest")

    async with cluster.http.get(f"http://127.0.0.1:{cluster.am_port}/am/v1/allocate") as wrong:
        assert wrong.status == 405


async def test_a_body_that_is_too_large_says_so(master):
    status, error, message, _ = await refused(master, "allocate", b"x" * (8 * 2**20 + 1))

    assert (status, error) == (413, "TooLarge")
    assert "8388608 bytes" in message


async def test_the_document_of_the_service_is_served_to_everyone(cluster):
    async with cluster.http.get(f"http://127.0.0.1:{cluster.am_port}/am/v1/openapi.json") as answer:
        assert answer.status == 200
        assert (await answer.json())["openapi"] == "3.1.0"


async def test_without_the_api_servers_word_on_a_token_the_answer_is_try_again(cluster, master):
    cluster.api.trouble(99, 500, path="tokenreviews")
    status, error, _, _ = await refused(Master(cluster, "new"), "allocate", {"responseId": 0})

    assert (status, error) == (503, "Unavailable")
    # Whoever is known already goes on.
    assert (await master.beat())["responseId"] == 1


async def test_a_resourcemanager_that_may_not_review_tokens_is_no_bug_of_the_caller(cluster):
    cluster.api.trouble(1, 403, path="tokenreviews")
    status, error, message, _ = await refused(Master(cluster, "new"), "allocate", {})

    assert (status, error) == (503, "Unavailable")
    assert "trouble on demand: 403" in message


async def test_an_unregistration_is_confirmed_only_once_it_is_stored(cluster, master):
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    cluster.api.trouble(10**6, 500, method="PATCH", path="/status")
    body = {"finalStatus": "FAILED", "diagnostics": "no input"}
    for _ in range(5):
        assert await master.say("finish", body) == (200, {"isUnregistered": False})
        await asyncio.sleep(0.05)
    assert cluster.application()["state"] == "RUNNING"

    cluster.api.calm()
    # What was said first counts.
    await master.finish("SUCCEEDED")
    status = cluster.application()
    assert (status["state"], status["finalStatus"]) == ("FINISHED", "FAILED")
    assert status["diagnostics"] == "no input"


async def test_an_unregistration_that_a_restart_forgot_is_said_again(cluster, master):
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    cluster.api.trouble(10**6, 500, method="PATCH", path="/status")
    assert await master.say("finish", {"finalStatus": "SUCCEEDED"}) == (
        200,
        {"isUnregistered": False},
    )
    await cluster.kill("manager")
    cluster.api.calm()
    cluster.start_manager()
    await cluster.ready()

    status, answer = await master.say("finish", {"finalStatus": "SUCCEEDED"})
    assert (status, answer["error"]) == (409, "ApplicationMasterNotRegistered")
    assert cluster.application()["state"] == "RUNNING"
    await master.register()
    await master.finish()
    assert cluster.application()["finalStatus"] == "SUCCEEDED"


async def test_asks_releases_and_ends_survive_a_restart_between_two_heartbeats(cluster, master):
    await master.beat(ask(3))
    await master.beat_until(lambda: len(master.containers) == 3)
    ids = sorted(c["containerId"] for c in master.containers)
    await master.launch({"containerId": ids[0]})
    await cluster.until(lambda: cluster.pods("task", phase="Running"))
    await cluster.kill("manager")
    cluster.behaviour = lambda pod: 4 if "000001" not in pod["metadata"]["name"] else None
    await cluster.until(lambda: not cluster.pods("task", phase="Running"))
    cluster.start_manager()
    await cluster.ready()

    again = await master.register()
    assert sorted(c["containerId"] for c in again["containers"]) in (ids, ids[1:])
    # Absolute: nothing more is wanted; two are given back.
    await master.beat(ask(0), releases=ids[1:])
    await master.beat_until(lambda: len(master.completed) == 3)
    ended = {c["containerId"]: c["exitStatus"] for c in master.completed}
    assert ended == {ids[0]: 4, ids[1]: -100, ids[2]: -100}
    assert len(master.containers) == 3
    for _ in range(3):
        answer = await master.beat()
        assert (answer["completed"], answer["allocated"]) == ([], [])


@pytest.mark.parametrize(
    ("call", "said", "field", "limit"),
    [
        ("register", {"host": "h" * 254}, "host", "253"),
        ("register", {"rpcPort": 65536}, "rpcPort", "65535"),
        ("register", {"trackingUrl": "http://" + "u" * 2042}, "trackingUrl", "2048"),
        ("allocate", {"responseId": 0, "trackingUrl": "u" * 2049}, "trackingUrl", "2048"),
        (
            "finish",
            {"finalStatus": "SUCCEEDED", "trackingUrl": "u" * 2049},
            "trackingUrl",
            "2048",
        ),
    ],
)
async def test_what_no_status_can_hold_is_refused_with_the_limit(
    cluster, master, call, said, field, limit
):
    status, error, message, at = await refused(master, call, said)

    assert (status, error, at) == (400, "InvalidRequest", field)
    assert limit in message


async def test_of_long_diagnostics_the_beginning_is_kept(cluster, master):
    await master.finish(diagnostics="done " * 100_000)
    assert cluster.application()["diagnostics"] == ("done " * 1000)[:4096]

"""ResourceManager and scheduler, whole, against an API server in this process."""

from __future__ import annotations

import asyncio

from kubeyarn.cluster import names
from wire.processes.cluster import NAMESPACE, ask


def exits(code_of):
    """A kubelet whose pods of a role exit with a code."""
    return lambda pod: code_of.get(pod["metadata"]["labels"][names.ROLE])


async def test_an_application_goes_the_whole_way(cluster, master):
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    await master.beat(ask(3), progress=0.25)
    await master.beat_until(lambda: len(master.containers) == 3)
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 3)

    cluster.behaviour = exits({"task": 0})
    await master.beat_until(lambda: len(master.completed) == 3)
    assert {c["exitStatus"] for c in master.completed} == {0}

    await master.finish(diagnostics="all counted")
    cluster.behaviour = exits({"task": 0, "am": 0})
    await cluster.until(lambda: (cluster.application()["attempts"][0]["state"]) == "FINISHED")

    status = cluster.application()
    assert (status["state"], status["finalStatus"]) == ("FINISHED", "SUCCEEDED")
    assert (status["progress"], status["diagnostics"]) == (100, "all counted")
    assert status["queue"] == "root.a"
    await cluster.until(
        lambda: (cluster.api.get("yarnqueues", "root.a")["status"])["containers"] == 0
    )
    assert cluster.refused == []


async def test_a_killed_scheduler_and_a_killed_resourcemanager_change_nothing(cluster, master):
    await master.beat(ask(4))
    await master.beat_until(lambda: len(master.containers) == 4)
    await master.launch(*master.containers[:2])
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)

    await cluster.kill("scheduler")
    await cluster.kill("manager")
    cluster.start_scheduler()
    cluster.start_manager()
    await cluster.ready()

    status, answer = await master.say("allocate", {"responseId": master.response_id})
    assert (status, answer["error"]) == (409, "ApplicationMasterNotRegistered")
    known = {c["containerId"] for c in master.containers}
    again = await master.register()
    assert {c["containerId"] for c in again["containers"]} == known
    await master.beat(ask(1))
    await master.beat_until(lambda: len(master.containers) == 5)
    await master.launch(*master.containers[2:])
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 5)

    cluster.behaviour = exits({"task": 0})
    await master.beat_until(lambda: len(master.completed) == 5)
    assert len({c["containerId"] for c in master.completed}) == 5
    await master.finish()
    cluster.behaviour = exits({"task": 0, "am": 0})
    await cluster.until(lambda: cluster.application()["attempts"][0]["state"] == "FINISHED")
    assert cluster.application()["finalStatus"] == "SUCCEEDED"


async def test_broken_watches_and_an_expired_past_change_nothing(cluster, master):
    await master.beat(ask(2))
    await master.beat_until(lambda: len(master.containers) == 2)
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)

    cluster.behaviour = exits({"task": 0})
    async with cluster.api.unwatched():
        await cluster.until(lambda: len(cluster.pods("task", phase="Succeeded")) == 2)
        for pod in cluster.pods("task"):
            cluster.api.remove("pods", pod["metadata"]["name"], NAMESPACE)

    await master.beat_until(lambda: len(master.completed) == 2)


async def test_a_storm_of_errors_is_waited_out(cluster, master):
    cluster.api.trouble(15, 429, method="PATCH")
    cluster.api.trouble(6, 500, method="POST", path="pods")
    cluster.api.trouble(3, drop=True, method="PATCH")
    await master.beat(ask(3))
    await master.beat_until(lambda: len(master.containers) == 3)
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 3)


async def test_an_application_that_is_killed_takes_its_containers_with_it(cluster, master):
    await master.beat(ask(2))
    await master.beat_until(lambda: len(master.containers) == 2)
    await master.launch(*master.containers[:1])
    await cluster.until(lambda: len(cluster.pods(phase="Running")) == 2)

    item = cluster.api.get("yarnapplications", "words", NAMESPACE)
    cluster.api.put(
        "yarnapplications", {**item, "spec": {**item["spec"], "desiredState": "Killed"}}
    )
    await cluster.until(lambda: cluster.application()["state"] == "KILLED")
    await cluster.until(lambda: not cluster.pods(phase="Running"))
    await cluster.until(
        lambda: cluster.api.get("yarnqueues", "root.a")["status"]["containers"] == 0
    )
    assert cluster.application()["finalStatus"] == "KILLED"


async def test_a_refused_application_fails_with_the_reason_and_makes_no_pod(cluster):
    cluster.submit("lost", queue="root.nowhere")
    await cluster.until(lambda: cluster.application("lost").get("state") == "FAILED")

    assert "root.nowhere" in cluster.application("lost")["diagnostics"]
    accepted = cluster.condition("yarnapplications", "lost", "Accepted", NAMESPACE)
    assert (accepted["status"], accepted["reason"]) == ("False", "QueueNotFound")
    assert cluster.pods() == []


async def test_an_application_made_anew_under_its_name_runs(cluster, master):
    await master.beat(ask(2))
    await master.beat_until(lambda: len(master.containers) == 2)
    first = cluster.application()["applicationId"]
    cluster.api.remove("yarnapplications", "words", NAMESPACE)
    cluster.submit()

    await cluster.until(lambda: cluster.application().get("applicationId", first) != first)
    await cluster.until(lambda: cluster.pods("am", phase="Running"))
    assert (await cluster.master().register())["applicationId"] != first


async def test_a_request_by_hand_is_launched_without_the_am(cluster, master):
    cluster.api.put(
        "containerrequests",
        {
            "metadata": {"name": "shell", "namespace": NAMESPACE},
            "spec": {
                "application": "words",
                "count": 2,
                "priority": 3,
                "resources": {"cpu": "1", "memory": "1Gi"},
                "container": {"image": "sh:1", "command": ["date"]},
            },
        },
    )
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
    cluster.behaviour = exits({"task": 0})

    def counts():
        status = cluster.api.get("containerrequests", "shell", NAMESPACE).get("status") or {}
        return status.get("succeeded"), status.get("completed"), status.get("grants")

    await cluster.until(lambda: counts() == (2, [], []))


async def test_a_request_by_hand_says_what_runs_when_its_application_is_gone(cluster, master):
    container = {"image": "sh:1", "command": ["sleep"]}
    shell = {"application": "words", "count": 2, "priority": 3, "container": container}
    cluster.api.put(
        "containerrequests",
        {
            "metadata": {"name": "shell", "namespace": NAMESPACE},
            "spec": {**shell, "resources": {"cpu": "1", "memory": "1Gi"}},
        },
    )

    def status():
        return cluster.api.get("containerrequests", "shell", NAMESPACE).get("status") or {}

    await cluster.until(lambda: status().get("running") == 2)
    names = [pod["metadata"]["name"] for pod in cluster.pods()]
    cluster.api.remove("yarnapplications", "words", NAMESPACE)
    for left, name in enumerate(reversed(names)):
        # As the garbage collector deletes them, one after the other.
        cluster.api.remove("pods", name, NAMESPACE)
        await cluster.until(lambda left=left: status()["running"] <= max(0, 1 - left))

    assert status()["running"] == 0
    cluster.submit("words")
    await cluster.until(lambda: status()["running"] == 2)


async def test_waiting_work_costs_no_writes(cluster, master):
    await master.beat(ask(50))
    await master.beat_until(lambda: len(master.containers) == 11)
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 11)
    await cluster.until_quiet(for_s=1.0)
    before = len(cluster.written())
    await asyncio.sleep(1.5)

    assert cluster.written()[before:] == []
    asked = next(n for p, _, n in cluster.api.objects if p == "containerrequests" and "-p1" in n)
    waits = cluster.condition("containerrequests", asked, "Satisfied", NAMESPACE)
    assert (waits["status"], waits["reason"]) == ("False", "QueueMaximum")


async def test_containers_of_a_request_that_was_deleted_end_with_the_application(cluster, master):
    await master.beat(ask(2))
    await master.beat_until(lambda: len(master.containers) == 2)
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
    asked = next(n for p, _, n in cluster.api.objects if p == "containerrequests" and "-p1" in n)
    await master.beat(ask(0))
    cluster.api.remove("containerrequests", asked, NAMESPACE)

    item = cluster.api.get("yarnapplications", "words", NAMESPACE)
    cluster.api.put(
        "yarnapplications", {**item, "spec": {**item["spec"], "desiredState": "Killed"}}
    )
    await cluster.until(lambda: not cluster.pods(phase="Running"))


async def test_an_application_deleted_while_nobody_watched_holds_no_queue(cluster, master):
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    async with cluster.api.unwatched():
        cluster.api.remove("yarnapplications", "words", NAMESPACE)
    for path in ("root.a", "root.b", "root"):
        item = cluster.api.get("yarnqueues", path)
        item["metadata"]["deletionTimestamp"] = "2025-11-23T12:13:20Z"
        cluster.api.put("yarnqueues", item)

    await cluster.until(lambda: cluster.api.get("yarnqueues", "root.a") is None)


async def test_an_application_that_is_not_kept_goes_with_all_it_has(cluster):
    cluster.behaviour = exits({"am": 0})
    cluster.submit("short", ttlSecondsAfterFinished=0, maxAttempts=1)
    await cluster.until(lambda: cluster.api.get("pods", "short-01-000001", NAMESPACE))

    kinds = ("yarnapplications", "containerrequests", "pods")
    await cluster.until(
        lambda: not [key for key in cluster.api.objects if key[0] in kinds], within_s=30
    )


async def test_containers_on_a_deleted_node_have_ended_and_are_asked_for_elsewhere(cluster, master):
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    mine = cluster.pods("am")[0]["spec"]["nodeName"]
    cluster.node("other")
    there = {"locality": {"nodes": ["other"], "racks": [], "relax": False}}
    await master.beat({**ask(2), **there})
    await master.beat_until(lambda: len(master.containers) == 2)
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
    assert {p["spec"]["nodeName"] for p in cluster.pods("task")} == {"other"}
    assert mine != "other"

    cluster.api.remove("nodes", "other")
    await master.beat_until(lambda: len(master.completed) == 2)
    assert {c["exitStatus"] for c in master.completed} == {-100}
    await cluster.until(lambda: not cluster.pods("task"))
    endings = [
        entry
        for key, found in cluster.api.objects.items()
        if key[0] == "containerrequests"
        for entry in (found.get("status") or {}).get("endings") or ()
    ]
    assert [(e["exitStatus"], e["count"], e["lastNode"]) for e in endings] == [(-100, 2, "other")]
    await master.beat(ask(2))
    await master.beat_until(lambda: len(master.containers) == 4)
    assert len(master.completed) == 2

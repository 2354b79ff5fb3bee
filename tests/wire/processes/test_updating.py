"""Containers that grow and shrink while they run, by an ApplicationMaster's word."""

from __future__ import annotations

import pytest

from wire.processes.cluster import ask
from wire.processes.updates import updated


@pytest.fixture
async def container(master, cluster):
    """A running container of 1 GiB and 1 core."""
    await master.beat(ask(1))
    await master.beat_until(lambda: master.containers)
    await master.launch(*master.containers)
    await cluster.until(lambda: cluster.pods("task", phase="Running"))
    return master.containers[0]


def update(container, version=0, **said):
    return {"containerId": container["containerId"], "version": version, **said}


def resources(cluster):
    return cluster.pods("task")[0]["spec"]["containers"][0]["resources"]


async def test_a_running_container_grows_in_place(cluster, master, container):
    before = cluster.pods("task")[0]["metadata"]["uid"]
    more = update(container, type="INCREASE_RESOURCE", resources={"cpu": "2", "memory": "3Gi"})
    [told], errors = await updated(master, more)

    assert errors == []
    assert told["type"] == "INCREASE_RESOURCE"
    assert told["container"] == {
        **container,
        "version": 1,
        "resources": {"cpu": "2", "memory": "3Gi"},
    }
    assert cluster.pods("task")[0]["metadata"]["uid"] == before
    assert resources(cluster)["requests"] == {"cpu": "2", "memory": "3Gi"}
    assert resources(cluster)["limits"] == {"memory": "3Gi"}
    await cluster.until(lambda: cluster.application()["allocated"]["memory"] == "5Gi")


async def test_it_shrinks_again_and_gives_its_room_back(cluster, master, container):
    await updated(master, update(container, resources={"memory": "3Gi"}))
    [told], errors = await updated(
        master, update(container, 1, type="DECREASE_RESOURCE", resources={"memory": "2Gi"})
    )

    assert (errors, told["type"], told["container"]["version"]) == ([], "DECREASE_RESOURCE", 2)
    assert resources(cluster)["requests"] == {"cpu": "1", "memory": "2Gi"}
    root = cluster.api.get
    await cluster.until(lambda: root("yarnqueues", "root.a")["status"]["used"]["memory"] == "4Gi")


@pytest.mark.parametrize(
    ("said", "reason", "version"),
    [
        ({"version": 1}, "INCORRECT_CONTAINER_VERSION_ERROR", 0),
        ({"containerId": "container_1_0001_01_000099"}, "INVALID_CONTAINER_ID", -1),
        ({"containerId": "nonsense"}, "INVALID_CONTAINER_ID", -1),
        ({"resources": {"memory": "1000Gi"}}, "RESOURCE_OUTSIDE_ALLOWED_RANGE", 0),
        ({"resources": {"memory": "0"}}, "RESOURCE_OUTSIDE_ALLOWED_RANGE", 0),
        ({"resources": {"memory": "lots"}}, "RESOURCE_OUTSIDE_ALLOWED_RANGE", 0),
        ({"resources": {"cpu": "500m", "memory": "2Gi"}}, "RESOURCE_OUTSIDE_ALLOWED_RANGE", 0),
        ({"type": "DECREASE_RESOURCE"}, "RESOURCE_OUTSIDE_ALLOWED_RANGE", 0),
        ({"type": "GROW"}, "RESOURCE_OUTSIDE_ALLOWED_RANGE", 0),
    ],
)
async def test_what_cannot_be_is_answered_with_hadoops_word(
    cluster, master, container, said, reason, version
):
    body = {**update(container, resources={"memory": "2Gi"}), **said}
    answer = await master.beat(updates=[body])

    [error] = answer["updateErrors"]
    assert (error["reason"], error["currentVersion"]) == (reason, version)
    assert error["containerId"] == body["containerId"]
    assert error["message"]
    assert resources(cluster)["requests"]["memory"] == "1Gi"


async def test_of_two_updates_in_one_heartbeat_the_first_counts(master, container):
    told, [error] = await updated(
        master,
        update(container, resources={"memory": "2Gi"}),
        update(container, resources={"memory": "3Gi"}),
    )

    assert error["reason"] == "UPDATE_OUTSTANDING_ERROR"
    await master.beat_until(lambda: True)
    assert all(u["container"]["resources"]["memory"] == "2Gi" for u in told)


async def test_an_answer_that_was_lost_is_repeated_with_the_errors_in_it(master, container):
    body = {"responseId": master.response_id, "updates": [update(container, 7)]}
    first = await master.say("allocate", body)
    assert await master.say("allocate", body) == first
    assert first[1]["updateErrors"]


async def test_what_is_wished_outlives_both_processes(cluster, master, container):
    """More than the node has now: it comes when the other container there has ended."""
    there = {"locality": {"nodes": [container["node"]], "racks": [], "relax": False}}
    await master.beat(ask(1, priority=2, resources={"cpu": "1", "memory": "9Gi"}, **there))
    await master.beat_until(lambda: len(master.containers) == 2)
    other = master.containers[1]
    await master.beat(updates=[update(container, resources={"memory": "14Gi"})])
    objects = cluster.api.objects
    await cluster.until(
        lambda: any(o and o.get("spec", {}).get("updates") for o in objects.values())
    )
    for name in ("manager", "scheduler"):
        await cluster.kill(name)
    cluster.start_manager()
    cluster.start_scheduler()
    await cluster.ready()
    await master.register()
    assert resources(cluster)["requests"]["memory"] == "1Gi"

    answers = [await master.beat(releases=[other["containerId"]])]

    async def told():
        answers.append(await master.beat())
        return any(a["updatedContainers"] for a in answers)

    await cluster.until(told)
    assert resources(cluster)["requests"]["memory"] == "14Gi"

"""Nodes that an ApplicationMaster excludes at the AM service."""

from __future__ import annotations

import pytest

from wire.processes.cluster import NAMESPACE, ask


def excluded(cluster):
    """What the requests of the AM's asks exclude."""
    return {
        name: item["spec"].get("excludeNodes") or []
        for (plural, _, name), item in cluster.api.objects.items()
        if plural == "containerrequests" and "-am-" not in name and item is not None
    }


async def test_an_excluded_node_gets_no_container_until_it_is_included_again(cluster, master):
    await master.beat(ask(12), excludeNodes={"add": ["n1"]})
    await master.beat_until(lambda: master.containers)
    await cluster.until(lambda: len(master.containers) < 12)
    assert {container["node"] for container in master.containers} == {"n2"}
    [name] = excluded(cluster)
    await cluster.until(
        lambda: (
            cluster.condition("containerrequests", name, "Satisfied", NAMESPACE).get("reason")
            == "NodesExcluded"
        )
    )

    await master.beat(excludeNodes={"remove": ["n1"]})
    await master.beat_until(lambda: len(master.containers) > 8)

    assert {container["node"] for container in master.containers} == {"n1", "n2"}
    assert list(excluded(cluster).values()) == [[]]


async def test_what_is_excluded_outlives_both_processes(cluster, master):
    await master.beat(ask(1), excludeNodes={"add": ["n1"]})
    await master.beat_until(lambda: master.containers)
    await cluster.kill("manager")
    await cluster.kill("scheduler")
    cluster.start_manager()
    cluster.start_scheduler()
    await cluster.ready()
    await master.register()
    await master.beat(ask(6, allocationRequestId=7))
    await master.beat_until(lambda: len(master.containers) >= 6)

    assert {container["node"] for container in master.containers} == {"n2"}
    assert list(excluded(cluster).values()) == [["n1"], ["n1"]]


@pytest.mark.parametrize("name", ["*", "", "x" * 254])
async def test_what_is_no_name_of_a_place_is_refused(cluster, master, name):
    body = {"responseId": 0, "excludeNodes": {"add": ["n1", name]}}
    status, answer = await master.say("allocate", body)

    assert (status, answer["error"], answer["field"]) == (
        400,
        "InvalidRequest",
        "excludeNodes.add[1]",
    )
    assert "the name of a node or rack" in answer["message"]
    assert excluded(cluster) == {}


async def test_so_many_places_are_refused_and_nothing_changes(cluster, master):
    many = [f"n{number}" for number in range(1001)]
    status, answer = await master.say("allocate", {"responseId": 0, "excludeNodes": {"add": many}})

    assert (status, answer["field"]) == (400, "excludeNodes.add")
    assert "allowed: 1000" in answer["message"]

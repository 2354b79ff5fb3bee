"""ApplicationMasters are told the headroom and the maximum that the scheduler says."""

from __future__ import annotations

import pytest

from wire.processes.cluster import ask


async def registered(cluster, **spec):
    """The AM of another running application, and what it was told at registration."""
    cluster.submit("mine", **spec)

    def runs():
        pods = cluster.pods("am", phase="Running")
        return [
            p for p in pods if p["metadata"]["annotations"]["kubeyarn.io/application"] == "mine"
        ]

    await cluster.until(runs)
    master = cluster.master("mine")
    return master, await master.register()


async def headroom_is(master, expected):
    heard = []

    async def told():
        heard.append((await master.beat())["headroom"])
        return heard[-1] == expected

    try:
        await master.cluster.until(told, 10.0)
    except TimeoutError:
        pytest.fail(f"told {heard[-1]}")


def partition_node(cluster, name, cpu, memory):
    cluster.node(name, cpu, memory)
    node = cluster.api.get("nodes", name)
    labels = {"kubeyarn.io/partition": "gpu"}
    cluster.api.put("nodes", {**node, "metadata": {**node["metadata"], "labels": labels}})


async def test_under_fair_it_is_the_rest_of_the_fair_share(cluster):
    cluster.queue("root", cluster={"scheduler": "Fair"})
    master, _ = await registered(cluster)

    await headroom_is(master, {"cpu": "15", "memory": "30Gi"})

    cluster.submit("theirs", queue="root.b")
    await cluster.until(lambda: len(cluster.pods("am", phase="Running")) == 2)

    # Memory is shared by two queues now; the policy looks at memory alone.
    await headroom_is(master, {"cpu": "14", "memory": "14Gi"})


async def test_in_a_partition_it_is_what_is_left_of_the_partition(cluster):
    cluster.queue("root", cluster={"partitions": [{"name": "gpu"}]})
    cluster.queue(
        "root.a",
        capacity="60%",
        userLimitFactor="10",
        accessiblePartitions=["gpu"],
        partitions=[{"name": "gpu", "capacity": "100%"}],
    )
    partition_node(cluster, "g1", 4, "8Gi")
    cluster.submit("theirs", queue="root.b")
    await cluster.until(lambda: cluster.pods("am", phase="Running"))
    master, _ = await registered(cluster, partition="gpu")

    await headroom_is(master, {"cpu": "3", "memory": "6Gi"})

    partition_node(cluster, "g2", 4, "8Gi")

    await headroom_is(master, {"cpu": "7", "memory": "14Gi"})


async def test_in_a_queue_made_on_demand_the_users_limit_counts(cluster):
    cluster.queue("root.b", capacity="0%")
    cluster.queue("root.c", capacity="40%", autoCreate={"enabled": True})
    master, answer = await registered(cluster, queue="root.c.made")

    assert answer["queue"] == "root.c.made"
    # The queue may grow to the whole cluster, its user to the 40 % that it is guaranteed, rounded
    # up: 7 cores and 13Gi, less the AM.
    await headroom_is(master, {"cpu": "6", "memory": "11Gi"})


async def test_no_container_may_be_larger_than_the_largest_node(cluster):
    master, answer = await registered(cluster)

    assert answer["maximumAllocation"] == {"cpu": "8", "memory": "16Gi"}
    wide = {**ask(1), "resources": {"cpu": "9", "memory": "1Gi"}}
    status, refusal = await master.say("allocate", {"responseId": 0, "asks": [wide]})
    assert (status, refusal["error"], refusal["field"]) == (
        400,
        "InvalidRequest",
        "asks[0].resources.cpu",
    )
    assert "at most the maximum allocation 8" in refusal["message"]

    cluster.node("wide", 16)

    async def taken():
        status, _ = await master.say("allocate", {"responseId": 0, "asks": [wide]})
        return status == 200

    await cluster.until(taken)

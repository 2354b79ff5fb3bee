"""Placement constraints at the AM service."""

from __future__ import annotations

import pytest

from wire.processes.cluster import NAMESPACE, ask


async def test_containers_keep_apart_also_after_a_restart_of_both_processes(cluster, master):
    apart = ask(3, placementConstraint="notin,node,hbase", allocationTags=["hbase"])
    await master.beat(apart)
    await master.beat_until(lambda: len(master.containers) == 2)
    assert {c["node"] for c in master.containers} == {"n1", "n2"}
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
    [name] = [
        name
        for (plural, _, name), item in cluster.api.objects.items()
        if plural == "containerrequests" and "-am-" not in name and item
    ]

    def waits():
        return cluster.condition("containerrequests", name, "Satisfied", NAMESPACE).get("reason")

    await cluster.until(lambda: waits() == "PlacementConstraint")
    for process in ("manager", "scheduler"):
        await cluster.kill(process)
    cluster.start_manager()
    cluster.start_scheduler()
    await cluster.ready()
    await master.register()
    await master.beat({**apart, "count": 1})
    cluster.node("n3")
    await master.beat_until(lambda: len(master.containers) == 3)

    assert master.containers[2]["node"] == "n3"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"placementConstraint": "near,node,a"}, "asks[0].placementConstraint"),
        (
            {"placementConstraint": "in,node,a", "executionType": "OPPORTUNISTIC"},
            "asks[0].placementConstraint",
        ),
        ({"allocationTags": ["fine", "a b"]}, "asks[0].allocationTags[1]"),
        ({"allocationTags": [str(n) for n in range(17)]}, "asks[0].allocationTags[16]"),
    ],
)
async def test_what_cannot_be_is_refused(master, said, field):
    status, answer = await master.say("allocate", {"responseId": 0, "asks": [ask(1, **said)]})

    assert (status, answer["error"], answer["field"]) == (400, "InvalidRequest", field)

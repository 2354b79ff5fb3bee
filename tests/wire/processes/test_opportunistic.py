"""Opportunistic containers at the AM service: beside every limit, and gone when room is needed."""

from __future__ import annotations

from wire.processes.cluster import ask

WHOLE = {"cpu": "1", "memory": "12Gi"}


async def test_they_run_outside_the_queue_and_make_room_for_guaranteed_ones(cluster, master):
    """root.a may have 25.6 of the 32 GiB."""
    spare = ask(2, priority=2, executionType="OPPORTUNISTIC", resources=WHOLE)
    await master.beat(spare)
    await master.beat_until(lambda: len(master.containers) == 2)
    assert {c["executionType"] for c in master.containers} == {"OPPORTUNISTIC"}
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
    queue = cluster.api.get("yarnqueues", "root.a")["status"]
    assert (queue["used"]["memory"], queue["containers"]) == ("2Gi", 1)
    assert cluster.refused == []

    await master.beat(ask(1, resources=WHOLE))
    await master.beat_until(lambda: len(master.containers) == 3 and master.completed)

    guaranteed = master.containers[2]
    assert guaranteed["executionType"] == "GUARANTEED"
    [gone] = master.completed
    assert gone["exitStatus"] == -108
    assert "guaranteed container" in gone["diagnostics"]
    node = {c["containerId"]: c["node"] for c in master.containers}[gone["containerId"]]
    assert node == guaranteed["node"]


async def test_they_are_known_after_a_restart_of_both_processes(cluster, master):
    await master.beat(ask(1, executionType="OPPORTUNISTIC", resources=WHOLE))
    await master.beat_until(lambda: master.containers)
    await master.launch(*master.containers)
    await cluster.until(lambda: cluster.pods("task", phase="Running"))
    for name in ("manager", "scheduler"):
        await cluster.kill(name)
    cluster.start_manager()
    cluster.start_scheduler()
    await cluster.ready()

    answer = await master.register()
    assert [c["executionType"] for c in answer["containers"]] == ["OPPORTUNISTIC"]
    await master.beat(ask(2, priority=3, resources={"cpu": "1", "memory": "11Gi"}))
    await master.beat_until(lambda: master.completed)

    assert [c["exitStatus"] for c in master.completed] == [-108]
    numbers = {c["containerId"].rpartition("_")[2] for c in master.containers}
    assert len(numbers) == len(master.containers)


async def test_their_size_is_not_changed(cluster, master):
    await master.beat(ask(1, executionType="OPPORTUNISTIC"))
    await master.beat_until(lambda: master.containers)
    name = master.containers[0]["containerId"]
    answer = await master.beat(updates=[{"containerId": name, "resources": {"memory": "2Gi"}}])

    assert [e["reason"] for e in answer["updateErrors"]] == ["UPDATE_REFUSED"]

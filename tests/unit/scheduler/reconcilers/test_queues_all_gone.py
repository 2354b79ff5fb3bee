"""When the last queue is gone, the next ones owe nothing to it."""

from __future__ import annotations

from unit.scheduler.world import World, a_node, a_queue


def test_queues_made_after_all_were_deleted_begin_anew():
    wide = {"maximumAllocation": {"cpu": "8", "memory": "16Gi"}}
    narrow = {"maximumAllocation": {"cpu": "1", "memory": "1Gi"}}
    world = World(
        ("queue", a_queue("root", cluster=wide)),
        ("queue", a_queue("root.a", capacity="60%")),
        ("queue", a_queue("root.b", capacity="40%")),
        ("node", a_node("n1")),
    )
    world.cycle()
    for path in ("root.a", "root.b", "root"):
        world.remove("queue", path)
    world.cycle()
    world.put("queue", a_queue("root", cluster=narrow))
    world.put("queue", a_queue("root.a", capacity="100%"))
    world.cycle()

    assert world.live.in_force.problems == {}
    assert set(world.live.in_force.objects) == {"root", "root.a"}


def test_queues_deleted_while_an_application_runs_stay_in_force():
    world = World(("queue", a_queue("root")), ("queue", a_queue("root.a", capacity="100%")))
    world.put("node", a_node("n1"))
    world.submit("words", 1)
    world.cycle()
    for path in ("root.a", "root"):
        world.remove("queue", path)
    world.cycle()

    assert set(world.live.in_force.objects) == {"root", "root.a"}
    assert len(world.held()) == 1

"""Auto-created queues on a live scheduler: found again, told by their parents, and gone again."""

from __future__ import annotations

from kubeyarn.scheduler.status import queues
from unit.scheduler.world import World, a_node, a_queue

SMALL = {"cpu": "1", "memory": "1Gi"}
CHILDREN = {"capacity": "100%", "autoCreate": {"enabled": True, "expirySeconds": 60}}
BY_USER = {"type": "user", "policy": "user", "parentQueue": "root.users", "create": True}


def a_world(**cluster) -> World:
    return World(
        ("queue", a_queue("root", cluster=cluster)),
        ("queue", a_queue("root.users", **CHILDREN)),
        ("node", a_node("n1")),
    )


def made(world: World) -> dict[str, list[dict]]:
    live = world.live
    statuses = live.scheduler.queue_status()
    return queues.made_queues(statuses, live.queues, live.types.mapping)


def test_a_missing_queue_is_made_where_that_is_allowed_and_its_parent_tells_of_it():
    world = a_world()
    world.submit("words", 1, queue="root.users.dev.alice", am=SMALL)
    world.cycle()

    assert len(world.granted("words-am-1")) == 1
    assert made(world) == {
        "root.users": [
            {
                "name": "root.users.dev",
                "leaf": False,
                "used": {"memory": "1Gi", "cpu": "1"},
                "containers": 1,
                "applications": 1,
            },
            {
                "name": "root.users.dev.alice",
                "leaf": True,
                "used": {"memory": "1Gi", "cpu": "1"},
                "containers": 1,
                "applications": 1,
            },
        ]
    }


def test_a_placement_rule_makes_each_user_a_queue():
    world = a_world(placementRules=[BY_USER])
    world.submit("words", 1, queue="", am=SMALL)
    world.cycle()

    [only] = made(world)["root.users"]
    assert (only["name"], only["containers"]) == ("root.users.alice", 1)


def test_a_restart_finds_the_queue_again_with_what_it_holds():
    world = a_world()
    world.submit("words", 1, queue="root.users.alice", am=SMALL)
    world.cycle()
    [(container, node)] = world.granted("words-am-1").items()
    world.launch(container, node)
    world.restart()
    world.cycle()

    [only] = made(world)["root.users"]
    assert (only["name"], only["containers"]) == ("root.users.alice", 1)
    assert world.granted("words-am-1") == {container: node}


def test_a_parent_says_how_long_an_empty_one_stays():
    world = a_world()
    world.submit("words", 1, queue="root.users.alice", am=SMALL)
    world.cycle()
    engine = world.live.scheduler
    [app] = engine.state.apps
    engine.finish(app, 0)
    since = engine.state.queues["root.users.alice"].last_submitted_ms

    engine.queue_management.expire_queues(since + 60_000)
    assert "root.users.alice" in engine.state.queues
    engine.queue_management.expire_queues(since + 60_001)
    assert "root.users.alice" not in engine.state.queues


def test_a_mixed_capacity_acts_where_legacy_queue_mode_is_off():
    world = World(
        ("queue", a_queue("root", cluster={"legacyQueueMode": False})),
        ("queue", a_queue("root.a", capacityByResource={"memory": "4Gi", "cpu": "25%"})),
        ("queue", a_queue("root.b", capacityByResource={"memory": "50%", "cpu": "1w"})),
        ("node", a_node("n1", cpu=8, memory="16Gi")),
    )
    world.cycle()

    assert world.live.in_force.problems == {}
    assert world.status("root.a").minimum == (4 * 2**30, 2000)

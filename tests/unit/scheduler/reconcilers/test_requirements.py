"""Containers are asked for where their templates let them be, under both schedulers."""

from __future__ import annotations

import pytest

from unit.scheduler.world import SMALL, World, a_node, a_queue, a_request, an_application, charged

GPU = {"taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]}
TOLERATES = {"tolerations": [{"key": "gpu", "operator": "Exists"}]}
SSD = {"nodeSelector": {"disk": "ssd"}}
BOTH = pytest.mark.parametrize("kind", ["Capacity", "Fair"])


def cluster(kind, *nodes, partitions=()):
    """root.a may have everything; *nodes* besides n1, which has no label and no taint."""
    settings = {
        "scheduler": kind,
        "partitions": [{"name": name} for name in partitions],
        "opportunisticContainers": True,
    }
    world = World(
        ("queue", a_queue("root", cluster=settings)),
        ("queue", a_queue("root.a", capacity="100%", userLimitFactor=10, maximumAMShare="100%")),
        *(("node", node) for node in (a_node("n1"), *nodes)),
    )
    world.submit("words", 1)
    world.cycle()
    return world


def ask(world, name, count=1, priority=1, app="words", **spec):
    container = {"image": "x", "template": {"spec": spec}}
    world.put(
        "request",
        a_request(name, app, count=count, resources=SMALL, priority=priority, container=container),
    )
    world.cycle()
    return set(world.granted(name).values())


def waits(world, name):
    world.turn()
    conditions = world.objects["request"][name]["status"]["conditions"]
    (found,) = (one for one in conditions if one["type"] == "Satisfied")
    return found["reason"], found["message"]


def leaf(world):
    return world.status("root.a")


@BOTH
def test_a_selector_is_served_on_the_nodes_that_have_the_label(kind):
    world = cluster(kind, a_node("n2", labels={"disk": "ssd"}), a_node("n3"))

    assert ask(world, "maps", 5, **SSD) == {"n2"}
    assert ask(world, "more", 20) == {"n1", "n2", "n3"}


@BOTH
def test_a_label_that_a_node_gets_later_is_seen(kind):
    world = cluster(kind, a_node("n2"))
    assert ask(world, "maps", 2, **SSD) == set()

    world.put("node", a_node("n2", labels={"disk": "ssd"}))
    world.cycle()

    assert set(world.granted("maps").values()) == {"n2"}


@BOTH
def test_a_node_that_joins_later_is_seen(kind):
    world = cluster(kind)
    assert ask(world, "maps", 2, **SSD) == set()

    world.put("node", a_node("n2", labels={"disk": "ssd"}))
    world.cycle()

    assert set(world.granted("maps").values()) == {"n2"}


@BOTH
def test_a_tainted_node_is_for_those_who_tolerate_the_taint(kind):
    world = cluster(kind, a_node("n2", spec=GPU))

    assert ask(world, "plain", 20) == {"n1"}
    assert ask(world, "both", 6, priority=0, **TOLERATES) == {"n2"}
    assert ask(world, "other", 1, tolerations=[{"key": "cpu", "operator": "Exists"}]) == set()


@BOTH
def test_a_tainted_node_counts_while_somebody_may_be_there(kind):
    world = cluster(kind, a_node("n2", spec=GPU))
    assert leaf(world).maximum[1] == 8000 or kind == "Fair"
    assert world.free().keys() == {"n1", "n2"}

    def cluster_cpu():
        return sum(8000 for node in world.live.scheduler.node_reports() if node.is_schedulable)

    assert cluster_cpu() == 8000
    ask(world, "gpus", 1, **TOLERATES)
    assert cluster_cpu() == 16000

    world.restart()
    assert cluster_cpu() == 16000

    world.patch("application", "words", status={"state": "FINISHED"})
    world.cycle()
    assert cluster_cpu() == 8000


@BOTH
def test_what_may_be_nowhere_is_not_asked_of_the_scheduler(kind):
    world = cluster(kind, a_node("n2", labels={"disk": "hdd"}))
    ask(world, "maps", 5, priority=0, **SSD)

    assert leaf(world).pending == (0, 0)
    assert world.objects["request"]["maps"]["status"]["pending"] == 5
    assert ask(world, "behind", 3) != set()
    assert waits(world, "maps") == (
        "NoNodeFits",
        "0 of 2 nodes match nodeSelector disk=ssd; 5 of 5 wait",
    )


@BOTH
def test_what_may_be_nowhere_is_told_so_in_one_write(kind):
    world = cluster(kind)
    version = world.version
    ask(world, "maps", 5, **SSD)

    # The request, and its status.
    assert world.version == version + 2
    assert waits(world, "maps")[0] == "NoNodeFits"
    assert world.version == version + 2


@BOTH
def test_the_taints_that_keep_it_off_are_named(kind):
    tainted = [a_node(f"n{n}", spec=GPU, labels={"disk": "ssd"}) for n in (2, 3)]
    world = cluster(kind, *tainted)
    ask(world, "maps", 5, **SSD)

    assert waits(world, "maps") == (
        "NoNodeFits",
        "2 nodes have taint gpu=yes:NoSchedule that is not tolerated; 5 of 5 wait",
    )


@BOTH
def test_a_restart_comes_to_the_same(kind):
    nodes = [a_node("n2", labels={"disk": "ssd"}), a_node("n3", spec=GPU)]
    world = cluster(kind, *nodes)
    ask(world, "maps", 2, **SSD)
    ask(world, "gpus", 2, **TOLERATES, **SSD)
    ask(world, "nowhere", 2, nodeSelector={"disk": "nvme"})

    assert charged(world.live) == charged(world.rebuilt())
    world.restart()
    world.cycle()
    assert ask(world, "again", 1, **SSD) == {"n2"}


@BOTH
def test_what_an_ask_says_of_nodes_may_change_while_it_waits(kind):
    world = cluster(kind, a_node("n2", labels={"disk": "ssd"}))
    assert ask(world, "maps", 2, nodeSelector={"disk": "nvme"}) == set()

    container = {"image": "x", "template": {"spec": SSD}}
    world.patch("request", "maps", spec={"container": container})
    world.cycle()

    assert set(world.granted("maps").values()) == {"n2"}


@BOTH
def test_a_master_is_started_where_its_template_lets_it_be(kind):
    world = cluster(kind, a_node("n2", labels={"disk": "ssd"}), a_node("n3", spec=GPU))

    for name, number, spec, node in (
        ("ssd", 2, SSD, "n2"),
        ("gpu", 3, {**TOLERATES, "nodeSelector": {}}, None),
        ("none", 4, {"nodeSelector": {"disk": "nvme"}}, ""),
    ):
        world.submit(name, number, applicationMaster={"image": "x", "template": {"spec": spec}})
        world.cycle()
        nodes = set(world.granted(f"{name}-am-1").values())
        assert nodes == ({node} if node else set()) or (node is None and len(nodes) == 1)

    assert waits(world, "none-am-1")[0] == "NoNodeFits"
    assert "nodeSelector disk=nvme" in waits(world, "none-am-1")[1]
    assert leaf(world).active_applications == 3 or kind == "Fair"

    world.put("node", a_node("n4", labels={"disk": "nvme"}))
    world.cycle()

    assert set(world.granted("none-am-1").values()) == {"n4"}


def test_what_an_am_asks_for_may_be_on_tainted_nodes_of_a_partition():
    """Its containers' template comes after the grant; who asks for a partition is trusted."""
    labels = {"kubeyarn.io/partition": "gpu"}
    world = cluster("Capacity", a_node("g1", labels=labels, spec=GPU), partitions=["gpu"])
    world.patch("queue", "root.a", spec={"partitions": [{"name": "gpu", "capacity": "100%"}]})
    world.put("request", a_request("maps", "words", count=2, resources=SMALL, partition="gpu"))
    world.cycle()

    assert set(world.granted("maps").values()) == {"g1"}


def test_a_known_template_must_tolerate_the_taint_of_its_partition():
    labels = {"kubeyarn.io/partition": "gpu"}
    world = cluster("Capacity", a_node("g1", labels=labels, spec=GPU), partitions=["gpu"])
    world.patch("queue", "root.a", spec={"partitions": [{"name": "gpu", "capacity": "100%"}]})

    for name, spec, nodes in (("plain", {}, set()), ("gpus", TOLERATES, {"g1"})):
        container = {"image": "x", "template": {"spec": spec}}
        request = a_request(
            name, "words", count=1, resources=SMALL, partition="gpu", container=container
        )
        world.put("request", request)
        world.cycle()
        assert set(world.granted(name).values()) == nodes


@BOTH
def test_opportunistic_containers_keep_to_their_nodes_too(kind):
    world = cluster(kind, a_node("n2", labels={"disk": "ssd"}), a_node("n3", spec=GPU))
    for name, count, spec, nodes in (("ssd", 3, SSD, {"n2"}), ("all", 30, {}, {"n1", "n2"})):
        container = {"image": "x", "template": {"spec": spec}}
        request = a_request(
            name,
            "words",
            count=count,
            resources={"cpu": "500m", "memory": "512Mi"},
            executionType="Opportunistic",
            container=container,
        )
        world.put("request", request)
        world.cycle()
        world.cycle()
        assert set(world.granted(name).values()) == nodes


@BOTH
def test_an_application_that_is_gone_requires_nothing_any_more(kind):
    world = cluster(kind, a_node("n2", spec=GPU))
    world.put("application", an_application("others", 9))
    ask(world, "gpus", 1, **TOLERATES)
    assert world.live.cache.node_classes.is_tolerated("n2")

    world.remove("request", "gpus")
    world.cycle()

    assert not world.live.cache.node_classes.is_tolerated("n2")

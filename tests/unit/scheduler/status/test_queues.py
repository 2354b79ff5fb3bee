"""What is written of queues."""

from __future__ import annotations

import pytest

from fakeapi import _merged
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model.errors import Problem
from kubeyarn.scheduler.status import queues
from kubeyarn.scheduler.status.patch import changes
from kubeyarn.scheduler.status.queues import QueueWriter
from unit.scheduler.world import SMALL, World, a_node, a_queue, a_request, two_queues


@pytest.fixture
def world():
    world = World(*two_queues(), ("node", a_node("n1", cpu=10, memory="20Gi")))
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=2, resources={"memory": "1500Mi"}))
    world.cycle()
    return world


def without_times(status):
    return {
        **status,
        "conditions": [
            {k: c[k] for k in ("type", "status", "reason", "message")} for c in status["conditions"]
        ],
    }


def queue_status(world, path):
    writer = QueueWriter(None, world.live.cache, world.live.state, 1.0)
    return writer.wanted()[path]


def test_a_leafs_status_is_what_it_may_and_does_hold(world):
    status = without_times(queue_status(world, "root.a"))
    conditions = {c["type"]: (c["status"], c["reason"]) for c in status.pop("conditions")}
    users = status.pop("users")
    # Memory is what Hadoop's single-precision shares make of it.
    effective = status.pop("effective")
    assert [effective[end]["cpu"] for end in ("minimum", "maximum")] == ["6", "8"]

    assert status == {
        "observedGeneration": 1,
        "inForce": world.objects["queue"]["root.a"]["spec"],
        "madeQueues": [],
        "leaf": True,
        "state": "Running",
        "used": {"memory": "6Gi", "cpu": "3"},
        "pending": {"memory": "0", "cpu": "0"},
        "reserved": {"memory": "0", "cpu": "0"},
        "containers": 3,
        "usedCapacity": "50.0%",
        "absoluteUsedCapacity": "30.0%",
        "applications": {"active": 1, "pending": 0, "total": 1},
        "am": {"used": {"memory": "2Gi", "cpu": "1"}, "limit": status["am"]["limit"]},
    }
    assert conditions == {
        "AllFieldsActing": ("True", "AllFieldsAct"),
        "Accepted": ("True", "InForce"),
        "Ready": ("True", "Running"),
    }
    assert [(u["name"], u["used"], u["activeApplications"]) for u in users] == [
        ("alice", {"memory": "6Gi", "cpu": "3"}, 1)
    ]


def test_root_says_how_many_nodes_take_containers(world):
    world.put("node", a_node("n2", ready="False"))
    world.cycle()

    assert queue_status(world, "root")["nodes"] == 1
    assert "nodes" not in queue_status(world, "root.a")


def test_root_says_what_the_size_of_the_cluster_leaves_out(world):
    taints = [{"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"}]
    world.put("node", a_node("n2", cpu=4, memory="8Gi", ready="False"))
    world.put("node", a_node("n3", cpu=4, memory="8Gi", ready="Unknown"))
    world.put("node", a_node("n4", cpu=2, memory="4Gi", spec={"taints": taints}))
    world.cycle()

    assert queue_status(world, "root")["unusableNodes"] == [
        {"reason": "NotReady", "nodes": 2, "resources": {"memory": "16Gi", "cpu": "8"}},
        {"reason": "Tainted", "nodes": 1, "resources": {"memory": "4Gi", "cpu": "2"}},
    ]


@pytest.mark.parametrize("scheduler", ["Capacity", "Fair"])
def test_a_tainted_partitions_node_counts_only_where_there_are_partitions(scheduler):
    gpu = {"taints": [{"key": "gpu", "effect": "NoSchedule"}]}
    labels = {"kubeyarn.io/partition": "gpu"}
    cluster = {"scheduler": scheduler, "partitions": [{"name": "gpu"}]}
    world = World(
        *two_queues(),
        ("queue", a_queue("root", cluster=cluster)),
        ("node", a_node("n1")),
        ("node", a_node("g1", labels=labels, spec=gpu)),
    )
    world.submit("words", 1)
    world.put("request", a_request("maps", "words", count=30, resources=SMALL))
    world.cycle()

    root = queue_status(world, "root")
    if scheduler == "Capacity":
        assert root["nodes"] == 2
    else:
        assert [entry["reason"] for entry in root["unusableNodes"]] == ["Tainted"]
        assert set(world.granted("maps").values()) == {"n1"}


def conditions_of(queue, status, problem=None):
    return {
        s.type: (s.shown_status, s.reason, s.message)
        for s in queues.queue_conditions(queue, status, problem)
    }


def test_a_queue_whose_words_are_wrong_says_what_and_that_the_old_ones_hold(world):
    problem = Problem("root.a", "capacity", "CapacitySum", "they add up to 130%.")
    told = conditions_of(world.live.queues["root.a"], world.status("root.a"), problem)

    assert told["Accepted"] == (
        "False", "CapacitySum", "they add up to 130%. What it said before stays in force.",
    )  # fmt: skip
    assert told["Ready"][:2] == ("True", "Running")


def test_a_queue_that_is_not_in_force_is_not_ready():
    told = conditions_of(UncheckedQueue.read(a_queue("root.new")), None)

    assert told["Accepted"][:2] == ("False", "NotInForce")
    assert told["Ready"][:2] == ("False", "NotInForce")


def test_a_stopped_and_a_deleted_queue_say_so(world):
    world.patch("queue", "root.a", spec={"state": "Stopped"})
    world.cycle()
    assert conditions_of(world.live.queues["root.a"], world.status("root.a"))["Ready"][:2] == (
        "False", "Draining",
    )  # fmt: skip

    world.patch("queue", "root.a", metadata={"deletionTimestamp": "2025-11-23T12:13:20Z"})
    told = conditions_of(world.live.queues["root.a"], world.status("root.a"))["Ready"]
    assert told[:2] == ("False", "Deleting")
    assert "1 application" in told[2]


def test_what_is_written_is_not_written_again(world):
    for path in ("root", "root.a", "root.b"):
        before = world.objects["queue"][path].get("status") or {}
        body = changes(before, queue_status(world, path))
        world.patch("queue", path, status=_merged(before, body))

        assert (
            changes(world.live.cache.queues.written_status(path), queue_status(world, path)) == {}
        )


def fair_users():
    rules = [{"policy": "nestedUserQueue", "parent": {"policy": "default", "queue": "root.users"}}]
    cluster = {"scheduler": "Fair", "fair": {"placementRules": rules}}
    return a_queue("root", cluster=cluster)


def test_users_have_queues_below_a_declared_parent_without_children():
    users = a_queue("root.users", fair={"type": "Parent"})
    node = ("node", a_node("n1", cpu=10, memory="20Gi"))
    world = World(("queue", fair_users()), ("queue", users), node)
    world.submit("words", 1)
    world.cycle()

    status = queue_status(world, "root.users")
    assert status["leaf"] is False
    assert [made["name"] for made in status["madeQueues"]] == ["root.users.alice"]


def test_a_fair_queues_status_has_what_it_wants():
    world = World(
        ("queue", a_queue("root", cluster={"scheduler": "Fair"})),
        ("queue", a_queue("root.a")),
        ("node", a_node("n1", cpu=10, memory="20Gi")),
    )
    world.submit("words", 1, queue="root.a")
    world.put("request", a_request("maps", "words", count=2, resources={"memory": "1500Mi"}))
    world.cycle()

    demand = queue_status(world, "root.a")["fairShare"]["demand"]
    assert demand["cpu"] == "3"
    assert demand == queue_status(world, "root")["fairShare"]["demand"]


def test_a_partition_is_shared_in_amounts():
    cluster = {"partitions": [{"name": "gpu"}]}
    amounts = {"memory": "4Gi", "cpu": "2"}
    in_gpu = [{"name": "gpu", "capacityByResource": amounts, "maximumCapacityByResource": amounts}]
    world = World(
        ("queue", a_queue("root", cluster=cluster)),
        ("queue", a_queue("root.a", capacityByResource=amounts, partitions=in_gpu)),
        ("node", a_node("n1", cpu=8, memory="16Gi")),
        ("node", a_node("g1", cpu=8, memory="16Gi", labels={"kubeyarn.io/partition": "gpu"})),
    )
    world.cycle()

    assert world.live.scheduler.effective_maximum("root.a", "gpu") == (4 * 2**30, 2000)


def in_two_partitions():
    cluster = {"partitions": [{"name": "gpu"}, {"name": "spot"}]}
    of_gpu = [
        {"name": "gpu", "capacity": "100%", "maximumCapacity": "50%", "maximumAMShare": "40%"}
    ]
    may = {"partitions": of_gpu, "accessiblePartitions": ["gpu"], "userLimitFactor": "10"}
    world = World(
        ("queue", a_queue("root", cluster=cluster)),
        ("queue", a_queue("root.a", capacity="100%", **may)),
        ("node", a_node("n1", cpu=10, memory="20Gi")),
        ("node", a_node("g1", cpu=10, memory="20Gi", labels={"kubeyarn.io/partition": "gpu"})),
    )
    world.submit("words", 1)
    size = {"memory": "2Gi", "cpu": "2"}
    world.put("request", a_request("maps", "words", count=9, resources=size, partition="gpu"))
    world.cycle()
    return world


def test_a_leafs_status_tells_what_it_has_and_holds_of_each_partition():
    status = queue_status(in_two_partitions(), "root.a")
    none, gpu = status["partitions"]

    # Memory is what Hadoop's single-precision shares make of it.
    assert (none["name"], gpu["name"]) == ("", "gpu")
    assert none["effective"]["minimum"]["cpu"] == "10"
    assert none["used"] == {"memory": "2Gi", "cpu": "1"}
    assert none["am"]["used"] == {"memory": "2Gi", "cpu": "1"}
    assert [user["name"] for user in none["users"]] == ["alice"]
    assert gpu["effective"] == {
        "minimum": {"memory": "20Gi", "cpu": "10"},
        "maximum": {"memory": "10Gi", "cpu": "5"},
    }
    assert gpu["used"] == {"memory": "4Gi", "cpu": "4"}
    assert gpu["pending"] == {"memory": "14Gi", "cpu": "14"}
    assert gpu["am"]["used"] == {"memory": "0", "cpu": "0"}
    (user,) = gpu["users"]
    assert (user["name"], user["used"]) == ("alice", {"memory": "4Gi", "cpu": "4"})
    assert status["used"] == {"memory": "6Gi", "cpu": "5"}


def test_a_parents_status_tells_of_all_partitions_and_of_no_users():
    partitions = queue_status(in_two_partitions(), "root")["partitions"]

    assert [one["name"] for one in partitions] == ["", "gpu", "spot"]
    assert partitions[1]["used"] == {"memory": "4Gi", "cpu": "4"}
    assert all("users" not in one and "am" not in one for one in partitions)


def test_a_cluster_without_partitions_is_told_nothing_of_them(world):
    assert "partitions" not in queue_status(world, "root.a")


def test_partitions_that_went_from_the_cluster_go_from_the_status():
    before = {**a_queue("root.a", capacity="100%"), "status": {"partitions": [{"name": "gpu"}]}}
    node = ("node", a_node("n1", cpu=10, memory="20Gi"))
    world = World(("queue", a_queue("root")), ("queue", before), node)
    world.cycle()

    assert queue_status(world, "root.a")["partitions"] is None

"""ContainerRequests as they come, change and go, and their grants."""

from __future__ import annotations

import pytest

from kubeyarn.model.ids import ContainerId
from unit.scheduler.world import (
    SMALL,
    World,
    a_node,
    a_queue,
    a_request,
    asked,
    condition,
    numbers,
    request_status,
    started,
    two_queues,
)


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


def test_an_ask_is_granted_and_what_does_not_fit_stays_pending(world):
    world.submit("words", 1)
    grants = asked(world, 20)

    # 80 % of 32 GiB, less the AM's 2 GiB, and 80 % of 16 cores, less its 1.
    assert len(grants) == 11
    status = request_status(world, "maps")
    assert (status["granted"], status["pending"]) == (11, 9)
    assert world.status("root.a").containers == 12


def test_an_ask_above_the_maximum_allocation_is_refused_and_the_others_are_served(world):
    world.submit("words", 1)
    world.put("request", a_request("huge", "words", count=1, resources={"memory": "999Gi"}))
    grants = asked(world, 2)

    assert condition(world, "huge", "Accepted") == ("False", "MaximumAllocation")
    assert len(grants) == 2


def test_a_request_without_its_application_says_so_until_it_comes(world):
    asked(world, 2)
    assert condition(world, "maps", "Accepted") == ("False", "ApplicationNotFound")

    world.submit("words", 1)
    world.cycle()
    assert condition(world, "maps", "Accepted") == ("True", "Accepted")
    assert len(world.granted("maps")) == 2


def test_a_request_without_its_application_says_so_after_a_restart_too(world):
    world.objects["request"]["maps"] = a_request("maps", "nobody")
    world.restart()
    world.write()

    assert condition(world, "maps", "Accepted") == ("False", "ApplicationNotFound")


def test_completed_containers_leave_the_grants(world):
    pods = started(world)
    first = min(c for c in pods if c.number > 1)
    world.complete("maps", first)
    world.cycle()

    assert first not in world.granted("maps")
    assert request_status(world, "maps")["granted"] == 3
    # Its pod may run for a moment yet; its room is nobody else's until then.
    assert str(first) in world.held()
    world.end(pods[first])
    world.cycle()
    assert str(first) not in world.held()


def test_a_raised_count_grants_more_and_a_lowered_one_takes_nothing_back(world):
    world.submit("words", 1)
    asked(world, 2)
    world.patch("request", "maps", spec={"count": 4})
    world.cycle()
    assert len(world.granted("maps")) == 4

    world.patch("request", "maps", spec={"count": 1})
    world.cycle()
    assert len(world.granted("maps")) == 4
    assert not request_status(world, "maps").get("pending")


def test_a_deleted_request_asks_no_more_and_gives_back_what_was_not_launched(world):
    world.submit("words", 1)
    grants = asked(world, 20)
    kept = min(grants)
    pod = world.launch(kept, grants[kept])

    world.remove("request", "maps")
    world.cycle()
    assert world.held() == [str(ContainerId(kept.attempt, 0, 1)), str(kept)]

    world.end(pod["metadata"]["name"])
    world.cycle()
    assert numbers(world.granted("words-am-1")) == [1]
    assert len(world.held()) == 1
    assert ("team-a", "maps") not in world.live.requests


def test_a_request_deleted_unwatched_is_gone_as_well(world):
    world.submit("words", 1)
    asked(world, 2)
    world.remove("request", "maps", unwatched=True)
    world.cycle()

    assert len(world.held()) == 1


def test_the_deletion_of_a_request_that_was_never_seen_is_nothing(world):
    world.loop.request_seen("DELETED", {"metadata": {"name": "x", "namespace": "y", "uid": "z"}})
    world.cycle()


def test_a_request_made_anew_under_its_name_counts_from_the_start(world):
    pods = started(world, 2)
    world.remove("request", "maps")
    again = a_request("maps", "words", count=3, resources=SMALL)
    again["metadata"]["uid"] = "second"
    world.put("request", again)
    world.cycle()

    assert numbers(world.granted("maps")) == [4, 5, 6]
    assert len(world.held()) == 6

    for container, pod in pods.items():
        if container.number > 1:
            world.end(pod)
    world.cycle()
    assert len(world.held()) == 4


def test_a_queue_made_later_takes_what_was_refused_for_an_ask(world):
    world.put("queue", a_queue("root.a", capacity="60%", maximumAllocation={"memory": "1Gi"}))
    world.restart()
    world.submit("words", 1, am=SMALL)
    world.put("request", a_request("big", "words", count=1, resources={"memory": "4Gi"}))
    world.cycle()
    assert condition(world, "big", "Accepted") == ("False", "MaximumAllocation")

    world.put("queue", a_queue("root.a", capacity="60%", maximumAllocation={"memory": "8Gi"}))
    world.cycle()
    assert len(world.granted("big")) == 1


def test_a_revoked_grant_is_asked_for_again_under_another_id(world):
    world.submit("words", 1)
    grants = asked(world, 2)
    first = min(grants)
    world.launch(first, grants[first], bound=False)
    world.loop.applications.revoke(first, 0)
    world.cycle()

    assert numbers(world.granted("maps")) == [3, 4]
    assert request_status(world, "maps")["granted"] == 2
    assert len(world.held()) == 3


def test_a_revoked_am_is_asked_for_again_under_another_id(world):
    world.submit("words", 1)
    world.cycle()
    [(am, node)] = world.granted("words-am-1").items()
    world.launch(am, node, bound=False)
    world.loop.applications.revoke(am, 0)
    world.cycle()

    assert numbers(world.granted("words-am-1")) == [2]
    assert len(world.held()) == 1


def test_a_bound_pods_grant_is_never_revoked(world):
    pods = started(world, 1)
    world.loop.applications.revoke(max(pods), 0)
    world.cycle()

    assert sorted(map(str, pods)) == world.held()


def test_what_an_am_asked_itself_is_only_taken_back(world):
    world.submit("words", 1)
    request = a_request("asked", "words", count=1, resources=SMALL)
    request["metadata"]["labels"] = {"kubeyarn.io/role": "ask"}
    world.put("request", request)
    world.cycle()
    [container] = world.granted("asked")
    world.loop.applications.revoke(container, 0)
    world.cycle()

    assert world.granted("asked") == {}
    assert request_status(world, "asked")["granted"] == 1


def test_nothing_is_written_when_nothing_changed(world):
    started(world)
    world.cycle()
    versions = {n: r["metadata"]["resourceVersion"] for n, r in world.objects["request"].items()}
    for _ in range(3):
        world.cycle()
    world.restart()
    world.cycle()

    assert versions == {
        n: r["metadata"]["resourceVersion"] for n, r in world.objects["request"].items()
    }


def test_an_ask_that_wants_another_place_gets_it(world):
    world.submit("words", 1)
    nowhere = {"nodes": ["gone"], "relax": False}
    assert asked(world, 2, locality=nowhere) == {}

    world.patch("request", "maps", spec={"locality": {"nodes": ["n2"], "relax": False}})
    world.cycle()
    assert set(world.granted("maps").values()) == {"n2"}


@pytest.mark.parametrize("maximum", ["²", "9" * 4000])
def test_a_constraint_whose_number_cannot_be_read_is_refused_and_others_are_granted(world, maximum):
    world.submit("words", 1)
    asked(world, 1, name="odd", placementConstraint=f"cardinality,node,a,0,{maximum}")
    grants = asked(world, 1)

    assert len(grants) == 1
    assert condition(world, "odd", "Accepted") == ("False", "InvalidRequest")

    world.restart()
    world.cycle()
    assert condition(world, "odd", "Accepted") == ("False", "InvalidRequest")
    world.patch("request", "odd", spec={"placementConstraint": "cardinality,node,a,0,2"})
    world.cycle()
    assert len(world.granted("odd")) == 1


def test_what_no_node_could_hold_is_refused_until_there_is_one(world):
    world.submit("words", 1)
    world.put("request", a_request("wide", "words", resources={"cpu": "12", "memory": "1Gi"}))
    world.cycle()

    assert condition(world, "wide", "Accepted") == ("False", "MaximumAllocation")

    world.put("node", a_node("wide", cpu=16))
    world.cycle()

    assert condition(world, "wide", "Accepted") == ("True", "Accepted")


WIDE = {"cpu": "12", "memory": "1Gi"}


@pytest.mark.parametrize("kind", ["Guaranteed", "Opportunistic"])
def test_what_was_accepted_waits_when_the_node_that_could_hold_it_goes(world, kind):
    world.put("node", a_node("wide", cpu=16))
    world.submit("words", 1)
    wide = a_request("wide", "words", resources=WIDE, count=3, executionType=kind)
    world.put("request", wide)
    world.cycle()
    assert condition(world, "wide", "Accepted") == ("True", "Accepted")

    world.remove("node", "wide")
    world.patch("request", "wide", spec={"count": 5})
    world.cycle()
    assert condition(world, "wide", "Accepted") == ("True", "Accepted")

    world.restart()
    world.patch("request", "wide", spec={"count": 6})
    world.cycle()
    assert condition(world, "wide", "Accepted") == ("True", "Accepted")


def test_where_only_tainted_nodes_are_left_the_configured_maximum_is_in_force(world):
    taint = {"taints": [{"key": "theirs", "effect": "NoSchedule"}]}
    for name in ("n1", "n2"):
        world.put("node", a_node(name, spec=taint))
    world.submit("words", 1)
    world.put("request", a_request("wide", "words", resources=WIDE))
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("True", "Accepted")
    assert condition(world, "wide", "Accepted") == ("True", "Accepted")


SPARE = {"resources": SMALL, "count": 5, "executionType": "Opportunistic"}


def spare_world(root=None, **queue):
    """An application in root.a, which has no access to the partition gpu."""
    cluster = {"opportunisticContainers": True, "partitions": [{"name": "gpu"}], **(root or {})}
    world = World(
        ("queue", a_queue("root", cluster=cluster)),
        ("queue", a_queue("root.a", capacity="100%", maximumAMShare="100%", **queue)),
        ("node", a_node("n1")),
        ("node", a_node("n2", labels={"kubeyarn.io/partition": "gpu"})),
    )
    world.submit("words", 1)
    world.cycle()
    return world


def told_of_spare(world, **spec):
    world.put("request", a_request("spare", "words", **SPARE, **spec))
    world.cycle()
    return world.live.requests["team-a", "spare"].accepted


@pytest.mark.parametrize(
    ("root", "queue", "spec", "reason", "words"),
    [
        pytest.param(
            {"opportunisticContainers": False}, {}, {}, "InvalidRequest",
            "spec.executionType: found Opportunistic, allowed: Guaranteed, because root does not",
            id="switched off",
        ),
        pytest.param(
            {}, {"maximumOpportunisticContainers": 0}, {}, "InvalidRequest",
            "queue root.a has maximumOpportunisticContainers: 0",
            id="not in this queue",
        ),
        pytest.param(
            {}, {"accessiblePartitions": []}, {"partition": "gpu"}, "PartitionAccess",
            "queue root.a has no access to partition 'gpu'",
            id="a partition out of reach",
        ),
    ],
)  # fmt: skip
def test_opportunistic_containers_need_leave(root, queue, spec, reason, words):
    world = spare_world(root, **queue)
    taken, found, message = told_of_spare(world, **spec)

    assert (taken, found) == (False, reason)
    assert words in message
    assert world.granted("spare") == {}


def test_a_queue_has_no_more_opportunistic_containers_than_its_maximum():
    world = spare_world(maximumOpportunisticContainers=2)
    assert told_of_spare(world)[0]
    assert len(world.granted("spare")) == 2

    world.restart()
    world.cycle()
    assert len(world.granted("spare")) == 2


def test_a_container_is_demoted_only_where_opportunistic_ones_may_be():
    world = spare_world(maximumOpportunisticContainers=0)
    world.put("request", a_request("firm", "words", count=1, resources=SMALL))
    world.cycle()
    [container] = world.granted("firm")
    update = {"id": str(container), "executionType": "Opportunistic"}
    world.patch("request", "firm", spec={"updates": [update]})
    world.cycle()

    allocation = world.live.allocation(container)
    assert not allocation.opportunistic
    assert "maximumOpportunisticContainers: 0" in allocation.refused

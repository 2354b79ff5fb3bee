"""What one user, ApplicationMasters and applications may have of a leaf."""

from __future__ import annotations

import pytest

from e2e.live.patience import until
from e2e.policy.world import condition, node_of, queue, root

pytestmark = pytest.mark.e2e


def test_two_users_share_a_leaf_by_its_user_limit(tree):
    world = tree(
        root(),
        queue("root.a", capacity="100%", minimumUserLimitPercent=50, maximumAMShare="50%"),
    )
    short, long = ({"kubeyarn.io/fake-run-seconds": seconds} for seconds in ("5", "90"))
    world.run("alices", "root.a", 300, user="alice", annotations=short)
    world.until_running("alices", 40)
    # Served first, and yet only to his limit: half of the queue, and the one container more that
    # YARN grants because it looks before it grants.
    world.run("bobs", "root.a", 60, user="bob", priority=5, annotations=long)
    until("bob has half", lambda: world.running("bobs"), lambda n: n in (20, 21))
    status = world.until_queue(
        "root.a", "has both users", lambda s: [u["name"] for u in s["users"]] == ["alice", "bob"]
    )

    halves = [{"cpu": n, "memory": f"{n}Gi"} for n in ("20", "21")]
    assert [user["limit"] in halves for user in status["users"]] == [True, True]
    world.stays("and no more", lambda: world.running("bobs") <= 21, True, seconds=2)


def test_one_user_alone_stays_below_the_user_limit_factor(tree):
    world = tree(
        root(),
        queue("root.a", capacity="25%", userLimitFactor="1.5"),
        queue("root.b", capacity="75%"),
    )
    world.run("a", "root.a", 30, user="alice")
    # Ten times 1.5, and the one that YARN grants before it looks.
    world.until_running("a", 16)
    message = world.until_waits("a", "UserLimit")

    assert "root.a: user alice holds" in message
    assert "15Gi" in message
    assert world.running("a") == 16


def test_an_application_beyond_the_am_limit_waits_and_says_so_with_numbers_and_place(tree):
    """Two ApplicationMasters of one core are 5 % of forty: the third waits, and gets its turn."""
    world = tree(root(), queue("root.a", capacity="100%", maximumAMShare="5%"))
    for name in ("a", "b", "c", "d"):
        world.submit(name, "root.a", user=name)
        world.until_state(name, "ACCEPTED")
    for name in ("a", "b"):
        world.until_running(name, 1)
    messages = [world.until_waits(f"{name}-am-1", "AMLimit") for name in ("c", "d")]

    assert "root.a: ApplicationMasters hold" in messages[0]
    assert messages[0].count("2Gi") == 2
    assert "place 1 of" in messages[0]
    assert "place 2 of 2" in messages[1]
    until(
        "the application's condition says it, too",
        lambda: condition(world.application("c")["status"], "Running"),
        lambda c: c["reason"] == "AMLimit" and c["message"] == messages[0],
    )
    status = world.until_queue("root.a", "counts them", lambda s: s["applications"]["pending"] == 2)
    assert status["am"]["used"] == status["am"]["limit"] == {"cpu": "2", "memory": "2Gi"}

    world.change("a", desiredState="Killed")
    world.until_state("a", "KILLED")
    world.until_running("c", 1)
    assert world.running("d") == 0


def test_only_so_many_applications_run_at_a_time(tree):
    world = tree(
        root(),
        queue("root.a", capacity="100%", maximumParallelApplications=1, maximumAMShare="50%"),
    )
    for name in ("a", "b"):
        world.run(name, "root.a", 2)
        world.until_state(name, "ACCEPTED")
    world.until_running("a", 3)

    assert "1 of 1 applications run" in world.until_waits("b-am-1", "ParallelLimit")
    assert world.running("b") == 0
    world.change("a", desiredState="Killed")
    world.until_running("b", 3)


def test_one_user_has_only_so_many_applications_at_a_time(tree):
    world = tree(
        root(),
        queue(
            "root.a", capacity="100%", maximumParallelApplicationsPerUser=1, maximumAMShare="50%"
        ),
    )
    for name, user in (("a", "alice"), ("b", "alice"), ("c", "bob")):
        world.submit(name, "root.a", user=user)
        world.until_state(name, "ACCEPTED")
    world.until_running("a", 1)
    world.until_running("c", 1)

    assert "alice" in world.until_waits("b-am-1", "ParallelLimit")
    assert world.running("b") == 0


def test_applications_beyond_the_maximum_are_refused(tree):
    world = tree(root(), queue("root.a", capacity="100%", maximumApplications=1))
    world.submit("a", "root.a")
    world.until_state("a", "ACCEPTED")
    world.submit("b", "root.a")
    found = world.until_state("b", "FAILED")

    said = condition(found["status"], "Accepted")
    assert said["reason"] == "ApplicationLimit"
    assert "root.a" in said["message"]
    assert " 1 " in said["message"]


def test_a_container_larger_than_the_queue_allows_is_refused_and_a_smaller_one_is_not(tree):
    world = tree(
        root(),
        queue("root.a", capacity="100%", maximumAllocation={"cpu": "2", "memory": "2Gi"}),
    )
    world.submit("a", "root.a")
    world.ask("large", "a", 1, resources={"cpu": "1", "memory": "3Gi"})
    world.ask("fits", "a", 1, resources={"cpu": "2", "memory": "2Gi"})

    world.until_granted("fits", 1)
    status = world.until_request(
        "large", "is refused", lambda s: condition(s, "Accepted").get("status") == "False"
    )
    said = condition(status, "Accepted")
    assert said["reason"] == "MaximumAllocation"
    assert "3Gi" in said["message"]
    assert "2Gi" in said["message"]


def test_the_application_with_the_higher_priority_is_served_first_and_priority_may_change(tree):
    world = tree(
        root(maximumApplicationPriority=10),
        queue("root.a", capacity="100%", userLimitFactor="-1", maximumAMShare="50%"),
    )
    # The queue is full, then room comes in small parts.
    world.run("old", "root.a", 39, annotations={"kubeyarn.io/fake-run-seconds": "8"})
    world.until_running("old", 40)
    for name, priority in (("low", 1), ("high", 5)):
        world.submit(name, "root.a", priority=priority)
        world.until_state(name, "ACCEPTED")
    for name in ("low", "high"):
        world.ask(name, name, 25)
    world.change("old", desiredState="Killed")
    world.until_running("high", 26)
    world.until_running("low", 14)

    world.change("low", priority=9)
    world.change("high", desiredState="Killed")
    world.until_running("low", 26)
    world.submit("late", "root.a", priority=7)
    world.ask("late", "late", 20)
    world.until_running("late", 14)
    world.ask("more", "low", 10)
    world.until_request("more", "waits", lambda s: s.get("pending") == 10)
    # What late gives back goes to low, whose priority is now the higher one.
    first = world.request("late")["status"]["granted"]
    world.change("late", desiredState="Killed")
    world.until_granted("more", 10)
    assert first == 13


def test_containers_go_to_the_nodes_and_racks_that_are_asked_for(tree):
    world = tree(root(), queue("root.a", capacity="100%", userLimitFactor="-1"))
    world.submit("a", "root.a")
    strict = {"relax": False}
    world.ask("on-node", "a", 3, locality={"nodes": ["fake-0003"], **strict})
    world.ask("in-rack", "a", 6, locality={"racks": ["rack-0"], **strict}, priority=2)
    for name, count in (("on-node", 3), ("in-rack", 6)):
        world.until_granted(name, count)

    def nodes(name):
        pods = world.pods("a")
        mine = [p for p in pods if p["metadata"]["annotations"]["kubeyarn.io/request"] == name]
        return {node_of(pod) for pod in mine}

    world.until_running("a", 10)
    assert nodes("on-node") == {"fake-0003"}
    assert nodes("in-rack") <= {"fake-0000", "fake-0004"}

    world.ask("too-many", "a", 9, locality={"nodes": ["fake-0003"], **strict}, priority=4)
    world.until_request("too-many", "waits", lambda s: 0 < s.get("pending", 0) < 9)
    world.stays("nowhere else", lambda: nodes("too-many") <= {"fake-0003"}, True, seconds=2)

"""The ledger as objects come, change and go."""

from __future__ import annotations

import pytest

from kubeyarn.model.ids import ContainerId
from unit.scheduler.world import (
    GIB,
    World,
    a_node,
    a_queue,
    a_request,
    an_application,
    charged,
    foreign,
    needs,
    two_queues,
)

SMALL = {"cpu": "1", "memory": "1Gi"}


@pytest.fixture
def world():
    return World(*two_queues(), ("node", a_node("n1")), ("node", a_node("n2")))


def asked(world, count, name="maps", app="words", **spec):
    world.put("request", a_request(name, app, count=count, resources=SMALL, **spec))
    world.cycle()
    return world.granted(name)


def request_status(world, name):
    return world.objects["request"][name]["status"]


def condition(world, name, kind):
    found = [c for c in request_status(world, name)["conditions"] if c["type"] == kind]
    return found[0]["status"], found[0]["reason"]


def numbers(grants):
    return sorted(container.number for container in grants)


def started(world, count=3):
    """An application whose AM and *count* containers run."""
    world.submit("words", 1)
    world.cycle()
    grants = {**world.granted("words-am-1"), **asked(world, count)}
    return {c: world.launch(c, node)["metadata"]["name"] for c, node in grants.items()}


def test_a_submitted_application_gets_its_am(world):
    world.submit("words", 1)
    world.cycle()

    assert numbers(world.granted("words-am-1")) == [1]
    assert request_status(world, "words-am-1")["queue"] == "root.a"
    assert condition(world, "words-am-1", "Accepted") == ("True", "Accepted")
    assert condition(world, "words-am-1", "Satisfied") == ("True", "AllGranted")


def test_an_ask_is_granted_and_what_does_not_fit_stays_pending(world):
    world.submit("words", 1)
    grants = asked(world, 20)

    # 80 % of 32 GiB, less the AM's 2 GiB, and 80 % of 16 cores, less its 1.
    assert len(grants) == 11
    status = request_status(world, "maps")
    assert (status["granted"], status["pending"]) == (11, 9)
    assert world.status("root.a").containers == 12


@pytest.mark.parametrize(
    ("queue", "reason"), [("root.x", "QueueNotFound"), ("root", "QueueNotLeaf")]
)
def test_a_refused_application_is_told_why_and_changes_nothing_else(world, queue, reason):
    world.submit("words", 1, queue=queue)
    world.submit("other", 2)
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("False", reason)
    assert world.granted("words-am-1") == {}
    assert numbers(world.granted("other-am-1")) == [1]


def test_an_am_above_the_maximum_allocation_is_refused(world):
    world.submit("words", 1, am={"cpu": "1", "memory": "9999Gi"})
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("False", "MaximumAllocation")


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


def test_a_container_is_freed_once_when_its_pod_ends(world):
    pods = started(world)
    used = world.status("root.a").used
    first = min(c for c in pods if c.number > 1)

    world.end(pods[first])
    world.cycle()
    assert world.status("root.a").used == (used[0] - GIB, used[1] - 1000)
    assert first in world.granted("maps")

    world.remove("pod", pods[first])
    world.complete("maps", first)
    world.cycle()
    assert world.status("root.a").used == (used[0] - GIB, used[1] - 1000)


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


def test_a_pod_that_disappeared_unwatched_frees_its_container(world):
    pods = started(world)
    first = min(c for c in pods if c.number > 1)
    world.remove("pod", pods[first], unwatched=True)
    world.cycle()

    assert str(first) not in world.held()


def test_an_older_pod_of_a_container_frees_nothing_when_it_goes(world):
    pods = started(world)
    first = min(c for c in pods if c.number > 1)
    other = world.launch(first, "n1", bound=False)
    world.objects["pod"].pop(pods[first])
    other["metadata"]["uid"] = "another"
    world.put("pod", other)
    world.remove("pod", pods[first])
    world.cycle()

    assert str(first) in world.held()


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


def test_a_deleted_application_gives_back_what_has_no_pod_at_once(world):
    pods = started(world)
    world.patch("request", "maps", spec={"count": 6})
    world.cycle()
    assert len(world.held()) == 7

    for name in ("maps", "words-am-1"):
        world.remove("request", name)
    world.remove("application", "words")
    world.cycle()
    assert len(world.held()) == 4

    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert world.held() == []
    assert world.status("root.a").active_applications == 0
    assert world.live.requests == {}


def test_an_application_made_anew_under_its_name_starts_while_the_old_one_still_goes(world):
    pods = started(world)
    world.remove("application", "words")
    again = an_application("words", 2)
    again["metadata"]["uid"] = "second"
    world.put("application", again)
    world.cycle()
    # The old objects are still there: garbage collection comes later.
    assert len(world.held()) == 4
    for name in ("maps", "words-am-1"):
        world.remove("request", name)
    request = a_request("words-am-1", "words", role="ApplicationMaster", priority=0)
    request["metadata"]["ownerReferences"] = [{"kind": "YarnApplication", "uid": "second"}]
    world.put("request", request)
    world.cycle()

    assert numbers(world.granted("words-am-1")) == [1]
    assert [c.split("_")[2] for c in world.held()] == ["0001"] * 4 + ["0002"]
    assert world.status("root.a").containers == 5

    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert len(world.held()) == 1
    assert set(world.live.requests) == {("team-a", "words-am-1")}


def test_a_request_written_by_hand_begins_anew_with_the_next_application_of_the_name(world):
    pods = started(world)
    world.remove("application", "words")
    world.remove("request", "words-am-1")
    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert condition(world, "maps", "Accepted") == ("False", "ApplicationNotFound")
    assert request_status(world, "maps")["grants"] == []

    world.submit("words", 2)
    world.cycle()
    assert numbers(world.granted("maps")) == [2, 3, 4]


def test_an_ended_application_is_gone_when_its_last_container_is(world):
    pods = started(world, 2)
    world.patch("application", "words", status={"state": "FINISHED"})
    world.cycle()
    assert len(world.held()) == 3
    assert condition(world, "maps", "Satisfied")[1] == "ApplicationEnded"

    world.complete("maps", *(c for c in pods if c.number > 1))
    world.complete("words-am-1", *(c for c in pods if c.number == 1))
    world.cycle()
    assert world.held() == []
    assert world.status("root.a").active_applications == 0


def test_a_restart_in_the_middle_changes_nothing(world):
    started(world)
    world.patch("request", "maps", spec={"count": 20})
    world.cycle()
    before = charged(world.live)
    grants = world.granted("maps")

    world.restart()
    world.cycle()

    assert charged(world.live) == before
    assert world.granted("maps") == grants


def test_grants_that_were_not_written_before_a_restart_are_made_anew_under_other_ids(world):
    world.submit("words", 1)
    world.cycle()
    world.put("request", a_request("maps", "words", count=2, resources=SMALL))
    world.cycle(write=False)
    assert world.live.requests["team-a", "maps"].granted == 2

    world.restart()
    world.cycle()

    assert [str(c) for c in sorted(world.granted("maps"))] == [
        "container_e01_1763850000000_0001_01_000001",
        "container_e01_1763850000000_0001_01_000002",
    ]
    assert len(world.held()) == 3


def test_an_am_that_has_ended_is_not_granted_again_after_a_restart(world):
    pods = started(world)
    am = min(pods)
    world.end(pods[am], "Failed")
    world.complete("words-am-1", am)
    world.cycle()
    world.restart()
    world.cycle()

    assert world.granted("words-am-1") == {}
    assert len(world.held()) == 3


def test_applications_of_a_queue_that_was_stopped_survive_a_restart(world):
    started(world)
    world.patch("queue", "root.a", spec={"state": "Stopped"})
    world.cycle()
    assert world.status("root.a").state == "Draining"

    world.restart()
    world.patch("request", "maps", spec={"count": 5})
    world.submit("late", 2)
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("True", "Accepted")
    assert len(world.granted("maps")) == 5
    assert world.status("root.a").state == "Draining"
    assert condition(world, "late-am-1", "Accepted") == ("False", "QueueStopped")


def test_containers_of_an_ended_application_are_counted_after_a_restart_until_they_end(world):
    pods = started(world)
    world.patch("application", "words", status={"state": "FINISHED"})
    world.cycle()
    world.restart()
    world.cycle()
    assert len(world.held()) == 4

    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert world.held() == []


def test_a_new_resource_type_builds_the_ledger_anew_and_no_container_id_is_used_twice(world):
    pods = started(world)
    done = [c for c in pods if c.number in (3, 4)]
    for container in done:
        world.end(pods[container])
    world.complete("maps", *done)
    world.cycle()

    world.put("node", a_node("g1", also={"nvidia.com/gpu": "2"}))
    world.cycle()
    assert world.live.types.names == ("memory", "cpu", "nvidia.com/gpu")
    assert len(world.held()) == 2

    world.patch("request", "maps", spec={"count": 4})
    world.cycle()
    assert numbers(world.granted("maps")) == [2, 5]


def test_deleted_applications_are_counted_through_a_new_resource_type(world):
    pods = started(world)
    for name in ("maps", "words-am-1"):
        world.remove("request", name)
    world.remove("application", "words")
    world.cycle()
    world.put("node", a_node("g1", also={"nvidia.com/gpu": "2"}))
    world.cycle()
    assert len(world.held()) == 4

    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert world.held() == []


def test_foreign_pods_take_room_until_they_are_gone(world):
    big = needs("6", "12Gi")
    world.put("pod", foreign("other", "n1", big))
    world.put("pod", foreign("again", "n2", big))
    world.submit("words", 1)
    assert len(asked(world, 20)) == 2

    world.remove("pod", "other", unwatched=True)
    world.end("again")
    world.cycle()
    assert len(world.granted("maps")) == 11


def test_a_foreign_pod_of_a_name_used_before_is_counted_for_itself(world):
    world.put("pod", foreign("db-0", "n1", needs("4", "4Gi")))
    moved = foreign("db-0", "n2", needs("4", "4Gi"))
    moved["metadata"]["uid"] = "second"
    first = world.objects["pod"]["db-0"]
    world.remove("pod", "db-0")
    world.put("pod", moved)
    world.loop.pod_seen("DELETED", first)
    world.cycle()

    free = world.free()
    assert free == {"n1": (16 * GIB, 8000), "n2": (12 * GIB, 4000)}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_lost_nodes_containers_count_until_their_pods_are_gone(world, restarted):
    pods = started(world, 6)
    grants = {**world.granted("maps"), **world.granted("words-am-1")}
    lost = {c for c, node in grants.items() if node == "n1"}
    bound = world.live.bound("root.a")
    world.remove("node", "n1")
    if restarted:
        world.restart()
    world.cycle()

    assert len(world.held()) == 7
    assert world.live.bound("root.a") == bound
    assert "n1" not in {g.node for g in world.live.scheduler.containers() if g.id not in lost}
    for container in lost:
        world.remove("pod", pods[container])
    world.turn()
    assert len(world.held()) == 7 - len(lost)
    assert sorted(world.free()) == ["n2"]


def test_a_node_that_comes_back_has_its_containers_again(world):
    started(world, 6)
    free = world.free()
    world.remove("node", "n1")
    world.cycle()
    world.put("node", a_node("n1"))
    world.cycle()

    assert world.free() == free
    assert len(world.held()) == 7


def test_what_was_granted_on_a_lost_node_and_has_no_pod_is_granted_again(world):
    world.submit("words", 1)
    world.cycle()
    before = asked(world, 6)
    gone = {c for c, node in before.items() if node == "n1"}
    assert gone
    world.remove("node", "n1")
    world.cycle()

    after = world.granted("maps")
    assert set(after.values()) == {"n2"}
    assert after.keys() & gone == set()
    assert request_status(world, "maps")["granted"] == len(after) > len(before) - len(gone)


@pytest.mark.parametrize("remains", ["application", "requests", "nothing", "another"])
def test_what_runs_of_a_deleted_application_counts_until_it_is_gone_after_a_restart(world, remains):
    pods = started(world, 3)
    held, bound = world.held(), world.live.bound("root.a")
    if remains != "application":
        world.remove("application", "words")
    if remains != "requests":
        world.remove("request", "maps")
        world.remove("request", "words-am-1")
    world.restart()
    world.cycle()
    if remains == "another":
        world.submit("words", 2)
        world.cycle()
        assert numbers(world.granted("words-am-1")) == [1]
        world.remove("application", "words")
        world.remove("request", "words-am-1")
        world.cycle()

    assert world.held() == held
    assert world.live.bound("root.a") == bound
    for pod in pods.values():
        world.remove("pod", pod)
    if remains == "application":
        world.remove("application", "words")
    world.cycle()
    assert world.held() == []
    assert world.live.bound("root.a") == (0, 0)
    assert world.live.scheduler.queue_status()[1].active_applications == 0


def test_what_runs_although_its_queue_is_gone_counts_on_its_node(world):
    pods = started(world, 3)
    world.objects["application"].clear()
    world.objects["request"].clear()
    world.objects["queue"].pop("root.a")
    world.objects["queue"]["root.b"]["spec"]["capacity"] = "100%"
    world.restart()
    world.cycle()

    nodes = world.live.scheduler.state.cluster.nodes.values()
    assert sum(16 * GIB - n.total[0] for n in nodes) == 5 * GIB
    for pod in pods.values():
        world.remove("pod", pod)
    world.cycle()
    assert {n.total for n in nodes} == {(16 * GIB, 8000)}


def test_a_binding_that_comes_about_after_its_grant_was_taken_back_is_counted(world):
    world.submit("words", 1)
    world.cycle()
    container, node = min(asked(world, 1).items())
    pod = world.launch(container, node, bound=False)
    world.loop.applications.revoke(container, 0)
    world.patch("pod", pod["metadata"]["name"], spec={"nodeName": node})
    world.cycle()

    assert str(container) in world.held()
    assert len(world.held()) == 3
    world.remove("pod", pod["metadata"]["name"])
    world.cycle()
    assert str(container) not in world.held()


def test_nodes_that_are_not_ready_keep_their_containers_and_take_none(world):
    started(world, 2)
    world.put("node", a_node("n1", ready="Unknown"))
    world.put("node", a_node("n2", ready="Unknown"))
    world.patch("request", "maps", spec={"count": 5})
    world.cycle()

    assert len(world.held()) == 3


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


def test_a_resource_is_known_as_long_as_a_node_or_a_queue_names_it(world):
    gpu, also = "nvidia.com/gpu", {"nvidia.com/gpu": "2"}
    for name in ("g1", "g2"):
        world.put("node", a_node(name, also=also))
    world.cycle()
    assert gpu in world.live.types.names

    world.remove("node", "g1")
    world.put("node", a_node("g2"))
    world.cycle()
    assert gpu not in world.live.types.names

    world.patch("queue", "root.a", spec={"maximumAllocation": {gpu: "2", "memory": "1Gi"}})
    world.cycle()
    assert gpu in world.live.types.names


def test_a_masters_request_that_is_seen_before_its_application_waits_for_it(world):
    request = a_request("words-am-1", "words", role="ApplicationMaster", priority=0)
    world.put("request", request)
    world.cycle()
    assert world.objects["request"]["words-am-1"].get("status") is None
    world.put("application", an_application("words", 1))
    world.cycle()

    assert condition(world, "words-am-1", "Accepted") == ("True", "Accepted")

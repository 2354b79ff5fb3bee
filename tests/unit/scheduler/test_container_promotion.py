"""Containers that are promoted and demoted, under both schedulers."""

from __future__ import annotations

import pytest

from kubeyarn.scheduler.extender.bind_check import BindRefused
from kubeyarn.schedulers.api import Preempt
from unit.scheduler.world import GIB, World, a_node, a_queue, a_request, two_queues

SMALL = {"cpu": "1", "memory": "4Gi"}


@pytest.fixture(params=["Capacity", "Fair"])
def world(request):
    """One node of 16 GiB of which root.a may use 12; an AM of 2, and a queue that may use all."""
    fair = request.param == "Fair"
    bound = {"fair": {"maxResources": {"cpu": "8", "memory": "12Gi"}, "maxAMShare": "-1"}}
    queues = [
        (
            "queue",
            a_queue("root", cluster={"scheduler": request.param, "opportunisticContainers": True}),
        ),
        *two_queues()[1:],
    ]
    queues[1] = (
        "queue",
        a_queue(
            "root.a",
            capacity="60%",
            maximumCapacity="75%",
            userLimitFactor=10,
            maximumAMShare="100%",
            **(bound if fair else {}),
        ),
    )
    world = World(*queues, ("node", a_node("n1")))
    world.submit("words", 1, am={"cpu": "1", "memory": "2Gi"})
    world.cycle()
    return world


@pytest.fixture
def firm(world):
    """A guaranteed container of 4 GiB."""
    world.put("request", a_request("firm", "words", resources=SMALL))
    world.cycle()
    return next(iter(world.granted("firm")))


@pytest.fixture
def spare(world):
    """An opportunistic container of 4 GiB."""
    world.put(
        "request", a_request("spare", "words", resources=SMALL, executionType="Opportunistic")
    )
    world.cycle()
    return next(iter(world.granted("spare")))


def wish(world, name, container, said):
    update = {"id": str(container), "executionType": said}
    world.patch("request", name, spec={"updates": [update]})
    world.cycle()


def changed(world, name, container, said, version=1):
    """The ResourceManager says what the container is now."""
    entry = {"id": str(container), "version": version, "executionType": said, "resources": SMALL}
    world.patch("request", name, status={"updated": [entry]})
    world.cycle()


def charged(world, name):
    [entry] = world.objects["request"][name]["status"]["updates"]
    return entry


def used(world):
    return world.status("root.a").used[0] // GIB


def test_a_demotion_frees_the_queues_use_at_once(world, firm):
    pod = world.launch(firm, "n1")
    assert (used(world), world.live.bound("root.a")[0] // GIB) == (6, 4)

    wish(world, "firm", firm, "Opportunistic")

    assert (used(world), world.live.bound("root.a")[0]) == (2, 0)
    assert charged(world, "firm")["executionType"] == "Opportunistic"
    assert world.granted("firm") == {firm: "n1"}
    world.end(pod["metadata"]["name"])
    world.cycle()
    assert used(world) == 2
    assert world.live.opportunistic.held(firm) is None


def test_a_demoted_container_makes_room_for_guaranteed_ones(world, firm):
    wish(world, "firm", firm, "Opportunistic")
    world.submit("other", 2, queue="root.b", am={"cpu": "1", "memory": "1Gi"})
    large = {"cpu": "1", "memory": "6Gi"}
    world.put("request", a_request("many", "other", count=2, resources=large))
    world.cycle()

    assert len(world.granted("many")) == 2
    [entry] = world.objects["request"]["firm"]["status"]["preempting"]
    assert (entry["id"], entry["kill"]) == (str(firm), True)


def test_a_promotion_is_had_at_once_where_there_is_room(world, spare):
    world.launch(spare, "n1")
    assert (used(world), world.live.bound("root.a")[0]) == (2, 0)

    wish(world, "spare", spare, "Guaranteed")

    assert (used(world), world.live.bound("root.a")[0] // GIB) == (6, 4)
    assert charged(world, "spare")["executionType"] == "Guaranteed"
    assert world.live.opportunistic.held(spare) is None
    assert world.objects["request"]["spare"]["status"]["granted"] == 1


def test_the_room_that_it_has_already_is_enough(world, spare):
    """14 of 16 GiB are taken, 4 of them by the one that is promoted."""
    other = {"cpu": "1", "memory": "4Gi"}
    world.submit("other", 2, queue="root.b", am=other)
    world.put("request", a_request("more", "other", resources=other))
    world.cycle()
    wish(world, "spare", spare, "Guaranteed")

    assert used(world) == 6
    assert not world.objects["request"]["spare"]["status"].get("preempting")


def test_a_promotion_waits_for_its_queue_and_says_why(world, firm, spare):
    """The queue may have 12 GiB and has 6; 4 more are to come before the one that is promoted."""
    world.put("request", a_request("first", "words", resources={"cpu": "1", "memory": "5Gi"}))
    world.cycle()
    wish(world, "spare", spare, "Guaranteed")
    world.loop.updates.explain(0)
    world.write()

    assert used(world) == 11
    assert charged(world, "spare")["executionType"] == "Opportunistic"
    assert charged(world, "spare")["waits"].startswith("QueueMaximum: ")
    assert world.status("root.a").pending[0] == 4 * GIB

    world.complete("firm", firm)
    world.cycle()
    assert used(world) == 11
    assert charged(world, "spare")["executionType"] == "Guaranteed"
    assert "waits" not in charged(world, "spare")
    assert world.status("root.a").pending[0] == 0


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_demotion_survives_a_restart(world, firm, moment):
    world.launch(firm, "n1")
    wish(world, "firm", firm, "Opportunistic")
    if moment == "after":
        changed(world, "firm", firm, "Opportunistic")
    world.restart()
    world.cycle()

    assert (used(world), world.live.bound("root.a")[0]) == (2, 0)
    assert world.live.opportunistic.held(firm) is not None
    assert world.live.allocation(firm).bound_uid


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_promotion_survives_a_restart(world, spare, moment):
    world.launch(spare, "n1")
    wish(world, "spare", spare, "Guaranteed")
    if moment == "after":
        changed(world, "spare", spare, "Guaranteed")
    world.restart()
    world.cycle()

    assert (used(world), world.live.bound("root.a")[0] // GIB) == (6, 4)
    assert world.live.opportunistic.held(spare) is None


def test_a_promotion_that_was_not_written_is_made_again(world, spare):
    world.patch(
        "request", "spare", spec={"updates": [{"id": str(spare), "executionType": "Guaranteed"}]}
    )
    world.cycle(write=False)
    world.restart()
    world.cycle()

    assert used(world) == 6
    assert charged(world, "spare")["executionType"] == "Guaranteed"


def test_a_promotion_taken_back_while_it_waits_is_asked_for_no_more(world, firm, spare):
    world.put("request", a_request("first", "words", resources={"cpu": "1", "memory": "5Gi"}))
    world.cycle()
    wish(world, "spare", spare, "Guaranteed")
    world.patch("request", "spare", spec={"updates": []})
    world.cycle()
    assert world.status("root.a").pending[0] == 0

    world.complete("firm", firm)
    world.cycle()
    assert charged(world, "spare")["executionType"] == "Opportunistic"
    assert used(world) == 7


def test_back_and_forth_ends_where_it_was_wished_last(world, firm):
    world.launch(firm, "n1")
    wish(world, "firm", firm, "Opportunistic")
    changed(world, "firm", firm, "Opportunistic")
    wish(world, "firm", firm, "Guaranteed")
    changed(world, "firm", firm, "Guaranteed", version=2)

    assert (used(world), world.live.bound("root.a")[0] // GIB) == (6, 4)
    assert world.live.opportunistic.idle


def test_one_that_ends_while_it_waits_to_be_promoted_leaves_nothing(world, firm, spare):
    world.put("request", a_request("first", "words", resources={"cpu": "1", "memory": "5Gi"}))
    world.cycle()
    wish(world, "spare", spare, "Guaranteed")
    world.complete("spare", spare)
    world.cycle()

    assert world.status("root.a").pending[0] == 0
    assert not world.live.containers.increases
    assert world.live.opportunistic.idle


def test_one_that_was_told_to_go_is_not_promoted(world, firm, spare):
    world.put("request", a_request("first", "words", resources={"cpu": "1", "memory": "5Gi"}))
    world.cycle()
    wish(world, "spare", spare, "Guaranteed")
    world.loop.note_preemption(Preempt(spare, kill=True, message="its room was taken"))
    world.complete("firm", firm)
    world.cycle()

    assert charged(world, "spare")["executionType"] == "Opportunistic"
    assert used(world) == 7


def test_a_mark_of_the_policy_goes_with_a_demotion(world, firm):
    world.loop.note_preemption(Preempt(firm, kill=False, message="root.b needs it"))
    wish(world, "firm", firm, "Opportunistic")

    assert not world.objects["request"]["firm"]["status"].get("preempting")


def test_an_application_master_stays_guaranteed(world):
    [master] = world.granted("words-am-1")
    wish(world, "words-am-1", master, "Opportunistic")

    assert used(world) == 2
    assert "ApplicationMaster" in charged(world, "words-am-1")["message"]


def test_an_opportunistic_container_keeps_its_size(world, spare):
    update = {"id": str(spare), "resources": {"memory": "6Gi"}}
    world.patch("request", "spare", spec={"updates": [update]})
    world.cycle()

    assert charged(world, "spare")["resources"]["memory"] == "4Gi"
    assert "promote" in charged(world, "spare")["message"]


def test_one_that_grew_is_demoted_and_promoted_with_all_it_has(world, firm):
    update = {"id": str(firm), "resources": {"memory": "6Gi"}}
    world.patch("request", "firm", spec={"updates": [update]})
    world.cycle()
    grown = {"cpu": "1", "memory": "6Gi"}
    entry = {"id": str(firm), "version": 1, "executionType": "Guaranteed", "resources": grown}
    world.patch("request", "firm", status={"updated": [entry]})
    world.cycle()
    wish(world, "firm", firm, "Opportunistic")
    assert used(world) == 2
    assert world.live.opportunistic.held(firm).size[0] == 6 * GIB

    wish(world, "firm", firm, "Guaranteed")
    assert used(world) == 8


def test_a_demoted_containers_pod_is_bound_past_a_full_queue(world, firm):
    """The extender lets a container pass that counts against nobody."""
    wish(world, "firm", firm, "Opportunistic")
    world.put("queue", a_queue("root.a", capacity="60%", maximumCapacity="60%", **FULL))
    pod = world.launch(firm, "n1", bound=False)
    world.bind_check.check(firm, pod["metadata"]["uid"], "n1")
    with pytest.raises(BindRefused):
        world.bind_check.check(firm, pod["metadata"]["uid"], "n2")


FULL = {"userLimitFactor": 10, "fair": {"maxResources": {"cpu": "1", "memory": "1Gi"}}}


def test_a_pod_tells_of_its_container_that_no_request_lists(world, spare):
    """Deleted with its application, an opportunistic one still counts against nobody."""
    world.launch(spare, "n1")
    for name in ("spare", "words-am-1"):
        world.remove("request", name)
    world.remove("application", "words")
    world.restart()
    world.cycle()

    assert used(world) == 0
    assert world.live.opportunistic.held(spare) is not None

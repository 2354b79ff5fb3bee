"""Containers that are to have another size."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.api import Preempt
from unit.scheduler.world import GIB, World, a_node, a_request, two_queues

SMALL = {"cpu": "1", "memory": "1Gi"}


@pytest.fixture
def world():
    """Two containers of 1 GiB beside an AM of 2 GiB, on one node of 16 GiB of which a may use 12.8.

    The smallest step is 1 GiB and 1 core.
    """
    world = World(*two_queues(), ("node", a_node("n1")))
    world.submit("words", 1, am={"cpu": "1", "memory": "2Gi"})
    world.put("request", a_request("maps", "words", count=2, resources=SMALL))
    world.cycle()
    return world


def containers(world, name="maps"):
    return sorted(world.granted(name))


def wish(world, container, name="maps", **resources):
    world.patch("request", name, spec={"updates": [{"id": str(container), "resources": resources}]})
    world.cycle()


def resized(world, container, version, name="maps", **resources):
    """The ResourceManager says that the pod has another size now."""
    entry = {"id": str(container), "version": version, "resources": resources}
    world.patch("request", name, status={"updated": [entry]})
    world.cycle()


def update(world, container, name="maps"):
    entries = world.objects["request"][name]["status"].get("updates") or ()
    return next(e for e in entries if e["id"] == str(container))


def used(world):
    return world.status("root.a").used[0] // GIB


def test_more_is_charged_as_soon_as_it_is_wished_and_there_is_room(world):
    first, _ = containers(world)
    wish(world, first, memory="4Gi")

    assert used(world) == 7
    assert update(world, first)["resources"] == {"cpu": "1", "memory": "4Gi"}
    assert update(world, first)["wanted"] == {"cpu": "1", "memory": "4Gi"}


def test_a_size_is_rounded_up_as_that_of_an_ask(world):
    first, _ = containers(world)
    wish(world, first, memory="3500Mi", cpu="1500m")

    assert update(world, first)["wanted"] == {"cpu": "2", "memory": "4Gi"}


def test_more_waits_for_room_below_the_queues_maximum(world):
    first, second = containers(world)
    wish(world, first, memory="10Gi")

    assert used(world) == 4
    assert update(world, first)["resources"] == {"cpu": "1", "memory": "1Gi"}
    assert update(world, first)["wanted"] == {"cpu": "1", "memory": "10Gi"}

    world.patch("request", "maps", status={"completed": [{"id": str(second), "exitStatus": 0}]})
    world.cycle()
    assert used(world) == 12
    assert update(world, first)["resources"] == {"cpu": "1", "memory": "10Gi"}


def test_less_is_charged_once_the_pod_has_it(world):
    first, _ = containers(world)
    wish(world, first, memory="4Gi")
    resized(world, first, 1, cpu="1", memory="4Gi")
    wish(world, first, memory="2Gi")
    assert used(world) == 7
    assert update(world, first)["wanted"] == {"cpu": "1", "memory": "2Gi"}

    resized(world, first, 2, cpu="1", memory="2Gi")
    assert used(world) == 5


def test_a_wish_taken_back_gives_back_what_the_pod_has_not(world):
    first, _ = containers(world)
    wish(world, first, memory="4Gi")
    world.patch("request", "maps", spec={"updates": []})
    world.cycle()

    assert used(world) == 4


def test_too_much_is_refused_with_the_reason(world):
    first, _ = containers(world)
    wish(world, first, memory="1000Gi")

    assert used(world) == 4
    assert "maximum allocation" in update(world, first)["message"]


def test_another_process_charges_the_same(world):
    first, second = containers(world)
    wish(world, first, memory="4Gi")
    resized(world, first, 1, cpu="1", memory="4Gi")
    world.restart()
    world.cycle()

    assert used(world) == 7
    world.patch("request", "maps", status={"completed": [{"id": str(first), "exitStatus": 0}]})
    world.cycle()
    assert used(world) == 3
    assert containers(world) == [second]


def test_bound_use_grows_and_shrinks_with_the_container(world):
    first, node = min(world.granted("maps").items())
    pod = world.launch(first, node)
    assert world.live.bound("root.a")[0] == GIB

    wish(world, first, memory="4Gi")
    assert world.live.bound("root.a")[0] == 4 * GIB
    world.end(pod["metadata"]["name"])
    world.cycle()
    assert world.live.bound("root.a")[0] == 0


def test_what_waits_for_more_says_for_what_and_keeps_room(world):
    """A second node has room; it is on the first one that the container waits."""
    first, _ = containers(world)
    world.put("node", a_node("n2"))
    world.cycle()
    wish(world, first, memory="16Gi")
    world.loop.updates.explain(0)
    world.write()

    assert update(world, first)["waits"].startswith("Reserved: ")
    assert world.live.scheduler.node_reports()[0].is_reserved
    wish(world, first, memory="1Gi")
    assert "waits" not in update(world, first)


def test_what_waits_is_asked_anew_where_its_node_is_now(world):
    first, _ = containers(world)
    wish(world, first, memory="10Gi")
    world.put("node", a_node("n1", labels={"topology.kubernetes.io/zone": "r9"}))
    world.cycle()
    world.patch("queue", "root.a", spec={"maximumCapacity": "100%"})
    world.cycle()

    assert update(world, first)["resources"] == {"cpu": "1", "memory": "10Gi"}


def test_what_a_killed_container_wanted_more_of_is_not_asked_for(world):
    first, second = containers(world)
    wish(world, first, memory="10Gi")
    world.loop.note_preemption(Preempt(first, kill=True, message="root.b needs it"))
    world.patch("request", "maps", status={"completed": [{"id": str(second), "exitStatus": 0}]})
    world.cycle()

    assert used(world) == 3
    assert not world.live.containers.increases


def test_containers_that_nobody_granted_are_passed_over(world):
    wish(world, "container_1763850000000_0001_01_000099", memory="4Gi")

    assert used(world) == 4
    assert not world.objects["request"]["maps"]["status"].get("updates")

"""What ApplicationMasters may say of their containers, on a real control plane with fake nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from e2e.attempts.puppet import Puppet, ask
from e2e.live.patience import until
from e2e.policy.world import MERGE, World, queue, root

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(120)]

Json = dict[str, Any]
Tree = Callable[..., World]


@pytest.fixture
def master(tree: Tree) -> Puppet:
    """The AM of an application in root.a, which may have everything."""
    spec = {"capacity": "100%", "maximumAMShare": "50%", "userLimitFactor": "10"}
    world = tree(root(opportunisticContainers=True), queue("root.a", **spec))
    world.submit("words", "root.a")
    puppet = Puppet(world, "words", 1)
    puppet.register()
    return puppet


def beat_until(master: Puppet, what: str, answers: list[Json], wanted: Callable[[], Any]) -> None:
    """Heartbeats, whose answers are kept, until something holds of them."""

    def once() -> bool:
        answers.append(master.allocate())
        assert not [error for answer in answers for error in answer["updateErrors"]]
        return bool(wanted())

    until(what, once, lambda held: held)


def allocated(answers: list[Json]) -> list[Json]:
    return [container for answer in answers for container in answer["allocated"]]


def test_excluded_nodes_get_nothing_until_they_are_included_again(master: Puppet) -> None:
    nodes = [f"fake-{number:04d}" for number in range(5)]
    answers = [master.allocate(ask(6), excludeNodes={"add": nodes[:4]})]
    beat_until(master, "six containers", answers, lambda: len(allocated(answers)) == 6)
    assert {container["node"] for container in allocated(answers)} == {nodes[4]}

    names = [container["containerId"] for container in allocated(answers)]
    assert len(master.launch(*names)) == 6
    more = [master.allocate(ask(20), excludeNodes={"remove": nodes[:4]})]
    beat_until(master, "twenty more", more, lambda: len(allocated(more)) == 20)
    assert {container["node"] for container in allocated(more)} > {nodes[4]}


def say_what_it_runs_with(world: World, path: str) -> None:
    """As a kubelet that can resize says it: the API server resizes no others' pods."""
    running = {
        "name": "main",
        "image": "fake",
        "imageID": "fake",
        "ready": True,
        "restartCount": 0,
        "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
        "resources": world.get(path)["spec"]["containers"][0]["resources"],
    }
    status = {"status": {"phase": "Running", "containerStatuses": [running]}}
    assert world.call("PATCH", path + "/status", status, MERGE).status == 200


def test_a_running_container_is_resized_in_place(master: Puppet) -> None:
    world = master.world
    [name] = master.gather(1)
    [pod] = master.launch(name)
    path = f"/api/v1/namespaces/{world.namespace}/pods/{pod}"
    before = world.get(path)["metadata"]["uid"]
    say_what_it_runs_with(world, path)

    for version, memory in enumerate(("3Gi", "2Gi")):
        update = {"containerId": name, "version": version, "resources": {"memory": memory}}
        answers = [master.allocate(updates=[update])]
        beat_until(
            master,
            f"it has {memory}",
            answers,
            lambda answers=answers: [u for a in answers for u in a["updatedContainers"]],
        )
        found = world.get(path)
        resources = found["spec"]["containers"][0]["resources"]
        assert (resources["requests"]["memory"], resources["limits"]["memory"]) == (memory, memory)
        assert found["metadata"]["uid"] == before
    used = until(
        "the queue holds the AM and 2 GiB",
        lambda: world.queue("root.a")["status"]["used"],
        lambda used: used["memory"] in ("3Gi", "4Gi"),
    )
    assert used


def test_opportunistic_containers_make_room_for_guaranteed_ones(master: Puppet) -> None:
    """Five nodes of 8 GiB, on one of them the AM of 1: one of 7 on each leaves no room for more."""
    big = {"cpu": "1", "memory": "7Gi"}
    spare = {**ask(5), "resources": big, "executionType": "OPPORTUNISTIC", "priority": 2}
    answers = [master.allocate(spare)]
    beat_until(master, "five spare ones", answers, lambda: len(allocated(answers)) == 5)
    until(
        "the queue counts the AM alone",
        lambda: master.world.queue("root.a")["status"].get("containers"),
        lambda count: count == 1,
    )
    master.launch(*(container["containerId"] for container in allocated(answers)))

    answers.append(master.allocate({**ask(1), "priority": 1, "resources": big}))
    beat_until(
        master,
        "one has made room",
        answers,
        lambda: [c for a in answers for c in a["completed"]] and len(allocated(answers)) == 6,
    )
    ended = [c for a in answers for c in a["completed"]]
    assert [c["exitStatus"] for c in ended] == [-108]
    master.launch(allocated(answers)[5]["containerId"])


def test_containers_keep_apart_and_follow_each_other(master: Puppet) -> None:
    apart = {**ask(4), "placementConstraint": "notin,node,db", "allocationTags": ["db"]}
    answers = [master.allocate(apart)]
    beat_until(master, "four apart", answers, lambda: len(allocated(answers)) == 4)
    servers = [container["node"] for container in allocated(answers)]
    assert len(set(servers)) == 4

    near = {**ask(6), "priority": 2, "placementConstraint": "in,node,db"}
    more = [master.allocate(near)]
    beat_until(master, "six beside them", more, lambda: len(allocated(more)) == 6)
    assert {container["node"] for container in allocated(more)} <= set(servers)
    master.launch(*(container["containerId"] for container in allocated(answers + more)))

"""Containers are granted where their templates let kube-scheduler bind them, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.live.patience import until
from e2e.policy.conftest import NODES
from e2e.policy.world import MERGE, World, node_of, queue, root

pytestmark = pytest.mark.e2e

SSD, GPU = "fake-0001", "fake-0002"
DISK = "example.com/disk"
TAINT = {"key": "example.com/gpu", "value": "yes", "effect": "NoSchedule"}
TOLERATION = {"key": "example.com/gpu", "operator": "Exists"}
TINY = {"cpu": "10m", "memory": "16Mi"}
PLAIN = {"capacity": "100%", "userLimitFactor": "-1", "maximumAMShare": "50%"}
BOTH = pytest.mark.parametrize("scheduler", ["Capacity", "Fair"])


def launch(**spec: Any) -> dict[str, Any]:
    return {"image": "fake", "template": {"spec": spec}}


def affinity(operator: str, *values: str) -> dict[str, Any]:
    expression = {"key": DISK, "operator": operator, **({"values": values} if values else {})}
    terms = [{}, {"matchExpressions": [expression]}]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"nodeAffinity": required}


@contextmanager
def node_with(world: World, name: str, **words: Any) -> Iterator[None]:
    """A node has a label or a taint for as long as the context lasts."""
    path = f"/api/v1/nodes/{name}"
    labels, taints = words.get("labels") or {}, words.get("taints") or []
    said = {"metadata": {"labels": labels}, "spec": {"taints": taints}}
    world.call("PATCH", path, said, MERGE)
    try:
        yield
    finally:
        said = {"metadata": {"labels": dict.fromkeys(labels)}, "spec": {"taints": None}}
        world.call("PATCH", path, said, MERGE)


@pytest.fixture
def shaped(world: World) -> Iterator[World]:
    """One node has a label of its own, another a taint."""
    label, taint = {DISK: "ssd"}, [TAINT]
    with node_with(world, SSD, labels=label), node_with(world, GPU, taints=taint):
        yield world


def put(world: World, scheduler: str, **cluster: Any) -> None:
    world.put(root(scheduler=scheduler, **cluster), queue("root.a", **PLAIN))
    world.in_force("root", "root.a")


def nodes(world: World, request: str, count: int) -> set[str]:
    """Where the containers of a request are, once all of them are bound."""

    def bound() -> list[str]:
        return [
            node_of(pod)
            for pod in world.pods()
            if pod["metadata"]["annotations"]["kubeyarn.io/request"] == request
        ]

    found = until(f"{count} of {request} are bound", bound, lambda at: len(at) == count, seconds=30)
    assert not world.request(request)["status"].get("avoidedNodes")
    return set(found)


@BOTH
def test_selector_affinity_and_toleration_are_known_before_the_grant(shaped, scheduler):
    world = shaped
    put(world, scheduler)
    world.submit("words", "root.a")
    world.until_running("words", 1)

    world.ask("selects", "words", 4, container=launch(nodeSelector={DISK: "ssd"}))
    assert nodes(world, "selects", 4) == {SSD}
    world.ask("prefers-not", "words", 6, container=launch(affinity=affinity("DoesNotExist")))
    assert nodes(world, "prefers-not", 6).isdisjoint({SSD, GPU})
    world.ask("is-in", "words", 2, container=launch(affinity=affinity("In", "ssd", "nvme")))
    assert nodes(world, "is-in", 2) == {SSD}
    gpu = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [GPU]}]}
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [gpu]}}
    there = launch(affinity={"nodeAffinity": required}, tolerations=[TOLERATION])
    world.ask("tolerates", "words", 8, container=there)
    assert nodes(world, "tolerates", 8) == {GPU}
    world.ask("plain", "words", 5, container=launch())
    assert GPU not in nodes(world, "plain", 5)


@BOTH
def test_a_master_is_started_on_the_nodes_of_its_template(shaped, scheduler):
    world = shaped
    put(world, scheduler)
    resources = {"cpu": "1", "memory": "1Gi"}
    template = {"spec": {"nodeSelector": {DISK: "ssd"}}}
    master = {"image": "fake", "resources": resources, "template": template}
    world.submit("words", "root.a", applicationMaster=master)

    (pod,) = world.until_running("words", 1)
    assert node_of(pod) == SSD


@BOTH
def test_what_no_node_has_is_told_with_counts_and_granted_when_one_has_it(world, scheduler):
    put(world, scheduler)
    world.submit("words", "root.a")
    world.until_running("words", 1)
    world.ask("maps", "words", 3, container=launch(nodeSelector={DISK: "nvme"}))

    message = world.until_waits("maps", "NoNodeFits")
    assert f"0 of {NODES + 2} nodes match nodeSelector {DISK}=nvme" in message
    with node_with(world, SSD, labels={DISK: "nvme"}, taints=[TAINT]):
        world.stays("it is not tolerated", lambda: world.request("maps")["status"]["granted"], 0)
    with node_with(world, SSD, labels={DISK: "nvme"}):
        assert nodes(world, "maps", 3) == {SSD}


@BOTH
def test_a_tainted_node_is_part_of_the_cluster_while_somebody_tolerates_it(shaped, scheduler):
    world = shaped
    put(world, scheduler)

    def left_out(status: dict[str, Any]) -> bool:
        return [one["reason"] for one in status.get("unusableNodes") or ()] == ["Tainted"]

    world.until_queue("root", "leaves the tainted node out", left_out)
    world.submit("words", "root.a")
    world.ask("tolerates", "words", 1, container=launch(tolerations=[TOLERATION]))
    world.until_queue("root", "counts it", lambda status: not status.get("unusableNodes"))
    world.until_granted("tolerates", 1)
    world.change("words", desiredState="Killed")
    world.until_queue("root", "leaves it out again", left_out)


@contextmanager
def runtime_class(world: World, name: str, **scheduling: Any) -> Iterator[None]:
    """The API server adds what it says of nodes to the pods that name it."""
    meta = {"apiVersion": "node.k8s.io/v1", "kind": "RuntimeClass", "metadata": {"name": name}}
    path = "/apis/node.k8s.io/v1/runtimeclasses"
    world.call("POST", path, {**meta, "handler": name, "scheduling": scheduling})
    try:
        yield
    finally:
        world.call("DELETE", f"{path}/{name}")


@BOTH
def test_what_a_runtime_class_requires_is_learned_from_the_first_refusal(shaped, scheduler):
    world = shaped
    put(world, scheduler)
    world.submit("words", "root.a")
    world.until_running("words", 1)
    with runtime_class(world, "kata", nodeSelector={DISK: "ssd"}):
        # No longer than a grant used to wait for a pod that lacks room.
        began = time.monotonic()
        world.ask("maps", "words", 4, container=launch(runtimeClassName="kata"))
        found = world.until_running("words", 5, seconds=15)
        print(f"{scheduler}: four containers moved in {time.monotonic() - began:.2f} s")
        world.ask("more", "words", 3, container=launch(runtimeClassName="kata"))
        assert nodes(world, "more", 3) == {SSD}

    at = [node_of(pod) for pod in found if "maps" in pod["metadata"]["annotations"].values()]
    assert at == [SSD] * 4
    assert {one["refusals"] for one in world.request("maps")["status"]["avoidedNodes"]} == {1}


def time_of(world: World, name: str, count: int) -> float:
    """Seconds until *count* requests of one container each are bound."""
    began = time.monotonic()
    for number in range(count):
        world.ask(f"{name}-{number}", name, 1, resources=TINY, container=launch())
    world.until_running(name, count + 1, seconds=240)
    return time.monotonic() - began


@BOTH
def test_what_fits_nowhere_does_not_slow_what_fits(world, scheduler):
    put(world, scheduler, minimumAllocation=TINY, incrementAllocation=TINY)
    world.submit("alone", "root.a", am=TINY)
    world.until_running("alone", 1)
    alone = time_of(world, "alone", 150)
    world.change("alone", desiredState="Killed")
    world.until_running("alone", 0)
    for name in ("nowhere", "beside"):
        world.submit(name, "root.a", am=TINY)
        world.until_running(name, 1)
    elsewhere = launch(nodeSelector={DISK: "tape"})
    for number in range(500):
        world.ask(f"nowhere-{number}", "nowhere", 1, resources=TINY, container=elsewhere)
    world.until_waits("nowhere-499", "NoNodeFits")

    beside = time_of(world, "beside", 150)

    print(f"{scheduler}: alone {alone:.2f} s, beside 500 that fit nowhere {beside:.2f} s")
    # Other work on the machine sets the pace, too; what is granted in vain costs five times that.
    assert beside < 2.5 * alone + 3
    assert world.running("nowhere") == 1

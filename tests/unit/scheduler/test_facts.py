"""What nodes have and foreign pods take."""

from __future__ import annotations

import pytest

from kubeyarn.cluster.feasibility.node_classes import NodeClasses
from kubeyarn.cluster.feasibility.node_requirements import NodeRequirements
from kubeyarn.cluster.feasibility.taints import Toleration
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.nodes import UNLIMITED_PODS
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.scheduler import facts
from unit.scheduler.world import GIB, TYPES, a_node, foreign, needs

CONTAINER = ContainerId(AttemptId(ApplicationId(1, 1), 1), 0, 2)


def taken(*containers, **spec):
    return facts.pod_use(foreign("p", "n1", *containers, **spec)).requests


def test_containers_of_a_pod_add_up():
    assert taken(needs("500m", "1Gi"), needs("250m", "512Mi")) == {
        "cpu": 750, "memory": GIB + GIB // 2,
    }  # fmt: skip


def test_a_pod_takes_the_most_that_an_init_container_needs():
    inits = [needs("4", "1Gi"), needs("1", "3Gi")]

    assert taken(needs("1", "2Gi"), initContainers=inits) == {"cpu": 4000, "memory": 3 * GIB}


def test_native_sidecars_run_beside_the_containers_and_the_init_containers_after_them():
    sidecar = needs("1", "1Gi", restartPolicy="Always")

    assert taken(needs("1", "1Gi"), initContainers=[sidecar]) == {"cpu": 2000, "memory": 2 * GIB}
    # An init container after the sidecar runs with it, one before it without.
    late, early = [sidecar, needs("4", "1Gi")], [needs("4", "1Gi"), sidecar]
    assert taken(needs("1", "1Gi"), initContainers=late)["cpu"] == 5000
    assert taken(needs("1", "1Gi"), initContainers=early)["cpu"] == 4000


def test_overhead_is_taken_too():
    assert taken(needs("1", "1Gi"), overhead={"cpu": "250m", "memory": "1Gi"}) == {
        "cpu": 1250, "memory": 2 * GIB,
    }  # fmt: skip


def test_requests_of_the_whole_pod_count_instead_of_its_containers():
    whole = {"requests": {"cpu": "3"}}

    assert taken(needs("1", "1Gi"), resources=whole) == {"cpu": 3000, "memory": GIB}


def test_a_limit_alone_is_a_request_too():
    limited = {"name": "c", "resources": {"limits": {"cpu": "2"}}}

    assert taken(limited) == {"cpu": 2000}


def test_a_pod_without_requests_takes_nothing():
    assert taken({"name": "c"}) == {}


def test_a_quantity_that_makes_no_sense_is_not_counted_and_hurts_nothing_else():
    odd = {"name": "c", "resources": {"requests": {"cpu": "1", "nvidia.com/gpu": "0.5"}}}

    assert taken(odd) == {"cpu": 1000}


def test_our_pods_are_known_by_annotation_and_scheduler():
    pod = foreign("p", "n1", needs("1", "1Gi"), schedulerName="kubeyarn")
    pod["metadata"]["annotations"] = {"kubeyarn.io/container-id": str(CONTAINER)}
    assert facts.pod_use(pod).container == CONTAINER
    assert facts.pod_use(pod).requests == {"cpu": 1000, "memory": GIB}

    pod["spec"]["schedulerName"] = "default-scheduler"
    assert facts.pod_use(pod).container is None
    assert facts.pod_use(pod).requests == {"cpu": 1000, "memory": GIB}

    pod["spec"]["schedulerName"] = "kubeyarn"
    pod["metadata"]["annotations"] = {"kubeyarn.io/container-id": "container_x"}
    assert facts.pod_use(pod).container is None


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_is_over_is_told_so(phase):
    pod = foreign("p", "n1", needs("1", "1Gi"))
    pod["status"]["phase"] = phase

    assert facts.pod_use(pod).over


def test_why_kube_scheduler_refused_a_pod_is_told():
    pod = foreign("p", "", needs("1", "1Gi"))
    pod["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no PV"}
    ]

    assert facts.pod_use(pod).refused == "Unschedulable: no PV"


@pytest.mark.parametrize(
    "message",
    [
        'Post "http://127.0.0.1:8031/scheduler/filter": dial tcp: connection refused',
        "failed bind with extender at URL http://127.0.0.1:8031/scheduler/bind, code 503",
        "to be tried again: POST /api/v1/namespaces/a/pods/b/binding: no answer",
    ],
)
def test_what_has_nothing_to_do_with_a_pod_is_no_refusal(message):
    pod = foreign("p", "", needs("1", "1Gi"))
    pod["status"]["conditions"] = [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "SchedulerError",
            "message": message,
        }
    ]

    assert facts.pod_use(pod).refused == ""


def test_a_ready_node_takes_containers():
    node = a_node("n1", labels={"topology.kubernetes.io/zone": "z1"})

    assert facts.node_facts(node) == facts.NodeFacts(
        "n1",
        {"cpu": 8000, "memory": 16 * GIB},
        "",
        "z1",
        labels={"topology.kubernetes.io/zone": "z1"},
    )


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({}, None),
        ({"ready": "False"}, "NotReady"),
        ({"ready": "Unknown"}, "NotReady"),
        ({"spec": {"unschedulable": True}}, "Cordoned"),
        ({"spec": {"taints": [{"key": "x", "effect": "NoSchedule"}]}}, "Tainted"),
        ({"spec": {"taints": [{"key": "x", "effect": "NoExecute"}]}}, "Tainted"),
        ({"spec": {"taints": [{"key": "x", "effect": "PreferNoSchedule"}]}}, None),
    ],
)
def test_which_nodes_take_containers(said, why):
    seen = facts.node_facts(a_node("n1", **said))

    assert seen.why_unusable(has_partitions=True, tolerated=False) == why
    assert facts.scheduler_node(seen, {}, TYPES).schedulable is (why is None)


DISK_PRESSURE = "node.kubernetes.io/disk-pressure"


def a_partition_node(key):
    taints = [{"key": key, "effect": "NoSchedule"}]
    labels = {"kubeyarn.io/partition": "gpu"}
    return facts.node_facts(a_node("n1", labels=labels, spec={"taints": taints}))


def test_a_partitions_own_taint_does_not_keep_it_closed():
    seen = a_partition_node("gpu")

    assert seen.partition == "gpu"
    assert seen.why_unusable(has_partitions=True, tolerated=False) is None
    assert facts.scheduler_node(seen, {}, TYPES).schedulable


def test_a_tainted_partition_is_closed_where_nobody_can_ask_for_it():
    seen = a_partition_node("gpu")

    assert seen.why_unusable(has_partitions=False, tolerated=False) == "Tainted"
    assert not facts.scheduler_node(seen, {}, TYPES, has_partitions=False).schedulable


def test_a_taint_for_a_nodes_condition_closes_a_partitions_node_too():
    seen = a_partition_node(DISK_PRESSURE)

    assert seen.why_unusable(has_partitions=True, tolerated=True) == "TaintedByCondition"


def test_a_tainted_node_takes_containers_where_somebody_tolerates_the_taint():
    taints = [{"key": "x", "value": "y", "effect": "NoSchedule"}]
    seen = facts.node_facts(a_node("n1", spec={"taints": taints}))
    classes = NodeClasses()
    node_class = classes.put(seen.traits(has_partitions=True), usable=True)

    assert seen.why_unusable(has_partitions=True, tolerated=True) is None
    assert not facts.scheduler_node(seen, {}, TYPES, node_class=node_class).schedulable

    classes.add(NodeRequirements(tolerations=(Toleration("x", "Exists"),)))

    node = facts.scheduler_node(seen, {}, TYPES, node_class=node_class)
    assert node.schedulable
    assert node.dedicated
    assert node.node_class == node_class.number


def test_a_node_without_a_status_takes_nothing():
    node = {"metadata": {"name": "n1"}}

    assert facts.node_facts(node).unusable == "NotReady"


def test_the_scheduler_counts_what_foreign_pods_leave():
    seen = facts.node_facts(a_node("n1"))
    node = facts.scheduler_node(seen, {"cpu": 3000, "memory": 99 * GIB}, TYPES)

    assert node.total == (0, 5000)
    assert (node.name, node.rack, node.partition) == ("n1", "/default-rack", "")


@pytest.mark.parametrize(
    ("also", "foreign_pods", "slots"),
    [
        pytest.param({"pods": "110"}, 10, 100, id="foreign pods take slots"),
        pytest.param({"pods": "10"}, 12, 0, id="static pods may be more than the kubelet takes"),
        pytest.param({}, 10, UNLIMITED_PODS - 10, id="a node that says nothing takes any number"),
    ],
)
def test_a_node_has_the_pod_slots_that_foreign_pods_leave(also, foreign_pods, slots):
    seen = facts.node_facts(a_node("n1", also=also))

    assert facts.scheduler_node(seen, {"pods": foreign_pods}, TYPES).pods == slots


def test_extended_resources_are_those_with_a_domain():
    assert facts.extended_resources(["cpu", "memory", "pods", "nvidia.com/gpu"]) == {
        "nvidia.com/gpu"
    }
    seen = facts.node_facts(a_node("n1", also={"nvidia.com/gpu": "2"}))
    types = ResourceTypes(("memory", "cpu", "nvidia.com/gpu"))

    assert facts.scheduler_node(seen, {}, types).total == (16 * GIB, 8000, 2)


@pytest.mark.parametrize(
    ("said", "capability"),
    [
        pytest.param({}, (16 * GIB, 8000), id="whatever foreign pods take"),
        pytest.param({"ready": "False"}, (16 * GIB, 8000), id="not ready for a while"),
        pytest.param({"spec": {"unschedulable": True}}, (16 * GIB, 8000), id="cordoned"),
        pytest.param(
            {
                "spec": {
                    "taints": [{"key": "node.kubernetes.io/disk-pressure", "effect": "NoSchedule"}]
                }
            },
            (16 * GIB, 8000),
            id="short of disk for a while",
        ),
        pytest.param(
            {"spec": {"taints": [{"key": "theirs", "effect": "NoSchedule"}]}},
            (0, 0),
            id="kept for others",
        ),
    ],
)
def test_how_large_a_container_a_node_could_ever_hold(said, capability):
    seen = facts.node_facts(a_node("n1", **said))

    node = facts.scheduler_node(seen, {"cpu": 3000, "memory": GIB}, TYPES)

    assert (node.total, node.total_capability) == ((15 * GIB, 5000), capability)

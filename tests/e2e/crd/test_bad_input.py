"""The API server refuses what one object can know to be wrong, and says what to do instead."""

from __future__ import annotations

import pytest

from e2e.crd.server import Server, an_object

pytestmark = pytest.mark.e2e

QUEUE, APPLICATION, REQUEST = "YarnQueue", "YarnApplication", "ContainerRequest"
AM = {"image": "x"}


def of_queue(**spec):
    return QUEUE, "root.a", spec


def of_application(**spec):
    return APPLICATION, "wordcount", {"applicationMaster": AM, **spec}


def of_request(**spec):
    return REQUEST, "maps", {"application": "wordcount", **spec}


def with_amount(amount):
    return of_request(resources={"memory": amount})


QUANTITIES = ["0", "-1", "-1Gi", 0, -5, "NaN", "Infinity", "1 Gi", "1_000", "", "x", "2Pi", "1E"]

REFUSED = [
    # what is created, the field that is named, what else is said
    *(
        (with_amount(q), "spec.resources[memory]", ["a quantity such as", "1Pi"])
        for q in QUANTITIES
    ),
    (with_amount(1.5), "spec.resources.memory", ["integer,string"]),
    (with_amount("1" * 60), "spec.resources.memory", ["40"]),
    (of_request(resources={"cpu": "-1"}), "spec.resources[cpu]", ["-1", "above 0"]),
    (of_request(count=-1), "spec.count", ["-1", "greater than or equal to 0"]),
    (of_request(count=100001), "spec.count", ["100001", "100000"]),
    (of_request(count="3"), "spec.count", ["integer"]),
    (of_request(priority=-1), "spec.priority", ["-1"]),
    (of_request(application=""), "spec.application", ["at least 1"]),
    ((REQUEST, "maps", {}), "spec.application", ["Required"]),
    (of_request(executionType="GUARANTEED"), "spec.executionType", ["Guaranteed"]),
    (of_request(count=2, gang={"minCount": 3}), "gang.minCount", ["at most count"]),
    (of_request(locality={"relax": False}), "locality", ["relax: true"]),
    (of_request(retryLimit=2), "retryLimit", ["onFailure: Retry"]),
    (of_request(container={"files": [{"path": "/x"}]}), "spec.container.files[0].path", ["/x"]),
    (of_request(container={"files": [{"path": "x"}]}), "files[0]", ["exactly one of configMap"]),
    (of_request(container={"env": [{"name": "A=B"}]}), "env[0].name", ["A=B"]),
    (of_queue(capacity="130%"), "spec.capacity", ["130%", '"100%"', "weight"]),
    (of_queue(capacity="-1%"), "spec.capacity", ["-1%", '"0%"']),
    (of_queue(capacity="60"), "spec.capacity", ["percentage"]),
    (of_queue(capacity=60), "spec.capacity", ["string"]),
    (of_queue(capacity="10001w"), "spec.capacity", ["10000w"]),
    (of_queue(maximumCapacity="3w"), "spec.maximumCapacity", ["3w", '"100%"']),
    (of_queue(maximumAMShare="200%"), "spec.maximumAMShare", ["200%"]),
    (of_queue(userLimitFactor="-2"), "spec.userLimitFactor", ["-2", '"-1" switches it off']),
    (of_queue(userWeights={"alice": "-1"}), "spec.userWeights", ["-1", "0 or more"]),
    (of_queue(minimumUserLimitPercent=0), "spec.minimumUserLimitPercent", ["0"]),
    (of_queue(minimumUserLimitPercent=101), "spec.minimumUserLimitPercent", ["101", "100"]),
    (of_queue(state="Paused"), "spec.state", ["Paused", "Running", "Stopped"]),
    (of_queue(maximumAllocation={"cpu": "0"}), "spec.maximumAllocation", ["above 0"]),
    (of_queue(capacityByResource={"cpu": "-2"}), "spec.capacityByResource", ["-2", "quantity"]),
    (of_queue(capacityByResource={"cpu": "101%"}), "spec.capacityByResource", ["101%"]),
    (
        of_queue(maximumCapacityByResource={"cpu": "3w"}),
        "spec.maximumCapacityByResource",
        ["3w", "percentage"],
    ),
    (
        of_queue(capacity="1%", capacityByResource={"cpu": "1"}),
        "capacity and capacityByResource",
        ["found both", "one of them"],
    ),
    (
        of_queue(lifetime={"defaultSeconds": 10, "maximumSeconds": 5}),
        "lifetime.defaultSeconds",
        ["at most"],
    ),
    (of_queue(cluster={}), "spec.cluster", ["root.a", "only on the queue root"]),
    (of_queue(ordering={"applications": "fifo"}), "spec.ordering.applications", ["Fifo"]),
    ((QUEUE, "engineering", {}), "metadata.name", ["engineering", "root.engineering.etl"]),
    ((QUEUE, "root.-a", {}), "metadata.name", ["-a"]),
    ((QUEUE, "root..a", {}), "metadata.name", ["root..a"]),
    ((QUEUE, "root", {"capacity": "50%"}), "spec.capacity", ["root has the whole cluster"]),
    (
        (QUEUE, "root", {"cluster": {"minimumAllocation": {"memory": "0"}}}),
        "spec.cluster.minimumAllocation",
        ["above 0"],
    ),
    ((QUEUE, "root", {"cluster": {"scheduler": "Fifo"}}), "spec.cluster.scheduler", ["Capacity"]),
    (of_application(maxAttempts=0), "spec.maxAttempts", ["0", "1"]),
    (of_application(priority=-1), "spec.priority", ["-1"]),
    (of_application(tags=["a", "a"]), "spec.tags", ["Duplicate"]),
    (of_application(tags=[str(n) for n in range(11)]), "spec.tags", ["10"]),
    (of_application(applicationType="x" * 21), "spec.applicationType", ["20"]),
    (of_application(desiredState="KILLED"), "spec.desiredState", ["Killed"]),
    (of_application(partition="a b"), "spec.partition", ["a b"]),
    (
        of_application(maxAttempts=1, keepContainersAcrossAttempts=True),
        "keepContainersAcrossAttempts",
        ["maxAttempts 2 or more"],
    ),
    ((APPLICATION, "wordcount", {}), "applicationMaster", ["unmanagedAM: true"]),
    (
        (APPLICATION, "wordcount", {"applicationMaster": {}}),
        "image",
        ["spec.applicationMaster", "example.org/my-am:1.0"],
    ),
    (
        of_application(applicationMaster={"image": "x", "resources": {"memory": "-1Gi"}}),
        "spec.applicationMaster.resources[memory]",
        ["-1Gi", "above 0"],
    ),
    ((APPLICATION, "a" * 41, {"applicationMaster": AM}), "metadata.name", ["40"]),
]


def named(case):
    (kind, name, spec), field, _ = case
    return f"{kind} {name} {spec} {field}"[:90]


@pytest.mark.parametrize("case", REFUSED, ids=named)
def test_wrong_input_is_refused_with_field_and_what_is_allowed(server: Server, case):
    written, field, words = case
    answer = server.create(an_object(*written), dry=True)

    assert answer.status in (400, 422), answer.body
    for word in (field, *words):
        assert word in answer.message


def test_the_same_objects_are_taken_when_nothing_is_wrong(server: Server):
    for written in (
        of_queue(capacity="33.333%", maximumCapacity="100%", userLimitFactor="-1"),
        of_queue(capacity="0.5w", maximumAllocation={"cpu": 8, "nvidia.com/gpu": "2"}),
        of_queue(capacityByResource={"memory": "160Gi", "cpu": "50%", "nvidia.com/gpu": "2w"}),
        (QUEUE, "root", {"cluster": {}, "capacity": "100%"}),
        of_application(tags=["a", "b"], priority=0, partition=""),
        (APPLICATION, "wordcount", {"unmanagedAM": True}),
        of_request(resources={"memory": "1.5Gi", "cpu": "500m"}, count=0),
        of_request(resources={"memory": "1e9", "cpu": 2}, gang={"minCount": 1}),
        of_request(container={"files": [{"path": "x", "url": "https://example.org/x"}]}),
    ):
        answer = server.create(an_object(*written), dry=True)
        assert answer.status == 201, answer.message


UNCHANGEABLE = [
    (of_application(), {"applicationMaster": {"image": "y"}}, "applicationMaster"),
    (of_application(), {"maxAttempts": 3}, "maxAttempts"),
    (of_application(tags=["a"]), {"tags": None}, "tags"),
    (of_application(), {"partition": "gpu"}, "partition"),
    (of_application(), {"user": "somebody"}, "user"),
    (of_application(desiredState="Killed"), {"desiredState": "Running"}, "desiredState"),
    (of_request(), {"application": "other"}, "application"),
    (of_request(), {"priority": 3}, "priority"),
    (of_request(), {"resources": {"memory": "2Gi"}}, "resources"),
    (of_request(), {"partition": "gpu"}, "partition"),
]


@pytest.mark.parametrize(
    ("written", "change", "field"), UNCHANGEABLE, ids=[case[2] for case in UNCHANGEABLE]
)
def test_what_was_submitted_stays_as_it_was(server: Server, written, change, field):
    found = an_object(*written)
    try:
        assert server.create(found).status == 201
        answer = server.patch(found, {"spec": change})
    finally:
        server.delete(found)

    assert answer.status == 422
    assert field in answer.message


CHANGEABLE = [
    (of_application(), {"priority": 3, "queue": "root.b", "lifetimeSeconds": 60}),
    (of_application(), {"desiredState": "Killed"}),
    (of_request(), {"count": 7}),
    (of_request(count=7), {"count": 0, "locality": {"nodes": ["n1"]}}),
    (of_queue(capacity="10%"), {"capacity": "20%", "state": "Stopped"}),
]


@pytest.mark.parametrize(("written", "change"), CHANGEABLE, ids=str)
def test_what_yarn_lets_users_change_can_be_changed(server: Server, written, change):
    found = an_object(*written)
    try:
        assert server.create(found).status == 201
        answer = server.patch(found, {"spec": change})
    finally:
        server.delete(found)

    assert answer.status == 200, answer.message

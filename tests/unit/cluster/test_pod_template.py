"""What a template may say, and how its containers are sized so that the pod fits its grant."""

from __future__ import annotations

import copy

import pytest

from kubeyarn.cluster import pod_template
from kubeyarn.cluster.pod_requests import pod_requests
from kubeyarn.model.errors import SpecError

MIB = 2**20
GRANTED = {"cpu": 1000, "memory": 512 * MIB, "nvidia.com/gpu": 2}


def one(requests=None, limits=None, **more):
    resources = {"requests": requests or {}, "limits": limits or {}}
    return {"name": "c", "resources": resources, **more}


def with_sidecar(requests=None, limits=None, **more):
    return {"containers": [{"name": "main"}, one(requests, limits)], **more}


def fit(granted=GRANTED, /, **spec):
    return pod_template.fit(spec, granted)


FITTING = {
    "nothing": {},
    "a sidecar": with_sidecar({"cpu": "200m", "memory": "64Mi"}),
    "a sidecar that asks for nothing": with_sidecar(),
    "a sidecar with all devices": with_sidecar(limits={"nvidia.com/gpu": "2"}),
    "a native sidecar": {
        "initContainers": [one({"cpu": "300m"}, {"memory": "64Mi"}, restartPolicy="Always")]
    },
    "an init container as large as the grant": {
        "initContainers": [one({"cpu": "1", "memory": "512Mi"})]
    },
    "an init container after a native sidecar": {
        "initContainers": [one({"cpu": "300m"}, restartPolicy="Always"), one({"cpu": "700m"})]
    },
    "overhead": {"overhead": {"cpu": "100m", "memory": "128Mi"}},
    "the pod as a whole": {"resources": {"requests": {"cpu": "100m"}, "limits": {"cpu": "8"}}},
    "the pod as a whole with overhead and sidecar": with_sidecar(
        {"cpu": "100m"}, overhead={"cpu": "100m"}, resources={"limits": {"memory": "1Mi"}}
    ),
    "more than granted in the main container": {
        "containers": [one({"cpu": "64"}, {"cpu": "64", "memory": "9Gi"})]
    },
    "a limit that is no request": {
        "containers": [one({"ephemeral-storage": "0"}, {"ephemeral-storage": "1Gi"})]
    },
}


@pytest.mark.parametrize("spec", FITTING.values(), ids=FITTING.keys())
def test_the_whole_pod_requests_what_was_granted(spec):
    before = copy.deepcopy(spec)
    found = pod_requests({"spec": pod_template.fit(spec, GRANTED)})

    assert {name: amount for name, amount in found.items() if amount} == GRANTED
    assert spec == before


def test_the_main_container_has_what_its_sidecars_leave():
    sized = fit(
        containers=[{"name": "main"}, one({"cpu": "200m"}, {"memory": "64Mi"})],
        initContainers=[
            one({"cpu": "100m"}, {"memory": "32Mi", "nvidia.com/gpu": 2}, restartPolicy="Always")
        ],
    )

    assert sized["containers"][0]["resources"] == {
        "requests": {"cpu": "700m", "memory": "416Mi"},
        "limits": {"memory": "416Mi"},
    }
    assert "resources" not in sized, "each has a memory limit of its own"


@pytest.mark.parametrize(
    ("requests", "limits"),
    [({}, {}), ({"memory": "64Mi"}, {}), ({"memory": "64Mi"}, {"memory": "128Mi"})],
    ids=["nothing", "a request", "a limit above its request"],
)
def test_sidecars_that_may_use_more_memory_are_bounded_by_the_whole_pod(requests, limits):
    sized = pod_template.fit(with_sidecar(requests, limits), GRANTED)

    assert sized["resources"] == {
        "requests": {"cpu": "1", "memory": "512Mi"},
        "limits": {"memory": "512Mi"},
    }


def test_an_init_container_may_use_as_much_memory_as_there_is():
    beside = one(limits={"memory": "64Mi"}, restartPolicy="Always")
    sized = fit(initContainers=[{"name": "a"}, beside, one({"memory": "1Mi"}), {"name": "z"}])

    limits = [init["resources"]["limits"]["memory"] for init in sized["initContainers"]]
    assert limits == ["512Mi", "64Mi", "448Mi", "448Mi"]


def test_a_bound_of_the_whole_pod_is_no_larger_than_the_grant():
    sized = fit(resources={"limits": {"cpu": "8"}}, overhead={"memory": "12Mi"})

    assert sized["resources"] == {
        "requests": {"cpu": "1", "memory": "500Mi"},
        "limits": {"cpu": "8", "memory": "500Mi"},
    }


REFUSED = {
    "a sidecar above the grant": (
        with_sidecar({"cpu": "3"}),
        r"template\.spec\.containers\[1\]\.resources\.requests\.cpu: found 3, .* granted 1;",
    ),
    "a sidecar by its limit": (
        with_sidecar(limits={"cpu": "3"}),
        r"template\.spec\.containers\[1\]\.resources\.limits\.cpu: found 3",
    ),
    "a sidecar that leaves nothing": (
        with_sidecar({"memory": "512Mi"}),
        r"containers\[1\]\.resources\.requests\.memory: found 512Mi",
    ),
    "sidecars together": (
        {"containers": [{"name": "m"}, one({"cpu": "600m"}), one({"cpu": "600m"})]},
        r"containers\[2\]\.resources\.requests\.cpu: found 600m",
    ),
    "a native sidecar": (
        {"initContainers": [one({"cpu": "1"}, restartPolicy="Always")]},
        r"initContainers\[0\]\.resources\.requests\.cpu: found 1,",
    ),
    "an init container": (
        {"initContainers": [one({"cpu": "2"})]},
        r"initContainers\[0\]\.resources\.requests\.cpu: found 2",
    ),
    "an init container after a sidecar": (
        {"initContainers": [one({"cpu": "300m"}, restartPolicy="Always"), one({"cpu": "800m"})]},
        r"initContainers\[1\]\.resources\.requests\.cpu: found 800m",
    ),
    "a memory limit": (
        with_sidecar({"memory": "1Mi"}, {"memory": "200Gi"}),
        r"containers\[1\]\.resources\.limits\.memory: found 200Gi",
    ),
    "a memory limit of an init container": (
        {"initContainers": [one({"memory": "1Mi"}, {"memory": "200Gi"})]},
        r"initContainers\[0\]\.resources\.limits\.memory: found 200Gi",
    ),
    "devices that were not asked for": (
        {"containers": [one(limits={"example.org/fpga": "8"})]},
        r"containers\[0\]\.resources\.limits\.example\.org/fpga: found 8, .* granted 0",
    ),
    "devices of a sidecar": (
        with_sidecar(limits={"nvidia.com/gpu": "3"}),
        r"containers\[1\]\.resources\.limits\.nvidia\.com/gpu: found 3",
    ),
    "overhead": ({"overhead": {"cpu": "1"}}, r"template\.spec\.overhead\.cpu: found cpu 1"),
    "requests of the whole pod": (
        {"resources": {"requests": {"cpu": "30"}}},
        r"template\.spec\.resources\.requests\.cpu: found 30",
    ),
    "a memory limit of the whole pod": (
        {"resources": {"limits": {"memory": "1Gi"}}},
        r"template\.spec\.resources\.limits\.memory: found 1Gi",
    ),
    "huge pages of the whole pod": (
        {"resources": {"limits": {"hugepages-2Mi": "2Mi"}}},
        r"template: found hugepages-2Mi 2097152, granted: 0",
    ),
    "a quantity": (with_sidecar({"cpu": "x"}), r"containers\[1\]\.resources\.requests\.cpu"),
    "containers": ({"containers": "boom"}, r"template\.spec\.containers: found 'boom'"),
    "resources": (
        {"containers": [{"resources": {"limits": "x"}}]},
        r"template\.spec\.containers\[0\]\.resources\.limits: found 'x'",
    ),
    "nodeName": ({"nodeName": "n1"}, r"template\.spec\.nodeName: found 'n1'"),
    "schedulerName": ({"schedulerName": "x"}, r"template\.spec\.schedulerName: found 'x'"),
    "schedulingGates": (
        {"schedulingGates": [{"name": "g"}]},
        r"template\.spec\.schedulingGates: found \"\[\{'name': 'g'\}\]\"",
    ),
    "resourceClaims": ({"resourceClaims": [{"name": "g"}]}, r"template\.spec\.resourceClaims"),
    "a priority class of nodes": (
        {"priorityClassName": "system-node-critical"},
        r"template\.spec\.priorityClassName: found system-node-critical",
    ),
    "a priority class of clusters": (
        {"priorityClassName": "system-cluster-critical"},
        r"template\.spec\.priorityClassName: found system-cluster-critical",
    ),
}


@pytest.mark.parametrize(("spec", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_cannot_be_is_refused_by_its_field(spec, message):
    with pytest.raises(SpecError, match=message):
        pod_template.fit(spec, GRANTED)


def test_what_runs_beside_the_main_container_is_told_of_any_pod():
    sized = fit(
        containers=[{"name": "main"}, one({"cpu": "200m"})],
        initContainers=[one({"cpu": "100m"}, restartPolicy="Always"), one({"cpu": "300m"})],
        overhead={"cpu": "10m"},
    )

    assert pod_template.requests_beside_main(sized) == {"cpu": 310}
    assert pod_template.requests_beside_main({"containers": "boom"}) == {}
    assert pod_template.requests_beside_main({"containers": [{"name": "main"}]}) == {}

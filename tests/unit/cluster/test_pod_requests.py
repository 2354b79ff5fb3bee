"""What a pod requests of its node, as kube-scheduler counts it."""

from __future__ import annotations

import pytest

from kubeyarn.cluster.pod_requests import pod_requests
from kubeyarn.model.errors import SpecError

MIB = 2**20


def needs(cpu, memory="", **more):
    requests = {"cpu": cpu, **({"memory": memory} if memory else {})}
    return {"name": "c", "resources": {"requests": requests}, **more}


def limited(**limits):
    return {"name": "c", "resources": {"limits": limits}}


def sidecar(cpu, **more):
    return needs(cpu, restartPolicy="Always", **more)


def resized(name="c", **parts):
    return {"name": name, **parts}


CASES = {
    "no requests": ({"containers": [{"name": "c"}]}, {}),
    "containers add up": (
        {"containers": [needs("500m", "1Mi"), needs("250m", "2Mi")]},
        {"cpu": 750, "memory": 3 * MIB},
    ),
    "the largest init container": (
        {"containers": [needs("1", "2Mi")], "initContainers": [needs("4", "1Mi"), needs("3")]},
        {"cpu": 4000, "memory": 2 * MIB},
    ),
    "a native sidecar runs beside the containers": (
        {"containers": [needs("1")], "initContainers": [sidecar("2")]},
        {"cpu": 3000},
    ),
    "an init container after a native sidecar runs with it": (
        {"containers": [needs("1")], "initContainers": [sidecar("2"), needs("4")]},
        {"cpu": 6000},
    ),
    "an init container before a native sidecar runs alone": (
        {"containers": [needs("1")], "initContainers": [needs("4"), sidecar("2")]},
        {"cpu": 4000},
    ),
    "native sidecars add up": (
        {"containers": [needs("1")], "initContainers": [sidecar("2"), sidecar("3")]},
        {"cpu": 6000},
    ),
    "a limit alone is a request": (
        {"containers": [limited(cpu="2", **{"nvidia.com/gpu": 8})]},
        {"cpu": 2000, "nvidia.com/gpu": 8},
    ),
    "a limit is no request beside one": (
        {"containers": [{"resources": {"requests": {"cpu": "1"}, "limits": {"cpu": "4"}}}]},
        {"cpu": 1000},
    ),
    "requests of the whole pod count instead": (
        {"containers": [needs("1", "1Mi")], "resources": {"requests": {"cpu": "3"}}},
        {"cpu": 3000, "memory": MIB},
    ),
    "what a pod cannot have as a whole is passed over": (
        {"containers": [needs("1")], "resources": {"requests": {"example.org/x": "3"}}},
        {"cpu": 1000},
    ),
    "a limit of the whole pod alone is its request": (
        {"containers": [{"name": "c"}], "resources": {"limits": {"cpu": "3"}}},
        {"cpu": 3000},
    ),
    "a limit of the whole pod beside requests of containers is none": (
        {"containers": [needs("1")], "resources": {"limits": {"cpu": "3"}}},
        {"cpu": 1000},
    ),
    "huge pages of the whole pod": (
        {
            "containers": [limited(**{"hugepages-2Mi": "2Mi"})],
            "resources": {"limits": {"hugepages-2Mi": "4Mi"}},
        },
        {"hugepages-2Mi": 4 * MIB},
    ),
    "overhead comes on top": (
        {
            "containers": [needs("1")],
            "resources": {"requests": {"cpu": "3"}},
            "overhead": {"cpu": "250m", "memory": "1Mi"},
        },
        {"cpu": 3250, "memory": MIB},
    ),
    "every resource name counts": (
        {
            "containers": [
                needs("1"),
                limited(**{"example.org/a": "2", "ephemeral-storage": "1M"}),
            ],
            "initContainers": [limited(**{"example.org/b": "3", "example.org/a": "1"})],
        },
        {"cpu": 1000, "example.org/a": 2, "example.org/b": 3, "ephemeral-storage": 10**6},
    ),
    "storage is rounded up": (
        {"containers": [limited(**{"ephemeral-storage": "1500m"})]},
        {"ephemeral-storage": 2},
    ),
}


@pytest.mark.parametrize(("spec", "expected"), CASES.values(), ids=CASES.keys())
def test_a_pod_requests_what_kubernetes_counts(spec, expected):
    assert pod_requests({"spec": spec}) == expected


RESIZED = {
    "up, not yet done": ({"resources": {"requests": {"cpu": "1"}}}, 3000),
    "down, not yet done": ({"resources": {"requests": {"cpu": "5"}}}, 5000),
    "down, allotted but not yet done": (
        {"resources": {"requests": {"cpu": "5"}}, "allocatedResources": {"cpu": "3"}},
        5000,
    ),
    "up, allotted": (
        {"resources": {"requests": {"cpu": "1"}}, "allocatedResources": {"cpu": "4"}},
        4000,
    ),
    "without a word of what it has": ({"allocatedResources": {"cpu": "9"}}, 3000),
}


@pytest.mark.parametrize(("status", "expected"), RESIZED.values(), ids=RESIZED.keys())
def test_a_container_that_is_resized_counts_with_the_most(status, expected):
    pod = {"spec": {"containers": [needs("3")]}}
    pod["status"] = {"containerStatuses": [resized("other"), resized(**status)]}

    assert pod_requests(pod) == {"cpu": expected}


def test_a_resize_that_can_never_be_is_not_counted():
    status = resized(resources={"requests": {"cpu": "1"}})
    pending = {"type": "PodResizePending", "status": "True", "reason": "Infeasible"}
    pod = {
        "spec": {"containers": [needs("64")]},
        "status": {"containerStatuses": [status], "conditions": [pending]},
    }

    assert pod_requests(pod) == {"cpu": 1000}


def test_a_native_sidecar_and_a_whole_pod_that_are_resized_count_with_the_most():
    status = {"initContainerStatuses": [resized(resources={"requests": {"cpu": "4"}})]}
    pod = {"spec": {"containers": [needs("1")], "initContainers": [sidecar("1")]}}
    assert pod_requests({**pod, "status": status}) == {"cpu": 5000}

    pod = {"spec": {"containers": [], "resources": {"requests": {"cpu": "2"}}}}
    assert pod_requests({**pod, "status": {"allocatedResources": {"cpu": "3"}}}) == {"cpu": 3000}


WRONG = {
    "a quantity": (
        {"containers": [needs("1"), needs("x")]},
        r"spec\.containers\[1\]\.resources\.requests\.cpu: found 'x'",
    ),
    "half a device": (
        {"initContainers": [limited(**{"nvidia.com/gpu": "0.5"})]},
        r"spec\.initContainers\[0\]\.resources\.limits\.nvidia\.com/gpu: found '0\.5'",
    ),
    "overhead": ({"overhead": {"cpu": "-1"}}, r"spec\.overhead\.cpu: found '-1'"),
    "containers": ({"containers": "boom"}, r"spec\.containers: found 'boom', expected a list"),
    "a container": ({"containers": ["boom"]}, r"spec\.containers\[0\]: found 'boom'"),
    "resources": (
        {"containers": [{"resources": {"limits": "x"}}]},
        r"spec\.containers\[0\]\.resources\.limits: found 'x', expected an object",
    ),
    "resources of the whole pod": ({"resources": "x"}, r"spec\.resources: found 'x'"),
}


@pytest.mark.parametrize(("spec", "message"), WRONG.values(), ids=WRONG.keys())
def test_what_cannot_be_read_is_refused_by_its_field(spec, message):
    with pytest.raises(SpecError, match=message):
        pod_requests({"spec": spec})


def test_a_wrong_quantity_counts_as_nothing_where_that_is_asked_for():
    spec = {"containers": [needs("1", "x"), needs("1")], "overhead": {"cpu": "x"}}

    assert pod_requests({"spec": spec}, skip_unreadable=True) == {"cpu": 2000}

"""The ContainerRequests that are written for ApplicationMasters."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.lifecycle.am_session import (
    AMSession,
    RequestTotal,
    ResourceRequest,
    ShapeKey,
    UpdateContainerRequest,
)
from kubeyarn.model.asks import Locality
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.requests import request_builder
from unit.resourcemanager.objects import ATTEMPT, an_application, application_of, container

GIB = 2**30
ASK = ResourceRequest(ShapeKey(7, 3, "abcd"), 5, ResourceList({"memory": GIB, "cpu": 500}))


def am_request(excluded=(), **spec):
    application = application_of(an_application(**spec))
    return request_builder.am_request(application, 2, excluded)


def ask_request(ask=ASK, excluded=frozenset()):
    session = AMSession(ATTEMPT, excluded=excluded)
    application = application_of(an_application())
    return request_builder.ask_request(application, session, RequestTotal(ask, 12))


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        pytest.param({}, "count", 1, id="one container"),
        pytest.param({}, "priority", 0, id="of the first priority"),
        pytest.param({}, "role", "ApplicationMaster", id="for the AM"),
        pytest.param({}, "resources", {"cpu": "1", "memory": "1536Mi"}, id="of the usual size"),
        pytest.param(
            {"applicationMaster": {"image": "x", "resources": {"cpu": "2", "memory": "1Gi"}}},
            "resources",
            {"cpu": "2", "memory": "1Gi"},
            id="or as large as it says",
        ),
        pytest.param({"partition": "gpu"}, "partition", "gpu", id="in its partition"),
        pytest.param({"unmanagedAM": True}, "count", 0, id="none for one that runs elsewhere"),
    ],
)
def test_an_am_is_asked_for_as_its_application_says(spec, field, value):
    assert am_request(**spec)["spec"][field] == value


def test_an_ams_request_belongs_to_its_application_and_attempt():
    request = am_request(excluded={"n2", "n1"})

    assert request["metadata"]["name"] == "wordcount-am-2"
    assert request["metadata"]["labels"] == {
        "kubeyarn.io/application": "wordcount",
        "kubeyarn.io/attempt": "2",
        "kubeyarn.io/role": "am",
        "app.kubernetes.io/managed-by": "kubeyarn",
    }
    assert request["metadata"]["ownerReferences"][0]["uid"] == "app-uid"
    assert request["spec"]["excludeNodes"] == ["n1", "n2"]
    assert "excludeNodes" not in am_request()["spec"]


def test_an_ask_counts_over_its_whole_life_and_is_named_by_its_shape():
    request = ask_request()

    assert request["metadata"]["name"] == "wordcount-1-p7-r3-abcd"
    assert request["metadata"]["labels"]["kubeyarn.io/shape"] == "abcd"
    assert request["spec"] == {
        "application": "wordcount",
        "priority": 7,
        "allocationRequestId": 3,
        "count": 12,
        "resources": {"cpu": "500m", "memory": "1Gi"},
    }


@pytest.mark.parametrize(
    ("change", "field", "value"),
    [
        ({"opportunistic": True}, "executionType", "Opportunistic"),
        ({"tags": ("hbase",)}, "allocationTags", ["hbase"]),
        ({"partition": "gpu"}, "partition", "gpu"),
        (
            {"locality": Locality((("n1", 5),), (("r1", 5),))},
            "locality",
            {"nodes": ["n1"], "racks": ["r1"], "relax": True},
        ),
        (
            {"locality": Locality((), (), relax=False)},
            "locality",
            {"nodes": [], "racks": [], "relax": False},
        ),
    ],
)
def test_only_what_an_ask_says_is_written(change, field, value):
    assert ask_request(replace(ASK, **change))["spec"][field] == value
    assert field not in ask_request()["spec"]


def test_what_an_am_excludes_holds_for_each_of_its_asks():
    assert ask_request(excluded=frozenset({"n2", "n1"}))["spec"]["excludeNodes"] == ["n1", "n2"]


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        pytest.param({}, {"cpu": "0", "memory": "0"}, id="memory and CPU are always shown"),
        pytest.param({"memory": GIB}, {"cpu": "0", "memory": "1Gi"}, id="also if there is none"),
        pytest.param(
            {"nvidia.com/gpu": 2, "cpu": 1000, "memory": GIB},
            {"cpu": "1", "memory": "1Gi", "nvidia.com/gpu": "2"},
            id="others after them",
        ),
        pytest.param(
            {"nvidia.com/gpu": 0, "cpu": 1, "memory": 1},
            {"cpu": "1m", "memory": "1"},
            id="if it has some",
        ),
    ],
)
def test_a_size_is_shown_with_memory_and_cpu_and_what_else_it_has(size, shown):
    assert request_builder.container_size(ResourceList(size)) == shown
    assert list(request_builder.container_size(ResourceList(size))) == list(shown)


@pytest.mark.parametrize(
    ("size", "opportunistic", "said"),
    [
        ({"memory": GIB, "cpu": 2000}, None, {"resources": {"cpu": "2", "memory": "1Gi"}}),
        ({}, True, {"executionType": "Opportunistic"}),
        ({}, False, {"executionType": "Guaranteed"}),
    ],
)
def test_an_update_says_a_size_or_a_type(size, opportunistic, said):
    update = UpdateContainerRequest(container(2), ResourceList(size), opportunistic)

    assert request_builder.requested_update(update) == {"id": str(container(2)), **said}

"""What ApplicationMasters are told of limits: what the scheduler wrote on their own request."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.am_session import AMSession, RequestTotal, ResourceRequest, ShapeKey
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.resources import ResourceList
from kubeyarn.resourcemanager.amservice.callers import Caller
from kubeyarn.resourcemanager.amservice.headroom import allocation, headroom, largest_ask
from kubeyarn.resourcemanager.cache import Cache
from unit.resourcemanager.objects import APP, ATTEMPT, a_request, an_application, application_of

GIB = 2**30


def told(role="am", attempt=1, **status):
    """A cache with one request of the application, and its ApplicationMaster as caller."""
    cache = Cache()
    labels = {"kubeyarn.io/role": role, "kubeyarn.io/attempt": str(attempt)}
    cache.put_request(a_request("wordcount-am-1", labels=labels, status=status))
    record = ApplicationRecord(APP, "alice", 0, queue="root.a")
    application = application_of(an_application())
    return cache, Caller(("team-a", "wordcount"), application, record, AMSession(ATTEMPT))


def test_headroom_is_what_the_scheduler_says_of_the_application():
    assert headroom(*told(headroom={"cpu": "3", "memory": "2Gi"})) == {
        "cpu": 3000,
        "memory": 2 * GIB,
    }


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({}, id="before it said anything"),
        pytest.param({"attempt": 2, "headroom": {"cpu": "3"}}, id="to another attempt"),
        pytest.param({"role": "ask", "headroom": {"cpu": "3"}}, id="on another request"),
    ],
)
def test_nothing_is_told_of_what_was_not_said(other):
    assert headroom(*told(**other)) == {}


@pytest.mark.parametrize(
    ("said", "largest"),
    [
        pytest.param({}, {"cpu": 32000, "memory": 64 * GIB}, id="not told yet"),
        pytest.param(
            {"cpu": "8", "memory": "16Gi", "nvidia.com/gpu": "0"},
            {"cpu": 8000, "memory": 16 * GIB, "nvidia.com/gpu": 0},
            id="what a node has",
        ),
        pytest.param(
            {"cpu": "64", "memory": "16Gi"},
            {"cpu": 32000, "memory": 16 * GIB},
            id="a maximum that was lowered meanwhile",
        ),
    ],
)
def test_the_largest_container_is_no_larger_than_a_node(said, largest):
    low, high = allocation(*told(maximumAllocation=said))

    assert low == {"cpu": 1000, "memory": GIB}
    assert high == largest


@pytest.mark.parametrize(
    ("taken", "cpu"),
    [
        pytest.param("", 8000, id="a new ask"),
        pytest.param("session", 32000, id="said before"),
        pytest.param("request", 32000, id="said to an earlier ResourceManager"),
    ],
)
def test_an_ask_that_was_taken_may_be_larger_than_the_nodes_that_are_left(taken, cpu):
    cache, caller = told(maximumAllocation={"cpu": "8", "memory": "16Gi"})
    size = ResourceList({"cpu": 9000, "memory": GIB})
    key = ShapeKey(1, 0, "abc")
    if taken == "session":
        caller.session.wanted[key] = RequestTotal(ResourceRequest(key, 1, size), 1)
    if taken == "request":
        labels = {"kubeyarn.io/role": "ask", "kubeyarn.io/shape": key.shape}
        cache.put_request(
            a_request("wordcount-1", labels=labels, priority=1, allocationRequestId=0)
        )

    largest = largest_ask(cache, caller)

    assert largest.maximum(key, size)["cpu"] == cpu
    assert largest.maximum(key, {"cpu": 8000})["cpu"] == 8000
    assert largest.now == {"cpu": 8000, "memory": 16 * GIB}


def test_the_fair_scheduler_reads_no_maximum_allocation_of_queues():
    cache, caller = told(maximumAllocation={"cpu": "8", "memory": "16Gi"})
    for name, spec in (
        ("root", {"cluster": {"scheduler": "Fair"}}),
        ("root.a", {"maximumAllocation": {"cpu": "2", "memory": "1Gi"}}),
    ):
        cache.put_queue({"metadata": {"name": name, "uid": name}, "spec": spec})

    assert allocation(cache, caller)[1] == {"cpu": 8000, "memory": 16 * GIB}

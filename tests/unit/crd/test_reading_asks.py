"""YarnApplication and ContainerRequest objects as the scheduler's values."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from kubeyarn.crd import times
from kubeyarn.crd.container_request import ContainerRequest
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.model.asks import ANYWHERE, AskKey, Locality
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.resources import ResourceTypes
from unit.crd.builders import a_request, an_application

TYPES = ResourceTypes()
GIB = 2**30


def test_an_application_is_read():
    found = YarnApplication.read(
        an_application(
            queue="root.etl", applicationName="word count", priority=3, tags=["nightly"], user="bob"
        )
    ).submission(TYPES)

    assert found.id == ApplicationId(1763850000000, 7)
    assert found.user == "alice"
    assert found.queue == "root.etl"
    assert found.name == "word count"
    assert found.priority == 3
    assert found.tags == ("nightly",)
    assert found.order == 7
    assert found.submitted_ms == 1795405348000
    assert found.partition is None


def test_an_application_that_says_little_gets_yarns_defaults():
    found = YarnApplication.read(an_application()).submission(TYPES)

    assert found.am_size == (1536 * 2**20, 1000)
    assert found.name == "wordcount"
    assert found.queue == ""
    assert found.priority is None


def test_an_am_size_that_names_memory_only_keeps_the_default_cpu():
    found = an_application(applicationMaster={"resources": {"memory": "4Gi"}})

    assert YarnApplication.read(found).am_size(TYPES) == (4 * GIB, 1000)


def test_an_unmanaged_am_asks_for_nothing():
    assert YarnApplication.read(an_application(unmanagedAM=True)).submission(TYPES).am_size is None


def test_an_application_without_an_id_is_not_read():
    with pytest.raises(SpecError, match="application id"):
        YarnApplication.read(an_application(status={"state": "NEW"})).submission(TYPES)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1 Gi", 1.5, None, [1]])
def test_a_wrong_am_size_names_its_field(amount):
    found = an_application(applicationMaster={"resources": {"memory": amount}})

    with pytest.raises(SpecError, match=r"spec\.applicationMaster\.resources"):
        YarnApplication.read(found).submission(TYPES)


def test_a_request_still_wants_what_was_not_granted():
    found = ContainerRequest.read(
        a_request(
            status={"granted": 12},
            count=20,
            priority=1,
            allocationRequestId=4,
            resources={"cpu": "2", "memory": "1Gi"},
        )
    ).ask(TYPES)

    assert found.key == AskKey(1, 4, "maps")
    assert found.count == 8
    assert found.size == (GIB, 2000)
    assert found.locality == ANYWHERE
    assert not found.opportunistic


def test_a_count_lowered_below_what_was_granted_wants_nothing():
    assert ContainerRequest.read(a_request(status={"granted": 12}, count=5)).ask(TYPES).count == 0


def test_a_request_may_want_nodes_and_racks():
    found = ContainerRequest.read(
        a_request(count=3, locality={"nodes": ["n2", "n1"], "racks": ["r"], "relax": False})
    ).ask(TYPES)

    assert found.locality == Locality((("n1", 3), ("n2", 3)), (("r", 3),), relax=False)


def test_an_empty_partition_is_the_nodes_without_one_and_no_partition_is_the_queues():
    assert ContainerRequest.read(a_request(partition="")).ask(TYPES).partition == ""
    assert ContainerRequest.read(a_request()).ask(TYPES).partition is None


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"resources": {"gpu": "1"}}, r"spec\.resources\.gpu: .* allowed: memory, cpu"),
        ({"resources": {"cpu": "0"}}, r"spec\.resources\.cpu: found '0', allowed: above 0"),
        ({"resources": "1Gi"}, r"spec\.resources: found '1Gi'"),
        ({"count": -1}, r"spec\.count: found -1"),
        ({"count": "3"}, r"spec\.count: found '3'"),
        ({"priority": -1}, r"spec\.priority: found -1"),
    ],
)
def test_a_wrong_request_names_its_field(spec, message):
    with pytest.raises(SpecError, match=message):
        ContainerRequest.read(a_request(**spec)).ask(TYPES)


def test_a_time_that_is_none_is_refused():
    assert times.milliseconds(None) == 0
    with pytest.raises(SpecError, match="expected a time such as"):
        times.milliseconds("yesterday")


def test_times_are_written_as_kubernetes_writes_them():
    at_ms = times.milliseconds("2026-11-23T03:42:28Z")

    assert times.timestamp(at_ms + 999) == "2026-11-23T03:42:28Z"
    at = datetime(2026, 11, 23, 4, 42, 28, 5, tzinfo=timezone(timedelta(hours=1)))
    assert times.micro_timestamp(at) == "2026-11-23T03:42:28.000005Z"

"""YarnApplication and ContainerRequest objects as the scheduler's values."""

from __future__ import annotations

import pytest

from kubeyarn.crd import submissions
from kubeyarn.model.asks import ANYWHERE, AskKey, Locality
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.resources import ResourceTypes
from unit.crd.builders import a_request, an_application

TYPES = ResourceTypes()
GIB = 2**30


def test_an_application_is_read():
    found = submissions.application(
        an_application(
            queue="root.etl", applicationName="word count", priority=3, tags=["nightly"], user="bob"
        ),
        TYPES,
    )

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
    found = submissions.application(an_application(), TYPES)

    assert found.am_size == (1536 * 2**20, 1000)
    assert found.name == "wordcount"
    assert found.queue == ""
    assert found.priority is None


def test_an_am_size_that_names_memory_only_keeps_the_default_cpu():
    found = an_application(applicationMaster={"resources": {"memory": "4Gi"}})

    assert submissions.am_size(found, TYPES) == (4 * GIB, 1000)


def test_an_unmanaged_am_asks_for_nothing():
    assert submissions.application(an_application(unmanagedAM=True), TYPES).am_size is None


def test_an_application_without_an_id_is_not_read():
    with pytest.raises(SpecError, match="application id"):
        submissions.application(an_application(status={"state": "NEW"}), TYPES)


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1 Gi", 1.5, None, [1]])
def test_a_wrong_am_size_names_its_field(amount):
    found = an_application(applicationMaster={"resources": {"memory": amount}})

    with pytest.raises(SpecError, match=r"spec\.applicationMaster\.resources"):
        submissions.application(found, TYPES)


def test_a_request_still_wants_what_was_not_granted():
    found = submissions.ask(
        a_request(
            status={"granted": 12},
            count=20,
            priority=1,
            allocationRequestId=4,
            resources={"cpu": "2", "memory": "1Gi"},
        ),
        TYPES,
    )

    assert found.key == AskKey(1, 4, "maps")
    assert found.count == 8
    assert found.size == (GIB, 2000)
    assert found.locality == ANYWHERE
    assert not found.opportunistic


def test_a_count_lowered_below_what_was_granted_wants_nothing():
    assert submissions.ask(a_request(status={"granted": 12}, count=5), TYPES).count == 0


def test_a_request_may_want_nodes_and_racks():
    found = submissions.ask(
        a_request(count=3, locality={"nodes": ["n2", "n1"], "racks": ["r"], "relax": False}), TYPES
    )

    assert found.locality == Locality((("n1", 3), ("n2", 3)), (("r", 3),), relax=False)


def test_an_empty_partition_is_the_nodes_without_one_and_no_partition_is_the_queues():
    assert submissions.ask(a_request(partition=""), TYPES).partition == ""
    assert submissions.ask(a_request(), TYPES).partition is None


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
        submissions.ask(a_request(**spec), TYPES)


def test_a_time_that_is_none_is_refused():
    assert submissions.milliseconds(None) == 0
    with pytest.raises(SpecError, match="expected a time such as"):
        submissions.milliseconds("yesterday")

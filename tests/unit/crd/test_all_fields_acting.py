"""Fields that are accepted and do not act yet are said, never silently ignored."""

from __future__ import annotations

import pytest

from kubeyarn.crd import all_fields_acting
from kubeyarn.crd.schema import definitions
from kubeyarn.model.queues import SchedulerKind
from unit.crd.builders import a_queue, a_request, an_application, as_stored, spec_schema


def test_an_object_that_says_only_what_acts_has_the_condition_true():
    condition = all_fields_acting.condition(
        "YarnApplication", an_application(maxAttempts=3, queue="root.a")
    )

    assert condition.type == "AllFieldsActing"
    assert condition.status is True


def test_a_field_that_does_not_act_is_named_with_its_value(monkeypatch):
    monkeypatch.setitem(
        all_fields_acting.BY_KIND, "YarnQueue", {"cluster.scheduler": ("Capacity",)}
    )
    queue = a_queue("root", cluster={"scheduler": "Fair"})

    condition = all_fields_acting.condition("YarnQueue", queue)

    assert (condition.status, condition.reason) == (False, "NotYetActing")
    assert "spec.cluster.scheduler: Fair" in condition.message


def test_every_entry_of_a_list_is_looked_at(monkeypatch):
    monkeypatch.setitem(all_fields_acting.BY_KIND, "YarnQueue", {"partitions[].maximumAMShare": ()})
    queue = a_queue("root.a", partitions=[{"name": "a"}, {"name": "b", "maximumAMShare": "1%"}])

    assert all_fields_acting.not_yet("YarnQueue", queue) == [
        "spec.partitions[1].maximumAMShare: 1%"
    ]


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_what_is_empty_needs_nobody_to_act(value, monkeypatch):
    monkeypatch.setitem(all_fields_acting.BY_KIND, "ContainerRequest", {"locality": ()})

    assert all_fields_acting.not_yet("ContainerRequest", a_request(locality=value)) == []


def test_objects_without_a_spec_say_nothing():
    assert all_fields_acting.not_yet("YarnQueue", {"metadata": {"name": "root"}}) == []


@pytest.mark.parametrize(
    ("kind", "minimal"),
    [
        ("YarnQueue", {"cluster": {"preemption": {"intraQueue": {}}}, "autoCreate": {}}),
        ("YarnApplication", {"applicationMaster": {"image": "x"}}),
        ("ContainerRequest", {"application": "a", "container": {"image": "x"}}),
    ],
)
def test_defaults_act(kind, minimal):
    """Only then does the condition speak of what a user has said."""
    found = {"spec": as_stored(spec_schema(kind), minimal)}

    assert all_fields_acting.not_yet(kind, found) == []


@pytest.mark.parametrize("resource", definitions.DEFINITIONS, ids=lambda resource: resource.kind)
def test_the_table_names_only_fields_that_there_are(resource):
    spec = definitions.object_schema(resource)["properties"]["spec"]

    for path in all_fields_acting.BY_KIND[resource.kind]:
        at = spec
        for part in path.split("."):
            at = at["properties"][part.removesuffix("[]")]
            at = at["items"] if part.endswith("[]") else at


CAPACITY, FAIR = SchedulerKind.CAPACITY, SchedulerKind.FAIR
BOTH = a_queue("root.a", capacity="60%", userLimitFactor="2", fair={"weight": "3"})


def test_each_scheduler_names_the_fields_of_the_other():
    under_capacity = all_fields_acting.queue_condition(BOTH["spec"], CAPACITY)
    under_fair = all_fields_acting.queue_condition(BOTH["spec"], FAIR)

    assert (under_capacity.status, under_capacity.reason) == (False, "OtherScheduler")
    assert under_capacity.message == (
        "not read while root says cluster.scheduler: Capacity, and kept for the other scheduler: "
        "spec.fair: {weight}"
    )
    assert under_fair.message.endswith("spec.capacity: 60%; spec.userLimitFactor: 2")


def test_a_queue_of_one_scheduler_is_told_nothing():
    assert all_fields_acting.queue_condition({"capacity": "60%"}, CAPACITY).status is True
    assert all_fields_acting.queue_condition({"fair": {"weight": "1"}}, FAIR).status is True


def test_defaults_of_the_api_server_are_no_words_of_the_user():
    said = {"ordering": {}, "preemption": {}}
    spec = as_stored(spec_schema("YarnQueue"), said)

    for kind in SchedulerKind:
        assert all_fields_acting.queue_condition(spec, kind).status is True


def test_what_nobody_acts_on_yet_is_named_first(monkeypatch):
    monkeypatch.setitem(all_fields_acting.BY_KIND, "YarnQueue", {"nodeOrdering": ("Spread",)})
    spec = {"nodeOrdering": "Pack", "fair": {"weight": "3"}}
    said = all_fields_acting.queue_condition(spec, CAPACITY)

    assert said.reason == all_fields_acting.NOT_YET_ACTING
    assert "spec.nodeOrdering: Pack; not read while" in said.message
    assert "spec.fair" in said.message

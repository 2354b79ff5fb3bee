"""Fields that are accepted and do not act yet are said, never silently ignored."""

from __future__ import annotations

import pytest

from kubeyarn.crd import not_yet
from kubeyarn.crd.schema import definitions
from unit.crd.builders import a_queue, a_request, an_application, as_stored, spec_schema


def test_an_object_that_says_only_what_acts_has_the_condition_true():
    saying = not_yet.saying("YarnApplication", an_application(maxAttempts=3, queue="root.a"))

    assert saying.type == "AllFieldsActing"
    assert saying.status is True


def test_a_field_that_does_not_act_is_named_with_its_value(monkeypatch):
    monkeypatch.setitem(not_yet.BY_KIND, "YarnQueue", {"cluster.scheduler": ("Capacity",)})
    found = a_queue("root", cluster={"scheduler": "Fair"})

    saying = not_yet.saying("YarnQueue", found)

    assert (saying.status, saying.reason) == (False, "NotYetActing")
    assert "spec.cluster.scheduler: Fair" in saying.message


def test_every_entry_of_a_list_is_looked_at(monkeypatch):
    monkeypatch.setitem(not_yet.BY_KIND, "YarnQueue", {"partitions[].maximumAMShare": ()})
    found = a_queue("root.a", partitions=[{"name": "a"}, {"name": "b", "maximumAMShare": "1%"}])

    assert not_yet.not_yet("YarnQueue", found) == ["spec.partitions[1].maximumAMShare: 1%"]


@pytest.mark.parametrize("value", [None, "", [], {}])
def test_what_is_empty_needs_nobody_to_act(value, monkeypatch):
    monkeypatch.setitem(not_yet.BY_KIND, "ContainerRequest", {"locality": ()})

    assert not_yet.not_yet("ContainerRequest", a_request(locality=value)) == []


def test_objects_without_a_spec_say_nothing():
    assert not_yet.not_yet("YarnQueue", {"metadata": {"name": "root"}}) == []


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

    assert not_yet.not_yet(kind, found) == []


@pytest.mark.parametrize("resource", definitions.DEFINITIONS, ids=lambda resource: resource.kind)
def test_the_table_names_only_fields_that_there_are(resource):
    spec = definitions.object_schema(resource)["properties"]["spec"]

    for path in not_yet.BY_KIND[resource.kind]:
        at = spec
        for part in path.split("."):
            at = at["properties"][part.removesuffix("[]")]
            at = at["items"] if part.endswith("[]") else at

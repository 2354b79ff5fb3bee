"""A YarnApplication as the scheduler is told of it, field by field."""

from __future__ import annotations

import pytest

from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.resources import ResourceTypes
from unit.crd.builders import an_application

TYPES = ResourceTypes()
GIB = 2**30
MIB = 2**20


def submission(status=None, **spec):
    return YarnApplication.read(an_application(status=status, **spec)).submission(TYPES)


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        ({}, "id", ApplicationId(1763850000000, 7)),
        ({}, "order", 7),
        ({}, "submitted_ms", 1795405348000),
        ({}, "name", "wordcount"),
        ({"applicationName": "word count"}, "name", "word count"),
        ({"applicationName": ""}, "name", "wordcount"),
        ({}, "user", "alice"),
        ({"user": "bob"}, "user", "alice"),
        ({}, "queue", ""),
        ({"queue": "root.etl"}, "queue", "root.etl"),
        ({}, "groups", ()),
        ({"userGroups": ["etl", "system:authenticated", "ops"]}, "groups", ("etl", "ops")),
        ({}, "priority", None),
        ({"priority": 0}, "priority", 0),
        ({"priority": 3}, "priority", 3),
        ({}, "partition", None),
        ({"partition": ""}, "partition", ""),
        ({"partition": "gpu"}, "partition", "gpu"),
        ({}, "tags", ()),
        ({"tags": ["nightly", "b"]}, "tags", ("nightly", "b")),
        ({}, "am_size", (1536 * MIB, 1000)),
        ({"applicationMaster": {"resources": {"memory": "4Gi"}}}, "am_size", (4 * GIB, 1000)),
        ({"applicationMaster": {"resources": {"cpu": "250m"}}}, "am_size", (1536 * MIB, 250)),
        ({"unmanagedAM": True}, "am_size", None),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_a_submission_has_what_the_object_has(spec, field, value):
    assert getattr(submission(**spec), field) == value


def test_before_its_user_is_in_the_status_it_is_the_specs():
    status = {"applicationId": "application_1763850000000_0007"}

    assert submission(status, user="bob").user == "bob"


def test_an_application_without_an_id_is_not_read():
    with pytest.raises(SpecError, match="application id"):
        submission({"state": "NEW"})


@pytest.mark.parametrize("amount", ["0", "-1", "NaN", "1 Gi", 1.5, None, [1]])
def test_a_wrong_am_size_names_its_field(amount):
    with pytest.raises(SpecError, match=r"spec\.applicationMaster\.resources"):
        submission(applicationMaster={"resources": {"memory": amount}})


def test_a_priority_below_0_names_its_field():
    with pytest.raises(SpecError, match=r"spec\.priority: found -1, allowed: 0 or more"):
        submission(priority=-1)

"""A raw object becomes a typed one, or one error that names the field."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kubeyarn.crd.container_request import ContainerRequest, ExecutionType, Role
from kubeyarn.crd.decoding import ObjectUnreadable
from kubeyarn.crd.schema import definitions
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.crd.yarn_queue import YarnQueue
from kubeyarn.lifecycle.application import ApplicationState, FinalStatus
from kubeyarn.model.queues import ConfiguredState
from unit.crd.builders import a_queue, a_request, an_application, as_stored, some, spec_schema

KINDS = pytest.mark.parametrize("definition", definitions.DEFINITIONS, ids=lambda one: one.kind)
MINIMAL = {
    "YarnQueue": ("root", {}),
    "YarnApplication": ("wordcount", {"applicationMaster": {"image": "x"}}),
    "ContainerRequest": ("maps", {"application": "wordcount", "container": {}, "locality": {}}),
}


def same(typed, raw):
    """Whether a typed value has every field of a raw one, and its value."""
    if isinstance(raw, dict) and hasattr(typed, "__struct_encode_fields__"):
        names = dict(zip(typed.__struct_encode_fields__, typed.__struct_fields__, strict=True))
        return all(same(getattr(typed, names[name]), value) for name, value in raw.items())
    if isinstance(raw, dict):
        return typed.keys() == raw.keys() and all(same(typed[name], raw[name]) for name in raw)
    if isinstance(raw, list) and isinstance(typed, tuple):
        return len(typed) == len(raw) and all(map(same, typed, raw))
    return typed == raw


@KINDS
@pytest.mark.parametrize("part", ["spec", "status"])
def test_every_field_of_the_definition_is_read(definition, part):
    schema = definitions.object_schema(definition)["properties"]
    name, spec = MINIMAL[definition.kind]
    value = some(schema[part])
    found = definition.model.read({"metadata": {"name": name}, "spec": spec, part: value})

    assert same(getattr(found, part), value)


@KINDS
def test_what_is_not_said_is_read_as_the_api_server_would_store_it(definition):
    name, spec = MINIMAL[definition.kind]
    stored = as_stored(spec_schema(definition.kind), spec)

    bare = definition.model.read({"metadata": {"name": name}, "spec": spec})
    assert bare.spec == definition.model.read({"metadata": {"name": name}, "spec": stored}).spec


def test_an_application_without_a_status_is_new():
    status = YarnApplication.read(an_application(status={})).status

    assert (status.state, status.final_status) == (ApplicationState.NEW, FinalStatus.UNDEFINED)
    assert (status.application_id, status.attempts, status.progress) == ("", (), 0)


def test_a_request_that_says_only_its_application_is_for_one_guaranteed_task():
    spec = ContainerRequest.read(a_request()).spec

    assert (spec.count, spec.role, spec.execution_type) == (1, Role.TASK, ExecutionType.GUARANTEED)
    assert spec.resources == {"cpu": "1", "memory": "1Gi"}
    assert (spec.partition, spec.locality, spec.container) == (None, None, None)


def test_a_queue_without_a_spec_runs():
    found = YarnQueue.read({"metadata": {"name": "root.a"}})

    assert found.spec.state is ConfiguredState.RUNNING
    assert found.key == ("", "root.a")


def test_what_nobody_knows_is_passed_over():
    found = a_request(madeUp={"x": 1})
    found["status"] = {"granted": 3, "writtenByALaterVersion": [1]}
    found["metadata"]["managedFields"] = [{"manager": "x"}]

    assert ContainerRequest.read(found).status.granted == 3


def test_a_status_of_an_earlier_version_has_fewer_fields():
    found = a_request(status={"grants": [{"node": "n1", "containers": "1-2"}]})
    (grants,) = ContainerRequest.read(found).status.grants

    assert (grants.attempt, grants.epoch, grants.containers) == (1, 0, "1-2")


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"spec": {}}, "spec.application", "spec.application: found nothing, expected a value"),
        ({"spec": {"application": 7}}, "spec.application", "found 7, expected str"),
        ({"spec": {"application": "a", "count": "3"}}, "spec.count", "found '3', expected int"),
        ({"spec": {"application": "a", "count": 1.5}}, "spec.count", "found 1.5, expected int"),
        (
            {"spec": {"application": "a", "role": "Chief"}},
            "spec.role",
            "spec.role: found 'Chief', allowed: Task, ApplicationMaster",
        ),
        (
            {"spec": {"application": "a", "container": {"env": [{"name": "A"}, {"name": 4}]}}},
            "spec.container.env[1].name",
            "found 4, expected str",
        ),
        ({"spec": "all"}, "spec", "spec: found 'all', expected object"),
        ({"status": {"grants": [{}]}}, "status.grants[0].node", "found nothing"),
        ({"metadata": {"name": "maps", "labels": "x"}}, "metadata.labels", "expected object"),
    ],
    ids=["missing", "text", "quoted", "fraction", "word", "deep", "no-spec", "status", "metadata"],
)
def test_an_object_that_cannot_be_read_names_itself_and_the_field(change, field, message):
    with pytest.raises(ObjectUnreadable) as caught:
        ContainerRequest.read({**a_request(), **change})

    assert (caught.value.kind, caught.value.name, caught.value.field) == (
        "ContainerRequest",
        "maps",
        field,
    )
    assert str(caught.value).startswith("ContainerRequest maps: ")
    assert message in str(caught.value)


def test_a_queue_names_the_words_that_are_allowed():
    with pytest.raises(ObjectUnreadable, match="found 'Paused', allowed: Running, Stopped"):
        YarnQueue.read(a_queue("root.a", state="Paused"))


def test_something_that_is_no_object_is_unreadable_too():
    with pytest.raises(ObjectUnreadable, match=r"YarnQueue \?: metadata: found nothing"):
        YarnQueue.read({})


def test_reading_needs_no_heavy_library():
    """`kubectl yarn` reads objects, and starts in a moment."""
    code = "import sys; import kubeyarn.crd.yarn_queue, kubeyarn.crd.container_request, "
    code += "kubeyarn.crd.yarn_application; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"pydantic", "yaml", "kubernetes", "kopf", "aiohttp", "asyncio"} & set(loaded)

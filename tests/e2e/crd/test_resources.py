"""What users see of the three resources on a real API server."""

from __future__ import annotations

import json

import pytest

from e2e.crd.server import Server, an_object
from kubeyarn.crd.schema import definitions

pytestmark = pytest.mark.e2e

MINIMAL = {
    "YarnQueue": (
        "root",
        {"cluster": {"preemption": {"intraQueue": {}}}, "autoCreate": {}, "fair": {}},
    ),
    "YarnApplication": ("wordcount", {"user": "admin", "applicationMaster": {"image": "x"}}),
    "ContainerRequest": (
        "maps",
        {"application": "wordcount", "locality": {}, "gang": {}, "container": {}},
    ),
}
RESOURCES = pytest.mark.parametrize("resource", definitions.DEFINITIONS, ids=lambda one: one.kind)


@RESOURCES
def test_the_api_server_defaults_what_the_models_default(server: Server, resource):
    name, spec = MINIMAL[resource.kind]
    stored = server.create(an_object(resource.kind, name, spec), dry=True)
    assert stored.status == 201, stored.message

    # Set from the request, by policies; an administrator's is one of groups.
    words = ("user", "userGroups")
    user = {word: stored.body["spec"][word] for word in words if word in stored.body["spec"]}
    by_server = resource.model.read(stored.body)
    by_model = resource.model.read(an_object(resource.kind, name, {**spec, **user}))

    assert by_server.spec == by_model.spec


@RESOURCES
def test_nothing_that_the_models_know_is_pruned(server: Server, resource):
    """A status that the API server does not know by heart is lost without a word."""
    name, spec = MINIMAL[resource.kind]
    found = an_object(resource.kind, name, spec)
    status = filled(definitions.object_schema(resource)["properties"]["status"])
    try:
        assert server.create(found).status == 201
        answer = server.patch(found, {"status": status}, sub="/status")
    finally:
        server.delete(found)

    assert answer.status == 200, answer.message
    assert answer.body["status"] == status


def filled(part):
    """Some value for every field of a schema."""
    if part.get("x-kubernetes-int-or-string"):
        return "1Gi"
    if "enum" in part:
        return part["enum"][-1]
    kind = part["type"]
    if kind == "object" and "properties" in part:
        return {name: filled(inner) for name, inner in part["properties"].items()}
    if part.get("x-kubernetes-preserve-unknown-fields"):
        return {"any": [{"thing": 1}]}
    if kind == "object":
        return {"memory": filled(part["additionalProperties"])}
    if kind == "array":
        return [filled(part["items"])]
    if kind == "string" and part.get("format") == "date-time":
        return "2026-11-23T03:42:28Z"
    if part.get("pattern", "").startswith("^container_"):
        return "container_1795420000000_0001_01_000002"
    if kind == "string":
        return "1" if "0-9" in part.get("pattern", "")[:6] else "Abc"
    return kind == "boolean" or int(part.get("minimum", 0)) + 1


@RESOURCES
def test_status_is_written_apart_from_spec(server: Server, resource):
    name, spec = MINIMAL[resource.kind]
    found = an_object(resource.kind, name, spec)
    try:
        server.create({**found, "status": {"observedGeneration": 7}})
        kept = server.patch(found, {"spec": {"onFailure": None}, "status": {"queue": "root.x"}})
    finally:
        server.delete(found)

    assert kept.status == 200
    assert "status" not in kept.body


@RESOURCES
def test_kubectl_explain_teaches_every_field(kubectl, resource):
    text = kubectl("explain", f"{resource.plural}.spec", "--recursive")

    for name in definitions.object_schema(resource)["properties"]["spec"]["properties"]:
        assert f"{name}\t<" in text
    assert "<no description>" not in kubectl("explain", f"{resource.plural}.spec")
    assert "<no description>" not in kubectl("explain", f"{resource.plural}.status")


def test_kubectl_explain_names_the_words_of_an_enumeration(kubectl):
    text = kubectl("explain", "yq.spec.ordering.applications")

    for word in ("Fifo", "Fair", "FifoWithPartitions", "FifoForPending"):
        assert f"    {word}\n" in text
    assert "How a leaf orders its applications" in text


COLUMNS = {
    "yq": "NAME STATE CAPACITY MAX USED APPS CONTAINERS PENDING AGE",
    "yapp": "NAME TYPE USER QUEUE STATE FINAL-STATE PROGRESS AGE",
    "creq": "NAME APPLICATION PRIORITY COUNT GRANTED PENDING RUNNING SUCCEEDED FAILED SATISFIED "
    "AGE",
}


@pytest.mark.parametrize("short", COLUMNS)
def test_kubectl_get_shows_the_documented_columns(kubectl, server: Server, short):
    kind = next(found.kind for found in definitions.DEFINITIONS if found.short == short)
    found = an_object(kind, *MINIMAL[kind])
    try:
        server.create(found)
        table = kubectl("get", short)
    finally:
        server.delete(found)

    assert table.splitlines()[0].split() == COLUMNS[short].split()


def test_the_tracking_url_is_shown_on_a_wide_screen(kubectl, server: Server):
    found = an_object("YarnApplication", *MINIMAL["YarnApplication"])
    try:
        server.create(found)
        server.patch(
            found, {"status": {"trackingUrl": "http://am:1/", "state": "RUNNING"}}, sub="/status"
        )
        table = kubectl("get", "yarn", "-o", "wide")
    finally:
        server.delete(found)

    assert "TRACKING-URL" in table
    assert "http://am:1/" in table
    assert "RUNNING" in table


def test_applications_are_selected_by_queue_and_state_on_the_server(kubectl, server: Server):
    a, b = (
        an_object("YarnApplication", name, {"queue": queue, "applicationMaster": {"image": "x"}})
        for name, queue in (("a", "root.a"), ("b", "root.b"))
    )
    try:
        for found in (a, b):
            server.create(found)
        server.patch(b, {"status": {"state": "RUNNING"}}, sub="/status")

        assert names(kubectl, "spec.queue=root.a") == ["a"]
        assert names(kubectl, "status.state=RUNNING") == ["b"]
    finally:
        server.delete(a)
        server.delete(b)


def names(kubectl, selector):
    found = json.loads(kubectl("get", "yapp", "--field-selector", selector, "-o", "json"))
    return [item["metadata"]["name"] for item in found["items"]]


def test_a_condition_is_kept_once_for_each_type(server: Server):
    found = an_object("YarnQueue", "root.a", {})
    twice = [
        {
            "type": "Ready",
            "status": "True",
            "reason": "Ready",
            "message": "",
            "lastTransitionTime": "2026-11-23T03:42:28Z",
        }
    ] * 2
    try:
        server.create(found)
        answer = server.patch(found, {"status": {"conditions": twice}}, sub="/status")
    finally:
        server.delete(found)

    assert answer.status == 422
    assert "Duplicate" in answer.message


def test_a_scheduler_of_an_earlier_epoch_writes_nothing_over_a_later_ones(server: Server):
    found = an_object("ContainerRequest", "maps", {"application": "wordcount"})

    def write(**status):
        return server.patch(found, {"status": status}, sub="/status")

    try:
        server.create(found)
        assert [write(epoch=n, granted=n).status for n in (2, 2, 3)] == [200] * 3
        late = write(epoch=2, granted=9)
        # The ResourceManager's part says nothing of it.
        assert write(running=1).status == 200
        after = write(epoch=3, pending=1).body["status"]
    finally:
        server.delete(found)

    assert late.status == 422
    assert "a scheduler of a later epoch leads" in late.message
    assert (after["granted"], after["running"], after["epoch"]) == (3, 1, 3)


@pytest.mark.parametrize(
    ("kind", "field"),
    [("YarnApplication", "epoch"), ("ContainerRequest", "resourceManagerEpoch")],
)
def test_a_resource_manager_of_an_earlier_epoch_writes_nothing_over_a_later_ones(
    server: Server, kind: str, field: str
):
    spec = {"applicationMaster": {"image": "x"}, "queue": "root.a"}
    found = an_object(kind, "maps", spec if kind == "YarnApplication" else {"application": "w"})
    try:
        server.create(found)
        answers = [
            server.patch(found, {"status": {field: epoch}}, sub="/status") for epoch in (2, 2, 3, 2)
        ]
    finally:
        server.delete(found)

    assert [answer.status for answer in answers] == [200, 200, 200, 422]
    assert "a ResourceManager of a later epoch leads" in answers[-1].message


def test_an_application_has_one_id_for_its_life(server: Server):
    spec = {"applicationMaster": {"image": "x"}, "queue": "root.a"}
    found = an_object("YarnApplication", "once", spec)
    try:
        server.create(found)
        answers = [
            server.patch(found, {"status": {"applicationId": text}}, sub="/status")
            for text in ("application_1_0001", "application_1_0001", "application_1_0002")
        ]
    finally:
        server.delete(found)

    assert [answer.status for answer in answers] == [200, 200, 422]
    assert "an application's id is given once" in answers[-1].message


def test_the_template_of_a_pod_is_kept_as_it_is_written(server: Server):
    template = {
        "spec": {"containers": [{"name": "am", "image": "x"}], "whatever": [1, {"a": None}]}
    }
    found = an_object("YarnApplication", "a", {"applicationMaster": {"template": template}})
    stored = server.create(found, dry=True)

    assert stored.status == 201, stored.message
    kept = stored.body["spec"]["applicationMaster"]["template"]
    assert kept["spec"]["containers"] == template["spec"]["containers"]
    assert kept["spec"]["whatever"][0] == 1

"""The AM service's document describes what the service does."""

from __future__ import annotations

import json
import re

import msgspec
import pytest

from kubeyarn.resourcemanager.amservice import openapi, wire


@pytest.fixture(scope="module")
def document():
    return openapi.document()


def resolve(document, node):
    while "$ref" in node:
        found = document
        for part in node["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        node = found
    return node


def test_it_is_openapi_and_json(document):
    assert re.fullmatch(r"3\.1\.\d", document["openapi"])
    assert document["info"]["title"]
    assert document["info"]["version"]
    assert json.loads(msgspec.json.encode(document)) == document


def test_every_call_is_described(document):
    assert sorted(document["paths"]) == [
        "/am/v1/allocate", "/am/v1/containers", "/am/v1/finish", "/am/v1/register",
    ]  # fmt: skip
    for path, item in document["paths"].items():
        operation = item["post"]
        assert operation["operationId"] == path.rpartition("/")[2]
        assert set(operation["responses"]) == {"200", "default"}
        for place in (operation["requestBody"], *operation["responses"].values()):
            schema = resolve(document, place["content"]["application/json"]["schema"])
            assert schema["type"] == "object"


def test_every_reference_leads_somewhere(document):
    text = json.dumps(document)
    for name in set(re.findall(r'"#/components/schemas/(\w+)"', text)):
        assert name in document["components"]["schemas"]


def test_fields_are_camel_case_and_what_must_be_said_is_required(document):
    ask = document["components"]["schemas"]["Ask"]
    assert {"allocationRequestId", "priority", "count", "resources"} <= set(ask["properties"])
    assert sorted(ask["required"]) == ["count", "resources"]
    assert "_" not in "".join(
        name
        for schema in document["components"]["schemas"].values()
        for name in schema["properties"]
    )


def test_errors_have_a_word_a_message_and_a_field(document):
    error = document["components"]["schemas"]["Error"]
    assert sorted(error["properties"]) == ["error", "field", "message"]


def test_callers_prove_who_they_are(document):
    assert document["security"] == [{"podToken": []}]
    assert document["components"]["securitySchemes"]["podToken"]["scheme"] == "bearer"


@pytest.mark.parametrize(
    ("kind", "least"),
    [
        (wire.Register, "{}"),
        (wire.Allocate, '{"responseId": 0}'),
        (wire.Finish, '{"finalStatus": "SUCCEEDED"}'),
        (wire.Containers, "{}"),
    ],
)
def test_the_least_that_a_caller_must_say_is_enough(kind, least):
    assert msgspec.json.decode(least, type=kind)

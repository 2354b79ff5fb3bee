"""A ContainerRequest as the scheduler is told of it, and what its status lists by container."""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path

import pytest
import yaml

from kubeyarn.crd.container_request import ContainerRequest, by_container
from kubeyarn.model.asks import ANYWHERE, AskKey, Locality
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.resources import ResourceTypes
from unit.crd.builders import a_request

TYPES = ResourceTypes()
DEFINITION = Path(__file__).parents[3] / "crds" / "containerrequests.yaml"
GIB = 2**30
APPLICATION = ApplicationId(1763850000000, 7)


def ask(status=None, **spec):
    return ContainerRequest.read(a_request(status=status, **spec)).ask(TYPES)


def container(number, attempt=1, epoch=0):
    return ContainerId(AttemptId(APPLICATION, attempt), epoch, number)


@pytest.mark.parametrize(
    ("spec", "field", "value"),
    [
        ({}, "key", AskKey(0, 0, "maps")),
        ({"priority": 1, "allocationRequestId": 4}, "key", AskKey(1, 4, "maps")),
        ({"allocationRequestId": -1}, "key", AskKey(0, -1, "maps")),
        ({}, "count", 1),
        ({"count": 20}, "count", 20),
        ({"count": 0}, "count", 0),
        ({}, "size", (GIB, 1000)),
        ({"resources": {"cpu": "2", "memory": "1Gi"}}, "size", (GIB, 2000)),
        ({"resources": {"memory": "3Gi"}}, "size", (3 * GIB, 1000)),
        ({}, "partition", None),
        ({"partition": ""}, "partition", ""),
        ({"partition": "gpu"}, "partition", "gpu"),
        ({}, "locality", ANYWHERE),
        ({"locality": {}}, "locality", ANYWHERE),
        (
            {"count": 3, "locality": {"nodes": ["n2", "n1"], "racks": ["r"], "relax": False}},
            "locality",
            Locality((("n1", 3), ("n2", 3)), (("r", 3),), relax=False),
        ),
        ({}, "opportunistic", False),
        ({"executionType": "Opportunistic"}, "opportunistic", True),
        ({}, "constraint", None),
        ({"placementConstraint": ""}, "constraint", None),
        ({}, "tags", ()),
        ({"allocationTags": ["b", "a"]}, "tags", ("a", "b")),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_ask_has_what_the_object_has(spec, field, value):
    assert getattr(ask(**spec), field) == value


@pytest.mark.parametrize(
    ("status", "wanted"),
    [
        ({}, 5),
        ({"granted": 2}, 3),
        ({"granted": 5}, 0),
        ({"granted": 12}, 0),
        ({"granted": 5, "retried": 2}, 2),
        ({"granted": 5, "retried": 1, "replaced": 3}, 4),
    ],
    ids=["new", "some", "all", "lowered", "retried", "replaced"],
)
def test_a_request_still_wants_what_was_not_granted_and_what_is_asked_for_again(status, wanted):
    assert ask(status, count=5).count == wanted


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"resources": {"gpu": "1"}}, r"spec\.resources\.gpu: .* allowed: memory, cpu"),
        ({"resources": {"cpu": "0"}}, r"spec\.resources\.cpu: found '0', allowed: above 0"),
        ({"resources": "1Gi"}, r"spec\.resources: found '1Gi'"),
        ({"count": -1}, r"spec\.count: found -1"),
        ({"count": "3"}, r"spec\.count: found '3'"),
        ({"priority": -1}, r"spec\.priority: found -1"),
        ({"placementConstraint": "near,node"}, r"spec\.placementConstraint: "),
    ],
    ids=["unknown", "zero", "text", "negative", "quoted", "priority", "constraint"],
)
def test_a_wrong_request_names_its_field(spec, message):
    with pytest.raises(SpecError, match=message):
        ask(**spec)


@pytest.mark.parametrize(
    ("grants", "nodes"),
    [
        ([], {}),
        ([{"node": "n1"}], {}),
        ([{"node": "n1", "containers": "2"}], {container(2): "n1"}),
        (
            [
                {"node": "n1", "attempt": 2, "epoch": 3, "containers": "1-2,5"},
                {"node": "n2", "attempt": 2, "epoch": 3, "containers": "4"},
            ],
            {
                container(1, 2, 3): "n1",
                container(2, 2, 3): "n1",
                container(5, 2, 3): "n1",
                container(4, 2, 3): "n2",
            },
        ),
    ],
    ids=["none", "empty", "one", "ranges"],
)
def test_granted_containers_are_read_with_their_nodes(grants, nodes):
    found = ContainerRequest.read(a_request(status={"grants": grants}))

    assert found.granted_nodes(APPLICATION) == nodes


@pytest.mark.parametrize("numbers", ["1-", "5-1", "x", "1-9999999999"])
def test_grants_that_are_no_numbers_are_refused(numbers):
    status = {"grants": [{"node": "n1", "containers": numbers}]}
    found = ContainerRequest.read(a_request(status=status))

    with pytest.raises(SpecError, match="containers: found"):
        found.granted_nodes(APPLICATION)


def test_entries_are_found_by_their_container_and_malformed_ids_are_passed_over():
    listed = [{"id": str(container(1, epoch=2)), "kill": True}, {"id": "container_0"}]
    found = ContainerRequest.read(a_request(status={"preempting": listed}))

    (preempted,) = by_container(found.status.preempting).items()
    assert preempted[0] == container(1, epoch=2)
    assert preempted[1].kill


IDS = [
    ("container_1763900000000_0001_01_000002", True),
    ("container_e17_1763900000000_0001_01_000002", True),
    ("container_e123_1763900000000_12345_100_1000000", True),
    ("container_e", False),
    ("container_", False),
    ("container_1763900000000_0001_01", False),
    ("container_e1_1763900000000_0001_01_000002", False),
    ("container_1763900000000_0001_01_000002_", False),
    ("a container_1763900000000_0001_01_000002", False),
]


@pytest.mark.parametrize(("text", "whole"), IDS, ids=[text for text, _ in IDS])
def test_the_definition_takes_whole_container_ids_as_our_own_reader_does(text: str, whole: bool):
    definition = yaml.safe_load(DEFINITION.read_text(encoding="utf-8"))
    schema = definition["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
    updates = schema["spec"]["properties"]["updates"]["items"]["properties"]
    assert bool(re.search(updates["id"]["pattern"], text)) is whole
    with nullcontext() if whole else pytest.raises(SpecError):
        ContainerId.parse(text)


def test_a_request_of_before_that_names_a_part_of_an_id_is_still_read():
    found = ContainerRequest.read(
        {
            "metadata": {"name": "maps"},
            "spec": {"application": "wordcount", "updates": [{"id": "container_e"}]},
        }
    )
    assert [update.id for update in found.spec.updates] == ["container_e"]
    assert by_container(found.spec.updates) == {}

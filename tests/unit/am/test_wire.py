"""Reading what the AM service answers."""

from __future__ import annotations

import subprocess
import sys

import pytest

from kubeyarn import am
from kubeyarn.am import errors, wire

CONTAINER = {
    "containerId": "container_1_0001_01_000002",
    "node": "n1",
    "priority": 1,
    "allocationRequestId": 4,
    "resources": {"cpu": "1", "memory": "1Gi"},
}


def test_an_allocate_answer_is_read():
    answer = wire.allocate_answer(
        {
            "responseId": 7,
            "allocated": [CONTAINER],
            "completed": [{"containerId": "c", "exitStatus": -102, "diagnostics": "preempted"}],
            "headroom": {"cpu": "3", "memory": "7Gi"},
            "clusterNodes": 3,
            "updatedNodes": [
                {
                    "node": "n1",
                    "state": "DECOMMISSIONING",
                    "updateType": "NODE_DECOMMISSIONING",
                    "decommissioningTimeoutSeconds": 60,
                },
                {"node": "n2", "state": "LOST", "updateType": "NODE_UNUSABLE"},
            ],
            "priority": 0,
            "preemption": {"containers": ["d"], "message": "soon"},
            "somethingNew": {"a": 1},
        }
    )

    assert answer.response_id == 7
    assert answer.allocated[0].key == wire.AskKey(1, 4)
    assert answer.completed == (wire.Ended("c", -102, "preempted"),)
    assert answer.headroom == {"cpu": "3", "memory": "7Gi"}
    assert (answer.preempting, answer.preemption_message) == (("d",), "soon")
    assert answer.updated_nodes == (
        wire.NodeUpdate("n1", "DECOMMISSIONING", "NODE_DECOMMISSIONING", 60),
        wire.NodeUpdate("n2", "LOST", "NODE_UNUSABLE", -1),
    )


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"responseId": "7"},
        {"responseId": True},
        {"responseId": 1, "allocated": {}},
        {"responseId": 1, "allocated": ["c"]},
        {"responseId": 1, "allocated": [{**CONTAINER, "priority": None}]},
        {"responseId": 1, "completed": [{"containerId": "c"}]},
        {"responseId": 1, "headroom": []},
        {"responseId": 1, "preemption": {"containers": [1]}},
        {"responseId": 1, "allocated": [{**CONTAINER, "node": 5}]},
    ],
    ids=str,
)
def test_an_answer_of_another_shape_is_a_protocol_error(body):
    with pytest.raises(errors.ProtocolError, match="expected"):
        wire.allocate_answer(body)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidJson", errors.InvalidRequestError),
        (400, "InvalidRequest", errors.InvalidRequestError),
        (401, "Unauthorized", errors.UnauthorizedError),
        (403, "NotAnApplicationMaster", errors.NotAnApplicationMasterError),
        (404, "ApplicationNotFound", errors.ApplicationNotFoundError),
        (409, "ApplicationMasterNotRegistered", errors.NotRegisteredError),
        (409, "AlreadyRegistered", errors.AlreadyRegisteredError),
        (409, "InvalidResponseId", errors.InvalidResponseIdError),
        (409, "AttemptEnded", errors.AttemptEndedError),
        (413, "TooLarge", errors.TooLargeError),
        (413, "Http413", errors.TooLargeError),
        (418, "Teapot", errors.InvalidRequestError),
        (503, "Unavailable", errors.UnavailableError),
        (502, "Http502", errors.UnavailableError),
        (429, "Http429", errors.UnavailableError),
    ],
)
def test_each_error_of_the_wire_has_its_type(status, code, kind):
    error = errors.from_wire(status, code, "asks[0].count", "found 7")

    assert type(error) is kind
    assert "found 7" in str(error)


def test_every_code_of_the_error_tree_is_in_its_picture():
    for code in errors._BY_CODE:
        assert code in errors.__doc__


def test_a_launch_says_only_what_was_given():
    plain = wire.Launch("c", ["sh"], ["-c"], {"A": "b"})

    assert plain.to_wire() == {
        "containerId": "c",
        "command": ["sh"],
        "args": ["-c"],
        "env": [{"name": "A", "value": "b"}],
    }
    full = wire.Launch("c", image="i", template={"spec": {}})
    assert {"image": "i", "template": {"spec": {}}}.items() <= full.to_wire().items()


def test_every_public_name_of_the_package_is_there():
    for name in am.__all__:
        assert getattr(am, name) is not None
    with pytest.raises(AttributeError, match="nonsense"):
        _ = am.nonsense


def test_a_task_pays_for_no_http_server_and_no_kubernetes_client():
    code = "import sys, kubeyarn.am.task; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert not {"aiohttp", "asyncio", "kubernetes", "kopf", "pydantic"} & set(loaded)


def test_the_sdk_needs_aiohttp_and_nothing_else():
    code = "import sys, kubeyarn.am as a; [getattr(a, n) for n in a.__all__]; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()

    assert "aiohttp" in loaded
    assert not {"kubernetes", "kopf", "pydantic", "yaml", "msgspec", "structlog"} & set(loaded)

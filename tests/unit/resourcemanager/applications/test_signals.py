"""Which signals to containers are still to be sent, and what is recorded of them."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.applications import signals
from kubeyarn.resourcemanager.pods import pod_state
from kubeyarn.resourcemanager.requests import request_view
from unit.resourcemanager.objects import (
    APP,
    a_pod,
    a_request,
    an_application,
    application_of,
    container,
    exited,
    request_of,
)

RECORD = ApplicationRecord(APP, "alice", 0)
GRANTS = [{"attempt": 1, "epoch": 0, "node": "n1", "containers": "2"}]
MINE = str(container(2))
DUMP = {"containerId": MINE, "command": "OutputThreadDump", "serial": 1}
SENT = {**DUMP, "sent": True, "time": "2025-11-23T12:13:20Z"}


def due(*wanted, answered=(), pods=(), status=None):
    raw = an_application(signals=list(wanted)) | {"status": {"signals": list(answered)}}
    request = a_request(status={"grants": GRANTS, **(status or {})})
    views = [request_view.view(request_of(request), APP)]
    by_container = {pod.container: pod for pod in map(pod_state.read, pods)}
    return signals.due_signals(application_of(raw), RECORD, views, by_container)


@pytest.mark.parametrize(
    ("pod", "status", "refused", "sent"),
    [
        pytest.param(a_pod(container(2), phase="Running"), {}, "", True, id="it runs"),
        pytest.param(a_pod(container(2)), {}, "", False, id="it does not run yet: it waits"),
        pytest.param(None, {}, "", False, id="it has no pod yet: it waits"),
        pytest.param(
            a_pod(container(2), phase="Failed", main=exited(1)),
            {},
            "it has ended, or never was",
            False,
            id="its pod has ended",
        ),
        pytest.param(
            None,
            {"completed": [{"id": MINE, "exitStatus": 0}]},
            "it has ended, or never was",
            False,
            id="its end is recorded",
        ),
        pytest.param(None, {"grants": []}, "it has ended, or never was", False, id="never granted"),
        pytest.param(
            a_pod(container(2), phase="Running", deletionTimestamp="2025-11-23T12:14:00Z"),
            {},
            "",
            False,
            id="it is going: it waits for its end",
        ),
    ],
)
def test_a_signal_is_sent_to_a_container_that_runs(pod, status, refused, sent):
    (found,) = due(DUMP, pods=[pod] if pod is not None else [], status=status)

    assert (found.refused, found.pod is not None) == (refused, sent)


@pytest.mark.parametrize(
    ("wanted", "count"),
    [
        pytest.param([DUMP], 0, id="it was answered"),
        pytest.param([{**DUMP, "serial": 2}], 1, id="another serial number sends it again"),
        pytest.param([{**DUMP, "command": "ForcefulShutdown"}], 1, id="another command"),
        pytest.param([], 0, id="it is not wanted any more"),
    ],
)
def test_a_signal_is_sent_once(wanted, count):
    assert len(due(*wanted, answered=[SENT])) == count


@pytest.mark.parametrize(
    ("named", "words"),
    [
        ("not an id", "not an id"),
        ("container_1_0001_01_000002", "it is no container of application_1763850000000_0007"),
    ],
)
def test_a_signal_to_another_applications_container_is_refused(named, words):
    (found,) = due({**DUMP, "containerId": named})

    assert words in found.refused


def test_what_became_of_a_signal_is_recorded_with_the_reason():
    (found,) = due(DUMP)

    assert signals.entry(found.signal, "2025-11-23T12:13:20Z") == SENT
    refused = signals.entry(found.signal, "2025-11-23T12:13:20Z", "it has ended")
    assert refused == {**SENT, "sent": False, "message": "it has ended"}
    application = an_application(signals=[DUMP]) | {"status": {"signals": [refused]}}
    assert signals.refusals(application_of(application)) == [
        f"spec.signals: OutputThreadDump to {MINE}: it has ended"
    ]

"""Events about our objects."""

from __future__ import annotations

import asyncio

import pytest

from kubeyarn.cluster import events as events_module
from kubeyarn.cluster.events import NORMAL, WARNING, EventRecorder

APP = {
    "apiVersion": "kubeyarn.io/v1alpha1",
    "kind": "YarnApplication",
    "metadata": {"name": "words", "namespace": "team-a", "uid": "u1"},
}
QUEUE = {
    "apiVersion": "kubeyarn.io/v1alpha1",
    "kind": "YarnQueue",
    "metadata": {"name": "root.a", "uid": "u2"},
}


@pytest.fixture
def recorder(client):
    return EventRecorder(client, "resourcemanager", "rm-0")


def posted(api):
    return [item for (plural, _, _), item in api.objects.items() if plural == "events"]


def say(recorder, about=APP, note="it runs", reason="ApplicationRunning", level=NORMAL):
    recorder.record(about, level, reason, "Reconcile", note)


async def test_an_event_says_who_what_and_about_what(api, recorder, background, until):
    background(recorder.run())
    say(recorder, level=WARNING)
    await until(lambda: posted(api))

    [event] = posted(api)
    assert event["metadata"]["namespace"] == "team-a"
    assert event["metadata"]["name"].startswith("words.")
    assert event["reportingController"] == "kubeyarn.io/resourcemanager"
    assert event["reportingInstance"] == "rm-0"
    assert (event["type"], event["reason"], event["action"], event["note"]) == (
        "Warning", "ApplicationRunning", "Reconcile", "it runs",
    )  # fmt: skip
    assert event["regarding"] == {
        "apiVersion": "kubeyarn.io/v1alpha1",
        "kind": "YarnApplication",
        "name": "words",
        "namespace": "team-a",
        "uid": "u1",
    }


async def test_events_about_queues_are_in_the_default_namespace(api, recorder, background, until):
    background(recorder.run())
    say(recorder, QUEUE)
    await until(lambda: posted(api))

    assert posted(api)[0]["metadata"]["namespace"] == "default"


async def test_the_same_words_about_the_same_object_are_said_once(api, recorder, background, until):
    background(recorder.run())
    for _ in range(5):
        say(recorder)
    say(recorder, note="it runs well")
    say(recorder, QUEUE)
    await until(lambda: len(posted(api)) == 3)
    await asyncio.sleep(0.05)

    assert len(posted(api)) == 3


async def test_after_a_while_they_are_said_again(api, recorder, background, until, monkeypatch):
    monkeypatch.setattr(events_module, "_REPEAT_AFTER_S", 0.05)
    background(recorder.run())
    say(recorder)
    await asyncio.sleep(0.1)
    say(recorder)
    await until(lambda: len(posted(api)) == 2)


async def test_when_too_many_wait_the_rest_is_dropped_and_nothing_blocks(
    api, client, background, until, monkeypatch
):
    monkeypatch.setattr(events_module, "_LONGEST_QUEUE", 10)
    recorder = EventRecorder(client, "scheduler", "s-0")
    for number in range(25):
        say(recorder, note=f"note {number}")
    background(recorder.run())
    await until(lambda: len(posted(api)) == 10)
    say(recorder, note="later")
    await until(lambda: len(posted(api)) == 11)


async def test_an_event_that_is_refused_does_not_stop_the_others(api, recorder, background, until):
    api.trouble(1, 403, method="POST")
    background(recorder.run())
    say(recorder, note="first")
    say(recorder, note="second")
    await until(lambda: posted(api))

    assert [event["note"] for event in posted(api)] == ["second"]


async def test_long_notes_are_cut_to_what_kubernetes_takes(api, recorder, background, until):
    background(recorder.run())
    say(recorder, note="x" * 5000)
    await until(lambda: posted(api))

    assert len(posted(api)[0]["note"]) == 1024

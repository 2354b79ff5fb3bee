"""kopf's watch, whatever the API server does: everything is told, and nothing ends the process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from dataclasses import dataclass

import pytest

from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.credentials import TokenFile
from kubeyarn.cluster.leading import Signals
from kubeyarn.cluster.resources import APPLICATIONS, QUEUES
from kubeyarn.resourcemanager import kopf_watch
from kubeyarn.resourcemanager.kopf_watch import KopfWatch

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"
QUEUES_PATH = "/yarnqueues"


def a_queue(name, **labels):
    return {"metadata": {"name": name, "labels": labels}}


def an_application(name):
    return {"metadata": {"name": name, "namespace": "team-a"}}


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Failures are followed at once; how they are survived is what matters here."""
    monkeypatch.setattr(kopf_watch, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(kopf_watch, "_LONGEST_PAUSE_S", 0.02)


@pytest.fixture
def told():
    """What handlers were called with: (what, name)."""
    return []


@dataclass
class Watches:
    """Both watches, and the tasks that run them."""

    watches: list[KopfWatch]
    tasks: list[asyncio.Task[None]]

    @property
    def synced(self):
        return all(each.synced.is_set() for each in self.watches)

    @property
    def ended(self):
        return any(task.done() for task in self.tasks)


@pytest.fixture
async def watch(api, told, background, until):
    """The watches of both kinds of a fake API server, started and synced."""

    async def start(*, connection=None, take_signals=lambda: None, synced=True):
        def note(what, item):
            told.append((what, item["metadata"]["name"]))

        reached = connection or api.connection
        watches = [KopfWatch(reached, kind, note, take_signals) for kind in (QUEUES, APPLICATIONS)]
        made = Watches(watches, [background(each.run()) for each in watches])
        if synced:
            await until(lambda: made.synced and api.watching == 2, 10)
        return made

    return start


async def seen_again(api, told, until, name="again"):
    """Wait until something that happens now is told."""
    api.put("yarnqueues", a_queue(name))
    await until(lambda: (ADDED, name) in told, 10)


async def lose_the_watches(api, until):
    """End the watches that are open; others may be open soon."""
    broken = api.break_watches()
    await until(lambda: not api.are_open(broken))


async def test_first_what_there_is_then_what_happens(api, watch, told, until):
    api.put("yarnqueues", a_queue("root"))
    api.put("yarnapplications", an_application("words"))
    await watch()
    assert sorted(told) == [(ADDED, "root"), (ADDED, "words")]

    api.put("yarnqueues", a_queue("root.a"))
    api.put("yarnqueues", a_queue("root", a="b"))
    api.remove("yarnapplications", "words", "team-a")
    await until(lambda: len(told) == 5)

    assert sorted(told[2:]) == [(ADDED, "root.a"), (DELETED, "words"), (MODIFIED, "root")]


async def test_the_kinds_are_listed_once_and_watched_once(api, watch, told):
    api.put("yarnqueues", a_queue("root"))
    await watch()

    for kind in (QUEUES, APPLICATIONS):
        assert [path for _, path in api.requests].count(kind.path()) == 2


async def test_it_is_synced_when_there_is_nothing(api, watch, told):
    await watch()

    assert told == []


async def test_it_is_not_synced_before_all_pages_of_a_list_were_told(api, watch, told):
    for number in range(1100):
        api.put("yarnqueues", a_queue(f"root.q{number}"))
    await watch()

    assert len(set(told)) == len(told) == 1100


async def test_it_is_not_synced_while_one_kind_cannot_be_listed(api, watch, told, until):
    api.put("yarnapplications", an_application("words"))
    api.trouble(10**6, 503, path=QUEUES_PATH)
    made = await watch(synced=False)
    await until(lambda: told)
    assert not made.synced

    api.calm()
    await until(lambda: made.synced, 10)


@pytest.mark.parametrize("as_event", [True, False], ids=["event", "status"])
async def test_an_expired_watch_lists_again_and_tells_what_changed(
    api, watch, told, until, as_event
):
    api.expired_as_event = as_event
    for name in ("kept", "changed", "gone"):
        api.put("yarnqueues", a_queue(name, v="1"))
    await watch()
    told.clear()

    async with api.unwatched():
        api.put("yarnqueues", a_queue("changed", v="2"))
        api.put("yarnqueues", a_queue("new"))
        api.remove("yarnqueues", "gone")
    await until(lambda: len(told) == 3, 10)

    assert sorted(told) == [(ADDED, "new"), (DELETED, "gone"), (MODIFIED, "changed")]


async def test_the_last_object_deleted_unwatched_is_told_with_what_it_was(
    api, watch, until, background
):
    told = []
    made = api.put("yarnqueues", {**a_queue("root"), "spec": {"capacity": "100%"}})
    watched = KopfWatch(
        api.connection, QUEUES, lambda what, item: told.append((what, item)), lambda: None
    )
    background(watched.run())
    await until(lambda: api.watching)
    async with api.unwatched():
        api.remove("yarnqueues", "root")
    await until(lambda: len(told) == 2, 10)

    assert told == [(ADDED, made), (DELETED, made)]


async def test_an_object_made_anew_unwatched_is_deleted_and_added(api, watch, told, until):
    api.put("yarnqueues", a_queue("root"))
    await watch()
    async with api.unwatched():
        api.remove("yarnqueues", "root")
        api.put("yarnqueues", a_queue("root"))
    await until(lambda: len(told) == 3, 10)

    assert told == [(ADDED, "root"), (DELETED, "root"), (ADDED, "root")]


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 410, 418, 422, 429, 500, 503, 599])
@pytest.mark.parametrize("request_is", ["list", "watch", "discovery"])
async def test_any_status_is_survived(api, watch, told, until, status, request_is):
    path = {"list": QUEUES_PATH, "watch": "?watch", "discovery": "/apis"}[request_is]
    api.put("yarnqueues", a_queue("root"))
    api.trouble(3, status, path=path)
    made = await watch()
    api.trouble(3, status, path=path)
    await lose_the_watches(api, until)
    await seen_again(api, told, until)

    assert not made.ended
    assert told == [(ADDED, "root"), (ADDED, "again")]


@pytest.mark.parametrize(
    "body", [b"", b"<html>a proxy has a bad day</html>", b"[]", b'{"items": 1}', b"\xff"]
)
async def test_a_list_that_is_none_is_asked_for_again(api, watch, told, body):
    api.put("yarnqueues", a_queue("root"))
    api.trouble(3, 200, path=QUEUES_PATH, body=body)
    await watch()

    assert told == [(ADDED, "root")]


@pytest.mark.parametrize(
    "line",
    [
        b"<html>a proxy has a bad day</html>\n",
        b"\xff\n",
        b'{"type": "ADDED", "object": {"metadata"',
        json.dumps({"type": "ERROR", "object": {"code": 500, "message": "etcd"}}).encode() + b"\n",
        json.dumps({"type": "ERROR", "object": {"code": 410}}).encode() + b"\n",
        b'{"type": "NEW", "object": {"metadata": {}}}\n',
    ],
    ids=["html", "bytes", "half", "error", "expired", "unknown"],
)
async def test_a_line_that_is_no_event_is_survived(api, watch, told, until, line):
    made = await watch()
    api.say(line)
    await lose_the_watches(api, until)
    await seen_again(api, told, until)

    assert not made.ended


async def test_a_storm_of_errors_and_broken_connections_is_survived(api, watch, told, until):
    made = await watch()
    for status in (500, 429, 503):
        api.trouble(15, status)
        api.trouble(5, drop=True)
    await lose_the_watches(api, until)
    await seen_again(api, told, until)

    assert not made.ended


async def test_a_silent_connection_is_given_up(api, watch, told, until, monkeypatch):
    monkeypatch.setattr(kopf_watch, "_SILENCE_S", 0.2)
    await watch()
    asked = len(api.requests)
    await until(lambda: len(api.requests) >= asked + 4)
    await seen_again(api, told, until)


def test_silence_is_noticed_within_ninety_seconds():
    settings = kopf_watch._settings()

    assert settings.watching.inactivity_timeout < 90
    assert settings.networking.request_timeout < 90
    # It also asks for a watch that does not end by itself before the first bookmark is due.
    assert 60 < settings.watching.server_timeout < kopf_watch._UNASKED_S


async def test_a_watcher_that_ended_without_a_word_is_begun_anew(
    api, watch, told, until, monkeypatch
):
    # While a watch is open nobody asks, which looks the same as when there is no watcher.
    monkeypatch.setattr(kopf_watch, "_UNFOUND_S", 0.3)
    monkeypatch.setattr(kopf_watch, "_UNASKED_S", 0.3)
    await watch(synced=False)
    await until(lambda: [path for _, path in api.requests].count(QUEUES.path()) > 5, 10)
    await seen_again(api, told, until)


async def test_a_custom_resource_that_is_installed_later_is_found(
    api, watch, told, until, monkeypatch
):
    monkeypatch.setattr(kopf_watch, "_UNFOUND_S", 0.3)
    api.kinds.remove(QUEUES)
    made = await watch(synced=False)
    await until(lambda: api.watching == 1)
    assert not made.synced

    api.kinds.append(QUEUES)
    await until(lambda: made.synced, 10)
    await seen_again(api, told, until)


async def test_a_token_that_is_replaced_is_used_at_once(api, watch, told, until, tmp_path):
    token = tmp_path / "token"
    token.write_text("old\n")
    api.authorization = "Bearer old"
    await watch(connection=Connection(api.connection.server, TokenFile(token)))
    api.authorization = "Bearer new"
    await lose_the_watches(api, until)
    refused = len(api.requests)
    await until(lambda: len(api.requests) > refused + 5)
    token.write_text("new\n")
    await seen_again(api, told, until)


async def test_the_process_keeps_its_signals(api, watch, told, until):
    signals = Signals()
    made = await watch(take_signals=signals.take)
    os.kill(os.getpid(), signal.SIGTERM)
    await until(signals.asked.is_set)
    await seen_again(api, told, until)

    assert not made.ended


async def test_other_work_of_the_process_goes_on_when_kopf_ends(api, watch, told, until):
    await watch()
    other = asyncio.create_task(asyncio.Event().wait())
    api.trouble(3, 404, path="?watch")
    await lose_the_watches(api, until)
    await seen_again(api, told, until)

    assert not other.done()
    other.cancel()


async def test_nothing_is_left_when_it_is_cancelled(api, watch, until):
    before = asyncio.all_tasks()
    made = await watch()
    for task in made.tasks:
        task.cancel()
    await asyncio.wait(made.tasks, timeout=10)

    assert [task.cancelled() for task in made.tasks] == [True, True]
    await until(lambda: not [t for t in asyncio.all_tasks() - before if "kopf" in repr(t)])


async def test_an_api_server_that_is_away_at_the_start_is_asked_by_one_kopf(
    api, watch, told, until, monkeypatch
):
    monkeypatch.setattr(kopf_watch, "_UNFOUND_S", 0.5)
    logins = []
    connection = api.connection
    monkeypatch.setattr(connection, "tls", lambda real=connection.tls: logins.append(1) or real())
    api.trouble(10**6, 503)
    made = await watch(connection=connection, synced=False)
    await asyncio.sleep(1.5)
    # One of each kind: neither was begun anew while it asked.
    assert len(logins) == 2

    api.calm()
    await until(lambda: made.synced, 10)

"""List and watch, whatever the API server does."""

from __future__ import annotations

import asyncio

import pytest

from kubeyarn.cluster.reflecting import Reflector
from kubeyarn.cluster.resources import NODES, PODS

ADDED, MODIFIED, DELETED = "ADDED", "MODIFIED", "DELETED"


def a_node(name, **more):
    return {"metadata": {"name": name, **more}}


@pytest.fixture
def seen():
    return []


@pytest.fixture
async def follow(client, seen, background, until, api):
    """Follow nodes until the test ends; what is seen is noted as (what, name)."""

    async def start(kind=NODES, handler=None, **parameters):
        def note(what, item):
            seen.append((what, item["metadata"]["name"]))

        reflector = Reflector(client, kind, handler or note, parameters)
        task = background(reflector.run())
        await asyncio.wait({task, asyncio.create_task(reflector.synced.wait())},
                           return_when=asyncio.FIRST_COMPLETED)  # fmt: skip
        await until(lambda: api.watching)
        return task

    return start


async def test_first_what_there_is_then_what_happens(api, follow, seen, until):
    api.put("nodes", a_node("n1"))
    await follow()
    assert seen == [(ADDED, "n1")]

    api.put("nodes", a_node("n2"))
    api.put("nodes", a_node("n1", labels={"a": "b"}))
    api.remove("nodes", "n2")
    await until(lambda: len(seen) == 4)

    assert seen[1:] == [(ADDED, "n2"), (MODIFIED, "n1"), (DELETED, "n2")]


async def test_a_long_collection_is_listed_in_pages(api, follow, seen):
    for number in range(1100):
        api.put("nodes", a_node(f"n{number}"))
    await follow()

    assert len(seen) == 1100


async def test_a_broken_watch_goes_on_where_it_was(api, follow, seen, until):
    api.put("nodes", a_node("n1"))
    await follow()
    lists = len(api.requests)
    api.break_watches()
    await until(lambda: not api.watching)
    api.put("nodes", a_node("n2"))
    await until(lambda: len(seen) == 2)

    assert seen == [(ADDED, "n1"), (ADDED, "n2")]
    assert [path for _, path in api.requests[lists:]] == ["/api/v1/nodes"]


@pytest.mark.parametrize("as_event", [True, False])
async def test_an_expired_watch_lists_again_and_tells_what_changed(
    api, follow, seen, until, as_event
):
    api.expired_as_event = as_event
    for name in ("kept", "changed", "gone"):
        api.put("nodes", a_node(name, labels={"v": "1"}))
    await follow()
    seen.clear()

    api.break_watches()
    await until(lambda: not api.watching)
    api.put("nodes", a_node("changed", labels={"v": "2"}))
    api.put("nodes", a_node("new"))
    api.remove("nodes", "gone")
    api.compact()
    await until(lambda: len(seen) == 3)

    assert sorted(seen) == [(ADDED, "new"), (DELETED, "gone"), (MODIFIED, "changed")]


async def test_an_unwatched_deletion_tells_who_it_was(api, follow, until):
    told = []
    ours = {"labels": {"kubeyarn.io/a": "b"}, "annotations": {"kubeyarn.io/c": "d"}}
    # What others write may be as long as they like, and nobody asks for it.
    meta = {part: {**words, "example.org/x": "y"} for part, words in ours.items()}
    made = api.put("pods", {"metadata": {"name": "p", "namespace": "ns", **meta}, "spec": {"x": 1}})
    await follow(PODS, lambda what, item: told.append((what, item)))
    api.break_watches()
    await until(lambda: not api.watching)
    api.remove("pods", "p", "ns")
    api.compact()
    await until(lambda: len(told) == 2)

    what, item = told[1]
    assert what == DELETED
    kept = ("name", "namespace", "uid", "resourceVersion")
    assert item == {"metadata": {**{key: made["metadata"][key] for key in kept}, **ours}}


async def test_an_object_made_anew_unwatched_is_deleted_and_added(api, follow, seen, until):
    api.put("nodes", a_node("n1"))
    await follow()
    api.break_watches()
    await until(lambda: not api.watching)
    api.remove("nodes", "n1")
    api.put("nodes", a_node("n1"))
    api.compact()
    await until(lambda: len(seen) == 3)

    assert seen == [(ADDED, "n1"), (DELETED, "n1"), (ADDED, "n1")]


async def test_after_bookmarks_nothing_is_told_twice(api, follow, seen, until):
    api.put("nodes", a_node("n1"))
    await follow()
    api.put("pods", {"metadata": {"name": "p", "namespace": "a"}})
    api.bookmark()
    await asyncio.sleep(0.05)
    api.compact()
    api.break_watches()
    await until(lambda: not api.watching)
    await until(lambda: api.watching)
    api.put("nodes", a_node("n2"))
    await until(lambda: len(seen) == 2)

    assert seen == [(ADDED, "n1"), (ADDED, "n2")]


async def test_a_line_of_a_megabyte_is_one_object(api, follow, until):
    sizes = []
    await follow(NODES, lambda _, item: sizes.append(len(item["metadata"]["annotations"]["a"])))
    api.put("nodes", a_node("n1", annotations={"a": "x" * 1_400_000}))
    await until(lambda: sizes)

    assert sizes == [1_400_000]


@pytest.mark.parametrize("status", [429, 500, 503, 403])
async def test_a_list_that_fails_is_tried_again(api, follow, seen, until, status):
    api.put("nodes", a_node("n1"))
    api.trouble(7 if status >= 429 else 2, status, path="/nodes")
    await follow()

    assert seen == [(ADDED, "n1")]


async def test_a_watch_that_is_refused_is_tried_again(api, follow, seen, until):
    await follow()
    api.trouble(3, 500, path="/nodes")
    api.break_watches()
    await until(lambda: not api.watching)
    api.put("nodes", a_node("n1"))
    await until(lambda: seen)

    assert seen == [(ADDED, "n1")]


async def test_a_silent_connection_is_given_up(api, follow, seen, until, client, monkeypatch):
    real = client.watch
    monkeypatch.setattr(client, "watch", lambda kind, query, quiet_s: real(kind, query, 0.2))
    await follow()
    opened = len(api.requests)
    await until(lambda: len(api.requests) > opened + 1)
    api.put("nodes", a_node("n1"))
    await until(lambda: seen)

    assert seen == [(ADDED, "n1")]


async def test_half_a_line_at_the_end_of_a_connection_is_dropped(api, follow, seen, until):
    await follow()
    api.say(b'{"type": "ADDED", "object": {"metadata"')
    await asyncio.sleep(0.05)
    api.break_watches()
    await until(lambda: not api.watching)
    api.put("nodes", a_node("n1"))
    await until(lambda: seen)

    assert seen == [(ADDED, "n1")]


async def test_a_line_that_is_no_json_breaks_the_watch_only(api, follow, seen, until):
    task = await follow()
    api.say(b"<html>a proxy has a bad day</html>\n")
    await asyncio.sleep(0.05)
    api.put("nodes", a_node("n1"))
    await until(lambda: seen or task.done())

    assert seen == [(ADDED, "n1")]


async def test_a_selector_narrows_what_is_followed(api, follow, seen, until):
    await follow(NODES, labelSelector="pool=yarn")
    api.put("nodes", a_node("other"))
    api.put("nodes", a_node("mine", labels={"pool": "yarn"}))
    await until(lambda: seen)

    assert seen == [(ADDED, "mine")]


async def test_an_api_server_that_expires_everything_is_not_hammered(api, follow, background):
    await follow()
    api.compact()
    api._oldest = 10**9
    api.break_watches()
    before = len(api.requests)
    await asyncio.sleep(0.5)

    assert len(api.requests) - before < 30


async def test_a_handler_that_raises_ends_the_reflector(api, client):
    def handler(what, item):
        raise KeyError("a bug")

    api.put("nodes", a_node("n1"))
    with pytest.raises(KeyError):
        await asyncio.wait_for(Reflector(client, NODES, handler).run(), 5)

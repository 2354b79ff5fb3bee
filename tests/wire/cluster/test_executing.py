"""Commands in pods, over the WebSocket that the API server speaks."""

from __future__ import annotations

import pytest

from kubeyarn.cluster import executing
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import NotLeading, Refused
from kubeyarn.cluster.executing import CommandFailed, execute
from kubeyarn.model.errors import Unavailable


async def test_a_command_runs_in_the_named_container(api, client):
    await execute(client, "team-a", "words-01-000002", "main", ("kill", "-3", "1"))

    assert api.executed == [("words-01-000002", "main", "kill", "-3", "1")]


async def test_a_command_that_fails_says_what_it_said(api, client):
    api.commands_fail = "sh: kill: not found"

    with pytest.raises(CommandFailed, match="sh: kill: not found"):
        await execute(client, "team-a", "p", "main", ("kill",))


async def test_what_is_not_allowed_is_refused(api, client):
    api.trouble(1, 403, path="/exec")

    with pytest.raises(Refused, match="exec in team-a/p"):
        await execute(client, "team-a", "p", "main", ("kill",))


async def test_a_server_that_cannot_now_is_no_answer(api, client):
    api.trouble(1, 503, path="/exec")

    with pytest.raises(Unavailable, match="exec in team-a/p"):
        await execute(client, "team-a", "p", "main", ("kill",))


async def test_what_a_command_says_is_kept_in_part(api, client):
    api.commands_fail = "x" * 100_000

    with pytest.raises(CommandFailed) as caught:
        await execute(client, "team-a", "p", "main", ("kill",))
    assert str(caught.value) == "x" * 500


async def test_a_command_that_says_without_end_is_left(api, client, monkeypatch):
    monkeypatch.setattr(executing, "_MOST_SAID", 1000)
    api.commands_fail = "x" * 2000

    with pytest.raises(CommandFailed, match="it has said more than 1000 bytes"):
        await execute(client, "team-a", "p", "main", ("kill",))


async def test_no_command_begins_in_a_process_that_may_not_write(api):
    client = KubeClient(api.connection, "test", may_write_s=lambda: 0.0)

    with pytest.raises(NotLeading):
        await execute(client, "team-a", "p", "main", ("kill",))
    assert api.executed == []

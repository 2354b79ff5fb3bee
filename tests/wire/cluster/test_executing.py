"""Commands in pods, over the WebSocket that the API server speaks."""

from __future__ import annotations

import pytest

from kubeyarn.cluster.errors import Refused
from kubeyarn.cluster.executing import CommandFailed, execute
from kubeyarn.model.errors import Unavailable


async def test_a_command_runs_in_the_named_container(api):
    await execute(api.connection, "team-a", "words-01-000002", "main", ("kill", "-3", "1"))

    assert api.executed == [("words-01-000002", "main", "kill", "-3", "1")]


async def test_a_command_that_fails_says_what_it_said(api):
    api.commands_fail = "sh: kill: not found"

    with pytest.raises(CommandFailed, match="sh: kill: not found"):
        await execute(api.connection, "team-a", "p", "main", ("kill",))


async def test_what_is_not_allowed_is_refused(api):
    api.trouble(1, 403, path="/exec")

    with pytest.raises(Refused, match="exec in team-a/p"):
        await execute(api.connection, "team-a", "p", "main", ("kill",))


async def test_a_server_that_cannot_now_is_no_answer(api):
    api.trouble(1, 503, path="/exec")

    with pytest.raises(Unavailable, match="exec in team-a/p"):
        await execute(api.connection, "team-a", "p", "main", ("kill",))

"""Running a command in a pod's container (Kubernetes: pods/exec over WebSocket).

The server multiplexes: each message begins with a byte that names its channel. Source: Kubernetes'
remotecommand protocol v4.channel.k8s.io.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
import msgspec

from kubeyarn.cluster.connection import Connection
from kubeyarn.cluster.errors import error_of
from kubeyarn.cluster.resources import PODS
from kubeyarn.model.errors import Unavailable

_USER_AGENT = "kubeyarn-exec"
_PROTOCOL = "v4.channel.k8s.io"
# The kubelet's endpoint declares no media type, so it answers 406 to whoever asks for JSON.
_ACCEPT = {"Accept": "*/*"}
_STDERR, _ERROR = 2, 3
_SECONDS = 5.0


class CommandFailed(Unavailable):
    """The command failed or could not be started; the message has the end of its output."""


async def execute(
    connection: Connection, namespace: str, pod: str, container: str, command: Sequence[str]
) -> None:
    """Run *command* in a running container and wait until it ends well.

    Raises:
        CommandFailed: it ended otherwise.
        ApiError: the API server did not allow it.
        Unavailable: no answer.
    """
    query = [("container", container), ("stdout", "1"), ("stderr", "1")]
    query += [("command", word) for word in command]
    url = connection.server + PODS.path(namespace, pod, "exec")
    try:
        async with (
            asyncio.timeout(_SECONDS),
            connection.session(_USER_AGENT, await connection.tls()) as session,
            session.ws_connect(
                url, params=query, headers=_ACCEPT, protocols=(_PROTOCOL,)
            ) as channels,
        ):
            await _until_done(channels)
    except aiohttp.WSServerHandshakeError as error:
        answer = f"answered {error.status}, expected 101 (switching protocols)"
        raise error_of(error.status, "", f"exec in {namespace}/{pod}: {answer}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"exec in {namespace}/{pod}: {error or type(error).__name__}") from error


async def _until_done(channels: aiohttp.ClientWebSocketResponse) -> None:
    words: list[bytes] = []
    async for message in channels:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        if channel == _STDERR:
            words.append(data)
        if channel == _ERROR:
            _check(data, b"".join(words))
            return
    raise Unavailable("the connection broke before the command ended")


def _check(data: bytes, stderr: bytes) -> None:
    status = msgspec.json.decode(data)
    if status.get("status") != "Success":
        reason = stderr.decode(errors="replace").strip() or str(
            status.get("message") or "it failed"
        )
        raise CommandFailed(reason[:500])

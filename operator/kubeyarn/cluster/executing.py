"""Running a command in a pod's container (Kubernetes: pods/exec over WebSocket).

The server multiplexes: each message begins with a byte that names its channel. Source: Kubernetes'
remotecommand protocol v4.channel.k8s.io.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import aiohttp
import msgspec

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import error_of
from kubeyarn.cluster.resources import PODS
from kubeyarn.model.errors import Unavailable

_USER_AGENT = "kubeyarn-exec"
_PROTOCOL = "v4.channel.k8s.io"
# The kubelet's endpoint declares no media type, so it answers 406 to whoever asks for JSON.
_ACCEPT = {"Accept": "*/*"}
_STDERR, _ERROR = 2, 3
_SECONDS = 5.0
_MOST_KEPT = 4096
_MOST_SAID = 1 << 20
_LONGEST_MESSAGE = 1 << 18


class CommandFailed(Unavailable):
    """The command failed or could not be started; the message has the end of its output."""


async def execute(
    client: KubeClient, namespace: str, pod: str, container: str, command: Sequence[str]
) -> None:
    """Run *command* in a running container and wait until it ends well.

    The command is the container's own, so it may say anything: 4 KiB of what it says are kept, and
    it is left alone when it has said a megabyte, or after five seconds.

    Raises:
        CommandFailed: it ended otherwise, or says too much.
        NotLeading: this process may not write now.
        ApiError: the API server did not allow it.
        Unavailable: no answer.
    """
    query = [("container", container), ("stdout", "1"), ("stderr", "1")]
    # Each word is a parameter of its own, in order; no shell splits them.
    query += [("command", word) for word in command]
    connection = client.connection
    url = connection.server + PODS.path(namespace, pod, "exec")
    try:
        async with (
            asyncio.timeout(min(_SECONDS, client.writing_s())),
            connection.session(_USER_AGENT, await connection.tls()) as session,
            session.ws_connect(
                url,
                params=query,
                headers=_ACCEPT,
                protocols=(_PROTOCOL,),
                max_msg_size=_LONGEST_MESSAGE,
            ) as channels,
        ):
            await _until_done(channels)
    except aiohttp.WSServerHandshakeError as error:
        answer = f"answered {error.status}, expected 101 (switching protocols)"
        raise error_of(error.status, "", f"exec in {namespace}/{pod}: {answer}") from error
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"exec in {namespace}/{pod}: {error or type(error).__name__}") from error


async def _until_done(channels: aiohttp.ClientWebSocketResponse) -> None:
    words, length = b"", 0
    async for message in channels:
        if message.type is not aiohttp.WSMsgType.BINARY or not message.data:
            continue
        channel, data = message.data[0], message.data[1:]
        # The last channel tells how the command ended, as a Status.
        if channel == _ERROR:
            _check(data, words)
            return
        length += len(data)
        if length > _MOST_SAID:
            raise CommandFailed(f"it has said more than {_MOST_SAID} bytes and is not listened to")
        if channel == _STDERR:
            words += data[: _MOST_KEPT - len(words)]
    raise Unavailable("the connection broke before the command ended")


def _check(data: bytes, stderr: bytes) -> None:
    status = msgspec.json.decode(data)
    if status.get("status") != "Success":
        reason = stderr.decode(errors="replace").strip() or str(
            status.get("message") or "it failed"
        )
        raise CommandFailed(reason[:500])

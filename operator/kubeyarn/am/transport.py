"""How calls reach the AM service: one Protocol, and HTTP behind it. No retries, no state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Protocol

import aiohttp

from kubeyarn.am.errors import AmError, ProtocolError, SettingsError, UnavailableError, from_wire
from kubeyarn.am.wire import Json

MAX_ANSWER_BYTES = 64 * 1024 * 1024


class Transport(Protocol):
    """One call to the AM service, tried once."""

    async def call(self, verb: str, body: Json) -> Json:
        """Send *body* to `/am/v1/<verb>` and return the answer.

        Raises:
            UnavailableError: nobody answered, or the answer was "later".
            RefusedError: the RM said no.
            ProtocolError: the answer is no JSON object.
        """

    async def close(self) -> None:
        """Let go of the connection."""


class HttpTransport:
    """JSON over HTTP/1.1 with the pod's projected service-account token.

    The token is read anew for every call, because the kubelet rotates the file.

    Args:
        address: the AM service, for example `http://198.19.0.5:8030` (KUBEYARN_RM).
        token_file: the token's file (KUBEYARN_TOKEN_FILE).
        timeout_s: seconds that one call may take.
        containers_timeout_s: the same for calls about containers, which make pods.
    """

    def __init__(
        self,
        address: str,
        token_file: Path,
        *,
        timeout_s: float = 10.0,
        containers_timeout_s: float = 30.0,
    ) -> None:
        if not address.startswith(("http://", "https://")):
            raise SettingsError(
                f"KUBEYARN_RM is {address!r}, must be the AM service's http:// or https:// address"
            )
        self._address = address.rstrip("/")
        self._token_file = token_file
        self._timeout = _timeout(timeout_s)
        self._containers_timeout = _timeout(containers_timeout_s)
        self._session: aiohttp.ClientSession | None = None

    async def call(self, verb: str, body: Json) -> Json:
        """See `Transport.call`."""
        url = f"{self._address}/am/v1/{verb}"
        headers = {"Authorization": f"Bearer {self._token()}"}
        timeout = self._containers_timeout if verb == "containers" else self._timeout
        try:
            async with self._open().post(
                url, json=body, headers=headers, allow_redirects=False, timeout=timeout
            ) as response:
                raw = await _read(response)
                return _answer(verb, response.status, raw)
        except (TimeoutError, aiohttp.ClientError, OSError) as error:
            raise UnavailableError(
                f"{url}: {type(error).__name__} {error}; is the ResourceManager running?"
            ) from error

    async def close(self) -> None:
        """Let go of the connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        return self._session

    def _token(self) -> str:
        try:
            return self._token_file.read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(
                f"token file {self._token_file}: {error}; the ResourceManager mounts it as a "
                "projected service-account token and names it in KUBEYARN_TOKEN_FILE"
            ) from error


def _timeout(total_s: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=total_s, connect=min(3.0, total_s))


async def _read(response: aiohttp.ClientResponse) -> bytes:
    raw = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        raw += chunk
        if len(raw) > MAX_ANSWER_BYTES:
            raise ProtocolError(f"the answer is longer than {MAX_ANSWER_BYTES} bytes")
    return bytes(raw)


def _answer(verb: str, status: int, raw: bytes) -> Json:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    if status == 200 and isinstance(body, dict):
        return body
    if status == 200:
        raise ProtocolError(f"{verb}: found {raw[:200]!r}, expected a JSON object")
    raise _error(verb, status, body if isinstance(body, dict) else {}, raw)


def _error(verb: str, status: int, body: Json, raw: bytes) -> AmError:
    code = str(body.get("error") or f"Http{status}")
    message = str(body.get("message") or raw[:200].decode("utf-8", "replace"))
    return from_wire(status, code, str(body.get("field") or ""), f"{verb}: {message}")

"""The few calls that setting up a cluster makes to its API server."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import TYPE_CHECKING

from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from pathlib import Path

    from kubeyarn.local import pki


class Api:
    """A connection as administrator; it is made anew for every call, so it is never stale."""

    def __init__(self, host: str, port: int, authority: Path, user: pki.Pair) -> None:
        self._host, self._port = host, port
        self._context = ssl.create_default_context(cafile=str(authority))
        self._context.load_cert_chain(user.certificate, user.key)

    def answers(self, path: str) -> bool:
        """Whether a path is served with 200 right now."""
        try:
            return self._call("GET", path, None)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def get(self, path: str) -> dict[str, object] | None:
        """An object or list, or None where there is none.

        Raises LocalClusterError for every other answer, OSError when nothing answers.
        """
        status, body = self._call("GET", path, None)
        if status == 404:
            return None
        return self._parsed("GET", path, status, body)

    def create(self, path: str, content: dict[str, object]) -> None:
        """Create an object; one that is there already is left as it is."""
        status, body = self._call("POST", path, content)
        if status != 409:
            self._parsed("POST", path, status, body)

    def _parsed(self, method: str, path: str, status: int, body: bytes) -> dict[str, object]:
        if status >= 300:
            raise LocalClusterError(f"{method} {path}: HTTP {status}: {body[:400]!r}")
        parsed: dict[str, object] = json.loads(body)
        return parsed

    def _call(self, method: str, path: str, content: dict[str, object] | None) -> tuple[int, bytes]:
        connection = http.client.HTTPSConnection(
            self._host, self._port, timeout=10, context=self._context
        )
        try:
            body = None if content is None else json.dumps(content)
            connection.request(method, path, body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

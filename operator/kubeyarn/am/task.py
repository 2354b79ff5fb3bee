"""A task inside a container: it reads its input from its ApplicationMaster and reports to it.

Standard library only and no event loop, so that a task starts quickly and may block. The
environment (`TaskServer.env`) says where the ApplicationMaster is and which task this is.
"""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from typing import Self

from kubeyarn.am.errors import SettingsError, TaskReportError

SERVER_VARIABLE = "KUBEYARN_TASK_SERVER"
SECRET_VARIABLE = "KUBEYARN_TASK_SECRET"
TASK_VARIABLE = "KUBEYARN_TASK_ID"
CONTAINER_VARIABLE = "CONTAINER_ID"
CONTAINER_HEADER = "KubeYARN-Container"

_LATER = (429, 500, 502, 503, 504)


class Task:
    """This process's task (Hadoop: TaskUmbilicalProtocol's side of the child).

    Args:
        server: the `TaskServer`'s address.
        secret: the application's secret.
        task_id: which task this is.
        container_id: which container runs it.
        patience_s: seconds for which a call is tried again when nobody answers.
    """

    def __init__(
        self, server: str, secret: str, task_id: str, container_id: str, *, patience_s: float = 60.0
    ) -> None:
        self.id = task_id
        self.container_id = container_id
        self._server = server.rstrip("/")
        self._headers = {"Authorization": f"Bearer {secret}", CONTAINER_HEADER: container_id}
        self._patience_s = patience_s
        # A proxy set for the outer world must not stand between a task and its own AM.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """The task of the container this process runs in.

        Raises:
            SettingsError: a variable that the ApplicationMaster sets is missing.
        """
        names = (SERVER_VARIABLE, SECRET_VARIABLE, TASK_VARIABLE, CONTAINER_VARIABLE)
        missing = [name for name in names if not environ.get(name)]
        if missing:
            raise SettingsError(
                f"{', '.join(missing)} not set: launch this container with TaskServer.env(...)"
            )
        return cls(*(environ[name] for name in names))

    def input(self) -> bytes:
        """What the ApplicationMaster gave to this task."""
        return self._call("GET", f"input/{self.id}")

    def progress(self, fraction: float, message: str = "") -> None:
        """Report how much is done, 0 to 1."""
        body = json.dumps({"progress": fraction, "message": message[:1000]}).encode()
        self._call("POST", f"progress/{self.id}", body)

    def put(self, name: str, payload: bytes) -> None:
        """Hand the result *name* to the ApplicationMaster; it counts once this container ends well.

        Raises:
            TaskReportError: refused (too large, or this container runs this task no more), or
                nobody answered.
        """
        self._call("PUT", f"output/{self.id}/{urllib.parse.quote(name, safe='')}", payload)

    def fetch(self, task_id: str, name: str) -> bytes:
        """The result *name* of another task that has ended well."""
        quoted = urllib.parse.quote(name, safe="")
        return self._call("GET", f"output/{urllib.parse.quote(task_id, safe='')}/{quoted}")

    def fail(self, message: str) -> None:
        """Report why this task is about to end badly."""
        self._call("POST", f"failure/{self.id}", json.dumps({"message": message[:4000]}).encode())

    def _call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """One call to the ApplicationMaster, tried again while another attempt may take over."""
        url = f"{self._server}/task/v1/{path}"
        until, pause_s = time.monotonic() + self._patience_s, 0.1
        while True:
            try:
                return self._once(method, url, body)
            except urllib.error.HTTPError as error:
                trouble = f"{error.code} {error.read(4000).decode('utf-8', 'replace')}"
                if error.code not in _LATER:
                    raise TaskReportError(f"{method} {url}: {trouble}") from error
            except (urllib.error.URLError, OSError, http.client.HTTPException) as error:
                trouble = f"{type(error).__name__} {error}"
            if time.monotonic() + pause_s > until:
                raise TaskReportError(
                    f"{method} {url}: {trouble}; the ApplicationMaster did not answer for "
                    f"{self._patience_s:g} s"
                )
            time.sleep(pause_s)
            pause_s = min(2.0, pause_s * 2)

    def _once(self, method: str, url: str, body: bytes | None) -> bytes:
        request = urllib.request.Request(url, data=body, headers=self._headers, method=method)
        with self._opener.open(request, timeout=30) as answer:
            raw: bytes = answer.read()
            return raw

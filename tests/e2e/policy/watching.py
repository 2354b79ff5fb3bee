"""What pods held at every moment: the API server's own order of events, not a look now and then."""

from __future__ import annotations

import http.client
import json
import threading
from collections import Counter
from typing import Any

from e2e.crd.server import Server

Json = dict[str, Any]


class Watched:
    """Follows pods until it is closed; `most` is the most that a queue ever held at a time."""

    def __init__(self, server: Server, path: str) -> None:
        self.most: Counter[str] = Counter()
        self.bindings = 0
        self._now: dict[str, str] = {}
        self._server = server
        self._path = path
        self._failure: Exception | None = None
        self._closed = False
        self._connection = server.connection(timeout=None)
        answer = self._open()
        self._thread = threading.Thread(target=self._follow, args=(answer,), daemon=True)
        self._thread.start()

    def _open(self) -> http.client.HTTPResponse:
        listed = self._server.call("GET", self._path).body
        for pod in listed["items"]:
            self._take("ADDED", pod)
        version = listed["metadata"]["resourceVersion"]
        self._connection.request("GET", f"{self._path}?watch=1&resourceVersion={version}")
        return self._connection.getresponse()

    def _follow(self, answer: http.client.HTTPResponse) -> None:
        try:
            while line := answer.readline():
                event = json.loads(line)
                assert event["type"] in ("ADDED", "MODIFIED", "DELETED"), event
                self._take(event["type"], event["object"])
        except Exception as error:  # noqa: BLE001 - whatever a closed connection raises
            if not self._closed:
                self._failure = error

    def _take(self, what: str, pod: Json) -> None:
        uid = pod["metadata"]["uid"]
        over = (pod.get("status") or {}).get("phase") in ("Succeeded", "Failed")
        if what == "DELETED" or over or not pod["spec"].get("nodeName"):
            self._now.pop(uid, None)
            return
        if uid not in self._now:
            self.bindings += 1
        self._now[uid] = pod["metadata"]["labels"]["kubeyarn.io/queue"]
        for queue, count in Counter(self._now.values()).items():
            self.most[queue] = max(self.most[queue], count)

    def close(self) -> None:
        """Stop, and fail if something could not be followed."""
        alive = self._thread.is_alive()
        self._closed = True
        self._connection.close()
        assert alive, f"the watch ended by itself: {self._failure}"
        if self._failure is not None:
            raise self._failure

"""The API server's own record of every pod write, in the order in which it stored them.

A watch from a resource version brings every write. When the API server restarts, it may have
forgotten what it had not yet told: then the revisions in between are listed as they were.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from e2e.crd.server import Server

Json = dict[str, Any]

CONTAINER = "kubeyarn.io/container-id"
QUEUE = "kubeyarn.io/queue"
OVER = ("Succeeded", "Failed")


@dataclass
class Record:
    """What pods were, write by write; `now` is what they are."""

    server: Server
    path: str
    now: dict[str, Json] = field(default_factory=dict)
    writes: int = 0
    gaps: int = 0
    uids: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    nodes: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    endings: dict[str, str] = field(default_factory=dict)
    held: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    most: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    wrong: list[str] = field(default_factory=list)
    maxima: dict[str, int] = field(default_factory=dict)
    why: Callable[[], str] = lambda: ""
    _version: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _failure: BaseException | None = None

    def start(self) -> None:
        listed = self.server.call("GET", self.path).body
        for pod in listed["items"]:
            self._take("ADDED", pod)
        self._version = int(listed["metadata"]["resourceVersion"])
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop following; fails if something could not be followed."""
        listed = self.server.call("GET", self.path).body
        behind = int(listed["metadata"]["resourceVersion"])
        known = {
            pod["metadata"]["uid"]: pod["metadata"]["resourceVersion"] for pod in listed["items"]
        }
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline and self._failure is None:
            mine = {uid: pod["metadata"]["resourceVersion"] for uid, pod in list(self.now.items())}
            if mine == known or self._version > behind:
                break
            time.sleep(0.1)
        self._stop.set()
        if self._failure is not None:
            raise self._failure
        assert time.monotonic() < deadline, "the record has not caught up with the API server"

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow()
            except (OSError, http.client.HTTPException, ValueError):
                # The API server is away, or was cut off in the middle of a line.
                time.sleep(0.1)
            except BaseException as error:  # noqa: BLE001 - told by `close`
                self._failure = error
                return

    def _follow(self) -> None:
        connection = self.server.connection(timeout=90)
        try:
            query = f"?watch=1&allowWatchBookmarks=true&resourceVersion={self._version}"
            connection.request("GET", self.path + query)
            answer = connection.getresponse()
            if answer.status == 410:
                self._fill_gap()
                return
            if answer.status != 200:
                raise OSError(f"{answer.status}: {answer.read()[:200]!r}")
            while not self._stop.is_set() and (line := answer.readline()):
                if not line.endswith(b"\n"):
                    raise OSError("cut off")
                event = json.loads(line)
                if event["type"] == "ERROR":
                    assert event["object"].get("code") == 410, event
                    self._fill_gap()
                    return
                self._version = int(event["object"]["metadata"]["resourceVersion"])
                if event["type"] != "BOOKMARK":
                    self._take(event["type"], event["object"])
        finally:
            connection.close()

    def _fill_gap(self) -> None:
        """What happened between the last write seen and now, in order."""
        latest = self._list("")
        self.gaps += 1
        version = int(latest["metadata"]["resourceVersion"])
        self._between(self._version, version, _by_uid(latest))
        self._version = version

    def _between(self, before: int, after: int, then: dict[str, Json]) -> None:
        """Take what led from the revision *before*, which is taken, to what was at *after*.

        Halves it until one write is left, or nothing happened to any pod.
        """
        changed = {u for u, p in then.items() if _version(p) != _version(self.now.get(u))}
        gone = self.now.keys() - then.keys()
        if not changed and not gone:
            return
        if after - before > 1 and len(changed) + len(gone) > 1:
            middle = (before + after) // 2
            exact = f"?resourceVersion={middle}&resourceVersionMatch=Exact"
            self._between(before, middle, _by_uid(self._list(exact)))
            self._between(middle, after, then)
            return
        for uid in gone:
            self._take("DELETED", self.now[uid])
        for uid in changed:
            self._take("MODIFIED", then[uid])

    def _list(self, query: str) -> Json:
        answer = self.server.call("GET", self.path + query)
        if answer.status != 200:
            raise OSError(answer.message)
        return answer.body

    def _take(self, what: str, pod: Json) -> None:
        meta, spec = pod["metadata"], pod["spec"]
        uid, annotations = meta["uid"], meta.get("annotations") or {}
        container = annotations.get(CONTAINER)
        phase = (pod.get("status") or {}).get("phase")
        self.writes += 1
        if what == "DELETED":
            self.now.pop(uid, None)
        else:
            self.now[uid] = pod
        if container is None:
            return
        self.uids[container].add(uid)
        node = spec.get("nodeName")
        if node:
            self.nodes[container].add(node)
        if phase in OVER:
            self.endings.setdefault(container, phase)
        queue = annotations[QUEUE]
        if what == "DELETED" or phase in OVER or not node:
            self.held[queue].pop(uid, None)
            return
        if uid in self.held[queue]:
            return
        self.held[queue][uid] = millis(spec)
        total = sum(self.held[queue].values())
        self.most[queue] = max(self.most[queue], total)
        if total > self.maxima.get(queue, total):
            self.wrong.append(
                f"{queue} holds {total}m of {self.maxima[queue]}m with {meta['name']} on {node} "
                f"({meta['resourceVersion']}) {self.why()}"
            )


def millis(spec: Json) -> int:
    """What a pod asks of cores, in thousandths."""
    said = str(spec["containers"][0]["resources"]["requests"]["cpu"])
    return int(said[:-1]) if said.endswith("m") else int(said) * 1000


def _by_uid(listed: Json) -> dict[str, Json]:
    return {pod["metadata"]["uid"]: pod for pod in listed["items"]}


def _version(pod: Json | None) -> str:
    return str(pod["metadata"]["resourceVersion"]) if pod is not None else ""

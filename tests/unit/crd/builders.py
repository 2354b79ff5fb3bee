"""Raw objects for tests, with nothing in them but what a test says."""

from __future__ import annotations

from typing import Any


def a_queue(path: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": path, "generation": 1}, "spec": spec}


def an_application(name: str = "wordcount", status: Any = None, **spec: Any) -> dict[str, Any]:
    known = {"applicationId": "application_1763850000000_0007", "user": "alice"}
    return {
        "metadata": {
            "name": name,
            "namespace": "team-a",
            "generation": 1,
            "creationTimestamp": "2026-11-23T03:42:28Z",
        },
        "spec": {"applicationMaster": {"image": "x"}, **spec},
        "status": known if status is None else status,
    }


def a_request(name: str = "maps", status: Any = None, **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "namespace": "team-a", "generation": 1},
        "spec": {"application": "wordcount", **spec},
        "status": status or {},
    }

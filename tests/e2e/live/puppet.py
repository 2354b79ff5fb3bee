"""An ApplicationMaster on the test's strings: its pod does nothing, the test speaks for it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from e2e.live.installed import Answer, Live
from e2e.live.manifests import SMALL
from e2e.live.patience import until

Json = dict[str, Any]


@dataclass
class Puppet:
    """Calls the AM service with the token of an application's own pod."""

    live: Live
    namespace: str
    name: str
    token: str = ""
    address: tuple[str, int] | None = None
    response_id: int = 0
    registered: Json = field(default_factory=dict)

    def register(self) -> Puppet:
        """Wait for the pod, and register as its process would."""
        found = until(
            f"{self.name} has its ApplicationMaster's pod",
            lambda: self.live.pods(self.namespace, self.name),
        )
        self.token = self.live.token(self.namespace, found[0]["metadata"]["name"])
        self.address = self.live.am_service()
        answer = self.post("register", {"host": "test", "rpcPort": -1})
        assert answer.status == 200, answer
        self.registered = answer.body
        self.response_id = int(answer.body["responseId"])
        return self

    def post(self, verb: str, body: Json | bytes) -> Answer:
        return self.live.call(f"/am/v1/{verb}", body, self.token, self.address)

    def allocate(self, *asks: Json, releases: tuple[str, ...] = ()) -> Json:
        """One heartbeat that must be taken."""
        answer = self.try_allocate(*asks, releases=releases)
        assert answer.status == 200, answer
        self.response_id = int(answer.body["responseId"])
        body: Json = answer.body
        return body

    def try_allocate(self, *asks: Json, releases: tuple[str, ...] = ()) -> Answer:
        """One heartbeat that may be refused."""
        return self.post(
            "allocate",
            {"responseId": self.response_id, "asks": list(asks), "releases": list(releases)},
        )

    def finish(self, status: str = "SUCCEEDED") -> None:
        """Unregister, and wait until that is stored."""
        until(
            f"{self.name} is unregistered",
            lambda: self.post("finish", {"finalStatus": status}),
            lambda answer: answer.status == 200 and answer.body["isUnregistered"],
        )


def ask(count: int, priority: int = 1, **resources: str) -> Json:
    return {"priority": priority, "count": count, "resources": resources or SMALL}

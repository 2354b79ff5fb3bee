"""An ApplicationMaster on the test's strings: its pod is a fake, the test speaks for it."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any

from e2e.live.patience import until
from e2e.policy.world import MERGE, ONE, World

Json = dict[str, Any]


class Puppet:
    """The AM of one attempt of an application, as soon as its pod runs."""

    def __init__(self, world: World, application: str, attempt: int) -> None:
        self.world = world
        self.attempt = attempt
        self.response_id = 0
        found = until(
            f"the AM of attempt {attempt} of {application} runs",
            lambda: [p for p in world.pods(application) if _master_of(p, attempt)],
            lambda pods: pods and pods[0]["status"].get("phase") == "Running",
        )
        self.pod = str(found[0]["metadata"]["name"])
        self._token = self._make_token(str(found[0]["metadata"]["uid"]))

    def _make_token(self, uid: str) -> str:
        """A token as the kubelet projects it into the pod."""
        bound = {"kind": "Pod", "apiVersion": "v1", "name": self.pod, "uid": uid}
        path = f"/api/v1/namespaces/{self.world.namespace}/serviceaccounts/default/token"
        spec = {"audiences": ["kubeyarn-am"], "boundObjectRef": bound}
        made = self.world.call("POST", path, {"spec": spec}).body
        return str(made["status"]["token"])

    def try_call(self, verb: str, body: Json) -> tuple[int, Json]:
        """One call to the AM service; waits for a ResourceManager that answers."""

        def once() -> tuple[int, Json]:
            connection = http.client.HTTPConnection("127.0.0.1", _port(self.world), timeout=10)
            headers = {"Authorization": f"Bearer {self._token}"}
            try:
                connection.request("POST", f"/am/v1/{verb}", json.dumps(body), headers)
                answer = connection.getresponse()
                return answer.status, json.loads(answer.read())
            except OSError as error:
                return 503, {"message": str(error)}
            finally:
                connection.close()

        return until(f"{verb} is answered", once, lambda answer: answer[0] != 503)

    def call(self, verb: str, body: Json) -> Json:
        """One call that must be taken."""
        status, answer = self.try_call(verb, body)
        assert status == 200, answer
        return answer

    def register(self) -> Json:
        answer = self.call("register", {"host": "test", "rpcPort": -1})
        self.response_id = int(answer["responseId"])
        return answer

    def allocate(self, *asks: Json, **said: Any) -> Json:
        body = {"responseId": self.response_id, "asks": list(asks), **said}
        answer = self.call("allocate", body)
        self.response_id = int(answer["responseId"])
        return answer

    def gather(self, count: int) -> list[str]:
        """Ask for containers and wait until all are there; returns their ids."""
        got = [c["containerId"] for c in self.allocate(ask(count))["allocated"]]

        def more() -> list[str]:
            got.extend(c["containerId"] for c in self.allocate()["allocated"])
            return got

        return until(f"{count} containers", more, lambda found: len(found) == count)

    def launch(self, *containers: str) -> list[str]:
        """Launch containers; returns their pods' names once all run."""
        template = {"spec": {"tolerations": [{"operator": "Exists"}]}}
        how = {"image": "fake", "template": template}
        answer = self.call(
            "containers", {"launch": [{"containerId": c, **how} for c in containers]}
        )
        assert not answer["errors"], answer
        names = {launched["pod"] for launched in answer["launched"]}
        until(
            f"{len(names)} containers run",
            lambda: running(self.world),
            lambda pods: names <= set(pods),
        )
        return sorted(names)

    def finish(self) -> None:
        """Unregister, wait until that is stored, and exit."""
        until(
            "unregistered",
            lambda: self.call("finish", {"finalStatus": "SUCCEEDED"}),
            lambda answer: answer["isUnregistered"],
        )
        self.exit(0)

    def exit(self, code: int) -> None:
        """Its process exits."""
        ended = {
            "name": "main",
            "image": "fake",
            "imageID": "fake",
            "ready": False,
            "restartCount": 0,
            "state": {"terminated": {"exitCode": code}},
        }
        status = {"phase": "Failed" if code else "Succeeded", "containerStatuses": [ended]}
        path = f"/api/v1/namespaces/{self.world.namespace}/pods/{self.pod}/status"
        self.world.call("PATCH", path, {"status": status}, MERGE)


class Outsider(Puppet):
    """An AM that runs elsewhere: it has the token in the application's Secret, and no pod."""

    def __init__(self, world: World, application: str) -> None:
        self.world = world
        self.attempt = 1
        self.response_id = 0
        self.pod = ""
        found = until(
            f"{application} has a token",
            lambda: world.application(application),
            lambda app: (app.get("status") or {}).get("unmanagedAM"),
        )
        name = found["status"]["unmanagedAM"]["secret"]
        secret = world.get(f"/api/v1/namespaces/{world.namespace}/secrets/{name}")
        self._token = base64.b64decode(secret["data"]["token"]).decode()

    def finish(self) -> None:
        until(
            "unregistered",
            lambda: self.call("finish", {"finalStatus": "SUCCEEDED"}),
            lambda answer: answer["isUnregistered"],
        )


def ask(count: int) -> Json:
    return {"priority": 1, "count": count, "resources": ONE}


def running(world: World) -> list[str]:
    """The names of pods that run and are not being deleted."""
    return sorted(
        pod["metadata"]["name"]
        for pod in world.pods()
        if pod["status"].get("phase") == "Running" and "deletionTimestamp" not in pod["metadata"]
    )


def _master_of(pod: Json, attempt: int) -> bool:
    labels = pod["metadata"]["labels"]
    found = labels["kubeyarn.io/role"], labels["kubeyarn.io/attempt"]
    return bool(found == ("am", str(attempt)))


def _port(world: World) -> int:
    """The AM service's port; another one for each ResourceManager process."""
    process = world.hosted._running["resourcemanager"]
    said = next(str(a) for a in process.args if str(a).startswith("--am-port="))  # type: ignore[union-attr]
    return int(said.partition("=")[2])

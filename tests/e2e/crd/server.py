"""Plain calls to an API server, as any user, whose refusals can be looked at."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

Json = dict[str, Any]

PLURALS = {
    "YarnQueue": "yarnqueues",
    "YarnApplication": "yarnapplications",
    "ContainerRequest": "containerrequests",
}
MERGE = "application/merge-patch+json"


@dataclass(frozen=True)
class Answer:
    """What the API server said."""

    status: int
    body: Json

    @property
    def message(self) -> str:
        return str(self.body.get("message", ""))


class Server:
    """An API server by its administrator's kubeconfig."""

    def __init__(self, kubeconfig: Path) -> None:
        self.kubeconfig = kubeconfig
        said = yaml.safe_load(kubeconfig.read_text())
        cluster, user = said["clusters"][0]["cluster"], said["users"][0]["user"]
        self.address = urlsplit(cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self.context = ssl.create_default_context(cadata=authority)
        with tempfile.NamedTemporaryFile() as pair:
            for part in ("client-certificate-data", "client-key-data"):
                pair.write(base64.b64decode(user[part]))
            pair.flush()
            self.context.load_cert_chain(pair.name)

    def call(
        self, method: str, path: str, body: Json | None = None, *, user: str = "", kind: str = ""
    ) -> Answer:
        """One call; *user* is impersonated, *kind* the body's content type.

        A user as `ACCOUNT@POD` is a service account that calls with the token of one of its pods,
        `NAME+GROUP+GROUP` is a member of groups.
        """
        headers, groups = {"Content-Type": kind or "application/json"}, []
        if user:
            user, _, pod = user.partition("@")
            headers["Impersonate-User"], *groups = user.split("+")
            if pod:
                headers["Impersonate-Extra-Authentication.kubernetes.io%2fpod-Name"] = pod
        connection = self.connection(timeout=10)
        try:
            said = ((body and json.dumps(body)) or "").encode()
            connection.putrequest(method, path)
            for name, value in (*headers.items(), ("Content-Length", str(len(said)))):
                connection.putheader(name, value)
            for group in groups:
                connection.putheader("Impersonate-Group", group)
            connection.endheaders(said)
            answer = connection.getresponse()
            return Answer(answer.status, json.loads(answer.read()))
        finally:
            connection.close()

    def connection(self, timeout: float | None) -> http.client.HTTPSConnection:
        """A connection for calls that `call` does not make, such as watches."""
        return http.client.HTTPSConnection(
            str(self.address.hostname), self.address.port, timeout=timeout, context=self.context
        )

    def create(self, found: Json, *, user: str = "", dry: bool = False) -> Answer:
        query = "?dryRun=All" if dry else ""
        return self.call("POST", collection(found) + query, found, user=user)

    def patch(self, found: Json, change: Json, *, user: str = "", sub: str = "") -> Answer:
        path = f"{collection(found)}/{found['metadata']['name']}{sub}"
        return self.call("PATCH", path, change, user=user, kind=MERGE)

    def delete(self, found: Json, *, user: str = "") -> Answer:
        return self.call("DELETE", f"{collection(found)}/{found['metadata']['name']}", user=user)


def collection(found: Json) -> str:
    """Where objects of this kind are."""
    plural = PLURALS.get(found["kind"])
    namespace = found["metadata"].get("namespace", "default")
    if plural is None:
        return f"/api/v1/namespaces/{namespace}/{found['kind'].lower()}s"
    where = "" if plural == "yarnqueues" else f"/namespaces/{namespace}"
    return f"/apis/kubeyarn.io/v1alpha1{where}/{plural}"


def an_object(kind: str, name: str, spec: Json) -> Json:
    """An object of ours as a user writes it."""
    return {
        "apiVersion": "kubeyarn.io/v1alpha1",
        "kind": kind,
        "metadata": {"name": name},
        "spec": spec,
    }

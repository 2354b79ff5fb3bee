"""An ApplicationMaster that fails once, on a real kubelet, with files and YARN's variables."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kubelet,
    pytest.mark.timeout(240, func_only=True),
    pytest.mark.usefixtures("two_queues"),
]

Json = dict[str, Any]

FILES = [
    {"path": "conf/app.yaml", "configMap": {"name": "settings", "key": "app.yaml"}},
    {"path": "key", "secret": {"name": "keys", "key": "k"}},
]
# The first attempt exits before it has registered, the second one runs to its end.
SCRIPT = (
    'echo "conf: $(cat conf/app.yaml)"; echo "key: $(cat key)"; echo "in: $(pwd)"; '
    "touch written && env; "
    "case $APP_ATTEMPT in *_000001) exit 3;; esac; "
    "exec python -m kubeyarn.examples.idle --seconds=1"
)


@pytest.fixture
def sources(live: Live, namespace: str) -> str:
    """A namespace with the ConfigMap and the Secret that the files are taken from."""
    scope = ("-n", namespace)
    live.kubectl.run("create", "configmap", "settings", *scope, "--from-literal=app.yaml=a: b")
    live.kubectl.run("create", "secret", "generic", "keys", *scope, "--from-literal=k=secret")
    return namespace


def test_the_second_attempt_succeeds_and_each_has_its_files_and_variables(
    real_node: Live, sources: str
) -> None:
    live, namespace = real_node, sources
    found = manifests.application("twice", "root.a", ["sh", "-c", SCRIPT])
    found["spec"]["applicationMaster"]["files"] = FILES
    live.apply(namespace, found)

    status = live.wait_for_state(namespace, "twice", "FINISHED", "FAILED", seconds=120)["status"]
    assert status["finalStatus"] == "SUCCEEDED", status
    first, second = status["attempts"]
    assert (first["number"], first["exitStatus"], second["number"]) == (1, 3, 2)
    for attempt in status["attempts"]:
        lines = live.logs(namespace, attempt["pod"]).splitlines()
        directory = f"/kubeyarn/local/{attempt['containerId']}"
        assert {"conf: a: b", "key: secret", f"in: {directory}"} <= set(lines)
        said = dict(line.split("=", 1) for line in lines if "=" in line)
        assert said["PWD"] == directory
        assert said["APP_ATTEMPT"] == attempt["id"]
        assert said["CONTAINER_ID"] == attempt["containerId"]
        assert said["MAX_APP_ATTEMPTS"] == "2"
        assert said["APPLICATION_ID"] == status["applicationId"]
        assert (said["USER"], said["LOGNAME"]) == (status["user"], status["user"])
        assert (said["HOME"], said["LOCAL_DIRS"]) == ("/kubeyarn/local", "/kubeyarn/local")

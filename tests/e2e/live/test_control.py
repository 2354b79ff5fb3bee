"""Signals, and ApplicationMasters that call no service or run outside, on a real kubelet."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live
from e2e.live.patience import until
from kubeyarn.local import image

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kubelet,
    pytest.mark.timeout(180, func_only=True),
    pytest.mark.usefixtures("two_queues"),
]

Json = dict[str, Any]

# Says so at SIGQUIT, as a JVM would write its threads, and ends at SIGTERM.
DUMPS = [
    "sh",
    "-c",
    "trap 'echo all threads' QUIT; trap 'exit 0' TERM; while :; do sleep 0.2; done",
]

# What an ApplicationMaster needs of Kubernetes, in any language: three requests.
MASTER = """
import json, os, ssl, time, urllib.request
base = "/var/run/secrets/kubernetes.io/serviceaccount/"
token, space = open(base + "token").read(), open(base + "namespace").read()
tls = ssl.create_default_context(cafile=base + "ca.crt")
host = os.environ["KUBERNETES_SERVICE_HOST"] + ":" + os.environ["KUBERNETES_SERVICE_PORT"]
def call(method, what, body=None, kind="application/merge-patch+json"):
    url = f"https://{host}/apis/kubeyarn.io/v1alpha1/namespaces/{space}/{what}"
    head = {"Authorization": "Bearer " + token, "Content-Type": kind}
    data = json.dumps(body).encode() if body else None
    asked = urllib.request.Request(url, data, head, method=method)
    return json.load(urllib.request.urlopen(asked, context=tls))
task = {"image": IMAGE, "command": ["true"]}
wanted = {"application": "words", "count": 2, "resources": SMALL, "container": task}
meta = {"name": "maps"}
call("POST", "containerrequests", {"apiVersion": "kubeyarn.io/v1alpha1",
     "kind": "ContainerRequest", "metadata": meta, "spec": wanted}, "application/json")
while (call("GET", "containerrequests/maps").get("status") or {}).get("succeeded") != 2:
    time.sleep(0.5)
said = {"kubeyarn.io/progress": "100", "kubeyarn.io/diagnostics": "two have run",
        "kubeyarn.io/final-status": os.environ["APP_ATTEMPT"] + " SUCCEEDED"}
call("PATCH", "yarnapplications/words", {"metadata": {"annotations": said}})
"""


@pytest.fixture
def account(live: Live, namespace: str) -> str:
    """A service account that may write ContainerRequests and patch applications, and read both."""
    scope = ("-n", namespace)
    live.kubectl.run("create", "serviceaccount", "master", *scope)
    for role in ("kubeyarn-editor", "kubeyarn-viewer"):
        live.kubectl.run(
            *("create", "rolebinding", role, *scope, f"--clusterrole={role}"),
            f"--serviceaccount={namespace}:master",
        )
    return "master"


def test_an_am_works_with_kubernetes_objects_alone(
    real_node: Live, namespace: str, account: str
) -> None:
    live = real_node
    script = MASTER.replace("IMAGE", repr(image.KUBEYARN)).replace("SMALL", repr(manifests.SMALL))
    found = manifests.application("words", "root.a", ["python", "-c", script])
    found["spec"]["applicationMaster"] |= {
        "protocol": "Objects",
        "template": {"spec": {"serviceAccountName": account}},
    }
    live.apply(namespace, found)

    status = live.wait_for_state(namespace, "words", "FINISHED", "FAILED", seconds=120)["status"]
    assert status["finalStatus"] == "SUCCEEDED", status
    assert (status["diagnostics"], status["progress"]) == ("two have run", 100)
    until(
        "the AM has exited",
        lambda: live.application(namespace, "words")["status"]["attempts"],
        lambda attempts: [a["state"] for a in attempts] == ["FINISHED"],
    )
    assert live.request(namespace, "maps")["status"]["succeeded"] == 2


def test_a_container_writes_its_threads_and_is_shut_down(real_node: Live, namespace: str) -> None:
    live = real_node
    live.apply(
        namespace,
        manifests.idle("words", "root.a"),
        manifests.request("dumps", "words", 2, command=DUMPS),
    )
    live.wait_for_status(namespace, "dumps", running=2)
    first, second = sorted(
        (p["metadata"]["annotations"]["kubeyarn.io/container-id"], p["metadata"]["name"])
        for p in live.pods(namespace, "words")
        if p["metadata"]["labels"]["kubeyarn.io/role"] == "task"
    )
    signalled = live.yarn("container", "-signal", first[0], "-n", namespace)
    assert signalled.returncode == 0, signalled.stderr
    until(
        "the threads are written",
        lambda: live.logs(namespace, first[1]),
        lambda text: "all threads" in text,
    )
    assert "all threads" not in live.logs(namespace, second[1])

    done = live.yarn("container", "-signal", second[0], "FORCEFUL_SHUTDOWN", "-n", namespace)
    assert done.returncode == 0, done.stderr
    live.wait_for_status(namespace, "dumps", failed=1, running=1)
    sent = live.application(namespace, "words")["status"]["signals"]
    assert [(s["command"], s["sent"]) for s in sent] == [
        ("OutputThreadDump", True),
        ("ForcefulShutdown", True),
    ]


def test_an_am_outside_has_its_token_by_the_charts_own_roles(
    real_node: Live, namespace: str
) -> None:
    live = real_node
    found = manifests.application("words", "root.a", manifests.SLEEP, unmanagedAM=True)
    live.apply(namespace, found)
    status = until(
        "there is a token",
        lambda: live.application(namespace, "words").get("status") or {},
        lambda s: s.get("unmanagedAM"),
    )
    secret = live.kubectl.json("secret", status["unmanagedAM"]["secret"], "-n", namespace)
    assert set(secret["data"]) == {"token", "KUBEYARN_RM"}
    assert secret["immutable"] is True
    assert live.pods(namespace, "words") == []
    live.patch("yapp", "words", namespace, desiredState="Killed")
    live.wait_for_state(namespace, "words", "KILLED")

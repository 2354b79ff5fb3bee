"""Executors on a real kubelet: whom a container really runs as, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live

pytestmark = [pytest.mark.e2e, pytest.mark.kubelet, pytest.mark.timeout(150, func_only=True)]

Json = dict[str, Any]

SCRIPT = (
    'echo "uid: $(id -u) gid: $(id -g)"; '
    'grep -E "^(NoNewPrivs|CapEff):" /proc/self/status; '
    "touch here && echo it may write; exec python -m kubeyarn.examples.idle --seconds=0"
)


@pytest.fixture(scope="module")
def a_queue(real_node: Live) -> Live:
    real_node.replace_queues(
        manifests.root(), manifests.queue("root.a", capacity="100%", maximumAMShare="50%")
    )
    return real_node


def run(live: Live, namespace: str, executor: str, **master: Any) -> Json:
    found = manifests.application("who", "root.a", ["sh", "-c", SCRIPT], maxAttempts=1)
    found["spec"]["applicationMaster"] |= {"executor": executor, **master}
    live.apply(namespace, found)
    status: Json = live.wait_for_state(namespace, "who", "FINISHED", "FAILED")["status"]
    return status


def test_linux_runs_as_the_users_uid_without_any_privilege(a_queue: Live, namespace: str) -> None:
    status = run(a_queue, namespace, "Linux")

    assert status["finalStatus"] == "SUCCEEDED", status
    said = a_queue.logs(namespace, status["attempts"][-1]["pod"])
    uid = int(said.split("uid: ")[1].split()[0])
    assert uid >= 1_000_000
    assert f"uid: {uid} gid: {uid}\n" in said
    facts = dict(line.split(":\t") for line in said.splitlines() if ":\t" in line)
    assert facts == {"CapEff": "0" * 16, "NoNewPrivs": "1"}
    # Whether the runtime can do it is the machine's; what it is asked for is ours.
    (pod,) = a_queue.pods(namespace, "who")
    context = pod["spec"]["containers"][0]["securityContext"]
    assert context["seccompProfile"] == {"type": "RuntimeDefault"}
    assert "it may write" in said


@pytest.mark.parametrize(
    ("executor", "master", "says"),
    [
        ("Linux", {"template": {"spec": {"hostPID": True}}}, "template.spec.hostPID"),
        ("Docker", {}, "which is not trusted"),
    ],
)
def test_what_an_executor_refuses_fails_the_attempt_and_says_why(
    a_queue: Live, namespace: str, executor: str, master: Json, says: str
) -> None:
    status = run(a_queue, namespace, executor, **master)

    assert status["state"] == "FAILED"
    assert status["attempts"][0]["exitStatus"] == -1000
    assert says in status["attempts"][0]["diagnostics"]

"""Killing and deleting applications, and requests as levels."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live, is_master
from e2e.live.manifests import condition
from e2e.live.patience import always, until
from e2e.live.puppet import Puppet

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kubelet,
    pytest.mark.timeout(150, func_only=True),
    pytest.mark.usefixtures("a_queue"),
]

Json = dict[str, Any]


@pytest.fixture(scope="module")
def a_queue(real_node: Live) -> None:
    """One queue for all these tests, as nothing here changes it."""
    real_node.replace_queues(
        manifests.root(), manifests.queue("root.a", capacity="100%", maximumAMShare="50%")
    )


def a_running_application(live: Live, namespace: str) -> Json:
    """An application with two running containers."""
    live.apply(namespace, manifests.idle("app", "root.a"), manifests.request("tasks", "app", 2))
    live.wait_for_status(namespace, "tasks", running=2)
    return live.wait_for_state(namespace, "app", "RUNNING")


def kill_with_kubectl_yarn(live: Live, namespace: str, found: Json) -> None:
    done = live.yarn("application", "-kill", found["status"]["applicationId"])
    assert done.returncode == 0, done.stderr
    assert "app" in done.stdout


def kill_by_its_desired_state(live: Live, namespace: str, found: Json) -> None:
    live.patch("yapp", "app", namespace, desiredState="Killed")


@pytest.mark.parametrize(
    "kill", [kill_with_kubectl_yarn, kill_by_its_desired_state], ids=lambda kill: kill.__name__
)
def test_a_killed_application_ends_with_all_its_containers(
    real_node: Live, namespace: str, kill: Callable[[Live, str, Json], None]
) -> None:
    live = real_node
    found = a_running_application(live, namespace)
    kill(live, namespace, found)
    ended = live.wait_for_state(namespace, "app", "KILLED", seconds=45)
    assert ended["status"]["finalStatus"] == "KILLED"
    assert condition(ended, "Finished")["reason"] == "Killed"
    until(
        "no container runs",
        lambda: live.pods(namespace),
        lambda pods: all(p["status"]["phase"] in ("Succeeded", "Failed") for p in pods),
        seconds=45,
    )
    live.wait_for_release(namespace, "app")
    events = live.events(namespace, "app")
    assert "ApplicationKilled" in [event["reason"] for event in events], events


def test_a_deleted_application_takes_its_pods_with_it_and_leaves_what_was_written_by_hand(
    real_node: Live, namespace: str
) -> None:
    live = real_node
    a_running_application(live, namespace)
    live.kubectl.run("delete", "yapp", "app", "-n", namespace, "--timeout=30s")
    until(
        "its pods and the request of its ApplicationMaster are gone",
        lambda: live.kubectl.json("creq,pods", "-n", namespace)["items"],
        lambda items: [item["metadata"]["name"] for item in items] == ["tasks"],
        seconds=60,
    )
    until(
        "the request that was written by hand tells of it",
        lambda: live.request(namespace, "tasks"),
        lambda found: condition(found, "Accepted").get("reason") == "ApplicationNotFound",
        seconds=15,
    )
    until(
        "its queue is empty",
        lambda: live.queues()["root.a"]["status"],
        lambda status: not status.get("containers") and not status["applications"]["total"],
        seconds=15,
    )


def test_a_request_is_a_level(real_node: Live, namespace: str) -> None:
    """Applied twice it asks nothing new; raised it asks more; lowered it cancels what waits."""
    live = real_node
    large = {"cpu": "400m", "memory": "128Mi"}
    live.apply(namespace, manifests.idle("app", "root.a"))
    live.apply(namespace, manifests.request("tasks", "app", 1, resources=large))
    live.wait_for_status(namespace, "tasks", granted=1, pending=0, running=1)

    live.apply(namespace, manifests.request("tasks", "app", 1, resources=large))
    always(
        "one is granted",
        lambda: live.request(namespace, "tasks")["status"],
        lambda status: (status["granted"], status.get("pending", 0)) == (1, 0),
        seconds=3,
    )

    live.apply(namespace, manifests.request("tasks", "app", 9, resources=large))
    found = live.wait_for_status(namespace, "tasks", granted=3, pending=6, running=3)
    waits = until(
        "it says why the others wait",
        lambda: condition(live.request(namespace, "tasks"), "Satisfied"),
        lambda c: c.get("reason") not in (None, "Scheduling"),
    )
    assert waits["status"] == "False", found
    assert waits["reason"] in ("NodesBusy", "QueueMaximum", "UserLimit"), waits

    live.apply(namespace, manifests.request("tasks", "app", 2, resources=large))
    found = live.wait_for_status(namespace, "tasks", granted=3, pending=0, running=3)
    until(
        "it is satisfied",
        lambda: condition(live.request(namespace, "tasks"), "Satisfied"),
        lambda c: c["status"] == "True",
    )
    tasks = [pod for pod in live.pods(namespace) if not is_master(pod)]
    assert len(tasks) == 3


def test_an_application_of_a_name_used_before_is_another_one(
    real_node: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    live = real_node
    first = puppet("app", "root.a")
    old = live.application(namespace, "app")["status"]["applicationId"]
    live.kubectl.run("delete", "yapp", "app", "-n", namespace, "--timeout=30s")
    until("its pods are gone", lambda: live.pods(namespace), lambda pods: not pods)
    second = puppet("app", "root.a")
    new = live.wait_for_state(namespace, "app", "RUNNING")["status"]["applicationId"]
    assert new != old
    refused = first.try_allocate()
    assert refused.status in (401, 403, 404, 409), refused
    second.finish()
    found = live.wait_for_state(namespace, "app", "FINISHED")
    assert found["status"]["finalStatus"] == "SUCCEEDED", json.dumps(found["status"])

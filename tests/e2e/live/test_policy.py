"""The policy of an installed KubeYARN, on fake nodes, where containers cost nothing."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live, is_master
from e2e.live.manifests import condition
from e2e.live.patience import always, until
from e2e.live.puppet import Puppet

pytestmark = [pytest.mark.e2e, pytest.mark.kubelet, pytest.mark.timeout(180, func_only=True)]

Json = dict[str, Any]

# Five fake nodes of 32 cores and 128Gi: containers of 1 core and 4Gi fill both evenly.
CORE = {"cpu": "1", "memory": "4Gi"}
ROOM = 160
OPEN = {"userLimitFactor": "-1", "maximumAMShare": "50%"}


def held_by(live: Live, namespace: str) -> Counter[str]:
    """Living containers of each application by its pods, its ApplicationMaster not counted."""
    return Counter(
        pod["metadata"]["labels"]["kubeyarn.io/application"]
        for pod in live.pods(namespace)
        if pod["status"].get("phase") not in ("Succeeded", "Failed") and not is_master(pod)
    )


def tasks(application: str, count: int, seconds: float = 3600, **spec: Any) -> Json:
    return manifests.request(
        f"{application}-tasks",
        application,
        count,
        resources=CORE,
        annotations={"kubeyarn.io/fake-run-seconds": f"{seconds:g}"},
        **spec,
    )


def test_a_queue_borrows_what_is_idle_gives_it_back_and_never_passes_its_maximum(
    fake_nodes: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    """a has 25 % and at most 50 %, b has 75 %: a borrows 40 containers more than its own 40."""
    live = fake_nodes
    live.replace_queues(
        manifests.root(),
        manifests.queue("root.a", capacity="25%", maximumCapacity="50%", **OPEN),
        manifests.queue("root.b", capacity="75%", **OPEN),
    )
    puppet("first", "root.a", resources=manifests.SMALL)
    puppet("second", "root.b", resources=manifests.SMALL)
    limit = ROOM // 2
    live.apply(namespace, tasks("first", 1000, seconds=6))
    until(
        "a holds all that it may",
        lambda: held_by(live, namespace)["first"],
        lambda n: limit - 1 <= n <= limit,
    )
    waiting = until(
        "the request says why it waits",
        lambda: condition(live.request(namespace, "first-tasks"), "Satisfied"),
        lambda found: found.get("reason") == "QueueMaximum",
        seconds=15,
    )
    assert "root.a" in waiting["message"], waiting
    # Its containers end and are replaced all the time, and it never holds one too many.
    always(
        "a keeps to its maximum",
        lambda: held_by(live, namespace)["first"],
        lambda n: n <= limit,
        seconds=7,
    )

    live.apply(namespace, tasks("second", 1000))
    until(
        "b, the more under-used one, has all that a gave back",
        lambda: held_by(live, namespace),
        lambda now: now["second"] >= ROOM * 3 // 4 - 2 and now["first"] <= ROOM // 4 + 1,
        seconds=45,
    )
    assert sum(held_by(live, namespace).values()) <= ROOM


def test_a_changed_queue_acts_within_two_seconds_without_a_restart(
    fake_nodes: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    live = fake_nodes
    live.replace_queues(
        manifests.root(),
        manifests.queue("root.a", capacity="10%", maximumCapacity="10%", **OPEN),
        manifests.queue("root.b", capacity="90%", **OPEN),
    )
    puppet("app", "root.a", resources=manifests.SMALL)
    live.apply(namespace, tasks("app", 1000))
    until("a holds a tenth", lambda: held_by(live, namespace)["app"], lambda n: n >= 15)
    incarnations = live.incarnations()

    live.patch("yq", "root.a", "default", maximumCapacity="20%")
    changed = time.monotonic()
    until(
        "more is granted",
        lambda: live.request(namespace, "app-tasks")["status"]["granted"],
        lambda granted: granted > 16,
        seconds=10,
    )
    took = time.monotonic() - changed
    print(f"the change acted after {took:.2f} s")
    assert took < 2.0
    until("a holds a fifth", lambda: held_by(live, namespace)["app"], lambda n: n >= 31)
    assert held_by(live, namespace)["app"] <= 32
    assert live.incarnations() == incarnations


def test_first_in_first_out_in_a_leaf(
    fake_nodes: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    live = fake_nodes
    live.replace_queues(
        manifests.root(),
        manifests.queue("root.a", capacity="10%", maximumCapacity="10%", **OPEN),
        manifests.queue("root.b", capacity="90%"),
    )
    for name in ("early", "late"):
        puppet(name, "root.a", resources=manifests.SMALL)
    live.apply(namespace, tasks("early", 14, seconds=4), tasks("late", 14))
    live.wait_for_status(namespace, "early-tasks", granted=14)
    live.apply(namespace, tasks("early", 28, seconds=4))
    found = until(
        "all of the early one are granted",
        lambda: [live.request(namespace, f"{n}-tasks")["status"] for n in ("early", "late")],
        lambda both: both[0]["granted"] == 28,
        seconds=40,
    )
    # What is left beside 14 of the early one's is room for one or two of the late one's.
    assert found[1]["granted"] <= 2, found
    live.wait_for_status(namespace, "late-tasks", granted=14, seconds=40)


def test_application_masters_wait_for_their_share_and_say_so(
    fake_nodes: Live, namespace: str
) -> None:
    """10 % of root.a's 16 cores is one core: two masters of half a core, and the third waits."""
    live = fake_nodes
    live.replace_queues(
        manifests.root(),
        manifests.queue(
            "root.a",
            capacity="10%",
            maximumCapacity="10%",
            maximumAMShare="10%",
            userLimitFactor="-1",
        ),
        manifests.queue("root.b", capacity="90%"),
    )
    size = {"cpu": "500m", "memory": "1Gi"}
    names = ("one", "two", "three", "four")
    for name in names:
        found = manifests.application(name, "root.a", manifests.SLEEP, resources=size)
        live.apply(namespace, found)
        live.wait_for_state(namespace, name, "ACCEPTED")
    waiting = until(
        "some wait for the share of ApplicationMasters",
        lambda: {name: condition(live.application(namespace, name), "Running") for name in names},
        lambda all_: {"AMLimit"} <= {c.get("reason") for c in all_.values()},
        seconds=20,
    )
    reasons = [waiting[name]["reason"] for name in names]
    assert reasons[0] != "AMLimit", reasons
    assert reasons[-1] == "AMLimit", reasons
    message = waiting["four"]["message"]
    assert "root.a" in message, message
    started = {p["metadata"]["labels"]["kubeyarn.io/application"] for p in live.pods(namespace)}
    assert started == {n for n in names if waiting[n]["reason"] != "AMLimit"}
    live.kubectl.run("delete", "yapp", "one", "-n", namespace, "--timeout=20s")
    until(
        "the next one starts",
        lambda: live.pods(namespace, names[len(started)]),
        seconds=20,
    )


def test_a_stopped_queue_drains_and_takes_applications_again_when_it_runs(
    fake_nodes: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    live = fake_nodes
    live.replace_queues(
        manifests.root(),
        manifests.queue("root.a", capacity="50%", **OPEN),
        manifests.queue("root.b", capacity="50%", **OPEN),
    )
    inside = puppet("inside", "root.a", resources=manifests.SMALL)
    live.patch("yq", "root.a", "default", state="Stopped")
    until(
        "the queue drains",
        lambda: live.queues()["root.a"]["status"],
        lambda status: status["state"] == "Draining",
        seconds=15,
    )
    live.apply(
        namespace,
        manifests.application("outside", "root.a", manifests.SLEEP),
        tasks("inside", 3),
    )
    refused = live.wait_for_state(namespace, "outside", "FAILED", seconds=20)
    assert condition(refused, "Accepted")["reason"] == "QueueStopped"
    # Who is inside goes on, and even gets containers, as in Hadoop.
    live.wait_for_status(namespace, "inside-tasks", granted=3)
    inside.finish()
    live.kubectl.run("delete", "pods", "--all", "-n", namespace, "--now")
    until(
        "the queue is empty",
        lambda: live.queues()["root.a"]["status"],
        lambda status: status["state"] == "Stopped",
        seconds=30,
    )
    live.patch("yq", "root.a", "default", state="Running")
    live.wait_for_queues("root.a")
    puppet("again", "root.a", resources=manifests.SMALL)


def test_work_that_waits_costs_no_writes(
    fake_nodes: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    live = fake_nodes
    live.replace_queues(
        manifests.root(),
        manifests.queue("root.a", capacity="10%", maximumCapacity="10%", **OPEN),
        manifests.queue("root.b", capacity="90%"),
    )
    # First all masters: behind an application that waits for room nobody else starts.
    for name in ("one", "two", "three"):
        puppet(name, "root.a", resources=manifests.SMALL)
    live.apply(namespace, *(tasks(name, 500) for name in ("one", "two", "three")))
    until("a is full", lambda: sum(held_by(live, namespace).values()), lambda n: n >= 15)
    for name in ("one", "two", "three"):
        until(
            f"{name} says why it waits",
            lambda name=name: condition(live.request(namespace, f"{name}-tasks"), "Satisfied"),
            lambda found: found.get("reason") not in (None, "Scheduling"),
            seconds=20,
        )
    time.sleep(3)
    began = len(live.audit_log.read_text().splitlines())
    time.sleep(10)
    lines = live.audit_log.read_text().splitlines()[began:]
    writes = [write for line in lines if (write := _write_of_ours(json.loads(line)))]
    assert writes == []
    assert len(lines) > 10, "the audit log does not grow"


def _write_of_ours(event: Json) -> str:
    """A write by KubeYARN, in words; leases are written all the time and cost nothing else."""
    about = event.get("objectRef") or {}
    ours = "kubeyarn" in event["user"]["username"]
    writes = event["verb"] in ("create", "update", "patch", "delete")
    if not ours or not writes or about.get("resource") in ("leases", "tokenreviews"):
        return ""
    return (
        f"{event['user']['username']} {event['verb']} {about.get('resource')}/{about.get('name')}"
    )

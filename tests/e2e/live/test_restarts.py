"""Whatever is killed in the middle of a word count: the same result, and nothing granted twice."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live, container_of, is_master
from e2e.live.patience import until
from kubeyarn.local.installing import NAMESPACE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kubelet,
    pytest.mark.timeout(240, func_only=True),
    pytest.mark.usefixtures("two_queues"),
]

Json = dict[str, Any]
MAPS, REDUCES = 6, 2


def kill_the_resourcemanager(live: Live) -> None:
    live.kill("resourcemanager", "resourcemanager")


def kill_the_scheduler_and_kube_scheduler(live: Live) -> None:
    live.kill("scheduler", "scheduler")
    live.kill("scheduler", "kube-scheduler")


def delete_the_resourcemanagers_pod(live: Live) -> None:
    chosen = ("-l", "app.kubernetes.io/component=resourcemanager")
    live.kubectl.run("delete", "pod", "-n", NAMESPACE, *chosen, "--wait=false")


@pytest.mark.parametrize(
    "strike",
    [
        kill_the_resourcemanager,
        kill_the_scheduler_and_kube_scheduler,
        delete_the_resourcemanagers_pod,
    ],
    ids=lambda strike: strike.__name__,
)
def test_a_word_count_survives(
    real_node: Live, namespace: str, counted: Json, strike: Callable[[Live], None]
) -> None:
    live = real_node
    live.wait_ready()
    word_count = manifests.word_count("words", "root.a", maps=MAPS, map_cpu="350m", delay=4)
    with every_pod(live, namespace) as seen:
        before = live.incarnations()
        # Four maps have room at once, so that there is something to grant after the strike. What
        # is left is for the ResourceManager's new pod, which would else preempt a map's.
        live.apply(namespace, word_count)
        until(
            "two maps run",
            lambda: live.pods(namespace, "words"),
            lambda pods: len(_running_tasks(pods)) >= 2,
            seconds=60,
        )
        strike(live)
        live.wait_for_state(namespace, "words", "FINISHED", "FAILED", "KILLED", seconds=120)
        found = live.wait_for_release(namespace, "words")
        requests = live.requests(namespace)
        result = live.word_count_result(namespace, "words")
    live.wait_ready()
    assert live.incarnations() != before, "nothing was started anew"
    assert found["status"]["finalStatus"] == "SUCCEEDED", found["status"]
    assert [a["number"] for a in found["status"]["attempts"]] == [1]
    assert result == counted
    _check_pods(seen, found, requests)


def test_a_word_count_survives_strike_after_strike(
    real_node: Live, namespace: str, counted: Json
) -> None:
    live = real_node
    live.wait_ready()
    word_count = manifests.word_count("words", "root.a", maps=MAPS, map_cpu="350m", delay=8)
    with every_pod(live, namespace) as seen:
        live.apply(namespace, word_count)
        kill_the_scheduler_and_kube_scheduler(live)
        running = until(
            "two maps run",
            lambda: _running_tasks(live.pods(namespace, "words")),
            lambda pods: len(pods) >= 2,
            seconds=90,
        )
        kill_the_resourcemanager(live)
        live.kubectl.run("delete", "pod", "-n", namespace, _name(running[0]), "--wait=false")
        live.kill("scheduler", "kube-scheduler")
        live.wait_ready()
        delete_the_resourcemanagers_pod(live)
        live.kill("scheduler", "scheduler")
        live.wait_for_state(namespace, "words", "FINISHED", "FAILED", "KILLED", seconds=120)
        found = live.wait_for_release(namespace, "words")
        requests = live.requests(namespace)
        result = live.word_count_result(namespace, "words")
    live.wait_ready()
    assert found["status"]["finalStatus"] == "SUCCEEDED", found["status"]
    assert result == counted
    # The map that was deleted; the ResourceManager's new pod may have displaced another.
    _check_pods(seen, found, requests, again=(1, 2))


def _name(pod: Json) -> str:
    return str(pod["metadata"]["name"])


def _check_pods(
    seen: list[Json], found: Json, requests: list[Json], again: tuple[int, int] = (0, 0)
) -> None:
    """Every container had one pod, on one node, of the first attempt, and all were asked for.

    *again* is how many had to be asked for again, at least and at most.
    """
    uids: dict[str, set[str]] = defaultdict(set)
    nodes: dict[str, set[str]] = defaultdict(set)
    for pod in seen:
        uids[container_of(pod)].add(pod["metadata"]["uid"])
        nodes[container_of(pod)] |= {pod["spec"].get("nodeName", "")} - {""}
    assert {c: u for c, u in uids.items() if len(u) != 1} == {}
    assert {c: n for c, n in nodes.items() if len(n) != 1} == {}
    granted = sum(request["status"]["granted"] for request in requests)
    assert granted == sum(request["spec"]["count"] for request in requests), requests
    # The ApplicationMaster, maps and reduces.
    least, most = (1 + MAPS + REDUCES + more for more in again)
    assert least <= len(uids) == granted <= most, sorted(uids)
    attempts = {pod["metadata"]["labels"]["kubeyarn.io/attempt"] for pod in seen}
    assert attempts == {"1"}
    masters = {container_of(pod) for pod in seen if is_master(pod)}
    assert masters == {found["status"]["attempts"][0]["containerId"]}


@contextmanager
def every_pod(live: Live, namespace: str) -> Iterator[list[Json]]:
    """Collects each state of each pod of a namespace while the block runs; filled at its end."""
    seen: list[Json] = []
    with tempfile.TemporaryFile("w+") as output:
        watch = subprocess.Popen(
            [
                *(live.cluster.kubectl, "--kubeconfig", live.cluster.kubeconfig_path),
                *("get", "pods", "-n", namespace, "-w", "-o", "json"),
            ],
            stdout=output,
        )
        try:
            yield seen
        finally:
            assert watch.poll() is None, "the watch of pods ended early"
            watch.terminate()
            watch.wait(20)
        output.seek(0)
        seen += _objects(output.read())


def _objects(text: str) -> Iterator[Json]:
    decoder, at = json.JSONDecoder(), 0
    while at < len(text):
        found, at = decoder.raw_decode(text, at)
        yield found
        while at < len(text) and text[at].isspace():
            at += 1


def _running_tasks(pods: list[Json]) -> list[Json]:
    return [p for p in pods if p["status"].get("phase") == "Running" and not is_master(p)]

"""ContainerRequests written by hand whose containers fail, and are asked for again."""

from __future__ import annotations

from wire.processes.cluster import GROUP, NAMESPACE

SMALL = {"cpu": "1", "memory": "1Gi"}


def by_hand(cluster, count=2, **spec):
    words = {
        "application": "words",
        "count": count,
        "resources": SMALL,
        "container": {"image": "task:1"},
    }
    cluster.api.put(
        "containerrequests",
        {
            **GROUP,
            "kind": "ContainerRequest",
            "metadata": {"name": "maps", "namespace": NAMESPACE},
            "spec": {**words, **spec},
        },
    )


def status(cluster):
    return cluster.api.get("containerrequests", "maps", NAMESPACE).get("status") or {}


def task_exits(codes):
    """Each task takes the next of *codes* as it runs; the AM runs on."""
    given = {}

    def code(pod):
        if pod["metadata"]["labels"]["kubeyarn.io/role"] != "task":
            return None
        uid = pod["metadata"]["uid"]
        if uid not in given:
            given[uid] = codes.pop(0) if codes else 0
        return given[uid]

    return code


async def test_failed_containers_are_made_again_up_to_the_limit(cluster, master):
    cluster.behaviour = task_exits([1, 3, 1])
    by_hand(cluster, onFailure="Retry", retryLimit=5)
    await cluster.until(lambda: status(cluster).get("succeeded") == 2)

    assert (status(cluster)["failed"], status(cluster)["retried"]) == (3, 3)
    assert (status(cluster)["granted"], status(cluster).get("pending", 0)) == (5, 0)
    condition = cluster.condition("containerrequests", "maps", "AllFieldsActing", NAMESPACE)
    assert condition["status"] == "True"


async def test_beyond_the_limit_failures_stay(cluster, master):
    cluster.behaviour = task_exits([1] * 10)
    by_hand(cluster, onFailure="Retry", retryLimit=3)
    await cluster.until(lambda: status(cluster).get("failed") == 5)

    assert status(cluster)["retried"] == 3
    assert (status(cluster)["granted"], status(cluster).get("pending", 0)) == (5, 0)
    assert status(cluster).get("succeeded", 0) == 0


async def test_a_pod_that_is_deleted_is_replaced_and_uses_no_retry_up(cluster, master):
    by_hand(cluster, onFailure="Retry")
    for lost in (1, 2, 3):
        await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
        cluster.api.remove("pods", cluster.pods("task")[0]["metadata"]["name"], NAMESPACE)
        await cluster.until(lambda lost=lost: status(cluster).get("replaced") == lost)

    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
    assert status(cluster).get("retried", 0) == 0
    assert status(cluster)["granted"] == 5


async def test_without_retry_nothing_is_asked_again(cluster, master):
    cluster.behaviour = task_exits([1, 0])
    by_hand(cluster)
    await cluster.until(lambda: status(cluster).get("failed") == 1)
    await cluster.until(lambda: status(cluster).get("succeeded") == 1)

    assert status(cluster)["granted"] == 2
    assert "retried" not in status(cluster)


async def test_restarts_in_the_middle_neither_lose_nor_add_a_container(cluster, master):
    cluster.behaviour = task_exits([1, 1, 1, 1])
    by_hand(cluster, count=4, onFailure="Retry", retryLimit=4)
    await cluster.until(lambda: status(cluster).get("failed", 0) >= 1)
    for process in ("manager", "scheduler"):
        await cluster.kill(process)
    cluster.start_manager()
    cluster.start_scheduler()
    await cluster.ready()

    await cluster.until(lambda: status(cluster).get("succeeded") == 4)
    assert (status(cluster)["failed"], status(cluster)["retried"]) == (4, 4)
    assert (status(cluster)["granted"], status(cluster).get("pending", 0)) == (8, 0)

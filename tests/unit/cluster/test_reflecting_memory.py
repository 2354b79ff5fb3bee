"""What a list of thousands of pods costs in memory, in each of the two processes."""

from __future__ import annotations

import asyncio
import gc
import tracemalloc
from contextlib import asynccontextmanager

import pytest

from kubeyarn.cluster import names
from kubeyarn.cluster.reflecting import Reflector
from kubeyarn.cluster.resources import PODS
from kubeyarn.resourcemanager.cache import Cache
from unit.scheduler.world import World, a_node, two_queues

PODS_IN_ALL = 4000
MOST = 300_000_000 / 50_000
"""Bytes a pod."""


class Pages:
    """An API server that has many pods of others, as large as pods are, in pages."""

    def __init__(self, many=PODS_IN_ALL, annotation=20_000):
        self.many, self.annotation, self.asked = many, annotation, 0

    async def list_page(self, kind, query):
        first, limit = int(query.get("continue") or 0), int(query["limit"])
        self.asked += 1
        last = min(first + limit, self.many)
        more = {"continue": str(last)} if last < self.many else {}
        return {
            "metadata": {"resourceVersion": "5", **more},
            "items": [self.pod(number) for number in range(first, last)],
        }

    def pod(self, number):
        ours = number % 2 == 0
        meta = {
            "name": f"pod-{number}",
            "namespace": f"team-{number % 50}",
            "uid": f"00000000-0000-0000-0000-{number:012d}",
            "resourceVersion": str(number),
            "creationTimestamp": "2025-11-23T12:13:20Z",
            "annotations": {"example.org/large": "x" * self.annotation},
            "labels": {"app": "a", "pod-template-hash": f"{number}"},
        }
        if ours:
            meta["annotations"] |= {
                names.CONTAINER_ID: f"container_1763850000000_0001_01_{number + 2:06d}",
                names.APPLICATION: "words",
                names.REQUEST: "maps",
            }
        resources = {"requests": {"cpu": "500m", "memory": "1Gi"}}
        container = {"name": "main", "image": "x", "env": [{"name": f"E{i}"} for i in range(40)]}
        spec = {
            "nodeName": f"n{number % 100}",
            "containers": [{**container, "resources": resources}],
        }
        if ours:
            spec["schedulerName"] = names.SCHEDULER_NAME
        return {"metadata": meta, "spec": spec, "status": {"phase": "Running"}}

    @asynccontextmanager
    async def watch(self, *_, **__):
        await asyncio.sleep(600)
        yield


def scheduler():
    return World(*two_queues(), ("node", a_node("n1"))).live.loop.pod_seen


def resource_manager():
    cache = Cache()
    return lambda what, item: cache.put_pod(item, deleted=what == "DELETED")


@pytest.mark.parametrize("process", [scheduler, resource_manager])
async def test_a_list_of_pods_costs_so_much_memory_a_pod(process):
    reflector = Reflector(Pages(), PODS, process())
    gc.collect()
    tracemalloc.start()
    try:
        following = asyncio.create_task(reflector.run())
        await reflector.synced.wait()
        _, peak = tracemalloc.get_traced_memory()
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
        following.cancel()
    # Besides what is kept, no more than a page and a half of what was listed.
    page = 500 * 40_000
    print(
        f"\n{process.__name__}: {kept / PODS_IN_ALL:.0f} bytes a pod kept, peak {peak / 1e6:.0f} MB"
    )
    assert kept / PODS_IN_ALL < MOST
    assert peak - kept < 2.5 * page


async def test_pages_are_handled_as_they_come():
    pages, seen = Pages(1200, annotation=10), []
    reflector = Reflector(pages, PODS, lambda *_: seen.append(pages.asked))
    following = asyncio.create_task(reflector.run())
    await reflector.synced.wait()
    following.cancel()
    assert [seen.count(page) for page in (1, 2, 3)] == [500, 500, 200]

"""What strikes, in an order that a seed decides."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from e2e.chaos.crew import REPLICAS, Crew
from e2e.chaos.scripts import Cluster, runs

Json = dict[str, Any]

# How often each strikes; together at least sixty.
DECK = {
    "resourcemanager": 7,
    "scheduler": 7,
    "resourcemanager_lost": 2,
    "scheduler_lost": 2,
    "kube_scheduler": 7,
    "api_server": 4,
    "node": 8,
    "pod": 9,
    "watches": 6,
    "conflicts": 5,
    "too_many": 5,
}


@dataclass
class Strikes:
    """Strikes one after the other; `log` says which, when and at what."""

    cluster: Cluster
    crew: Crew
    chance: random.Random
    nodes: list[str]
    log: list[str] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _returning: list[asyncio.Task[None]] = field(default_factory=list)

    async def run(self) -> None:
        deck = [name for name, times in DECK.items() for _ in range(times)]
        self.chance.shuffle(deck)
        for name in deck:
            await asyncio.sleep(self.chance.uniform(1.5, 3.5))
            at = time.monotonic() - self._began
            strike: Callable[[], Awaitable[str]] = getattr(self, name)
            self.log.append(f"{at:6.1f} s  {name}")
            self.log[-1] += f"  {await strike()}"
        await asyncio.gather(*self._returning)

    def look_after(self) -> None:
        """Whoever ended by itself is started again; it is told in the log."""
        for name in self.crew.look_after():
            at = time.monotonic() - self._began
            self.log.append(f"{at:6.1f} s    ({name} had ended by itself)")

    async def resourcemanager(self) -> str:
        return await self._kill("resourcemanager")

    async def scheduler(self) -> str:
        return await self._kill("scheduler")

    async def kube_scheduler(self) -> str:
        return await self._kill("kube-scheduler")

    async def _kill(self, component: str) -> str:
        name = f"{component}-{self.chance.choice(REPLICAS)}"
        await asyncio.to_thread(self.crew.kill, name)
        return name

    async def resourcemanager_lost(self) -> str:
        return await self._lose("resourcemanager")

    async def scheduler_lost(self) -> str:
        return await self._lose("scheduler")

    async def _lose(self, component: str) -> str:
        """The leader with its node; the other one takes over."""
        name = await asyncio.to_thread(self.crew.leader, component) or f"{component}-0"
        lost = await asyncio.to_thread(self.crew.lose, name)

        async def come_back() -> None:
            await asyncio.sleep(14)
            await asyncio.to_thread(self.crew.bring_back, lost)

        self._returning.append(asyncio.create_task(come_back()))
        return name

    async def api_server(self) -> str:
        cluster = self.crew.cluster
        await asyncio.to_thread(cluster.kill, "kube-apiserver")
        await asyncio.to_thread(cluster.start, "kube-apiserver", wait=False)
        # Not /readyz: it waits for all of Kubernetes' own roles to be looked at.
        await self.cluster.call("GET", "/api/v1/namespaces/default")
        return f"back at {time.monotonic() - self._began:.1f} s"

    async def node(self) -> str:
        name = self.chance.choice(self.nodes)
        away = self.chance.uniform(2, 8)
        status, found = await self.cluster.call("GET", f"/api/v1/nodes/{name}")
        if status != 200:
            return f"{name} is away already"
        await self.cluster.call("DELETE", f"/api/v1/nodes/{name}")
        self._returning.append(asyncio.create_task(self._bring_back(found, away)))
        return f"{name} for {away:.1f} s"

    async def _bring_back(self, node: Json, after_s: float) -> None:
        await asyncio.sleep(after_s)
        kept = {key: node["metadata"][key] for key in ("name", "labels", "annotations")}
        fresh = {"apiVersion": "v1", "kind": "Node", "metadata": kept, "status": node["status"]}
        await self.cluster.call("POST", "/api/v1/nodes", fresh)

    async def pod(self) -> str:
        running = [p["metadata"]["name"] for p in list(self.cluster.record.now.values()) if runs(p)]
        if not running:
            return "none runs"
        name = self.chance.choice(sorted(running))
        path = self.cluster.of("pods", name, "/api/v1")
        await self.cluster.call("DELETE", path + "?gracePeriodSeconds=0")
        return name

    async def watches(self) -> str:
        await asyncio.to_thread(self.crew.cut_watches, self.chance.uniform(0.2, 2))
        return ""

    async def conflicts(self) -> str:
        await asyncio.to_thread(self.crew.storm, 409, 0.6, self.chance.uniform(1, 3))
        return ""

    async def too_many(self) -> str:
        await asyncio.to_thread(self.crew.storm, 429, 0.8, self.chance.uniform(1, 3))
        return ""

"""Nodes: what each has for containers, told to the scheduler.

Compared is the node as the scheduler counts it: allocatable, pod slots included, less what foreign
pods take.
Heartbeats change none of it and end in the cache. The scheduler's record of nodes
(`SchedulerState.nodes`) tells a node that joins from one that changed.

A deleted node is *lost*: its pods live on until Kubernetes has removed them, and run again if the
node comes back. So a grant there that has no pod is revoked at once, while bound containers count
until their pods are over; meanwhile the scheduler knows the node with nothing free. What an
ApplicationMaster asked for is not revoked: it was told of the container, and hears of its end by
the pod's. A process that starts after the node went knows it only by the pods that name it
(`keep_lost`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from kubeyarn.crd.object import Object
from kubeyarn.model.ids import ContainerId
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.facts import (
    NodeFacts,
    WhyUnusable,
    node_facts,
    scheduler_node,
    taken_by,
)
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.scheduler_state import SchedulerState

Revoke = Callable[[ContainerId, int], None]


class NodeReconciler:
    """Takes nodes into the scheduler; *revoke* takes back a grant whose node went."""

    def __init__(
        self,
        cache: SchedulerCache,
        state: SchedulerState,
        containers: ContainerAccounts,
        revoke: Revoke,
    ) -> None:
        self._cache = cache
        self._state = state
        self._containers = containers
        self._revoke = revoke

    def see(self, node: Object, *, deleted: bool) -> bool:
        """Take a node as seen; whether anything changed that matters to the scheduler."""
        if deleted:
            self._cache.nodes.delete(node["metadata"]["name"])
            return True
        facts = node_facts(node)
        before = self._cache.nodes.facts.get(facts.name)
        if not self._cache.nodes.see(facts):
            return False
        if before is not None and before.partition != facts.partition:
            # At once: the bind check reads bound usage between two turns, too.
            self._containers.relabel(facts.name)
        return True

    def sync(self, name: str, now_ms: int) -> None:
        """Bring one node in line; one that our code fails on, or is set aside, takes nothing."""
        errors, key = self._cache.errors, ("", name)
        if self._cache.set_aside.has(Watched.NODE, key):
            errors.attempt(Watched.NODE, key, self._close, name)
            return
        if errors.attempt(Watched.NODE, key, self._sync, name, now_ms) is None:
            return
        if name in self._state.nodes:
            errors.attempt(Watched.NODE, key, self._close, name)

    def _sync(self, name: str, now_ms: int) -> None:
        facts = self._cache.nodes.facts.get(name)
        if facts is None:
            self._lose(name, now_ms)
        else:
            self._put(facts, taken_by(self._cache.pods.foreign_on(name), facts))
        self._containers.node_changed(name)

    def _close(self, name: str) -> None:
        facts = self._cache.nodes.facts.get(name) or self._cache.nodes.lose(name)
        self._put(replace(facts, allocatable={}, unusable=WhyUnusable.NOT_READY), {})

    def keep_lost(self) -> None:
        """Have a new scheduler know the nodes that are gone and that living pods are bound to."""
        for use in self._cache.pods.of_containers():
            if use.node and not use.over and use.node not in self._cache.nodes.facts:
                key = ("", use.node)
                self._cache.errors.attempt(Watched.NODE, key, self._keep, use.node)

    def lost(self) -> list[str]:
        """Nodes that are gone: those the scheduler knows still, and those that containers name."""
        named = self._cache.requests.nodes_in_use() | self._state.nodes
        return sorted(named - self._cache.nodes.facts.keys())

    def _lose(self, name: str, now_ms: int) -> None:
        """A node is gone: what has no pod there is asked for again, the rest goes with its pods."""
        for container, state in self._cache.requests.on_node(name):
            # Bound containers are not revoked: `revoke` passes over them.
            if not state.asked_by_master:
                self._revoke(container, now_ms)
        if self._cache.requests.on_node(name):
            self._keep(name)
        else:
            self._cache.nodes.forget(name)
            self._cache.node_classes.drop(name)
            self._state.remove_node(name)

    def _keep(self, name: str) -> None:
        # What runs there stays charged to its queue; nothing free means nothing new.
        facts = self._cache.nodes.lose(name)
        self._put(replace(facts, allocatable={}, unusable=WhyUnusable.NOT_READY), {})

    def _put(self, facts: NodeFacts, foreign: Mapping[str, int]) -> None:
        has_partitions = self._state.has_partitions
        traits = facts.traits(has_partitions=has_partitions)
        node_class = self._cache.node_classes.put(traits, usable=facts.unusable is None)
        self._state.put_node(
            scheduler_node(
                facts,
                foreign,
                self._state.types,
                has_partitions=has_partitions,
                node_class=node_class,
            )
        )

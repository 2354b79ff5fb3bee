"""The ledger keeper: brings the scheduling engine in line with what the API server says.

Everything here is a level. `rebuild` makes a fresh engine from all that is cached, in an order
that depends on the objects alone; the `sync_…` calls bring a living engine in line with one object
that changed. Both lead to the same ledger. What is kept is in `books`; each module beside it
knows one thing about it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from kubeyarn.crd.object import Key, Object
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler import (
    adopting,
    applications,
    binding,
    granting,
    growing,
    nodes,
    pods,
    requests,
    submitting,
    tree,
    updating,
)
from kubeyarn.scheduler.books import Books, application_id
from kubeyarn.scheduler.facts import PodUse
from kubeyarn.scheduler.queue_tree import InForce
from kubeyarn.schedulers.api import Decision, Grant, Increase, Preempt
from kubeyarn.schedulers.opportunistic import OpportunisticContainerAllocator


class Ledger(Books):
    """The books, and what is done with them."""

    # The whole.

    def rebuild(self, now_ms: int) -> None:
        """A fresh engine from everything that is cached."""
        if tree.abandoned(self):
            self.in_force = InForce()
        self.named_by_queues = None
        before, self.types = self.types, tree.all_types(self)
        self.in_engine.clear()
        self.submitted_as.clear()
        places, self.placed = self.placed, {}
        self.key_of.clear()
        self.attempts.clear()
        for state in self.requests.values():
            state.asked, state.excluded = None, frozenset()
            if state.size is not None:
                known = before.mapping(state.size)
                state.size = tuple(known.get(name, 0) for name in self.types.names)
            for held in state.grants.values():
                if held.size is not None:
                    known = before.mapping(held.size)
                    held.size = tuple(known.get(name, 0) for name in self.types.names)
        self.kind = tree.wanted_kind(self)
        self.engine = self.make_engine(self.kind, self.types)
        self.opportunist = OpportunisticContainerAllocator()
        self.growing.clear()
        tree.configure(self, now_ms)
        for name in sorted(self.nodes):
            nodes.sync_node(self, name, now_ms)
        nodes.stand_in(self)
        self.bound_in, self.bound_by = {}, {}
        with_id = {
            key: identity
            for key, found in self.applications.items()
            if (identity := application_id(found)) is not None
        }
        for _, key in sorted((identity, key) for key, identity in with_id.items()):
            applications.sync_application(self, key, now_ms)
        for key, application in sorted(self.apart.items()):
            # The engine has it back as one whose AM is over; it asks for nothing.
            gone = replace(application, placed=places[key], am_size=None)
            submitting.enter(self, key, gone, requests.requests_for(self, key, None), now_ms)
        for key in sorted(self.requests_of.keys() - with_id.keys()):
            applications.sync_application(self, key, now_ms)
        self.settle(now_ms)

    def settle(self, now_ms: int) -> None:
        """Count what no request tells of, and let go of nodes that are gone and empty."""
        changed = adopting.take_in(self, now_ms)
        for name in [*nodes.lost(self), *changed]:
            nodes.sync_node(self, name, now_ms)

    def outgrown(self) -> bool:
        """Whether the engine is not the one any more that the objects call for.

        Root names another scheduler, something names a resource it does not know, or it stands for
        queues of which none is left.
        """
        changed = tree.wanted_kind(self) is not self.kind or tree.all_types(self) != self.types
        return changed or tree.abandoned(self)

    # Queues.

    def configure(self, now_ms: int) -> None:
        """Put what the queues say in force, as far as it adds up."""
        tree.configure(self, now_ms)

    def leaving(self) -> frozenset[str]:
        """Deleted queues that no application and no queue below them uses any more."""
        return tree.leaving(self)

    def bound(self, path: str, partition: str = "") -> Vector:
        """What bound containers hold of a partition, in a queue and those below it."""
        return tuple(self.bound_in.get((path, partition), self.types.zero()))

    def bound_by_user(self, queue: str, user: str, partition: str = "") -> Vector:
        """What bound containers of a user hold of a partition, in one queue."""
        return tuple(self.bound_by.get((queue, user, partition), self.types.zero()))

    def limit(self, path: str, partition: str = "") -> Vector | None:
        """The most a queue may hold of a partition; None for a queue that is not in force."""
        in_force = self.in_force.config is not None
        return self.engine.effective_maximum(path, partition) if in_force else None

    # Nodes and pods.

    def see_node(self, node: Object) -> bool:
        """Take a node as seen; whether it matters to the ledger."""
        return nodes.see_node(self, node)

    def forget_node(self, name: str) -> None:
        """Take a node as deleted."""
        nodes.forget_node(self, name)

    def sync_node(self, name: str, now_ms: int) -> None:
        """Bring one node in line."""
        nodes.sync_node(self, name, now_ms)
        growing.look(self, name)

    def see_pod(self, pod: Object, *, deleted: bool) -> tuple[PodUse, str]:
        """Take a pod as seen; returns its facts and the node whose free room it changed, or ""."""
        return pods.see_pod(self, pod, deleted=deleted)

    # Applications and requests.

    def see_application(self, found: Object, *, deleted: bool) -> Key:
        """Take a YarnApplication as seen."""
        return applications.see_application(self, found, deleted=deleted)

    def see_request(self, found: Object, *, deleted: bool) -> Key:
        """Take a ContainerRequest as seen; returns its application's key."""
        return requests.see_request(self, found, deleted=deleted)

    def sync_application(self, key: Key, now_ms: int) -> None:
        """Bring one application with its requests in line."""
        applications.sync_application(self, key, now_ms)

    # Containers.

    def granted(self, grant: Grant) -> None:
        """Note a decision of the engine, to be written."""
        granting.granted(self, grant)

    def preempting(self, decision: Preempt) -> None:
        """Note that a container is marked to be taken back, or is taken back now."""
        granting.preempting(self, decision)

    def refused(self, before: str) -> list[tuple[ContainerId, PodUse]]:
        """Granted containers whose pods kube-scheduler could not bind since the time *before*."""
        return granting.refused(self, before)

    def revoke(self, container: ContainerId, now_ms: int) -> None:
        """Take back a grant whose pod kube-scheduler refuses, and ask for another in its place."""
        granting.revoke(self, container, now_ms)

    def see_to_opportunistic(self, limit: int) -> Sequence[Decision]:
        """Have opportunistic containers go whose room was taken, and grant others."""
        if self.opportunist.idle:
            return ()
        return self.opportunist.cycle(self.engine.node_reports(), self.engine.next_id, limit)

    def grown(self, decision: Increase) -> None:
        """Note that a container has what it wanted more of."""
        updating.grown(self, decision)

    def why_growing(self, container: ContainerId, now_ms: int) -> None:
        """Note what a container waits for that wants more, if it is for another reason now."""
        updating.note_why(self, container, now_ms)

    def forgive(self, now_ms: int) -> None:
        """Let applications use nodes again that they have avoided for long enough."""
        granting.forgive(self, now_ms)

    def bind(self, container: ContainerId, uid: str) -> None:
        """A pod uses a grant from now on; counted in its queues as bound."""
        binding.bind(self, container, uid)

    def unbind(self, container: ContainerId, uid: str) -> None:
        """The binding did not come about."""
        binding.unbind(self, container, uid)

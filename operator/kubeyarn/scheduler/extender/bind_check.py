"""The last check before a binding: is the container granted, and does its queue stay in its limits.

An annotation says which container a pod is, and anybody who may make pods can write one. So the pod
is compared with the grant: it has the namespace, the name and the owner that the ResourceManager
gives to the container's pod, and as a whole it requests no more than was granted.

The grant decides which node a pod may run on; what is bound decides whether a queue or a user may
hold more. The two are compared here, under no lock but in one turn of the event loop: between the
check and `ContainerAccounts.bind` nothing else runs, so two pods cannot both take the last of a
queue.
"""

from __future__ import annotations

from kubeyarn.cluster import names
from kubeyarn.crd import quantities
from kubeyarn.model.errors import KubeYarnError
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector
from kubeyarn.scheduler.cache import SchedulerCache
from kubeyarn.scheduler.containers import ContainerAccounts
from kubeyarn.scheduler.extender.bound_usage import parents_and_self
from kubeyarn.scheduler.facts import PodUse
from kubeyarn.scheduler.request_state import RequestState
from kubeyarn.scheduler.scheduler_state import SchedulerState
from kubeyarn.schedulers.api import NO_MAXIMUM


class BindRefused(KubeYarnError):
    """A pod that may not be bound, and why."""


class BindCheck:
    """Whether a pod of ours may run on a node now."""

    def __init__(
        self, cache: SchedulerCache, state: SchedulerState, containers: ContainerAccounts
    ) -> None:
        self._requests = cache.requests
        self._applications = cache.applications
        self._state = state
        self._containers = containers

    def granted_node(self, container: ContainerId, uid: str) -> str:
        """The node that *container*'s grant allows its pod.

        Raises:
            BindRefused: there is no such grant, or another pod has used it.
        """
        allocation = self._requests.allocation(container)
        if allocation is None or allocation.released:
            raise BindRefused(f"{container}: it has no grant; nothing runs without one")
        if allocation.bound_uid not in ("", uid):
            raise BindRefused(f"{container}: its grant is used by another pod")
        return allocation.node

    def check_pod(self, pod: PodUse) -> None:
        """Whether a pod that says it is a granted container is that one, and fits its grant.

        Raises:
            BindRefused: it is not, or is larger.
        """
        container = pod.container
        state = self._requests.of_container(container) if container is not None else None
        if container is None or state is None:
            raise BindRefused(f"pod {pod.namespace}/{pod.name} is no granted container")
        self._check_identity(pod, container, state)
        # Of what cannot be read nobody knows how large it is.
        if pod.unreadable:
            raise BindRefused(f"{container}: {pod.unreadable}")
        allocation = state.allocations[container]
        size = allocation.size or state.size
        granted = self._state.types.mapping(size) if size else {}
        for name, amount in pod.requests.items():
            if amount > granted.get(name, 0):
                most = quantities.show(name, granted.get(name, 0))
                raise BindRefused(
                    f"{container}: its pod as a whole requests {name} "
                    f"{quantities.show(name, amount)}, granted: {most}"
                )

    def _check_identity(self, pod: PodUse, container: ContainerId, state: RequestState) -> None:
        """The pod is the one that the ResourceManager makes of this grant."""
        application = self._applications.objects.get(state.application)
        if application is None:
            if state.allocations[container].bound_uid == pod.uid:
                # Bound already, and said again; its application went meanwhile.
                return
            raise BindRefused(f"{container}: its application is gone")
        meta = application.metadata
        expected = (meta.namespace, names.pod_name(meta.name, container), meta.uid)
        identity = (pod.namespace, pod.name, pod.owner)
        what = ("namespace", "name", "uid of the owning YarnApplication")
        for field, one, other in zip(what, identity, expected, strict=True):
            if one != other:
                raise BindRefused(
                    f"{container}: pod {pod.namespace}/{pod.name} is not its pod: found the "
                    f"{field} {one!r}, expected {other!r}"
                )

    def check(self, container: ContainerId, uid: str, node: str) -> None:
        """The last check before a binding.

        Raises:
            BindRefused: no grant, another node, its application or attempt has ended, its user is
                over its limit, or a queue would hold more than its maximum.
        """
        allowed = self.granted_node(container, uid)
        if node != allowed:
            raise BindRefused(f"{container}: granted on node {allowed}, not on {node}")
        allocation = self._requests.allocation(container)
        if allocation is not None and allocation.bound_uid != uid:
            # One that is asked for again is counted already.
            self._check_application(container)
            if allocation.opportunistic:
                # It counts against no queue and no user.
                return
            partition = self._containers.partition_of(node)
            self._check_queues(container, partition)
            self._check_user(container, partition)

    def _check_application(self, container: ContainerId) -> None:
        state = self._requests.of_container(container)
        if state is not None and (state.over or state.superseded):
            ended = "application" if state.over else "attempt"
            raise BindRefused(
                f"{container}: its {ended} has ended; what it was granted starts no more"
            )

    def _check_user(self, container: ContainerId, partition: str) -> None:
        state = self._requests.of_container(container)
        if state is None or self._state.in_force.config is None:
            return
        user = self._state.applications.user_of(state.application)
        holds = self._containers.bound.of_user(
            state.queue, user, partition, self._state.types.zero()
        )
        identity = container.attempt.application
        if self._state.scheduler.user_over_cap(identity, holds, partition):
            raise BindRefused(
                f"{container}: user {user} holds {self._shown(holds)} in queue {state.queue}, "
                "which is over its limit there"
            )

    def _check_queues(self, container: ContainerId, partition: str) -> None:
        state = self._requests.of_container(container)
        allocation = self._requests.allocation(container)
        size = (allocation and allocation.size) or (state and state.size)
        if state is None or not size:
            return
        of_partition = f" of partition {partition}" if partition else ""
        # Each parent has a maximum of its own, and its children together may be at it.
        for path in parents_and_self(state.queue):
            limit = self._maximum(path, partition)
            holds = self._containers.bound.of_queue(path, partition, self._state.types.zero())
            after = tuple(a + b for a, b in zip(holds, size, strict=True))
            if limit is not None and not _within(after, limit, size):
                raise BindRefused(
                    f"{container}: queue {path} would hold {self._shown(after)} of at most "
                    f"{self._shown(limit)}{of_partition}"
                )

    def _maximum(self, path: str, partition: str) -> Vector | None:
        """The most a queue may hold of a partition; None for a queue that is not in force."""
        if self._state.in_force.config is None:
            return None
        return self._state.scheduler.effective_maximum(path, partition)

    def _shown(self, vector: Vector) -> str:
        amounts = self._state.types.mapping(vector)
        return ", ".join(
            f"{k} {quantities.show(k, v)}" for k, v in amounts.items() if 0 < v < NO_MAXIMUM
        )


def _within(after: Vector, limit: Vector, size: Vector) -> bool:
    """Whether no type that is asked for passes its limit."""
    # A maximum that was lowered below what a queue holds of another type does not stop this one.
    return all(a <= m for a, m, s in zip(after, limit, size, strict=True) if s)

"""The scheduler that decides, and what it has been told.

`SchedulerState` holds the ResourceScheduler in force (Capacity or Fair), the allocator of
opportunistic containers beside it, and a record of what both know: nodes, applications, and the
queue tree in force. Reconcilers compare this record with the cache and tell the difference.

A scheduler is thrown away and built anew when root names the other one or when resource types come
or go, because vectors have one place a type. `reset` then forgets all that the old one was told.
What must outlive it stays: the numbers of containers that were given away (a name is never used
twice), which priority and queue of a spec were acted on, and applications that exist only here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType

from kubeyarn.crd.object import Key
from kubeyarn.model.applications import Application
from kubeyarn.model.ids import ApplicationId, ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.scheduler.queue_tree import InForce
from kubeyarn.scheduler.request_state import AppliedSpec
from kubeyarn.schedulers.api import ResourceScheduler
from kubeyarn.schedulers.opportunistic import OpportunisticContainerAllocator, OpportunisticLimits

MakeScheduler = Callable[[SchedulerKind, ResourceTypes], ResourceScheduler]


@dataclass(slots=True)
class SubmittedApplication:
    """An application that the scheduler knows (Hadoop: SchedulerApplication).

    *queue* is the leaf that it was placed in, *attempt* the newest attempt that was begun. One that
    is *suspended* asks the scheduler for nothing.
    """

    key: Key
    application: Application
    queue: str
    attempt: int
    suspended: bool = False

    @property
    def id(self) -> ApplicationId:
        """Its id."""
        return self.application.id

    def rename(self, key: Key) -> None:
        """It has another key, because its name is free for another application."""
        self.key = key

    def begin_attempt(self, number: int) -> None:
        """Another attempt replaces the one before."""
        self.attempt = number

    def move(self, queue: str) -> None:
        """It is in another leaf now."""
        self.queue = queue

    def suspend(self, suspended: bool) -> bool:
        """Whether it asks for nothing from now on; returns whether it did before."""
        before, self.suspended = self.suspended, suspended
        return before


class SubmittedApplications:
    """The applications that the scheduler knows, by key and by id.

    *Detached* ones have no YarnApplication any more; containers of theirs run still. They have keys
    of their own, so that another application can have the name.
    """

    def __init__(self) -> None:
        self._by_key: dict[Key, SubmittedApplication] = {}
        self._by_id: dict[ApplicationId, SubmittedApplication] = {}
        self._detached: dict[Key, tuple[Application, str]] = {}
        self._last_numbers: dict[ApplicationId, tuple[int, int]] = {}
        self._last_specs: dict[Key, AppliedSpec] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._by_key

    def __len__(self) -> int:
        return len(self._by_key)

    def get(self, key: Key) -> SubmittedApplication | None:
        """An application by its key."""
        return self._by_key.get(key)

    def by_id(self, identity: ApplicationId) -> SubmittedApplication | None:
        """An application by its id."""
        return self._by_id.get(identity)

    def queues_in_use(self) -> set[str]:
        """The leaves that have applications."""
        return {submitted.queue for submitted in self._by_key.values()}

    def user_of(self, key: Key) -> str:
        """An application's user; "" before it was submitted."""
        submitted = self._by_key.get(key)
        return submitted.application.user if submitted is not None else ""

    def add(self, key: Key, application: Application, queue: str, attempt: int) -> None:
        """The scheduler knows an application from now on."""
        submitted = SubmittedApplication(key, application, queue, attempt)
        self._by_key[key] = self._by_id[application.id] = submitted
        if key in self._detached:
            self._detached[key] = (application, queue)

    def finish(self, key: Key) -> ApplicationId:
        """The scheduler knows an application no longer; returns its id."""
        submitted = self._by_key.pop(key)
        del self._by_id[submitted.id]
        self._detached.pop(key, None)
        self._last_numbers.pop(submitted.id, None)
        self._last_specs.pop(key, None)
        return submitted.id

    def detach(self, key: Key) -> Key:
        """Its YarnApplication is gone or replaced; returns the key that it has from now on."""
        submitted = self._by_key.pop(key)
        # No object's name has a blank, and no two applications have one id.
        detached = (key[0], f"{key[1]} {submitted.id}")
        submitted.rename(detached)
        self._by_key[detached] = submitted
        self._detached[detached] = (submitted.application, submitted.queue)
        self._last_specs.pop(key, None)
        return detached

    def detach_unseen(self, key: Key, application: Application) -> None:
        """An application of which only pods are left; it is submitted next."""
        self._detached[key] = (application, application.placed)

    def is_detached(self, key: Key) -> bool:
        """Whether no YarnApplication stands behind it."""
        return key in self._detached

    @property
    def detached(self) -> Mapping[Key, tuple[Application, str]]:
        """The detached applications with their queues, read-only."""
        return MappingProxyType(self._detached)

    def forget_detached(self, key: Key) -> None:
        """The scheduler did not take a detached application."""
        self._detached.pop(key, None)

    def number_given(self, container: ContainerId) -> None:
        """A container has this number; no later one of its attempt may have it."""
        application, attempt = container.attempt.application, container.attempt.number
        known = self._last_numbers.get(application, (0, 0))
        self._last_numbers[application] = max(known, (attempt, container.number))

    def last_number(self, identity: ApplicationId, attempt: int) -> int | None:
        """The highest number given in an attempt by this process; None: no later one than it."""
        known, last = self._last_numbers.get(identity, (0, 0))
        return last if known == attempt else None

    def last_spec(self, key: Key) -> AppliedSpec | None:
        """The priority and queue that were acted on last."""
        return self._last_specs.get(key)

    def spec_applied(self, key: Key, spec: AppliedSpec) -> None:
        """This priority and queue were acted on."""
        self._last_specs[key] = spec

    def reset(self) -> None:
        """A new scheduler knows none of them."""
        # Where they were last: the new scheduler must put them into the same leaves.
        for key, (application, queue) in self._detached.items():
            known = self._by_key.get(key)
            self._detached[key] = (application, known.queue if known is not None else queue)
        self._by_key.clear()
        self._by_id.clear()


class SchedulerState:
    """The scheduler in force with the record of what it was told."""

    def __init__(self, make_scheduler: MakeScheduler) -> None:
        self._make_scheduler = make_scheduler
        self._kind = SchedulerKind.CAPACITY
        self._types = ResourceTypes()
        self._scheduler = make_scheduler(self._kind, self._types)
        self._opportunistic = OpportunisticContainerAllocator()
        self._nodes: set[str] = set()
        self._in_force = InForce()
        self._opportunistic_limits = OpportunisticLimits()
        self._tried_without: frozenset[str] = frozenset()
        self.applications = SubmittedApplications()

    @property
    def scheduler(self) -> ResourceScheduler:
        """The scheduler in force."""
        return self._scheduler

    @property
    def opportunistic(self) -> OpportunisticContainerAllocator:
        """Who grants opportunistic containers in room that nobody holds."""
        return self._opportunistic

    @property
    def opportunistic_limits(self) -> OpportunisticLimits:
        """How many of them queues may have, as the tree in force says it."""
        return self._opportunistic_limits

    def queue_of(self, application: ApplicationId) -> str:
        """The leaf that an application is in; "" for one that is not submitted."""
        submitted = self.applications.by_id(application)
        return submitted.queue if submitted is not None else ""

    @property
    def kind(self) -> SchedulerKind:
        """Which scheduler is in force."""
        return self._kind

    @property
    def has_partitions(self) -> bool:
        """Whether it knows node labels; the Fair Scheduler sees one cluster."""
        return self._kind is not SchedulerKind.FAIR

    @property
    def types(self) -> ResourceTypes:
        """The resources that it counts."""
        return self._types

    @property
    def in_force(self) -> InForce:
        """The queue tree that it goes by."""
        return self._in_force

    def reset(self, kind: SchedulerKind, types: ResourceTypes) -> None:
        """Begin with a new scheduler that knows neither nodes nor applications."""
        self._kind, self._types = kind, types
        self._scheduler = self._make_scheduler(kind, types)
        self._opportunistic = OpportunisticContainerAllocator()
        self._nodes.clear()
        self.applications.reset()

    # Queues.

    @property
    def tried_without(self) -> frozenset[str]:
        """The deleted queues that the tree in force was tried without."""
        return self._tried_without

    def try_without(self, queues: frozenset[str]) -> None:
        """The next tree is tried without these deleted queues."""
        self._tried_without = queues

    def put_in_force(self, tree: InForce) -> None:
        """The scheduler goes by this tree now."""
        self._in_force = tree
        self._opportunistic_limits = OpportunisticLimits.of(tree.config)

    def forget_queues(self) -> None:
        """Begin anew without a queue tree and without nodes; there must be no applications."""
        self.put_in_force(InForce())
        self._scheduler = self._make_scheduler(self._kind, self._types)
        self._nodes.clear()

    # Nodes.

    @property
    def nodes(self) -> Set[str]:
        """The nodes that the scheduler knows."""
        return frozenset(self._nodes)

    def put_node(self, node: Node) -> None:
        """Tell the scheduler how a node is now."""
        if node.name in self._nodes:
            self._scheduler.update_node(node)
        else:
            self._nodes.add(node.name)
            self._scheduler.add_node(node)

    def remove_node(self, name: str) -> None:
        """Tell the scheduler that a node is gone."""
        if name in self._nodes:
            self._nodes.discard(name)
            self._scheduler.remove_node(name)

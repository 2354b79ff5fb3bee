"""What applications ask for: outstanding asks and their keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from kubeyarn.model.constraints import PlacementConstraint
from kubeyarn.model.resources import Vector


class AskKey(NamedTuple):
    """Names an ask within its application (Hadoop: SchedulerRequestKey).

    Lower *priority* is served first, then lower *allocation_request_id*; *name* tells apart
    ContainerRequests with the same two numbers, and comes last in the order.
    """

    priority: int
    allocation_request_id: int = -1
    name: str = ""


AM_KEY = AskKey(priority=0, allocation_request_id=-2)
"""The key under which an attempt asks for its ApplicationMaster; -2 is nobody else's id."""

# Above every priority that an ask may have: the API's are 32-bit numbers.
_AFTER_ALL = 2**40


def update_key(key: AskKey, container: str) -> AskKey:
    """The key of the ask by which *container*, granted under *key*, grows.

    Hadoop: SchedulerRequestKey.containerToUpdate, which comes after all new containers.
    """
    return AskKey(_AFTER_ALL + key.priority, key.allocation_request_id, container)


def is_update(key: AskKey) -> bool:
    """Whether this is the key of an ask by which a container grows."""
    return key.priority >= _AFTER_ALL


NOWHERE: frozenset[str] = frozenset()
"""No nodes and racks. One for all: every empty set that is made anew takes 216 bytes."""


@dataclass(frozen=True, slots=True)
class Locality:
    """Where an ask wants to be (Hadoop: ResourceRequest rows of hosts and racks).

    *nodes* and *racks* carry counts: how many of the containers would rather be there. With
    *relax* False nothing outside them is taken. *excluded* are nodes and racks where nothing is
    taken (Hadoop: AppSchedulingInfo.placesBlacklistedByApp). *classes* are the node classes where
    something may be taken (`Node.node_class`); None: on every node that is not dedicated.
    """

    nodes: tuple[tuple[str, int], ...] = ()
    racks: tuple[tuple[str, int], ...] = ()
    relax: bool = True
    excluded: frozenset[str] = NOWHERE
    classes: frozenset[int] | None = None

    def suits(self, node_class: int, *, dedicated: bool) -> bool:
        """Whether something may be taken on nodes of this class."""
        return not dedicated if self.classes is None else node_class in self.classes


ANYWHERE = Locality()


@dataclass(frozen=True, slots=True)
class Ask:
    """*count* containers of *size* that are still wanted: outstanding, absolute.

    Source: Hadoop ResourceRequest. *partition* None means: the application's or queue's default.
    *tags* are what the containers carry, *constraint* says where they may be with regard to tags
    (Hadoop: SchedulingRequest). One that was *admitted* before, perhaps by another scheduler
    process, is not refused because the nodes that could hold it have gone.
    """

    key: AskKey
    count: int
    size: Vector
    partition: str | None = None
    locality: Locality = ANYWHERE
    opportunistic: bool = False
    constraint: PlacementConstraint | None = None
    tags: tuple[str, ...] = ()
    admitted: bool = False

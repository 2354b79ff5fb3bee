"""Allocation tags of containers, counted by node and rack, and the constraints that look at them.

Hadoop: AllocationTagsManager keeps the counts, PlacementConstraintsUtil checks a constraint against
them. A node that is asked for a container of an application satisfies `in,node,TAG` if a container
with the tag runs there, `notin,node,TAG` if none does, and a cardinality if as many do.

Invariant: the counts are those of the containers that run now, and no application has a count of 0,
so a cluster without tags pays nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kubeyarn.model.constraints import (
    AllOf,
    Cardinality,
    Expression,
    Namespace,
    Scope,
    Target,
)
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId

Counts = dict[str, dict[ApplicationId, int]]
"""By tag: how many containers of each application carry it."""


class AllocationTagsManager:
    """Counts of tags on every node and rack (Hadoop: AllocationTagsManager)."""

    def __init__(self) -> None:
        self._on: dict[tuple[Scope, str], Counts] = {}
        self._tags_of: dict[ApplicationId, frozenset[str]] = {}

    def add_application(self, application: ApplicationId, tags: tuple[str, ...]) -> None:
        """Remember the tags an application was submitted with, for the namespace app-tag."""
        if tags:
            self._tags_of[application] = frozenset(tags)

    def remove_application(self, application: ApplicationId) -> None:
        """Forget an application that ended."""
        self._tags_of.pop(application, None)

    def add_container(self, container: Container, rack: str) -> None:
        """Count the tags of a container that starts on a node of *rack*."""
        self._count(container, rack, 1)

    def remove_container(self, container: Container, rack: str) -> None:
        """Count the tags of a container no more."""
        self._count(container, rack, -1)

    def _count(self, container: Container, rack: str, change: int) -> None:
        application = container.id.attempt.application
        for place in ((Scope.NODE, container.node), (Scope.RACK, rack)):
            counts = self._on.setdefault(place, {})
            for tag in container.tags:
                of_tag = counts.setdefault(tag, {})
                of_tag[application] = of_tag.get(application, 0) + change
                # Entries of 0 would be walked by every later question about other applications.
                if not of_tag[application]:
                    del of_tag[application]

    def can_satisfy(
        self, expression: Expression, application: ApplicationId, node: str, rack: str
    ) -> bool:
        """Whether a container of the application may be placed on the node.

        Hadoop: PlacementConstraintsUtil.canSatisfyConstraints.
        """
        if isinstance(expression, Cardinality):
            place = (Scope.NODE, node) if expression.scope is Scope.NODE else (Scope.RACK, rack)
            counts = self._on.get(place, {})
            return all(
                self._holds(expression, target, application, counts)
                for target in expression.targets
            )
        found = (self.can_satisfy(part, application, node, rack) for part in expression.parts)
        return all(found) if isinstance(expression, AllOf) else any(found)

    def _holds(
        self, one: Cardinality, target: Target, application: ApplicationId, counts: Counts
    ) -> bool:
        count = self._total(target, application, counts.get(target.tag, {}))
        return count >= one.minimum and (one.maximum is None or count <= one.maximum)

    def _total(
        self, target: Target, own: ApplicationId, counts: Mapping[ApplicationId, int]
    ) -> int:
        # The only one that needs no walk over applications.
        if target.namespace is Namespace.SELF:
            return counts.get(own, 0)
        counted = self._counted(target, own)
        return sum(count for application, count in counts.items() if counted(application))

    def _counted(self, target: Target, own: ApplicationId) -> Callable[[ApplicationId], bool]:
        """Whose containers the target's namespace means."""
        if target.namespace is Namespace.ALL:
            return lambda _: True
        if target.namespace is Namespace.NOT_SELF:
            return lambda application: application != own
        if target.namespace is Namespace.APP_ID:
            return lambda application: str(application) == target.value
        return lambda application: target.value in self._tags_of.get(application, frozenset())

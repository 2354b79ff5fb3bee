"""The allocation tags of containers, counted by node and rack, and constraints that look at them.

Source: Hadoop AllocationTagsManager and PlacementConstraintsUtil.
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
"""How many containers of each application carry a tag."""


class TagBook:
    """Counts of tags; only what carries tags costs anything."""

    def __init__(self) -> None:
        self._on: dict[tuple[Scope, str], Counts] = {}
        self._tags_of: dict[ApplicationId, frozenset[str]] = {}

    def know(self, application: ApplicationId, tags: tuple[str, ...]) -> None:
        """An application and the tags it was submitted with, which app-tag/... looks at."""
        if tags:
            self._tags_of[application] = frozenset(tags)

    def forget(self, application: ApplicationId) -> None:
        """An application ended."""
        self._tags_of.pop(application, None)

    def add(self, container: Container, rack: str) -> None:
        """A container with tags is on a node of a rack."""
        self._count(container, rack, 1)

    def remove(self, container: Container, rack: str) -> None:
        """A container with tags is gone."""
        self._count(container, rack, -1)

    def _count(self, container: Container, rack: str, change: int) -> None:
        application = container.id.attempt.application
        for place in ((Scope.NODE, container.node), (Scope.RACK, rack)):
            counts = self._on.setdefault(place, {})
            for tag in container.tags:
                of_tag = counts.setdefault(tag, {})
                of_tag[application] = of_tag.get(application, 0) + change
                if not of_tag[application]:
                    del of_tag[application]

    def allows(
        self, expression: Expression, application: ApplicationId, node: str, rack: str
    ) -> bool:
        """Whether a container of the application may be on the node."""
        if isinstance(expression, Cardinality):
            place = (Scope.NODE, node) if expression.scope is Scope.NODE else (Scope.RACK, rack)
            counts = self._on.get(place, {})
            return all(
                self._holds(expression, target, application, counts)
                for target in expression.targets
            )
        found = (self.allows(part, application, node, rack) for part in expression.parts)
        return all(found) if isinstance(expression, AllOf) else any(found)

    def _holds(
        self, one: Cardinality, target: Target, application: ApplicationId, counts: Counts
    ) -> bool:
        count = self._total(target, application, counts.get(target.tag, {}))
        return count >= one.minimum and (one.maximum is None or count <= one.maximum)

    def _total(
        self, target: Target, own: ApplicationId, counts: Mapping[ApplicationId, int]
    ) -> int:
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

"""Placement constraints: where containers may be with regard to the tags of others."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Scope(StrEnum):
    """Within what containers are counted (Hadoop: PlacementConstraints.NODE, RACK)."""

    NODE = "node"
    RACK = "rack"


class Namespace(StrEnum):
    """Whose containers are counted (Hadoop: AllocationTagNamespaceType)."""

    SELF = "self"
    NOT_SELF = "not-self"
    APP_ID = "app-id"
    APP_TAG = "app-tag"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Target:
    """Containers that carry *tag*; *value* is the id or the tag of the applications meant."""

    tag: str
    namespace: Namespace = Namespace.SELF
    value: str = ""


@dataclass(frozen=True, slots=True)
class Cardinality:
    """For each target, from *minimum* to *maximum* (None: any number) within the scope.

    Source: Hadoop SingleConstraint. Affinity is 1 to any number, anti-affinity 0 to 0.
    """

    scope: Scope
    targets: tuple[Target, ...]
    minimum: int = 0
    maximum: int | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds (Hadoop: And)."""

    parts: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One part at least holds (Hadoop: Or)."""

    parts: tuple[Expression, ...]


Expression = Cardinality | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class PlacementConstraint:
    """A constraint as it was written, and what it says."""

    text: str
    expression: Expression

"""Refusing placement rules that can never place (Hadoop: MappingRuleValidationContextImpl)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.capacity.placement import (
    VARIABLES,
    QueueLookup,
    creatable,
    normalize,
    pattern_of,
)
from kubeyarn.schedulers.capacity.queue_settings import refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.errors import ConfigRefused
    from kubeyarn.model.queues import PlacementRule


def check_rules(rules: Sequence[PlacementRule], lookup: QueueLookup) -> None:
    """Refuse rules whose target does not exist and cannot be made.

    Raises:
        ConfigRefused: of the first such rule.
    """
    for rule in rules:
        if rule.policy in ("reject", "setDefaultQueue"):
            continue
        pattern = pattern_of(rule)
        if not pattern or not all(pattern.split(".")):
            raise _wrong(pattern, "a part of the path is empty")
        if all(part not in VARIABLES for part in pattern.split(".")):
            _check_static(pattern, lookup)
        else:
            _check_dynamic(pattern, lookup)


def _check_static(pattern: str, lookup: QueueLookup) -> None:
    if "." not in pattern and lookup.ambiguous(pattern):
        raise _wrong(pattern, "several queues have this name; use the full path")
    path = normalize(pattern, lookup)
    if path is None:
        raise _wrong(pattern, f"queue {pattern.partition('.')[0]!r} does not exist")
    existing = lookup.path_of(path)
    if existing is None and not creatable(path, lookup):
        raise _wrong(pattern, "the queue does not exist and nothing makes it")
    if existing is not None and not lookup.is_leaf(existing):
        raise _wrong(pattern, "the queue is not a leaf")


def _check_dynamic(pattern: str, lookup: QueueLookup) -> None:
    static: list[str] = []
    for part in pattern.split("."):
        if part in VARIABLES:
            break
        static.append(part)
    if not static:
        return
    path = normalize(".".join(static), lookup)
    if path is None:
        raise _wrong(pattern, f"queue {static[0]!r} does not exist")
    existing = lookup.path_of(path)
    if existing is not None:
        if lookup.is_leaf(existing):
            raise _wrong(pattern, f"{existing} is a leaf and has no queues below it")
        return
    parent = lookup.path_of(path.rpartition(".")[0])
    if parent is None or not lookup.makes_children(parent):
        raise _wrong(pattern, "no queue on the path exists or may be made")


def _wrong(pattern: str, message: str) -> ConfigRefused:
    return refused("root", "placementRules", "PlacementRule", f"target {pattern!r}: {message}")

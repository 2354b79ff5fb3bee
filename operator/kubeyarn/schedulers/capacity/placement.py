"""Placement rules: which queue an application goes to that names none.

Hadoop: CSMappingPlacementRule; `mapping-rule-json`. Rules are tried in order, and the first that
places, rejects or falls back ends the search. A rule places by a path pattern whose parts may be
variables (%user, %primary_group, ...). Whether a queue exists or may be created is asked of a
`QueueLookup`: of the tree in force when an application is submitted (`place`), of the new tree when
a configuration is checked (`check_rules`, Hadoop: MappingRuleValidationContextImpl).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from kubeyarn.model.errors import Rejected
from kubeyarn.model.queues import MatcherKind, PlacementFallback, PlacementRule
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.capacity.queue_settings import ROOT, refused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.applications import Application
    from kubeyarn.model.errors import ConfigRefused
    from kubeyarn.model.queues import SchedulerConfig

DEFAULT = "default"
VARIABLES = frozenset(
    {"%user", "%specified", "%application", "%primary_group", "%secondary_group", "%default"}
)
_POLICY_PATTERNS = {
    "user": "%user",
    "primaryGroup": "%primary_group",
    "secondaryGroup": "%secondary_group",
    "primaryGroupUser": "%primary_group.%user",
    "secondaryGroupUser": "%secondary_group.%user",
    "applicationName": "%application",
}
_REJECTED = "the application was rejected by a placement rule"


class QueueLookup(Protocol):
    """What placement asks of a queue tree; names are full paths or unambiguous short names."""

    def path_of(self, name: str) -> str | None:
        """The full path of an existing queue."""

    def is_leaf(self, path: str) -> bool:
        """Whether an existing queue is a leaf."""

    def ambiguous(self, name: str) -> bool:
        """Whether several queues have this short name."""

    def makes_children(self, path: str) -> bool:
        """Whether an existing queue makes leaves on demand."""

    def makes_parents(self, path: str) -> bool:
        """Whether an existing queue makes parents with leaves on demand."""


@dataclass(slots=True)
class _Variables:
    """The variables of one submission; a rule may set *default* (`setDefaultQueue`)."""

    app: Application
    lookup: QueueLookup
    default: str = "root.default"

    def part(self, name: str, before: list[str]) -> str:
        """The value of one path part; *before* are the parts before it, already replaced."""
        # Unix gives each user a group of its name, which Kubernetes does not; Hadoop's rules count
        # on it.
        groups = self.app.groups or (self.app.user,)
        if name == "%user":
            return _clean(self.app.user)
        if name == "%specified":
            return self.app.queue or DEFAULT
        if name == "%application":
            return self.app.name
        if name == "%primary_group":
            return _clean(groups[0])
        if name == "%secondary_group":
            return self._secondary(groups[1:], ".".join(before))
        return self.default if name == "%default" else name

    def _secondary(self, groups: tuple[str, ...], parent: str) -> str:
        for group in groups:
            name = _clean(group)
            path = self.lookup.path_of(f"{parent}.{name}" if parent else name)
            if path is not None:
                return name
        return ""

    def replace(self, pattern: str) -> str:
        """*pattern* with every variable part replaced."""
        parts: list[str] = []
        for part in pattern.split("."):
            parts.append(self.part(part, parts))
        return ".".join(parts)


def _clean(name: str) -> str:
    # Hadoop's cleanName: a dot in a user's name would open a level of the tree.
    return name.replace(".", "_dot_")


def place(
    app: Application, rules: Sequence[PlacementRule], lookup: QueueLookup, *, override: bool
) -> str | None:
    """The full path the rules place the application in; None when no rule does.

    Rules are looked at when the application names no queue, or *override* is on.

    Raises:
        Rejected: a rule rejects it.
    """
    if not rules or (app.queue not in ("", DEFAULT) and not override):
        return None
    variables = _Variables(app, lookup)
    for rule in rules:
        if not _matches(rule, variables):
            continue
        # It places nothing, and changes what later rules mean by %default.
        if rule.policy == "setDefaultQueue":
            variables.default = variables.replace(rule.value)
            continue
        found = _apply(rule, variables, lookup)
        if found is not None:
            return found
    return None


def _matches(rule: PlacementRule, variables: _Variables) -> bool:
    app = variables.app
    if rule.kind is MatcherKind.GROUP:
        return rule.matches in (app.groups or (app.user,))
    if rule.matches == "*":
        return True
    wanted = variables.replace(rule.matches) if rule.matches in VARIABLES else rule.matches
    return wanted == (app.user if rule.kind is MatcherKind.USER else app.name)


def pattern_of(rule: PlacementRule) -> str:
    """The path pattern a rule places by."""
    if rule.policy == "specified":
        return "%specified"
    if rule.policy == "defaultQueue":
        return "%default"
    if rule.policy == "custom":
        return rule.custom_placement
    pattern = _POLICY_PATTERNS[rule.policy]
    return f"{rule.parent_queue}.{pattern}" if rule.parent_queue else pattern


def _apply(rule: PlacementRule, variables: _Variables, lookup: QueueLookup) -> str | None:
    if rule.policy == "reject":
        raise Rejected(Reason.PLACEMENT_REJECTED, _REJECTED)
    # Hadoop never creates the default queue, whatever its rule says.
    create = rule.create and rule.policy != "defaultQueue"
    path = resolve(variables.replace(pattern_of(rule)), lookup, create=create)
    if path is not None or rule.fallback is PlacementFallback.SKIP:
        return path
    if rule.fallback is PlacementFallback.PLACE_DEFAULT:
        path = resolve(variables.default, lookup, create=False)
    if path is None:
        raise Rejected(Reason.PLACEMENT_REJECTED, _REJECTED)
    return path


def resolve(name: str, lookup: QueueLookup, *, create: bool) -> str | None:
    """The full path of a leaf that exists or may be made; None when neither."""
    if not is_whole_path(name):
        return None
    path = normalize(name, lookup)
    if path is None:
        return None
    existing = lookup.path_of(path)
    if existing is not None:
        return existing if lookup.is_leaf(existing) else None
    return path if create and may_be_created(path, lookup) else None


def is_whole_path(name: str) -> bool:
    """Whether no part of the path is empty."""
    return all(part.strip() for part in name.split("."))


def normalize(name: str, lookup: QueueLookup) -> str | None:
    """*name* as a full path: its first part is a queue, by whatever name."""
    first, dot, rest = name.partition(".")
    start = lookup.path_of(first)
    return None if start is None else f"{start}{dot}{rest}"


def may_be_created(path: str, lookup: QueueLookup) -> bool:
    """Whether the leaf may be made under its parent, or with it under its grandparent."""
    parent = path.rpartition(".")[0]
    if not parent or lookup.ambiguous(parent):
        return False
    existing = lookup.path_of(parent)
    if existing is not None:
        return lookup.makes_children(existing)
    grandparent = lookup.path_of(parent.rpartition(".")[0])
    return grandparent is not None and lookup.makes_parents(grandparent)


def check_rules(config: SchedulerConfig, lookup: QueueLookup) -> None:
    """Refuse rules whose target does not exist and cannot be made.

    Raises:
        ConfigRefused: of the first such rule.
    """
    for rule in config.placement_rules:
        if rule.policy in ("reject", "setDefaultQueue"):
            continue
        pattern = pattern_of(rule)
        if not pattern or not all(pattern.split(".")):
            raise _wrong(config, pattern, "a part of the path is empty")
        if all(part not in VARIABLES for part in pattern.split(".")):
            _check_static(pattern, lookup, config)
        else:
            _check_dynamic(pattern, lookup, config)


def _check_static(pattern: str, lookup: QueueLookup, config: SchedulerConfig) -> None:
    if "." not in pattern and lookup.ambiguous(pattern):
        raise _wrong(config, pattern, "several queues have this name; use the full path")
    path = normalize(pattern, lookup)
    if path is None:
        raise _wrong(config, pattern, f"queue {pattern.partition('.')[0]!r} does not exist")
    existing = lookup.path_of(path)
    if existing is None and not may_be_created(path, lookup):
        raise _wrong(config, pattern, "the queue does not exist and nothing makes it")
    if existing is not None and not lookup.is_leaf(existing):
        raise _wrong(config, pattern, "the queue is not a leaf")


def _check_dynamic(pattern: str, lookup: QueueLookup, config: SchedulerConfig) -> None:
    """Refuse a rule whose part before the first variable names no queue and none may be made."""
    # What follows a variable is known only when an application comes.
    static: list[str] = []
    for part in pattern.split("."):
        if part in VARIABLES:
            break
        static.append(part)
    if not static:
        return
    path = normalize(".".join(static), lookup)
    if path is None:
        raise _wrong(config, pattern, f"queue {static[0]!r} does not exist")
    existing = lookup.path_of(path)
    if existing is not None:
        if lookup.is_leaf(existing):
            raise _wrong(config, pattern, f"{existing} is a leaf and has no queues below it")
        return
    parent = lookup.path_of(path.rpartition(".")[0])
    if parent is None or not lookup.makes_children(parent):
        raise _wrong(config, pattern, "no queue on the path exists or may be made")


def _wrong(config: SchedulerConfig, pattern: str, message: str) -> ConfigRefused:
    message = f"target {pattern!r}: {message}"
    return refused(config, ROOT, "placement_rules", "PlacementRule", message)

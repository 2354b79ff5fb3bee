"""Which queue an application goes to (Hadoop: QueuePlacementPolicy and FSPlacementRule)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kubeyarn.model.errors import Rejected
from kubeyarn.model.fair_queues import FairRule, FairRuleKind
from kubeyarn.model.reasons import Reason

_ROOT = "root"
_DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class PlacementSubject:
    """What rules look at: the queue that was asked for ("" for none), user and groups."""

    queue: str
    user: str
    groups: Sequence[str]


class DeclaredQueues(Protocol):
    """What placement asks of the queues there are."""

    def is_declared(self, path: str) -> bool:
        """Whether this queue exists because the configuration says so."""

    def is_leaf(self, path: str) -> bool:
        """Whether this queue exists and has no children."""


def with_root(name: str) -> str:
    """The full path of *name*, which may leave out the leading `root.`."""
    return name if name == _ROOT or name.startswith(f"{_ROOT}.") else f"{_ROOT}.{name}"


def default_rules(*, allow_undeclared: bool, user_as_default: bool) -> tuple[FairRule, ...]:
    """The rules where none are written.

    Hadoop: `yarn.scheduler.fair.allow-undeclared-pools` and `user-as-default-queue`.
    """
    rules = [FairRule(FairRuleKind.SPECIFIED, create=allow_undeclared)]
    if user_as_default:
        rules.append(FairRule(FairRuleKind.USER, create=allow_undeclared))
    if not user_as_default or not allow_undeclared:
        rules.append(FairRule(FairRuleKind.DEFAULT))
    return tuple(rules)


def place(rules: Sequence[FairRule], subject: PlacementSubject, queues: DeclaredQueues) -> str:
    """The full path of the queue that the first rule with an answer gives; it may not exist yet.

    Raises:
        Rejected: no rule has an answer, or the queue's name cannot be one.
    """
    for rule in rules:
        if rule.kind is FairRuleKind.REJECT:
            break
        path = _apply(rule, subject, queues)
        if path is not None:
            return path
    raise Rejected(
        Reason.PLACEMENT_REJECTED,
        f"queue {subject.queue or _DEFAULT!r} of user {subject.user}: "
        "no placement rule takes the application",
    )


def _apply(rule: FairRule, subject: PlacementSubject, queues: DeclaredQueues) -> str | None:
    for path in _candidates(rule, subject, queues):
        if rule.kind is FairRuleKind.SECONDARY_GROUP:
            if queues.is_declared(path):
                return path
        elif rule.create or queues.is_declared(path):
            return path
    return None


def _candidates(rule: FairRule, subject: PlacementSubject, queues: DeclaredQueues) -> list[str]:
    """The paths a rule chooses, best first."""
    if rule.kind is FairRuleKind.SPECIFIED:
        return _specified(subject)
    if rule.kind is FairRuleKind.DEFAULT:
        name = rule.queue if rule.queue and is_clean_path(rule.queue) else _DEFAULT
        return [with_root(name)]
    names = [_cleaned(name) for name in _names(rule.kind, subject)]
    if rule.parent is None:
        return [with_root(name) for name in names]
    above = _apply(rule.parent, subject, queues)
    if above is None or queues.is_leaf(above):
        return []
    return [f"{above}.{name}" for name in names]


def _names(kind: FairRuleKind, subject: PlacementSubject) -> Sequence[str]:
    if kind is FairRuleKind.PRIMARY_GROUP:
        return subject.groups[:1]
    if kind is FairRuleKind.SECONDARY_GROUP:
        # Since Hadoop 3.4 (HADOOP-17079) the primary group is tried here as well.
        return subject.groups
    return (subject.user,)


def _cleaned(name: str) -> str:
    return name.strip().replace(".", "_dot_")


def _specified(subject: PlacementSubject) -> list[str]:
    name = subject.queue or _DEFAULT
    if not is_clean_path(name):
        raise Rejected(
            Reason.PLACEMENT_REJECTED,
            f"queue {name!r}: a queue's name neither starts nor ends with a period or blank",
        )
    return [] if name == _DEFAULT else [with_root(name)]


def is_clean_path(name: str) -> bool:
    """Whether *name* neither starts nor ends with a period or blank."""
    return name == name.strip() and not name.startswith(".") and not name.endswith(".")

"""Which queue an application goes to (Hadoop: QueuePlacementPolicy and FSPlacementRule)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from kubeyarn.model.errors import Rejected, SpecError
from kubeyarn.model.fair_queues import FairRule, FairRuleKind
from kubeyarn.model.reasons import Reason

_ROOT = "root"
_DEFAULT = "default"
_NEVER_FINAL = (FairRuleKind.SPECIFIED, FairRuleKind.SECONDARY_GROUP)
_NO_PARENT = (FairRuleKind.REJECT, FairRuleKind.NESTED_USER)
_NOT_NESTED = (FairRuleKind.SPECIFIED, FairRuleKind.DEFAULT, FairRuleKind.REJECT)


@dataclass(frozen=True, slots=True)
class Submission:
    """What placement looks at: the queue that was asked for ("" for none), user and groups."""

    queue: str
    user: str
    groups: Sequence[str]


class Queues(Protocol):
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


def check_rules(rules: Sequence[FairRule]) -> None:
    """Refuse rules that can never be reached, and rules one can fall out of at the end.

    Raises:
        SpecError: with the place of the rule at fault.
    """
    for rule in rules:
        _check_parent(rule)
    for place, rule in enumerate(rules[:-1], start=1):
        if _is_final(rule):
            raise SpecError(
                f"rule {place} ({rule.kind}) always decides, so the rules after it are never "
                "reached; give it create=false or put it last"
            )
    if rules and not _is_final(rules[-1]):
        raise SpecError(
            f"the last rule ({rules[-1].kind}) may leave an application without a queue; "
            "end with default or reject"
        )


def _check_parent(rule: FairRule) -> None:
    parent = rule.parent
    if parent is None:
        if rule.kind is FairRuleKind.NESTED_USER:
            raise SpecError("rule nestedUserQueue needs a rule inside it that finds the parent")
        return
    if parent.kind in _NO_PARENT:
        raise SpecError(f"rule {parent.kind} must not stand inside another rule")
    if rule.kind in _NOT_NESTED or _family(parent.kind) == _family(rule.kind):
        raise SpecError(f"rule {rule.kind} must not have a rule {parent.kind} inside it")


def _family(kind: FairRuleKind) -> FairRuleKind:
    return FairRuleKind.USER if kind is FairRuleKind.NESTED_USER else kind


def _is_final(rule: FairRule) -> bool:
    if rule.kind is FairRuleKind.REJECT:
        return True
    if rule.kind in _NEVER_FINAL or not rule.create:
        return False
    return rule.parent is None or _is_final(rule.parent)


def place(rules: Sequence[FairRule], submission: Submission, queues: Queues) -> str:
    """The full path of the queue that the first rule with an answer gives; it may not exist yet.

    Raises:
        Rejected: no rule has an answer, or the queue's name cannot be one.
    """
    for rule in rules:
        if rule.kind is FairRuleKind.REJECT:
            break
        path = _apply(rule, submission, queues)
        if path is not None:
            return path
    raise Rejected(
        Reason.PLACEMENT_REJECTED,
        f"queue {submission.queue or _DEFAULT!r} of user {submission.user}: "
        "no placement rule takes the application",
    )


def _apply(rule: FairRule, submission: Submission, queues: Queues) -> str | None:
    for path in _candidates(rule, submission, queues):
        if rule.kind is FairRuleKind.SECONDARY_GROUP:
            if queues.is_declared(path):
                return path
        elif rule.create or queues.is_declared(path):
            return path
    return None


def _candidates(rule: FairRule, submission: Submission, queues: Queues) -> list[str]:
    """The paths a rule would like, best first."""
    if rule.kind is FairRuleKind.SPECIFIED:
        return _specified(submission)
    if rule.kind is FairRuleKind.DEFAULT:
        name = rule.queue if rule.queue and is_clean_path(rule.queue) else _DEFAULT
        return [with_root(name)]
    names = [_cleaned(name) for name in _names(rule.kind, submission)]
    if rule.parent is None:
        return [with_root(name) for name in names]
    above = _apply(rule.parent, submission, queues)
    if above is None or queues.is_leaf(above):
        return []
    return [f"{above}.{name}" for name in names]


def _names(kind: FairRuleKind, submission: Submission) -> Sequence[str]:
    if kind is FairRuleKind.PRIMARY_GROUP:
        return submission.groups[:1]
    if kind is FairRuleKind.SECONDARY_GROUP:
        # Since Hadoop 3.4 (HADOOP-17079) the primary group is tried here as well.
        return submission.groups
    return (submission.user,)


def _cleaned(name: str) -> str:
    return name.strip().replace(".", "_dot_")


def _specified(submission: Submission) -> list[str]:
    name = submission.queue or _DEFAULT
    if not is_clean_path(name):
        raise Rejected(
            Reason.PLACEMENT_REJECTED,
            f"queue {name!r}: a queue's name neither starts nor ends with a period or blank",
        )
    return [] if name == _DEFAULT else [with_root(name)]


def is_clean_path(name: str) -> bool:
    """Whether *name* neither starts nor ends with a period or blank."""
    return name == name.strip() and not name.startswith(".") and not name.endswith(".")

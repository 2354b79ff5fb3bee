"""Whether another attempt follows one that failed (Hadoop: RMAppImpl.AttemptFailedTransition)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.exit_status import NOT_COUNTED
from kubeyarn.lifecycle.records import AttemptRecord


@dataclass(frozen=True, slots=True)
class RetryRule:
    """How often an application's AM is started.

    *validity_ms*: failures that lie further back do not count any more; 0: all count (Hadoop:
    ApplicationSubmissionContext.attemptFailuresValidityInterval).
    """

    max_attempts: int = 1
    validity_ms: int = 0


def resolved(asked: int, most: int) -> int:
    """The attempts that an application gets that asks for *asked* where *most* are allowed.

    Source: RMAppImpl's constructor, `yarn.resourcemanager.am.max-attempts`.
    """
    return most if asked <= 0 else min(asked, most)


def counted(attempts: Iterable[AttemptRecord], rule: RetryRule, now_ms: int) -> int:
    """How many of *attempts* are failures that count."""
    since = now_ms - rule.validity_ms if rule.validity_ms > 0 else 0
    return sum(
        attempt.state is AttemptState.FAILED
        and attempt.exit_status not in NOT_COUNTED
        and attempt.finish_ms >= since
        for attempt in attempts
    )


def another(attempts: Iterable[AttemptRecord], rule: RetryRule, now_ms: int) -> bool:
    """Whether there is another attempt after *attempts*, the last of which has just failed.

    Where there is one attempt only, it is the only one whatever ended it.
    """
    if rule.max_attempts <= 1:
        return False
    return counted(attempts, rule, now_ms) < rule.max_attempts

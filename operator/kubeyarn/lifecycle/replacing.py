"""Containers that are asked for again when they end badly, without an AM that decides it.

Hadoop has this on one node, within one container (ContainerRetryContext, RETRY_ON_ALL_ERRORS with
maxRetries); here the container is a new one, wherever there is room.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from kubeyarn.lifecycle.exit_status import NOT_COUNTED, ExitStatus

# What was no container's own fault.
TAKEN_AWAY = NOT_COUNTED | {ExitStatus.KILLED_BY_CONTAINER_SCHEDULER}

_OVER = frozenset({ExitStatus.SUCCESS, ExitStatus.KILLED_AFTER_APP_COMPLETION})


@dataclass(frozen=True, slots=True)
class Replacements:
    """How many were asked for again: *retried* ones that failed, *replaced* ones taken away."""

    retried: int = 0
    replaced: int = 0


def after(before: Replacements, limit: int, exit_statuses: Iterable[int]) -> Replacements:
    """The numbers after containers ended with *exit_statuses*; *limit* bounds the retries."""
    retried, replaced = before.retried, before.replaced
    for status in exit_statuses:
        if status in _OVER:
            continue
        if status in TAKEN_AWAY:
            replaced += 1
        elif retried < limit:
            retried += 1
    return Replacements(retried, replaced)

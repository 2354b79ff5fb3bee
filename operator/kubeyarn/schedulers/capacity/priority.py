"""Application priorities: what is asked for, what users may have, and the cluster's ceiling.

Hadoop: CapacityScheduler.checkAndGetApplicationPriority and AppPriorityACLsManager.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.queues import PriorityAccess


def default_of(access: Sequence[PriorityAccess], user: str, groups: tuple[str, ...]) -> int | None:
    """The priority a user gets without asking for one; None when nothing is said of the user."""
    found = None
    for one in _by_maximum(access):
        if one.users.allows(user, groups):
            found = one
    return None if found is None else found.default


def may_have(
    access: Sequence[PriorityAccess], user: str, groups: tuple[str, ...], priority: int
) -> bool:
    """Whether the user may run at *priority*; everybody may where nothing is said."""
    return not access or any(
        one.users.allows(user, groups) and (one.maximum is None or priority <= one.maximum)
        for one in access
    )


def _by_maximum(access: Sequence[PriorityAccess]) -> list[PriorityAccess]:
    return sorted(access, key=lambda one: (one.maximum is None, one.maximum or 0))

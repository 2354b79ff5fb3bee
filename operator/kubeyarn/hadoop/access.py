"""Access control lists as Hadoop writes them."""

from __future__ import annotations

import re

from kubeyarn.hadoop.properties import refuse
from kubeyarn.model.queues import Access, PriorityAccess

_GROUP = re.compile(r"\[([^\]]*)\]")


def read_access(text: str) -> Access:
    """`user1,user2 group1,group2`; `*` is everybody, a blank nobody (Hadoop: AccessControlList)."""
    if text.strip() == "*":
        return Access(everyone=True)
    users, _, groups = text.partition(" ")
    return Access(users=_names(users), groups=_names(groups))


def _names(text: str) -> frozenset[str]:
    return frozenset(part.strip() for part in text.split(",") if part.strip())


def read_priority_access(name: str, text: str) -> tuple[PriorityAccess, ...]:
    """`[user=u1,u2 group=g max_priority=5 default_priority=2] ...` (Hadoop: AppPriorityACL).

    Raises:
        ConfigRefused: a word in a bracket is unknown or a priority is no number.
    """
    return tuple(_read_group(name, match[1]) for match in _GROUP.finditer(text))


def _read_group(name: str, text: str) -> PriorityAccess:
    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    numbers: dict[str, int] = {}
    for word in text.split():
        key, _, value = word.partition("=")
        if key == "user":
            users = _names(value)
        elif key == "group":
            groups = _names(value)
        elif key in ("max_priority", "default_priority") and value.isdigit():
            numbers[key] = int(value)
        else:
            allowed = "user=, group=, max_priority= or default_priority="
            refuse(name, f"found {word!r}, expected {allowed}")
    everyone = "*" in users or "*" in groups
    return PriorityAccess(
        Access(everyone=everyone, users=users, groups=groups),
        maximum=numbers.get("max_priority"),
        default=numbers.get("default_priority"),
    )

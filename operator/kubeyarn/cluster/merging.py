"""Makes merge patches that replace: RFC 7386 merges maps, so removed keys become null. Pure."""

from __future__ import annotations

from typing import Any


def replacing(before: Any, after: Any) -> Any:
    """A merge patch that turns *before* into *after*, removing keys that only *before* has."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone = {key: None for key in before if key not in after}
    return gone | {key: replacing(before.get(key), value) for key, value in after.items()}

"""Merge patches that replace: RFC 7386 merges maps, so what is gone must be said. Pure."""

from __future__ import annotations

from typing import Any


def replacing(before: Any, after: Any) -> Any:
    """*after* as a merge patch that leaves nothing else of *before*."""
    if not isinstance(before, dict) or not isinstance(after, dict):
        return after
    gone = {key: None for key in before if key not in after}
    return gone | {key: replacing(before.get(key), value) for key, value in after.items()}

"""Names of nodes in a sentence."""

from __future__ import annotations

from collections.abc import Collection

_MOST = 5


def listed(names: Collection[str]) -> str:
    """The names in order, and of many only the first and how many more there are."""
    shown = sorted(names)[:_MOST]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")

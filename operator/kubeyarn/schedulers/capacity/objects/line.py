"""Applications in line: kept in order, found again by their key."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
    from kubeyarn.schedulers.capacity.ordering import ApplicationKey


def _key(entry: tuple[ApplicationKey, LedgerApplication]) -> ApplicationKey:
    return entry[0]


class Line:
    """Applications sorted by key; *first* is who is served first."""

    __slots__ = ("entries", "first")

    def __init__(self) -> None:
        self.entries: list[tuple[ApplicationKey, LedgerApplication]] = []
        self.first: LedgerApplication | None = None

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self) -> Iterator[LedgerApplication]:
        return (app for _, app in self.entries)

    def __reversed__(self) -> Iterator[LedgerApplication]:
        return (app for _, app in reversed(self.entries))

    def add(self, app: LedgerApplication) -> None:
        """Put an application where its key says."""
        insort(self.entries, (app.order_key, app), key=_key)
        self.first = self.entries[0][1]

    def remove(self, app: LedgerApplication) -> bool:
        """Take an application out; False when it is not in line."""
        entries = self.entries
        place = bisect_left(entries, app.order_key, key=_key)
        while place < len(entries) and entries[place][0] == app.order_key:
            if entries[place][1] is app:
                del entries[place]
                self.first = entries[0][1] if entries else None
                return True
            place += 1
        return False

    def clear(self) -> list[LedgerApplication]:
        """Empty the line; returns who was in it."""
        apps = list(self)
        self.entries.clear()
        self.first = None
        return apps

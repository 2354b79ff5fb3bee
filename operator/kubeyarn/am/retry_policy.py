"""How long and how often a call that met nobody is tried again. Pure: the clock is an argument."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """The rules of trying again, in seconds.

    Pauses double from *first_s* to *longest_s*; after *total_s* without an answer it is over
    (Hadoop: yarn.resourcemanager.connect.max-wait.ms, 900 s). A refused token is tried
    *unauthorized_tries* times, because it may just have rotated.
    """

    first_s: float = 0.2
    longest_s: float = 3.0
    total_s: float = 900.0
    unauthorized_tries: int = 5

    def pause_s(self, failures: int, chance: float) -> float:
        """The pause after the *failures*-th failure; *chance* (0 to 1) spreads it by a quarter."""
        whole = min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))
        return whole * (0.75 + 0.25 * chance)


def heartbeat_pause_s(beats_since_change: int, heartbeat_s: float) -> float:
    """How long to wait for the next heartbeat.

    Short at first after a change, because the answer to a fresh ask is likely to come soon, then
    doubling up to *heartbeat_s*.
    """
    return min(heartbeat_s, heartbeat_s / 8 * 2.0 ** min(beats_since_change, 30))

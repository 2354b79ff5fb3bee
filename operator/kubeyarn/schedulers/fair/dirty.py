"""What has changed since the derived values of the Fair Scheduler were last brought up to date.

Theory of operation. Four values are kept from one call to the next. Each is made stale by what
happened, said by name, and is brought up to date in one place:

| Derived value | Made stale by | Brought up to date by |
|---|---|---|
| demand of single attempts | `demand_changed(attempt)` | `fair_shares.update` |
| demand and fair shares of queues, their order | `shares_changed()` | `FairScheduler.update` |
| maxima, steady shares, all orders | `cluster_resized()` | `ClusterNodeTracker.bring_up_to_date` |
| "a cycle would decide nothing" | `version` moved | `FairScheduler.cycle` |

A grant moves only `version` (`accounts.charge`). Fair shares depend on which applications run and
on demand, and a grant turns pending into used. So a cycle does not compute shares again for each
grant.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt


class FairDirty:
    """Which derived values are stale; each method is something that happened."""

    __slots__ = ("attempts", "cluster", "shares", "version")

    def __init__(self) -> None:
        self.version = 0
        self.shares = True
        self.cluster = True
        self.attempts: dict[FSAppAttempt, None] = {}

    def allocation_changed(self) -> None:
        """A container was granted or reserved, or a reservation given up: shares stay."""
        self.version += 1

    def shares_changed(self) -> None:
        """Something that shares depend on changed: who runs, what is wanted, settings."""
        self.shares = True
        self.version += 1

    def cluster_resized(self) -> None:
        """Nodes came, went or changed their size."""
        self.cluster = True
        self.shares_changed()

    def demand_changed(self, attempt: FSAppAttempt) -> None:
        """*attempt* asked for something else or lost a container."""
        self.attempts[attempt] = None

    def cluster_updated(self) -> None:
        """What follows from the size of the cluster is up to date."""
        self.cluster = False

    def shares_updated(self) -> None:
        """Demand of queues, fair shares and the order of queues are up to date."""
        self.shares = False

    def take_attempts(self) -> list[FSAppAttempt]:
        """The attempts whose demand is stale, which from now on it is not."""
        changed, self.attempts = list(self.attempts), {}
        return changed

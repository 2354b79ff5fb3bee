"""What attempts ask for, by key (Hadoop: AppSchedulingInfo).

Counts are absolute: an ask replaces what was outstanding under its key, and 0 cancels it. An ask
for nodes is an ask for their racks, too, as ApplicationMasters of Hadoop ask for both: each node
known when it is asked counts in its rack.
"""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING

from kubeyarn.schedulers.fair.objects.app_attempt import AllowedLocality, FSPendingAsk

if TYPE_CHECKING:
    from kubeyarn.model.asks import Ask, AskKey
    from kubeyarn.schedulers.fair.cluster_state import FairClusterState
    from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
    from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt


class AppSchedulingInfo:
    """Changes what attempts ask for, and counts it."""

    def __init__(self, state: FairClusterState, accounts: FSAccounts) -> None:
        self._state = state
        self._accounts = accounts

    def update_ask(self, attempt: FSAppAttempt, ask: Ask) -> None:
        """Replace what is outstanding under the ask's key."""
        self.remove_ask(attempt, ask.key)
        if ask.count == 0:
            return
        # The wait for nodes goes on where it was: ApplicationMasters repeat their asks.
        allowed = attempt.allowed_locality.setdefault(ask.key, AllowedLocality())
        pending = FSPendingAsk(ask, ask.count, allowed_locality=allowed)
        for name, count in ask.locality.nodes:
            pending.nodes[name] = count
            node = self._state.nodes.get(name)
            # A node that has not joined has no rack yet; the ask reaches it when it is repeated.
            if node is not None:
                rack = node.rm_node.rack
                pending.racks[rack] = pending.racks.get(rack, 0) + count
        pending.racks.update(ask.locality.racks)
        attempt.asks[ask.key] = pending
        insort(attempt.ask_keys, ask.key)
        self._accounts.change_pending(attempt, ask.size, ask.count)
        self._state.dirty.demand_changed(attempt)

    def exclude(self, attempt: FSAppAttempt, places: frozenset[str]) -> None:
        """Replace the nodes and racks where the attempt takes nothing but its AM."""
        nodes = self._state.nodes.values()
        named = [n for n in nodes if n.rm_node.name in places or n.rm_node.rack in places]
        attempt.exclude(places, named)

    def remove_ask(self, attempt: FSAppAttempt, key: AskKey) -> None:
        """Ask for nothing under *key* any more."""
        pending = attempt.asks.pop(key, None)
        if pending is not None:
            attempt.ask_keys.remove(key)
            self._accounts.change_pending(attempt, pending.ask.size, -pending.count)
            self._state.dirty.demand_changed(attempt)

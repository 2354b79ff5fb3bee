"""What has changed since the caches of the Capacity Scheduler were last brought up to date.

Theory of operation. Three things are kept from one call to the next, and each is thrown away by
what happened, said by name, never by a flag that a caller sets:

* **Capacities**: each queue's effective minimum and maximum, AM limits and user ratios. They hang
  on the nodes, so `node_joined`, `node_changed` and `node_lost` make them stale; whoever needs them
  next brings them up to date (`ClusterState.bring_up_to_date`), once for all nodes that changed in
  a row. Nodes that *grew* the cluster are not merged with one that goes after them: Hadoop
  recomputes at every node, and a larger cluster may activate an application that stays active in
  a smaller one. So `must_update_first` asks for an update before a node goes or shrinks.
* **Idle**: the last cycle ended because there was nothing to decide, so the next one returns at
  once. Everything that could let a cycle decide otherwise ends it; to forget one would starve
  the cluster without a sign, so each transition below ends it except `cycle_ended` itself.
* **Unconstrained**: no outstanding ask names places, tags or constraints, so a cycle need not look
  for those that do. Only `asks_changed` can end this; a cycle finds it out again.

`tests/property/schedulers/capacity/test_ledger.py` holds all three: cycles after random scenarios
decide what a scheduler decides that takes nothing for granted
(`test_an_idle_cycle_stays_idle_until_something_changes`,
`test_caches_change_no_decision`). `tests/unit/schedulers/capacity/test_dirty.py` has the table of
transitions.
"""

from __future__ import annotations


class CapacityDirty:
    """Which caches hold; each method is something that happened."""

    __slots__ = ("_grew", "capacities", "idle", "unconstrained")

    def __init__(self) -> None:
        self.capacities = False
        self.idle = False
        self.unconstrained = True
        self._grew = False

    @property
    def must_update_first(self) -> bool:
        """Whether nodes that came must take effect before one goes or shrinks."""
        return self._grew

    def node_joined(self) -> None:
        """A node is there that was not."""
        self.capacities = True
        self.idle = False
        self._grew = True

    def node_changed(self) -> None:
        """A node has another total, partition, rack or schedulability."""
        self.node_joined()

    def node_lost(self) -> None:
        """A node is gone, with what it held."""
        self.capacities = True
        self.idle = False

    def capacities_updated(self) -> None:
        """Queues' capacities were computed for the nodes and the configuration that there are."""
        self.capacities = False
        self.idle = False
        self._grew = False

    def asks_changed(self) -> None:
        """An ask came, went or changed."""
        self.idle = False
        self.unconstrained = False

    def applications_changed(self) -> None:
        """An application or attempt came, went, moved, or has another priority."""
        self.idle = False

    def use_changed(self) -> None:
        """A container ended, was recovered or changed its size, or may be killed."""
        self.idle = False

    def queues_managed(self) -> None:
        """Auto-created queues may have taken, given up or lost capacity."""
        self.idle = False

    def constraints_looked_for(self, *, found: bool) -> None:
        """A cycle looked at all asks for places, tags and constraints."""
        self.unconstrained = not found

    def cycle_ended(self, *, idle: bool) -> None:
        """A cycle ran; *idle*: the same cycle again could decide nothing."""
        self.idle = idle

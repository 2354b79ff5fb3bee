"""What a pass computes on: copies of queues, and the order in which leaves are gone through."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.capacity.preemption.context import PreemptionContext
from unit.schedulers.capacity.preemption.preempting import Preempting, leaf


@pytest.mark.parametrize(
    ("configured", "gone_through"),
    [
        # Strings' hashes, spread over the buckets of Java's HashMap.
        pytest.param(["b", "a"], ["a", "b"], id="in the order of neighbouring hashes"),
        pytest.param(
            ["alpha", "beta", "gamma", "delta"], ["beta", "gamma", "delta", "alpha"], id="of hashes"
        ),
    ],
)
def test_leaves_are_gone_through_in_the_order_of_a_hash_map(
    configured: list[str], gone_through: list[str]
) -> None:
    queues = [leaf(f"root.{name}", 100 / len(configured)) for name in configured]
    state = Preempting(*queues).engine.state
    context = PreemptionContext(
        state.calc,
        state.cluster,
        state.config_in_force().preemption,
        state.root_in_force(),
        state.cluster.total,
        state.apps,
    )
    context.sync_queues([""], {""})

    assert [leaf.name for leaf in context.leaves] == gone_through

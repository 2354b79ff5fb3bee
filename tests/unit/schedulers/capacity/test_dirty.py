"""Which cache each thing that happens throws away."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from kubeyarn.schedulers.capacity.dirty import CapacityDirty


def clean() -> CapacityDirty:
    """Capacities are up to date, the last cycle found nothing, no ask has a constraint."""
    dirty = CapacityDirty()
    dirty.capacities_updated()
    dirty.constraints_looked_for(found=False)
    dirty.cycle_ended(idle=True)
    return dirty


@pytest.mark.parametrize(
    ("happened", "capacities", "grew", "idle", "unconstrained"),
    [
        (CapacityDirty.node_joined, True, True, False, True),
        (CapacityDirty.node_changed, True, True, False, True),
        (CapacityDirty.node_lost, True, False, False, True),
        (CapacityDirty.capacities_updated, False, False, False, True),
        (CapacityDirty.asks_changed, False, False, False, False),
        (CapacityDirty.applications_changed, False, False, False, True),
        (CapacityDirty.use_changed, False, False, False, True),
        (CapacityDirty.queues_managed, False, False, False, True),
        (lambda d: d.constraints_looked_for(found=True), False, False, True, False),
        (lambda d: d.cycle_ended(idle=False), False, False, False, True),
        (lambda d: d.cycle_ended(idle=True), False, False, True, True),
    ],
    ids=[
        "node joined",
        "node changed",
        "node lost",
        "capacities updated",
        "asks changed",
        "applications changed",
        "use changed",
        "queues managed",
        "constraints found",
        "cycle decided something",
        "cycle decided nothing",
    ],
)
def test_what_happened_throws_away_what_hangs_on_it(
    happened: Callable[[CapacityDirty], None],
    capacities: bool,
    grew: bool,
    idle: bool,
    unconstrained: bool,
) -> None:
    dirty = clean()
    happened(dirty)
    found = (dirty.capacities, dirty.must_update_first, dirty.idle, dirty.unconstrained)
    assert found == (capacities, grew, idle, unconstrained)


def test_nodes_that_came_take_effect_once() -> None:
    dirty = clean()
    dirty.node_joined()
    dirty.capacities_updated()
    assert not dirty.capacities
    assert not dirty.must_update_first

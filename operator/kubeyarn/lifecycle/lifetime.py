"""How long an application may run (Hadoop: CapacityScheduler.checkAndGetApplicationLifetime)."""

from __future__ import annotations


def allowed_lifetime(requested: int, default: int, maximum: int) -> int:
    """Seconds in force, no limit if not above 0; *default* and *maximum* are the leaf queue's."""
    wanted = requested if requested > 0 else default
    if maximum <= 0:
        return wanted
    return min(wanted, maximum) if wanted > 0 else maximum

"""How often and how patiently an ApplicationMaster speaks."""

from __future__ import annotations

from dataclasses import dataclass, field

from kubeyarn.am.retry_policy import RetryPolicy


@dataclass(frozen=True, slots=True)
class Settings:
    """How often and how patiently an ApplicationMaster speaks; times in seconds.

    *heartbeat_s* must stay well below yarn.am.liveness-monitor.expiry-interval-ms. Many launches
    are cut into calls of *launches_per_call*, of which *launches_at_once* are under way.
    """

    heartbeat_s: float = 1.0
    retry_policy: RetryPolicy = field(default_factory=RetryPolicy)
    finish_poll_s: float = 0.2
    launches_per_call: int = 25
    launches_at_once: int = 4

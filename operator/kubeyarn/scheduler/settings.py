"""What an administrator may set of the scheduler process."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process; times in seconds."""

    namespace: str = "kubeyarn-system"
    identity: str = "scheduler"
    extender_host: str = "127.0.0.1"
    extender_port: int = 8031
    health_port: int = 8080
    lease_duration_s: int = 8
    # How often queues are reported, refused grants revoked and ended backoffs looked for.
    queue_status_every_s: float = 1.0
    # How often the reason why something waits is looked up.
    why_every_s: float = 2.0
    # How often, at most, an ApplicationMaster is told of limits that changed.
    am_limits_every_s: float = 5.0
    # After so many grants a turn ends, so that writes and watches run in between.
    grants_per_cycle: int = 500
    # The Lease of the kube-scheduler beside this process; "" where it works all the time.
    kube_scheduler_lease: str = ""
    pod_uid: str = ""
    # A granted pod that kube-scheduler could not bind for so long gives its grant back, also where
    # the reason may pass.
    bind_patience_s: int = 20

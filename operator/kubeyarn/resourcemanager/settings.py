"""What an administrator may set of the ResourceManager process."""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.resourcemanager.pods import isolation


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of one process; times in seconds, names as Hadoop's properties in the comments.

    *am_address* is what ApplicationMasters call; empty: our Service's address, else our own.
    """

    namespace: str = "kubeyarn-system"
    identity: str = "resourcemanager"
    pod_ip: str = "127.0.0.1"
    am_address: str = ""
    am_port: int = 8030
    health_port: int = 8080
    # yarn.am.liveness-monitor.expiry-interval-ms
    am_expiry_s: int = 900
    # yarn.resourcemanager.rm.container-allocation.expiry-interval-ms
    launch_expiry_s: int = 600
    # yarn.resourcemanager.am.max-attempts
    am_max_attempts: int = 2
    # yarn.resourcemanager.am-scheduling.node-blacklisting-enabled, -disable-threshold; None is off
    am_node_exclusion_threshold: float | None = None
    # An image with `kubeyarn` in it; empty: no files are fetched, checked or unpacked
    localizer_image: str = ""
    # yarn.nm.liveness-monitor.expiry-interval-ms
    node_expiry_s: int = 600
    # yarn.resourcemanager.nodemanager-graceful-decommission-timeout-secs; negative: for ever
    decommission_timeout_s: int = 3600
    # yarn.nodemanager.container-executor.class and -executor.allowed-runtimes; the first is default
    executors: tuple[str, ...] = isolation.EXECUTORS
    # docker.trusted.registries
    trusted_images: tuple[str, ...] = ()
    user_ids_file: str = ""
    image_pull_grace_s: int = 60
    # The nearest is yarn.nodemanager.sleep-delay-before-sigkill.ms, which nobody but YARN may say.
    max_termination_grace_s: int = 300
    # yarn.nodemanager.delete.debug-delay-sec is the nearest; pods are kept so that logs can be read
    finished_pod_retention_s: int = 3600
    # yarn.resourcemanager.max-completed-applications; a negative number keeps all
    max_completed_applications: int = 1000
    lease_duration_s: int = 8
    token_audience: str = "kubeyarn-am"

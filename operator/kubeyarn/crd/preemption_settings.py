"""`cluster.preemption` of the root YarnQueue as the policy's settings."""

from __future__ import annotations

from kubeyarn.crd.reading import Reader, fraction, milliseconds, one_of, truth, with_said
from kubeyarn.model import queues


def preemption(said: Reader | None) -> queues.PreemptionConfig:
    """What root says of preemption, and Hadoop's defaults where it says nothing."""
    standard = queues.PreemptionConfig()
    if said is None:
        return standard
    within = said.inside("intraQueue") or Reader({}, "")
    under = said.inside("underutilized") or Reader({}, "")
    found = {
        "enabled": said.read("enabled", truth),
        "observe_only": said.read("observeOnly", truth),
        "interval_ms": said.read("intervalSeconds", milliseconds),
        "maximum_wait_before_kill_ms": said.read("maximumWaitBeforeKillSeconds", milliseconds),
        "total_per_round": said.read("totalPerRound", fraction),
        "maximum_ignored_over_capacity": said.read("maximumIgnoredOverCapacity", fraction),
        "natural_termination": said.read("naturalTermination", fraction),
        "conservative_drf": said.read("conservativeDrf", truth),
        "select_on_reserved": said.read("forReservedContainers", truth),
        "additional_balance_on_reserved": said.read("balanceReservedContainers", truth),
        "balance_after_satisfied": said.read("balanceAfterSatisfied", truth),
        "balance_wait_before_kill_ms": said.read(
            "balanceMaximumWaitBeforeKillSeconds", milliseconds
        ),
        "intra_queue": within.read("enabled", truth),
        "intra_queue_order": within.read("order", one_of(queues.IntraQueueOrder)),
        "intra_queue_minimum_threshold": within.read("minimumThreshold", fraction),
        "intra_queue_maximum_allowable": within.read("maximumAllowable", fraction),
        "intra_queue_conservative_drf": within.read("conservativeDrf", truth),
        "underutilized": under.read("enabled", truth),
        "underutilized_delay_ms": under.read("delaySeconds", milliseconds),
        "underutilized_move_reservation": under.read("moveReservation", truth),
    }
    return with_said(standard, found)

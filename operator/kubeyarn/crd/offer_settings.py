"""`cluster.offers` of the root YarnQueue as what one offer of a node may give."""

from __future__ import annotations

from kubeyarn.crd.reading import Reader, count, truth, with_said
from kubeyarn.model import queues


def offers(said: Reader | None) -> queues.OfferConfig:
    """What root says of offers, and Hadoop's defaults where it says nothing."""
    standard = queues.OfferConfig()
    if said is None:
        return standard
    found = {
        "multiple_assignments": said.read("multipleAssignments", truth),
        "maximum_assignments": said.read("maximumAssignments", count),
        "maximum_offswitch": said.read("maximumOffSwitchAssignments", count),
        "node_locality_delay": said.read("nodeLocalityDelay", count),
        "rack_additional_delay": said.read("rackLocalityAdditionalDelay", count),
        "rack_full_reset": said.read("rackLocalityFullReset", truth),
        "continue_look_at_reservations": said.read("reservationsContinueLook", truth),
        "skip_reserved_nodes": said.read("skipReservedNodes", truth),
    }
    return with_said(standard, found)

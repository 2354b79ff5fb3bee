"""What root's YarnQueue says of the offer of a node."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from kubeyarn.crd.fields import Count, Fields


class Offers(Fields):
    """What one offer of a node may give, and how long asks wait for the places they named."""

    multiple_assignments: bool = Field(
        True, description="Whether one offer of a node may give more than one container."
    )
    maximum_assignments: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, description="The most containers of one offer."
    )
    maximum_off_switch_assignments: Annotated[int, Field(ge=1, le=10_000)] = Field(
        1,
        description="The most containers of one offer that may be anywhere. 1: nodes are offered "
        "in turn, one container each.",
    )
    node_locality_delay: Count = Field(
        40,
        description="How many offers an ask passes up before it takes a node of the rack it named "
        "in place of the node.",
    )
    rack_locality_additional_delay: Count | None = Field(
        None,
        description="How many more offers it passes up before it takes any node. Unset: as many "
        "as it wants containers, in proportion to the places it named.",
    )
    rack_locality_full_reset: bool = Field(
        True, description="Whether the wait begins anew after a container in the rack."
    )
    reservations_continue_look: bool = Field(
        True,
        description="Whether an application that has room reserved may take another node and give "
        "the reservation up.",
    )
    skip_reserved_nodes: bool = Field(
        False,
        description="Whether nodes that are reserved are passed over where nodes are chosen among "
        "all (nodeOrdering Pack).",
    )

"""How large a container is that was asked for, and whether it may be asked for at all."""

from __future__ import annotations

from collections.abc import Sequence

from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import ResourceTypes, Vector


def normalized(size: Vector, minimum: Vector, maximum: Vector, increment: Vector) -> Vector:
    """*size* raised to the minimum, rounded up to the increment, cut at the maximum.

    Hadoop: DominantResourceCalculator.normalize with `yarn.scheduler.increment-allocation-*`; an
    increment of 0 does not round.
    """
    return tuple(
        min(_rounded_up(max(amount, least), step), most)
        for amount, least, most, step in zip(size, minimum, maximum, increment, strict=True)
    )


def _rounded_up(amount: int, step: int) -> int:
    return -(-amount // step) * step if step else amount


def container_maximum(scheduler: Vector, queue: Sequence[int | None]) -> Vector:
    """The largest container a queue's applications may ask for (`maxContainerAllocation`)."""
    return tuple(
        most if place >= len(queue) or queue[place] is None else min(most, queue[place] or 0)
        for place, most in enumerate(scheduler)
    )


def check_size(size: Vector, maximum: Vector, types: ResourceTypes, what: str) -> None:
    """Refuse a size beyond the maximum allocation.

    Raises:
        Rejected: a component is negative or above *maximum*.
    """
    for amount, most, name in zip(size, maximum, types.names, strict=True):
        asked = types.amount(name, amount)
        if amount < 0:
            raise Rejected(
                Reason.INVALID_REQUEST, f"{what}: {asked} is asked for, it must not be negative"
            )
        if amount > most:
            raise Rejected(
                Reason.MAXIMUM_ALLOCATION,
                f"{what}: {asked} is asked for, the maximum allocation is "
                f"{types.amount(name, most)}; ask for smaller containers",
            )


def check_queue_has(size: Vector, maximum: Vector, types: ResourceTypes, queue: str) -> None:
    """Refuse a size that needs a resource of which the queue's maximum is 0.

    Raises:
        Rejected: *queue* can never have what *size* needs.
    """
    for amount, most, name in zip(size, maximum, types.names, strict=True):
        if amount > 0 and most == 0:
            raise Rejected(
                Reason.QUEUE_MAXIMUM,
                f"queue {queue}: its maximum of {name} is 0 and {types.amount(name, amount)} is "
                "asked for; use a queue that has some",
            )

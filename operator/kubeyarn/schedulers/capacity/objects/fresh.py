"""Containers that were granted in the quick lane and are not looked up yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.model.ids import ContainerId


def taken_in(
    known: dict[ContainerId, Container], fresh: list[Container]
) -> dict[ContainerId, Container]:
    """*known* with what is *fresh* in it, which is then no longer so.

    Most grants are followed by further ones before anybody asks for a container by its id, and to
    file a hundred at once costs less than to look for the same table a hundred times.
    """
    if fresh:
        for container in fresh:
            known[container.id] = container
        fresh.clear()
    return known

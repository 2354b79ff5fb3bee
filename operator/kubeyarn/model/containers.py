"""Containers that were granted."""

from __future__ import annotations

from typing import NamedTuple

from kubeyarn.model.asks import AskKey
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import Vector


class Container(NamedTuple):
    """A granted container (Hadoop: RMContainer): where it is and what it holds.

    A named tuple, because a cycle makes hundreds of them.

    *partition* is the one its use is charged to: that of its node, except that a container in a
    non-exclusive partition asked for no label and may be taken back first. *tags* are those that
    placement constraints count.
    """

    id: ContainerId
    key: AskKey
    node: str
    size: Vector
    partition: str = ""
    am: bool = False
    tags: tuple[str, ...] = ()

"""The nodes of a partition in order of what they hold (Hadoop: MultiNodeSorter)."""

from __future__ import annotations

from bisect import bisect_left
from typing import TYPE_CHECKING

from kubeyarn.model.queues import NodeOrdering
from kubeyarn.model.resources import subtract

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from kubeyarn.model.resources import Vector
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.node import LedgerNode

_Key = tuple["Vector", str]


class NodesByUse:
    """Nodes from the least used to the most, and which of them are reserved.

    With *step*, the smallest container, nodes that are full are none of them, and who looks for
    room is spared those that have too little. Without it every node is looked at, as Hadoop does.
    """

    def __init__(
        self, nodes: Iterable[LedgerNode], calc: Calculator, step: Vector | None = None
    ) -> None:
        self._fits = calc.fits
        self._step = step
        self._places: dict[str, _Key] = {}
        self._reserved: dict[str, LedgerNode] = {}
        self._keys: list[_Key] = []
        self._nodes: list[LedgerNode] = []
        for node in sorted(nodes, key=_key):
            if node.reservation is not None:
                self._reserved[node.name] = node
            if self._is_open(node):
                key = self._places[node.name] = _key(node)
                self._keys.append(key)
                self._nodes.append(node)

    def __len__(self) -> int:
        return len(self._nodes)

    def in_order(self, ordering: NodeOrdering) -> Sequence[LedgerNode]:
        """The nodes as a queue tries them."""
        return self._nodes if ordering is NodeOrdering.SPREAD else self._nodes[::-1]

    def may_hold(self, node: LedgerNode, size: Vector) -> bool:
        """Whether it is worth a look at the node for a container of that size."""
        return self._step is None or bool(node.killable) or self._fits(size, node.free)

    def reserved(self) -> list[LedgerNode]:
        """The nodes that are reserved now."""
        for name in [name for name, node in self._reserved.items() if node.reservation is None]:
            del self._reserved[name]
        return list(self._reserved.values())

    def changed(self, node: LedgerNode) -> None:
        """Put a node where it belongs, after something was granted or reserved there."""
        if node.reservation is not None:
            self._reserved[node.name] = node
        before = self._places.pop(node.name, None)
        if before is not None:
            at = bisect_left(self._keys, before)
            del self._keys[at], self._nodes[at]
        if self._is_open(node):
            key = self._places[node.name] = _key(node)
            at = bisect_left(self._keys, key)
            self._keys.insert(at, key)
            self._nodes.insert(at, node)

    def _is_open(self, node: LedgerNode) -> bool:
        return self._step is None or bool(node.killable) or self._fits(self._step, node.free)


def _key(node: LedgerNode) -> _Key:
    return subtract(node.total, node.free), node.name

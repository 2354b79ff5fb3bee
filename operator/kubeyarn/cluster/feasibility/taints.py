"""Taints of nodes and tolerations of pods. Pure.

Source: k8s.io/component-helpers, scheduling/corev1, TolerationsTolerateTaint; and
k8s.io/api/core/v1, Toleration.ToleratesTaint.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import NamedTuple

# PreferNoSchedule keeps nobody away.
_BLOCKING = ("NoSchedule", "NoExecute")
# Kubernetes taints a node by itself for its conditions.
_CONDITION_TAINTS = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")
# As content.IsDecimalInteger has it: one way to write a number, and what Go's int64 holds.
_DECIMAL = re.compile(r"0|-?[1-9][0-9]{0,18}")


class Taint(NamedTuple):
    """What keeps pods off a node that do not tolerate it."""

    key: str
    value: str
    effect: str

    @property
    def blocks(self) -> bool:
        """Whether a pod that does not tolerate it may not be bound to the node."""
        return self.effect in _BLOCKING

    @property
    def is_of_a_condition(self) -> bool:
        """Whether Kubernetes has set it because the node is in trouble."""
        return self.key.startswith(_CONDITION_TAINTS)

    def __str__(self) -> str:
        value = f"={self.value}" if self.value else ""
        return f"{self.key}{value}:{self.effect}"


class Toleration(NamedTuple):
    """Taints that a pod does not mind; an empty key or effect stands for all of them."""

    key: str = ""
    operator: str = ""
    value: str = ""
    effect: str = ""

    def tolerates(self, taint: Taint) -> bool:
        """Whether the pod does not mind *taint*.

        Kubernetes compares numbers where the gate TaintTolerationComparisonOperators is on; where
        it is off, the API server refuses such a pod.
        """
        if self.effect and self.effect != taint.effect:
            return False
        if self.key and self.key != taint.key:
            return False
        # Without a key any key will do, also where the API server asks for Exists then.
        match self.operator:
            case "" | "Equal":
                return self.value == taint.value
            case "Exists":
                return True
            case "Gt" | "Lt":
                return self._compares(taint.value)
        return False

    def _compares(self, value: str) -> bool:
        if not _DECIMAL.fullmatch(value) or not _DECIMAL.fullmatch(self.value):
            return False
        above, below = int(value) > int(self.value), int(value) < int(self.value)
        return above if self.operator == "Gt" else below


def untolerated(taints: Collection[Taint], tolerations: Collection[Toleration]) -> list[Taint]:
    """The *taints* that keep a pod with these *tolerations* off a node, in order."""
    return [
        taint
        for taint in taints
        if taint.blocks and not any(one.tolerates(taint) for one in tolerations)
    ]

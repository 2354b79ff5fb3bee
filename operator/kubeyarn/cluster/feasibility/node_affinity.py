"""Labels that a pod requires of its node (Kubernetes: nodeSelector, required node affinity). Pure.

Source: k8s.io/component-helpers, scheduling/corev1/nodeaffinity, and labels.Requirement, whose
answers to words that the API server would refuse are the same here: they match nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

NAME_FIELD = "metadata.name"
# Go reads numbers of labels as int64; a greater one is none.
_MOST = 2**63
_LABEL_VALUE = re.compile(r"(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?")
_DIGITS = re.compile(r"[0-9]+")


@dataclass(frozen=True)
class NodeSelectorRequirement:
    """What is required of one label, or one field (Kubernetes: NodeSelectorRequirement)."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether a node with these labels will do (Kubernetes: labels.Requirement.Matches)."""
        label, values = labels.get(self.key), self.values
        if not self._is_valid:
            return False
        match self.operator:
            case "In":
                return label is not None and label in values
            case "NotIn":
                # A node without the label has none of the values.
                return bool(values) and label not in values
            case "Exists":
                return not values and label is not None
            case "DoesNotExist":
                return not values and label is None
            case "Gt" | "Lt":
                return self._compares(label)
        return False

    @cached_property
    def _is_valid(self) -> bool:
        return all(_LABEL_VALUE.fullmatch(value) for value in self.values)

    def _compares(self, label: str | None) -> bool:
        (value, *more) = self.values or ("",)
        number, limit = _whole_number(label), _whole_number(value)
        if more or number is None or limit is None:
            return False
        return number > limit if self.operator == "Gt" else number < limit

    def matches_name(self, name: str) -> bool:
        """Whether a node of this name will do; it is the only field that can be asked for."""
        if self.key != NAME_FIELD or len(self.values) != 1:
            return False
        match self.operator:
            case "In":
                return name in self.values
            case "NotIn":
                return name not in self.values
        return False

    def __str__(self) -> str:
        values = f" [{', '.join(sorted(self.values))}]" if self.values else ""
        return f"{self.key} {self.operator}{values}"


@dataclass(frozen=True, slots=True)
class NodeSelectorTerm:
    """Requirements that a node meets together (Kubernetes: NodeSelectorTerm)."""

    expressions: tuple[NodeSelectorRequirement, ...] = ()
    fields: tuple[NodeSelectorRequirement, ...] = ()

    def matches(self, name: str, labels: Mapping[str, str]) -> bool:
        """Whether a node will do; none does where nothing is required."""
        if not self.expressions and not self.fields:
            return False
        return all(one.matches(labels) for one in self.expressions) and all(
            one.matches_name(name) for one in self.fields
        )

    def __str__(self) -> str:
        return ", ".join(str(one) for one in (*self.expressions, *self.fields)) or "nothing"


def _whole_number(text: str | None) -> int | None:
    """A label's value as Go's ParseInt reads it: labels have no signs."""
    if text is None or not _DIGITS.fullmatch(text) or int(text) >= _MOST:
        return None
    return int(text)

"""What a pod template requires of its node, as one value. Pure.

Read is what kube-scheduler will look at: nodeSelector, required node affinity, tolerations. The
definitions keep templates as written, so any part may be of another type than Kubernetes has; such
a part requires nothing here: a pod that is made of it is refused with Kubernetes' own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from kubeyarn.cluster.feasibility.node_affinity import (
    NodeSelectorRequirement,
    NodeSelectorTerm,
)
from kubeyarn.cluster.feasibility.taints import Taint, Toleration, untolerated

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
# What says more is not looked at, so that no template makes others wait: kube-scheduler judges it.
_MOST_WORDS = 256


@dataclass(frozen=True)
class NodeTraits:
    """A node as templates see it: labels, the taints that block, the partition of a tainted one."""

    name: str
    labels: Mapping[str, str]
    taints: tuple[Taint, ...] = ()
    partition: str = ""


@dataclass(frozen=True)
class NodeRequirements:
    """What a pod requires of its node. Equal ones require the same.

    *terms* are alternatives; None: no node affinity. With *trusts_partitions* the template is not
    known yet: whoever is granted a tainted node of a partition is expected to tolerate the taint.
    """

    selector: tuple[tuple[str, str], ...] = ()
    terms: tuple[NodeSelectorTerm, ...] | None = None
    tolerations: tuple[Toleration, ...] = ()
    trusts_partitions: bool = False

    # Looked up by for each request that comes by; a template's words may be many.
    @cached_property
    def _hash(self) -> int:
        return hash((self.selector, self.terms, self.tolerations, self.trusts_partitions))

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def label_keys(self) -> frozenset[str]:
        """The labels that it looks at."""
        terms = self.terms or ()
        asked = {one.key for term in terms for one in term.expressions}
        return frozenset(asked | {key for key, _ in self.selector})

    @cached_property
    def looks_at_names(self) -> bool:
        """Whether it looks at names of nodes."""
        return any(term.fields for term in self.terms or ())

    def allows(self, node: NodeTraits) -> bool:
        """Whether kube-scheduler would let the pod be on a node, as far as labels and taints go."""
        return self.matches_labels(node) and not self.untolerated(node)

    def matches_labels(self, node: NodeTraits) -> bool:
        """Whether the node's labels and name will do."""
        return self.matches_selector(node) and self.matches_affinity(node)

    def matches_selector(self, node: NodeTraits) -> bool:
        """Whether the node has all labels of the nodeSelector."""
        return all(node.labels.get(key) == value for key, value in self.selector)

    def matches_affinity(self, node: NodeTraits) -> bool:
        """Whether the node will do for one of the terms."""
        if self.terms is None:
            return True
        return any(term.matches(node.name, node.labels) for term in self.terms)

    def untolerated(self, node: NodeTraits) -> list[Taint]:
        """The taints of a node that keep the pod off."""
        if self.trusts_partitions and node.partition:
            return []
        return untolerated(node.taints, self.tolerations)


PLAIN = NodeRequirements()
"""A template that says nothing of nodes."""
UNKNOWN = NodeRequirements(trusts_partitions=True)
"""A template that is given after the grant."""


def read(template: Mapping[str, Any]) -> NodeRequirements:
    """What a PodTemplateSpec requires of a node."""
    return _read(_mapping(template.get("spec")))


def read_pinned(spec: Mapping[str, Any]) -> NodeRequirements:
    """What a container's pod requires of a node, besides being the one of its grant.

    The pin is the last field of each term, and the only one where nothing else was required.
    """
    requirements = _read(spec)
    # An empty term has no pin, and stays empty: it matches nothing.
    terms = [NodeSelectorTerm(one.expressions, one.fields[:-1]) for one in requirements.terms or ()]
    only_pinned = terms == [NodeSelectorTerm()] != list(requirements.terms or ())
    return replace(requirements, terms=tuple(terms) if terms and not only_pinned else None)


def _read(spec: Mapping[str, Any]) -> NodeRequirements:
    selector, tolerations = spec.get("nodeSelector"), spec.get("tolerations")
    required = _mapping(_mapping(spec.get("affinity")).get("nodeAffinity")).get(_REQUIRED)
    if not selector and not tolerations and required is None:
        # One object for nearly all templates, which compares by identity.
        return PLAIN
    requirements = NodeRequirements(
        # In order, so that templates which say the same are one requirement.
        tuple(sorted((str(k), str(v)) for k, v in _mapping(selector).items())),
        None if required is None else _terms(_mapping(required)),
        tuple(sorted({_toleration(one) for one in _objects(tolerations)})),
    )
    words = (
        len(requirements.selector) + len(requirements.tolerations) + len(requirements.label_keys)
    )
    words += sum(len(term.expressions) + len(term.fields) for term in requirements.terms or ())
    return requirements if words <= _MOST_WORDS else UNKNOWN


def _terms(required: Mapping[str, Any]) -> tuple[NodeSelectorTerm, ...]:
    return tuple(
        NodeSelectorTerm(
            _requirements(term.get("matchExpressions")), _requirements(term.get("matchFields"))
        )
        for term in _objects(required.get("nodeSelectorTerms"))
    )


def _requirements(entries: object) -> tuple[NodeSelectorRequirement, ...]:
    return tuple(
        NodeSelectorRequirement(
            str(one.get("key") or ""),
            str(one.get("operator") or ""),
            frozenset(str(value) for value in _list(one.get("values"))),
        )
        for one in _objects(entries)
    )


def _toleration(one: Mapping[str, Any]) -> Toleration:
    return Toleration(*(str(one.get(name) or "") for name in Toleration._fields))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, Mapping)]

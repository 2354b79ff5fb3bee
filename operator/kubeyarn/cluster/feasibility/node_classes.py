"""Nodes in classes that are alike for all that is required of them, and who may be where. Pure.

Theory of operation. Two nodes are of one class when no requirement can tell them apart: they have
the same taints, the same values of the labels that somebody looks at, and, if somebody looks at
names, the same name. So a requirement is checked once a class, and labels that are different on
every node (`kubernetes.io/hostname`) cost nothing until somebody selects by them.

What is kept, and what changes it:

* the **labels that count**: those that some requirement looked at and some node has. They only
  grow, so that an application that comes and goes does not class all nodes anew each time. When
  they grow, nodes change their classes: `take_stale` names them.
* by requirement, the **classes that it allows**, whatever their nodes hold or are up to: a new
  class is checked against all requirements, a new requirement against all classes.
* by requirement, the **allowed classes with usable nodes** (`allowed`), as told to the schedulers;
  `take_changed` names the requirements for which that is something else now.

A class without nodes is forgotten, and its number never used again.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from kubeyarn.cluster.feasibility.node_requirements import NodeRequirements, NodeTraits
from kubeyarn.cluster.feasibility.taints import Taint

_Shape = tuple[tuple[tuple[str, str], ...], tuple[Taint, ...], str, str]


@dataclass(slots=True)
class NodeClass:
    """Nodes that are alike: how many there are, and how many of them take containers at all.

    *tolerated* is how many requirements allow it.
    """

    number: int
    shape: _Shape
    traits: NodeTraits
    nodes: int = 0
    usable: int = 0
    tolerated: int = 0

    @property
    def dedicated(self) -> bool:
        """Whether only who tolerates its taints may be there."""
        return bool(self.traits.taints)

    def enter(self, *, usable: bool) -> bool:
        """A node is of it; whether there are usable nodes only now."""
        self.nodes += 1
        self.usable += usable
        return usable and self.usable == 1

    def leave(self, *, usable: bool) -> bool:
        """A node is of it no longer; whether there are no usable nodes any more."""
        self.nodes -= 1
        self.usable -= usable
        return usable and self.usable == 0

    def tolerate(self, change: int) -> bool:
        """So many more requirements allow it; whether that makes or unmakes it used by anybody."""
        before = self.tolerated
        self.tolerated += change
        return bool(before) is not bool(self.tolerated)


@dataclass(slots=True)
class _Known:
    """A requirement: how many ask for it, what it allows, and what was told of that."""

    askers: int = 0
    classes: set[int] = field(default_factory=set)
    told: frozenset[int] | None = None

    def ask(self, change: int) -> bool:
        """So many more ask for it; whether anybody does."""
        self.askers += change
        return self.askers > 0

    def tell(self, usable: set[int], everywhere: set[int]) -> bool:
        """Find out what is allowed of the *usable* classes; whether that is something else now."""
        allowed, before = self.classes & usable, self.told
        is_all = allowed == everywhere and (allowed or not usable)
        self.told = None if is_all else frozenset(allowed)
        return self.told != before


class NodeClasses:
    """The classes of all nodes, and what each requirement allows."""

    def __init__(self) -> None:
        self._nodes: dict[str, tuple[NodeTraits, bool, NodeClass]] = {}
        self._classes: dict[int, NodeClass] = {}
        self._by_shape: dict[_Shape, NodeClass] = {}
        self._last_number = 0
        self._known: dict[NodeRequirements, _Known] = {}
        self._asked_labels: Counter[str] = Counter()
        self._labels_of_nodes: Counter[str] = Counter()
        self._labels: frozenset[str] = frozenset()
        self._names_count = False
        # What `take_stale` and `take_changed` have to look at.
        self._stale: set[str] = set()
        self._must_regroup = False
        self._must_tell = False

    # What is required.

    def add(self, wanted: NodeRequirements) -> None:
        """One more asks for this."""
        known = self._known.get(wanted)
        if known is None:
            # Thousands of requests have a handful of templates: nodes are looked at once for each.
            known = self._known[wanted] = _Known()
            self._asked_labels.update(wanted.label_keys)
            self._must_regroup |= wanted.looks_at_names and not self._names_count
            self._must_regroup |= not self._labels.issuperset(wanted.label_keys)
            for one in self._classes.values():
                if wanted.allows(one.traits):
                    self._allow(known, one)
            known.tell(*self._usable())
        known.ask(1)

    def remove(self, wanted: NodeRequirements) -> None:
        """One fewer asks for it."""
        known = self._known[wanted]
        if not known.ask(-1):
            # The labels that it looked at go on to count: who comes back finds the same classes.
            del self._known[wanted]
            self._asked_labels.subtract(wanted.label_keys)
            for number in known.classes:
                self._tolerate(self._classes[number], -1)

    def allowed(self, wanted: NodeRequirements) -> frozenset[int] | None:
        """The classes that a known requirement allows, of those with usable nodes.

        None: all that are not dedicated, or there is no usable node at all.
        """
        return self._known[wanted].told

    def take_changed(self) -> set[NodeRequirements]:
        """The requirements that allow other classes than they did; each is handed out once."""
        # Nodes come and go in classes that stay, and then nothing is told anew.
        if not self._must_tell:
            return set()
        self._must_tell = False
        usable = self._usable()
        return {wanted for wanted, known in self._known.items() if known.tell(*usable)}

    def _usable(self) -> tuple[set[int], set[int]]:
        """The classes with usable nodes, and those of them that are not dedicated."""
        usable = {number for number, one in self._classes.items() if one.usable}
        return usable, {number for number in usable if not self._classes[number].dedicated}

    def _allow(self, known: _Known, one: NodeClass) -> None:
        known.classes.add(one.number)
        self._tolerate(one, 1)

    def _tolerate(self, one: NodeClass, change: int) -> None:
        # Nodes that are not dedicated are part of the cluster whoever asks.
        if one.tolerate(change) and one.dedicated:
            self._stale |= {name for name, (_, _, of) in self._nodes.items() if of is one}

    # Nodes.

    def put(self, node: NodeTraits, *, usable: bool) -> NodeClass:
        """A node is there, or is otherwise now; *usable*: it takes containers, taints aside."""
        before = self._nodes.get(node.name)
        if before is not None and before[:2] == (node, usable):
            # Foreign pods that come and go change the room of a node, not what it is.
            return before[2]
        self._labels_of_nodes.update(node.labels.keys())
        # A label that somebody asks for may be on a node for the first time.
        counting = (key for key in node.labels if key not in self._labels)
        self._must_regroup |= any(self._asked_labels[key] > 0 for key in counting)
        one = self._file(node, usable=usable)
        if before is not None:
            # After the node was filed anew, so that a class of one node keeps its number.
            self._labels_of_nodes.subtract(before[0].labels.keys())
            self._leave(before[2], usable=before[1])
        return one

    def is_tolerated(self, name: str) -> bool:
        """Whether somebody asks who may be on the node."""
        node = self._nodes.get(name)
        return node is not None and node[2].tolerated > 0

    def drop(self, name: str) -> None:
        """A node is there no longer."""
        node = self._nodes.pop(name, None)
        if node is None:
            return
        traits, usable, one = node
        self._labels_of_nodes.subtract(traits.labels.keys())
        self._leave(one, usable=usable)
        self._stale.discard(name)

    def take_stale(self) -> set[str]:
        """The nodes of another class than before, or that somebody tolerates or no longer does."""
        if self._must_regroup:
            self._must_regroup = False
            self._regroup()
        stale, self._stale = self._stale, set()
        return stale

    def _regroup(self) -> None:
        asked = {key for key, askers in self._asked_labels.items() if askers > 0}
        labels = self._labels | {key for key in asked if self._labels_of_nodes[key] > 0}
        names_count = self._names_count or any(one.looks_at_names for one in self._known)
        if labels == self._labels and names_count == self._names_count:
            return
        self._labels, self._names_count = labels, names_count
        for name, (traits, usable, before) in list(self._nodes.items()):
            if self._shape(traits) == before.shape:
                # Its class keeps its number, so that no ask for it is told anew.
                continue
            self._leave(before, usable=usable)
            self._file(traits, usable=usable)
            self._stale.add(name)

    def _file(self, node: NodeTraits, *, usable: bool) -> NodeClass:
        shape = self._shape(node)
        one = self._by_shape.get(shape) or self._begin(shape, node)
        self._must_tell |= one.enter(usable=usable)
        self._nodes[node.name] = (node, usable, one)
        return one

    def _begin(self, shape: _Shape, node: NodeTraits) -> NodeClass:
        # A number that was used before could let an ask onto nodes that it was never checked for.
        self._last_number += 1
        name = node.name if self._names_count else ""
        traits = NodeTraits(name, dict(shape[0]), node.taints, node.partition)
        one = NodeClass(self._last_number, shape, traits)
        self._classes[one.number] = self._by_shape[shape] = one
        for wanted, known in self._known.items():
            if wanted.allows(traits):
                self._allow(known, one)
        return one

    def _leave(self, one: NodeClass, *, usable: bool) -> None:
        self._must_tell |= one.leave(usable=usable)
        # Without this a cluster that grows and shrinks would keep every class that it ever had.
        if not one.nodes:
            del self._classes[one.number], self._by_shape[one.shape]
            for known in self._known.values():
                known.classes.discard(one.number)

    def _shape(self, node: NodeTraits) -> _Shape:
        labels = tuple(
            (key, value) for key, value in sorted(node.labels.items()) if key in self._labels
        )
        # Only where a taint has to be trusted does it matter whose partition a node is.
        partition = node.partition if node.taints else ""
        return labels, node.taints, partition, node.name if self._names_count else ""

    # What is said of it.

    def explain(self, wanted: NodeRequirements) -> str:
        """Which words of a requirement the nodes do not have, with counts."""
        return explain(wanted, list(self._classes.values()))


def explain(wanted: NodeRequirements, classes: list[NodeClass]) -> str:
    """What keeps a pod off the nodes of *classes*: labels, taints, or that they are not usable."""
    total = sum(one.nodes for one in classes)
    told = _missing_labels(wanted, classes, total)
    matching = [one for one in classes if wanted.matches_labels(one.traits)]
    counts: Counter[Taint] = Counter()
    for one in matching:
        for taint in wanted.untolerated(one.traits):
            counts[taint] += one.nodes
    told += [
        f"{count} {_nodes(count)} {'has' if count == 1 else 'have'} taint {taint} "
        "that is not tolerated"
        for taint, count in sorted(counts.items())[:_MOST_TOLD]
    ]
    # What is cordoned or not Ready may come back by itself: then the template is not at fault.
    allowed = [one for one in matching if not wanted.untolerated(one.traits)]
    closed = sum(one.nodes - one.usable for one in allowed)
    if closed:
        told.append(f"{closed} that would do {'takes' if closed == 1 else 'take'} no containers")
    return "; ".join(told)


_MOST_TOLD = 5


def _missing_labels(wanted: NodeRequirements, classes: list[NodeClass], total: int) -> list[str]:
    def count(matches: list[bool]) -> int:
        return sum(one.nodes for one, yes in zip(classes, matches, strict=True) if yes)

    told = []
    by_selector = [wanted.matches_selector(one.traits) for one in classes]
    if wanted.selector and not count(by_selector):
        single = [
            (pair, count([one.traits.labels.get(pair[0]) == pair[1] for one in classes]))
            for pair in wanted.selector
        ]
        # The words that no node has say most; where each is somewhere, all of them together.
        nowhere = [pair for pair, nodes in single if not nodes] or list(wanted.selector)
        words = ",".join(f"{key}={value}" for key, value in nowhere[:_MOST_TOLD])
        told.append(f"0 of {total} nodes match nodeSelector {words}")
    by_affinity = [wanted.matches_affinity(one.traits) for one in classes]
    if wanted.terms is not None and not count(by_affinity):
        words = " or ".join(f"({term})" for term in wanted.terms[:_MOST_TOLD]) or "(nothing)"
        told.append(f"0 of {total} nodes match required node affinity {words}")
    both = [a and b for a, b in zip(by_selector, by_affinity, strict=True)]
    if not told and not count(both):
        told.append(f"0 of {total} nodes match nodeSelector and required node affinity together")
    return told


def _nodes(count: int) -> str:
    return "node" if count == 1 else "nodes"

"""Placement constraints as text (Hadoop: PlacementConstraintParser).

    in,SCOPE,TAG...                 a container of each tag is there
    notin,SCOPE,TAG...              none of any tag is there
    cardinality,SCOPE,TAG...,MIN,MAX  from MIN to MAX of each tag are there
    and(A:B:...), or(A:B:...)       all, or one at least, of constraints

SCOPE is node or rack. A TAG may have a namespace: self/TAG (as without), not-self/TAG, all/TAG,
app-id/APPLICATION_ID/TAG, app-tag/APPLICATION_TAG/TAG.
"""

from __future__ import annotations

import re
from functools import lru_cache

from kubeyarn.model.constraints import (
    AllOf,
    AnyOf,
    Cardinality,
    Expression,
    Namespace,
    PlacementConstraint,
    Scope,
    Target,
)
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId

_KINDS = "in, notin, cardinality, and(...), or(...)"
_DEEPEST = 16
# Hadoop reads these with Integer.parseInt.
_LARGEST = 2**31 - 1
_NUMBER = re.compile(r"[0-9]{1,10}", re.ASCII)


@lru_cache(maxsize=4096)
def parse(text: str) -> PlacementConstraint:
    """The constraint that a text means.

    Raises:
        SpecError: the text is no constraint; the message has what was found and what is allowed.
    """
    return PlacementConstraint(text, _expression(text.strip(), 0))


def _expression(text: str, depth: int) -> Expression:
    if depth > _DEEPEST:
        raise SpecError(f"nested more than {_DEEPEST} deep, allowed: less")
    head, bracket, _ = text.partition("(")
    word = head.strip().lower()
    if bracket and word in ("and", "or"):
        parts = tuple(_expression(part, depth + 1) for part in _parts(text))
        return AllOf(parts) if word == "and" else AnyOf(parts)
    if "(" in text or ")" in text or ":" in text:
        raise SpecError(f"found {text!r}, allowed: {_KINDS}")
    return _single([token.strip() for token in text.split(",")], text)


def _parts(text: str) -> list[str]:
    """The parts of a conjunction: the text in its brackets, cut at its own colons."""
    inner = text.partition("(")[2]
    if not inner.endswith(")"):
        raise SpecError(f"found {text!r}, allowed: a closing bracket at its end")
    parts, depth = [""], 0
    for letter in inner[:-1]:
        depth += (letter == "(") - (letter == ")")
        if depth < 0:
            raise SpecError(f"found {text!r}, allowed: as many closing brackets as opening ones")
        if letter == ":" and depth == 0:
            parts.append("")
        else:
            parts[-1] += letter
    if depth:
        raise SpecError(f"found {text!r}, allowed: as many closing brackets as opening ones")
    return [part.strip() for part in parts]


def _single(tokens: list[str], text: str) -> Cardinality:
    word, rest = tokens[0].lower(), tokens[1:]
    if word not in ("in", "notin", "cardinality"):
        raise SpecError(f"found {tokens[0]!r} in {text!r}, allowed: {_KINDS}")
    scope = _scope(rest[0] if rest else "", text)
    if word == "cardinality":
        return _cardinality(scope, rest[1:], text)
    targets = _targets(rest[1:], text)
    minimum, maximum = (1, None) if word == "in" else (0, 0)
    return Cardinality(scope, targets, minimum, maximum)


def _cardinality(scope: Scope, rest: list[str], text: str) -> Cardinality:
    if len(rest) < 3:
        raise SpecError(f"found {text!r}, allowed: cardinality,SCOPE,TAG,...,MIN,MAX")
    minimum, maximum = (_number(number, text) for number in rest[-2:])
    if minimum > maximum:
        raise SpecError(
            f"found {minimum} to {maximum} in {text!r}, allowed: at most as many as MAX"
        )
    return Cardinality(scope, _targets(rest[:-2], text), minimum, maximum)


def _number(digits: str, text: str) -> int:
    number = int(digits) if _NUMBER.fullmatch(digits) is not None else _LARGEST + 1
    if number > _LARGEST:
        raise SpecError(
            f"found {digits[:20]!r} in {text!r}, allowed: cardinality,SCOPE,TAG,...,MIN,MAX with "
            f"numbers from 0 to {_LARGEST} in decimal digits"
        )
    return number


def _scope(name: str, text: str) -> Scope:
    try:
        return Scope(name.lower())
    except ValueError:
        raise SpecError(f"found the scope {name!r} in {text!r}, allowed: node, rack") from None


def _targets(tags: list[str], text: str) -> tuple[Target, ...]:
    if not tags or not all(tags):
        raise SpecError(f"found a tag that is empty in {text!r}, allowed: one tag or more")
    return tuple(_target(tag, text) for tag in tags)


def _target(name: str, text: str) -> Target:
    *prefix, tag = name.split("/")
    if not tag or "=" in name:
        raise SpecError(f"found {name!r} in {text!r}, allowed: a tag; attributes of nodes are not")
    if not prefix:
        return Target(tag)
    takes_value = prefix[0] in (Namespace.APP_ID, Namespace.APP_TAG)
    known = prefix[0] in tuple(Namespace)
    if not known or len(prefix) != 1 + takes_value or not all(prefix):
        raise SpecError(
            f"found the namespace {'/'.join(prefix)!r} in {text!r}, allowed: self, not-self, all, "
            "app-id/<application id>, app-tag/<tag>"
        )
    value = prefix[1] if takes_value else ""
    if prefix[0] == Namespace.APP_ID:
        ApplicationId.parse(value)
    return Target(tag, Namespace(prefix[0]), value)

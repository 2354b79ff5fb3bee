"""Sets of container numbers written compactly: `1-5,9` is 1, 2, 3, 4, 5 and 9.

A request may hold thousands of containers; its status names them all and must stay small.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from kubeyarn.crd.object import Object
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId

PATTERN = r"^([0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*)?$"
"""What a compact range looks like, for the CRD."""
LONGEST_NUMBER = 19
"""Digits of a number, as many as a 64-bit one has."""
LARGEST_SET = 1_000_000
"""Numbers one range may name, so that a mistyped `1-9999999999` costs nothing."""

_WHOLE = re.compile(PATTERN, re.ASCII)


def compact(numbers: Iterable[int]) -> str:
    """Write *numbers*, each once and in order; "" when there are none."""
    spans: list[list[int]] = []
    # A set has one spelling: statuses are compared as they are written, to see whether a write is
    # due.
    for number in sorted(set(numbers)):
        if spans and number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in spans)


def grouped(
    containers: Iterable[ContainerId], nodes: Mapping[ContainerId, str] | None = None
) -> list[Object]:
    """Containers as a status lists them, each attempt and epoch (and node of *nodes*) once."""
    groups: dict[tuple[int, int, str], list[int]] = {}
    for container in containers:
        node = "" if nodes is None else nodes[container]
        group = (container.attempt.number, container.epoch, node)
        groups.setdefault(group, []).append(container.number)
    return [
        {"attempt": attempt, "epoch": epoch}
        | ({} if nodes is None else {"node": node})
        | {"containers": compact(numbers)}
        for (attempt, epoch, node), numbers in sorted(groups.items())
    ]


def expand(text: str) -> list[int]:
    """The numbers that *text* names, sorted, each once.

    Raises:
        SpecError: not a compact range, a range that runs backwards, or over `LARGEST_SET` numbers.
    """
    if _WHOLE.fullmatch(text) is None:
        raise SpecError(f"containers: found {text[:80]!r}, expected ranges such as 1-5,9")
    spans = [_span(part) for part in text.split(",") if part]
    # Not len: it raises for a range longer than an index can be.
    if sum(span.stop - span.start for span in spans) > LARGEST_SET:
        raise SpecError(
            f"containers: found more than {LARGEST_SET} numbers, allowed: {LARGEST_SET}"
        )
    return sorted({number for span in spans for number in span})


def _span(part: str) -> range:
    first, _, last = part.partition("-")
    if max(len(first), len(last)) > LONGEST_NUMBER:
        raise SpecError(
            f"containers: found {part[:80]!r}, allowed: numbers of at most {LONGEST_NUMBER} digits"
        )
    span = range(int(first), int(last or first) + 1)
    if not span:
        raise SpecError(f"containers: found {part!r}, expected the smaller number first")
    return span

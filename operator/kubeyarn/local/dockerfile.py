"""Reads the small part of the Dockerfile language that operator/Dockerfile keeps to."""

from __future__ import annotations

import json
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN = ("ARG", "FROM", "LABEL", "ENV", "RUN", "COPY", "WORKDIR", "USER", "ENTRYPOINT", "CMD")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction; *words* are a COPY's paths, a RUN's command alone, or NAME=VALUE pairs."""

    line: int
    name: str
    words: tuple[str, ...]


def parse(text: str, arguments: Mapping[str, str]) -> list[Instruction]:
    """The instructions of a Dockerfile, with build arguments filled in; ARG itself is used up.

    Raises LocalClusterError, with the line, for what lies outside the subset.
    """
    known: dict[str, str] = {}
    instructions = []
    for number, line in _joined(text):
        name, _, rest = line.partition(" ")
        name, rest = name.upper(), rest.strip()
        if name not in _KNOWN:
            raise _refused(number, f"{name} is not among {', '.join(_KNOWN)}")
        if name == "ARG":
            key, _, default = rest.partition("=")
            known[key] = arguments.get(key, default)
            continue
        # The shell, not the builder, fills in what a RUN names.
        filled = rest if name == "RUN" else _filled(rest, known)
        instructions.append(Instruction(number, name, _words(number, name, filled)))
    if not instructions or instructions[0].name != "FROM":
        raise _refused(1, "the first instruction but ARG must be FROM")
    return instructions


def pairs(instruction: Instruction) -> dict[str, str]:
    """The NAME=VALUE pairs of an ENV or LABEL.

    Raises LocalClusterError when a word is no pair.
    """
    split = [word.partition("=") for word in instruction.words]
    if not all(separator for _, separator, _ in split):
        raise _refused(instruction.line, f"{instruction.name} takes NAME=VALUE pairs only")
    return {name: value for name, _, value in split}


def _words(number: int, name: str, rest: str) -> tuple[str, ...]:
    if name == "RUN":
        if rest.startswith(("--", "[")):
            raise _refused(number, "RUN takes a shell command, without options")
        return (rest,)
    if name in {"ENTRYPOINT", "CMD"}:
        return _listed(number, name, rest)
    words = tuple(shlex.split(rest))
    if name == "FROM" and len(words) != 1:
        raise _refused(number, "FROM takes one image; there are no stages")
    if name == "COPY" and (len(words) < 2 or words[0].startswith("--")):
        raise _refused(number, "COPY takes sources and a destination, without options")
    return words


def _listed(number: int, name: str, rest: str) -> tuple[str, ...]:
    try:
        words = json.loads(rest)
    except json.JSONDecodeError:
        words = None
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise _refused(number, f'{name} takes a list: ["program", "argument"]')
    return tuple(words)


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _VARIABLE.sub(lambda match: known.get(match[1] or match[2], ""), text)


def _joined(text: str) -> list[tuple[int, str]]:
    lines: list[tuple[int, str]] = []
    parts: list[str] = []
    first = 0
    for number, raw in enumerate(text.splitlines(), start=1):
        stripped = raw.strip()
        if not stripped or stripped.startswith("#"):
            continue
        first = first or number
        parts.append(stripped.removesuffix("\\").strip())
        if not stripped.endswith("\\"):
            lines.append((first, " ".join(parts)))
            parts, first = [], 0
    return lines


def _refused(line: int, why: str) -> LocalClusterError:
    return LocalClusterError(f"Dockerfile line {line}: {why}")

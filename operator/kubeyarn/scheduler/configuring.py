"""Putting YarnQueues in force: what adds up is taken, what does not is reported and left out.

The core refuses a tree as a whole. Here the smallest part that is at fault goes back to what it
last said (or is left out when it never was in force), so that a mistake in one corner does not hold
up the others. The words in force are kept in the queues' status, so a restart decides the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from kubeyarn.crd import queues
from kubeyarn.model.errors import ConfigRefused, Problem
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.resources import ResourceTypes

Object = dict[str, Any]


@dataclass(slots=True)
class InForce:
    """The outcome: the configuration in force, whose word each queue has, and what is wrong."""

    config: SchedulerConfig | None = None
    objects: dict[str, Object] = field(default_factory=dict)
    problems: dict[str, Problem] = field(default_factory=dict)


def put_in_force(
    found: Mapping[str, Object],
    before: Mapping[str, Object],
    types: ResourceTypes,
    configure: Callable[[SchedulerConfig], None],
) -> InForce:
    """Configure with as much of *found* as adds up.

    *before* are the words that were in force; *configure* raises ConfigRefused for a tree that
    cannot be. Ends because each round takes at least one queue's new word away.
    """
    words = dict(found)
    problems: dict[str, Problem] = {}
    while True:
        tree = queues.tree(words.values(), types)
        refused = tree.problems
        if not refused and tree.config is not None:
            try:
                configure(tree.config)
                return InForce(tree.config, words, problems)
            except ConfigRefused as error:
                refused = error.problems
        for problem in refused:
            problems.setdefault(problem.queue, problem)
        if not refused or not _take_back(words, before, refused, problems):
            return InForce(None, dict(before), problems)


def _take_back(
    words: dict[str, Object],
    before: Mapping[str, Object],
    refused: Iterable[Problem],
    problems: dict[str, Problem],
) -> bool:
    """Undo the new words that may be at fault; whether there was any."""
    undone = False
    for problem in refused:
        family = [problem.queue, *_children(words, problem.queue)]
        changed = [path for path in family if path in words and _is_new(path, words, before)]
        if not changed and problem.queue != queues.ROOT:
            parent = problem.queue.rpartition(".")[0]
            changed = [p for p in (parent, *_children(words, parent)) if _is_new(p, words, before)]
        for path in changed:
            problems.setdefault(path, Problem(path, problem.field, problem.reason, problem.message))
            undone |= _undo(words, before, path)
    return undone


def _children(words: Mapping[str, Object], path: str) -> list[str]:
    return [p for p in words if p.rpartition(".")[0] == path]


def _is_new(path: str, words: Mapping[str, Object], before: Mapping[str, Object]) -> bool:
    if path not in words:
        return False
    known = before.get(path)
    return known is None or spec(words[path]) != spec(known) or _going(words[path], known)


def _going(now: Object, known: Object) -> bool:
    return ("deletionTimestamp" in now["metadata"]) != ("deletionTimestamp" in known["metadata"])


def _undo(words: dict[str, Object], before: Mapping[str, Object], path: str) -> bool:
    if path not in before:
        words.pop(path, None)
        return True
    words[path] = before[path]
    return True


def spec(queue: Object) -> Object:
    """A queue's spec; one that was left out says nothing."""
    return queue.get("spec") or {}


def with_spec(queue: Object, words: Object) -> Object:
    """*queue* saying *words*: how the words in force are remembered."""
    return {**queue, "spec": words}

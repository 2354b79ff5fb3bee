"""Putting YarnQueues in force: what adds up is taken, what does not is reported and left out.

The core refuses a tree as a whole. Here the smallest part that is at fault goes back to what it
last said (or is left out when it never was in force), so that a mistake in one corner does not hold
up the others. A queue that was removed although the others do not add up without it stays, too.
The words in force are kept in the queues' status, so a restart decides the same.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field

from kubeyarn.crd import queues
from kubeyarn.crd.object import Object
from kubeyarn.model.errors import ConfigRefused, Problem
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.resources import ResourceTypes

# What is wrong is not the queue's own word but what its children say together.
_OF_CHILDREN = "CapacitySum"


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
    cannot be. Ends because each round takes at least one queue's new word away, brings back a queue
    that was removed, or leaves one out for good.
    """
    words = dict(found)
    problems: dict[str, Problem] = {}
    left_out: set[str] = set()
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
        if not (
            _take_back(words, before, refused, problems)
            or _bring_back(words, before, refused, left_out, problems)
            or _leave_out(words, refused, left_out)
        ):
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
        for path in _at_fault(problem, words, before):
            problems.setdefault(path, Problem(path, problem.field, problem.reason, problem.message))
            _undo(words, before, path)
            undone = True
    return undone


def _at_fault(
    problem: Problem, words: Mapping[str, Object], before: Mapping[str, Object]
) -> list[str]:
    """The new words nearest to a problem."""
    path = problem.queue
    own, below = [path], _children(words, path)
    groups = [below, own] if problem.reason == _OF_CHILDREN else [own, below]
    while path != queues.ROOT:
        path = path.rpartition(".")[0] or queues.ROOT
        groups.append([path, *_children(words, path)])
    changed = ([p for p in group if _is_new(p, words, before)] for group in groups)
    return next((group for group in changed if group), [])


def _bring_back(
    words: dict[str, Object],
    before: Mapping[str, Object],
    refused: Iterable[Problem],
    left_out: Collection[str],
    problems: dict[str, Problem],
) -> bool:
    """Keep queues in force that were removed although the others do not add up without them."""
    gone = [path for path in before if path not in words and path not in left_out]
    missed = [
        path
        for path in gone
        for problem in refused
        if path == problem.queue
        or problem.queue.startswith(path + ".")
        or path.rpartition(".")[0] == problem.queue
    ]
    words |= {path: before[path] for path in missed}
    reason = next(iter(refused)).reason if missed else ""
    for path in missed:
        said = "; ".join(sorted({problem.message for problem in refused}))
        message = f"{path} was deleted, but is needed still. Without it: {said}"
        problems.setdefault(path, Problem(path, "metadata.deletionTimestamp", reason, message))
    return bool(missed)


def _leave_out(words: dict[str, Object], refused: Iterable[Problem], left_out: set[str]) -> bool:
    """The last resort: without the queues at fault and what is below them."""
    at_fault = [problem.queue for problem in refused if problem.queue != queues.ROOT]
    out = [
        path
        for path in words
        if any(path == queue or path.startswith(queue + ".") for queue in at_fault)
    ]
    left_out |= set(out)
    for path in out:
        del words[path]
    return bool(out)


def _children(words: Mapping[str, Object], path: str) -> list[str]:
    return [p for p in words if p.rpartition(".")[0] == path]


def _is_new(path: str, words: Mapping[str, Object], before: Mapping[str, Object]) -> bool:
    if path not in words:
        return False
    known = before.get(path)
    return known is None or spec(words[path]) != spec(known) or _going(words[path], known)


def _going(now: Object, known: Object) -> bool:
    return ("deletionTimestamp" in now["metadata"]) != ("deletionTimestamp" in known["metadata"])


def _undo(words: dict[str, Object], before: Mapping[str, Object], path: str) -> None:
    if path in before:
        words[path] = before[path]
    else:
        words.pop(path, None)


def spec(queue: Object) -> Object:
    """A queue's spec; one that was left out says nothing."""
    return queue.get("spec") or {}


def with_spec(queue: Object, words: Object) -> Object:
    """*queue* saying *words*: how the words in force are remembered."""
    return {**queue, "spec": words}

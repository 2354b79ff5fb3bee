"""The largest part of a queue tree that adds up: it is put in force, the rest is reported.

The scheduler refuses a tree as a whole. A mistake in one corner must not hold up the others, so the
smallest part that may be at fault goes back to the spec that was in force, and the tree is tried
again. Theory of operation of `put_in_force`:

- *What is tried.* The specs of all queues, each either as its object has it now, or as it was in
  force before, or left out because it never was in force.
- *Order of attempts.* First the new specs nearest to a problem are reverted: those of the queue
  itself and of its children, then upwards ring by ring, because capacities that do not add up are
  reported on the parent while one child changed. Where no new spec is near, a queue that was
  removed may be missed: it is restored, and its object told that it is still needed. At last the
  queues at fault are left out with all that is below them.
- *Why it ends.* Each round reverts at least one new spec, restores a removed queue, or leaves one
  out for good; none of the three is undone.
- *What survives a restart.* The specs in force are kept in the queues' status (`inForce`), so
  another process tries from the same fallback and comes to the same tree.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from kubeyarn.crd import scheduler_config
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.model.errors import ConfigRefused, Problem
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.resources import ResourceTypes

# The fault is not the queue's own spec but what its children's add up to.
_OF_CHILDREN = "CapacitySum"


@dataclass(frozen=True, slots=True)
class InForce:
    """The configuration in force, each queue's object with the spec in force, and what is wrong."""

    config: SchedulerConfig | None = None
    objects: Mapping[str, UncheckedQueue] = field(default_factory=dict)
    problems: Mapping[str, Problem] = field(default_factory=dict)


def put_in_force(
    queues: Mapping[str, UncheckedQueue],
    before: Mapping[str, UncheckedQueue],
    types: ResourceTypes,
    configure: Callable[[SchedulerConfig], None],
) -> InForce:
    """Configure with as much of *queues* as adds up.

    *before* are the queues with the specs that were in force; *configure* raises ConfigRefused for
    a tree that cannot be.
    """
    search = _Search(queues, before)
    while True:
        tree = scheduler_config.read_queues(search.tried.values(), types)
        refused = tree.problems
        if not refused and tree.config is not None:
            try:
                configure(tree.config)
                return InForce(tree.config, search.tried, search.problems)
            except ConfigRefused as error:
                refused = error.problems
        # Each round takes something back, so the search ends.
        if not search.give_way(refused):
            return InForce(None, dict(before), search.problems)


class _Search:
    """The queues that are tried, and the problems found on the way, by path."""

    def __init__(
        self, queues: Mapping[str, UncheckedQueue], before: Mapping[str, UncheckedQueue]
    ) -> None:
        self._before = before
        self._left_out: set[str] = set()
        self.tried: dict[str, UncheckedQueue] = dict(queues)
        self.problems: dict[str, Problem] = {}

    def give_way(self, refused: Iterable[Problem]) -> bool:
        """Take back what may be at fault; false: nothing is left to take back."""
        refused = list(refused)
        for problem in refused:
            # The first problem of a queue stays: those of later rounds come of what was taken back.
            self.problems.setdefault(problem.queue, problem)
        return self._revert(refused) or self._restore(refused) or self._leave_out(refused)

    def _revert(self, refused: list[Problem]) -> bool:
        """Revert the new specs nearest to each problem; whether there was any."""
        reverted = False
        for problem in refused:
            for path in self._at_fault(problem):
                told = Problem(path, problem.field, problem.reason, problem.message)
                self.problems.setdefault(path, told)
                if path in self._before:
                    self.tried[path] = self._before[path]
                else:
                    self.tried.pop(path, None)
                reverted = True
        return reverted

    def _at_fault(self, problem: Problem) -> list[str]:
        """The new specs of the nearest ring around a problem that has any."""
        path = problem.queue
        own, below = [path], self._children(path)
        # Whose change it was: a sum of capacities is told of the parent, and a child's new spec
        # made it.
        rings = [below, own] if problem.reason == _OF_CHILDREN else [own, below]
        while path != scheduler_config.ROOT:
            path = path.rpartition(".")[0] or scheduler_config.ROOT
            rings.append([path, *self._children(path)])
        changed = ([p for p in ring if self._is_new(p)] for ring in rings)
        return next((ring for ring in changed if ring), [])

    def _children(self, path: str) -> list[str]:
        return [p for p in self.tried if p.rpartition(".")[0] == path]

    def _is_new(self, path: str) -> bool:
        if path not in self.tried:
            return False
        now, known = self.tried[path], self._before.get(path)
        return known is None or now.spec != known.spec or now.deleted != known.deleted

    def _restore(self, refused: list[Problem]) -> bool:
        """Restore removed queues without which the others do not add up; whether there was any."""
        removed = [p for p in self._before if p not in self.tried and p not in self._left_out]
        missed = [p for p in removed if any(_concerns(problem, p) for problem in refused)]
        for path in missed:
            self.tried[path] = self._before[path]
            reasons = "; ".join(sorted({problem.message for problem in refused}))
            message = f"{path} was deleted, but is needed still. Without it: {reasons}"
            told = Problem(path, "metadata.deletionTimestamp", refused[0].reason, message)
            self.problems.setdefault(path, told)
        return bool(missed)

    def _leave_out(self, refused: list[Problem]) -> bool:
        """Leave out the queues at fault and what is below them; whether there was any."""
        at_fault = [problem.queue for problem in refused if problem.queue != scheduler_config.ROOT]
        out = [p for p in self.tried if any(_is_within(p, queue) for queue in at_fault)]
        self._left_out |= set(out)
        for path in out:
            del self.tried[path]
        return bool(out)


def _concerns(problem: Problem, removed: str) -> bool:
    """Whether a problem is on a removed queue, below it, or on its parent."""
    return _is_within(problem.queue, removed) or removed.rpartition(".")[0] == problem.queue


def _is_within(path: str, queue: str) -> bool:
    return path == queue or path.startswith(queue + ".")

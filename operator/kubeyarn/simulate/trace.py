"""A run's decisions in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.schedulers.api import Decision, Grant, Preempt, Reserve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from kubeyarn.simulate.scenario import Step


class Trace:
    """Collects lines; *names* gives an application's name in the scenario."""

    def __init__(self, names: Callable[[object], str]) -> None:
        self.lines: list[str] = []
        self._names = names

    def step(self, index: int, step: Step) -> None:
        """A step begins."""
        arguments = ", ".join(f"{key}: {value}" for key, value in step.arguments.items())
        self.lines.append(f"step {index} {step.action} {{{arguments}}}")

    def note(self, line: str) -> None:
        """Something worth saying."""
        self.lines.append(f"  {line}")

    def decisions(self, decisions: Sequence[Decision]) -> None:
        """Decisions of an offer or a preemption pass."""
        for decision in decisions:
            self.note(self._words(decision))

    def _words(self, decision: Decision) -> str:
        if isinstance(decision, Grant):
            container = decision.container
            kind = "its ApplicationMaster" if container.am else f"priority {container.key.priority}"
            name = self._names(container.id.attempt.application)
            return f"{name} gets {container.size} on {container.node} ({kind}, {container.id})"
        if isinstance(decision, Reserve):
            return (
                f"{self._names(decision.application)} reserves {decision.size} on {decision.node}"
            )
        if isinstance(decision, Preempt):
            what = "is killed" if decision.kill else "is marked for preemption"
            return f"{decision.container} {what}: {decision.message}"
        return str(decision)

"""The reference page of states, made from the tables that the ResourceManager runs on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubeyarn.lifecycle.application import APPLICATION
from kubeyarn.lifecycle.attempt import ATTEMPT
from kubeyarn.lifecycle.container import CONTAINER
from kubeyarn.lifecycle.exit_status import MEANINGS, NOT_COUNTED
from kubeyarn.lifecycle.machine import Machine

_HEAD = """# States and exit statuses

This page is made from the tables in `operator/kubeyarn/lifecycle` by `kubeyarn states --write`.

An event that a state does not know is refused and changes nothing.
Hadoop's saving states have no place: a state is in force once it is written to the object's status.
"""

_ABOUT = {
    APPLICATION.name: "Users see FINISHING as FINISHED, and KILLING as the state before the kill "
    "(Hadoop: RMAppImpl). RUNNING goes back to ACCEPTED when another attempt follows.",
    ATTEMPT.name: "One start of the ApplicationMaster (Hadoop: RMAppAttemptImpl).",
    CONTAINER.name: "A container in the ResourceManager's ledger (Hadoop: RMContainerImpl). Users "
    "see NEW, RUNNING and COMPLETE.",
}

_STATUSES = """## Exit statuses

A number that is not in this table is the exit code of the container's own process.
The last column says whether an ApplicationMaster that ends so uses up one of `maxAttempts`.
One that exits by itself does, with 0 as well, unless it has unregistered.

| Status | ContainerExitStatus | What happened | Counts as a failed attempt |
|---|---|---|---|
"""


def states() -> str:
    """The page, as Markdown with Mermaid diagrams."""
    sections = [_section(machine) for machine in (APPLICATION, ATTEMPT, CONTAINER)]
    return "\n".join([_HEAD, *sections, _STATUSES.rstrip("\n"), *_statuses(), ""])


def diagram(machine: Machine[Any, Any]) -> str:
    """A machine as a Mermaid state diagram; events with the same states share an arrow."""
    lines = ["stateDiagram-v2", f"    [*] --> {machine.initial}"]
    for state, row in machine.transitions.items():
        arrows: dict[str, list[str]] = {}
        for event, after in row.items():
            arrows.setdefault(str(after), []).append(str(event))
        lines += [f"    {state} --> {after}: {', '.join(es)}" for after, es in arrows.items()]
    lines += [f"    {state} --> [*]" for state in sorted(machine.terminal)]
    return "\n".join(lines)


def _section(machine: Machine[Any, Any]) -> str:
    title = f"## {machine.name.capitalize()}"
    parts = [title, "", _ABOUT[machine.name], "", "```mermaid", diagram(machine), "```", ""]
    parts += ["| State | Taken without effect |", "|---|---|", *_ignored(machine), ""]
    return "\n".join(parts)


def _ignored(machine: Machine[Any, Any]) -> Iterator[str]:
    """Per state, the events that it takes without effect."""
    for state in type(machine.initial):
        events = machine.ignored.get(state)
        if events:
            every = len(events) == len(min(events).__class__.__members__)
            shown = "every event" if every else ", ".join(sorted(events))
            yield f"| {state} | {shown} |"


def _statuses() -> Iterator[str]:
    for status, meaning in MEANINGS.items():
        counts = "no" if status in NOT_COUNTED else "yes"
        yield f"| {int(status)} | {status.name} | {meaning} | {counts} |"

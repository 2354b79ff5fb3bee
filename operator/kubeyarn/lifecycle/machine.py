"""A state machine that is nothing but its table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

from kubeyarn.model.errors import IllegalEvent

State = TypeVar("State", bound=StrEnum)
Event = TypeVar("Event", bound=StrEnum)


@dataclass(frozen=True, slots=True)
class Machine(Generic[State, Event]):
    """States, what each event makes of them, and the events that a state takes without effect.

    An event that is in neither table is illegal: it raises and nothing has happened.
    """

    name: str
    initial: State
    terminal: frozenset[State]
    transitions: Mapping[State, Mapping[Event, State]]
    ignored: Mapping[State, frozenset[Event]]

    def after(self, state: State, event: Event) -> State:
        """The state that *event* leads to from *state*.

        Raises:
            IllegalEvent: *state* does not know *event*.
        """
        target = self.transitions.get(state, {}).get(event)
        if target is not None:
            return target
        if event in self.ignored.get(state, frozenset()):
            return state
        legal = ", ".join(sorted(self.transitions.get(state, {}))) or "none"
        raise IllegalEvent(f"{self.name}: {event} is not legal in state {state}; legal: {legal}")

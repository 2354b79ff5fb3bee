"""The state tables of application, attempt and container, row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.lifecycle import container
from kubeyarn.lifecycle.application import (
    APPLICATION,
    TERMINAL,
    ApplicationEvent,
    ApplicationState,
    public,
)
from kubeyarn.lifecycle.attempt import ATTEMPT, ENDED, AttemptEvent, AttemptState
from kubeyarn.lifecycle.container import CONTAINER, ContainerEvent, ContainerState
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.model.errors import IllegalEvent

APPLICATION_ROWS = """
NEW         START                 NEW_SAVING
NEW         REJECTED              FAILED
NEW         KILL                  KILLED
NEW_SAVING  SAVED                 SUBMITTED
NEW_SAVING  REJECTED              FAILED
NEW_SAVING  KILL                  KILLED
SUBMITTED   ACCEPTED              ACCEPTED
SUBMITTED   REJECTED              FAILED
SUBMITTED   KILL                  KILLED
ACCEPTED    ATTEMPT_REGISTERED    RUNNING
ACCEPTED    ATTEMPT_REPLACED      ACCEPTED
ACCEPTED    ATTEMPT_FAILED        FAILED
ACCEPTED    ATTEMPT_FINISHED      FINISHED
ACCEPTED    KILL                  KILLING
RUNNING     ATTEMPT_FINISHED      FINISHED
RUNNING     ATTEMPT_UNREGISTERED  FINISHING
RUNNING     ATTEMPT_REPLACED      ACCEPTED
RUNNING     ATTEMPT_FAILED        FAILED
RUNNING     KILL                  KILLING
KILLING     ATTEMPT_KILLED        KILLED
KILLING     ATTEMPT_UNREGISTERED  FINISHING
KILLING     ATTEMPT_FAILED        KILLED
KILLING     ATTEMPT_FINISHED      FINISHED
FINISHING   ATTEMPT_FINISHED      FINISHED
FINISHING   KILL                  FINISHING
KILLING     KILL                  KILLING
KILLING     ATTEMPT_REGISTERED    KILLING
"""

ATTEMPT_ROWS = """
NEW        START                   SUBMITTED
NEW        REGISTERED              FAILED
NEW        FAIL                    FAILED
NEW        KILL                    KILLED
SUBMITTED  ATTEMPT_ADDED           SCHEDULED
SUBMITTED  ATTEMPT_ADDED_UNMANAGED LAUNCHED
SUBMITTED  REGISTERED              FAILED
SUBMITTED  FAIL                    FAILED
SUBMITTED  KILL                    KILLED
SCHEDULED  CONTAINER_ALLOCATED     ALLOCATED
SCHEDULED  CONTAINER_FINISHED      FAILED
SCHEDULED  FAIL                    FAILED
SCHEDULED  KILL                    KILLED
ALLOCATED  CONTAINER_REVOKED       SCHEDULED
ALLOCATED  LAUNCHED                LAUNCHED
ALLOCATED  LAUNCH_FAILED           FAILED
ALLOCATED  REGISTERED              RUNNING
ALLOCATED  CONTAINER_FINISHED      FAILED
ALLOCATED  EXPIRE                  FAILED
ALLOCATED  FAIL                    FAILED
ALLOCATED  KILL                    KILLED
LAUNCHED   REGISTERED              RUNNING
LAUNCHED   CONTAINER_FINISHED      FAILED
LAUNCHED   EXPIRE                  FAILED
LAUNCHED   FAIL                    FAILED
LAUNCHED   KILL                    KILLED
RUNNING    UNREGISTERED            FINISHING
RUNNING    UNREGISTERED_UNMANAGED  FINISHED
RUNNING    CONTAINER_FINISHED      FAILED
RUNNING    EXPIRE                  FAILED
RUNNING    FAIL                    FAILED
RUNNING    KILL                    KILLED
RUNNING    LAUNCHED                RUNNING
FINISHING  CONTAINER_FINISHED      FINISHED
FINISHING  EXPIRE                  FINISHED
FINISHING  FAIL                    FINISHING
FINISHING  KILL                    FINISHING
FINISHING  UNREGISTERED            FINISHING
"""

CONTAINER_ROWS = """
NEW        START     ALLOCATED
NEW        RESERVED  RESERVED
NEW        RELEASED  RELEASED
NEW        KILL      KILLED
RESERVED   START     ALLOCATED
RESERVED   RESERVED  RESERVED
RESERVED   RELEASED  RELEASED
RESERVED   KILL      KILLED
ALLOCATED  ACQUIRED  ACQUIRED
ALLOCATED  LAUNCHED  RUNNING
ALLOCATED  FINISHED  COMPLETED
ALLOCATED  EXPIRE    EXPIRED
ALLOCATED  RELEASED  RELEASED
ALLOCATED  KILL      KILLED
ACQUIRED   ACQUIRED  ACQUIRED
ACQUIRED   LAUNCHED  RUNNING
ACQUIRED   FINISHED  COMPLETED
ACQUIRED   EXPIRE    EXPIRED
ACQUIRED   RELEASED  RELEASED
ACQUIRED   KILL      KILLED
RUNNING    ACQUIRED  RUNNING
RUNNING    LAUNCHED  RUNNING
RUNNING    EXPIRE    RUNNING
RUNNING    FINISHED  COMPLETED
RUNNING    RELEASED  RELEASED
RUNNING    KILL      KILLED
"""

# What may still be said of a container that has ended: another word on its end, or a late one.
LATE = {"FINISHED", "EXPIRE", "RELEASED", "KILL", "LAUNCHED", "ACQUIRED"}


def rows(text):
    return {(state, event): after for state, event, after in map(str.split, text.split("\n")[1:-1])}


CASES = [
    pytest.param(machine, state, event, expected, id=f"{machine.name}-{state}-{event}")
    for machine, states, events, table in (
        (APPLICATION, ApplicationState, ApplicationEvent, rows(APPLICATION_ROWS)),
        (ATTEMPT, AttemptState, AttemptEvent, rows(ATTEMPT_ROWS)),
        (CONTAINER, ContainerState, ContainerEvent, rows(CONTAINER_ROWS)),
    )
    for state in states
    for event in events
    for expected in [table.get((state.value, event.value))]
]


@pytest.mark.parametrize(("machine", "state", "event", "expected"), CASES)
def test_every_event_in_every_state_does_what_the_table_says(machine, state, event, expected):
    late = machine is not CONTAINER or event.value in LATE
    if state in machine.terminal and late:
        assert machine.after(state, event) is state
    elif expected is None:
        with pytest.raises(
            IllegalEvent, match=f"{machine.name}: {event} is not legal in {'state'}"
        ):
            machine.after(state, event)
    else:
        assert machine.after(state, event).value == expected


def test_an_illegal_event_names_the_legal_ones():
    with pytest.raises(IllegalEvent) as caught:
        APPLICATION.after(ApplicationState.ACCEPTED, ApplicationEvent.START)

    assert str(caught.value) == (
        "application: START is not legal in state ACCEPTED; "
        "legal: ATTEMPT_FAILED, ATTEMPT_FINISHED, ATTEMPT_REGISTERED, ATTEMPT_REPLACED, KILL"
    )


@given(st.lists(st.sampled_from(list(ApplicationEvent)), max_size=30))
def test_no_sequence_of_events_leaves_a_terminal_state_or_moves_on_an_illegal_event(events):
    state = APPLICATION.initial
    for event in events:
        before = state
        try:
            state = APPLICATION.after(state, event)
        except IllegalEvent:
            assert event not in APPLICATION.transitions.get(before, {})
            assert event not in APPLICATION.ignored.get(before, ())
        if before in TERMINAL:
            assert state is before


@given(st.lists(st.sampled_from(list(AttemptEvent)), max_size=30))
def test_an_attempt_that_has_ended_stays_ended_whatever_happens(events):
    state = ATTEMPT.initial
    ended = None
    for event in events:
        try:
            state = ATTEMPT.after(state, event)
        except IllegalEvent:
            continue
        if ended is not None:
            assert state is ended
        ended = state if state in ENDED else None


@given(st.lists(st.sampled_from(list(ContainerEvent)), max_size=30))
def test_a_container_ends_once_whatever_is_said_of_it_afterwards(events):
    state = CONTAINER.initial
    ended = None
    for event in events:
        try:
            state = CONTAINER.after(state, event)
        except IllegalEvent:
            continue
        if ended is not None:
            assert state is ended
        ended = state if state in container.ENDED else None


@pytest.mark.parametrize(
    ("told", "launched", "exit_status", "state", "shown"),
    [
        (False, False, None, ContainerState.ALLOCATED, "NEW"),
        (True, False, None, ContainerState.ACQUIRED, "NEW"),
        (True, True, None, ContainerState.RUNNING, "RUNNING"),
        (False, True, None, ContainerState.RUNNING, "RUNNING"),
        (True, True, 0, ContainerState.COMPLETED, "COMPLETE"),
        (True, True, 3, ContainerState.COMPLETED, "COMPLETE"),
        (True, True, ExitStatus.KILLED_EXCEEDED_PMEM, ContainerState.COMPLETED, "COMPLETE"),
        (True, True, ExitStatus.PREEMPTED, ContainerState.KILLED, "COMPLETE"),
        (False, False, ExitStatus.KILLED_AFTER_APP_COMPLETION, ContainerState.KILLED, "COMPLETE"),
    ],
)
def test_a_containers_state_follows_from_what_is_recorded(
    told, launched, exit_status, state, shown
):
    found = container.state(told=told, launched=launched, exit_status=exit_status)

    assert found is state
    assert container.public(found) == shown


@pytest.mark.parametrize("machine", [APPLICATION, ATTEMPT, CONTAINER], ids=lambda m: m.name)
def test_every_state_is_reached_and_every_living_state_can_end(machine):
    reached, open_states = {machine.initial}, [machine.initial]
    while open_states:
        for after in machine.transitions.get(open_states.pop(), {}).values():
            if after not in reached:
                reached.add(after)
                open_states.append(after)
    assert reached == set(type(machine.initial))

    ending = set(machine.terminal)
    while more := {
        s
        for s, row in machine.transitions.items()
        if s not in ending and ending & set(row.values())
    }:
        ending |= more
    assert ending == set(type(machine.initial))


@pytest.mark.parametrize(
    ("state", "before_kill", "shown"),
    [
        (ApplicationState.FINISHING, ApplicationState.RUNNING, "FINISHED"),
        (ApplicationState.KILLING, ApplicationState.RUNNING, "RUNNING"),
        (ApplicationState.KILLING, ApplicationState.ACCEPTED, "ACCEPTED"),
        (ApplicationState.RUNNING, ApplicationState.NEW, "RUNNING"),
        (ApplicationState.KILLED, ApplicationState.RUNNING, "KILLED"),
    ],
)
def test_users_see_yarns_public_states(state, before_kill, shown):
    assert public(state, before_kill) == shown

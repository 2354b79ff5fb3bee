"""The AM protocol: one session's side in the ResourceManager."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeyarn.lifecycle.am_session import (
    AllocateRequest,
    AMSession,
    CompletedContainer,
    GrantedContainer,
    ProtocolError,
    RejectedAsk,
    ResourceRequest,
    ShapeKey,
    UpdateType,
    as_percent,
)
from kubeyarn.lifecycle.application import FinalStatus
from kubeyarn.lifecycle.progress import Unregistration
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.resources import ResourceList

ATTEMPT = AttemptId(ApplicationId(1, 1), 1)
SMALL, LARGE = ShapeKey(1, 0, "small"), ShapeKey(1, 0, "large")
SIZE = ResourceList({"memory": 1024, "cpu": 1})


def ask(count, key=SMALL):
    return ResourceRequest(key, count, SIZE)


def granted(number, key=SMALL):
    return GrantedContainer(ContainerId(ATTEMPT, 0, number), "n1", key, SIZE)


def ended(number, status=0):
    return CompletedContainer(ContainerId(ATTEMPT, 0, number), status)


class Master:
    """An AM that counts its own heartbeats."""

    def __init__(self, session=None):
        self.session = session or AMSession(ATTEMPT)
        self.session.register((), {}, "http://am", 1)
        self.next = self.session.response_id

    def beat(self, *asks, **said):
        answer = self.session.allocate(AllocateRequest(self.next, asks=asks, **said), 2)
        self.next = answer.response_id
        return answer


def refusal(call, *args):
    with pytest.raises(ProtocolError) as caught:
        call(*args)
    return caught.value


def test_who_has_not_registered_may_not_call():
    session = AMSession(ATTEMPT)

    assert refusal(session.allocate, AllocateRequest(0), 1).code == "ApplicationMasterNotRegistered"
    error = refusal(session.finish, Unregistration(FinalStatus.SUCCEEDED), 1)
    assert error.code == "ApplicationMasterNotRegistered"
    assert "register, then send all asks again" in str(error)
    assert session == AMSession(ATTEMPT)


def test_response_ids_count_the_heartbeats():
    master = Master()

    assert [master.beat().response_id for _ in range(3)] == [1, 2, 3]


def test_a_repeated_heartbeat_gets_the_same_answer_and_takes_nothing():
    master = Master()
    master.session.granted(granted(2))
    first = master.beat(ask(5))
    master.session.granted(granted(3))

    again = master.session.allocate(AllocateRequest(0, 0.9, asks=(ask(50),)), 3)

    assert again is first
    assert [c.id.number for c in again.allocated] == [2]
    assert master.session.wanted[SMALL].count == 5
    assert master.session.progress == 0


@pytest.mark.parametrize("response_id", [-5, 1, 4, 99])
def test_another_response_id_is_refused_and_changes_nothing(response_id):
    master = Master()
    for _ in range(3):
        master.beat()
    before = dict(master.session.wanted)

    error = refusal(master.session.allocate, AllocateRequest(response_id, asks=(ask(5),)), 4)

    assert error.code == "InvalidResponseId"
    assert str(error) == (
        f"responseId: found {response_id}, expected 3 (the last answer's) "
        "or 2 (to have it repeated)"
    )
    assert master.session.wanted == before
    assert master.session.response_id == 3


def test_asks_are_absolute_and_counted_with_what_was_handed_over():
    master = Master()
    master.beat(ask(5))
    assert master.session.wanted[SMALL].count == 5

    for number in (2, 3):
        master.session.granted(granted(number))
    assert len(master.beat().allocated) == 2

    master.beat(ask(3))
    assert master.session.wanted[SMALL].count == 5


def test_a_grant_that_crosses_a_heartbeat_is_never_asked_for_twice():
    master = Master()
    master.beat(ask(5))
    master.session.granted(granted(2))

    answer = master.beat(ask(5))

    assert len(answer.allocated) == 1
    assert master.session.wanted[SMALL].count == 5


def test_an_ask_of_0_keeps_what_was_handed_over_and_wants_no_more():
    master = Master()
    master.beat(ask(5))
    master.session.granted(granted(2))
    master.beat()

    master.beat(ask(0))

    assert master.session.wanted[SMALL].count == 1


def test_the_same_priority_and_id_in_another_size_replaces_the_ask():
    master = Master()
    master.beat(ask(5))
    master.session.granted(granted(2))
    master.beat()

    master.beat(ask(4, LARGE))

    assert master.session.wanted[SMALL].count == 1
    assert master.session.wanted[SMALL].ask.count == 0
    assert master.session.wanted[LARGE].count == 4


def test_another_priority_is_another_ask():
    master = Master()
    other = SMALL._replace(priority=2)
    master.beat(ask(5), ask(7, other))

    assert {k: w.count for k, w in master.session.wanted.items()} == {SMALL: 5, other: 7}


def test_a_granted_container_is_told_once():
    master = Master()
    master.session.granted(granted(2))
    master.session.granted(granted(2))

    assert [c.id.number for c in master.beat().allocated] == [2]
    master.session.granted(granted(2))
    assert master.beat().allocated == ()


def test_a_completed_container_is_told_once_and_confirmed_by_the_next_heartbeat():
    master = Master()
    master.session.completed(ended(2, 1))
    master.session.completed(ended(2, 1))

    assert [(c.id.number, c.exit_status) for c in master.beat().completed] == [(2, 1)]
    assert master.session.confirmed == set()

    assert master.beat().completed == ()
    assert master.session.confirmed == {ended(2).id}


def test_a_repeated_heartbeat_confirms_nothing():
    master = Master()
    master.session.completed(ended(2))
    master.beat()

    master.session.allocate(AllocateRequest(0), 3)

    assert master.session.confirmed == set()


def test_registering_again_is_fine_until_the_first_heartbeat():
    master = Master()
    master.session.register((), {}, "http://other", 5)
    assert master.session.tracking_url == "http://other"

    master.beat()
    error = refusal(master.session.register, (), {}, "http://third", 6)
    assert error.code == "AlreadyRegistered"
    assert master.session.tracking_url == "http://other"


def test_after_a_restart_the_register_answers_containers_are_not_told_again():
    session = AMSession(ATTEMPT)
    for number in (2, 3):
        session.granted(granted(number))
    session.register((granted(2), granted(3)), {SMALL: 4}, "http://am", 1)
    session.granted(granted(5))

    answer = session.allocate(AllocateRequest(0, asks=(ask(6),)), 2)

    assert [c.id.number for c in answer.allocated] == [5]
    # 4 were ever granted, ended ones included; 5 is the first of the 6 still wanted.
    assert session.wanted[SMALL].count == 10


def test_completed_containers_are_told_to_an_am_that_registered_again():
    session = AMSession(ATTEMPT)
    session.completed(ended(2, 137))
    session.register((), {SMALL: 1}, "", 1)

    answer = session.allocate(AllocateRequest(0), 2)

    assert [(c.id.number, c.exit_status) for c in answer.completed] == [(2, 137)]


def test_the_first_unregistration_counts():
    master = Master()
    said = Unregistration(FinalStatus.SUCCEEDED, "done")
    master.session.finish(said, 3)
    master.session.finish(Unregistration(FinalStatus.FAILED, "no"), 4)

    assert master.session.unregistration == said


def test_an_undefined_final_status_is_refused_and_the_am_goes_on():
    master = Master()
    error = refusal(master.session.finish, Unregistration(FinalStatus.UNDEFINED), 3)

    assert error.code == "InvalidRequest"
    assert "allowed: SUCCEEDED, FAILED, KILLED, ENDED" in str(error)
    assert master.session.unregistration is None
    assert master.beat().response_id == 1


def test_who_has_unregistered_gets_nothing_more():
    master = Master()
    master.beat(ask(2))
    master.session.finish(Unregistration(FinalStatus.SUCCEEDED), 3)
    master.session.granted(granted(1))
    master.session.completed(ended(1))

    answer = master.beat(ask(5))
    assert (answer.response_id, answer.allocated, answer.completed) == (2, (), ())
    assert master.session.wanted[SMALL].count == 2


def test_response_ids_begin_anew_after_the_largest():
    master = Master()
    master.beat()
    master.session._answer = replace(master.session._answer, response_id=0x7FFFFFFF)
    master.next = 0x7FFFFFFF

    assert master.beat().response_id == 0
    assert master.session.allocate(AllocateRequest(0x7FFFFFFF), 3).response_id == 0
    assert master.beat().response_id == 1


def test_before_the_first_heartbeat_there_is_nothing_to_repeat():
    session = AMSession(ATTEMPT)
    session.register((), {}, "", 1)

    assert not session.repeats(0x7FFFFFFF)
    assert refusal(session.allocate, AllocateRequest(0x7FFFFFFF), 2).code == "InvalidResponseId"


def test_a_refused_ask_is_told_once_for_each_reason():
    master = Master()
    master.beat(ask(2))
    refused = RejectedAsk(SMALL, "PartitionAccess", "no way there")
    told = []
    for said in (refused, refused, replace(refused, message="still none"), refused):
        master.session.rejected(said)
        told.append([r.message for r in master.beat().rejected])

    assert told == [["no way there"], [], ["still none"], ["no way there"]]


def test_who_may_register_again_is_told_again_what_it_may_not_have_heard():
    master = Master()
    master.beat(ask(2))
    master.session.granted(granted(1))
    master.session.granted(granted(2))
    master.session.completed(ended(1))
    assert master.beat().completed == (ended(1),)

    master.session.register((granted(2),), {SMALL: 2}, "", 5, again=True)
    assert master.session.response_id == 0
    master.next = 0
    answer = master.beat()
    assert (answer.allocated, answer.completed) == ((), (ended(1),))


def test_every_call_says_that_the_am_lives():
    session = AMSession(ATTEMPT)
    session.register((), {}, "", 10)
    assert session.last_heard_ms == 10
    session.allocate(AllocateRequest(0), 20)
    assert session.last_heard_ms == 20
    session.allocate(AllocateRequest(0), 30)
    assert session.last_heard_ms == 30
    session.finish(Unregistration(FinalStatus.SUCCEEDED), 40)
    assert session.last_heard_ms == 40


def test_the_tracking_url_changes_only_when_said():
    master = Master()
    master.beat()
    assert master.session.tracking_url == "http://am"
    master.beat(tracking_url="http://new")
    assert master.session.tracking_url == "http://new"


@pytest.mark.parametrize(
    ("said", "percent"),
    [
        (0.0, 0), (0.5, 50), (1.0, 100), (0.999, 99), (-0.1, 0), (7.0, 100),
        (math.nan, 0), (math.inf, 100), (-math.inf, 0),
    ],
)  # fmt: skip
def test_progress_is_a_percentage_whatever_the_am_says(said, percent):
    assert as_percent(said) == percent


STEP = st.one_of(
    st.tuples(st.just("ask"), st.integers(0, 6)),
    st.tuples(st.just("grant"), st.integers(1, 3)),
    st.tuples(st.just("repeat"), st.just(0)),
)


@given(st.lists(STEP, max_size=25))
def test_what_is_wanted_is_always_handed_over_plus_what_the_am_still_wants(steps):
    """The AM asks for what it still lacks; grants cross its heartbeats anywhere."""
    master = Master()
    number, received, outstanding = 1, 0, 0
    for what, amount in steps:
        if what == "grant":
            open_now = master.session.wanted[SMALL].count if SMALL in master.session.wanted else 0
            for _ in range(amount):
                # The scheduler never grants beyond what is written.
                if number - 1 < open_now:
                    number += 1
                    master.session.granted(granted(number))
        elif what == "repeat" and master.next:
            master.session.allocate(AllocateRequest(master.next - 1), 3)
        else:
            outstanding = amount
            said = received
            got = len(master.beat(ask(amount)).allocated)
            assert master.session.wanted[SMALL].count == said + amount
            received += got
            outstanding = max(0, amount - got)
    assert received <= number - 1
    assert outstanding >= 0


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ({"opportunistic": True}, UpdateType.DEMOTE_EXECUTION_TYPE),
        ({"size": ResourceList({"memory": 2048, "cpu": 1})}, UpdateType.INCREASE_RESOURCE),
        ({"size": ResourceList({"memory": 512, "cpu": 1})}, UpdateType.DECREASE_RESOURCE),
    ],
)
def test_a_changed_container_is_told_once_with_what_was_changed(said, kind):
    master = Master()
    master.session.granted(granted(2))
    master.beat()
    changed = replace(granted(2), version=1, **said)
    for _ in range(2):
        master.session.updated(changed)

    assert master.beat().updated == ((kind, changed),)
    assert master.beat().updated == ()
    back = replace(granted(2), version=2)
    master.session.updated(back)
    [(other, _)] = master.beat().updated
    assert (other is UpdateType.PROMOTE_EXECUTION_TYPE) == ("opportunistic" in said)


def test_what_requests_list_no_longer_is_forgotten_and_nothing_is_told_twice():
    master = Master()
    for number in range(1, 3001):
        master.session.granted(granted(number))
    master.beat()
    for number in range(1, 2501):
        master.session.completed(ended(number))
    assert len(master.beat().completed) == 2500
    listed = [granted(number).id for number in range(2501, 3001)]
    # The last answer may be lost, so its containers are kept until it is confirmed.
    master.session.keep(listed)
    assert len(master.session._reported) == 2500
    master.beat()
    master.session.keep(listed)
    assert len(master.session._seen) == 500
    assert not master.session._reported
    assert not master.session.confirmed
    for container in listed:
        master.session.granted(granted(container.number))
    answer = master.beat()
    assert (answer.allocated, answer.completed) == ((), ())

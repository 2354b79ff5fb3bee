"""What an ApplicationMaster says and believes, without a ResourceManager."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from kubeyarn.am import wire
from kubeyarn.am.errors import InvalidAskError
from kubeyarn.am.state import (
    Allocated,
    AmState,
    Completed,
    Preempting,
    Rejected,
    Updated,
    UpdateRefused,
)
from kubeyarn.am.wire import (
    AllocateAnswer,
    AskKey,
    AskShape,
    Container,
    Ended,
    Refusal,
    Registration,
)

KEY = AskKey(1, 0)


def a_shape(key: AskKey = KEY, memory: str = "1Gi") -> AskShape:
    return AskShape(key, {"cpu": "1", "memory": memory})


def a_container(number: int, key: AskKey = KEY) -> Container:
    return Container(f"container_1_0001_01_{number:06d}", "n1", key, {"memory": "1Gi"})


def a_registered_state() -> AmState:
    state = AmState()
    state.registered(Registration("application_1_0001"))
    return state


def an_answer(state: AmState, *allocated: Container, ended: tuple[Ended, ...] = (), **more):
    return AllocateAnswer(state.allocate_request().response_id + 1, allocated, ended, **more)


def asks_of(state: AmState) -> list[tuple[AskKey, int]]:
    return [(shape.key, count) for shape, count in state.allocate_request().asks]


def test_an_ask_is_sent_once_with_all_that_is_wanted():
    state = a_registered_state()
    state.ask(a_shape(), 2)
    state.ask(a_shape(), 3)

    assert asks_of(state) == [(KEY, 5)]
    state.answered(an_answer(state))
    assert asks_of(state) == []


def test_what_arrives_is_wanted_no_longer():
    state = a_registered_state()
    state.ask(a_shape(), 5)

    events = state.answered(an_answer(state, a_container(2), a_container(3)))

    assert events == [Allocated(a_container(2)), Allocated(a_container(3))]
    assert state.outstanding(KEY) == 3
    state.ask(a_shape(), 1)
    assert asks_of(state) == [(KEY, 4)]


def test_an_unanswered_request_is_sent_again_unchanged_and_later_wishes_wait():
    """The RM may have seen it, and answers a repeated one from its cache."""
    state = a_registered_state()
    state.ask(a_shape(), 1)
    first = state.allocate_request()
    state.ask(a_shape(), 1)
    state.release("container_x")

    assert state.allocate_request() == first
    state.answered(AllocateAnswer(1))
    assert asks_of(state) == [(KEY, 2)]
    assert state.allocate_request().releases == ("container_x",)
    assert state.allocate_request().response_id == 1


def test_a_container_that_comes_twice_is_one_container():
    state = a_registered_state()
    state.ask(a_shape(), 2)

    state.answered(an_answer(state, a_container(2)))
    assert state.answered(an_answer(state, a_container(2))) == []
    assert state.outstanding(KEY) == 1


def test_an_end_that_is_told_twice_is_one_end():
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.answered(an_answer(state, a_container(2)))
    ended = (Ended(a_container(2).id, 137, "killed"),)

    assert state.answered(an_answer(state, ended=ended)) == [
        Completed(a_container(2), 137, "killed")
    ]
    assert state.answered(an_answer(state, ended=ended)) == []
    assert state.live == {}


def test_a_container_that_ended_does_not_come_back_to_life():
    """An old answer may tell of it after a newer one told its end."""
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.answered(an_answer(state, ended=(Ended(a_container(2).id, -100, ""),)))

    assert state.answered(an_answer(state, a_container(2))) == []
    assert state.outstanding(KEY) == 1


def test_a_container_nobody_waits_for_is_released_and_not_shown():
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.allocate_request()
    state.cancel(KEY)

    assert state.answered(an_answer(state, a_container(2))) == []
    assert state.allocate_request().releases == (a_container(2).id,)
    assert state.live == {}


def test_cancelling_says_zero():
    state = a_registered_state()
    state.ask(a_shape(), 4)
    state.answered(an_answer(state))

    assert state.cancel(KEY, 1) == 1
    assert state.cancel(KEY) == 3
    assert state.cancel(KEY) == 0
    assert state.cancel(AskKey(9, 9)) == 0
    assert asks_of(state) == [(KEY, 0)]


def test_after_registering_again_everything_is_said_again():
    state = a_registered_state()
    other = AskKey(2, 7)
    state.ask(a_shape(), 3)
    state.ask(a_shape(other), 2)
    state.exclude_nodes(add=["n9", "n8"])
    state.answered(an_answer(state, a_container(2)))
    state.exclude_nodes(remove=["n8"])
    state.release(a_container(2).id)
    state.answered(an_answer(state))

    again = Registration(containers=(a_container(2), a_container(3)))
    events = state.registered(again)

    assert events == [Allocated(a_container(3))]
    request = state.allocate_request()
    assert request.response_id == 0
    assert asks_of(state) == [(KEY, 1), (other, 2)]
    assert request.releases == (a_container(2).id,)
    assert request.exclude == ("n9",)


def test_a_released_container_that_ended_is_not_released_again():
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.answered(an_answer(state, a_container(2)))
    state.release(a_container(2).id)
    state.answered(an_answer(state, ended=(Ended(a_container(2).id, -100, ""),)))
    state.release(a_container(2).id)
    state.registered(Registration())

    assert state.allocate_request().releases == ()


def test_containers_of_the_attempt_before_are_ours_and_answer_no_ask():
    state = AmState()
    state.ask(a_shape(), 1)
    state.registered(Registration(previous=(a_container(2),)))

    assert state.outstanding(KEY) == 1
    ended = (Ended(a_container(2).id, 0, ""),)
    assert state.answered(an_answer(state, ended=ended)) == [Completed(a_container(2), 0, "")]


def test_a_preemption_is_announced_once():
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.answered(an_answer(state, a_container(2)))
    warning = {"preempting": (a_container(2).id, "container_foreign"), "preemption_message": "soon"}

    assert state.answered(an_answer(state, **warning)) == [Preempting(a_container(2), "soon")]
    assert state.answered(an_answer(state, **warning)) == []


def test_a_preemption_says_whether_it_is_strict_and_how_long_there_is():
    state = a_registered_state()
    state.ask(a_shape(), 2)
    state.answered(an_answer(state, a_container(2), a_container(3)))
    both = (a_container(2).id, a_container(3).id)
    warning = {"preempting": both, "strict": both[:1], "kill_after_seconds": 15}

    assert state.answered(an_answer(state, **warning)) == [
        Preempting(a_container(2), "", strict=True, seconds=15),
        Preempting(a_container(3), "", strict=False, seconds=15),
    ]


def test_an_ask_that_is_refused_is_passed_on_and_stays_wanted():
    state = a_registered_state()
    state.ask(a_shape(), 2)
    body = {
        "responseId": 1,
        "rejected": [
            {
                "priority": KEY.priority,
                "allocationRequestId": KEY.allocation_request_id,
                "reason": "PartitionAccess",
                "message": "no way there",
            }
        ],
    }

    told = state.answered(wire.allocate_answer(body))
    assert told == [Rejected(KEY, "PartitionAccess", "no way there")]
    assert state.outstanding(KEY) == 2


def test_one_key_has_one_shape_while_it_waits():
    state = a_registered_state()
    state.ask(a_shape(), 1)

    with pytest.raises(InvalidAskError, match="use another allocation_request_id"):
        state.ask(a_shape(memory="2Gi"), 1)
    assert asks_of(state) == [(KEY, 1)]
    state.answered(an_answer(state, a_container(2)))
    state.ask(a_shape(memory="2Gi"), 1)
    assert state.allocate_request().asks[0][0].resources["memory"] == "2Gi"


@pytest.mark.parametrize("count", [0, -1])
def test_an_ask_for_nothing_is_refused(count):
    state = a_registered_state()

    with pytest.raises(InvalidAskError, match="count"):
        state.ask(a_shape(), count)
    assert not state.changed()


@pytest.mark.parametrize(
    "resources",
    [{}, {"memory": "-1Gi"}, {"memory": "NaN"}, {"memory": ""}, {"cpu": 1}, {"cpu": "1e3x"}],
    ids=str,
)
def test_resources_that_are_no_quantities_are_refused(resources):
    with pytest.raises(InvalidAskError):
        AskShape(KEY, resources)


def test_a_negative_priority_is_refused():
    with pytest.raises(InvalidAskError, match="priority"):
        AskShape(AskKey(-1, 0), {"cpu": "1"})


@pytest.mark.parametrize(
    ("said", "sent"), [(0.5, 0.5), (-1, 0.0), (2, 1.0), (math.nan, 0.0), (math.inf, 1.0)]
)
def test_progress_is_clamped_as_hadoop_does(said, sent):
    state = a_registered_state()
    state.set_progress(said)

    assert state.allocate_request().progress == sent


def test_nodes_are_excluded_and_taken_back_as_changes():
    state = a_registered_state()
    state.exclude_nodes(add=["a", "b"])
    state.exclude_nodes(remove=["b"])

    request = state.allocate_request()
    assert (request.exclude, request.include) == (("a",), ("b",))
    state.answered(an_answer(state))
    assert not state.changed()


def test_the_wire_has_the_contracts_names():
    state = a_registered_state()
    state.ask(a_shape(), 2)
    state.set_tracking_url("http://am")

    assert state.allocate_request().to_wire() == {
        "responseId": 0,
        "progress": 0.0,
        "asks": [
            {
                "priority": 1,
                "allocationRequestId": 0,
                "count": 2,
                "resources": {"cpu": "1", "memory": "1Gi"},
                "partition": "",
                "locality": {"nodes": [], "racks": [], "relax": True},
            }
        ],
        "releases": [],
        "excludeNodes": {"add": [], "remove": []},
        "trackingUrl": "http://am",
        "updates": [],
    }


def test_a_size_is_wished_once_and_said_with_the_version_that_is_known():
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.answered(an_answer(state, a_container(2)))
    state.resize(a_container(2).id, {"memory": "2Gi"})

    assert state.changed()
    assert state.allocate_request().to_wire()["updates"] == [
        {"containerId": a_container(2).id, "version": 0, "resources": {"memory": "2Gi"}}
    ]
    changed = replace(a_container(2), resources={"memory": "2Gi"}, version=1)
    assert state.answered(an_answer(state, updated=(changed,))) == [Updated(changed)]
    assert state.live[changed.id] == changed
    assert state.allocate_request().updates == ()


def test_a_refused_size_is_told_and_not_wished_again():
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.answered(an_answer(state, a_container(2)))
    state.resize(a_container(2).id, {"memory": "2Gi"})
    refusal = Refusal(a_container(2).id, "RESOURCE_OUTSIDE_ALLOWED_RANGE", "too large", 0)

    assert state.answered(an_answer(state, refused=(refusal,))) == [
        UpdateRefused(a_container(2), refusal.reason, "too large")
    ]
    state.registered(Registration("application_1_0001", containers=(a_container(2),)))
    assert state.allocate_request().updates == ()


def test_sizes_are_wished_again_after_a_restart_unless_they_are_had():
    state = a_registered_state()
    state.ask(a_shape(), 2)
    state.answered(an_answer(state, a_container(2), a_container(3)))
    for number in (2, 3):
        state.resize(a_container(number).id, {"memory": "2Gi"})
    state.answered(an_answer(state))
    had = replace(a_container(2), resources={"memory": "2Gi"}, version=1)

    events = state.registered(Registration("x", containers=(had, a_container(3))))

    assert events == [Updated(had)]
    assert [u.container_id for u in state.allocate_request().updates] == [a_container(3).id]


def test_a_promotion_and_a_demotion_are_said_by_their_type():
    state = a_registered_state()
    state.ask(a_shape(), 2)
    spare = replace(a_container(2), opportunistic=True, version=3)
    state.answered(an_answer(state, spare, a_container(3)))
    state.promote(spare.id)
    state.demote(a_container(3).id)

    assert state.changed()
    assert state.allocate_request().to_wire()["updates"] == [
        {"containerId": spare.id, "version": 3, "type": "PROMOTE_EXECUTION_TYPE"},
        {"containerId": a_container(3).id, "version": 0, "type": "DEMOTE_EXECUTION_TYPE"},
    ]
    changed = replace(spare, opportunistic=False, version=4)
    assert state.answered(an_answer(state, updated=(changed,))) == [Updated(changed)]
    assert not state.live[spare.id].opportunistic
    state.registered(Registration("x", containers=(changed, a_container(3))))
    assert [u.type for u in state.allocate_request().updates] == ["DEMOTE_EXECUTION_TYPE"]


def test_what_changed_of_a_former_attempts_container_meanwhile_is_told():
    state = AmState()
    state.registered(Registration("x", previous=(a_container(2),)))
    state.demote(a_container(2).id)
    state.answered(an_answer(state))
    had = replace(a_container(2), opportunistic=True, version=1)

    assert state.registered(Registration("x", previous=(had,))) == [Updated(had)]
    assert state.allocate_request().updates == ()


def test_the_last_wish_for_a_container_counts():
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.answered(an_answer(state, a_container(2)))
    state.resize(a_container(2).id, {"memory": "2Gi"})
    state.demote(a_container(2).id)

    assert state.allocate_request().to_wire()["updates"] == [
        {"containerId": a_container(2).id, "version": 0, "type": "DEMOTE_EXECUTION_TYPE"}
    ]


@pytest.mark.parametrize("what", ["promote", "demote"])
@pytest.mark.parametrize("lives", [True, False])
def test_what_a_container_is_already_or_never_will_be_is_refused_at_once(what, lives):
    state = a_registered_state()
    state.ask(a_shape(), 1)
    known = replace(a_container(2), opportunistic=what == "demote")
    state.answered(an_answer(state, known))

    with pytest.raises(InvalidAskError, match=f"{what} container"):
        getattr(state, what)(known.id if lives else a_container(9).id)


@pytest.mark.parametrize(
    ("name", "resources"), [("container_x", {"memory": "1Gi"}), (None, {}), (None, {"cpu": "-1"})]
)
def test_a_size_that_cannot_be_said_is_refused_at_once(name, resources):
    state = a_registered_state()
    state.ask(a_shape(), 1)
    state.answered(an_answer(state, a_container(2)))

    with pytest.raises(InvalidAskError, match="resize"):
        state.resize(name or a_container(2).id, resources)

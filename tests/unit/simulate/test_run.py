"""Scenarios that were never recorded: what is answered, refused, explained and drawn."""

from __future__ import annotations

import copy
from xml.etree import ElementTree

import pytest

from kubeyarn.model.errors import SpecError
from kubeyarn.simulate.plot import draw
from kubeyarn.simulate.run import run_scenario

SCENARIO: dict[str, object] = {
    "name": "small",
    "scheduler": "capacity",
    "nodes": [{"name": "n", "memory": 4096, "vcores": 4}],
    "config": {
        "yarn.scheduler.capacity.root.queues": "a",
        "yarn.scheduler.capacity.root.a.capacity": "100",
        "yarn.scheduler.capacity.maximum-am-resource-percent": "1.0",
    },
    "steps": [
        {
            "submit": {
                "app": "one",
                "user": "u",
                "queue": "root.a",
                "am": {"memory": 1024, "vcores": 1},
            }
        },
        {"request": {"app": "one", "count": 5, "memory": 1024, "vcores": 1, "priority": 1}},
        {"settle": {}},
        {"observe": {"name": "end"}},
    ],
}


def changed(**changes: object) -> dict[str, object]:
    return {**copy.deepcopy(SCENARIO), **changes}


def test_a_story_ends_in_what_is_observed() -> None:
    (seen,) = run_scenario(SCENARIO).answer["observations"]

    assert seen["name"] == "end"
    assert seen["queues"]["root.a"]["usedMemory"] == 4096
    assert seen["queues"]["root.a"]["pendingMemory"] == 2048


def test_the_same_scenario_gives_the_same_answer() -> None:
    assert run_scenario(SCENARIO) == run_scenario(copy.deepcopy(SCENARIO))


def test_a_bad_configuration_is_the_answer() -> None:
    config = {"yarn.scheduler.capacity.root.queues": "a"}
    result = run_scenario(changed(config=config)).answer

    assert "observations" not in result
    assert "root.a" in result["configError"] or "root" in result["configError"]


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        changed(nodes="many"),
        changed(steps=[{"submit": {"app": "one"}, "settle": {}}]),
        changed(scheduler="lottery"),
    ],
)
def test_what_is_no_scenario_is_refused_in_words(data: object) -> None:
    with pytest.raises(SpecError) as caught:
        run_scenario(data)
    assert str(caught.value)


def test_a_refused_submission_is_noted_and_the_story_goes_on() -> None:
    steps = copy.deepcopy(SCENARIO["steps"])
    assert isinstance(steps, list)
    steps.insert(
        0, {"submit": {"app": "no", "user": "u", "queue": "b", "am": {"memory": 1, "vcores": 1}}}
    )
    result = run_scenario(changed(steps=steps)).answer

    (seen,) = result["observations"]
    assert seen["apps"]["no"]["state"] == "rejected"
    assert "'b'" in seen["apps"]["no"]["message"]
    assert seen["queues"]["root.a"]["usedMemory"] == 4096


def test_a_step_that_fails_is_an_error_and_the_story_goes_on() -> None:
    steps: list[object] = [
        {"jump": {}},
        {"finish": {"app": "nobody"}},
        {"observe": {"name": "end"}},
    ]
    result = run_scenario(changed(steps=steps)).answer

    assert [(error["step"], error["action"]) for error in result["errors"]] == [
        (0, "jump"),
        (1, "finish"),
    ]
    assert len(result["observations"]) == 1


def test_an_application_that_ended_can_be_killed_and_given_a_priority_without_effect() -> None:
    """Hadoop answers such calls of a client as if they had been heeded (ClientRMService)."""
    again = [
        {"settle": {}},
        {"kill": {"app": "one"}},
        {"kill": {"app": "one"}},
        {"setPriority": {"app": "one", "priority": 1}},
        {"move": {"app": "one", "queue": "root.a"}},
        {"observe": {"name": "end"}},
    ]

    result = run_scenario(changed(steps=[*SCENARIO["steps"][:2], *again])).answer

    assert [error["action"] for error in result["errors"]] == ["move"]
    assert result["observations"][0]["apps"]["one"]["state"] == "killed"


@pytest.mark.parametrize(
    "step",
    [{"addNode": {"name": "n", "memory": 1, "vcores": 1}}, {"heartbeat": {"node": "elsewhere"}}],
)
def test_a_node_is_one_node_and_one_that_is_not_there_cannot_heartbeat(step: object) -> None:
    steps = [*SCENARIO["steps"][:3], step, {"kill": {"app": "one"}}]
    result = run_scenario(changed(steps=steps)).answer

    assert [error["step"] for error in result["errors"]] == [3]


def test_the_trace_says_who_gets_what_and_what_stops_the_rest() -> None:
    trace = "\n".join(run_scenario(SCENARIO, explain=True).trace)

    assert "one gets" in trace
    assert "one waits" in trace
    assert run_scenario(SCENARIO).trace == []


def test_the_picture_is_svg_with_a_line_for_each_leaf() -> None:
    picture = ElementTree.fromstring(draw(run_scenario(SCENARIO, plot=True).use))

    lines = [one for one in picture.iter() if one.tag.endswith("polyline")]
    assert len(lines) == 1

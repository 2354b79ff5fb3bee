"""What a scenario may say, and what is refused in words."""

from __future__ import annotations

import copy
import re

import pytest

from kubeyarn.model.errors import SpecError
from kubeyarn.simulate.run import run_scenario
from kubeyarn.simulate.scenario import STEP_KEYS
from unit.simulate.test_run import SCENARIO, changed

NODE = {"name": "n", "memory": 4096, "vcores": 4}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"node": []}, "'node' is unknown, known are", id="unknown key"),
        pytest.param({"nodes": [{**NODE, "gpus": 1}]}, "'gpus' is unknown", id="unknown node key"),
        pytest.param({"labels": [{"name": "x", "is": 1}]}, "'is' is unknown", id="label key"),
        pytest.param({"nodes": [{**NODE, "memory": float("nan")}]}, "memory", id="not a number"),
        pytest.param({"nodes": [{**NODE, "vcores": float("inf")}]}, "vcores", id="infinite"),
        pytest.param({"nodes": [{**NODE, "memory": -1}]}, "memory: found -1", id="negative"),
        pytest.param({"nodes": [{**NODE, "count": 2**40}]}, "count", id="too many nodes"),
        pytest.param({"nodes": ["n"]}, "expected a mapping", id="text for a map"),
        pytest.param({"config": {"a": {"b": 1}}}, "expected text or a number", id="map for text"),
        pytest.param({"config": "text"}, "expected a mapping", id="text for settings"),
        pytest.param({"steps": [{"settle": "soon"}]}, "expected a mapping", id="text for a step"),
    ],
)
def test_a_scenario_is_refused_that_says(changes: dict[str, object], words: str) -> None:
    with pytest.raises(SpecError, match=words):
        run_scenario(changed(**changes))


@pytest.mark.parametrize(
    "step",
    [
        pytest.param({"setPriority": {"app": "one", "priority": 2**40}}, id="not of 32 bits"),
        pytest.param({"request": {"app": "one", "count": float("nan")}}, id="not a number"),
        pytest.param({"request": {"app": "one", "count": 1, "memory": -5}}, id="negative memory"),
        pytest.param({"request": {"app": "one", "count": 1, "nodes": "n"}}, id="text for places"),
        pytest.param({"request": {"app": "one", "count": 1, "relax": "no"}}, id="text for truth"),
        pytest.param({"submit": {"app": "two", "user": "u", "am": "small"}}, id="text for an AM"),
        pytest.param({"submit": {"app": "two", "user": "u", "am": {"gpu": 1}}}, id="unknown in am"),
        pytest.param({"updateNode": {"name": "n", "memory": -1}}, id="negative node"),
        pytest.param({"updateNode": {"name": "elsewhere"}}, id="unknown node"),
        pytest.param({"healthy": {"node": "n"}}, id="healthy already"),
        pytest.param({"recommission": {"node": "n"}}, id="not leaving"),
        pytest.param({"setLifetime": {"app": "one", "lifetime": 0}}, id="no lifetime"),
        pytest.param({"blacklist": {"app": "one", "add": ["*"]}}, id="everything excluded"),
        pytest.param({"advance": {"seconds": -1}}, id="backwards"),
    ],
)
def test_a_step_fails_alone_that_says(step: object) -> None:
    steps = [*SCENARIO["steps"][:3], step, {"observe": {"name": "end"}}]
    answer = run_scenario(changed(steps=steps)).answer

    assert [error["step"] for error in answer["errors"]] == [3]
    (seen,) = answer["observations"]
    assert seen["apps"]["one"]["containers"] == 4
    assert "two" not in seen["apps"]


@pytest.mark.parametrize("action", sorted(STEP_KEYS))
def test_an_unknown_argument_is_refused_by_name(action: str) -> None:
    answer = run_scenario(changed(steps=[{action: {"wishes": 1}}])).answer

    (error,) = answer["errors"]
    assert error["message"].startswith(f"{action}: 'wishes' is unknown, known are")
    assert answer["observations"] == []


def test_what_is_shown_only_if_asked_for_is_left_out_otherwise() -> None:
    steps = copy.deepcopy(SCENARIO["steps"])
    assert isinstance(steps, list)
    asked = dict.fromkeys(("headroom", "placement", "partitions", "nodes"), True)
    steps.append({"observe": {"name": "more", **asked}})
    plain, more = run_scenario(changed(steps=steps)).answer["observations"]

    assert {"headroom", "byNode"} & plain["apps"]["one"].keys() == set()
    assert more["apps"]["one"]["byNode"] == {"n": 4}
    assert more["apps"]["one"]["headroom"]["memory"] == 0
    assert "partitions" not in plain["queues"]["root.a"]
    assert more["queues"]["root.a"]["partitions"][""]["usedMemory"] == 4096
    assert "state" not in plain["nodes"]["n"]
    assert more["nodes"]["n"]["state"] == "running"


@pytest.mark.parametrize(
    ("labels", "of_node", "words"),
    [
        pytest.param([], ["x"], "labels: found 'x' on a node, known are \\[\\]", id="undeclared"),
        pytest.param(["x"], ["y"], "found 'y' on a node, known are \\['x'\\]", id="another"),
        pytest.param(["x", "y"], ["x", "y"], "on one node, allowed: one label", id="two"),
        pytest.param(["a b"], [], "found 'a b', allowed: at most 255", id="a blank"),
        pytest.param([""], [], "found '', allowed", id="empty"),
        pytest.param(["-x"], [], "found '-x', allowed", id="a dash first"),
        pytest.param(["x" * 256], [], "allowed: at most 255", id="too long"),
    ],
)
@pytest.mark.parametrize("scheduler", ["capacity", "fair"])
def test_a_scheduler_does_not_start_with_labels_that_cannot_be(
    scheduler: str, labels: list[str], of_node: list[str], words: str
) -> None:
    declared = [{"name": name} for name in labels]
    nodes = [{**NODE, "labels": of_node}]
    config = SCENARIO["config"] if scheduler == "capacity" else {}
    scenario = changed(scheduler=scheduler, labels=declared, nodes=nodes, config=config)
    answer = run_scenario(scenario).answer

    assert answer.keys() == {"name", "configError"}
    assert re.search(words, str(answer["configError"]))


def test_a_node_that_joins_with_an_unknown_label_fails_alone() -> None:
    steps = [{"addNode": {**NODE, "name": "m", "labels": ["x"]}}, {"observe": {"name": "end"}}]
    answer = run_scenario(changed(steps=steps)).answer

    assert [error["step"] for error in answer["errors"]] == [0]
    assert "m" not in answer["observations"][0]["nodes"]


@pytest.mark.parametrize("place", ["application", "am"])
def test_the_fair_scheduler_takes_no_application_with_a_label(place: str) -> None:
    label = {"label": "x"} if place == "application" else {"am": {"label": "x"}}
    submit = {"submit": {"app": "a", "user": "u", "queue": "q", **label}}
    scenario = changed(
        scheduler="fair", labels=[{"name": "x"}], steps=[submit, {"observe": {"name": "o"}}]
    )
    (seen,) = run_scenario(scenario).answer["observations"]

    assert seen["apps"]["a"]["state"] == "rejected"
    assert "root.q" not in seen["queues"]


@pytest.mark.parametrize("maximum", ["-5", "0", "NaN"])
def test_a_maximum_capacity_that_is_not_positive_is_nothing(maximum: str) -> None:
    name = "yarn.scheduler.capacity.root.a.maximum-capacity"
    scenario = changed(config={**SCENARIO["config"], name: maximum})
    seen = run_scenario(scenario).answer["observations"][-1]

    assert seen["queues"]["root.a"]["effectiveMaxMemory"] == 0
    assert seen["queues"]["root.a"]["absoluteMaxCapacity"] == 0
    assert seen["apps"]["one"]["state"] == "accepted"

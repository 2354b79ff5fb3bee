"""Queue mappings, legacy and JSON, as placement rules."""

from __future__ import annotations

import json

import pytest

from kubeyarn.hadoop.mapping_rules import read_rule, read_rules
from kubeyarn.hadoop.properties import Configuration
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.queues import MatcherKind, PlacementFallback, PlacementRule

MAPPINGS = "yarn.scheduler.capacity.queue-mappings"
APP_MAPPINGS = "yarn.scheduler.queue-placement-rules.app-name"
KINDS = "yarn.scheduler.queue-placement-rules"
FORMAT = "yarn.scheduler.capacity.mapping-rule-format"
JSON = "yarn.scheduler.capacity.mapping-rule-json"
WORKFLOWS = "yarn.scheduler.capacity.workflow-priority-mappings"


def rules(values: dict[str, str]) -> tuple[PlacementRule, ...]:
    return read_rules(Configuration(values))


def legacy(kind: MatcherKind, matches: str, queue: str) -> PlacementRule:
    return PlacementRule(
        kind, matches, "custom", fallback=PlacementFallback.PLACE_DEFAULT, custom_placement=queue
    )


def as_json(*found: dict[str, object]) -> dict[str, str]:
    return {FORMAT: "json", JSON: json.dumps({"rules": list(found)})}


@pytest.mark.parametrize(
    ("mapping", "rule"),
    [
        ("u:jo:q", legacy(MatcherKind.USER, "jo", "q")),
        ("u:%user:%primary_group", legacy(MatcherKind.USER, "*", "%primary_group")),
        (" u : jo : root.a.q ", legacy(MatcherKind.USER, "jo", "root.a.q")),
        ("g:staff:q", legacy(MatcherKind.GROUP, "staff", "q")),
    ],
)
def test_a_legacy_mapping_is_a_custom_rule(mapping: str, rule: PlacementRule) -> None:
    assert rules({MAPPINGS: mapping}) == (rule,)
    assert rules({MAPPINGS: mapping, FORMAT: "legacy"}) == (rule,)


def test_mappings_of_users_go_before_mappings_of_applications() -> None:
    found = rules({APP_MAPPINGS: "sort:q", MAPPINGS: "u:jo:a,g:g:b"})

    assert [(rule.kind, rule.matches) for rule in found] == [
        (MatcherKind.USER, "jo"),
        (MatcherKind.GROUP, "g"),
        (MatcherKind.APPLICATION, "sort"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (MAPPINGS, "u:jo"),
        (MAPPINGS, "u::q"),
        (MAPPINGS, "x:jo:q"),
        (APP_MAPPINGS, "sort"),
        (APP_MAPPINGS, "u:sort:q"),
        (FORMAT, "yaml"),
        (KINDS, "user-group,user-group"),
        (KINDS, "by-moon"),
        (WORKFLOWS, "flow:q"),
        (WORKFLOWS, "flow:q:high"),
    ],
)
def test_a_malformed_mapping_is_refused_with_its_property(name: str, text: str) -> None:
    with pytest.raises(ConfigRefused, match=f"{name}: found"):
        rules({name: text})


def test_kinds_of_rules_and_workflow_priorities_that_hadoop_knows_change_nothing() -> None:
    values = {
        KINDS: "user-group,app-name,org.apache.hadoop.yarn.server.resourcemanager.placement.X",
        WORKFLOWS: "flow:root.q:4",
    }

    assert rules(values) == ()


def test_a_json_rule_has_defaults() -> None:
    rule = {"type": "user", "matches": "jo", "policy": "specified"}

    assert rules(as_json(rule)) == (PlacementRule(MatcherKind.USER, "jo", "specified"),)


def test_every_word_of_a_json_rule_is_read() -> None:
    rule = {
        "type": "group",
        "matches": "staff",
        "policy": "custom",
        "parentQueue": "root.staff",
        "fallbackResult": "reject",
        "create": False,
        "value": "v",
        "customPlacement": "%user",
    }

    assert read_rule(rule, "rule 1") == PlacementRule(
        MatcherKind.GROUP,
        "staff",
        "custom",
        parent_queue="root.staff",
        fallback=PlacementFallback.REJECT,
        create=False,
        value="v",
        custom_placement="%user",
    )


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        pytest.param({"type": "moon"}, "type 'moon'", id="unknown type"),
        pytest.param({"type": None}, "type is missing", id="no type"),
        pytest.param({"matches": ""}, "matches is missing", id="no match"),
        pytest.param({"policy": "guess"}, "policy 'guess'", id="unknown policy"),
        pytest.param({"policy": "custom"}, "needs customPlacement", id="custom without a place"),
        pytest.param({"policy": "setDefaultQueue"}, "needs value", id="default without a queue"),
        pytest.param({"fallbackResult": "cry"}, "fallbackResult 'cry'", id="unknown fallback"),
        pytest.param({"type": "group", "matches": "*"}, "cannot match", id="every group"),
    ],
)
def test_a_json_rule_that_hadoop_refuses_is_refused_with_its_place(
    changes: dict[str, object], complaint: str
) -> None:
    good = {"type": "user", "matches": "jo", "policy": "specified"}

    with pytest.raises(ConfigRefused, match=complaint) as refused:
        rules(as_json(good, {**good, **changes}))

    assert "rule 2" in str(refused.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"rules": 1}', '{"rules": ["x"]}'])
def test_json_that_is_no_list_of_rules_is_refused(text: str) -> None:
    with pytest.raises(ConfigRefused, match="mapping-rule-json"):
        rules({FORMAT: "json", JSON: text})


def test_the_json_format_without_json_has_no_rules() -> None:
    assert rules({FORMAT: "json", MAPPINGS: "u:jo:q"}) == ()

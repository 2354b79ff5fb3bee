"""Queue mappings, legacy and JSON, read into placement rules.

Hadoop: `queue-mappings`, `yarn.scheduler.queue-placement-rules.app-name`, `mapping-rule-json`;
MappingRuleCreator.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

from kubeyarn.hadoop.properties import Configuration, refuse
from kubeyarn.model.queues import MatcherKind, PlacementFallback, PlacementRule

if TYPE_CHECKING:
    from collections.abc import Mapping

_MAPPINGS = "yarn.scheduler.capacity.queue-mappings"
_APP_MAPPINGS = "yarn.scheduler.queue-placement-rules.app-name"
_FORMAT = "yarn.scheduler.capacity.mapping-rule-format"
_JSON = "yarn.scheduler.capacity.mapping-rule-json"
_KINDS = "yarn.scheduler.queue-placement-rules"
_KNOWN_KINDS = ("user-group", "app-name")
_KIND_CLASSES = "org.apache.hadoop.yarn.server.resourcemanager.placement."
_PRIORITY = re.compile(r"[+-]?\d{1,10}", re.ASCII)
_WORKFLOWS = "yarn.scheduler.capacity.workflow-priority-mappings"
_POLICIES = frozenset(
    {
        "specified",
        "reject",
        "defaultQueue",
        "user",
        "primaryGroup",
        "secondaryGroup",
        "primaryGroupUser",
        "secondaryGroupUser",
        "applicationName",
        "setDefaultQueue",
        "custom",
    }
)
_LEGACY_KINDS = {"u": MatcherKind.USER, "g": MatcherKind.GROUP}


def read_rules(conf: Configuration) -> tuple[PlacementRule, ...]:
    """The placement rules in the format of `mapping-rule-format`, legacy unless it is set.

    Raises:
        ConfigRefused: a mapping or the JSON is malformed.
    """
    _check_kinds(conf.get(_KINDS) or "")
    _check_workflows(conf)
    rule_format = conf.get(_FORMAT)
    if rule_format == "json":
        text = conf.get(_JSON)
        return _read_json(text) if text is not None else ()
    if rule_format not in (None, "legacy"):
        refuse(_FORMAT, f"found {rule_format!r}, expected legacy or json")
    # Users and groups before applications, as Hadoop has the two kinds of rules in this order.
    mapped = [_read_mapping(text) for text in conf.get_strings(_MAPPINGS)]
    named = [_read_application(text) for text in conf.get_strings(_APP_MAPPINGS)]
    return (*mapped, *named)


def _check_kinds(text: str) -> None:
    """Refuse a kind of rules that is unknown or there twice (Hadoop: validatePlacementRules)."""
    kinds = [kind for kind in text.split(",") if kind]
    for kind in kinds:
        if kind not in _KNOWN_KINDS and not kind.startswith(_KIND_CLASSES):
            refuse(_KINDS, f"found {kind!r}, expected one of {_KNOWN_KINDS} or a class of Hadoop's")
    if len(set(kinds)) < len(kinds):
        refuse(_KINDS, f"found {text!r}, expected each kind once")


def _check_workflows(conf: Configuration) -> None:
    """Refuse malformed workflow priorities: nothing here uses them, but Hadoop does not start.

    Hadoop: WorkflowPriorityMappingsManager.
    """
    for text in conf.get_strings(_WORKFLOWS):
        parts = [part.strip() for part in text.split(":") if part.strip()]
        if len(parts) != 3 or not _PRIORITY.fullmatch(parts[2]):
            refuse(_WORKFLOWS, f"found {text!r}, expected workflow:queue:priority")


def _read_mapping(text: str) -> PlacementRule:
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 3 or not all(parts):
        refuse(_MAPPINGS, f"found {text!r}, expected u:user:queue or g:group:queue")
    kind = _LEGACY_KINDS.get(parts[0])
    if kind is None:
        refuse(_MAPPINGS, f"found {text!r}: {parts[0]!r} is neither u nor g")
    # `%user` in the place of the user means whoever submits.
    return _legacy(kind, "*" if parts[1] == "%user" else parts[1], parts[2])


def _read_application(text: str) -> PlacementRule:
    parts = [part.strip() for part in text.split(":")]
    if len(parts) != 2 or not all(parts):
        refuse(_APP_MAPPINGS, f"found {text!r}, expected application:queue")
    return _legacy(MatcherKind.APPLICATION, parts[0], parts[1])


def _legacy(kind: MatcherKind, source: str, queue: str) -> PlacementRule:
    return PlacementRule(
        kind=kind,
        matches=source,
        policy="custom",
        custom_placement=queue,
        fallback=PlacementFallback.PLACE_DEFAULT,
    )


def _read_json(text: str) -> tuple[PlacementRule, ...]:
    try:
        document: object = json.loads(text)
    except ValueError as error:
        refuse(_JSON, f"is no JSON: {error}")
    rules = document.get("rules", []) if isinstance(document, dict) else None
    if not isinstance(rules, list):
        refuse(_JSON, "expected an object with a list `rules`")
    return tuple(read_rule(rule, f"{_JSON} rule {i + 1}") for i, rule in enumerate(rules))


def read_rule(rule: object, where: str) -> PlacementRule:
    """One rule as an object of Hadoop's JSON.

    Raises:
        ConfigRefused: a word is missing or unknown.
    """
    if not isinstance(rule, dict):
        refuse(where, f"found {rule!r}, expected an object")
    policy = _word(rule, "policy", where)
    if policy not in _POLICIES:
        refuse(where, f"found policy {policy!r}, expected one of {sorted(_POLICIES)}")
    kind = _word(rule, "type", where)
    if kind not in set(MatcherKind):
        refuse(where, f"found type {kind!r}, expected one of {[k.value for k in MatcherKind]}")
    matches = _word(rule, "matches", where)
    fallback = str(rule.get("fallbackResult") or PlacementFallback.SKIP)
    if fallback not in set(PlacementFallback):
        refuse(where, f"found fallbackResult {fallback!r}, expected skip, placeDefault or reject")
    # A user's groups are matched one by one, and "any group" would say nothing of any.
    if kind == MatcherKind.GROUP and matches == "*":
        refuse(where, "a group rule cannot match *")
    _require_target(rule, policy, where)
    return PlacementRule(
        kind=MatcherKind(kind),
        matches=matches,
        policy=policy,
        parent_queue=str(rule.get("parentQueue") or ""),
        fallback=PlacementFallback(fallback),
        create=rule.get("create") is not False,
        value=str(rule.get("value") or ""),
        custom_placement=str(rule.get("customPlacement") or ""),
    )


def _word(rule: Mapping[object, object], name: str, where: str) -> str:
    value = rule.get(name)
    if not isinstance(value, str) or not value:
        refuse(where, f"{name} is missing or empty")
    return value


def _require_target(rule: Mapping[object, object], policy: str, where: str) -> None:
    if policy == "custom" and rule.get("customPlacement") is None:
        refuse(where, "policy custom needs customPlacement")
    if policy == "setDefaultQueue" and rule.get("value") is None:
        refuse(where, "policy setDefaultQueue needs value")

"""Random nodes and templates: who may be where is what a plain reading of Kubernetes' rules says.

The rules are written down once more here, without classes: one pod, one node, word by word.
"""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeyarn.cluster.feasibility import node_requirements
from kubeyarn.cluster.feasibility.node_classes import NodeClasses
from kubeyarn.scheduler.facts import node_facts

KEYS, VALUES = ["a", "b", "c"], ["", "1", "2", "03", "x", "not valid"]
EFFECTS = ["NoSchedule", "NoExecute", "PreferNoSchedule"]
OPERATORS = ["In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt", "Odd"]
NAMES = ["n0", "n1", "n2", "n3"]

labels = st.dictionaries(st.sampled_from(KEYS), st.sampled_from(VALUES[:-1]), max_size=3)
taint = st.fixed_dictionaries(
    {"key": st.sampled_from(KEYS), "effect": st.sampled_from(EFFECTS)},
    optional={"value": st.sampled_from(VALUES[:-1])},
)
toleration = st.fixed_dictionaries(
    {},
    optional={
        "key": st.sampled_from(KEYS),
        "operator": st.sampled_from(["Equal", "Exists", "Gt", "Lt"]),
        "value": st.sampled_from(VALUES[:-1]),
        "effect": st.sampled_from(EFFECTS),
    },
)
expression = st.fixed_dictionaries(
    {"key": st.sampled_from(KEYS), "operator": st.sampled_from(OPERATORS)},
    optional={"values": st.lists(st.sampled_from(VALUES), max_size=2)},
)
named = st.fixed_dictionaries(
    {"key": st.just("metadata.name"), "operator": st.sampled_from(["In", "NotIn"])},
    optional={"values": st.lists(st.sampled_from(NAMES), max_size=2)},
)
term = st.fixed_dictionaries(
    {},
    optional={
        "matchExpressions": st.lists(expression, max_size=2),
        "matchFields": st.lists(named, max_size=1),
    },
)
template = st.fixed_dictionaries(
    {},
    optional={
        "nodeSelector": st.dictionaries(
            st.sampled_from(KEYS), st.sampled_from(VALUES[:-1]), max_size=2
        ),
        "terms": st.lists(term, max_size=2),
        "tolerations": st.lists(toleration, max_size=2),
    },
)
node = st.fixed_dictionaries(
    {"labels": labels, "taints": st.lists(taint, max_size=2), "ready": st.booleans()}
)
step = st.one_of(
    st.tuples(st.just("put"), st.sampled_from(NAMES), node),
    st.tuples(st.just("drop"), st.sampled_from(NAMES), st.none()),
    st.tuples(st.just("ask"), st.integers(0, 5), template),
    st.tuples(st.just("end"), st.integers(0, 5), st.none()),
    st.tuples(st.just("look"), st.none(), st.none()),
)


def a_node(name: str, said: dict[str, Any]) -> dict[str, Any]:
    return {
        "metadata": {"name": name, "labels": said["labels"]},
        "spec": {"taints": said["taints"]},
        "status": {"conditions": [{"type": "Ready", "status": str(said["ready"])}]},
    }


def a_template(said: dict[str, Any]) -> dict[str, Any]:
    spec = {name: value for name, value in said.items() if name != "terms"}
    if "terms" in said:
        required = {"nodeSelectorTerms": said["terms"]}
        affinity = {"requiredDuringSchedulingIgnoredDuringExecution": required}
        spec["affinity"] = {"nodeAffinity": affinity}
    return {"spec": spec}


# The rules, once more.


def number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def expression_holds(said: dict[str, Any], found: dict[str, str]) -> bool:
    key, operator, values = said["key"], said["operator"], said.get("values") or []
    if any(" " in value for value in values):
        return False
    if operator in ("Exists", "DoesNotExist"):
        return not values and (key in found) is (operator == "Exists")
    if operator == "In":
        return bool(values) and key in found and found[key] in values
    if operator == "NotIn":
        return bool(values) and (key not in found or found[key] not in values)
    if operator in ("Gt", "Lt") and len(set(values)) == 1:
        has, limit = number(found.get(key)), number(values[0])
        if has is None or limit is None:
            return False
        return has > limit if operator == "Gt" else has < limit
    return False


def name_holds(said: dict[str, Any], name: str) -> bool:
    values = set(said.get("values") or [])
    return len(values) == 1 and ((name in values) is (said["operator"] == "In"))


def term_holds(said: dict[str, Any], name: str, found: dict[str, str]) -> bool:
    expressions, fields = said.get("matchExpressions") or [], said.get("matchFields") or []
    if not expressions and not fields:
        return False
    return all(expression_holds(one, found) for one in expressions) and all(
        name_holds(one, name) for one in fields
    )


def canonical(text: str) -> bool:
    return text.isdigit() and (text == "0" or not text.startswith("0"))


def tolerated(said: dict[str, Any], by: list[dict[str, Any]]) -> bool:
    for one in by:
        if one.get("effect") not in (None, said["effect"]):
            continue
        if one.get("key") not in (None, said["key"]):
            continue
        operator, value = one.get("operator", "Equal"), one.get("value", "")
        has = said.get("value", "")
        if operator == "Exists" or (operator == "Equal" and value == has):
            return True
        if operator in ("Gt", "Lt") and canonical(value) and canonical(has):
            if operator == "Gt" and int(has) > int(value):
                return True
            if operator == "Lt" and int(has) < int(value):
                return True
    return False


def may_be(said: dict[str, Any], name: str, on: dict[str, Any]) -> bool:
    for key, value in (said.get("nodeSelector") or {}).items():
        if key not in on["labels"] or on["labels"][key] != value:
            return False
    if "terms" in said and not any(term_holds(one, name, on["labels"]) for one in said["terms"]):
        return False
    blocking = [one for one in on["taints"] if one["effect"] != "PreferNoSchedule"]
    return all(tolerated(one, said.get("tolerations") or []) for one in blocking)


@settings(max_examples=300, deadline=None)
@given(st.lists(step, max_size=25))
def test_classes_allow_what_the_rules_allow_node_by_node(steps: list[tuple[str, Any, Any]]) -> None:
    classes = NodeClasses()
    nodes: dict[str, dict[str, Any]] = {}
    asks: dict[int, dict[str, Any]] = {}
    # What a scheduler was told: the class and the dedication of each node, what each ask allows.
    told_nodes: dict[str, tuple[int, bool, bool]] = {}
    told_asks: dict[Any, frozenset[int] | None] = {}

    def put(name: str) -> None:
        facts = node_facts(a_node(name, nodes[name]))
        one = classes.put(facts.traits(has_partitions=True), usable=facts.unusable is None)
        told_nodes[name] = (one.number, one.dedicated, one.tolerated > 0)

    def look() -> None:
        for name in classes.take_stale():
            put(name)
        for wanted in classes.take_changed():
            told_asks[wanted] = classes.allowed(wanted)
        usable = {name for name, said in nodes.items() if said["ready"]}
        for said in asks.values():
            allowed = told_asks[node_requirements.read(a_template(said))]
            right = {name for name in usable if may_be(said, name, nodes[name])}
            if allowed is None and not usable:
                continue
            found = {
                name
                for name in usable
                for number, dedicated, _ in [told_nodes[name]]
                if (not dedicated if allowed is None else number in allowed)
            }
            assert found == right
        for name, said in nodes.items():
            if told_nodes[name][1]:
                anybody = any(may_be(one, name, said) for one in asks.values())
                assert told_nodes[name][2] is anybody

    for what, which, said in steps:
        if what == "put":
            nodes[which] = said
            put(which)
        elif what == "drop":
            nodes.pop(which, None)
            told_nodes.pop(which, None)
            classes.drop(which)
        elif what == "ask" and which not in asks:
            asks[which] = said
            wanted = node_requirements.read(a_template(said))
            classes.add(wanted)
            told_asks[wanted] = classes.allowed(wanted)
        elif what == "end" and which in asks:
            classes.remove(node_requirements.read(a_template(asks.pop(which))))
        elif what == "look":
            look()
    look()

"""Kubernetes' rules of labels: what a pod requires, and which nodes have it."""

from __future__ import annotations

import pytest

from kubeyarn.cluster.feasibility.node_affinity import NodeSelectorRequirement, NodeSelectorTerm

LABELS = {"disk": "ssd", "cores": "16", "empty": "", "version": "v2"}


def requirement(key, operator, *values):
    return NodeSelectorRequirement(key, operator, frozenset(values))


@pytest.mark.parametrize(
    ("key", "operator", "values", "matches"),
    [
        pytest.param("disk", "In", ["ssd"], True, id="In: the value"),
        pytest.param("disk", "In", ["hdd", "ssd"], True, id="In: one of the values"),
        pytest.param("disk", "In", ["hdd"], False, id="In: another value"),
        pytest.param("gpu", "In", ["a100"], False, id="In: no such label"),
        pytest.param("gpu", "In", [""], False, id="In: an absent label is not empty"),
        pytest.param("empty", "In", [""], True, id="In: an empty value"),
        pytest.param("disk", "In", [], False, id="In: no values"),
        pytest.param("disk", "In", ["not a value"], False, id="In: no label has such a value"),
        pytest.param("disk", "NotIn", ["hdd"], True, id="NotIn: another value"),
        pytest.param("disk", "NotIn", ["hdd", "ssd"], False, id="NotIn: one of the values"),
        pytest.param("gpu", "NotIn", ["a100"], True, id="NotIn: no such label"),
        pytest.param("gpu", "NotIn", [], False, id="NotIn: no values"),
        pytest.param("gpu", "NotIn", ["not a value"], False, id="NotIn: no such value can be"),
        pytest.param("disk", "Exists", [], True, id="Exists: the label is there"),
        pytest.param("empty", "Exists", [], True, id="Exists: an empty value"),
        pytest.param("gpu", "Exists", [], False, id="Exists: no such label"),
        pytest.param("disk", "Exists", ["ssd"], False, id="Exists: takes no values"),
        pytest.param("gpu", "DoesNotExist", [], True, id="DoesNotExist: no such label"),
        pytest.param("disk", "DoesNotExist", [], False, id="DoesNotExist: the label is there"),
        pytest.param("gpu", "DoesNotExist", ["x"], False, id="DoesNotExist: takes no values"),
        pytest.param("cores", "Gt", ["8"], True, id="Gt: more"),
        pytest.param("cores", "Gt", ["16"], False, id="Gt: as many"),
        pytest.param("cores", "Gt", ["9", "8"], False, id="Gt: one value alone"),
        pytest.param("cores", "Gt", [], False, id="Gt: no value"),
        pytest.param("cores", "Gt", ["eight"], False, id="Gt: no number is asked for"),
        pytest.param("disk", "Gt", ["8"], False, id="Gt: the label is no number"),
        pytest.param("gpu", "Gt", ["8"], False, id="Gt: no such label"),
        pytest.param("cores", "Gt", [str(2**63)], False, id="Gt: a number that Go cannot hold"),
        pytest.param("cores", "Lt", ["017"], True, id="Lt: less, with a zero before"),
        pytest.param("cores", "Lt", ["16"], False, id="Lt: as many"),
        pytest.param("gpu", "Lt", ["8"], False, id="Lt: no such label"),
        pytest.param("disk", "Like", ["ssd"], False, id="an operator that nobody knows"),
    ],
)
def test_which_labels_will_do(key, operator, values, matches):
    assert requirement(key, operator, *values).matches(LABELS) is matches


@pytest.mark.parametrize(
    ("key", "operator", "values", "matches"),
    [
        pytest.param("metadata.name", "In", ["n1"], True, id="In: the name"),
        pytest.param("metadata.name", "In", ["n2"], False, id="In: another name"),
        pytest.param("metadata.name", "NotIn", ["n2"], True, id="NotIn: another name"),
        pytest.param("metadata.name", "NotIn", ["n1"], False, id="NotIn: the name"),
        pytest.param("metadata.name", "In", ["n1", "n2"], False, id="one name alone"),
        pytest.param("metadata.name", "Exists", [], False, id="fields have no other operators"),
        pytest.param("metadata.uid", "In", ["n1"], False, id="there is no other field"),
    ],
)
def test_which_names_will_do(key, operator, values, matches):
    assert requirement(key, operator, *values).matches_name("n1") is matches


SSD, HDD = requirement("disk", "In", "ssd"), requirement("disk", "In", "hdd")
HERE, THERE = (requirement("metadata.name", "In", name) for name in ("n1", "n2"))


@pytest.mark.parametrize(
    ("term", "matches"),
    [
        pytest.param(NodeSelectorTerm(), False, id="an empty term matches nothing"),
        pytest.param(NodeSelectorTerm((SSD,)), True, id="one expression"),
        pytest.param(NodeSelectorTerm((SSD, HDD)), False, id="all expressions together"),
        pytest.param(NodeSelectorTerm((), (HERE,)), True, id="a field alone"),
        pytest.param(NodeSelectorTerm((SSD,), (HERE,)), True, id="an expression and a field"),
        pytest.param(NodeSelectorTerm((SSD,), (THERE,)), False, id="another field"),
    ],
)
def test_which_terms_match(term, matches):
    assert term.matches("n1", LABELS) is matches

"""What a pod template requires of its node."""

from __future__ import annotations

import pytest

from kubeyarn.cluster.feasibility import node_requirements
from kubeyarn.cluster.feasibility.node_requirements import PLAIN, UNKNOWN, NodeTraits
from kubeyarn.cluster.feasibility.taints import Taint

SSD = {"key": "disk", "operator": "In", "values": ["ssd"]}
NODE = NodeTraits("n1", {"disk": "ssd", "zone": "a"})
TAINTED = NodeTraits("n2", {"disk": "ssd"}, (Taint("gpu", "", "NoSchedule"),))


def read(**spec):
    return node_requirements.read({"spec": spec})


def affinity(*terms):
    required = {"nodeSelectorTerms": list(terms)}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}}


@pytest.mark.parametrize(
    "template",
    [
        pytest.param({}, id="empty"),
        pytest.param({"spec": None}, id="no spec"),
        pytest.param({"spec": {"containers": []}}, id="other words"),
        pytest.param({"spec": {"nodeSelector": {}, "tolerations": []}}, id="empty words"),
        pytest.param(
            {"spec": {"affinity": {"nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}]
            }}}},
            id="what is preferred is not required",
        ),
        pytest.param({"spec": {"affinity": "near", "nodeSelector": None}}, id="of another type"),
        pytest.param({"spec": "text"}, id="no object"),
    ],
)  # fmt: skip
def test_a_template_without_words_of_nodes_requires_nothing(template):
    assert node_requirements.read(template) is PLAIN
    assert PLAIN.allows(NODE)
    assert not PLAIN.allows(TAINTED)


@pytest.mark.parametrize(
    ("spec", "allowed"),
    [
        pytest.param({"nodeSelector": {"disk": "ssd"}}, True, id="a label"),
        pytest.param({"nodeSelector": {"disk": "ssd", "zone": "b"}}, False, id="all labels"),
        pytest.param({"nodeSelector": {"gpu": ""}}, False, id="an absent label is not empty"),
        pytest.param({"affinity": affinity({"matchExpressions": [SSD]})}, True, id="a term"),
        pytest.param({"affinity": affinity()}, False, id="no terms match nothing"),
        pytest.param({"affinity": affinity({})}, False, id="an empty term matches nothing"),
        pytest.param(
            {"affinity": affinity({}, {"matchExpressions": [SSD]})}, True, id="one term will do"
        ),
        pytest.param(
            {"affinity": affinity({"matchFields": [
                {"key": "metadata.name", "operator": "In", "values": ["n1"]}
            ]})},
            True,
            id="the node's name",
        ),
        pytest.param(
            {"nodeSelector": {"zone": "b"}, "affinity": affinity({"matchExpressions": [SSD]})},
            False,
            id="selector and affinity together",
        ),
    ],
)  # fmt: skip
def test_what_is_required_of_labels(spec, allowed):
    assert read(**spec).allows(NODE) is allowed


def test_what_is_tolerated():
    assert read(tolerations=[{"key": "gpu", "operator": "Exists"}]).allows(TAINTED)
    assert not read(tolerations=[{"key": "cpu", "operator": "Exists"}]).allows(TAINTED)
    assert not read(nodeSelector={"disk": "ssd"}).allows(TAINTED)


def test_who_does_not_know_the_template_yet_trusts_the_users_of_a_partition():
    of_partition = NodeTraits("n3", {}, TAINTED.taints, "gpu")

    assert UNKNOWN.allows(of_partition)
    assert not PLAIN.allows(of_partition)
    assert not UNKNOWN.allows(TAINTED)


def test_the_same_words_in_another_order_are_the_same():
    one = read(nodeSelector={"a": "1", "b": "2"}, tolerations=[{"key": "x"}, {"key": "y"}])
    other = read(nodeSelector={"b": "2", "a": "1"}, tolerations=[{"key": "y"}, {"key": "x"}])

    assert one == other
    assert hash(one) == hash(other)


def test_a_template_of_very_many_words_is_left_to_kube_scheduler():
    many = [{"key": f"k{n}", "operator": "Exists"} for n in range(300)]

    assert read(affinity=affinity({"matchExpressions": many})) == UNKNOWN


@pytest.mark.parametrize(
    "spec",
    [
        {"nodeSelector": ["disk"]},
        {"tolerations": {"key": "x"}},
        {"tolerations": ["x", None]},
        {"affinity": affinity("x", {"matchExpressions": "y", "matchFields": [7]})},
        {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": 3}}},
        {"affinity": affinity({"matchExpressions": [{"key": None, "values": 3}]})},
    ],
)
def test_words_of_another_type_raise_nothing(spec):
    read(**spec).allows(NODE)


PIN = {"key": "metadata.name", "operator": "In", "values": ["n1"]}


@pytest.mark.parametrize(
    ("terms", "pinned"),
    [
        pytest.param(None, [{"matchFields": [PIN]}], id="the pin alone"),
        pytest.param(
            [{"matchExpressions": [SSD]}],
            [{"matchExpressions": [SSD], "matchFields": [PIN]}],
            id="one term",
        ),
        pytest.param(
            [{"matchFields": [PIN]}, {"matchExpressions": [SSD]}],
            [{"matchFields": [PIN, PIN]}, {"matchExpressions": [SSD], "matchFields": [PIN]}],
            id="terms that name nodes themselves",
        ),
        pytest.param([{}], [{}], id="an empty term is not pinned"),
        pytest.param(None, None, id="a pod that is not pinned"),
    ],
)
def test_a_pod_requires_what_its_template_does_besides_the_pin(terms, pinned):
    words = {"nodeSelector": {"zone": "a"}}
    template = words if terms is None else {**words, "affinity": affinity(*terms)}
    pod = words if pinned is None else {**words, "affinity": affinity(*pinned)}

    assert node_requirements.read_pinned(pod) == read(**template)

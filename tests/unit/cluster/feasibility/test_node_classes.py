"""Nodes in classes that are alike for all that is required of them."""

from __future__ import annotations

import pytest

from kubeyarn.cluster.feasibility import node_requirements
from kubeyarn.cluster.feasibility.node_classes import NodeClasses
from kubeyarn.cluster.feasibility.node_requirements import PLAIN, NodeTraits
from kubeyarn.cluster.feasibility.taints import Taint

HOST = "kubernetes.io/hostname"
GPU = (Taint("gpu", "", "NoSchedule"),)


def selects(**labels):
    return node_requirements.read({"spec": {"nodeSelector": labels}})


def tolerates(*keys, **labels):
    words = [{"key": key, "operator": "Exists"} for key in keys]
    return node_requirements.read({"spec": {"tolerations": words, "nodeSelector": labels}})


class Nodes(NodeClasses):
    """Nodes n0, n1, ..., each with a hostname label of its own."""

    def node(self, name, *, taints=(), usable=True, **labels):
        return self.put(NodeTraits(name, {HOST: name, **labels}, taints), usable=usable).number

    def settle(self):
        return self.take_stale(), self.take_changed()

    def where(self, wanted):
        """The nodes that a requirement allows, as told to a scheduler; None: all but dedicated."""
        self.settle()
        allowed = self.allowed(wanted)
        if allowed is None:
            return None
        return {name for name, (_, _, one) in self._nodes.items() if one.number in allowed}


@pytest.fixture
def nodes():
    return Nodes()


def test_nodes_are_alike_as_long_as_nobody_asks_what_is_different(nodes):
    assert nodes.node("n0", disk="ssd") == nodes.node("n1", disk="hdd")
    nodes.add(selects(disk="ssd"))

    stale, _ = nodes.settle()

    assert stale == {"n0", "n1"}
    assert nodes.node("n0", disk="ssd") != nodes.node("n1", disk="hdd")
    assert nodes.where(selects(disk="ssd")) == {"n0"}


def test_a_label_that_no_node_has_classes_nothing_anew(nodes):
    nodes.node("n0")
    nodes.add(selects(disk="ssd"))

    assert nodes.settle() == (set(), set())
    assert nodes.allowed(selects(disk="ssd")) == frozenset()

    nodes.node("n1", disk="ssd")

    assert nodes.where(selects(disk="ssd")) == {"n1"}


def test_nodes_that_differ_in_their_taints_are_of_different_classes(nodes):
    assert nodes.node("n0") != nodes.node("n1", taints=GPU)
    nodes.add(PLAIN)
    nodes.add(tolerates("gpu", disk="ssd"))
    nodes.add(tolerates("gpu"))

    assert nodes.where(PLAIN) is None
    assert nodes.where(tolerates("gpu")) == {"n0", "n1"}
    assert nodes.where(tolerates("gpu", disk="ssd")) == set()


def test_what_allows_all_that_is_not_dedicated_is_as_plain_as_a_plain_one(nodes):
    nodes.node("n0", os="linux")
    nodes.node("n1", os="linux", disk="ssd")
    nodes.add(selects(os="linux"))
    nodes.add(selects(disk="ssd"))

    assert nodes.where(selects(os="linux")) is None

    nodes.node("n2")

    assert nodes.where(selects(os="linux")) == {"n0", "n1"}


def test_only_changes_are_told(nodes):
    ssd, hdd = selects(disk="ssd"), selects(disk="hdd")
    nodes.node("n0", disk="ssd")
    nodes.node("n1", disk="hdd")
    nodes.add(ssd)
    nodes.add(hdd)
    nodes.settle()

    nodes.node("n2", disk="ssd")
    assert nodes.settle() == (set(), set())

    nodes.drop("n1")
    assert nodes.settle() == (set(), {ssd, hdd})
    assert nodes.where(ssd) is None
    assert nodes.where(hdd) == set()


def test_a_class_whose_nodes_take_nothing_is_not_allowed(nodes):
    ssd = selects(disk="ssd")
    nodes.node("n0")
    nodes.node("n1", disk="ssd", usable=False)
    nodes.add(ssd)
    assert nodes.where(ssd) == set()

    nodes.node("n1", disk="ssd")

    assert nodes.where(ssd) == {"n1"}


def test_where_no_node_takes_anything_nothing_is_said_of_classes(nodes):
    nodes.add(selects(disk="ssd"))
    assert nodes.where(selects(disk="ssd")) is None

    nodes.node("n0", usable=False)

    assert nodes.where(selects(disk="ssd")) is None


def test_a_plain_one_may_be_nowhere_where_all_nodes_are_dedicated(nodes):
    nodes.node("n0", taints=GPU)
    nodes.add(PLAIN)

    assert nodes.where(PLAIN) == set()


def test_who_tolerates_a_taint_is_counted(nodes):
    nodes.node("n0", taints=GPU)
    assert not nodes.is_tolerated("n0")

    nodes.add(tolerates("gpu"))
    nodes.add(tolerates("gpu"))
    assert nodes.settle() == ({"n0"}, set())
    assert nodes.is_tolerated("n0")

    nodes.remove(tolerates("gpu"))
    assert nodes.settle() == (set(), set())
    nodes.remove(tolerates("gpu"))

    assert nodes.settle() == ({"n0"}, set())
    assert not nodes.is_tolerated("n0")
    assert not nodes.is_tolerated("n9")


def test_names_count_where_somebody_looks_at_them(nodes):
    field = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    required = {"nodeSelectorTerms": [{"matchFields": [field]}]}
    here = node_requirements.read(
        {
            "spec": {
                "affinity": {
                    "nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": required}
                }
            }
        }
    )
    assert nodes.node("n0") == nodes.node("n1")

    nodes.add(here)

    assert nodes.where(here) == {"n1"}


def test_a_class_of_one_node_keeps_its_number_while_it_is_the_same(nodes):
    nodes.add(selects(disk="ssd"))
    nodes.node("n0", disk="ssd")
    nodes.settle()
    before = nodes.node("n0", disk="ssd")

    assert nodes.node("n0", disk="ssd", other="x") == before
    assert nodes.node("n0", disk="ssd", usable=False) == before


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        pytest.param(
            {"nodeSelector": {"disk": "nvme"}},
            "0 of 4 nodes match nodeSelector disk=nvme",
            id="a label that no node has",
        ),
        pytest.param(
            {"nodeSelector": {"disk": "ssd", "zone": "c"}},
            "0 of 4 nodes match nodeSelector zone=c",
            id="of several labels the one that no node has",
        ),
        pytest.param(
            {"nodeSelector": {"disk": "ssd", "zone": "b"}},
            "0 of 4 nodes match nodeSelector disk=ssd,zone=b",
            id="labels that no node has together",
        ),
        pytest.param(
            {"nodeSelector": {"disk": "hdd"}},
            "2 nodes have taint gpu:NoSchedule that is not tolerated",
            id="a taint",
        ),
        pytest.param(
            {"nodeSelector": {"zone": "d"}},
            "1 that would do takes no containers",
            id="a node that takes nothing",
        ),
        pytest.param(
            {"affinity": {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {
                "nodeSelectorTerms": [
                    {"matchExpressions": [
                        {"key": "zone", "operator": "In", "values": ["y", "x"]},
                        {"key": "disk", "operator": "Exists"},
                    ]},
                    {"matchExpressions": [{"key": "cores", "operator": "Gt", "values": ["8"]}]},
                ]
            }}}},
            "0 of 4 nodes match required node affinity "
            "(zone In [x, y], disk Exists) or (cores Gt [8])",
            id="affinity",
        ),
    ],
)  # fmt: skip
def test_what_is_said_of_one_that_may_be_nowhere(nodes, wanted, told):
    nodes.node("n0", disk="ssd", zone="a")
    nodes.node("n1", disk="hdd", zone="b", taints=GPU)
    nodes.node("n2", disk="hdd", zone="b", taints=GPU)
    nodes.node("n3", disk="ssd", zone="d", usable=False)
    wanted = node_requirements.read({"spec": wanted})
    nodes.add(wanted)

    assert nodes.where(wanted) == set()
    assert nodes.explain(wanted) == told

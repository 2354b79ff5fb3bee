"""Counts of allocation tags, and the placement constraints that look at them.

Hadoop: AllocationTagsManager, PlacementConstraintsUtil.
"""

from __future__ import annotations

import pytest

from kubeyarn.model.asks import AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.schedulers.allocation_tags import AllocationTagsManager
from kubeyarn.schedulers.constraint_parser import parse

MINE, THEIRS = ApplicationId(1, 1), ApplicationId(1, 2)


def container(app: ApplicationId, number: int, node: str, *tags: str) -> Container:
    identity = ContainerId(AttemptId(app, 1), 0, number)
    return Container(identity, AskKey(1), node, (1, 1), tags=tags)


def cluster() -> AllocationTagsManager:
    """n1 and n2 of rack r: mine with hbase on n1 twice, theirs with hbase and spark on n2."""
    tags = AllocationTagsManager()
    tags.add_application(MINE, ("web",))
    tags.add_application(THEIRS, ("batch", "night"))
    tags.add_container(container(MINE, 1, "n1", "hbase"), "r")
    tags.add_container(container(MINE, 2, "n1", "hbase"), "r")
    tags.add_container(container(THEIRS, 1, "n2", "hbase", "spark"), "r")
    return tags


def allowed(constraint: str, tags: AllocationTagsManager | None = None) -> str:
    """The nodes of n1, n2 (rack r) and n3 (rack s) on which mine may have a container."""
    made = cluster() if tags is None else tags
    places = (("n1", "r"), ("n2", "r"), ("n3", "s"))
    expression = parse(constraint).expression
    return " ".join(node for node, rack in places if made.can_satisfy(expression, MINE, node, rack))


@pytest.mark.parametrize(
    ("constraint", "nodes"),
    [
        ("in,node,hbase", "n1"),
        ("in,rack,hbase", "n1 n2"),
        ("notin,node,hbase", "n2 n3"),
        ("notin,rack,hbase", "n3"),
        ("in,node,all/hbase", "n1 n2"),
        ("notin,node,all/hbase", "n3"),
        ("in,node,not-self/hbase", "n2"),
        ("notin,node,not-self/spark", "n1 n3"),
        ("in,node,spark", ""),
        ("in,node,app-tag/batch/hbase", "n2"),
        ("in,node,app-tag/web/hbase", "n1"),
        ("in,node,app-tag/none/hbase", ""),
        (f"in,node,app-id/{THEIRS}/spark", "n2"),
        (f"in,node,app-id/{THEIRS}/hbase", "n2"),
        ("in,node,all/hbase,all/spark", "n2"),
        ("notin,node,hbase,all/spark", "n3"),
        ("cardinality,node,hbase,0,1", "n2 n3"),
        ("cardinality,node,hbase,1,2", "n1"),
        ("cardinality,node,hbase,3,9", ""),
        ("cardinality,rack,all/hbase,3,3", "n1 n2"),
        ("cardinality,rack,all/hbase,0,2", "n3"),
        ("and(in,node,hbase:notin,node,all/spark)", "n1"),
        ("and(in,rack,hbase:notin,node,hbase)", "n2"),
        ("or(in,node,hbase:in,node,all/spark)", "n1 n2"),
        ("or(in,node,gone:notin,rack,hbase)", "n3"),
    ],
)
def test_a_constraint_allows_nodes(constraint: str, nodes: str) -> None:
    assert allowed(constraint) == nodes


def test_a_container_that_ended_counts_no_more() -> None:
    tags = cluster()
    tags.remove_container(container(MINE, 1, "n1", "hbase"), "r")
    assert allowed("cardinality,node,hbase,1,1", tags) == "n1"

    tags.remove_container(container(MINE, 2, "n1", "hbase"), "r")
    assert allowed("in,node,hbase", tags) == ""


def test_an_application_that_ended_has_no_tags_any_more() -> None:
    tags = cluster()
    tags.remove_application(THEIRS)

    assert allowed("in,node,app-tag/batch/hbase", tags) == ""
    assert allowed("in,node,all/hbase", tags) == "n1 n2"


def test_an_empty_cluster_holds_no_tags() -> None:
    tags = AllocationTagsManager()

    assert allowed("in,node,all/hbase", tags) == ""
    assert allowed("notin,node,all/hbase", tags) == "n1 n2 n3"

"""Which queue is meant by a path or a short name."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.schedulers.capacity.queue_index import QueueIndex
from unit.schedulers.small import SmallCluster

TREE = {
    "root.queues": "eng,ops,adhoc",
    "root.eng.capacity": "50",
    "root.ops.capacity": "30",
    "root.adhoc.capacity": "20",
    "root.eng.queues": "etl,test",
    "root.eng.etl.capacity": "60",
    "root.eng.test.capacity": "40",
    "root.ops.queues": "test,root",
    "root.ops.test.capacity": "50",
    "root.ops.root.capacity": "50",
}
MAKING = {
    "root.queues": "fixed,managed,flexible",
    "root.fixed.capacity": "50",
    "root.managed.capacity": "25",
    "root.flexible.capacity": "25",
    "root.managed.auto-create-child-queue.enabled": "true",
    "root.managed.leaf-queue-template.capacity": "10",
    "root.flexible.auto-queue-creation-v2.enabled": "true",
}


def index_of(settings: dict[str, str]) -> QueueIndex:
    return SmallCluster({"root.queues": "", **settings}).engine.state.index


@pytest.mark.parametrize(
    ("name", "path"),
    [
        pytest.param("root", "root", id="root, although a leaf has its name"),
        pytest.param("root.eng", "root.eng", id="a path"),
        pytest.param("eng", "root.eng", id="a short name"),
        pytest.param("etl", "root.eng.etl", id="the short name of one two levels down"),
        pytest.param(
            "root.eng.test", "root.eng.test", id="the path of one whose name is not alone"
        ),
        pytest.param("test", None, id="a name that two queues have"),
        pytest.param("eng.etl", None, id="a path without root is none"),
        pytest.param("none", None, id="a name that no queue has"),
        pytest.param("root.none", None, id="a path where no queue is"),
        pytest.param("", None, id="nothing"),
    ],
)
def test_a_path_or_an_unambiguous_name_means_one_queue(name: str, path: str | None) -> None:
    index = index_of(TREE)

    assert index.path_of(name) == path
    if path is not None:
        assert index.queue(name).path == path
        assert index.known(name)


@pytest.mark.parametrize(
    ("name", "reason", "said"),
    [
        pytest.param("none", Reason.QUEUE_NOT_FOUND, "'none' does not exist", id="not there"),
        pytest.param(
            "root.eng.none", Reason.QUEUE_NOT_FOUND, "'root.eng.none'", id="not at that path"
        ),
        pytest.param(
            "test",
            Reason.QUEUE_AMBIGUOUS,
            "root.eng.test or root.ops.test; use the full path",
            id="ambiguous: it says which there are",
        ),
        pytest.param("eng", Reason.QUEUE_NOT_LEAF, "root.eng is not a leaf", id="a parent"),
        pytest.param("root", Reason.QUEUE_NOT_LEAF, "root is not a leaf", id="root"),
    ],
)
def test_what_is_no_leaf_is_refused_with_what_there_is(
    name: str, reason: Reason, said: str
) -> None:
    with pytest.raises(Rejected) as refused:
        index_of(TREE).leaf(name)

    assert refused.value.reason is reason
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("name", "ambiguous"),
    [
        pytest.param("test", True, id="two leaves"),
        pytest.param("root.eng.test", False, id="a path is not"),
        pytest.param("etl", False, id="one leaf"),
        pytest.param("none", False, id="none at all"),
        pytest.param("root", False, id="a path that is another queue's short name"),
    ],
)
def test_a_name_is_ambiguous_when_several_queues_have_it(
    name: str,
    ambiguous: bool,
) -> None:
    assert index_of(TREE).ambiguous(name) is ambiguous


@pytest.mark.parametrize(
    ("path", "nearest"),
    [
        pytest.param("root.eng.etl", "root.eng.etl", id="it is there"),
        pytest.param("root.eng.new", "root.eng", id="its parent is"),
        pytest.param("root.eng.new.newer", "root.eng", id="its grandparent is"),
        pytest.param("root.new", "root", id="only root is"),
        pytest.param("other.new", None, id="not below root"),
        pytest.param("", None, id="no path"),
    ],
)
def test_the_nearest_queue_is_the_deepest_on_the_way(path: str, nearest: str | None) -> None:
    found = index_of(TREE).nearest(path)

    assert (found and found.path) == nearest


@pytest.mark.parametrize(
    ("path", "children", "parents"),
    [
        pytest.param("root", False, False, id="a declared parent"),
        pytest.param("root.fixed", False, False, id="a leaf"),
        pytest.param("root.managed", True, False, id="a managed parent creates leaves"),
        pytest.param("root.flexible", True, True, id="a flexible one leaves and parents"),
    ],
)
def test_a_parent_creates_what_its_way_allows(
    path: str,
    children: bool,
    parents: bool,
) -> None:
    index = index_of(MAKING)

    assert index.makes_children(path) is children
    assert index.makes_parents(path) is parents
    assert index.is_leaf(path) is (path == "root.fixed")


@pytest.mark.parametrize(
    ("settings", "queue", "on_demand"),
    [
        pytest.param(TREE, "etl", False, id="all queues are declared"),
        pytest.param(MAKING, "fixed", False, id="none was created yet"),
        pytest.param(MAKING, "root.managed.new", True, id="a leaf was created"),
        pytest.param(MAKING, "root.flexible.new.newer", True, id="a branch was created"),
    ],
)
def test_it_knows_whether_any_queue_was_created_on_demand(
    settings: dict[str, str],
    queue: str,
    on_demand: bool,
) -> None:
    places = "[{'type': 'user', 'matches': '*', 'policy': 'custom', 'customPlacement': '%s'}]"
    rules = {
        "mapping-rule-format": "json",
        "mapping-rule-json": '{"rules": '
        + (places % queue)
        .replace("'", '"')
        .replace("}]", ', "create": true, "fallbackResult": "reject"}]}'),
    }
    cluster = SmallCluster({"root.queues": "", **settings, **(rules if on_demand else {})})

    cluster.submit(1, "default" if on_demand else queue)

    assert cluster.engine.state.index.on_demand is on_demand
    path = queue if queue.startswith("root") else cluster.engine.state.index.path_of(queue)
    assert cluster.engine.state.queues[path].applications == 1

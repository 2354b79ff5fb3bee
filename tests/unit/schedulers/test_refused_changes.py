"""A configuration that is refused changes nothing at all."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import ConfigRefused
from unit.schedulers.small import SmallCluster, app_id

DEEP = {
    "root.queues": "a,b",
    "root.a.queues": "p",
    "root.a.p.queues": "c",
    "root.a.p.capacity": "100",
    "root.a.p.c.capacity": "100",
}


def states(small: SmallCluster) -> dict[str, str]:
    return {status.path: status.state for status in small.engine.queue_status()}


def shares(small: SmallCluster) -> dict[str, object]:
    return {status.path: status.minimum for status in small.engine.queue_status()}


def test_a_queue_started_below_one_that_stays_stopped_leaves_the_whole_tree_as_it_was() -> None:
    small = SmallCluster({**DEEP, "root.a.state": "STOPPED"})
    before, had = states(small), shares(small)
    change = {
        **DEEP,
        "root.a.state": "RUNNING",
        "root.a.p.c.state": "RUNNING",
        "root.a.capacity": "30",
        "root.b.capacity": "70",
    }

    with pytest.raises(ConfigRefused, match=r"the parent root\.a\.p is not running") as refused:
        small.configure(change)

    assert [problem.reason for problem in refused.value.problems] == ["ParentStopped"]
    assert states(small) == before
    assert shares(small) == had
    small.configure({**change, "root.a.p.state": "RUNNING"})
    assert set(states(small).values()) == {"Running"}


def test_a_template_that_is_not_allowed_leaves_the_whole_tree_as_it_was() -> None:
    managed = {
        "root.a.auto-create-child-queue.enabled": "true",
        "root.a.leaf-queue-template.capacity": "50",
    }
    small = SmallCluster(managed)
    had = shares(small)

    with pytest.raises(ConfigRefused):
        small.configure(
            {
                **managed,
                "root.a.leaf-queue-template.maximum-application-lifetime": "10",
                "root.a.leaf-queue-template.default-application-lifetime": "20",
                "root.a.capacity": "30",
                "root.b.capacity": "70",
            }
        )

    assert shares(small) == had
    small.submit(1, "b")
    assert app_id(1) in small.engine.state.apps

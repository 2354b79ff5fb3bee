"""Nodes that ApplicationMasters exclude, and those where ApplicationMasters failed."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.lifecycle import failed_nodes
from kubeyarn.lifecycle.records import AttemptRecord
from kubeyarn.model.ids import ApplicationId, AttemptId
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.stage import Stage


def attempts(*ends: tuple[str, int | None]) -> list[AttemptRecord]:
    app = ApplicationId(1, 1)
    return [
        AttemptRecord(AttemptId(app, number), node=node, exit_status=status)
        for number, (node, status) in enumerate(ends, start=1)
    ]


def test_a_node_where_an_am_failed_is_excluded() -> None:
    found = attempts(("n1", 1), ("n2", -1000), ("n3", None), ("", 1))

    assert failed_nodes.excluded(found, 100, 0.2) == {"n1", "n2"}


@pytest.mark.parametrize("status", [0, -100, -101, -102, -103, -104, -105, -106, -107])
def test_what_was_not_the_nodes_fault_excludes_nothing(status: int) -> None:
    assert failed_nodes.excluded(attempts(("n1", status)), 100, 0.2) == frozenset()


@pytest.mark.parametrize(("nodes", "held"), [(11, {"n1", "n2"}), (10, set()), (4, set())])
def test_nothing_is_excluded_once_it_is_the_thresholds_share_of_all_nodes(nodes, held) -> None:
    assert failed_nodes.excluded(attempts(("n1", 1), ("n2", 1)), nodes, 0.2) == held


def test_it_is_off_unless_it_is_set() -> None:
    assert failed_nodes.excluded(attempts(("n1", 1)), 100, None) == frozenset()


@pytest.mark.parametrize(("threshold", "excluded"), [(0.5, ["n1"]), (None, None)])
def test_the_next_attempts_am_is_asked_for_elsewhere(threshold, excluded) -> None:
    async def story() -> None:
        stage = Stage(Settings(am_node_exclusion_threshold=threshold), maxAttempts=2)
        root: Any = {"metadata": {"name": "root", "uid": "r", "resourceVersion": "1"}}
        stage.manager.cache.put_queue({**root, "status": {"nodes": 3}})
        am = await stage.launch_am(1)
        stage.pod(am, "Failed", exit_code=1)
        await stage.settle()

        first, second = (
            stage.objects[REQUESTS.kind, f"wordcount-am-{n}"]["spec"].get("excludeNodes")
            for n in (1, 2)
        )
        assert (first, second) == (None, excluded)

    asyncio.run(story())

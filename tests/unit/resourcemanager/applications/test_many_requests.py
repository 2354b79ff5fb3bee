"""Thousands of requests of one application in the ResourceManager's reconciliation."""

from __future__ import annotations

import asyncio

from counting import lines_of
from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.resourcemanager.requests import request_view
from unit.resourcemanager.amservice.test_bounds import a_master, asks, beat
from unit.resourcemanager.applications.test_one_bad_request import ask, play, running
from unit.resourcemanager.stage import KEY


def reconciled(stage):
    """One reconciliation, in a loop of its own."""
    asyncio.run(stage.manager.reconcile(KEY))


def test_a_reconciliation_costs_little_for_what_waits_and_reads_it_once(monkeypatch):
    cost, read = {}, []
    real = request_view.view
    monkeypatch.setattr(request_view, "view", lambda *args: read.append(1) or real(*args))
    for many in (200, 1000):

        async def story(many=many):
            stage, pod = await a_master()
            beat(stage, pod, response_id=0, asks=asks(many))
            await stage.settle()
            return stage

        stage = asyncio.run(story())
        stage.manager._status_at.clear()
        read.clear()
        cost[many] = lines_of(reconciled, stage)
        assert read == []
    assert (cost[1000] - cost[200]) / 800 < 150


def test_pods_are_looked_at_once_not_once_for_each_request():
    cost = {}
    for many in (40, 160):

        async def story(many=many):
            stage = await running()
            for number in range(many):
                name = f"maps-{number:04d}"
                ask(stage, name, container={"command": ["work"]})
                stage.grant(name, 1, str(number + 2))
            await stage.settle()
            assert len(stage.pods()) == many + 1
            return stage

        stage = asyncio.run(story())
        cost[many] = lines_of(reconciled, stage)
    assert cost[160] < 5 * cost[40]


def test_a_request_that_waits_is_served_as_soon_as_something_is_granted():
    async def story() -> None:
        stage = await running()
        for name in ("maps", "reduces"):
            ask(stage, name, container={"command": ["work"]})
        await stage.settle()
        stage.grant("reduces", 1, "2")
        await stage.settle()
        assert "wordcount-01-000002" in stage.pods()
        stage.pod("wordcount-01-000002", "Succeeded", 0)
        await stage.settle()
        assert stage.completed("reduces") == {"01_000002": 0}
        assert not stage.objects[REQUESTS.kind, "maps"].get("status")

    play(story)

"""Objects of every shape that the definitions allow, and some that they do not, reconciled.

Many odd objects are put beside an application that runs, at a time: applications, requests of the
running one, and pods. Whatever they are, a reconciliation raises nothing but answers (an error of
KubeYARN's), no object is told of a mistake of ours, none takes a second of processor time, and what
runs, runs on and is told nothing. `KUBEYARN_FUZZ_EXAMPLES` sets how many times that is tried.
"""

from __future__ import annotations

import asyncio
import copy
import os
import time
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kubeyarn.cluster.resources import APPLICATIONS, PODS, REQUESTS
from kubeyarn.model.errors import KubeYarnError
from property.scheduler.test_fuzz import POD_FIELDS, changed, changes_of, some_of
from unit.resourcemanager.applications.test_one_bad_request import ask, running
from unit.resourcemanager.objects import a_pod, a_request, an_application, container
from unit.resourcemanager.stage import KEY

EXAMPLES = int(os.environ.get("KUBEYARN_FUZZ_EXAMPLES", "30"))
TOGETHER = 8
MOST_S = 1.0

KINDS = {
    "application": (
        APPLICATIONS, an_application("odd"), changes_of("yarnapplications", "spec", "status"),
    ),
    "request": (
        REQUESTS,
        a_request("odd", container={"command": ["work"]}),
        changes_of("containerrequests", "spec", "status"),
    ),
    "pod": (PODS, a_pod(container(900), phase="Running"), some_of(POD_FIELDS)),
}  # fmt: skip


async def a_stage():
    """An application that runs, with a container of its own."""
    stage = await running()
    ask(stage, "maps", container={"command": ["work"]})
    stage.grant("maps", 1, "2")
    await stage.settle()
    stage.pod("wordcount-01-000002", "Running")
    await stage.settle()
    return stage


def see(stage, kind, item):
    manager = stage.manager
    changes = {
        APPLICATIONS: manager.application_changed,
        REQUESTS: manager.request_changed,
        PODS: manager.pod_changed,
    }
    changes[kind]("ADDED", stage._put(kind, copy.deepcopy(item)))


async def reconcile(stage, key):
    began = time.process_time()
    # An answer of KubeYARN's is told on the object, and tried again.
    with suppress(KubeYarnError):
        await stage.manager.reconcile(key)
    assert time.process_time() - began < MOST_S


@pytest.mark.parametrize("kind", KINDS)
def test_no_object_makes_the_resource_manager_fail_or_slow_or_stops_another(kind):
    what, base, strategy = KINDS[kind]

    async def story(many) -> None:
        stage = await a_stage()
        keys = {KEY}
        for number, changes in enumerate(many):
            item = changed(base, changes)
            item["metadata"] |= {"name": f"odd-{number}", "uid": f"odd-{number}"}
            see(stage, what, item)
            if what is APPLICATIONS:
                keys.add((KEY[0], f"odd-{number}"))
        for _ in range(3):
            stage.now_ms += 2000
            for key in sorted(keys):
                await reconcile(stage, key)
        check(stage)
        # Another process meets the same objects.
        stage.restart()
        for key in sorted(keys):
            await reconcile(stage, key)
        check(stage)

    def check(stage):
        assert [event for event in stage.events if "InternalError" in event] == []
        assert stage.status()["state"] == "RUNNING"
        assert {"wordcount-01-000001", "wordcount-01-000002"} <= set(stage.pods())
        told = stage.objects[REQUESTS.kind, "maps"].get("status") or {}
        assert "Reconciled" not in {c["type"] for c in told.get("conditions") or ()}
        assert told["running"] == 1

    @settings(max_examples=EXAMPLES)
    @given(st.lists(strategy, min_size=1, max_size=TOGETHER))
    def run(many):
        asyncio.run(story(many))

    run()

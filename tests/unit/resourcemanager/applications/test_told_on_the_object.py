"""An application that cannot be read, and a request whose pods are refused, are told so."""

from __future__ import annotations

import copy

import pytest

from kubeyarn.cluster.errors import Refused
from kubeyarn.cluster.resources import APPLICATIONS, REQUESTS
from unit.resourcemanager.applications.test_one_bad_request import ask, play, running, said
from unit.resourcemanager.objects import an_application
from unit.resourcemanager.stage import KEY, Stage

BAD = {"spec": {"nodeName": "n1"}}


def change(stage, kind, name, **spec):
    """Somebody edits an object."""
    found = copy.deepcopy(stage.objects[kind.kind, name])
    found["spec"] |= spec
    found["metadata"]["generation"] += 1
    see = {APPLICATIONS: stage.manager.application_changed, REQUESTS: stage.manager.request_changed}
    see[kind]("MODIFIED", stage._put(kind, found))


async def settle(stage):
    """As time passes: a status that is not urgent may be written again."""
    stage.manager._status_at.clear()
    await stage.settle()


def told(stage, kind):
    found = next((c for c in stage.status().get("conditions") or () if c["type"] == kind), {})
    return found.get("status"), found.get("reason"), found.get("observedGeneration")


def test_an_application_that_was_never_read_is_told_so_and_served_when_it_is_mended():
    async def story() -> None:
        stage = Stage()
        bad = an_application(KEY[1], priority="high")
        stage.objects.clear()
        stage.restart()
        stage.manager.application_changed("ADDED", stage._put(APPLICATIONS, bad))
        await settle(stage)
        assert told(stage, "Accepted") == ("False", "Unreadable", 1)
        assert "spec.priority: found 'high'" in str(stage.status()["conditions"])
        assert (stage.requests(), stage.pods()) == ([], [])

        change(stage, APPLICATIONS, KEY[1], priority=3)
        await settle(stage)
        assert told(stage, "Accepted") == ("Unknown", "Submitted", 2)
        assert stage.requests() == ["wordcount-am-1"]

    play(story)


def test_an_application_whose_change_cannot_be_read_goes_on_as_before_and_is_told_so():
    async def story() -> None:
        stage = await running()
        change(stage, APPLICATIONS, KEY[1], priority="high")
        await settle(stage)
        assert told(stage, "ChangesApplied") == ("False", "Unreadable", 2)
        assert told(stage, "Accepted")[0] == "True"
        assert stage.status()["observedGeneration"] == 2

        version = stage._version
        for _ in range(5):
            await settle(stage)
        assert stage._version == version

        change(stage, APPLICATIONS, KEY[1], priority=3)
        await settle(stage)
        assert told(stage, "ChangesApplied") == ("True", "NothingRefused", 3)

    play(story)


@pytest.mark.parametrize("when", ["live", "restart"])
def test_a_request_whose_template_is_refused_is_told_so_until_it_is_mended(when):
    async def story() -> None:
        stage = await running()
        ask(stage, "maps", container={"command": ["work"], "template": BAD})
        stage.grant("maps", 1, "2")
        await settle(stage)
        condition = said(stage, "maps")
        assert (condition["status"], condition["reason"]) == ("False", "LaunchRefused")
        assert "spec.nodeName" in condition["message"]
        assert condition["observedGeneration"] == 1

        if when == "restart":
            stage.restart()
            await settle(stage)
            assert said(stage, "maps")["reason"] == "LaunchRefused"
        change(stage, REQUESTS, "maps", container={"command": ["work"]}, count=2)
        await settle(stage)
        stage.grant("maps", 1, "3")
        await settle(stage)
        assert "wordcount-01-000003" in stage.pods()
        assert (said(stage, "maps")["status"], said(stage, "maps")["message"]) == ("True", "")

    play(story)


def test_a_launch_that_goes_well_after_one_that_was_refused_clears_what_was_told():
    async def story() -> None:
        stage = await running()
        ask(stage, "maps", container={"command": ["work"]})
        stage.grant("maps", 1, "2")
        real = stage.create

        async def refuses(kind, body, namespace, **_):
            raise Refused(403, "Forbidden", "exceeded quota")

        stage.create = refuses
        await settle(stage)
        assert said(stage, "maps")["reason"] == "LaunchRefused"
        assert "exceeded quota" in said(stage, "maps")["message"]
        stage.create = real
        stage.grant("maps", 1, "3")
        await settle(stage)
        assert said(stage, "maps")["status"] == "True"

    play(story)

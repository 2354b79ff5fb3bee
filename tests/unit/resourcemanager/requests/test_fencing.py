"""What two ResourceManagers in a row write counts once, whichever arrives last."""

from __future__ import annotations

import asyncio
import copy

from kubeyarn.cluster import epochs
from kubeyarn.cluster.lease import NEVER
from kubeyarn.cluster.resources import REQUESTS
from unit.resourcemanager.applications.test_one_bad_request import ask, play, running


async def with_one_container():
    """A container that runs, of a request written by hand."""
    stage = await running()
    ask(stage, "maps", container={"command": ["work"]})
    stage.grant("maps", 1, "2")
    await stage.settle()
    stage.pod("wordcount-01-000002", "Running")
    await stage.settle()
    return stage


def status(stage):
    return stage.objects[REQUESTS.kind, "maps"]["status"]


def test_each_status_says_the_epoch_of_the_process_that_wrote_it():
    async def story() -> None:
        stage = await with_one_container()
        assert (status(stage)["resourceManagerEpoch"], stage.status()["epoch"]) == (0, 0)
        stage.restart()
        stage.pod("wordcount-01-000002", "Succeeded", 0)
        await stage.settle()
        assert status(stage)["resourceManagerEpoch"] == 1

    play(story)


def test_a_count_that_somebody_else_went_on_with_is_not_added_to():
    async def story() -> None:
        stage = await with_one_container()
        stage.pod("wordcount-01-000002", "Succeeded", 0)
        # A former ResourceManager's write arrives late: it has counted the end already.
        late = copy.deepcopy(stage.objects[REQUESTS.kind, "maps"])
        late["status"] |= {
            "succeeded": 1,
            "running": 0,
            "completed": [{"id": "container_1763850000000_0001_01_000002", "exitStatus": 0}],
        }
        container = next(iter(stage.manager.cache.pods(("team-a", "wordcount"))))
        late["status"]["completed"][0]["id"] = str(container._replace(number=2))
        stage._put(REQUESTS, late)
        await stage.settle()
        # The newest is known by now.
        await stage.settle()
        assert status(stage)["succeeded"] == 1
        assert status(stage).get("failed", 0) == 0

    play(story)


def test_an_end_is_recorded_once_the_newest_version_is_known():
    async def story() -> None:
        stage = await with_one_container()
        stage.pod("wordcount-01-000002", "Failed", 3)
        # The scheduler writes its part meanwhile.
        other = copy.deepcopy(stage.objects[REQUESTS.kind, "maps"])
        other["status"]["queue"] = "root.b"
        stage._put(REQUESTS, other)
        await stage.settle()
        assert not stage.completed("maps")
        await stage.settle()
        assert status(stage)["failed"] == 1
        assert status(stage)["queue"] == "root.b"
        assert stage.completed("maps") == {"01_000002": 3}

    play(story)


class Objects:
    def __init__(self, **found):
        self.found = found

    async def list_all(self, kind):
        return self.found.get(kind.plural, [])


def test_the_epoch_goes_on_above_what_was_written_when_the_lease_is_gone():
    highest = epochs.highest_of_resource_manager
    assert asyncio.run(highest(Objects())) == NEVER
    written = {
        "yarnapplications": [{"status": {"epoch": 3}}, {}, {"status": {"epoch": "x"}}],
        "containerrequests": [{"status": {"epoch": 9, "resourceManagerEpoch": 4}}],
    }
    assert asyncio.run(highest(Objects(**written))) == 4

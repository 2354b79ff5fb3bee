"""What one ApplicationMaster may say at a time, and that it costs no more than it says."""

from __future__ import annotations

import pytest

from counting import lines_of
from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.lifecycle import am_session
from kubeyarn.lifecycle.am_session import ProtocolError
from kubeyarn.resourcemanager.amservice import service, wire
from kubeyarn.resourcemanager.amservice.wire import FieldError
from unit.resourcemanager.applications.test_one_bad_request import play
from unit.resourcemanager.stage import KEY, Stage

SIZE = {"cpu": "1", "memory": "1Gi"}


def asks(count, **more):
    return [
        wire.Ask(count=1, resources=SIZE, priority=1 + i % 7, allocation_request_id=i, **more)
        for i in range(count)
    ]


async def a_master():
    stage = Stage()
    pod = await stage.launch_am(1)
    await stage.register(pod)
    return stage, pod


def beat(stage, pod, **said):
    caller = stage.masters.caller(stage.identity(pod))
    return stage.masters.allocate(caller, wire.Allocate(**said), stage.now_ms)


@pytest.mark.parametrize("alike", [True, False], ids=["of-one-shape", "of-many-shapes"])
def test_a_heartbeat_costs_what_it_asks(alike):
    async def story() -> None:
        cost = {}
        for count in (500, 2000):
            stage, pod = await a_master()
            said = asks(count)
            if not alike:
                for i, ask in enumerate(said):
                    ask.resources = {"cpu": "1", "memory": str(2**30 + i)}
            cost[count] = lines_of(beat, stage, pod, response_id=0, asks=said)
            # Again, in other shapes: each replaces the one before.
            for ask in said:
                ask.partition = "gpu"
            cost[-count] = lines_of(beat, stage, pod, response_id=1, asks=said)
        assert cost[2000] < 4.4 * cost[500]
        assert cost[-2000] < 4.4 * cost[-500]
        assert cost[2000] < 2000 * (60 if alike else 200)

    play(story)


def test_another_shape_of_an_ask_takes_the_place_of_the_one_before():
    async def story() -> None:
        stage, pod = await a_master()
        beat(stage, pod, response_id=0, asks=asks(1))
        beat(stage, pod, response_id=1, asks=asks(1, partition="gpu"))
        wanted = stage.manager.sessions.of(KEY, stage.application()).wanted
        assert [(t.ask.partition, t.count) for t in wanted.values()] == [(None, 0), ("gpu", 1)]
        beat(stage, pod, response_id=2, asks=asks(1))
        assert [(t.ask.partition, t.count) for t in wanted.values()] == [(None, 1), ("gpu", 0)]

    play(story)


def test_an_attempt_has_so_many_asks_and_no_more(monkeypatch):
    monkeypatch.setattr(am_session, "MOST_ASKS", 5)

    async def story() -> None:
        stage, pod = await a_master()
        beat(stage, pod, response_id=0, asks=asks(5))
        with pytest.raises(ProtocolError) as caught:
            beat(stage, pod, response_id=1, asks=asks(6))
        assert caught.value.code == "TooManyAsks"
        assert "found 6 of different" in str(caught.value)
        assert "allowed: 5" in str(caught.value)
        # A refused heartbeat changes nothing; what is wanted no more makes room.
        nothing = wire.Ask(count=0, resources=SIZE, priority=1, allocation_request_id=0)
        beat(stage, pod, response_id=1, asks=[nothing, asks(6)[5]])

    play(story)


@pytest.mark.parametrize(
    ("field", "most"), [("asks", "MOST_ASKS"), ("releases", "MOST_RELEASES"),
                        ("updates", "MOST_UPDATES")],
)  # fmt: skip
def test_a_heartbeat_names_so_many_and_no_more(monkeypatch, field, most):
    monkeypatch.setattr(service, most, 3)
    entries = {
        "asks": asks(4),
        "releases": ["x"] * 4,
        "updates": [wire.Update(container_id="x")] * 4,
    }[field]

    async def story() -> None:
        stage, pod = await a_master()
        with pytest.raises(FieldError, match=f"{field}: found 4 entries, allowed: 3 in one call"):
            beat(stage, pod, response_id=0, **{field: entries})

    play(story)


@pytest.mark.parametrize("field", ["launch", "stop", "status"])
def test_a_call_names_so_many_containers_and_no_more(monkeypatch, field):
    monkeypatch.setattr(service, "MOST_CONTAINERS_A_CALL", 3)
    entries = [wire.LaunchContainer(container_id="x")] * 4 if field == "launch" else ["x"] * 4

    async def story() -> None:
        stage, pod = await a_master()
        caller = stage.masters.caller(stage.identity(pod))
        with pytest.raises(FieldError, match=f"{field}: found 4 entries, allowed: 3 in one call"):
            await stage.masters.containers(caller, wire.Containers(**{field: entries}))

    play(story)


def test_a_call_that_names_many_containers_reads_the_requests_once(monkeypatch):
    async def story() -> None:
        stage, pod = await a_master()
        await stage.allocate(pod, 0, wire.Ask(count=30, resources=SIZE, priority=1))
        request = next(name for name in stage.requests() if "-am-" not in name)
        stage.grant(request, 1, "2-31")
        caller = stage.masters.caller(stage.identity(pod))
        made = []
        real = type(caller).requests_of_containers

        def requests_of_containers(self, cache):
            made.append(1)
            return real(self, cache)

        monkeypatch.setattr(type(caller), "requests_of_containers", requests_of_containers)
        names = [str(c) for c in real(caller, stage.manager.cache)]
        assert len(names) == 30
        answer = await stage.masters.containers(caller, wire.Containers(status=names, stop=names))
        assert (len(answer.statuses), len(answer.stopped), len(made)) == (30, 30, 1)
        await stage.masters.release(caller, wire.Allocate(response_id=1, releases=names))
        assert len(made) == 2

    play(story)


def test_asks_that_are_written_are_not_looked_at_again():
    async def story() -> None:
        stage, pod = await a_master()
        beat(stage, pod, response_id=0, asks=asks(300))
        await stage.settle()
        assert len(stage.requests()) == 301
        session = stage.manager.sessions.of(KEY, stage.application())
        built = []
        real = stage.manager._requests._write_ask

        async def write_ask(key, body, current, session):
            built.append(body["metadata"]["name"])
            await real(key, body, current, session)

        stage.manager._requests._write_ask = write_ask
        await stage.settle()
        assert built == []
        # Somebody deletes one, or writes into it: it is looked at again.
        gone = stage.objects.pop((REQUESTS.kind, stage.requests()[5]))
        stage.manager.cache.put_request(gone, deleted=True)
        await stage.settle()
        assert built == [gone["metadata"]["name"]]
        assert len(stage.requests()) == 301
        assert len(session.written) == 300

    play(story)

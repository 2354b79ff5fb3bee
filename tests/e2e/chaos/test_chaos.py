"""Whatever strikes, every application ends as its script says, and the ledger holds."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import pytest

from e2e.chaos import scripts
from e2e.chaos.conftest import MAXIMA, NAMESPACE, queues
from e2e.chaos.crew import REPLICAS, Crew
from e2e.chaos.record import Record
from e2e.chaos.scripts import Cluster, Story
from e2e.chaos.strikes import DECK, Strikes
from e2e.crd.server import Server
from e2e.live.patience import until

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1800, func_only=True)]

Json = dict[str, Any]

# It takes about five minutes on two idle cores; how long it takes proves nothing.
DRAIN_S = 900
# What of a request is empty again in the end.
PARTS = ("grants", "running", "completed", "launched")


def stories(chance: random.Random) -> list[Story]:
    """Applications by script, submitted over the first minutes."""
    failed, killed = ("FAILED", "FAILED"), ("KILLED", "KILLED")
    keeps = {"keepContainersAcrossAttempts": True}
    told: list[Story] = []

    def tell(times: int, name: str, tasks: int, master: Callable[..., Any], **more: Any) -> None:
        for number in range(times):
            place = chance.choices(list(MAXIMA), list(MAXIMA.values()))[0]
            seconds = chance.choice([1, 2])
            told.append(Story(f"{name}-{number}", place, tasks, master, seconds=seconds, **more))

    tell(25, "batch", 56, scripts.batch)
    tell(6, "hand", 50, scripts.asks_by_hand)
    tell(5, "again", 40, scripts.fails_at_half)
    tell(4, "keeps", 40, scripts.fails_at_half, spec=keeps)
    tell(2, "gives-up", 20, scripts.gives_up, ends=("FINISHED", "FAILED"))
    tell(2, "crashes", 10, scripts.crashes, ends=failed)
    tell(3, "killed", 20, scripts.is_killed, ends=killed)
    tell(2, "deleted", 20, scripts.is_deleted)
    chance.shuffle(told)
    for number, story in enumerate(told):
        story.after = number * 3.4
    return told


@pytest.mark.parametrize("component", ["resourcemanager", "scheduler"])
def test_the_other_one_takes_over_within_15_s(crew: Crew, server: Server, component: str) -> None:
    """Its node is gone: nobody gives the Lease back, and nobody starts it again."""
    leader = crew.leader(component)
    others = {f"{component}-{number}" for number in REPLICAS} - {leader}
    assert leader
    lost = crew.lose(leader)
    began = time.monotonic()
    try:
        until(f"{others} leads", lambda: crew.leader(component), lambda n: n in others, seconds=30)
        took = time.monotonic() - began
        runs = _one_container(server, f"after-{component}") - began
    finally:
        crew.bring_back(lost)
    print(f"{component}: another leads after {took:.1f} s, a container runs after {runs:.1f} s")
    # What users wait for is not who leads, but that what they submit meanwhile runs.
    assert runs < 15


def _one_container(server: Server, name: str) -> float:
    """An application whose one container runs, and which is then deleted; returns since when."""
    place = f"{scripts.OURS}/namespaces/{NAMESPACE}"
    task = {"image": "fake", "template": scripts.ANYWHERE}
    application = {"queue": "root.a", "applicationMaster": {"resources": scripts.SMALL, **task}}
    request = {"application": name, "count": 1, "resources": scripts.SMALL, "container": task}
    for kind, spec in (("YarnApplication", application), ("ContainerRequest", request)):
        found = {"apiVersion": "kubeyarn.io/v1alpha1", "kind": kind, "metadata": {"name": name}}
        body = {**found, "spec": spec}
        assert server.call("POST", f"{place}/{kind.lower()}s", body).status == 201
    until(
        f"the container of {name} runs",
        lambda: server.call("GET", f"{place}/containerrequests/{name}").body.get("status") or {},
        lambda status: status.get("running") == 1,
        seconds=60,
    )
    since = time.monotonic()
    for plural in ("yarnapplications", "containerrequests"):
        assert server.call("DELETE", f"{place}/{plural}/{name}").status == 200
    until(
        f"nothing is left of {name}",
        lambda: _objects(server, "pods", "/api/v1"),
        lambda pods: not pods,
        seconds=60,
    )
    return since


async def everything(cluster: Cluster, strikes: Strikes, told: list[Story]) -> None:
    async with cluster.connected():
        await _everything(cluster, strikes, told)


async def _everything(cluster: Cluster, strikes: Strikes, told: list[Story]) -> None:
    running = [asyncio.create_task(story.run(cluster), name=story.name) for story in told]
    striking = asyncio.create_task(strikes.run())
    last = None
    try:
        while not all(task.done() for task in (striking, *running)):
            await asyncio.sleep(0.3)
            strikes.look_after()
            for task in (striking, *running):
                if task.done():
                    task.result()
            if striking.done():
                last = last or time.monotonic()
                left = [
                    f"{s.name}: {s.stage}, {s.done} of {s.tasks} done, {s.lost} lost"
                    for s, task in zip(told, running, strict=True)
                    if not task.done()
                ]
                assert time.monotonic() < last + DRAIN_S, left
    finally:
        for task in (striking, *running):
            task.cancel()
        await asyncio.gather(striking, *running, return_exceptions=True)


def test_every_application_ends_as_its_script_says_whatever_strikes(
    crew: Crew, server: Server, seed: int
) -> None:
    record = Record(server, f"/api/v1/namespaces/{NAMESPACE}/pods")
    record.maxima = {path: most * 1000 for path, most in MAXIMA.items()}
    record.start()
    chance = random.Random(seed)
    cluster = Cluster(server, record, NAMESPACE, f"http://127.0.0.1:{crew.service}", crew.directory)
    told = stories(chance)
    strikes = Strikes(cluster, crew, chance, [f"fake-{n:04d}" for n in range(12)])
    record.why = lambda: strikes.log[-1] if strikes.log else ""
    began = time.monotonic()
    try:
        asyncio.run(everything(cluster, strikes, told))
        print(
            f"--- {time.monotonic() - began:.0f} s, {record.writes} writes of pods, "
            f"{len(record.nodes)} containers ran, {record.gaps} gaps, most {dict(record.most)}"
        )
        assert not record.wrong, record.wrong
        _nothing_twice(record)
        _ended_as_told(server, told)
        assert len(told) >= 40
        assert sum(DECK.values()) >= 60
        assert len(record.nodes) >= 2000
        _nothing_leaks(server, crew)
        record.close()
        assert not record.wrong, record.wrong
    except BaseException:
        print(f"--- CHAOS_SEED={seed}\n" + "\n".join(strikes.log))
        for story in told:
            print(story.name, story.queue, story.stage, f"{story.done}/{story.tasks}", story.lost)
        print("wrong:", *record.wrong[:20], sep="\n")
        raise


def _objects(server: Server, plural: str, group: str = scripts.OURS) -> list[Json]:
    path = f"{group}/namespaces/{NAMESPACE}/{plural}"
    items: list[Json] = server.call("GET", path).body["items"]
    return items


def _nothing_twice(record: Record) -> None:
    """Every container had one pod, on one node at most."""
    assert {c: u for c, u in record.uids.items() if len(u) > 1} == {}
    assert {c: n for c, n in record.nodes.items() if len(n) > 1} == {}


def _ended_as_told(server: Server, told: list[Story]) -> None:
    found = {a["metadata"]["name"]: a["status"] for a in _objects(server, "yarnapplications")}
    ends = {name: (s["state"], s.get("finalStatus")) for name, s in found.items()}
    wanted = {story.name: story.ends for story in told if not story.deleted}
    assert {
        n: (e, found[n].get("diagnostics")) for n, e in ends.items() if e != wanted.get(n)
    } == {}
    assert ends.keys() == wanted.keys()
    for story in told:
        if story.master in (scripts.batch, scripts.fails_at_half):
            assert story.done == story.tasks, story


def _nothing_leaks(server: Server, crew: Crew) -> None:
    def living() -> list[str]:
        return [
            f"{p['metadata']['name']}: {p['status'].get('phase')}"
            for p in _objects(server, "pods", "/api/v1")
            if p["status"].get("phase") not in ("Succeeded", "Failed")
        ]

    until("no pod is left", living, lambda pods: not pods, seconds=60)

    def holding() -> Json:
        return {
            r["metadata"]["name"]: r.get("status")
            for r in _objects(server, "containerrequests")
            if any((r.get("status") or {}).get(part) for part in PARTS)
        }

    until("no request holds anything", holding, lambda found: not found, seconds=30)
    for found in _objects(server, "containerrequests"):
        status = found.get("status") or {}
        counted = status.get("succeeded", 0) + status.get("failed", 0)
        # A grant that no node took is given back: the AM hears that it was aborted, and it counts
        # as granted no more.
        aborted = sum(e["count"] for e in status.get("endings", ()) if e["exitStatus"] == -100)
        assert counted - aborted <= status.get("granted", 0), found

    def used() -> Json:
        return {
            path: status
            for path, status in queues(server).items()
            if status.get("containers") or status["applications"]["total"]
        }

    until("queues hold nothing", used, lambda found: not found, seconds=30)
    assert crew.running.keys() == crew.commands.keys()
    assert {n: p.poll() for n, p in crew.running.items() if p.poll() is not None} == {}
    _ends_when_asked(crew)


def _ends_when_asked(crew: Crew) -> None:
    done = crew.stop_all()
    ours = {n: d for n, d in done.items() if n.startswith(("resourcemanager", "scheduler"))}
    assert {n: code for n, (code, _) in ours.items() if code != 0} == {}, done
    assert {n: took for n, (_, took) in ours.items() if took > 10} == {}, done

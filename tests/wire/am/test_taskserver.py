"""Tasks speaking with their ApplicationMaster over HTTP: both sides for real."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from kubeyarn.am.errors import InvalidAskError, SettingsError, TaskReportError
from kubeyarn.am.task import Task
from kubeyarn.am.taskserver import Bounds, TaskServer

SMALL = Bounds(report_bytes=200, output_bytes=1000, total_bytes=1500, outputs=2)


@pytest.fixture
async def server(tmp_path: Path):
    async with TaskServer(tmp_path / "results", bounds=SMALL) as running:
        running.give("map-0", b"input of map-0")
        running.give("map-1", b"")
        yield running


def a_task(server: TaskServer, task_id: str = "map-0", container: str = "c1", **change) -> Task:
    environ = {**server.env(task_id, container), "CONTAINER_ID": container, **change}
    task = Task.from_env(environ)
    task._patience_s = 0.3
    return task


async def call(function, *arguments):
    return await asyncio.to_thread(function, *arguments)


async def test_a_task_reads_its_input_and_reports(server):
    task = a_task(server)

    assert await call(task.input) == b"input of map-0"
    await call(task.progress, 0.25, "a quarter")
    await call(task.fail, "no more")

    report = server.report("map-0", "c1")
    assert (report.progress, report.message, report.failure) == (0.25, "a quarter", "no more")


async def test_a_result_counts_once_its_container_was_accepted(server):
    await call(a_task(server, container="c1").put, "part", b"of c1")
    await call(a_task(server, container="c2").put, "part", b"of c2")
    other = a_task(server, "map-1")

    with pytest.raises(TaskReportError, match=r"404"):
        await call(other.fetch, "map-0", "part")
    server.accept("map-0", "c2")
    assert await call(other.fetch, "map-0", "part") == b"of c2"
    assert server.output("map-0", "part").read_bytes() == b"of c2"
    with pytest.raises(TaskReportError, match="does not run task"):
        await call(Task(server.url, server._secret, "map-0", "c1").put, "part", b"late")


async def test_a_discarded_container_is_heard_no_more_and_leaves_nothing(server, tmp_path):
    task = a_task(server)
    await call(task.put, "part", b"x" * 900)
    server.discard("map-0", "c1")

    with pytest.raises(TaskReportError, match="409"):
        await call(task.put, "part", b"again")
    assert not list((tmp_path / "results").rglob("part"))
    await call(a_task(server, container="c2").put, "part", b"x" * 900)


@pytest.mark.parametrize(
    ("size", "status"), [(1000, None), (1001, 413)], ids=["at the bound", "above it"]
)
async def test_a_result_is_bounded(server, size, status):
    task = a_task(server)
    if status is None:
        await call(task.put, "part", b"x" * size)
        assert server.missing("map-0", "c1", ("part", "more")) == ["more"]
        return
    with pytest.raises(TaskReportError, match=r"413.*1000 bytes"):
        await call(task.put, "part", b"x" * size)
    assert server.missing("map-0", "c1", ("part",)) == ["part"]


async def test_all_results_together_are_bounded_and_replacing_one_is_counted_once(server):
    first, second = a_task(server), a_task(server, "map-1")
    await call(first.put, "part", b"x" * 700)
    await call(first.put, "part", b"x" * 700)
    await call(second.put, "part", b"x" * 800)

    with pytest.raises(TaskReportError, match="1500 bytes"):
        await call(second.put, "more", b"x")


async def test_the_number_of_results_is_bounded(server):
    task = a_task(server)
    for name in ("a", "b", "b"):
        await call(task.put, name, b"")

    with pytest.raises(TaskReportError, match="more than 2 results"):
        await call(task.put, "c", b"")


@pytest.mark.parametrize("name", ["..", "../x", ".hidden", "a/b", "", "ü", "x" * 129])
async def test_a_result_cannot_be_named_out_of_its_directory(server, tmp_path, name):
    with pytest.raises(TaskReportError, match=r"40[04]"):
        await call(a_task(server).put, name, b"x")
    assert not [p for p in (tmp_path / "results").rglob("*") if p.is_file()]


async def test_another_secret_is_refused(server):
    with pytest.raises(TaskReportError, match=r"401.*secret"):
        await call(a_task(server, KUBEYARN_TASK_SECRET="guess").input)


async def test_a_task_that_is_not_known_is_refused(server):
    with pytest.raises(TaskReportError, match=r"404.*map-9"):
        await call(Task(server.url, server._secret, "map-9", "c1").input)


@pytest.mark.parametrize("fraction", [-0.1, 1.1, float("nan"), "half"])
async def test_progress_that_is_no_fraction_is_refused(server, fraction):
    with pytest.raises(TaskReportError, match="400"):
        await call(a_task(server).progress, fraction)


async def test_a_report_that_is_too_long_is_refused(server):
    with pytest.raises(TaskReportError, match="longer than 200 bytes"):
        await call(a_task(server).progress, 0.5, "x" * 500)


@pytest.mark.parametrize("task_id", ["", "../x", "a b"])
async def test_a_task_id_that_is_no_name_is_refused(server, task_id):
    with pytest.raises(InvalidAskError):
        server.give(task_id, b"")


async def test_a_task_id_is_given_once(server):
    with pytest.raises(InvalidAskError, match="known already"):
        server.give("map-0", b"")


async def test_people_can_watch_without_the_secret_but_read_nothing(server):
    import aiohttp

    await call(a_task(server).progress, 0.5)
    server.accept("map-0", "c1")
    async with aiohttp.ClientSession() as session:
        async with session.get(server.url) as answer:
            body = await answer.json()
        async with session.get(f"{server.url}/task/v1/input/map-0") as answer:
            assert answer.status == 401
    assert body["tasks"]["map-0"] == {"progress": 0.5, "container": "c1", "done": True}


async def test_a_task_waits_for_its_applicationmaster_and_then_gives_up(tmp_path):
    async with TaskServer(tmp_path) as server:
        server.give("map-0", b"")
        task = a_task(server)
    with pytest.raises(TaskReportError, match=r"did not answer for 0\.3 s"):
        await call(task.input)


def test_outside_a_container_a_task_says_what_is_missing():
    with pytest.raises(SettingsError, match=r"KUBEYARN_TASK_SECRET, .*CONTAINER_ID not set"):
        Task.from_env({"KUBEYARN_TASK_SERVER": "http://x"})

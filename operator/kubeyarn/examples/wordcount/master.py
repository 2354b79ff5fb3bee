"""The word count's ApplicationMaster: maps, then reduces, then the sum of it all.

1. The input is cut into splits, one for each map.
2. Maps run in containers; each hands back its counts, cut by word into one part for each reduce.
3. Reduces run in containers; each fetches its part of every map and hands back the sums.
4. The sums, which have no word in common, are put together here.

Results lie on this process's disk and count only if the container that sent them ended well, so
a map or reduce that is killed and run again changes nothing in the result. If this process is
killed, its next attempt begins again.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from kubeyarn.am.errors import AmError, InvalidAskError, InvalidRequestError, TasksFailedError
from kubeyarn.am.master import ApplicationMaster
from kubeyarn.am.runner import TaskRunner
from kubeyarn.am.taskbook import Retry, TaskBook, TaskOutcome
from kubeyarn.am.taskserver import TaskServer
from kubeyarn.am.wire import FAILED, SUCCEEDED, AskKey, AskShape, Container, Launch
from kubeyarn.examples.wordcount import splits, words
from kubeyarn.examples.wordcount.options import WordCountOptions
from kubeyarn.examples.wordcount.result import announce
from kubeyarn.examples.wordcount.worker import COUNTS, part_name

log = logging.getLogger("wordcount")

# Reduces are served after maps; each kind has its own key, so that their sizes may differ.
MAP_KEY = AskKey(priority=20, allocation_request_id=1)
REDUCE_KEY = AskKey(priority=10, allocation_request_id=2)
# How much of the whole the maps are taken to be, for the progress shown.
MAPS_SHARE = 0.8


class Phase:
    """One kind of task: its book, and the results each task owes."""

    def __init__(
        self, server: TaskServer, kind: str, works: Sequence[bytes], owed: tuple[str, ...]
    ) -> None:
        self.kind = kind
        self.ids = [f"{kind}-{number:05d}" for number in range(len(works))]
        self._server = server
        self._owed = owed
        for task_id, work in zip(self.ids, works, strict=True):
            server.give(task_id, work)

    def book(self, attempts: int) -> TaskBook:
        """A book of these tasks, each of which may end badly *attempts* times, less one."""
        return TaskBook(self.ids, Retry(failures=attempts))

    def launch(self, task_id: str, container: Container) -> Launch:
        """How one of these tasks is started."""
        return Launch(
            container.id,
            command=[sys.executable, "-m", "kubeyarn.examples.wordcount", self.kind],
            env=self._server.env(task_id, container.id),
        )

    def check(self, task_id: str, container: Container) -> str:
        """What is wrong with a task that says it ended well."""
        missing = self._server.missing(task_id, container.id, self._owed)
        return f"results {', '.join(missing)} did not come" if missing else ""

    def on_end(self, task_id: str, container: Container, outcome: TaskOutcome) -> None:
        """Keep or forget what a container sent."""
        if outcome is TaskOutcome.DONE:
            self._server.accept(task_id, container.id)
            return
        if failure := self._server.report(task_id, container.id).failure:
            log.warning("%s in %s said: %s", task_id, container.id, failure)
        self._server.discard(task_id, container.id)

    def outputs(self, name: str) -> list[bytes]:
        """The result *name* of each task."""
        paths = [self._server.output(task_id, name) for task_id in self.ids]
        return [path.read_bytes() for path in paths if path is not None]


async def run(options: WordCountOptions) -> int:
    """Run the word count as this application's ApplicationMaster; returns the exit status.

    Raises:
        AmError: the conversation with the ResourceManager ended before the application did.
    """
    address = os.environ.get("POD_IP", "127.0.0.1")
    with tempfile.TemporaryDirectory(prefix="wordcount-", dir=_local_dir()) as work_dir:
        async with (
            TaskServer(Path(work_dir), address=address) as server,
            ApplicationMaster.from_env(tracking_url=server.url) as am,
        ):
            log.info("registered as %s in %s", am.registration.attempt_id, am.registration.queue)
            try:
                outcome = await _count(options, server, am)
            except (TasksFailedError, splits.InputError, InvalidAskError, InvalidRequestError) as e:
                # Another attempt would fare no better: the application has failed.
                log.critical("failed: %s", e)
                await am.unregister(FAILED, str(e))
                return 1
            await am.unregister(SUCCEEDED, outcome)
            log.info("unregistered with %s: %s", SUCCEEDED, outcome)
    return 0


async def _count(options: WordCountOptions, server: TaskServer, am: ApplicationMaster) -> str:
    began = time.monotonic()
    files = splits.find(options.inputs) if options.inputs else splits.standard_library()
    groups = splits.group(files, options.maps)
    log.info("%d files in %d splits", len(files), len(groups))
    maps = Phase(server, "map", *_map_works(options, groups))
    map_shape = AskShape(MAP_KEY, options.map_resources)
    retries = await _run(am, server, maps, map_shape, options.attempts)
    reduces = Phase(server, "reduce", _reduce_works(options, maps.ids), (COUNTS,))
    reduce_shape = AskShape(REDUCE_KEY, options.reduce_resources)
    retries += await _run(am, server, reduces, reduce_shape, options.attempts)
    # Beside the event loop, where the heartbeat runs: an AM that is busy for minutes must not fall
    # silent.
    summary = await asyncio.to_thread(lambda: words.summarize(reduces.outputs(COUNTS)))
    extra = {
        "maps": len(groups),
        "reduces": options.reduces,
        "retries": retries,
        "registrations": am.registrations,
        "seconds": round(time.monotonic() - began, 3),
    }
    announce(files, summary, options.result, extra)
    return f"{summary.words} words, {summary.distinct} distinct"


async def _run(
    am: ApplicationMaster, server: TaskServer, phase: Phase, shape: AskShape, attempts: int
) -> int:
    book = phase.book(attempts)
    runner = TaskRunner(am, book, shape, phase.launch, check=phase.check, on_end=phase.on_end)
    log.info("asking for %d %s containers", book.total, phase.kind)
    async with _progress(am, server, phase, book):
        await runner.run()
    log.info("all %d %s tasks are done", book.total, phase.kind)
    return book.retries


@contextlib.asynccontextmanager
async def _progress(
    am: ApplicationMaster, server: TaskServer, phase: Phase, book: TaskBook
) -> AsyncIterator[None]:
    """Keep the application's progress up to date while a phase runs."""
    start, share = (0.0, MAPS_SHARE) if phase.kind == "map" else (MAPS_SHARE, 1 - MAPS_SHARE)

    async def tell() -> None:
        while True:
            under_way = sum(
                server.report(task_id, container_id).progress
                for container_id, task_id in book.running.items()
            )
            # Rounded: 0.8 * 3 / 3 is a little more than the 0.8 that the next phase begins with.
            am.set_progress(round(start + share * (len(book.done) + under_way) / book.total, 6))
            await asyncio.sleep(0.5)

    reporting = asyncio.create_task(tell())
    try:
        yield
    finally:
        reporting.cancel()
    am.set_progress(round(start + share, 6))


def _map_works(
    options: WordCountOptions, groups: Sequence[Sequence[splits.File]]
) -> tuple[list[bytes], tuple[str, ...]]:
    """Each map's input, and the names of the results it owes."""
    works = []
    for group in groups:
        # Every container has the image's standard library; other input only we have.
        shipped = b"\n".join(splits.read(file) for file in group) if options.inputs else b""
        header = {
            "files": [] if options.inputs else [[file.path, file.size] for file in group],
            "partitions": options.reduces,
            "delay": options.map_delay,
        }
        works.append(json.dumps(header).encode() + b"\n" + shipped)
    return works, tuple(part_name(number) for number in range(options.reduces))


def _reduce_works(options: WordCountOptions, map_ids: Sequence[str]) -> list[bytes]:
    return [
        json.dumps(
            {"maps": list(map_ids), "partition": number, "delay": options.reduce_delay}
        ).encode()
        + b"\n"
        for number in range(options.reduces)
    ]


def _local_dir() -> str | None:
    """YARN's first local directory, if the container has one."""
    first = os.environ.get("LOCAL_DIRS", "").split(",")[0]
    return first if first and os.access(first, os.W_OK) else None


def main(options: WordCountOptions) -> int:
    """Run to the end; an error that ends the attempt is one line in the log."""
    try:
        return asyncio.run(run(options))
    except AmError as error:
        log.critical("%s: %s", type(error).__name__, error)
        return 1

"""What runs inside a container: one map, or one reduce.

A map's input is a line of JSON, then perhaps the text itself: `files` are read from the
container's image, unless the ApplicationMaster ships their text because the image lacks them.
"""

from __future__ import annotations

import json
import time
from collections import Counter
from typing import Any

from kubeyarn.am.task import Task
from kubeyarn.examples.wordcount import splits, words

COUNTS = "counts"


def part_name(partition: int) -> str:
    """The name of a map's result for one partition."""
    return f"part-{partition:05d}"


def run(task: Task, kind: str) -> None:
    """Run the *kind* ("map" or "reduce") of task that this container was started for."""
    header, _, text = task.input().partition(b"\n")
    work = json.loads(header)
    _delay(task, float(work.get("delay", 0)))
    if kind == "map":
        _map(task, work, text)
    else:
        _reduce(task, work)


def _delay(task: Task, seconds: float) -> None:
    """Take longer on purpose, so that there is something to watch and to kill."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        task.progress(0.5 * (1 - left / seconds), "waiting as it was asked to")
        time.sleep(min(left, 0.5))


def _map(task: Task, work: dict[str, Any], text: bytes) -> None:
    counts = words.count(text)
    files = [splits.File(path, size) for path, size in work["files"]]
    for done, file in enumerate(files):
        counts.update(words.count(splits.read(file)))
        if done % 50 == 0:
            task.progress(0.5 + 0.5 * done / len(files), file.path)
    for number, part in enumerate(words.split(counts, work["partitions"])):
        task.put(part_name(number), words.encode(part))
    task.progress(1.0, f"{counts.total()} words")


def _reduce(task: Task, work: dict[str, Any]) -> None:
    counts: Counter[str] = Counter()
    for done, map_id in enumerate(work["maps"]):
        counts.update(words.add([task.fetch(map_id, part_name(work["partition"]))]))
        task.progress(0.5 + 0.5 * done / len(work["maps"]), f"fetched {map_id}")
    task.put(COUNTS, words.encode(counts))
    task.progress(1.0, f"{len(counts)} words")

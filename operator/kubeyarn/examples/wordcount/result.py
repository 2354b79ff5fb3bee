"""How the result is told: the ten most frequent words for people, one line of JSON for programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from kubeyarn.examples.wordcount import splits, words

MARK = "WORDCOUNT RESULT "


def announce(
    files: Sequence[splits.File],
    summary: words.Summary,
    copy: str,
    extra: Mapping[str, object],
) -> None:
    """Print the result; write its JSON to the file *copy* as well, unless empty.

    What stands beside "run" depends on the input alone; "run" says how it was counted.
    """
    print("The most frequent words:", flush=True)
    for word, number in summary.top:
        print(f"{number:>12}  {word}")
    result = {
        "files": len(files),
        "bytes": sum(file.size for file in files),
        **summary.to_json(),
        "run": dict(extra),
    }
    line = json.dumps(result, ensure_ascii=True, sort_keys=True)
    print(f"{MARK}{line}", flush=True)
    if copy:
        Path(copy).write_text(line + "\n", encoding="ascii")


def count_locally(inputs: Sequence[str], copy: str) -> None:
    """Count in this process, one file after the other: what the containers must agree with."""
    files = splits.find(inputs) if inputs else splits.standard_library()
    counts: Counter[str] = Counter()
    for file in files:
        counts.update(words.count(splits.read(file)))
    announce(files, words.summarize([words.encode(counts)]), copy, {"local": True})

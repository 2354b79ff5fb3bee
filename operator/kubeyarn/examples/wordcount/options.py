"""The word count's command line."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WordCountOptions:
    """What to count and in how many containers of which size; delays in seconds."""

    local: bool
    inputs: tuple[str, ...]
    maps: int
    reduces: int
    map_resources: dict[str, str]
    reduce_resources: dict[str, str]
    map_delay: float
    reduce_delay: float
    attempts: int
    result: str


def parse(argv: Sequence[str]) -> WordCountOptions:
    """Read the command line; exits with 2 when it is wrong."""
    arguments = _parser().parse_args(argv)
    return WordCountOptions(
        local=arguments.local,
        inputs=tuple(arguments.input),
        maps=arguments.maps,
        reduces=arguments.reduces,
        map_resources={"cpu": arguments.map_cpu, "memory": arguments.map_memory},
        reduce_resources={"cpu": arguments.reduce_cpu, "memory": arguments.reduce_memory},
        map_delay=arguments.map_delay,
        reduce_delay=arguments.reduce_delay,
        attempts=arguments.max_attempts,
        result=arguments.result,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kubeyarn.examples.wordcount",
        description="Counts words in containers of a YARN application; run it as the "
        "ApplicationMaster of a YarnApplication, or with --local in one process.",
    )
    add = parser.add_argument
    add("--local", action="store_true", help="count in this process, without YARN")
    add(
        "--input",
        action="append",
        default=[],
        metavar="PATH",
        help="a file or directory that the ApplicationMaster sees; may be given more than once "
        "(default: all .py sources of the Python standard library in the image)",
    )
    add("--maps", type=_positive, default=8, metavar="N", help="map containers (default 8)")
    add("--reduces", type=_positive, default=2, metavar="N", help="reduce containers (default 2)")
    add("--map-cpu", default="1", metavar="QUANTITY", help="of each map (default 1)")
    add("--map-memory", default="512Mi", metavar="QUANTITY", help="of each map (default 512Mi)")
    add("--reduce-cpu", default="1", metavar="QUANTITY", help="of each reduce (default 1)")
    add("--reduce-memory", default="512Mi", metavar="QUANTITY", help="of each reduce (512Mi)")
    add(
        "--map-delay",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="let each map wait before it counts, to have something to watch (default 0)",
    )
    add("--reduce-delay", type=_seconds, default=0.0, metavar="SECONDS", help="likewise")
    add(
        "--max-attempts",
        type=_positive,
        default=4,
        metavar="N",
        help="how often a map or reduce may end badly, less one (default 4)",
    )
    add("--result", default="", metavar="FILE", help="write the result's JSON there as well")
    return parser


def _positive(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number, 1 to 100000")
    return int(text)


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 86_400:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected seconds, 0 to 86400")
    return value

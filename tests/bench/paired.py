"""Whether one source tree decides as fast as another: `kubeyarn bench policy` of both by turns.

    python tests/bench/paired.py OLD NEW

OLD and NEW are checkouts (`git worktree add /tmp/old v0.4`). It prints a row for each shape of
docs/performance.md, as Markdown.

A machine that does other work, too, slows caches and cores down for seconds or minutes. So the
two trees are measured one right after the other, each in a process of its own, in the one order
and then in the other. What counts is how each pair's two figures compare; the median of the pairs
leaves out those that were disturbed between the two. Figures of single trees are medians, too.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

_FIRST = "2,000 nodes, 100 queues, 500 applications of 200 containers"


class Shape(NamedTuple):
    """What `kubeyarn bench policy` is told; *containers* are those of each application."""

    name: str
    containers: int
    options: str = "--no-others"


SHAPES = (
    Shape(_FIRST, 200, "--others"),
    Shape("200 nodes, 60 applications", 200, "--no-others --nodes 200 --apps 60"),
    Shape("5,000 nodes", 200, "--no-others --nodes 5000"),
    Shape("10 queues, 1,000 applications", 100, "--no-others --queues 10 --parents 2 --apps 1000"),
    Shape("1,000 queues, 1,000 applications", 100, "--no-others --queues 1000 --apps 1000"),
    Shape("Fair Scheduler, `fair`", 200, "--scheduler fair"),
    Shape("Fair Scheduler, `drf`", 200, "--scheduler fair --policy drf"),
)


class Figures(NamedTuple):
    """What a tree came to on a shape in one run."""

    grants_per_second: float
    cycle_ms: float
    idle_ms: float
    memory_mb: float


class Pair(NamedTuple):
    """Both trees on a shape, one right after the other."""

    old: Figures
    new: Figures

    @property
    def ratio(self) -> float:
        """How many grants the new tree makes while the old makes one."""
        return self.new.grants_per_second / self.old.grants_per_second


def measured(tree: Path, shape: Shape, fewer: int) -> dict[str, Figures]:
    """The shape in a process of its own, by its name; and its harder variants, by theirs."""
    containers = max(1, shape.containers // fewer)
    command = [sys.executable, "-m", "kubeyarn", "bench", "policy", "--json"]
    command += [f"--containers={containers}", *shape.options.split()]
    source = tree / "operator"
    done = subprocess.run(
        command,
        cwd=source,
        env={**os.environ, "PYTHONPATH": str(source)},
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    said = json.loads(done.stdout)
    others = said.get("others", {})
    return {shape.name: _figures(said), **{name: _figures(one) for name, one in others.items()}}


def _figures(said: dict[str, Any]) -> Figures:
    return Figures(
        said["grants_per_second"],
        said["cycle_ms"]["p50"],
        said["idle_cycle_ms"],
        said["peak_rss_mb"],
    )


def row(name: str, pairs: list[Pair]) -> str:
    """The medians of a shape: the new tree's figures, the old's in parentheses."""
    old, new = (
        Figures(*map(median, zip(*column, strict=True))) for column in zip(*pairs, strict=True)
    )
    ratios = sorted(pair.ratio for pair in pairs)
    cells = (
        name,
        f"{new.grants_per_second:,.0f} ({old.grants_per_second:,.0f})",
        f"{median(ratios):.3f} ({ratios[0]:.2f} to {ratios[-1]:.2f})",
        f"{new.cycle_ms:.1f} ({old.cycle_ms:.1f}) ms",
        f"{new.idle_ms:.4f} ({old.idle_ms:.4f}) ms",
        f"{new.memory_mb:.0f} ({old.memory_mb:.0f}) MB",
    )
    return f"| {' | '.join(cells)} |"


def main() -> None:
    """Measure by turns, and print a table of the pairs."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("old", type=Path)
    options.add_argument("new", type=Path)
    options.add_argument("--pairs", type=int, default=5)
    options.add_argument(
        "--fewer", type=int, default=1, help="ask for this many times fewer containers"
    )
    given = options.parse_args()
    pairs: dict[str, list[Pair]] = {}
    for number in range(given.pairs):
        for shape in SHAPES:
            trees = [given.old.resolve(), given.new.resolve()]
            if number % 2:
                new, old = (measured(tree, shape, given.fewer) for tree in reversed(trees))
            else:
                old, new = (measured(tree, shape, given.fewer) for tree in trees)
            for name in new:
                pairs.setdefault(name, []).append(Pair(old[name], new[name]))
        print(f"{number + 1} of {given.pairs} pairs", file=sys.stderr)
    print("| Shape | Grants a second | New / old | Cycle of 500 | Idle cycle | Memory |")
    print("|---|---|---|---|---|---|")
    for name, found in pairs.items():
        print(row(name, found))


if __name__ == "__main__":
    main()

"""KubeYARN's schedulers on the shapes that Hadoop is measured on."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.schedulers.api import Grant
from kubeyarn.simulate.capacity_shape import CapacityShape
from kubeyarn.simulate.fair_shape import FairShape

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bench.hadoop.peer import Request
    from kubeyarn.schedulers.api import Decision, ResourceScheduler


def measured(request: Request) -> dict[str, float]:
    """What `kubeyarn bench policy` prints of the shape, in a process of its own."""
    command = [
        *("bench", "policy", "--no-others", "--json"),
        *("--scheduler", request.scheduler, "--policy", request.policy),
        *("--nodes", request.nodes, "--slots", request.slots),
        *("--queues", request.queues, "--parents", request.parents),
        *("--apps", request.applications, "--containers", request.containers),
    ]
    program = str(Path(sys.executable).with_name("kubeyarn"))
    done = subprocess.run([program, *map(str, command)], check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def granted(request: Request) -> tuple[Counter[str], Counter[str]]:
    """Containers by path of leaf when half was granted, and when all was."""
    scheduler = _asked(request)
    half = _by_leaf(request, scheduler.cycle(1, request.applications * request.containers // 2))
    rest = _by_leaf(request, scheduler.cycle(1, request.applications * request.containers))
    return half, half + rest


def _asked(request: Request) -> ResourceScheduler:
    size = (request.nodes, request.slots, request.queues, request.parents)
    load = (request.applications, request.containers)
    if request.scheduler == "fair":
        fair = FairShape(*size, *load, policy=FairPolicy(request.policy.capitalize()))
        made = fair.scheduler()
        fair.ask(made)
        return made
    capacity = CapacityShape(*size, *load)
    scheduler = capacity.scheduler()
    capacity.ask(scheduler)
    return scheduler


def _by_leaf(request: Request, decisions: Sequence[Decision]) -> Counter[str]:
    grants = [one.container for one in decisions if isinstance(one, Grant)]
    numbers = [grant.id.attempt.application.number - 1 for grant in grants]
    return Counter(_leaf(request, number % request.queues) for number in numbers)


def _leaf(request: Request, queue: int) -> str:
    """The path of a leaf as the shapes name it."""
    if request.scheduler == "fair":
        return f"root.p{queue % request.parents}.q{queue}"
    leaves = request.queues // request.parents
    return f"root.p{queue // leaves}.q{queue % leaves}"

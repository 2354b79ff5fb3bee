"""Scenarios with something odd in them: an answer, or an error in words, in a bounded time.

Recorded stories are changed at random: values of the wrong kind, missing and unknown keys, numbers
that are none, odd characters. `KUBEYARN_FUZZ_EXAMPLES` sets how many are run.
"""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from random import Random

import pytest
import yaml

from kubeyarn.model.errors import SpecError
from kubeyarn.simulate.run import run_scenario

EXAMPLES = int(os.environ.get("KUBEYARN_FUZZ_EXAMPLES", "300"))
BATCHES = 10
STORIES = sorted((Path(__file__).parents[2] / "conformance").rglob("*.yaml"))
SMALL = [story for story in STORIES if "random" not in story.stem and "hog" not in story.stem]

ODD: tuple[object, ...] = (
    *(None, True, False, "", " ", "x", 0, 1, -1, 0.5),
    *(2**31, 2**40, 2**63, -(2**63) - 1, 10**400, 16**5000, 1e308),
    *(float("nan"), float("inf"), float("-inf")),
    *([], {}, ["a"], {"a": 1}, b"\xff"),
    *("NaN", "Infinity", "-Infinity", "-5", "1e400", "0x10", "${x}", "${env.X-1}"),
    *("\x00", "\ud800", "\u202e", "é", "root", "root.", "root..a", ".", "*", "a,b", "a" * 5000),
    *("[memory=NaN]", "[memory=-1,vcores=1]", "[memory=50%,vcores=1w]", "[memory=]"),
    *("NaNw", "0w", "-1w", "2w", "%", "9" * 400),
)
OF_A_QUEUE = (
    *("capacity", "maximum-capacity", "user-limit-factor", "minimum-user-limit-percent"),
    *("maximum-am-resource-percent", "maximum-applications", "max-parallel-apps", "priority"),
    *("ordering-policy", "state", "maximum-allocation-mb", "accessible-node-labels"),
    *("default-node-label-expression", "user-settings.u1.weight", "maximum-application-lifetime"),
)
OF_ALL = (
    "yarn.cluster.max-application-priority",
    "yarn.resource-types",
    "yarn.resource-types.memory-mb.minimum-allocation",
    "yarn.resourcemanager.monitor.capacity.preemption.max_wait_before_kill",
    "yarn.resourcemanager.monitor.capacity.preemption.natural_termination_factor",
    "yarn.resourcemanager.monitor.capacity.preemption.total_preemption_per_round",
    "yarn.scheduler.capacity.legacy-queue-mode.enabled",
    "yarn.scheduler.capacity.maximum-applications",
    "yarn.scheduler.capacity.node-locality-delay",
    "yarn.scheduler.capacity.per-node-heartbeat.maximum-container-assignments",
    "yarn.scheduler.fair.locality.threshold.node",
    "yarn.scheduler.fair.max.assign",
    "yarn.scheduler.fair.reservable-nodes",
    "yarn.scheduler.increment-allocation-mb",
    "yarn.scheduler.maximum-allocation-mb",
    "yarn.scheduler.minimum-allocation-mb",
    "yarn.scheduler.minimum-allocation-vcores",
    "yarn.scheduler.reservation-threshold.increment-multiple",
)

Place = tuple[object, ...]


def places(data: object, at: Place = ()) -> list[Place]:
    entries: list[tuple[object, object]] = []
    if isinstance(data, dict):
        entries = list(data.items())
    elif isinstance(data, list):
        entries = list(enumerate(data))
    found: list[Place] = []
    for key, value in entries:
        found += [(*at, key), *places(value, (*at, key))]
    return found


def inside(data: object, at: Place) -> object:
    for key in at:
        data = data[key]  # type: ignore[index]
    return data


def change(data: dict[object, object], chance: Random) -> None:
    """One change, somewhere."""
    at = chance.choice(places(data) or [("name",)])
    around = inside(data, at[:-1])
    assert isinstance(around, dict | list)
    odd = copy.deepcopy(chance.choice(ODD))
    kind = chance.randrange(6)
    config = data.get("config")
    if kind == 0 and isinstance(config, dict) and config:
        queue = str(chance.choice(list(config))).rpartition(".")[0]
        of_a_queue = f"{queue}.{chance.choice(OF_A_QUEUE)}"
        config[chance.choice([of_a_queue, chance.choice(OF_ALL), *config])] = odd
    elif kind == 1 and isinstance(around, list):
        around.insert(chance.randrange(len(around) + 1), odd)
    elif kind == 1:
        around[chance.choice(["memory", "count", "labels", "app", 1, None, "queue"])] = odd
    elif kind == 2:
        del around[at[-1]]  # type: ignore[arg-type]
    elif kind == 3:
        around[at[-1]] = copy.deepcopy(inside(data, chance.choice(places(data))))  # type: ignore[index]
    else:
        around[at[-1]] = odd  # type: ignore[index]


@pytest.mark.parametrize("batch", range(BATCHES))
def test_whatever_a_scenario_says_is_answered_or_refused_in_words(batch: int) -> None:
    for number in range(EXAMPLES // BATCHES):
        chance = Random(batch * 1_000_000 + number)
        story = chance.choice(SMALL)
        data = yaml.load(story.read_text(), Loader=yaml.CSafeLoader)
        for _ in range(chance.randint(1, 3)):
            change(data, chance)
        json.dumps(answered(data), allow_nan=False)


def answered(data: object) -> object:
    """The answer to a scenario, or the words in which it is refused."""
    try:
        return run_scenario(data).answer
    except SpecError as error:
        return str(error)

"""Hadoop's answers are those of its configuration written as YarnQueues, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from conformance.comparing import differences
from kubeyarn.convert.conversion import convert, through_yarn_queues
from kubeyarn.hadoop.capacity_scheduler_xml import read_capacity_scheduler
from kubeyarn.simulate.run import run_scenario
from kubeyarn.simulate.scenario import DEFAULTS, read_scenario

HERE = Path(__file__).parent
SCENARIOS = sorted(HERE.glob("*/scenarios/*.yaml"))
SAID_IN_PART = {
    "capacity-partitions-absolute": (
        "found amounts; a YarnQueue says percentages or weights of a partition"
    ),
}


@pytest.mark.parametrize(
    "path",
    [path for path in SCENARIOS if path.stem not in SAID_IN_PART],
    ids=lambda path: path.stem,
)
def test_yarn_queues_end_a_story_as_the_file_does(path: Path) -> None:
    scenario = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    recorded = json.loads(path.with_name(f"{path.stem}.golden.json").read_text())

    answer = run_scenario(scenario, rewrite=through_yarn_queues).answer

    assert differences(recorded, answer) == []


@pytest.mark.parametrize("name", SAID_IN_PART)
def test_what_cannot_be_said_is_told(name: str) -> None:
    path = next(path for path in SCENARIOS if path.stem == name)
    scenario = read_scenario(yaml.load(path.read_text(), Loader=yaml.CSafeLoader))
    config, _ = read_capacity_scheduler({**DEFAULTS, **scenario.config}, scenario.partitions)

    assert SAID_IN_PART[name] in {note.message for note in convert(config).notes}

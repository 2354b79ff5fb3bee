"""Hadoop's answers are those of its configuration written as YarnQueues, too."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from conformance.comparing import differences
from kubeyarn.convert.conversion import through_yarn_queues
from kubeyarn.simulate.run import run_scenario

HERE = Path(__file__).parent
SCENARIOS = sorted(HERE.glob("*/scenarios/*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_yarn_queues_end_a_story_as_the_file_does(path: Path) -> None:
    scenario = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    recorded = json.loads(path.with_name(f"{path.stem}.golden.json").read_text())

    answer = run_scenario(scenario, rewrite=through_yarn_queues).answer

    assert differences(recorded, answer) == []

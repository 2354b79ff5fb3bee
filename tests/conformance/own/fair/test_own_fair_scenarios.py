"""Edges of Apache Hadoop's FairScheduler, recorded from Apache Hadoop 3.4.3 itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from conformance.comparing import differences
from kubeyarn.simulate.run import run_scenario

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_story_ends_as_it_did_in_hadoop(path: Path) -> None:
    answer = run_scenario(yaml.load(path.read_text(), Loader=yaml.CSafeLoader)).answer

    recorded = json.loads(path.with_name(f"{path.stem}.golden.json").read_text())

    if "configError" in recorded:
        assert answer.keys() == {"name", "configError"}
    else:
        assert differences(recorded, answer) == []


def test_there_are_stories() -> None:
    assert len(SCENARIOS) >= 20

"""What Apache Hadoop's CapacityScheduler did is what KubeYARN does, in every recorded field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from conformance.comparing import differences
from kubeyarn.simulate.run import run_scenario

HERE = Path(__file__).parent
SCENARIOS = sorted(HERE.glob("*/*.yaml"))


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_story_ends_as_it_did_in_hadoop(path: Path) -> None:
    scenario = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    recorded = json.loads(path.with_name(f"{path.stem}.golden.json").read_text())

    answer = run_scenario(scenario).answer

    if "configError" in recorded:
        assert answer.keys() == {"name", "configError"}
    else:
        assert differences(recorded, answer) == []


def test_all_recorded_stories_are_told() -> None:
    assert len(list((HERE / "scenarios").glob("*.yaml"))) == 238
    assert len(list((HERE / "configurations").glob("*.yaml"))) == 30


def test_a_wrong_number_is_found() -> None:
    recorded = {"queues": {"root.a": {"usedMemory": 1024, "share": 0.5}}, "preempted": []}

    assert differences(recorded, recorded) == []
    answer = {
        "queues": {"root.a": {"usedMemory": 2048, "share": 0.5}},
        "preempted": [{}],
        "more": 1,
    }
    assert differences(recorded, answer) == [
        "/more: 1 is too much",
        "/preempted: [] was recorded, [{}] was told",
        "/queues/root.a/usedMemory: 1024 was recorded, 2048 was told",
    ]

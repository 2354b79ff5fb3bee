"""What Apache Hadoop's FairScheduler did is what KubeYARN does, in every field it recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from kubeyarn.simulate.run import run_scenario

HERE = Path(__file__).parent
SCENARIOS = sorted(HERE.glob("*/*.yaml"))
TOLERANCE = 1e-4


def differences(want: object, got: object, where: str = "") -> list[str]:
    """Every recorded value that is missing or another; free text is not compared."""
    if isinstance(want, dict):
        if not isinstance(got, dict):
            return [f"{where}: want {want!r}, got {got!r}"]
        return [
            line
            for key in sorted(want.keys() | got.keys())
            if key != "message"
            for line in _field(want, got, key, where)
        ]
    if isinstance(want, list):
        if not isinstance(got, list) or len(want) != len(got):
            return [f"{where}: want {want!r}, got {got!r}"]
        pairs = enumerate(zip(want, got, strict=True))
        return [line for i, (w, g) in pairs for line in differences(w, g, f"{where}[{i}]")]
    return [] if _same(want, got) else [f"{where}: want {want!r}, got {got!r}"]


def _field(want: dict[str, object], got: dict[str, object], key: str, where: str) -> list[str]:
    path = f"{where}.{key}"
    if key not in want:
        # What Hadoop leaves out may be said, if it is nothing.
        return [] if got[key] in (0, {}) else [f"{path}: want nothing, got {got[key]!r}"]
    if key not in got:
        return [f"{path}: want {want[key]!r}, got nothing"]
    return differences(want[key], got[key], path)


def _same(want: object, got: object) -> bool:
    if isinstance(want, float) and isinstance(got, int | float):
        return abs(want - got) <= TOLERANCE
    return want == got and isinstance(want, bool) == isinstance(got, bool)


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_the_story_ends_as_it_did_in_hadoop(path: Path) -> None:
    scenario = yaml.load(path.read_text(), Loader=yaml.CSafeLoader)
    recorded = json.loads(path.with_name(f"{path.stem}.golden.json").read_text())

    answer = run_scenario(scenario).answer

    if "configError" in recorded:
        assert answer.keys() == {"name", "configError"}
        return
    assert differences(recorded, answer) == []


def test_all_recorded_stories_are_told() -> None:
    assert len(list((HERE / "scenarios").glob("*.yaml"))) == 146
    assert len(list((HERE / "configurations").glob("*.yaml"))) == 13


def test_a_difference_is_found() -> None:
    recorded = {"queues": {"root": {"usedMemory": 1024, "share": 0.5}}, "errors": []}

    assert differences(recorded, recorded) == []
    assert differences(recorded, {"queues": {"root": {"usedMemory": 1025}}, "errors": []}) == [
        ".queues.root.share: want 0.5, got nothing",
        ".queues.root.usedMemory: want 1024, got 1025",
    ]
    assert differences({"a": 1}, {"a": 1, "b": 2}) == [".b: want nothing, got 2"]

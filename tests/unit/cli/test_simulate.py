"""`kubeyarn simulate`: files in, JSON out."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from click.testing import CliRunner

from kubeyarn.cli.simulate import simulate
from unit.simulate.test_run import SCENARIO


def written(folder: Path, name: str = "small", data: object = SCENARIO) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(data), encoding="utf-8")
    return path


def test_one_scenario_is_printed_as_json(tmp_path: Path) -> None:
    result = CliRunner().invoke(simulate, [str(written(tmp_path))])

    assert result.exit_code == 0
    assert json.loads(result.stdout)["name"] == "small"


def test_the_trace_does_not_disturb_the_json(tmp_path: Path) -> None:
    picture = tmp_path / "use.svg"
    command = [str(written(tmp_path)), "--trace", "--plot", str(picture)]
    result = CliRunner().invoke(simulate, command)

    assert json.loads(result.stdout)["name"] == "small"
    assert "one gets" in result.stderr
    assert picture.read_text(encoding="utf-8").startswith("<svg")


def test_a_folder_is_run_whole_even_if_one_cannot_be_read(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    written(source, "good")
    written(source, "bad", ["no scenario"])
    result = CliRunner().invoke(simulate, ["--dir", str(source), str(target)])

    assert result.exit_code == 1
    assert "bad.yaml" in result.stderr
    assert [path.name for path in target.iterdir()] == ["good.json"]


def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    assert CliRunner().invoke(simulate, []).exit_code == 2
    both = CliRunner().invoke(simulate, ["--dir", str(tmp_path), str(tmp_path), "--trace"])
    assert both.exit_code == 2

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


def nested_queues(levels: int) -> dict[str, object]:
    """A configuration of one queue in another, and so on."""
    config: dict[str, object] = {}
    path = "root"
    for _ in range(levels):
        config[f"yarn.scheduler.capacity.{path}.queues"] = "q"
        path += ".q"
        config[f"yarn.scheduler.capacity.{path}.capacity"] = 100
    return {**SCENARIO, "config": config}


def test_each_file_that_cannot_be_read_gets_an_error_and_the_others_an_answer(
    tmp_path: Path,
) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    written(source, "a")
    (source / "b-bytes.yaml").write_bytes(b"name: caf\xe9\n")
    (source / "c-folder.yaml").mkdir()
    (source / "d-lists.yaml").write_text("[" * 5000 + "]" * 5000, encoding="utf-8")
    written(source, "e-queues", nested_queues(1000))
    (source / "f-syntax.yaml").write_text("name: {", encoding="utf-8")
    written(source, "z")
    result = CliRunner().invoke(simulate, ["--dir", str(source), str(target)])

    assert result.exit_code == 1
    told = [line for line in result.stderr.splitlines() if line.startswith(str(source))]
    assert [Path(line.partition(".yaml")[0]).name for line in told] == [
        "b-bytes",
        "c-folder",
        "d-lists",
        "e-queues",
        "f-syntax",
    ]
    assert sorted(path.name for path in target.iterdir()) == ["a.json", "z.json"]


def test_a_plot_into_no_folder_is_an_error_in_words(tmp_path: Path) -> None:
    plot = tmp_path / "nowhere" / "use.svg"
    result = CliRunner().invoke(simulate, [str(written(tmp_path)), "--plot", str(plot)])

    assert result.exit_code == 1
    assert "--plot" in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_nothing_to_do_is_said(tmp_path: Path) -> None:
    assert CliRunner().invoke(simulate, []).exit_code == 2
    both = CliRunner().invoke(simulate, ["--dir", str(tmp_path), str(tmp_path), "--trace"])
    assert both.exit_code == 2

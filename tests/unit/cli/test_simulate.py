"""`kubeyarn simulate`: files in, JSON out."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from click.testing import CliRunner

from kubeyarn.cli.simulate import simulate
from kubeyarn.simulate.run import run_scenario
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


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("at: 2020-99-99", id="a date that is none"),
        pytest.param("at: " + "9" * 5000, id="a number of 5000 digits"),
        pytest.param("name: !!python/object:os.system {}", id="an object"),
        pytest.param("a: &a [*a]", id="a list in itself"),
        pytest.param("name: 0x" + "f" * 5000, id="a hexadecimal number of 5000 digits"),
        pytest.param("steps: [{settle: {}, observe: {}}]", id="two actions in a step"),
        pytest.param("{a: 1}: 2", id="a map as a key"),
    ],
)
def test_what_is_no_scenario_is_an_error_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(simulate, [str(path)])

    assert result.exit_code == 1
    assert "odd.yaml" in result.stderr
    assert isinstance(result.exception, SystemExit)


def test_lists_that_name_each_other_a_billion_times_are_told_in_few_words(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 20)]
    path = tmp_path / "bomb.yaml"
    path.write_text("\n".join([*lines, "nodes: *a19"]), encoding="utf-8")
    result = CliRunner().invoke(simulate, [str(path)])

    assert result.exit_code == 1
    assert len(result.stderr) < 1000


def test_odd_characters_are_traced_drawn_and_answered(tmp_path: Path) -> None:
    picture = tmp_path / "use.svg"
    path = tmp_path / "odd.yaml"
    text = json.dumps({**SCENARIO, "name": "\x01<&"})
    path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(simulate, [str(path), "--trace", "--plot", str(picture)])

    assert result.exit_code == 0
    assert json.loads(result.stdout)["name"] == "\x01<&"
    ElementTree.parse(picture)


def test_a_folder_that_is_a_file_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    result = CliRunner().invoke(simulate, ["--dir", str(tmp_path), str(tmp_path / "file" / "out")])

    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)


def test_a_file_that_cannot_be_written_does_not_stop_the_others(tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    written(source, "a")
    written(source, "b")
    (target / "a.json").mkdir(parents=True)
    result = CliRunner().invoke(simulate, ["--dir", str(source), str(target)])

    assert result.exit_code == 1
    assert "a.json" in result.stderr
    assert json.loads((target / "b.json").read_text())["name"] == "small"


QUEUES = """<?xml version="1.0"?><configuration>
<property><name>yarn.scheduler.capacity.root.queues</name><value>a</value></property>
<property><name>yarn.scheduler.capacity.root.a.capacity</name><value>100</value></property>
<property><name>yarn.scheduler.capacity.maximum-am-resource-percent</name><value>1</value></property>
</configuration>"""


def without_config(**more: object) -> dict[str, object]:
    return {key: value for key, value in SCENARIO.items() if key != "config"} | more


@pytest.mark.parametrize("where", ["folder", "file", "list", "option"])
def test_a_scenario_is_run_with_hadoops_own_files(tmp_path: Path, where: str) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    (folder / "capacity-scheduler.xml").write_text(QUEUES, encoding="utf-8")
    named = {
        "folder": "conf",
        "file": "conf/capacity-scheduler.xml",
        "list": ["conf/capacity-scheduler.xml"],
        "option": None,
    }[where]
    path = written(tmp_path, data=without_config(conf=named))
    command = [str(path)] + (["--conf", str(folder)] if where == "option" else [])
    result = CliRunner().invoke(simulate, command)

    assert json.loads(result.stdout) == run_scenario(SCENARIO).answer


def test_what_a_scenario_says_goes_before_the_files(tmp_path: Path) -> None:
    (tmp_path / "capacity-scheduler.xml").write_text(QUEUES, encoding="utf-8")
    said = {"yarn.scheduler.capacity.root.a.maximum-capacity": 50}
    path = written(tmp_path, data=without_config(conf=".", config=said))
    answer = json.loads(CliRunner().invoke(simulate, [str(path)]).stdout)

    assert answer["observations"][-1]["queues"]["root.a"]["effectiveMaxMemory"] == 2048


def test_the_fair_schedulers_file_means_the_fair_scheduler(tmp_path: Path) -> None:
    text = '<allocations><queue name="a"><weight>2</weight></queue></allocations>'
    (tmp_path / "fair-scheduler.xml").write_text(text, encoding="utf-8")
    data = {key: value for key, value in without_config().items() if key != "scheduler"}
    path = written(tmp_path, data={**data, "conf": "fair-scheduler.xml"})
    answer = json.loads(CliRunner().invoke(simulate, [str(path)]).stdout)

    assert "fairShareMemory" in answer["observations"][-1]["queues"]["root.a"]


def test_the_scheduler_that_yarn_site_names_is_taken(tmp_path: Path) -> None:
    site = (
        "<configuration><property><name>yarn.resourcemanager.scheduler.class</name><value>"
        "org.apache.hadoop.yarn.server.resourcemanager.scheduler.fair.FairScheduler"
        "</value></property></configuration>"
    )
    (tmp_path / "yarn-site.xml").write_text(site, encoding="utf-8")
    (tmp_path / "capacity-scheduler.xml").write_text(QUEUES, encoding="utf-8")
    data = {key: value for key, value in without_config().items() if key != "scheduler"}
    path = written(tmp_path, data={**data, "conf": "."})
    answer = json.loads(CliRunner().invoke(simulate, [str(path)]).stdout)

    assert "fairShareMemory" in answer["observations"][-1]["queues"]["root.a"]


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        pytest.param("nowhere", "No such file", id="no file"),
        pytest.param("empty", "found none of", id="a folder without files"),
        pytest.param("text.xml", "it is not XML", id="no XML"),
        pytest.param("other.xml", "the outermost element is <html>", id="another file"),
        pytest.param("latin.xml", "decode", id="allocations that are not UTF-8"),
        pytest.param("include.xml", "found an include of 'x.xml'", id="an include"),
        pytest.param(5, "conf: found a int", id="a number"),
        pytest.param("a\0b", "conf: ", id="no path"),
    ],
)
def test_files_that_cannot_be_read_are_an_error_in_words(
    tmp_path: Path, conf: object, words: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "text.xml").write_text("text", encoding="utf-8")
    (tmp_path / "other.xml").write_text("<html/>", encoding="utf-8")
    latin = '<?xml version="1.0" encoding="ISO-8859-1"?><allocations><!-- é --></allocations>'
    (tmp_path / "latin.xml").write_bytes(latin.encode("latin-1"))
    include = '<configuration><xi:include href="x.xml"/></configuration>'
    (tmp_path / "include.xml").write_text(include, encoding="utf-8")
    result = CliRunner().invoke(simulate, [str(written(tmp_path, data=without_config(conf=conf)))])

    assert result.exit_code == 1
    assert words in result.stderr
    assert isinstance(result.exception, SystemExit)

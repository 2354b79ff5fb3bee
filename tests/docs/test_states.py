"""The page of states says what the tables say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from docs.pages import page
from kubeyarn.cli import states_page
from kubeyarn.cli.main import main
from kubeyarn.lifecycle.application import APPLICATION
from kubeyarn.lifecycle.attempt import ATTEMPT
from kubeyarn.lifecycle.container import CONTAINER
from kubeyarn.lifecycle.exit_status import MEANINGS, ExitStatus

PAGE = "docs/reference/states.md"


def test_the_page_is_what_the_tables_make() -> None:
    assert page(PAGE).text == states_page.states(), f"run kubeyarn states --write {PAGE}"


@pytest.mark.parametrize("machine", [APPLICATION, ATTEMPT, CONTAINER], ids=lambda m: m.name)
def test_every_arrow_of_a_diagram_is_a_row_of_the_table(machine) -> None:
    arrows = re.findall(r"^    (\w+) --> (\w+): (.+)$", states_page.diagram(machine), re.MULTILINE)
    drawn = {(a, e, b) for a, b, events in arrows for e in events.split(", ")}
    assert drawn == {
        (str(state), str(event), str(after))
        for state, row in machine.transitions.items()
        for event, after in row.items()
    }


def test_every_exit_status_has_its_row() -> None:
    assert set(MEANINGS) == set(ExitStatus)


def test_the_command_prints_writes_and_checks(tmp_path: Path) -> None:
    call = CliRunner().invoke
    written = tmp_path / "states.md"
    assert call(main, ["states"]).output == states_page.states()
    assert call(main, ["states", "--check"]).exit_code == 2
    assert call(main, ["states", "--write", str(written), "--check"]).exit_code == 1
    assert call(main, ["states", "--write", str(written)]).exit_code == 0
    assert call(main, ["states", "--write", str(written), "--check"]).exit_code == 0

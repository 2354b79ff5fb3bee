from __future__ import annotations

import re

import click
import pytest

from docs.pages import ROOT, Page, code, everything, page, pages
from kubeyarn.cli import main as cli
from kubeyarn.cli.yarn import COMMANDS as YARN_COMMANDS

_CALL = re.compile(r"^[`$ ]*(?:sudo )?kubeyarn ([a-z]+)(?: ([a-z]+))?", re.MULTILINE)
_TARGET = re.compile(r"^([a-z0-9-]+):", re.MULTILINE)


def _commands() -> dict[str, click.Command]:
    context = click.Context(cli.main)
    names = cli.main.list_commands(context)
    return {name: _known(cli.main.get_command(context, name)) for name in names}


def _known(command: click.Command | None) -> click.Command:
    assert command is not None
    return command


def _in_code() -> str:
    """What stands in backticks or in fenced code, where commands are written."""
    fenced = re.findall(r"```(?:console|bash|sh)\n(.*?)```", everything(), re.DOTALL)
    return "\n".join([*fenced, *(f"`{words}" for one in pages() for words in code(one.prose))])


@pytest.mark.parametrize("name", sorted(_commands()))
def test_every_command_of_kubeyarn_is_described(name: str) -> None:
    described = {cell for row in page("docs/operations.md").rows("## Commands") for cell in row}
    assert f"`kubeyarn {name}`" in described


def test_every_command_of_kubeyarn_that_is_written_exists() -> None:
    commands = _commands()
    for name, below in _CALL.findall(_in_code()):
        assert name in commands, f"kubeyarn {name}"
        command = commands[name]
        if below and isinstance(command, click.Group):
            assert below in command.commands, f"kubeyarn {name} {below}"


@pytest.mark.parametrize("name", sorted(YARN_COMMANDS))
def test_every_command_of_kubectl_yarn_is_described(name: str) -> None:
    assert f"`kubectl yarn {name} " in page("docs/kubectl-yarn.md").text


def test_the_settings_of_the_resourcemanager_are_those_that_are_described() -> None:
    options = {
        option.opts[0]: option.default
        for option in _commands()["resourcemanager"].params
        if isinstance(option, click.Option)
    }
    rows = page("docs/operations.md").rows("## Values")
    described = {code(name)[0]: default for name, default, *_ in rows if "`--" in name}
    assert described, "the table of arguments is gone"
    for name, default in described.items():
        assert name in options
        assert not default.isdigit() or int(default) == options[name]


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_every_make_command_that_is_written_is_in_the_makefile(one: Page) -> None:
    targets = set(_TARGET.findall((ROOT / "Makefile").read_text()))
    written = [words for words in _in_code_of(one) if words.startswith("make ")]
    for words in written:
        for target in words.split()[1:]:
            assert target in targets, f"{one.name}: {words}"


def _in_code_of(one: Page) -> list[str]:
    fenced = re.findall(r"```console\n(.*?)```", one.text, re.DOTALL)
    lines = [line for block in fenced for line in block.splitlines()]
    stripped = [line.removeprefix("$ ").removeprefix("sudo ").partition("#")[0] for line in lines]
    return [*stripped, *code(one.prose)]


def test_the_readmes_test_command_is_the_one_that_continuous_integration_runs() -> None:
    assert "sudo make test" in page("README.md").text
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("exec make test")

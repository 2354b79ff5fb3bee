"""The page of `kubectl yarn` misses no command, verb or option."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from kubeyarn.cli import yarn
from kubeyarn.cli.yarn_words import EVERYWHERE

PAGE = (Path(__file__).parents[3] / "docs" / "kubectl-yarn.md").read_text()
COMMANDS = [import_module(f"kubeyarn.cli.{module}").COMMAND for module in yarn.COMMANDS.values()]
VERBS = [(command, verb) for command in COMMANDS for verb in command.verbs]


@pytest.mark.parametrize(("command", "verb"), VERBS, ids=[f"{c.name} {v.name}" for c, v in VERBS])
def test_every_verb_and_its_options_are_on_the_page(command, verb):
    word = f" -{verb.name}" if verb.name else ""
    assert f"`kubectl yarn {command.name}{word}" in PAGE
    for option in verb.options:
        assert f"-{option.name}" in PAGE


@pytest.mark.parametrize("option", EVERYWHERE, ids=lambda option: option.name)
def test_every_common_option_is_on_the_page(option):
    assert f"--{option.name}" in PAGE

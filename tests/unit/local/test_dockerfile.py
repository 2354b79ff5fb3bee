from __future__ import annotations

from pathlib import Path

import pytest

from kubeyarn.local import dockerfile, wheels
from kubeyarn.local.dockerfile import Instruction
from kubeyarn.local.errors import LocalClusterError


def parse(text: str, **arguments: str) -> list[Instruction]:
    return dockerfile.parse(text, arguments)


def test_instructions_come_in_order_with_the_lines_where_they_begin() -> None:
    text = "# a comment\nFROM base\n\nCOPY a b /c\nUSER 1\n"

    assert parse(text) == [
        Instruction(2, "FROM", ("base",)),
        Instruction(4, "COPY", ("a", "b", "/c")),
        Instruction(5, "USER", ("1",)),
    ]


def test_a_line_goes_on_behind_a_backslash_and_over_comments() -> None:
    text = "FROM base\nRUN one \\\n  # why\n  && two\n"

    assert parse(text)[1] == Instruction(2, "RUN", ("one && two",))


def test_build_arguments_are_filled_in_with_their_defaults_or_what_is_given() -> None:
    text = "ARG BASE=python:3.11\nFROM ${BASE}\nWORKDIR /$BASE"

    assert parse(text)[0].words == ("python:3.11",)
    assert parse(text, BASE="host")[0].words == ("host",)
    assert parse(text, BASE="host")[1].words == ("/host",)


def test_what_a_command_names_is_left_to_its_shell() -> None:
    assert parse("ARG HOME=x\nFROM b\nRUN echo $HOME '*'")[1].words == ("echo $HOME '*'",)


def test_quotes_hold_a_value_together() -> None:
    [_, label] = parse('FROM b\nLABEL title="Two words" kind=x')

    assert dockerfile.pairs(label) == {"title": "Two words", "kind": "x"}


def test_an_entrypoint_is_a_list() -> None:
    assert parse('FROM b\nENTRYPOINT ["kubeyarn", "-v"]')[1].words == ("kubeyarn", "-v")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("FROM b\nADD a b", "line 2: ADD is not among"),
        ("USER 1\nFROM b", "first instruction"),
        ("", "first instruction"),
        ("FROM b AS stage", "line 1: FROM takes one image"),
        ("FROM b\nCOPY --from=x a b", "line 2: COPY takes sources"),
        ("FROM b\nCOPY a", "line 2: COPY takes sources"),
        ('FROM b\nRUN ["a"]', "line 2: RUN takes a shell command"),
        ("FROM b\nRUN --mount=type=cache a", "line 2: RUN takes a shell command"),
        ("FROM b\nENTRYPOINT kubeyarn", "line 2: ENTRYPOINT takes a list"),
    ],
)
def test_what_lies_outside_the_subset_is_refused_with_its_line(text: str, why: str) -> None:
    with pytest.raises(LocalClusterError, match=why):
        parse(text)


def test_an_environment_without_a_value_is_refused() -> None:
    with pytest.raises(LocalClusterError, match="line 2: ENV takes NAME=VALUE"):
        dockerfile.pairs(parse("FROM b\nENV NAME value")[1])


def test_the_projects_own_dockerfile_keeps_to_the_subset() -> None:
    text = Path(wheels.project(), "operator/Dockerfile").read_text()

    found = parse(text)

    assert found[0].words == ("python:3.11-slim-bookworm",)
    assert [each.words for each in found if each.name == "USER"] == [("65532:65532",)]
    assert found[-1].words == ("kubeyarn",)

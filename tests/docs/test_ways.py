"""The pages that lead through the source tree name files that are there."""

from __future__ import annotations

import re

import pytest

from docs.pages import ROOT, page

_FILE = re.compile(r"`([\w/]+\.py)`")


def _missing(text: str) -> list[str]:
    source = ROOT / "operator" / "kubeyarn"
    return [name for name in _FILE.findall(text) if not (source / name).is_file()]


@pytest.mark.parametrize("row", page("CONTRIBUTING.md").rows("## Where is what"), ids=" ".join)
def test_the_table_of_where_is_what_names_files_that_exist(row: list[str]) -> None:
    question, *files = row

    assert question.endswith("?")
    assert any(_FILE.search(cell) for cell in files)
    assert _missing(" ".join(files)) == []


def _ways() -> dict[str, str]:
    _, _, below = page("docs/architecture.md").text.partition("## Four ways through the code\n")
    section = re.split(r"^## ", below, maxsplit=1, flags=re.MULTILINE)[0]
    titles = re.split(r"^### (.+)$", section, flags=re.MULTILINE)[1:]
    return dict(zip(titles[::2], titles[1::2], strict=True))


@pytest.mark.parametrize("title", list(_ways()))
def test_a_way_through_the_code_names_files_that_exist(title: str) -> None:
    text = _ways()[title]

    assert _FILE.search(text)
    assert _missing(text) == []


def test_there_are_four_ways_through_the_code() -> None:
    assert len(_ways()) == 4

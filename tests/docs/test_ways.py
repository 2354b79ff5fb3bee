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

from __future__ import annotations

import re

import pytest

from docs.pages import ROOT, Page, page, pages

_TOP = ("charts/", "crds/", "docs/", "examples/", "operator/", "requirements/", "tests/")
_PATH = re.compile(r"`([\w./-]+)`")


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_every_relative_link_leads_to_a_file_and_a_heading(one: Page) -> None:
    for link in one.links:
        file, _, anchor = link.partition("#")
        target = (one.path.parent / file).resolve() if file else one.path
        assert target.exists(), f"{one.name}: {link} leads nowhere"
        if anchor:
            assert anchor in Page(target).anchors, f"{one.name}: {link} names no heading"


@pytest.mark.parametrize("one", pages(), ids=lambda one: one.name)
def test_every_path_of_the_project_that_is_named_exists(one: Page) -> None:
    for path in _PATH.findall(one.prose):
        if path.startswith(_TOP):
            assert (ROOT / path).exists(), f"{one.name}: {path} does not exist"


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), [page("README.md")]
    while waiting:
        here = waiting.pop()
        if here.name in reached:
            continue
        reached.add(here.name)
        for link in here.links:
            target = (here.path.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.exists():
                waiting.append(Page(target))
    assert {one.name for one in pages()} <= reached


def test_no_page_names_a_path_of_a_developers_machine() -> None:
    for one in pages():
        assert not re.search(r"(?<![\w/.])/(work|tmp/team|home/(?!kubeyarn))", one.text), one.name

"""The project's Markdown pages, read the way the tests of this folder need them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_FENCE = re.compile(r"^\s*```.*?^\s*```\s*$", re.DOTALL | re.MULTILINE)
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+?)\s*$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Page:
    """One Markdown file."""

    path: Path

    @property
    def name(self) -> str:
        """The path below the project's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def text(self) -> str:
        """All of it."""
        return self.path.read_text(encoding="utf-8")

    @property
    def prose(self) -> str:
        """All of it but fenced code."""
        return _FENCE.sub("", self.text)

    @property
    def links(self) -> list[str]:
        """The targets of its links that are no URLs."""
        return [target for target in _LINK.findall(self.prose) if "://" not in target]

    @property
    def anchors(self) -> set[str]:
        """The anchors of its headings, as GitHub makes them."""
        return {_anchor(heading) for heading in _HEADING.findall(self.prose)}

    def rows(self, heading: str) -> list[list[str]]:
        """The cells of the tables below *heading*, without the tables' heads."""
        depth = heading.partition(" ")[0]
        _, _, below = f"\n{self.prose}".partition(f"\n{heading}\n")
        section = re.split(rf"^#{{1,{len(depth)}}} ", below, maxsplit=1, flags=re.MULTILINE)[0]
        rows, lines = [], section.splitlines()
        for line, after in zip(lines, [*lines[1:], ""], strict=True):
            is_head = after.startswith("|--")
            if line.startswith("|") and not line.startswith("|--") and not is_head:
                rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
        return rows


def page(name: str) -> Page:
    """The page at a path below the project's root."""
    return Page(ROOT / name)


def pages() -> list[Page]:
    """Every page that users or contributors read."""
    found = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "charts").rglob("*.md")]
    return [Page(path) for path in sorted(found)]


def everything() -> str:
    """The text of all pages."""
    return "\n".join(page.text for page in pages())


def code(cell: str) -> list[str]:
    """What stands in backticks."""
    return re.findall(r"`([^`]+)`", cell)


def _anchor(heading: str) -> str:
    words = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return words.replace(" ", "-")

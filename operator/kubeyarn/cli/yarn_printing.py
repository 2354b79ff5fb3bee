"""How `kubectl yarn` prints: YARN's tables and reports, or the objects themselves."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from datetime import datetime

from kubeyarn.crd.conditions import Condition
from kubeyarn.crd.object import Object

# All but tab and newline, which diagnostics are made of.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def table(widths: Sequence[int], rows: Iterable[Sequence[str]]) -> str:
    """Rows as Java's printf prints them in YARN's tools: right-aligned, parted by tabs."""
    return "\n".join(
        "\t".join(f"{harmless(cell):>{width}}" for cell, width in zip(row, widths, strict=True))
        for row in rows
    )


def report(title: str, lines: Iterable[tuple[str, str]]) -> str:
    """A title and lines of label and value, as YARN's -status prints them."""
    return "\n".join([title, *(f"\t{label} : {harmless(value)}" for label, value in lines)])


def harmless(text: object) -> str:
    """What somebody else wrote, with control characters as `^[`: a terminal acts on none of them.

    Source: kubectl, which does so since CVE-2021-25743.
    """
    return _CONTROL.sub(lambda found: _caret(found[0]), str(text))


def _caret(character: str) -> str:
    code = ord(character)
    return f"^{chr(code ^ 0x40)}" if code < 0x80 else f"\\x{code:02x}"


def conditions(of_status: Iterable[Condition]) -> list[tuple[str, str]]:
    """A line for each condition of an object."""
    return [
        (f"Condition {one.type}", f"{one.status.value} {one.reason}: {one.message}")
        for one in of_status
    ]


def objects(items: Sequence[Object], form: str, *, single: bool = False) -> str:
    """The objects as json or yaml: one as it is, several as a v1 List."""
    whole: Object = {"apiVersion": "v1", "kind": "List", "items": list(items)}
    chosen = items[0] if single else whole
    if form == "json":
        return json.dumps(chosen, indent=4)
    # Only for -o yaml: it is slow to import, which every call would pay for.
    import yaml

    return str(yaml.safe_dump(chosen, sort_keys=False, allow_unicode=True)).rstrip()


def percent(value: float) -> str:
    """A number of percent as Java's `###.##%` prints it."""
    return f"{round(float(value), 2):g}%"


def hundredths(share: str) -> str:
    """A share as Java's `#.00%` prints it (nothing is `.00%`); what is no percentage as it is."""
    try:
        number = float(share.removesuffix("%")) if share.endswith("%") else None
    except ValueError:
        number = None
    if number is None:
        return share
    shown = f"{number:.2f}%"
    return shown.removeprefix("0") if shown.startswith("0.") else shown


def milliseconds(time: str) -> str:
    """A Kubernetes time as YARN's milliseconds since 1970; 0 for none."""
    if not time:
        return "0"
    moment = datetime.fromisoformat(time)
    return str(int(moment.timestamp() * 1000))

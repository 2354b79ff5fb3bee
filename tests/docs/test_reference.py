"""What the API and the chart have, the pages have too, and the other way round."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.pages import ROOT, code, page
from kubeyarn.crd import all_fields_acting
from kubeyarn.model.reasons import Reason
from kubeyarn.scheduler import allocation_loop

OPERATIONS = page("docs/operations.md")
REASONS = "## Reasons why something waits or is refused"
WAITS_FOR_LATER = "## Accepted and not yet acting"


def _crd(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((ROOT / "crds" / f"{name}.yaml").read_text())
    return found


def _fields() -> list[tuple[str, str, str]]:
    found = []
    for name in ("yarnqueues", "yarnapplications", "containerrequests"):
        crd = _crd(name)
        schema = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]
        kind = crd["spec"]["names"]["kind"]
        found += [
            (kind, part, field)
            for part in ("spec", "status")
            for field in schema[part]["properties"]
        ]
    return found


@pytest.mark.parametrize(("kind", "part", "field"), _fields())
def test_every_field_of_the_resources_is_in_the_reference(kind: str, part: str, field: str) -> None:
    rows = page(f"docs/reference/{kind.lower()}.md").rows(f"## {part}")
    assert field in {code(row[0])[0] for row in rows}


@pytest.mark.parametrize("reason", [reason.value for reason in Reason])
def test_every_reason_says_what_it_means_and_what_to_do(reason: str) -> None:
    rows = {row[0]: row[1:] for row in OPERATIONS.rows(REASONS)}
    assert f"`{reason}`" in rows
    meaning, advice = rows[f"`{reason}`"]
    assert meaning.endswith(".")
    assert advice


def test_no_reason_is_described_that_nothing_gives() -> None:
    _, _, below = OPERATIONS.prose.partition(f"\n{REASONS}\n")
    table = below.partition("\n### ")[0]
    named = {line.split("`")[1] for line in table.splitlines() if line.startswith("| `")}
    assert named == {reason.value for reason in Reason}


def test_every_reason_that_a_queue_is_refused_for_is_described() -> None:
    described = {
        code(row[0])[0] for row in page("docs/queues.md").rows("## A tree that does not add up")
    }
    assert {"CapacitySum", "MixedCapacity", "ParentNotFound", "QueueNotStopped"} <= described
    assert described == set(
        code(_row(OPERATIONS.rows("### Other reasons"), "YarnQueue `Accepted`"))
    )


def _row(rows: list[list[str]], first: str) -> str:
    return next(row[1] for row in rows if row[0] == first)


def test_what_does_not_act_yet_is_what_the_condition_says() -> None:
    described = {
        (row[0], field)
        for row in OPERATIONS.rows(WAITS_FOR_LATER)
        for field in code(row[1])
        if not _is_value(field)
    }
    table = {(kind, path) for kind, fields in all_fields_acting.BY_KIND.items() for path in fields}
    assert described == table


def _is_value(text: str) -> bool:
    return text in ("true", "false") or text[:1].isupper()


def test_every_group_of_values_of_the_chart_is_described() -> None:
    values = yaml.safe_load((ROOT / "charts" / "kubeyarn" / "values.yaml").read_text())
    described = {
        group
        for row in OPERATIONS.rows("## Values")
        for group in code(row[0])
        if not group.startswith("--")
    }
    assert described == set(values)


def test_every_value_of_the_chart_is_in_its_readme() -> None:
    values = yaml.safe_load((ROOT / "charts" / "kubeyarn" / "values.yaml").read_text())
    described = {code(row[0])[0] for row in page("charts/kubeyarn/README.md").rows("## Values")}
    for path in _paths(values, ""):
        assert any(path == d or path.startswith(f"{d}.") for d in described), path


def _paths(values: dict[str, Any], at: str) -> list[str]:
    found: list[str] = []
    for name, value in values.items():
        below = isinstance(value, dict) and value
        found += _paths(value, f"{at}{name}.") if below else [f"{at}{name}"]
    return found


def test_the_rooms_are_described_in_the_order_that_imports_go() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(c["layers"] for c in contracts if c["type"] == "layers")
    wanted = [
        {room.strip().removeprefix("kubeyarn.") for room in layer.split("|")} for layer in layers
    ]
    assert [set(code(row[0])) for row in page("docs/architecture.md").rows("## Rooms")] == wanted


def test_every_room_is_in_the_readmes_map() -> None:
    rooms = {path.parent.name for path in (ROOT / "operator" / "kubeyarn").glob("*/__init__.py")}
    rows = page("README.md").rows("## How it is built")
    assert {room for row in rows for room in code(row[0])} == rooms


def test_every_decision_is_in_the_index_in_order() -> None:
    index = page("docs/decisions/README.md").links
    on_disk = sorted(p.name for p in Path(ROOT, "docs/decisions").glob("0*.md"))
    assert index == on_disk


def test_every_metric_is_described() -> None:
    described = {code(row[0])[0].partition("{")[0] for row in OPERATIONS.rows("## Metrics")}
    for metric in (allocation_loop.GRANTS, allocation_loop.PREEMPTIONS, allocation_loop.CYCLES):
        for family in metric.collect():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            assert name in described

"""Sums are written in one file."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kubeyarn.schedulers import capacity

PACKAGE = Path(capacity.__file__).parent
ACCOUNTS = PACKAGE / "objects" / "accounts.py"
SUMS = {
    "active_used",
    "am_used",
    "free",
    "free_slots",
    "partitions",
    "pending",
    "ratio",
    "reservation",
    "reserved",
    "total",
    "used",
}
# A preemption pass works on copies of its own (TempQueuePerPartition and the like).
FILES = sorted(p for p in PACKAGE.rglob("*.py") if p != ACCOUNTS and p.parent.name != "preemption")
CONSTRUCTORS = ("__init__", "clear_attempt")


def written(tree: ast.AST) -> list[str]:
    """Attributes that are assigned, also by item, outside of constructors."""
    found = []
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name in CONSTRUCTORS:
            continue
        targets: list[ast.expr] = []
        if isinstance(node, ast.Assign):
            targets = node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            targets = [node.target]
        for target in targets:
            for part in target.elts if isinstance(target, ast.Tuple) else [target]:
                item = part.value if isinstance(part, ast.Subscript) else part
                if isinstance(item, ast.Attribute):
                    found.append(item.attr)
        found += written(node)
    return found


@pytest.mark.parametrize("file", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_only_accounts_writes_sums(file: Path) -> None:
    assert not SUMS & set(written(ast.parse(file.read_text())))


def test_accounts_writes_every_sum() -> None:
    assert set(written(ast.parse(ACCOUNTS.read_text()))) >= SUMS

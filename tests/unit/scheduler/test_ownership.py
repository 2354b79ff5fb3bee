"""Every record of the scheduler has one writer: nobody assigns another object's attributes."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import kubeyarn.scheduler

ROOM = Path(kubeyarn.scheduler.__file__).parent
# The leader election shows what the process waits for; it belongs to another room.
ALLOWED = {("process.py", "self._leader.waits_for")}


def written(tree: ast.AST) -> Iterator[ast.expr]:
    """What a module assigns, changes in place or deletes."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.Delete):
            yield from node.targets
        elif isinstance(node, ast.AugAssign | ast.AnnAssign):
            yield node.target


def parts(target: ast.expr) -> Iterator[ast.expr]:
    if isinstance(target, ast.Tuple | ast.List):
        for one in target.elts:
            yield from parts(one)
    elif isinstance(target, ast.Subscript):
        yield from parts(target.value)
    else:
        yield target


def of_others(source: str) -> set[str]:
    """The attributes that a module writes although they are not its own object's."""
    return {
        ast.unparse(part)
        for target in written(ast.parse(source))
        for part in parts(target)
        if isinstance(part, ast.Attribute) and ast.unparse(part.value) != "self"
    }


def test_attributes_are_written_by_their_own_object_alone():
    found = {
        (str(path.relative_to(ROOM)), attribute)
        for path in ROOM.rglob("*.py")
        for attribute in of_others(path.read_text())
    }
    assert found == ALLOWED


def test_the_check_sees_what_it_looks_for():
    source = "a.b = 1\na.b.c += 1\ndel a.d['x']\na.e['y'], self.f = 1, 2\nx['y'] = 3\n"

    assert of_others(source) == {"a.b", "a.b.c", "a.d", "a.e"}

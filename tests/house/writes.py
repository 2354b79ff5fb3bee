"""Where a module writes attributes of objects whose classes are defined elsewhere.

A scheduler's `accounts` is the one keeper of its sums: what it writes is not counted.

A rough check: an attribute belongs to a module if one of its classes declares it or assigns it to
`self`. Every other assignment to an attribute, of anything but `self`, is a write from outside;
so is one to an item of such an attribute (`cache.pods[key] = pod`).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from house.tree import Module


@dataclass(frozen=True)
class Write:
    """An assignment to another module's object."""

    module: Module
    line: int
    target: str

    def __str__(self) -> str:
        return f"{self.module.place}:{self.line} {self.target}"


def writes_from_outside(module: Module) -> list[Write]:
    """The assignments of *module* to attributes that no class in it has."""
    if module.name.rpartition(".")[2] == "accounts":
        return []
    own = _own_attributes(module)
    return [
        Write(module, target.lineno, ast.unparse(target))
        for target in _targets(module)
        if not _is_of_self(target) and target.attr not in own
    ]


def _targets(module: Module) -> Iterator[ast.Attribute]:
    for node in module.nodes:
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Store | ast.Del)
            and isinstance(node.value, ast.Attribute)
        ):
            yield node.value


def _is_of_self(target: ast.Attribute) -> bool:
    return isinstance(target.value, ast.Name) and target.value.id in ("self", "cls")


def _own_attributes(module: Module) -> set[str]:
    own: set[str] = set()
    for node in module.nodes:
        if isinstance(node, ast.ClassDef):
            own |= {
                one.target.id
                for one in node.body
                if isinstance(one, ast.AnnAssign) and isinstance(one.target, ast.Name)
            }
        elif (
            isinstance(node, ast.Attribute)
            and isinstance(node.ctx, ast.Store)
            and _is_of_self(node)
        ):
            own.add(node.attr)
    return own

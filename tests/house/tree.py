"""The source tree as syntax trees, read once for all checks of the house."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCE = ROOT / "operator"
PACKAGE = "kubeyarn"


@dataclass(frozen=True)
class Module:
    """One file of the source tree."""

    name: str
    path: Path

    @cached_property
    def text(self) -> str:
        """Its source."""
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.text)

    @cached_property
    def nodes(self) -> tuple[ast.AST, ...]:
        """Every node of its syntax tree."""
        return tuple(ast.walk(self.tree))

    @property
    def is_package(self) -> bool:
        """Whether it is a package's `__init__`."""
        return self.path.name == "__init__.py"

    @property
    def place(self) -> str:
        """The path below the project's root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def room(self) -> str:
        """The part of the house it belongs to; each scheduler is a room of its own."""
        parts = self.name.split(".")[1:]
        if parts[:1] == ["schedulers"] and parts[1:2] in (["capacity"], ["fair"]):
            return ".".join(parts[:2])
        return parts[0] if parts and (len(parts) > 1 or self.is_package) else ""

    @property
    def comments(self) -> int:
        """How many lines are comments, or have one at their end."""
        tokens = tokenize.generate_tokens(io.StringIO(self.text).readline)
        return sum(
            token.type == tokenize.COMMENT and not token.string.startswith(("# noqa", "# type:"))
            for token in tokens
        )

    @property
    def code_lines(self) -> int:
        """How many lines are neither blank nor a comment, docstrings counted as code."""
        lines = (line.strip() for line in self.text.splitlines())
        return sum(bool(line) and not line.startswith("#") for line in lines)


@cache
def modules() -> dict[str, Module]:
    """Every module below `operator/kubeyarn`, by its dotted name."""
    found = {}
    for path in sorted((SOURCE / PACKAGE).rglob("*.py")):
        parts = path.relative_to(SOURCE).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found[name] = Module(name, path)
    return found


@cache
def rooms() -> dict[str, tuple[Module, ...]]:
    """The modules of each room."""
    found: dict[str, list[Module]] = {}
    for module in modules().values():
        if module.room:
            found.setdefault(module.room, []).append(module)
    return {room: tuple(of_room) for room, of_room in found.items()}


def imports(module: Module) -> set[str]:
    """The modules of ours that *module* imports where it is loaded or type-checked.

    Imports inside of functions are left out: they put off what a command needs, and close no
    circle when a module is loaded.
    """
    found: set[str] = set()
    for node in _outside_functions(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in modules() else node.module)
    return {name for name in found if name in modules()} - {module.name}


def _outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _outside_functions(child)

"""Which public names of the source tree have no caller in it.

A function, class or constant of a module is used where its module, or a module that imports it,
mentions it outside of its own definition. A method or property is used where any module mentions an
attribute of that name: whose it is cannot be known without running the code, so this check finds
less than there is, and nothing that is in use. Names that a framework calls are those it was given:
a decorator of another kind than Python's own registers what it decorates.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from house.tree import Module, modules

_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_PLAIN_DECORATORS = frozenset(
    {
        "abstractmethod",
        "asynccontextmanager",
        "cache",
        "cached_property",
        "classmethod",
        "contextmanager",
        "dataclass",
        "final",
        "lru_cache",
        "overload",
        "override",
        "property",
        "runtime_checkable",
        "setter",
        "singledispatch",
        "staticmethod",
        "total_ordering",
        "unique",
        "wraps",
    }
)


@dataclass(frozen=True)
class Definition:
    """A public name and where it is defined."""

    module: Module
    owner: str | None
    node: ast.stmt
    name: str

    @property
    def full_name(self) -> str:
        """Such as `kubeyarn.model.resources.ResourceTypes.zero`."""
        return ".".join(part for part in (self.module.name, self.owner, self.name) if part)

    @property
    def place(self) -> str:
        """Its file and line."""
        return f"{self.module.place}:{self.node.lineno}"


def unused() -> list[Definition]:
    """Public names that only tests use, or nobody."""
    mentioned = _Mentions()
    return [found for found in _definitions() if not mentioned.has(found)]


def _definitions() -> Iterator[Definition]:
    for module in modules().values():
        for node in module.tree.body:
            for name in _names(node):
                if not name.startswith("_") and not _registered(node):
                    yield Definition(module, None, node, name)
            if isinstance(node, ast.ClassDef):
                for member in node.body:
                    if (
                        isinstance(member, _FUNCTIONS)
                        and not member.name.startswith("_")
                        and not _registered(member)
                    ):
                        yield Definition(module, node.name, member, member.name)


def _names(node: ast.stmt) -> list[str]:
    if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return [node.name]
    if isinstance(node, ast.Assign):
        return [target.id for target in node.targets if isinstance(target, ast.Name)]
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return [node.target.id]
    return []


def _registered(node: ast.stmt) -> bool:
    if not isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
        return False
    return any(_last_name(one) not in _PLAIN_DECORATORS for one in node.decorator_list)


def _last_name(decorator: ast.expr) -> str:
    if isinstance(decorator, ast.Call):
        decorator = decorator.func
    return decorator.attr if isinstance(decorator, ast.Attribute) else ast.unparse(decorator)


class _Mentions:
    """Where each name is mentioned, in all modules of the tree."""

    def __init__(self) -> None:
        self._names: dict[str, dict[str, list[tuple[int, int]]]] = {}
        self._attributes: dict[str, list[tuple[str, int]]] = {}
        self._imported: dict[tuple[str, str], set[tuple[str, str]]] = {}
        for module in modules().values():
            self._read(module)

    def _read(self, module: Module) -> None:
        names = self._names.setdefault(module.name, {})
        exported = _exported(module.tree)
        for node in module.nodes:
            if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Store):
                names.setdefault(node.id, []).append((node.lineno, node.lineno))
            elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
                self._attributes.setdefault(node.attr, []).append((module.name, node.lineno))
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    here = (module.name, alias.asname or alias.name)
                    self._imported.setdefault((node.module, alias.name), set()).add(here)
                    if alias.name in exported:
                        names.setdefault(here[1], []).append((0, 0))

    def has(self, definition: Definition) -> bool:
        """Whether a name is mentioned outside of its own definition."""
        module, name = definition.module.name, definition.name
        if definition.owner is not None:
            return self._outside(definition, self._attributes.get(name, ()))
        lines = [(module, line) for line, _ in self._names[module].get(name, ())]
        attributes = [
            (where, line) for where, line in self._attributes.get(name, ()) if where != module
        ]
        return (
            self._outside(definition, lines)
            or self._is_used_where_imported(module, name)
            or self._outside(definition, attributes)
        )

    def _is_used_where_imported(self, module: str, name: str) -> bool:
        for where, local in self._imported.get((module, name), ()):
            if self._names[where].get(local):
                return True
            if where != module and self._is_used_where_imported(where, local):
                return True
        return False

    @staticmethod
    def _outside(definition: Definition, mentions: object) -> bool:
        first, last = definition.node.lineno, definition.node.end_lineno or 0
        assert isinstance(mentions, list | tuple)
        return any(
            where != definition.module.name or not first <= line <= last for where, line in mentions
        )


def _exported(tree: ast.Module) -> set[str]:
    """What `__all__` names."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and "__all__" in _names(node):
            return {str(name) for name in ast.literal_eval(node.value)}
    return set()


@dataclass(frozen=True)
class Parameter:
    """A parameter with a default."""

    function: Definition
    name: str
    position: int | None

    @property
    def full_name(self) -> str:
        """Such as `kubeyarn.am.master.ApplicationMaster.ask(tags)`."""
        return f"{self.function.full_name}({self.name})"


def never_passed() -> list[Parameter]:
    """Parameters with a default that no call of a function of that name passes.

    Calls are matched by the function's last name alone, a constructor's by its class.
    """
    calls = _calls()
    return [
        parameter
        for parameter in _parameters()
        if not any(_passes(call, parameter) for call in calls.get(_called(parameter.function), ()))
    ]


def _called(function: Definition) -> str:
    return str(function.owner) if function.name == "__init__" else function.name


def _parameters() -> Iterator[Parameter]:
    for module in modules().values():
        for node in module.nodes:
            if isinstance(node, ast.ClassDef):
                for member in node.body:
                    if isinstance(member, _FUNCTIONS) and not _registered(member):
                        yield from _defaults(Definition(module, node.name, member, member.name))
        for node in module.tree.body:
            if isinstance(node, _FUNCTIONS) and not _registered(node):
                yield from _defaults(Definition(module, None, node, node.name))


def _defaults(function: Definition) -> Iterator[Parameter]:
    assert isinstance(function.node, _FUNCTIONS)
    arguments = function.node.args
    places = [*arguments.posonlyargs, *arguments.args]
    bound = 0 if function.owner is None or _is_static(function.node) else 1
    for place, argument in enumerate(places):
        if place >= len(places) - len(arguments.defaults):
            yield Parameter(function, argument.arg, place - bound)
    for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
        if default is not None:
            yield Parameter(function, argument.arg, None)


def _is_static(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    return any(_last_name(one) == "staticmethod" for one in node.decorator_list)


def _calls() -> dict[str, list[ast.Call]]:
    found: dict[str, list[ast.Call]] = {}
    bases = _bases()
    for module in modules().values():
        renamed = {
            alias.asname: alias.name
            for node in module.nodes
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if alias.asname
        }
        for node in module.nodes:
            if isinstance(node, ast.ClassDef):
                for base in _ancestors(node.name, bases):
                    found.setdefault(base, []).extend(_calls_of_super(node))
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Attribute):
                found.setdefault(node.func.attr, []).append(node)
            elif isinstance(node.func, ast.Name):
                name = renamed.get(node.func.id, node.func.id)
                found.setdefault(name, []).append(node)
    return found


def _bases() -> dict[str, set[str]]:
    return {
        node.name: {_last_name(base) for base in node.bases}
        for module in modules().values()
        for node in module.nodes
        if isinstance(node, ast.ClassDef)
    }


def _ancestors(name: str, bases: dict[str, set[str]]) -> set[str]:
    above = bases.get(name, set()) - {name}
    return above.union(*(_ancestors(base, bases) for base in above))


def _calls_of_super(heir: ast.ClassDef) -> list[ast.Call]:
    return [
        node
        for node in ast.walk(heir)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "super().__init__"
    ]


def _passes(call: ast.Call, parameter: Parameter) -> bool:
    if any(keyword.arg in (None, parameter.name) for keyword in call.keywords):
        return True
    if any(isinstance(argument, ast.Starred) for argument in call.args):
        return True
    return parameter.position is not None and len(call.args) > parameter.position

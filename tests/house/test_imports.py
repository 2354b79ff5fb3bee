"""How the modules of a room stand on each other, and who writes whose state."""

from __future__ import annotations

import re

import pytest

from house.graph import circles, floors
from house.tree import imports, modules, rooms
from house.writes import writes_from_outside

FLOORS = 8
"""So many modules may stand on each other in one room."""

OBJECTS = re.compile(r"kubeyarn\.schedulers\.\w+\.objects(\.|$)")
"""A scheduler's queues, applications and nodes point at each other, as they do in Hadoop."""


WRITES_FROM_OUTSIDE = {
    # Attributes of a TLS context and of an HTTP request, which have no other way to be set.
    "cluster": 3,
    "hadoop": 1,
    "local": 10,
    "resourcemanager": 10,
    "scheduler": 3,
    "schedulers.capacity": 144,
    "schedulers.fair": 67,
}

COMMENTS = 3.2
"""So many lines of comments stand in 100 lines of code, docstrings not counted as comments."""


def test_modules_import_each_other_in_circles_among_a_schedulers_objects_alone() -> None:
    graph = {name: imports(module) for name, module in modules().items()}

    outside = [
        sorted(name.removeprefix("kubeyarn.") for name in group)
        for group in circles(graph)
        if not all(OBJECTS.match(name) for name in group)
    ]
    assert outside == []


@pytest.mark.parametrize("room", sorted(rooms()))
def test_a_room_is_not_deep(room: str) -> None:
    inside = {module.name for module in rooms()[room]}
    chain = floors({module.name: imports(module) & inside for module in rooms()[room]})

    assert len(chain) <= FLOORS, " imports ".join(chain)


@pytest.mark.parametrize("room", sorted(rooms()))
def test_a_module_changes_its_own_objects_alone(room: str) -> None:
    found = [str(write) for module in rooms()[room] for write in writes_from_outside(module)]

    assert len(found) <= WRITES_FROM_OUTSIDE.get(room, 0), "\n".join(found)


def test_comments_say_why() -> None:
    comments = sum(module.comments for module in modules().values())
    lines = sum(module.code_lines for module in modules().values())

    assert 100 * comments / lines >= COMMENTS

"""The tree of queues: ways up and down, and whether anything is in it."""

from __future__ import annotations

import pytest

from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue, FSParentQueue, FSQueue

ZERO = (0, 0)


def tree() -> dict[str, FSQueue]:
    """root with a leaf a, and p with the leaves x and y, and an empty parent q."""
    root = FSParentQueue("root", None, ZERO)
    p, q = FSParentQueue("root.p", root, ZERO), FSParentQueue("root.q", root, ZERO)
    a = FSLeafQueue("root.a", root, ZERO)
    x, y = FSLeafQueue("root.p.x", p, ZERO), FSLeafQueue("root.p.y", p, ZERO)
    root.children += [a, p, q]
    p.children += [x, y]
    return {queue.path: queue for queue in (root, a, p, x, y, q)}


@pytest.mark.parametrize(
    ("path", "up", "walk", "leaves"),
    [
        pytest.param(
            "root",
            ["root"],
            ["root", "root.a", "root.p", "root.p.x", "root.p.y", "root.q"],
            ["root.a", "root.p.x", "root.p.y"],
            id="root",
        ),
        pytest.param(
            "root.p",
            ["root.p", "root"],
            ["root.p", "root.p.x", "root.p.y"],
            ["root.p.x", "root.p.y"],
            id="a parent",
        ),
        pytest.param(
            "root.p.x",
            ["root.p.x", "root.p", "root"],
            ["root.p.x"],
            ["root.p.x"],
            id="a leaf is the one leaf of itself",
        ),
        pytest.param("root.q", ["root.q", "root"], ["root.q"], [], id="a parent without children"),
    ],
)
def test_ways_up_and_down(path: str, up: list[str], walk: list[str], leaves: list[str]) -> None:
    queue = tree()[path]

    assert [one.path for one in queue.path_up()] == up
    assert [one.path for one in queue.walk()] == walk
    assert [one.path for one in queue.leaves()] == leaves


@pytest.mark.parametrize(
    ("where", "runs", "empty"),
    [
        pytest.param(None, True, {"root", "root.a", "root.p", "root.p.x", "root.q"}, id="nothing"),
        pytest.param("root.p.x", True, {"root.a", "root.q"}, id="one that runs"),
        pytest.param("root.p.x", False, {"root.a", "root.q"}, id="one that may not run yet"),
        pytest.param("root.a", True, {"root.p", "root.p.x", "root.q"}, id="in another leaf"),
    ],
)
def test_a_queue_is_empty_while_no_application_is_in_or_below_it(
    where: str | None,
    runs: bool,
    empty: set[str],
) -> None:
    queues = tree()
    if where is not None:
        leaf = queues[where]
        assert isinstance(leaf, FSLeafQueue)
        kept = leaf.runnable_apps if runs else leaf.non_runnable_apps
        kept.append(object())  # type: ignore[arg-type]

    found = {path for path, queue in queues.items() if queue.is_empty}

    assert found - {"root.p.y"} == empty

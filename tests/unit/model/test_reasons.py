"""Names in a message: in order, and of many the first only."""

from __future__ import annotations

import pytest

from kubeyarn.model.reasons import listed


@pytest.mark.parametrize(
    ("names", "text"),
    [
        pytest.param([], "", id="none"),
        pytest.param(["n1"], "n1", id="one"),
        pytest.param(["n2", "n1"], "n1, n2", id="two, in order"),
        pytest.param([f"n{i}" for i in range(5)], "n0, n1, n2, n3, n4", id="five"),
        pytest.param(
            {f"n{i}" for i in range(8)},
            "n0, n1, n2, n3, n4 and 3 more",
            id="eight: five, and 3 more",
        ),
    ],
)
def test_names_are_listed(names: list[str], text: str) -> None:
    assert listed(names) == text

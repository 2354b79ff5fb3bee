"""The checks' own arithmetic."""

from __future__ import annotations

from house.graph import circles, floors


def test_a_circle_is_found_with_all_its_members() -> None:
    graph = {"a": ["b"], "b": ["c"], "c": ["a"], "d": ["a"]}

    assert circles(graph) == [frozenset("abc")]


def test_a_chain_has_no_circle() -> None:
    assert circles({"a": ["b"], "b": ["c"], "c": []}) == []


def test_floors_are_the_longest_chain() -> None:
    assert floors({"a": ["b", "d"], "b": ["c"], "c": [], "d": []}) == ["a", "b", "c"]


def test_a_circle_is_one_floor() -> None:
    assert floors({"top": ["a"], "a": ["b"], "b": ["a", "low"], "low": []}) == ["top", "a", "low"]

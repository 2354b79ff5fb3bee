"""Circles and floors of a graph of imports."""

from __future__ import annotations

from collections.abc import Iterable, Mapping


def circles(graph: Mapping[str, Iterable[str]]) -> list[frozenset[str]]:
    """Groups of two or more nodes that all reach each other."""
    reach = {node: _reachable(graph, node) for node in graph}
    found = {
        frozenset(other for other in reach[node] if node in reach.get(other, ())) for node in graph
    }
    return [group for group in found if len(group) > 1]


def _reachable(graph: Mapping[str, Iterable[str]], start: str) -> set[str]:
    seen: set[str] = set()
    waiting = list(graph[start])
    while waiting:
        node = waiting.pop()
        if node not in seen and node in graph:
            seen.add(node)
            waiting.extend(graph[node])
    return seen


def floors(graph: Mapping[str, Iterable[str]]) -> list[str]:
    """The longest chain of imports, top floor first; a circle is one floor, named by one node."""
    group_of: dict[str, str] = {}
    for group in circles(graph):
        group_of |= dict.fromkeys(group, min(group))
    merged: dict[str, set[str]] = {}
    for node, others in graph.items():
        here = group_of.get(node, node)
        into = merged.setdefault(here, set())
        into |= {group_of.get(o, o) for o in others if o in graph} - {here}
    longest: dict[str, list[str]] = {}

    def below(node: str) -> list[str]:
        if node not in longest:
            longest[node] = [node, *max((below(o) for o in merged[node]), key=len, default=[])]
        return longest[node]

    return max((below(node) for node in merged), key=len, default=[])

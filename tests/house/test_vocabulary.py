"""The words of the source tree: one meaning for each name, and Hadoop's name where there is one."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest

from docs.pages import page
from house.tree import Module, modules

WIRE = "the same message of the AM protocol at its two ends; the SDK imports nothing of ours"
SDK = "what the SDK tells an ApplicationMaster of the thing of that name"
PROCESSES = "each process has settings of its own, read from its own environment"

HOMONYMS = {
    "AllocateRequest": SDK,
    "Allocated": WIRE,
    "Ask": WIRE,
    "AskKey": SDK,
    "Completed": WIRE,
    "Container": WIRE,
    "ContainerState": SDK,
    "ContainersAnswer": WIRE,
    "Locality": WIRE,
    "NodeUpdate": WIRE,
    "ProtocolError": WIRE,
    "Rejected": WIRE,
    "RejectedAsk": SDK,
    "Settings": PROCESSES,
    "Update": WIRE,
}

GONE = {
    "adopting": "recovery",
    "avoiding": "node backoff",
    "barred": "blacklisted",
    "barren": "saturated",
    "books": "cache",
    "ceiling": "effective maximum",
    "contrary": "non-transitive",
    "disentitle": "deactivate",
    "doom": "termination",
    "engine": "scheduler",
    "entitled": "activated",
    "fates": "termination",
    "fence": "bind check",
    "forgive": "end a node backoff",
    "grown": "increase",
    "growth": "increase",
    "homeless": "containers of unknown nodes",
    "hunger": "has pending requests",
    "hungry": "has pending requests",
    "lack": "starvation",
    "lane": "fast path",
    "ledger": "the scheduler's state, accounts",
    "lineup": "ordering policy",
    "miscounts": "hadoop_compatible",
    "observing": "observed state",
    "opportunist": "opportunistic",
    "owning": "owner references",
    "parked": "non-runnable",
    "preempter": "preemption",
    "reckon": "update demand",
    "runners": "MaxRunningAppsEnforcer",
    "saying": "condition",
    "sizing": "sizes",
    "speaking": "annotation protocol",
    "stake": "ResourceUsage",
    "straying": "orphaned containers",
    "strays": "orphaned containers",
    "stumbles": "hadoop_compatible",
    "takeable": "preemptable extra",
    "telling": "conditions",
    "tend": "queue management",
    "unreckoned": "dirty",
    "wishes": "spec changes",
}
"""Words that went, and what is said for them; as a word of an identifier they do not come back."""


def test_a_class_name_is_unique_or_has_a_reason() -> None:
    places: dict[str, list[str]] = {}
    for module in modules().values():
        for node in module.nodes:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                places.setdefault(node.name, []).append(module.name.removeprefix("kubeyarn."))
    twice = {name: where for name, where in places.items() if len(where) > 1}

    new = {name: where for name, where in twice.items() if name not in HOMONYMS}
    assert new == {}, "give one of each pair another name"
    assert sorted(HOMONYMS.keys() - twice.keys()) == [], "these are unique now; shorten the list"


@pytest.mark.parametrize("word", sorted(GONE))
def test_a_word_that_went_does_not_come_back(word: str) -> None:
    found = [
        f"{module.place}: {identifier}"
        for module in modules().values()
        for identifier in sorted(set(_identifiers(module)))
        if word in _words(identifier) or word == identifier
    ]

    assert found == [], f"say {GONE[word]}"


def _identifiers(module: Module) -> Iterator[str]:
    yield from module.name.split(".")
    for node in module.nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Attribute):
            yield node.attr
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg):
            yield node.arg


def _words(identifier: str) -> set[str]:
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", identifier)}


COINED = [
    "ask",
    "bound",
    "charged",
    "cycle",
    "dirty",
    "foreign",
    "grant",
    "killable",
    "marked",
    "offer",
    "place",
    "shape",
    "verdict",
]
"""Words of identifiers that are neither Hadoop's nor Kubernetes'; the glossary explains them."""


@pytest.mark.parametrize("word", COINED)
def test_the_glossary_explains_each_coined_word(word: str) -> None:
    explained = [row[0] for row in page("docs/glossary.md").rows("## Words of KubeYARN")]
    identifiers = {name for module in modules().values() for name in _identifiers(module)}

    assert any(word in term.split() for term in explained), "explain it in docs/glossary.md"
    assert any(word in _words(name) for name in identifiers), "it is gone; shorten the list"


@pytest.mark.parametrize("heading", ["KubeYARN", "YARN", "Kubernetes"])
def test_the_glossary_is_sorted_and_explains_each_word_once(heading: str) -> None:
    rows = page("docs/glossary.md").rows(f"## Words of {heading}")
    words = [row[0].casefold() for row in rows]

    assert words == sorted(words)
    assert len(set(words)) == len(words)

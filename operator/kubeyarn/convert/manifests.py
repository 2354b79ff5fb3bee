"""Objects as YAML, each field of a queue's spec under the property it came from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from kubeyarn.convert.converted import Converted

_INDENT = "  "


def manifests(converted: Converted) -> str:
    """The YAML of all objects, with comments; the same conversion is always the same text."""
    documents = []
    for found, path in converted.with_paths():
        spec = found.get("spec")
        head = _yaml({key: value for key, value in found.items() if key != "spec"})
        if spec is None:
            documents.append(head)
            continue
        body = "\n".join(_spec(path, spec, converted.sources))
        documents.append(f"{head}spec:\n{body}\n")
    return "---\n".join(documents)


def _spec(
    queue: str, spec: Mapping[str, Any], sources: Mapping[tuple[str, str], str]
) -> Iterator[str]:
    for field, value in spec.items():
        yield from _field(queue, field, value, sources, 1)


def _field(
    queue: str, at: str, value: Any, sources: Mapping[tuple[str, str], str], depth: int
) -> Iterator[str]:
    """A field's lines: the property in a comment, or, where its parts have their own, these."""
    name = at.rpartition(".")[2]
    source = sources.get((queue, at))
    pad = _INDENT * depth
    if source is None and isinstance(value, Mapping):
        yield f"{pad}{name}:"
        for part, inner in value.items():
            yield from _field(queue, f"{at}.{part}", inner, sources, depth + 1)
        return
    if source is not None:
        yield f"{pad}# {source}"
    for line in _yaml({name: value}).splitlines():
        yield pad + line


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(value), sort_keys=False, allow_unicode=True, width=100)

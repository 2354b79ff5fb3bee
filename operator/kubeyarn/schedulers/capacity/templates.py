"""What templates say of a queue that is made on demand (Hadoop: AutoCreatedQueueTemplate)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.queues import AutoCreate, BranchTemplates, QueueConfig

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_ANY = "*"


def said_by_templates(
    parent: str,
    auto: AutoCreate | None,
    branches: Mapping[str, BranchTemplates],
    *,
    leaf: bool,
) -> QueueConfig:
    """What the templates of *parent* say of a child: its own words, then those with wildcards.

    Of each, what is said for leaves or for parents wins over what is said for both.
    """
    sources: list[AutoCreate | BranchTemplates] = [auto] if auto is not None else []
    depth = auto.maximum_depth if auto is not None else AutoCreate().maximum_depth
    sources += [branches[path] for path in wildcarded(parent, depth) if path in branches]
    specific = [one.leaf_template if leaf else one.parent_template for one in sources]
    return _merged([*specific, *(one.template for one in sources)])


def wildcarded(path: str, depth: int) -> Iterator[str]:
    """*path*, then with its last parts replaced by `*`, one more each time; never root."""
    parts = path.split(".")
    yield path
    for level in range(1, min(len(parts) - 1, depth) + 1):
        parts[-level] = _ANY
        yield ".".join(parts)


def _merged(templates: Sequence[QueueConfig | None]) -> QueueConfig:
    said = QueueConfig("")
    for template in templates:
        if template is not None:
            said = said.over(template)
    return said

"""What the templates of a YarnQueue say of the auto-created queues right below it. Pure.

Those queues are no objects. The scheduler reads their templates whole (`crd.scheduler_config`); the
ResourceManager looks up the two words that it acts on itself, lifetimes and the largest container.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubeyarn.crd.yarn_queue import YarnQueue
from kubeyarn.crd.yarn_queue_cluster import ClusterSpec
from kubeyarn.model.queues import AutoCreateKind, SchedulerKind


def template_words(
    queues: Mapping[str, YarnQueue], path: str, field: str, *, leaf: bool
) -> Iterator[Mapping[str, Any]]:
    """What templates say in *field* of the auto-created queue at *path*, the stronger one first.

    Nothing of a queue that is an object, or whose parent makes none. A template that is no object,
    or a field of it that is none, has a condition on its queue, and says nothing here.
    """
    above = queues.get(path.rpartition(".")[0])
    auto_create = above.spec.auto_create if above is not None else None
    if path in queues or auto_create is None or not auto_create.enabled or _is_fair(queues):
        return
    specific = auto_create.leaf_template if leaf else auto_create.parent_template
    flexible = auto_create.kind is AutoCreateKind.FLEXIBLE
    for template in (specific, auto_create.template) if flexible else (specific,):
        said = template.get(field)
        if isinstance(said, Mapping):
            yield said


def _is_fair(queues: Mapping[str, YarnQueue]) -> bool:
    root = queues.get("root")
    cluster = (root.spec.cluster if root is not None else None) or ClusterSpec()
    return cluster.scheduler is SchedulerKind.FAIR

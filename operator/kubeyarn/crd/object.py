"""A Kubernetes object as the API server sends it: the one untyped value, at the edge.

Custom resources are decoded from it once, by the readers of this room. Pods, nodes and what is
written back stay as they are: their fields are Kubernetes' own, and a merge patch is a piece of
JSON.
"""

from __future__ import annotations

from typing import Any

Object = dict[str, Any]
"""A Kubernetes object, or a part of one, as decoded JSON."""

Key = tuple[str, str]
"""Namespace and name; what is cluster-scoped has the namespace ""."""


def key_of(item: Object) -> Key:
    """The namespace and name of an object."""
    metadata = item["metadata"]
    return metadata.get("namespace") or "", metadata["name"]

"""Status as it is compared and written: what differs, amounts as quantities, times."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from kubeyarn.cluster.merging import replacing
from kubeyarn.crd import quantities
from kubeyarn.crd.object import Object


def changes(status: Mapping[str, Any], wanted: Mapping[str, Any]) -> Object:
    """What of *wanted* is not in *status* yet, as a merge patch."""
    empty: tuple[Any, ...] = (None, "", [], {}, 0)
    return {
        k: replacing(status.get(k), v)
        for k, v in wanted.items()
        if status.get(k) != v and not (v in empty and status.get(k) in empty)
    }


def shown(amounts: Mapping[str, int]) -> dict[str, str]:
    """Amounts as quantities; left out are extended resources that are 0, and what has no limit."""
    return {
        name: quantities.show(name, amount)
        for name, amount in amounts.items()
        if (amount or name in ("cpu", "memory")) and amount < quantities.LARGEST
    }


def timestamp(ms: int | None = None) -> str:
    """Milliseconds since 1970 as Kubernetes writes a time; None: now."""
    time = datetime.now(UTC) if ms is None else datetime.fromtimestamp(ms / 1000, UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")

"""Status as it is compared and written: what differs, amounts as quantities, times."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from kubeyarn.cluster.merging import replacing
from kubeyarn.crd import quantities, times
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


def now() -> str:
    """The time as Kubernetes writes it."""
    return times.timestamp(int(time.time() * 1000))

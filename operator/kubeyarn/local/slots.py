"""Which slot a cluster has: a number that its addresses and names derive from.

A slot is claimed by holding its name (`locking.hold`). The cluster's processes inherit that claim,
so it lasts exactly as long as one of them lives.
"""

from __future__ import annotations

import hashlib
import socket

from kubeyarn.local import locking
from kubeyarn.local.addresses import SLOTS
from kubeyarn.local.errors import LocalClusterError


def claim(name: str, preferred: int | None = None) -> tuple[int, socket.socket]:
    """Claim a free slot, the preferred one or one derived from the name if they are free.

    Raises LocalClusterError when all slots of the machine are taken.
    """
    first = preferred if preferred is not None else _derived(name)
    for offset in range(SLOTS):
        slot = (first + offset) % SLOTS
        held = locking.hold(f"kubeyarn-slot-{slot}")
        if held is not None:
            # The cluster's components keep it: the slot is theirs until the last of them ends.
            held.set_inheritable(True)
            return slot, held
    raise LocalClusterError(
        f"{name}: all {SLOTS} slots for local clusters on this machine are taken;"
        " end one with `kubeyarn cluster down --name NAME`"
    )


def _derived(name: str) -> int:
    # The default cluster gets slot 0, so that its addresses are the ones in the documentation.
    return 0 if name == "kubeyarn" else hashlib.sha256(name.encode()).digest()[0] % SLOTS

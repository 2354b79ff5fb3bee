"""Which slot a cluster has: a number that its addresses and names derive from.

A slot is claimed by binding an abstract Unix socket of its name. The cluster's processes inherit
the socket, so the kernel holds the claim exactly as long as one of them lives: for all users and
all state directories of the machine, and with nothing to clean up after a crash.
"""

from __future__ import annotations

import errno
import hashlib
import socket

from kubeyarn.local.addresses import SLOTS
from kubeyarn.local.errors import LocalClusterError


def claim(name: str, preferred: int | None = None) -> tuple[int, socket.socket]:
    """Claim a free slot, the preferred one or one derived from the name if they are free.

    Raises LocalClusterError when all slots of the machine are taken.
    """
    first = preferred if preferred is not None else _derived(name)
    for offset in range(SLOTS):
        slot = (first + offset) % SLOTS
        held = _bound(slot)
        if held is not None:
            return slot, held
    raise LocalClusterError(
        f"{name}: all {SLOTS} slots for local clusters on this machine are taken;"
        " end one with `kubeyarn cluster down --name NAME`"
    )


def _derived(name: str) -> int:
    # The default cluster gets slot 0, so that its addresses are the ones in the documentation.
    return 0 if name == "kubeyarn" else hashlib.sha256(name.encode()).digest()[0] % SLOTS


def _bound(slot: int) -> socket.socket | None:
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        held.bind(f"\0kubeyarn-slot-{slot}")
    except OSError as error:
        held.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
    held.set_inheritable(True)
    return held

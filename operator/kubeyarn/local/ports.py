"""Ports for programs that have to be told one, and that nobody else takes before they listen.

To ask the kernel for a free port (`bind` to port 0), to close the socket and to hand the number on
is a race: the kernel gives the same number to the next connection or listener of any process. It
takes those numbers from one range (net.ipv4.ip_local_port_range), so this module

1. chooses from the ports outside of that range, which the kernel never hands out;
2. claims a port by binding an abstract Unix socket of its name. The kernel grants each name once on
   the machine, to whatever user, and frees it when the process that holds it ends. So two of our
   processes never choose the same port, and a crash leaves nothing to clean up;
3. passes over a port that some other program listens on, such as a service with a fixed port.

A server that can bind port 0 itself and report its number needs none of this. The control plane's
own parts need it neither: they have fixed ports on loopback addresses of their cluster's slot.
"""

from __future__ import annotations

import errno
import random
import socket
from pathlib import Path

from kubeyarn.local import locking
from kubeyarn.local.errors import LocalClusterError

_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
# Below are ports that well-known programs use by default, and the fixed ones of KubeYARN itself.
_LOWEST, _HIGHEST = 20_000, 65_535

_NAME = "kubeyarn-port"

_held: dict[int, socket.socket] = {}


def claim() -> int:
    """A port on which no other process listens; it is this process's until this process ends.

    Raises:
        LocalClusterError: all ports outside of the kernel's range are taken.
    """
    first, last = ephemeral()
    candidates: list[int] = [*range(_LOWEST, first), *range(last + 1, _HIGHEST + 1)]
    # From anywhere on: processes that start together would otherwise contend for the same ones.
    start = random.randrange(len(candidates) or 1)
    for port in candidates[start:] + candidates[:start]:
        if port in _held or not _is_free(port):
            continue
        held = locking.hold(f"{_NAME}-{port}")
        if held is not None:
            # Kept for the process's life: the claim is the open socket.
            _held[port] = held
            return port
    raise LocalClusterError(
        f"no port is free: of {_LOWEST} to {_HIGHEST} the kernel hands out {first} to {last}"
        f" ({_RANGE}), and the {len(candidates)} others are taken; narrow that range with"
        " `sysctl net.ipv4.ip_local_port_range='32768 60999'`"
    )


def ephemeral() -> tuple[int, int]:
    """The first and last port that the kernel hands out by itself."""
    first, last = _RANGE.read_text().split()
    return int(first), int(last)


def _is_free(port: int) -> bool:
    """Whether a server could listen on it now, on every address of the machine."""
    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            probe = socket.socket(family, socket.SOCK_STREAM)
        except OSError:
            # A machine without IPv6.
            continue
        with probe:
            # As servers do: what an earlier listener's connections left does not stand in the way.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family is socket.AF_INET6:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            try:
                probe.bind((address, port))
            except OSError as error:
                # The other error is that of a machine whose IPv6 has no addresses.
                if error.errno != errno.EADDRNOTAVAIL:
                    return False
    return True

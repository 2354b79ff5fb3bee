"""The network of a cluster with a kubelet: one bridge that has every address on it.

Pods, the node and the Services' cluster IPs are all on the bridge, so a pod reaches them by its
default route and no packet filter or kube-proxy is needed. Nothing leaves the machine.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from kubeyarn.local import shared_directories
from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from kubeyarn.local.addresses import Addresses

_CNI_RESULTS = Path("/var/lib/cni/results")


def create(addresses: Addresses) -> None:
    """Make the bridge with the gateway's, the node's and the API server's address."""
    bridge = addresses.bridge
    # A bridge without an address of its own takes the lowest of its ports'. A new pod would then
    # change it, and every other pod would talk to the old one until its ARP entry runs out.
    ip("link", "add", bridge, "address", addresses.bridge_mac, "type", "bridge")
    for address in (
        f"{addresses.gateway}/{addresses.pods.prefixlen}",
        f"{addresses.node}/32",
        f"{addresses.kubernetes_service}/32",
    ):
        ip("address", "add", address, "dev", bridge)
    ip("link", "set", bridge, "up")


def remove(addresses: Addresses) -> None:
    """Remove the bridge, the pods' devices on it and CNI's notes about them."""
    bridge = addresses.bridge
    ports = Path("/sys/class/net", bridge, "brif")
    # The pods' ends go with their namespaces; ours stay on the bridge when a pod was killed.
    for port in list(ports.iterdir()) if ports.is_dir() else []:
        subprocess.run(["ip", "link", "delete", port.name], capture_output=True, check=False)
    if Path("/sys/class/net", bridge).exists():
        ip("link", "delete", bridge)
    for note in _CNI_RESULTS.glob(f"{network_name(addresses)}-*"):
        note.unlink(missing_ok=True)
    shared_directories.remove_if_empty(_CNI_RESULTS, _CNI_RESULTS.parent)


def network_name(addresses: Addresses) -> str:
    """CNI's name of the pod network."""
    return f"kubeyarn-{addresses.slot}"


def cni(addresses: Addresses, leases: Path) -> str:
    """CNI's settings: the bridge plugin with addresses by host-local, whose notes are ours."""
    first, last = addresses.pods[2], addresses.pods[-2]
    return json.dumps(
        {
            "cniVersion": "1.0.0",
            "name": network_name(addresses),
            "plugins": [
                {
                    "type": "bridge",
                    "bridge": addresses.bridge,
                    "hairpinMode": False,
                    "ipam": {
                        "type": "host-local",
                        "dataDir": str(leases),
                        "ranges": [
                            [
                                {
                                    "subnet": str(addresses.pods),
                                    "rangeStart": str(first),
                                    "rangeEnd": str(last),
                                    "gateway": str(addresses.gateway),
                                }
                            ]
                        ],
                        "routes": [{"dst": "0.0.0.0/0"}],
                    },
                }
            ],
        },
        indent=1,
    )


def ip(*arguments: str) -> None:
    """Run `ip`.

    Raises LocalClusterError with what it said when it fails.
    """
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LocalClusterError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

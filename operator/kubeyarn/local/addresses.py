"""The addresses of each cluster, all derived from the number of its slot."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

SLOTS = 32
# Reserved for benchmarks (RFC 2544), so it collides with no real network.
_RANGE = ipaddress.IPv4Network("198.18.0.0/15")
_LOOPBACK = ipaddress.IPv4Address("127.83.0.1")


@dataclass(frozen=True, slots=True)
class Addresses:
    """What one cluster listens on and hands out; two slots share nothing.

    The API server of a cluster with a kubelet listens on the `kubernetes` Service's own address:
    pods then reach it with no proxy between.
    """

    slot: int
    kubelet: bool

    @property
    def pods(self) -> ipaddress.IPv4Network:
        """The pod network, a /22."""
        return next(self._block.subnets(new_prefix=22))

    @property
    def gateway(self) -> ipaddress.IPv4Address:
        """The bridge's own address in the pod network."""
        return self.pods[1]

    @property
    def node(self) -> ipaddress.IPv4Address:
        """The real node's address."""
        return self._block[1024 + 1]

    @property
    def services(self) -> ipaddress.IPv4Network:
        """The range of cluster IPs, a /21."""
        return list(self._block.subnets(new_prefix=21))[1]

    @property
    def kubernetes_service(self) -> ipaddress.IPv4Address:
        """The cluster IP of the `kubernetes` Service: the range's first."""
        return self.services[1]

    @property
    def loopback(self) -> ipaddress.IPv4Address:
        """What the control plane's inner parts listen on."""
        return _LOOPBACK + 256 * self.slot

    @property
    def api_server(self) -> ipaddress.IPv4Address:
        """What the API server listens on."""
        return self.kubernetes_service if self.kubelet else self.loopback

    @property
    def api_server_port(self) -> int:
        """The API server's port; ports below 1024 are for root, who alone can have a kubelet."""
        return 443 if self.kubelet else 6443

    @property
    def api_server_url(self) -> str:
        """The API server's URL."""
        return f"https://{self.api_server}:{self.api_server_port}"

    @property
    def bridge(self) -> str:
        """The bridge's name."""
        return f"ky{self.slot}"

    @property
    def bridge_mac(self) -> str:
        """The bridge's hardware address: locally administered, made of the gateway's."""
        return ":".join(f"{octet:02x}" for octet in (0x0A, 0x58, *self.gateway.packed))

    @property
    def _block(self) -> ipaddress.IPv4Network:
        return list(_RANGE.subnets(new_prefix=20))[self.slot]

"""Which endpoints stand behind each Service's address and port. Plain values, no I/O."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

Address = tuple[str, int]
_SERVICE_NAME = "kubernetes.io/service-name"


@dataclass(slots=True)
class Routes:
    """The Services and EndpointSlices seen so far, and what follows from them.

    Only TCP ports of Services with a cluster IP count.
    """

    _services: dict[str, dict[Address, str]] = field(default_factory=dict)
    _endpoints: dict[str, dict[str, Endpoints]] = field(default_factory=dict)

    def see_service(self, service: Mapping[str, Any]) -> None:
        """Take in a Service that is new or changed."""
        self._services[_key(service)] = dict(_listening(service["spec"]))

    def forget_service(self, service: Mapping[str, Any]) -> None:
        """Take in that a Service is gone."""
        self._services.pop(_key(service), None)

    def see_slice(self, endpoint_slice: Mapping[str, Any]) -> None:
        """Take in an EndpointSlice that is new or changed."""
        self.forget_slice(endpoint_slice)
        service = _service_of(endpoint_slice)
        if service is not None:
            self._endpoints.setdefault(service, {})[_key(endpoint_slice)] = _ready(endpoint_slice)

    def forget_slice(self, endpoint_slice: Mapping[str, Any]) -> None:
        """Take in that an EndpointSlice is gone."""
        # A deletion may come without the label that told whose slice it was.
        for slices in self._endpoints.values():
            slices.pop(_key(endpoint_slice), None)

    def listening(self) -> set[Address]:
        """Every address and port that some Service promises, with or without endpoints."""
        return {address for ports in self._services.values() for address in ports}

    def behind(self, address: Address) -> list[Address]:
        """The ready endpoints behind a Service's address and port, in a stable order."""
        backends: set[Address] = set()
        for service, ports in self._services.items():
            name = ports.get(address)
            if name is None:
                continue
            for endpoints in self._endpoints.get(service, {}).values():
                backends.update(endpoints.at(name))
        return sorted(backends)


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The ready addresses of one slice and the numbers of its named ports."""

    addresses: tuple[str, ...]
    ports: Mapping[str, int]

    def at(self, port: str) -> Iterable[Address]:
        """The endpoints of a named port; none for a port that the slice does not have."""
        number = self.ports.get(port)
        return () if number is None else [(address, number) for address in self.addresses]


def _listening(spec: Mapping[str, Any]) -> Iterable[tuple[Address, str]]:
    cluster_ip = spec.get("clusterIP") or "None"
    if cluster_ip == "None" or spec.get("type") == "ExternalName":
        return
    for port in spec.get("ports") or ():
        if port.get("protocol", "TCP") == "TCP":
            yield (cluster_ip, port["port"]), port.get("name") or ""


def _ready(endpoint_slice: Mapping[str, Any]) -> Endpoints:
    addresses = [
        address
        for endpoint in endpoint_slice.get("endpoints") or ()
        # Kubernetes: no condition means ready.
        if (endpoint.get("conditions") or {}).get("ready") is not False
        for address in endpoint["addresses"]
    ]
    ports = {
        port.get("name") or "": port["port"]
        for port in endpoint_slice.get("ports") or ()
        if port.get("protocol", "TCP") == "TCP" and port.get("port")
    }
    return Endpoints(tuple(addresses), ports)


def _service_of(endpoint_slice: Mapping[str, Any]) -> str | None:
    metadata = endpoint_slice["metadata"]
    name = (metadata.get("labels") or {}).get(_SERVICE_NAME)
    return f"{metadata['namespace']}/{name}" if name else None


def _key(item: Mapping[str, Any]) -> str:
    metadata = item["metadata"]
    return f"{metadata['namespace']}/{metadata['name']}"

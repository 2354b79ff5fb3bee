"""Makes Services' cluster IPs answer, without kube-proxy: `python -m kubeyarn.local.serviceproxy`.

Every cluster IP becomes an address of the bridge that all pods have their default route to, and
this process listens on it and passes connections on to a ready endpoint. That is enough for the
calls between KubeYARN's parts; what is busy, the API server, has its address to itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import click

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.connection import Connection, Trust
from kubeyarn.cluster.credentials import ClientCertificate
from kubeyarn.cluster.reflecting import DELETED, Reflector
from kubeyarn.cluster.resources import Kind
from kubeyarn.local.routes import Routes

if TYPE_CHECKING:
    from kubeyarn.crd.object import Object
    from kubeyarn.local.routes import Address

_SERVICES = Kind("", "v1", "services", "Service", namespaced=True)
_SLICES = Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", namespaced=True)
_SETTLE_SECONDS = 0.02
_RETRY_SECONDS = 1.0
_CONNECT_SECONDS = 3.0
_CHUNK = 1 << 16


@dataclass(slots=True)
class Device:
    """The network device that carries the cluster IPs; it touches only those of one range."""

    name: str
    range: ipaddress.IPv4Network
    keep: str

    async def addresses(self) -> set[str]:
        """The cluster IPs that are on the device now."""
        shown = json.loads(await _ip("-json", "address", "show", "dev", self.name))
        local = {entry["local"] for link in shown for entry in link.get("addr_info", ())}
        return {address for address in local if self.owns(address)}

    def owns(self, address: str) -> bool:
        """Whether an address is ours to add and remove."""
        # The API server's own cluster IP is on the device by itself and answers without us.
        return address != self.keep and ipaddress.ip_address(address) in self.range

    async def add(self, address: str) -> None:
        """Put an address on the device."""
        await _ip("address", "replace", f"{address}/32", "dev", self.name)

    async def remove(self, address: str) -> None:
        """Take an address off the device."""
        await _ip("address", "delete", f"{address}/32", "dev", self.name)


@dataclass(slots=True)
class Proxy:
    """Listens on what the routes promise and forwards to what stands behind it."""

    device: Device
    routes: Routes = field(default_factory=Routes)
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _servers: dict[Address, asyncio.Server] = field(default_factory=dict)

    def on_service(self, what: str, service: Object) -> None:
        """Take in what happened to a Service."""
        see, forget = self.routes.see_service, self.routes.forget_service
        (forget if what == DELETED else see)(service)
        self.changed.set()

    def on_slice(self, what: str, endpoint_slice: Object) -> None:
        """Take in what happened to an EndpointSlice; connections ask for endpoints as they come."""
        see, forget = self.routes.see_slice, self.routes.forget_slice
        (forget if what == DELETED else see)(endpoint_slice)

    async def run(self) -> None:
        """Keep listening on what the routes promise, until cancelled."""
        while True:
            await self.changed.wait()
            # Events come in bursts: after one, wait for its neighbours.
            await asyncio.sleep(_SETTLE_SECONDS)
            self.changed.clear()
            try:
                await self.settle()
            except OSError as error:
                click.echo(f"not settled, trying again: {error}", err=True)
                asyncio.get_running_loop().call_later(_RETRY_SECONDS, self.changed.set)

    async def settle(self) -> None:
        """Make the device's addresses and the listeners what the routes promise.

        Raises OSError when an address or port could not be had; the others are in place.
        """
        wanted = {entry for entry in self.routes.listening() if self.device.owns(entry[0])}
        # First what goes: a port that moves to another Service has to be free.
        for entry in set(self._servers) - wanted:
            self._servers.pop(entry).close()
        present = await self.device.addresses()
        needed = {address for address, _ in wanted}
        for address in present - needed:
            await self.device.remove(address)
        for address in needed - present:
            await self.device.add(address)
        failures = [await self._listen(entry) for entry in sorted(wanted - set(self._servers))]
        if any(failures):
            raise OSError("; ".join(filter(None, failures)))

    async def _listen(self, address: Address) -> str:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await forward(reader, writer, self.routes.behind(address))

        try:
            self._servers[address] = await asyncio.start_server(serve, *address, limit=_CHUNK)
        except OSError as error:
            return f"{address[0]}:{address[1]}: {error}"
        return ""


async def forward(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, endpoints: list[Address]
) -> None:
    """Pass a connection on to one of the endpoints, whichever answers; close it if none does."""
    upstream = await _connect(endpoints)
    if upstream is None:
        writer.transport.abort()
        return
    try:
        await asyncio.gather(_pump(reader, upstream[1]), _pump(upstream[0], writer))
    except OSError:
        # One side is gone without a goodbye: so is the other, then.
        writer.transport.abort()
        upstream[1].transport.abort()
    finally:
        for each in (writer, upstream[1]):
            each.close()
            with contextlib.suppress(OSError):
                await each.wait_closed()


async def _connect(
    endpoints: list[Address],
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
    # In any order, as kube-proxy spreads connections; the next one when one does not answer.
    for address in random.sample(endpoints, len(endpoints)):
        try:
            async with asyncio.timeout(_CONNECT_SECONDS):
                return await asyncio.open_connection(*address, limit=_CHUNK)
        except OSError:
            continue
    return None


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while chunk := await reader.read(_CHUNK):
        writer.write(chunk)
        await writer.drain()
    # One direction may end before the other: HTTP clients close theirs and wait for the answer.
    if writer.can_write_eof():
        writer.write_eof()


async def _ip(*arguments: str) -> str:
    process = await asyncio.create_subprocess_exec(
        "ip", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complained = await process.communicate()
    if process.returncode != 0:
        raise OSError(f"ip {' '.join(arguments)}: {complained.decode().strip()}")
    return output.decode()


async def serve(connection: Connection, device: Device) -> None:
    """Follow Services and EndpointSlices and forward, until cancelled."""
    client = KubeClient(connection, "kubeyarn-service-proxy")
    proxy = Proxy(device)
    reflectors = (
        Reflector(client, _SERVICES, proxy.on_service),
        Reflector(client, _SLICES, proxy.on_slice),
    )
    async with asyncio.TaskGroup() as group:
        for reflector in reflectors:
            group.create_task(reflector.run())
        for reflector in reflectors:
            await reflector.synced.wait()
        # Also when there is no Service at all: addresses of an earlier run may be left.
        proxy.changed.set()
        group.create_task(proxy.run())


@click.command()
@click.option("--server", required=True, help="The API server's URL.")
@click.option("--authority", required=True, help="The certificate of the cluster's authority.")
@click.option("--certificate", required=True, help="The client certificate.")
@click.option("--key", required=True, help="The client certificate's key.")
@click.option("--device", required=True, help="The device that carries the cluster IPs.")
@click.option("--range", "services", required=True, help="The range of cluster IPs.")
@click.option("--keep", required=True, help="The cluster IP that the API server has itself.")
def main(
    server: str, authority: str, certificate: str, key: str, device: str, services: str, keep: str
) -> None:
    """Make the Services' cluster IPs of a local cluster answer."""
    shown = ClientCertificate(Path(certificate).read_text(), Path(key).read_text())
    connection = Connection(server, trust=Trust(Path(authority).read_text(), certificate=shown))
    owned = Device(device, ipaddress.IPv4Network(services), keep)
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve(connection, owned))


if __name__ == "__main__":
    main()

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
from collections.abc import AsyncIterator
from typing import Any

import pytest

from kubeyarn.cluster.reflecting import ADDED, DELETED, MODIFIED
from kubeyarn.local import ports, serviceproxy
from kubeyarn.local.serviceproxy import Device, Proxy

# Loopback addresses need no device, and these are nobody else's.
ONE, TWO, KEPT = "127.99.0.2", "127.99.0.3", "127.99.0.1"


class FakeIp:
    """Stands in for `ip`: remembers which addresses are on the device."""

    def __init__(self) -> None:
        self.present: set[str] = {KEPT}
        self.refuse: set[str] = set()

    async def __call__(self, *arguments: str) -> str:
        if "show" in arguments:
            entries = ", ".join(f'{{"local": "{each}"}}' for each in sorted(self.present))
            return f'[{{"addr_info": [{entries}]}}]'
        address = arguments[2].partition("/")[0]
        if address in self.refuse:
            raise OSError(f"ip: {address} refused")
        (self.present.add if arguments[1] == "replace" else self.present.discard)(address)
        return ""


@pytest.fixture
def ip(monkeypatch: pytest.MonkeyPatch) -> FakeIp:
    fake = FakeIp()
    monkeypatch.setattr(serviceproxy, "_ip", fake)
    return fake


@pytest.fixture
def proxy(ip: FakeIp) -> Proxy:
    return Proxy(Device("br", ipaddress.IPv4Network("127.99.0.0/24"), KEPT))


@contextlib.asynccontextmanager
async def echo(prefix: str) -> AsyncIterator[int]:
    """A server that sends back what it got, prefixed, once the client has said all; its port."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(prefix.encode() + await reader.read())
        writer.write_eof()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def service(ip: str, port: int, name: str = "web") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "n", "name": name},
        "spec": {"clusterIP": ip, "ports": [{"port": port}]},
    }


def slice_of(*ports: int, name: str = "web") -> dict[str, Any]:
    """A slice whose endpoints all are this machine, at one port."""
    return {
        "metadata": {
            "namespace": "n",
            "name": f"{name}-{ports}",
            "labels": {"kubernetes.io/service-name": name},
        },
        "ports": [{"name": "", "port": port} for port in ports],
        "endpoints": [{"addresses": ["127.0.0.1"]}],
    }


async def say(address: str, port: int, words: bytes) -> bytes:
    reader, writer = await asyncio.open_connection(address, port)
    writer.write(words)
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


async def test_a_connection_to_a_cluster_ip_reaches_the_endpoint_both_ways(proxy: Proxy) -> None:
    port = ports.claim()
    async with echo("got ") as behind:
        proxy.on_service(ADDED, service(ONE, port))
        proxy.on_slice(ADDED, slice_of(behind))
        await proxy.settle()

        large = b"x" * (3 << 20)
        assert await say(ONE, port, b"hello") == b"got hello"
        assert await say(ONE, port, large) == b"got " + large


async def test_new_endpoints_are_used_without_listening_anew(proxy: Proxy) -> None:
    port = ports.claim()
    async with echo("old ") as old, echo("new ") as new:
        proxy.on_service(ADDED, service(ONE, port))
        proxy.on_slice(ADDED, slice_of(old))
        await proxy.settle()
        assert await say(ONE, port, b"?") == b"old ?"

        proxy.on_slice(DELETED, slice_of(old))
        proxy.on_slice(ADDED, slice_of(new))

        assert await say(ONE, port, b"?") == b"new ?"


async def test_an_endpoint_that_does_not_answer_is_passed_over(proxy: Proxy) -> None:
    port, dead = ports.claim(), ports.claim()
    async with echo("") as alive:
        proxy.on_service(ADDED, service(ONE, port))
        proxy.on_slice(ADDED, slice_of(dead, name="web"))
        proxy.on_slice(ADDED, slice_of(alive, name="web"))
        await proxy.settle()

        answers = [await say(ONE, port, b"x") for _ in range(10)]

    assert answers == [b"x"] * 10


async def test_without_endpoints_a_connection_is_refused_at_once(proxy: Proxy) -> None:
    port = ports.claim()
    proxy.on_service(ADDED, service(ONE, port))
    await proxy.settle()

    with pytest.raises(ConnectionResetError):
        await say(ONE, port, b"x")


async def test_a_service_that_moves_or_goes_takes_its_address_with_it(
    proxy: Proxy, ip: FakeIp
) -> None:
    port = ports.claim()
    proxy.on_service(ADDED, service(ONE, port))
    await proxy.settle()
    assert ip.present == {KEPT, ONE}

    proxy.on_service(MODIFIED, service(TWO, port))
    await proxy.settle()
    assert ip.present == {KEPT, TWO}
    with pytest.raises(ConnectionRefusedError):
        await say(ONE, port, b"x")

    proxy.on_service(DELETED, service(TWO, port))
    await proxy.settle()
    assert ip.present == {KEPT}


async def test_addresses_left_by_an_earlier_run_are_removed_and_the_api_servers_is_kept(
    proxy: Proxy, ip: FakeIp
) -> None:
    ip.present |= {TWO, "10.9.9.9"}

    await proxy.settle()

    assert ip.present == {KEPT, "10.9.9.9"}


async def test_the_api_servers_own_address_is_never_listened_on(proxy: Proxy, ip: FakeIp) -> None:
    proxy.on_service(ADDED, service(KEPT, 443, "kubernetes"))

    await proxy.settle()

    assert proxy._servers == {}
    assert ip.present == {KEPT}


async def test_what_could_not_be_had_is_tried_again(
    proxy: Proxy, ip: FakeIp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serviceproxy, "_RETRY_SECONDS", 0.05)
    port = ports.claim()
    ip.refuse = {ONE}
    task = asyncio.create_task(proxy.run())
    proxy.on_service(ADDED, service(ONE, port))
    await asyncio.sleep(0.1)
    assert ONE not in ip.present

    ip.refuse = set()
    await asyncio.sleep(0.5)
    task.cancel()

    assert (ONE, port) in proxy._servers
    assert ip.present == {KEPT, ONE}

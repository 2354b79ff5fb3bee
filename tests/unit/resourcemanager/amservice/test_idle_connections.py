"""Connections on which nothing comes are closed; what is under way goes on."""

from __future__ import annotations

import asyncio

import pytest
from aiohttp import web

from kubeyarn.resourcemanager.amservice import http, idle_connections
from kubeyarn.resourcemanager.amservice.idle_connections import IdleConnections


@pytest.fixture
async def port(monkeypatch):
    monkeypatch.setattr(idle_connections, "_LONGEST_IDLE_S", 0.2)
    monkeypatch.setattr(idle_connections, "_LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(http, "LONGEST_BODY_S", 0.3)
    connections = IdleConnections()

    async def slow(request):
        await asyncio.sleep(float(request.query["s"]))
        return web.Response(text="done")

    async def read(request):
        return web.Response(body=await http._read(request))

    app = web.Application(middlewares=[connections.note, http._errors])
    app.router.add_get("/slow", slow)
    app.router.add_post("/read", read)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    closing = asyncio.create_task(connections.close_for_ever(runner.server))
    yield runner.addresses[0][1]
    closing.cancel()
    await runner.cleanup()


async def said(port, *parts):
    """What comes back on a connection on which *parts* are sent, until it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize("parts", [[], [b"GET /slow?s=0 HTTP/1.1\r\nHo"]], ids=["none", "half"])
async def test_a_connection_without_a_whole_request_is_closed(port, parts):
    assert b"200" not in await said(port, *parts)


async def test_a_connection_is_closed_a_while_after_its_last_request(port):
    answer = await said(port, b"GET /slow?s=0 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200")


async def test_a_request_that_is_being_answered_goes_on(port):
    answer = await said(port, b"GET /slow?s=0.8 HTTP/1.1\r\nHost: x\r\n\r\n")
    assert answer.endswith(b"done")


async def test_a_body_that_does_not_come_is_not_waited_for(port):
    head = b"POST /read HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    answer = await said(port, head, b"{")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"the body did not come within 0.3 s" in answer

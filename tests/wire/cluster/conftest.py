from __future__ import annotations

import asyncio

import pytest

import waiting
from fakeapi import FakeApi
from kubeyarn.cluster import client as client_module


@pytest.fixture
async def api():
    async with FakeApi() as api:
        yield api


@pytest.fixture
async def client(api):
    return api.client()


@pytest.fixture(autouse=True)
def impatient(monkeypatch):
    """Retries come at once; how many there are is what matters here."""
    monkeypatch.setattr(client_module, "_FIRST_PAUSE_S", 0.001)
    monkeypatch.setattr(client_module, "_LONGEST_PAUSE_S", 0.002)


@pytest.fixture(autouse=True)
async def unretrieved():
    """Nothing is said of exceptions that kopf did not retrieve from watchers that it ended.

    It would be said when they are collected as garbage, and to format a traceback then, while
    pytest parses a file, is what CPython 3.11 cannot (its issue 106905).
    """
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)


@pytest.fixture
def until():
    """Wait until something holds."""
    return waiting.until


@pytest.fixture
async def background():
    """Run coroutines until the test ends."""
    tasks = []

    def start(coroutine):
        tasks.append(asyncio.create_task(coroutine))
        return tasks[-1]

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

"""Who may submit where: reviews by the API server, for the queue and those above it."""

from __future__ import annotations

import asyncio

import pytest

from fakeapi import FakeApi
from kubeyarn.scheduler.access_review import AccessReview, AccessReviewer

KEY = ("team-a", "words")
QUEUE = "root.a.x"


class Reviewing:
    """A reviewer whose answers are waited for."""

    def __init__(self, api):
        self.api = api
        self.told = asyncio.Event()
        self.reviewer = AccessReviewer(api.client(), lambda _: self.told.set())
        self.reviewer.queue.start()

    async def answer(self, user, *groups):
        claim = AccessReview(user, groups, QUEUE)
        first = self.reviewer.allows(KEY, claim)
        assert first is None
        async with asyncio.timeout(5):
            await self.told.wait()
        self.told.clear()
        return self.reviewer.allows(KEY, claim)


@pytest.fixture
async def reviewing():
    async with FakeApi() as api:
        reviewing = Reviewing(api)
        yield reviewing
        await reviewing.reviewer.queue.close()


@pytest.mark.parametrize("verb", ["submit", "administer"])
@pytest.mark.parametrize("path", [QUEUE, "root.a", "root"])
async def test_either_right_to_the_queue_or_one_above_it_lets_in(reviewing, verb, path):
    reviewing.api.rights.add(("alice", verb, path))

    assert await reviewing.answer("alice") is True


async def test_a_right_to_a_group_lets_its_members_in(reviewing):
    reviewing.api.rights.add(("etl", "submit", QUEUE))

    assert await reviewing.answer("alice", "dev", "etl") is True
    assert await reviewing.answer("bob", "dev") is False


@pytest.mark.parametrize("path", ["root.b", "root.a.x.y", "root.a.y"])
async def test_a_right_to_another_queue_does_not(reviewing, path):
    reviewing.api.rights.add(("alice", "submit", path))

    assert await reviewing.answer("alice") is False


async def test_an_answer_is_asked_for_once(reviewing):
    reviewing.api.rights.add(("alice", "submit", QUEUE))
    await reviewing.answer("alice")
    before = len(reviewing.api.requests)

    assert reviewing.reviewer.allows(KEY, AccessReview("alice", (), QUEUE)) is True
    assert len(reviewing.api.requests) == before

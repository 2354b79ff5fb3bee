"""Whose tokens are reviewed, how many at a time, and who waits for whom."""

from __future__ import annotations

import asyncio

import pytest

from kubeyarn.model.errors import Unavailable
from kubeyarn.resourcemanager.amservice import authentication
from kubeyarn.resourcemanager.amservice.authentication import NotAuthenticated, PodAuthenticator

GOOD = {
    "authenticated": True,
    "audiences": ["kubeyarn-am"],
    "user": {
        "username": "system:serviceaccount:team-a:default",
        "extra": {
            "authentication.kubernetes.io/pod-name": ["am"],
            "authentication.kubernetes.io/pod-uid": ["am-uid"],
        },
    },
}


class Reviews:
    """The API server's TokenReview: what begins with *good* is; it takes a moment."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.under_way = self.most = 0
        self.held = asyncio.Event()
        self.held.set()

    async def create(self, kind, body):
        token = body["spec"]["token"]
        self.seen.append(token)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        await asyncio.sleep(0.01)
        if not token.startswith("good"):
            await self.held.wait()
        self.under_way -= 1
        return {"status": GOOD if token.startswith("good") else {"authenticated": False}}


@pytest.fixture
def reviews():
    return Reviews()


@pytest.fixture
def door(reviews):
    return PodAuthenticator(reviews, "kubeyarn-am")


@pytest.fixture
def clock(monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(authentication, "_now_s", lambda: now[0])
    return now


async def test_an_unknown_token_is_reviewed_once_in_some_seconds(door, reviews, clock):
    for _ in range(50):
        with pytest.raises(NotAuthenticated):
            await door.authenticate("Bearer forged", "10.0.0.1")
    assert reviews.seen == ["forged"]
    clock[0] += authentication._REFUSED_S + 1
    with pytest.raises(NotAuthenticated):
        await door.authenticate("Bearer forged", "10.0.0.1")
    assert len(reviews.seen) == 2


async def test_one_token_is_under_review_once_however_many_bring_it(door, reviews):
    calls = [door.authenticate("Bearer good", f"10.0.0.{i}") for i in range(100)]
    assert {pod.name for pod in await asyncio.gather(*calls)} == {"am"}
    assert reviews.seen == ["good"]


async def flood(door, count, addresses=50):
    """Callers of many addresses with a token of their own each; how they were answered."""
    calls = [
        asyncio.ensure_future(door.authenticate(f"Bearer forged-{i}", f"10.1.0.{i % addresses}"))
        for i in range(count)
    ]
    await asyncio.sleep(0)
    return calls


async def test_of_a_flood_few_are_reviewed_at_a_time_and_the_rest_is_sent_away(door, reviews):
    calls = await flood(door, 2000)
    answers = [type(e) for e in await asyncio.gather(*calls, return_exceptions=True)]

    assert reviews.most <= authentication._AT_ONCE
    assert answers.count(NotAuthenticated) == len(reviews.seen) <= authentication._MOST_WAITING
    assert answers.count(Unavailable) == 2000 - len(reviews.seen)


async def test_one_address_takes_no_other_one_s_place(door, reviews):
    calls = await flood(door, 500, addresses=1)
    pod = await door.authenticate("Bearer good", "10.0.0.1")
    await asyncio.gather(*calls, return_exceptions=True)

    assert pod.name == "am"
    # At most those few of the flooding address were before it.
    assert reviews.seen.index("good") <= authentication._MOST_OF_ONE


async def test_a_token_that_was_good_is_reviewed_again_beside_a_flood(door, reviews, clock):
    await door.authenticate("Bearer good", "10.0.0.1")
    clock[0] += authentication._TRUSTED_S + 1
    reviews.held.clear()
    calls = await flood(door, 500)
    # It comes through while not one of the flood does.
    await door.authenticate("Bearer good", "10.0.0.1")
    forged = [token for token in reviews.seen if token != "good"]
    assert len(forged) == authentication._AT_ONCE
    reviews.held.set()
    await asyncio.gather(*calls, return_exceptions=True)


async def test_what_is_remembered_of_tokens_is_bounded(door, monkeypatch):
    monkeypatch.setattr(authentication, "_MOST_REMEMBERED", 10)
    for i in range(30):
        with pytest.raises(NotAuthenticated):
            await door.authenticate(f"Bearer forged-{i}", "10.0.0.1")
        await door.authenticate(f"Bearer good-{i}", "10.0.0.1")
    assert (len(door._bad), len(door._good)) == (10, 10)
    assert (len(door._under_review), door._waiting.total()) == (0, 0)


async def test_who_goes_away_takes_the_answer_from_nobody(door, reviews):
    first = asyncio.ensure_future(door.authenticate("Bearer good", "10.0.0.1"))
    second = asyncio.ensure_future(door.authenticate("Bearer good", "10.0.0.1"))
    await asyncio.sleep(0.001)
    first.cancel()
    assert (await second).name == "am"
    assert reviews.seen == ["good"]


@pytest.mark.parametrize(
    ("status", "why"),
    [
        ({"audiences": ["https://kubernetes.default.svc"]}, "not said to be for audience"),
        ({"audiences": None}, "not said to be for audience"),
        ({"user": {**GOOD["user"], "username": "oidc:a:team-a:default"}}, "not bound to a pod"),
        ({"user": {**GOOD["user"], "username": "system:node:team-a:x"}}, "not bound to a pod"),
    ],
    ids=["another audience", "no audience", "another issuer's name", "a node"],
)
def test_only_the_token_of_a_pod_for_this_service_is_taken(status, why):
    class Answers:
        async def create(self, kind, body):
            return {"status": {**GOOD, **status}}

    with pytest.raises(NotAuthenticated, match=why):
        asyncio.run(PodAuthenticator(Answers(), "kubeyarn-am").authenticate("Bearer t", "10.0.0.1"))

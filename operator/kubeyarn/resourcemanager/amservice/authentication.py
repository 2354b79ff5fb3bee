"""Who calls the AM service: a pod's projected token, reviewed by the API server."""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections import Counter
from dataclasses import dataclass
from typing import TypeVar

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.resources import TOKEN_REVIEWS
from kubeyarn.model.errors import Unavailable

_TRUSTED_S = 30.0
_REFUSED_S = 5.0
_MOST_REMEMBERED = 20_000
_AT_ONCE = 4
_AGAIN_AT_ONCE = 8
_MOST_WAITING = 200
# An ApplicationMaster has one token; several may share the address of their node.
_MOST_OF_ONE = 10

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """The pod that a token was made for."""

    namespace: str
    name: str
    uid: str


class NotAuthenticated(Exception):
    """The token is missing, wrong, expired, for another audience, or not bound to a pod."""


class PodAuthenticator:
    """Reviews tokens (Kubernetes: TokenReview), and trusts an answer for a while.

    A token that is good is trusted for half a minute, one that is not for a few seconds. Whoever
    can reach the service can send unknown tokens, and each costs a call of the API server. So these
    calls have a client of their own, few are made at a time, only so many callers wait, and only so
    many of one address. Tokens that were good before are reviewed again beside them: a flood of
    unknown ones does not reach the ApplicationMasters that are served already.
    """

    def __init__(self, client: KubeClient, audience: str) -> None:
        self._client = client
        self._audience = audience
        self._good: dict[bytes, tuple[float, PodIdentity]] = {}
        self._bad: dict[bytes, tuple[float, str]] = {}
        # Calls that review the same token, or will.
        self._under_review: dict[bytes, asyncio.Task[PodIdentity]] = {}
        self._again, self._unknown = asyncio.Semaphore(_AGAIN_AT_ONCE), asyncio.Semaphore(_AT_ONCE)
        self._waiting: Counter[str] = Counter()

    async def authenticate(self, header: str | None, address: str) -> PodIdentity:
        """The pod behind an Authorization header; *address* is where the call comes from.

        Raises:
            NotAuthenticated: with what is wrong and what is needed.
            Unavailable: too many unknown tokens are being reviewed.
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated(
                "Authorization: found no Bearer token, needed: the token in $KUBEYARN_TOKEN_FILE"
            )
        # Not the token itself: what is remembered of it is of no use to whoever reads our memory.
        digest = hashlib.sha256(token.encode()).digest()
        now = _now_s()
        good, bad = self._good.get(digest), self._bad.get(digest)
        if good is not None and now - good[0] < _TRUSTED_S:
            return good[1]
        if bad is not None and now - bad[0] < _REFUSED_S:
            raise NotAuthenticated(bad[1])
        task = self._under_review.get(digest)
        if task is None:
            if good is None:
                self._check_waiting(address)
                self._waiting[address] += 1
            at_once = self._unknown if good is None else self._again
            task = asyncio.create_task(self._examine(token, digest, at_once))
            self._under_review[digest] = task
            task.add_done_callback(lambda done: self._examined(done, digest, address, at_once))
        # Whoever goes away does not take the answer from the others.
        return await asyncio.shield(task)

    def _check_waiting(self, address: str) -> None:
        if self._waiting[address] >= _MOST_OF_ONE or self._waiting.total() >= _MOST_WAITING:
            raise Unavailable(
                f"{self._waiting.total()} unknown tokens are being reviewed, "
                f"{self._waiting[address]} from {address}; try again"
            )

    async def _examine(self, token: str, digest: bytes, at_once: asyncio.Semaphore) -> PodIdentity:
        try:
            async with at_once:
                identity = await self._review(token)
        except NotAuthenticated as error:
            self._good.pop(digest, None)
            _remember(self._bad, digest, (_now_s(), str(error)))
            raise
        _remember(self._good, digest, (_now_s(), identity))
        return identity

    def _examined(
        self,
        done: asyncio.Task[PodIdentity],
        digest: bytes,
        address: str,
        at_once: asyncio.Semaphore,
    ) -> None:
        del self._under_review[digest]
        if at_once is self._unknown:
            self._waiting -= Counter({address: 1})
        if not done.cancelled():
            # Whoever asked has it, or has gone away.
            done.exception()

    async def _review(self, token: str) -> PodIdentity:
        body = {
            "apiVersion": TOKEN_REVIEWS.api_version,
            "kind": TOKEN_REVIEWS.kind,
            "spec": {"token": token, "audiences": [self._audience]},
        }
        status = (await self._client.create(TOKEN_REVIEWS, body)).get("status") or {}
        if not status.get("authenticated"):
            raise NotAuthenticated(
                "Authorization: the token is not valid for audience "
                f"{self._audience!r}: {status.get('error') or 'refused'}; read it again from "
                "$KUBEYARN_TOKEN_FILE, it is renewed from time to time"
            )
        # An authenticator that knows nothing of audiences answers without (TokenReviewStatus).
        if self._audience not in (status.get("audiences") or ()):
            raise NotAuthenticated(
                f"Authorization: the token is not said to be for audience {self._audience!r}; "
                "needed: the projected token of the ApplicationMaster's pod, in "
                "$KUBEYARN_TOKEN_FILE"
            )
        user = status.get("user") or {}
        extra = user.get("extra") or {}
        pod = (extra.get("authentication.kubernetes.io/pod-name") or [""])[0]
        uid = (extra.get("authentication.kubernetes.io/pod-uid") or [""])[0]
        account = str(user.get("username") or "").split(":")
        # system:serviceaccount:<namespace>:<name>: a token of a person, or of an account without a
        # pod, is valid for the API server and speaks for no ApplicationMaster.
        if not pod or len(account) != 4 or account[:2] != ["system", "serviceaccount"]:
            raise NotAuthenticated(
                "Authorization: the token is not bound to a pod; needed: the projected token of "
                "the ApplicationMaster's pod"
            )
        return PodIdentity(account[2], pod, uid)


def _remember(known: dict[bytes, Answer], digest: bytes, answer: Answer) -> None:
    """Keep an answer; the oldest ones go where there are too many."""
    # Taken out and put in again: the one that was reviewed longest ago goes first.
    known.pop(digest, None)
    while len(known) >= _MOST_REMEMBERED:
        del known[next(iter(known))]
    known[digest] = answer


def _now_s() -> float:
    return time.monotonic()

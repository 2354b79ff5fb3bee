"""Who calls the AM service: a pod's projected token, reviewed by the API server."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.resources import TOKEN_REVIEWS

_TRUSTED_S = 30.0
_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class PodIdentity:
    """The pod that a token was made for."""

    namespace: str
    name: str
    uid: str


class NotAuthenticated(Exception):
    """The token is missing, wrong, expired, for another audience, or not bound to a pod."""


class PodAuthenticator:
    """Reviews tokens (Kubernetes: TokenReview) and trusts an answer for half a minute."""

    def __init__(self, client: KubeClient, audience: str) -> None:
        self._client = client
        self._audience = audience
        self._trusted: dict[bytes, tuple[float, PodIdentity]] = {}

    async def authenticate(self, header: str | None) -> PodIdentity:
        """The pod behind an Authorization header.

        Raises:
            NotAuthenticated: with what is wrong and what is needed.
        """
        scheme, _, token = (header or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise NotAuthenticated(
                "Authorization: found no Bearer token, needed: the token in $KUBEYARN_TOKEN_FILE"
            )
        digest = hashlib.sha256(token.encode()).digest()
        known = self._trusted.get(digest)
        now = time.monotonic()
        if known is not None and now - known[0] < _TRUSTED_S:
            return known[1]
        identity = await self._review(token)
        if len(self._trusted) >= _MOST_REMEMBERED:
            self._trusted.clear()
        self._trusted[digest] = (now, identity)
        return identity

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
        user = status.get("user") or {}
        extra = user.get("extra") or {}
        pod = (extra.get("authentication.kubernetes.io/pod-name") or [""])[0]
        uid = (extra.get("authentication.kubernetes.io/pod-uid") or [""])[0]
        account = str(user.get("username") or "").split(":")
        if not pod or len(account) != 4:
            raise NotAuthenticated(
                "Authorization: the token is not bound to a pod; needed: the projected token of "
                "the ApplicationMaster's pod"
            )
        return PodIdentity(account[2], pod, uid)

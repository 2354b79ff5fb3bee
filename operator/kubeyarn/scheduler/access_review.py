"""Who may submit where, as Kubernetes' roles say it: asked of the API server, never guessed.

The verbs `submit` and `administer` on `yarnqueues/<path>` are Hadoop's SUBMIT_APPLICATIONS and
ADMINISTER_QUEUE: either lets in, and a right to a queue is a right to all below it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.resources import ACCESS_REVIEWS, QUEUES
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.crd.object import Key, Object
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.model.applications import Application
from kubeyarn.model.errors import AccessDenied

SUBMIT, ADMINISTER = "submit", "administer"
_TRUSTED_S = 10.0
_MOST_REMEMBERED = 20_000


@dataclass(frozen=True, slots=True)
class AccessReview:
    """A user, a member of *groups*, who wants something of *queue*; one of *verbs* allows it."""

    user: str
    groups: tuple[str, ...]
    queue: str
    verbs: tuple[str, ...] = (SUBMIT, ADMINISTER)


Allows = Callable[[Key, AccessReview], bool | None]
"""Whether a user may do something with a queue, asked for an application; None: being asked."""


def denied(review: AccessReview) -> AccessDenied:
    """The answer to a user who may not submit, with what to do."""
    who = f"user {review.user}" if review.user else "an application without spec.user"
    return AccessDenied(
        review.queue,
        f"{who} may not submit to {review.queue}, allowed: users with the verb submit or "
        f"administer on the YarnQueue {review.queue} or one above it; ask for that right, or name "
        "another queue",
    )


def groups_of(yarn_application: YarnApplication, application: Application) -> tuple[str, ...]:
    """A user's groups as roles are bound to them: also Kubernetes' own, as the request had them."""
    own = (group for group in yarn_application.spec.user_groups if group.startswith("system:"))
    return tuple(sorted({*own, *application.groups}))


class AccessReviewer:
    """Asks the API server who may submit where, and trusts an answer for a while.

    Source: Kubernetes SubjectAccessReview. Answers are kept for ten seconds, so that a user who
    submits a hundred applications is asked about once, and a right taken away holds soon.

    `again` is called with the key of whoever asked once there is an answer. Nobody is let in
    without one.
    """

    def __init__(self, client: KubeClient, again: Callable[[Key], None]) -> None:
        self._client = client
        self._again = again
        self._known: dict[AccessReview, tuple[float, bool]] = {}
        self._waiting: dict[AccessReview, set[Key]] = {}
        self.queue: WorkQueue[AccessReview] = WorkQueue(self._review, settle_s=0.0)

    def allows(self, key: Key, review: AccessReview) -> bool | None:
        """Whether the user may; None: not known yet, and being asked."""
        known = self._known.get(review)
        if known is not None and time.monotonic() - known[0] < _TRUSTED_S:
            return known[1]
        self._waiting.setdefault(review, set()).add(key)
        self.queue.add(review)
        return None

    async def _review(self, review: AccessReview) -> None:
        allowed = await self._is_allowed(review)
        if len(self._known) >= _MOST_REMEMBERED:
            self._known.clear()
        self._known[review] = (time.monotonic(), allowed)
        for key in sorted(self._waiting.pop(review, ())):
            self._again(key)

    async def _is_allowed(self, review: AccessReview) -> bool:
        path = review.queue
        while path:
            for verb in review.verbs:
                if await self._ask(review, verb, path):
                    return True
            path = path.rpartition(".")[0]
        return False

    async def _ask(self, review: AccessReview, verb: str, path: str) -> bool:
        body = review_body(review, verb, path)
        status = (await self._client.create(ACCESS_REVIEWS, body)).get("status") or {}
        return bool(status.get("allowed"))


def review_body(review: AccessReview, verb: str, path: str) -> Object:
    """The question whether a user may do *verb* with the queue *path*."""
    about: dict[str, Any] = {
        "group": QUEUES.group,
        "version": QUEUES.version,
        "resource": QUEUES.plural,
        "name": path,
        "verb": verb,
    }
    spec = {"user": review.user, "groups": list(review.groups), "resourceAttributes": about}
    return {
        "apiVersion": ACCESS_REVIEWS.api_version,
        "kind": ACCESS_REVIEWS.kind,
        "spec": spec,
    }

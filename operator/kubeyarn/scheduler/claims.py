"""What a user claims who submits an application: to have a right to its queue."""

from __future__ import annotations

from dataclasses import dataclass

from kubeyarn.crd.object import Object
from kubeyarn.model.applications import Application
from kubeyarn.model.errors import AccessDenied


@dataclass(frozen=True, slots=True)
class Claim:
    """A user, a member of *groups*, who wants to submit to *queue*."""

    user: str
    groups: tuple[str, ...]
    queue: str


def denied(claim: Claim) -> AccessDenied:
    """What a user is told whose claim is not good, with what to do."""
    who = f"user {claim.user}" if claim.user else "an application without spec.user"
    return AccessDenied(
        claim.queue,
        f"{who} may not submit to {claim.queue}, allowed: users with the verb submit or "
        f"administer on the YarnQueue {claim.queue} or one above it; ask for that right, or name "
        "another queue",
    )


def groups_of(found: Object, application: Application) -> tuple[str, ...]:
    """A user's groups as roles are bound to them: also Kubernetes' own, as the request had them."""
    said = (found.get("spec") or {}).get("userGroups") or ()
    own = (str(group) for group in said if str(group).startswith("system:"))
    return tuple(sorted({*own, *application.groups}))

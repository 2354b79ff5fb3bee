"""ApplicationMasters that run elsewhere: the tokens that they speak with.

A pod has its service-account token; a program elsewhere has none. The ResourceManager makes one up,
writes it into a Secret that the application owns, and keeps only its digest, in the application's
status: it needs to read no Secret, and the token is worth nothing once the application has ended.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass

from kubeyarn.cluster import names
from kubeyarn.crd.object import Object
from kubeyarn.resourcemanager.pods.pod_builder import Owner, owner_reference

_PREFIX = "kubeyarn-am"


@dataclass(frozen=True, slots=True)
class MasterToken:
    """A token that says which application it speaks for; *text* is all of it."""

    namespace: str
    application: str
    text: str

    @property
    def digest(self) -> str:
        """What is stored of it. It is too long to be guessed, so a plain hash is enough."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def made(namespace: str, application: str) -> MasterToken:
    """A new token of an application."""
    text = "~".join((_PREFIX, namespace, application, secrets.token_urlsafe(32)))
    return MasterToken(namespace, application, text)


def read(header: str | None) -> MasterToken | None:
    """The token in an Authorization header; None when it is of another kind."""
    scheme, _, text = (header or "").partition(" ")
    parts = text.strip().split("~")
    if scheme.lower() != "bearer" or len(parts) != 4 or parts[0] != _PREFIX:
        return None
    return MasterToken(parts[1], parts[2], text.strip())


def fits(token: MasterToken, application: Object) -> bool:
    """Whether it is the token of this very application."""
    known = ((application.get("status") or {}).get("unmanagedAM") or {}).get("tokenDigest") or ""
    return bool(known) and hmac.compare_digest(token.digest, known)


def secret(owner: Owner, token: MasterToken, am_service: str) -> Object:
    """The Secret that hands *token* to whoever may read it.

    Its keys are what `kubeyarn.am` wants in its environment: the token's file and the address.
    """
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "generateName": f"{owner.name[:200]}-am-token-",
            "namespace": owner.namespace,
            "labels": {
                names.APPLICATION: owner.name[: names.LONGEST_LABEL].rstrip("-."),
                "app.kubernetes.io/managed-by": "kubeyarn",
            },
            "ownerReferences": [owner_reference(owner)],
        },
        "stringData": {"token": token.text, "KUBEYARN_RM": am_service},
        "immutable": True,
    }

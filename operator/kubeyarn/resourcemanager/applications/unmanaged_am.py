"""ApplicationMasters that run elsewhere (Hadoop: unmanaged AM), and their tokens.

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
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.resources import APPLICATIONS, SECRETS
from kubeyarn.crd.object import Key, Object
from kubeyarn.crd.yarn_application import YarnApplication

_PREFIX = "kubeyarn-am"


@dataclass(frozen=True, slots=True)
class AMToken:
    """A token that says which application it speaks for; *text* is all of it."""

    namespace: str
    application: str
    text: str

    @property
    def digest(self) -> str:
        """What is stored of it. It is too long to be guessed, so a plain hash is enough."""
        return hashlib.sha256(self.text.encode()).hexdigest()


def new_token(namespace: str, application: str) -> AMToken:
    """A new token of an application."""
    text = "~".join((_PREFIX, namespace, application, secrets.token_urlsafe(32)))
    return AMToken(namespace, application, text)


def read_token(header: str | None) -> AMToken | None:
    """The token in an Authorization header; None when it is of another kind."""
    scheme, _, text = (header or "").partition(" ")
    parts = text.strip().split("~")
    if scheme.lower() != "bearer" or len(parts) != 4 or parts[0] != _PREFIX:
        return None
    return AMToken(parts[1], parts[2], text.strip())


def matches(token: AMToken, application: YarnApplication) -> bool:
    """Whether it is the token of this very application."""
    known = _digest(application)
    return bool(known) and hmac.compare_digest(token.digest, known)


def secret(application: YarnApplication, token: AMToken, am_service: str) -> Object:
    """The Secret that hands *token* to whoever may read it.

    Its keys are what `kubeyarn.am` wants in its environment: the token's file and the address.
    """
    meta = application.metadata
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            # Nobody else knows the name before: a Secret that somebody made under it would be
            # handed out.
            "generateName": f"{meta.name[:200]}-am-token-",
            "namespace": meta.namespace,
            "labels": {
                names.APPLICATION: meta.name[: names.LONGEST_LABEL].rstrip("-."),
                "app.kubernetes.io/managed-by": "kubeyarn",
            },
            "ownerReferences": [APPLICATIONS.owner_reference(meta.name, meta.uid)],
        },
        "stringData": {"token": token.text, "KUBEYARN_RM": am_service},
        "immutable": True,
    }


async def hand_token(
    client: KubeClient, key: Key, application: YarnApplication, am_service: str
) -> Object | None:
    """Hand an unmanaged AM its token, once; returns what goes into its application's status.

    None: it has its token. A Secret whose token was not noted in the status before a crash is worth
    nothing and goes with the application.
    """
    if _digest(application):
        return None
    token = new_token(*key)
    # The Secret first: a digest in the status whose token nobody has would lock the AM out for
    # good.
    created = await client.create(SECRETS, secret(application, token, am_service), key[0])
    return {"secret": created["metadata"]["name"], "tokenDigest": token.digest}


def _digest(application: YarnApplication) -> str:
    """The digest of the token that the application's AM has; "" before it has one."""
    unmanaged = application.status.unmanaged_am
    return unmanaged.token_digest if unmanaged is not None else ""

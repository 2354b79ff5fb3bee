"""What proves to an API server who we are: one class for each kind of credential.

Theory of operation. A credential answers two questions. `authorization` is asked before every
request, so whatever rotates is read or fetched in time: a token file is read each time, a plugin or
an identity provider is asked again shortly before what it gave expires. `renew` is asked after the
API server has answered 401: it says whether there is something new to try, so a token that was
revoked before it expired costs one refused request and no restart. Only one renewal runs at a time,
and those who waited for it use its result instead of asking once more.

Nothing here blocks the event loop but the reading of small files: a plugin that opens a browser
must not make this process miss the renewal of its Lease.

Source of the rules: Kubernetes' client-go, `rest.Config`, `plugin/pkg/client/auth/{exec,oidc}`.
"""

from __future__ import annotations

import asyncio
import base64
import os
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import msgspec

from kubeyarn.model.errors import Unavailable

EXEC_VERSIONS = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")

# What expires this soon is renewed first: a request takes its time, and clocks differ.
_EARLY_S = 30.0
# A person may have to log in.
_LONGEST_RUN_S = 120.0
_LONGEST_CALL_S = 30.0


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """A certificate and its key, both PEM."""

    certificate: str
    key: str


class Credentials(Protocol):
    """How requests are authorized."""

    async def authorization(self) -> str | None:
        """The Authorization header of a request that is made now, None for none.

        Raises:
            Unavailable: there is no credential now; a later attempt may succeed.
        """

    async def renew(self, refused: str | None) -> bool:
        """Whether the API server, which answered 401 to *refused*, should be asked once more."""

    def certificate(self) -> ClientCertificate | None:
        """The client certificate that these credentials fetched; one of a file is not told here."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A header that never changes: a token or a password of a kubeconfig, or nothing at all."""

    header: str | None = None

    async def authorization(self) -> str | None:
        """The header."""
        return self.header

    async def renew(self, refused: str | None) -> bool:
        """There is nothing else to try."""
        return False

    def certificate(self) -> ClientCertificate | None:
        """None."""
        return None


def bearer(token: str) -> Fixed:
    """A token that does not change."""
    return Fixed(f"Bearer {token}")


def basic(user: str, password: str) -> Fixed:
    """A user's name and password (RFC 7617)."""
    return Fixed("Basic " + base64.b64encode(f"{user}:{password}".encode()).decode())


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A token in a file that somebody else replaces, such as a pod's projected token."""

    path: Path

    async def authorization(self) -> str | None:
        """The token that the file has now.

        Raises:
            Unavailable: it cannot be read, or is empty.
        """
        return f"Bearer {self._read()}"

    async def renew(self, refused: str | None) -> bool:
        """Whether the file has another token by now."""
        return refused != f"Bearer {self._read()}"

    def certificate(self) -> ClientCertificate | None:
        """None."""
        return None

    def _read(self) -> str:
        try:
            token = self.path.read_text().strip()
        except OSError as error:
            raise Unavailable(f"token file {self.path}: {error.strerror}") from error
        if not token:
            raise Unavailable(f"token file {self.path} is empty")
        return token


@dataclass(frozen=True, slots=True)
class _Fetched:
    """What a plugin or an identity provider gave; *expires* in seconds since 1970, if it does."""

    header: str | None
    certificate: ClientCertificate | None = None
    expires: float | None = None

    def fresh(self) -> bool:
        return self.expires is None or time.time() < self.expires - _EARLY_S


@dataclass(slots=True)
class _Fetching:
    """Credentials that are fetched on demand and kept until they expire or are refused."""

    _kept: _Fetched | None = field(default=None, init=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, init=False)

    async def authorization(self) -> str | None:
        """The header of what was fetched, which is fetched again shortly before it expires."""
        kept = self._kept
        if kept is None or not kept.fresh():
            async with self._turn:
                kept = self._kept
                if kept is None or not kept.fresh():
                    kept = self._kept = await self._fetch()
        return kept.header

    async def renew(self, refused: str | None) -> bool:
        """Whether what was fetched since differs from what was refused."""
        async with self._turn:
            # Calls that were refused together wait for one renewal and not for one each.
            before = self._kept
            if before is None or before.header != refused:
                # Somebody has renewed them since.
                return True
            self._kept = await self._fetch()
        return (self._kept.header, self._kept.certificate) != (before.header, before.certificate)

    def certificate(self) -> ClientCertificate | None:
        """The certificate that was fetched."""
        return self._kept.certificate if self._kept else None

    async def _fetch(self) -> _Fetched:
        raise NotImplementedError


@dataclass(slots=True)
class ExecPlugin(_Fetching):
    """A program that prints an ExecCredential (Kubernetes: client-go credential plugins).

    Args:
        command: the program and its arguments.
        environment: variables added to our own.
        version: the apiVersion that it speaks.
        cluster: what it is told of the cluster, None to tell nothing.
        directory: where it runs.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    version: str
    cluster: Mapping[str, Any] | None
    directory: Path
    hint: str = ""

    async def _fetch(self) -> _Fetched:
        spec: dict[str, Any] = {"interactive": False}
        if self.cluster is not None:
            spec["cluster"] = dict(self.cluster)
        info = {"apiVersion": self.version, "kind": "ExecCredential", "spec": spec}
        variables = {"KUBERNETES_EXEC_INFO": msgspec.json.encode(info).decode()}
        try:
            async with asyncio.timeout(_LONGEST_RUN_S):
                return self._read(await self._run(variables))
        except TimeoutError:
            raise self._failed(f"has not ended within {_LONGEST_RUN_S:g} s") from None

    async def _run(self, variables: Mapping[str, str]) -> bytes:
        """What the plugin prints; it is never asked anything, because nobody is there to answer."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                cwd=self.directory,
                env={**os.environ, **self.environment, **variables},
            )
        except OSError as error:
            hint = f"; {self.hint}" if self.hint else ""
            raise self._failed(f"cannot be run: {error.strerror}{hint}") from error
        try:
            printed, complained = await process.communicate()
        finally:
            # Cancelled or out of time: communicate() leaves the process running.
            if process.returncode is None:
                process.kill()
        if process.returncode:
            words = complained.decode(errors="replace").strip()[-500:]
            raise self._failed(f"ended with status {process.returncode}: {words}")
        return printed

    def _read(self, printed: bytes) -> _Fetched:
        """The credential that a plugin printed (client.authentication.k8s.io: ExecCredential)."""
        try:
            answer = msgspec.json.decode(printed, type=_ExecCredential)
        except msgspec.MsgspecError as error:
            raise self._failed(f"printed no ExecCredential: {error}") from error
        # client-go refuses it, too: a plugin that answers in another version means something else
        # by it.
        if answer.api_version != self.version:
            raise self._failed(f"printed apiVersion {answer.api_version!r}, asked: {self.version}")
        status, pair = answer.status, None
        if status.certificate and status.key:
            pair = ClientCertificate(status.certificate, status.key)
        if not status.token and pair is None:
            raise self._failed(
                "printed neither status.token nor status.clientCertificateData with clientKeyData"
            )
        return _Fetched(
            f"Bearer {status.token}" if status.token else None,
            pair,
            status.expires.timestamp() if status.expires else None,
        )

    def _failed(self, what: str) -> Unavailable:
        return Unavailable(f"credential plugin {self.command[0]} {what}")


class _ExecStatus(msgspec.Struct):
    token: str = ""
    certificate: str = msgspec.field(default="", name="clientCertificateData")
    key: str = msgspec.field(default="", name="clientKeyData")
    expires: datetime | None = msgspec.field(default=None, name="expirationTimestamp")


class _ExecCredential(msgspec.Struct):
    api_version: str = msgspec.field(name="apiVersion")
    status: _ExecStatus


@dataclass(slots=True)
class OpenIdConnect(_Fetching):
    """An identity token, and the refresh token that gets the next one (auth-provider `oidc`).

    Args:
        config: the auth-provider's `config`.
        keep: called with the tokens that a refresh brought. Providers may allow each refresh token
            once, so what is not kept locks out the next process of this user.
    """

    config: Mapping[str, str]
    keep: Callable[[Mapping[str, str]], None]

    def __post_init__(self) -> None:
        token = self.config.get("id-token")
        if token:
            self._kept = _Fetched(f"Bearer {token}", expires=_expiry(token))

    async def renew(self, refused: str | None) -> bool:
        """Whether a refresh brought another token; without a refresh token there is none."""
        return bool(self.config.get("refresh-token")) and await _Fetching.renew(self, refused)

    async def _fetch(self) -> _Fetched:
        issuer = self.config.get("idp-issuer-url", "").rstrip("/")
        if not self.config.get("refresh-token") or not issuer:
            raise Unavailable(
                "the kubeconfig's auth-provider oidc has an id-token that is missing or has expired"
                " and no refresh-token with idp-issuer-url to get another: log in again"
            )
        timeout = aiohttp.ClientTimeout(total=_LONGEST_CALL_S)
        connector = aiohttp.TCPConnector(ssl=self._tls())
        try:
            async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
                answer = await self._refresh(session, issuer)
        except (aiohttp.ClientError, TimeoutError, ValueError) as error:
            why = str(error) or type(error).__name__
            raise Unavailable(f"identity provider {issuer}: {why}") from error
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise Unavailable(f"identity provider {issuer}: its answer has no id_token")
        brought = {"id-token": token}
        if isinstance(answer.get("refresh_token"), str):
            brought["refresh-token"] = answer["refresh_token"]
        # Before it is kept: the provider has taken the old refresh token back, whether the file can
        # be written or not.
        self.config = {**self.config, **brought}
        self.keep(brought)
        return _Fetched(f"Bearer {token}", expires=_expiry(token))

    async def _refresh(self, session: aiohttp.ClientSession, issuer: str) -> dict[str, Any]:
        async with session.get(f"{issuer}/.well-known/openid-configuration") as discovery:
            discovery.raise_for_status()
            endpoint = (await discovery.json(content_type=None))["token_endpoint"]
        user, secret = self.config.get("client-id", ""), self.config.get("client-secret", "")
        form = {"grant_type": "refresh_token", "refresh_token": self.config["refresh-token"]}
        headers = {}
        # A public client has no secret and says who it is in the form (RFC 6749, 2.3.1 and 3.2.1).
        if secret:
            headers["Authorization"] = basic(user, secret).header or ""
        else:
            form["client_id"] = user
        async with session.post(endpoint, data=form, headers=headers) as made:
            made.raise_for_status()
            answer: dict[str, Any] = await made.json(content_type=None)
            return answer

    def _tls(self) -> ssl.SSLContext:
        data = self.config.get("idp-certificate-authority-data")
        return ssl.create_default_context(
            cafile=None if data else self.config.get("idp-certificate-authority"),
            cadata=base64.b64decode(data).decode() if data else None,
        )


def _expiry(token: str) -> float | None:
    """When a JSON web token expires, in seconds since 1970; None if it does not say.

    Its signature is for the API server to check.
    """
    try:
        payload = token.split(".")[1]
        claims = msgspec.json.decode(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return float(claims["exp"])
    except (IndexError, ValueError, KeyError, TypeError):
        return None

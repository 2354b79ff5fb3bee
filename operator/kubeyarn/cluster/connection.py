"""How to reach an API server: from inside a pod, or through a kubeconfig.

Theory of operation. Whoever speaks to the API server does it through an aiohttp session that
`Connection.session` makes: our own client, the execution of commands in pods, and kopf. So address,
trust and credentials are decided in one place, and what works for one works for all. The session
authorizes each request when it is made, and asks once more with renewed credentials when the API
server answers 401.

A client certificate belongs to a connection, not to a request, and connections are kept open. So
when an exec plugin brings a new certificate, `tls` gives a new TLS context: aiohttp never reuses a
connection that was made with another context. Whoever keeps a session passes `tls` with each
request, or makes a new session after a 401.
"""

from __future__ import annotations

import os
import ssl
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from kubeyarn.cluster.credentials import ClientCertificate, Credentials, Fixed, TokenFile

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Trust:
    """What a TLS connection checks and shows.

    Args:
        authority: certificates in PEM that the server's must come from; None for the system's.
        verify: whether the server's certificate is checked at all.
        name: what it must be for, if not the host of the server's URL.
        certificate: the client certificate.
    """

    authority: str | None = None
    verify: bool = True
    name: str = ""
    certificate: ClientCertificate | None = None

    def context(self, fetched: ClientCertificate | None = None) -> ssl.SSLContext:
        """A TLS context that shows *fetched*, or else our own certificate.

        Raises:
            ssl.SSLError: a certificate or key is malformed, or they do not match.
        """
        tls = ssl.create_default_context(cadata=self.authority)
        if not self.verify:
            tls.check_hostname = False
            tls.verify_mode = ssl.CERT_NONE
        if certificate := fetched or self.certificate:
            # The ssl module reads a key from a file only; this one is its owner's and soon gone.
            with tempfile.NamedTemporaryFile("w", suffix=".pem") as pair:
                pair.write(f"{certificate.certificate}\n{certificate.key}\n")
                pair.flush()
                tls.load_cert_chain(pair.name)
        return tls


class Connection:
    """An API server's address and how to prove who we are.

    Args:
        server: its URL, without a slash at the end.
        credentials: what authorizes requests.
        trust: what TLS checks and shows.
        namespace: the context's, or the pod's own.
        proxy: the URL of an HTTP proxy.
        headers: sent with every request.
    """

    def __init__(
        self,
        server: str,
        credentials: Credentials | None = None,
        trust: Trust | None = None,
        *,
        namespace: str = "default",
        proxy: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.server = server
        self.namespace = namespace
        self._credentials = credentials or Fixed()
        self._trust = trust or Trust()
        self._proxy = proxy
        self._headers = dict(headers or {})
        self._shown: ClientCertificate | None = None
        self._context = self._trust.context() if server.startswith("https:") else None

    async def tls(self) -> ssl.SSLContext | bool:
        """What a request that begins now passes as `ssl`: the context of the current certificate.

        Raises:
            Unavailable: there are no credentials now.
        """
        if self._context is None:
            return True
        await self._credentials.authorization()
        fetched = self._credentials.certificate()
        if fetched != self._shown:
            self._shown, self._context = fetched, self._trust.context(fetched)
        return self._context

    def session(
        self,
        user_agent: str,
        tls: ssl.SSLContext | bool = True,
        middlewares: Sequence[aiohttp.ClientMiddlewareType] = (),
    ) -> aiohttp.ClientSession:
        """An HTTP session whose requests to the API server are authorized.

        *tls* is for requests that do not pass their own; *middlewares* see each request and its
        final answer.
        """
        return aiohttp.ClientSession(
            # No limit here: the client bounds its own calls, and watches are open all the time.
            connector=aiohttp.TCPConnector(ssl=tls, limit=0, keepalive_timeout=75),
            headers={"User-Agent": user_agent, "Accept": "application/json", **self._headers},
            middlewares=(*middlewares, self._authorize),
            proxy=self._proxy,
        )

    async def _authorize(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        header = await self._credentials.authorization()
        self._prepare(request, header)
        response = await handler(request)
        if response.status != 401 or not await self._credentials.renew(header):
            return response
        if self._credentials.certificate() is not None:
            # It is for another connection to show.
            return response
        # Its connection goes back to the pool before it is asked again.
        response.release()
        self._prepare(request, await self._credentials.authorization())
        return await handler(request)

    def _prepare(self, request: aiohttp.ClientRequest, header: str | None) -> None:
        if header is not None:
            request.headers.update(Authorization=header)
        if self._trust.name:
            request.server_hostname = self._trust.name


def connect(kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """The connection that *kubeconfig*, $KUBECONFIG, the pod or ~/.kube/config gives.

    Raises:
        SpecError: none of them is there or readable.
    """
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ and _in_pod():
        return in_cluster()
    # Imported here: a pod needs neither YAML nor the time to load it.
    from kubeyarn.cluster import kubeconfig as reader

    return reader.connection(kubeconfig or os.environ.get("KUBECONFIG"), context)


def _in_pod() -> bool:
    return (SERVICE_ACCOUNT / "token").exists()


def in_cluster() -> Connection:
    """The connection of a pod: service account token, cluster CA, service environment."""
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    bracketed = f"[{host}]" if ":" in host else host
    return Connection(
        f"https://{bracketed}:{port}",
        TokenFile(SERVICE_ACCOUNT / "token"),
        Trust((SERVICE_ACCOUNT / "ca.crt").read_text()),
        namespace=(SERVICE_ACCOUNT / "namespace").read_text().strip(),
    )

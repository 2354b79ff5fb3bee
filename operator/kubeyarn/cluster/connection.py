"""How to reach an API server: from inside a pod, or through a kubeconfig."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kubeyarn.model.errors import SpecError

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@dataclass(frozen=True, slots=True)
class Connection:
    """An API server's address and how to prove who we are.

    *token* is read again for every request, because projected tokens rotate.
    """

    server: str
    tls: ssl.SSLContext | None
    token: Callable[[], str | None]
    namespace: str = "default"
    ca_file: str | None = None
    certificate_file: str | None = None
    key_file: str | None = None


def connect(kubeconfig: str | None = None, context: str | None = None) -> Connection:
    """The connection that *kubeconfig*, $KUBECONFIG, the pod or ~/.kube/config gives.

    Raises:
        SpecError: none of them is there or readable.
    """
    if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ and _in_pod():
        return in_cluster()
    return from_kubeconfig(kubeconfig or os.environ.get("KUBECONFIG"), context)


def _in_pod() -> bool:
    return (SERVICE_ACCOUNT / "token").exists()


def in_cluster() -> Connection:
    """The connection of a pod: service account token, cluster CA, service environment."""
    host = os.environ["KUBERNETES_SERVICE_HOST"]
    port = os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    bracketed = f"[{host}]" if ":" in host else host
    token_file = SERVICE_ACCOUNT / "token"
    ca_file = str(SERVICE_ACCOUNT / "ca.crt")
    return Connection(
        server=f"https://{bracketed}:{port}",
        tls=ssl.create_default_context(cafile=ca_file),
        token=lambda: token_file.read_text().strip(),
        namespace=(SERVICE_ACCOUNT / "namespace").read_text().strip(),
        ca_file=ca_file,
    )


def from_kubeconfig(path: str | None, context: str | None = None) -> Connection:
    """The connection that a kubeconfig's current (or given) context describes.

    Every credential that the official client knows works: exec plugins, tokens, certificates.

    Raises:
        SpecError: the file cannot be read or has no such context.
    """
    # Imported here: it costs half a second, and a pod never needs it.
    from kubernetes import client, config
    from kubernetes.config.config_exception import ConfigException

    configuration = client.Configuration()
    try:
        config.load_kube_config(path, context=context, client_configuration=configuration)
    except (ConfigException, OSError) as error:
        raise SpecError(
            f"kubeconfig {path or '~/.kube/config'}: {error}; set KUBECONFIG or --kubeconfig"
        ) from error
    return Connection(
        server=configuration.host,
        tls=_client_tls(configuration),
        token=lambda: _bearer(configuration.get_api_key_with_prefix("authorization")),
        ca_file=configuration.ssl_ca_cert,
        certificate_file=configuration.cert_file,
        key_file=configuration.key_file,
    )


def _client_tls(configuration: object) -> ssl.SSLContext | None:
    server = str(getattr(configuration, "host", ""))
    if not server.startswith("https:"):
        return None
    tls = ssl.create_default_context(cafile=getattr(configuration, "ssl_ca_cert", None))
    if not getattr(configuration, "verify_ssl", True):
        tls.check_hostname = False
        tls.verify_mode = ssl.CERT_NONE
    certificate = getattr(configuration, "cert_file", None)
    if certificate:
        tls.load_cert_chain(certificate, getattr(configuration, "key_file", None))
    return tls


def _bearer(header: str | None) -> str | None:
    return header.removeprefix("Bearer ") if header else None

"""Reading kubeconfigs: which server a context means, and with which credentials.

The rules are those of kubectl (client-go, `tools/clientcmd`): $KUBECONFIG may name several files,
the first to define a name wins; relative paths start at the file that has them; data stands before
files; of an user's credentials a token file stands before a token, these before an auth-provider,
then a plugin, then a password. A client certificate is used beside any of them.
"""

from __future__ import annotations

import base64
import binascii
import os
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import yaml

from kubeyarn.cluster import credentials
from kubeyarn.cluster.connection import Connection, Trust
from kubeyarn.cluster.credentials import (
    EXEC_VERSIONS,
    ClientCertificate,
    Credentials,
    ExecPlugin,
    OpenIdConnect,
)
from kubeyarn.model.errors import SpecError

_DEFAULT = "~/.kube/config"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A named part of a kubeconfig, and the file that has it."""

    what: str
    content: Mapping[str, Any]
    file: Path

    def text(self, key: str) -> str:
        """The string at *key*, "" for none.

        Raises:
            SpecError: it is something else.
        """
        value = self.content.get(key)
        if value is None:
            return ""
        if not isinstance(value, str):
            raise self.wrong(f"{key} is {value!r}, expected a string")
        return value

    def path(self, key: str) -> Path | None:
        """The file that *key* names."""
        name = self.text(key)
        return self.file.parent / Path(name).expanduser() if name else None

    def part(self, key: str) -> _Entry | None:
        """The mapping at *key*."""
        value = self.content.get(key)
        if value is None:
            return None
        if not isinstance(value, Mapping):
            raise self.wrong(f"{key} is {value!r}, expected a mapping")
        return _Entry(f"{self.what}.{key}", value, self.file)

    def pem(self, key: str) -> str | None:
        """The PEM text that `KEY-data` holds in base64, or that is in the file that KEY names."""
        data = self.text(f"{key}-data")
        try:
            if data:
                return base64.b64decode(data, validate=True).decode("ascii")
            path = self.path(key)
            return path.read_text("ascii") if path else None
        except (binascii.Error, UnicodeDecodeError, OSError) as error:
            raise self.wrong(f"{key}: {error}") from error

    def wrong(self, problem: str) -> SpecError:
        """An error that says where it is."""
        return SpecError(f"kubeconfig {self.file}: {self.what}: {problem}")


def connection(path: str | None = None, context: str | None = None) -> Connection:
    """The connection that the current, or the given, context of kubeconfigs describes.

    Raises:
        SpecError: no file can be read, or what it says cannot be followed.
    """
    named = path or _DEFAULT
    configs = [_load(file) for file in _files(named)]
    if not configs:
        raise SpecError(f"kubeconfig {named}: no such file; set KUBECONFIG or --kubeconfig")
    chosen = context or next((c["current-context"] for _, c in configs if _current(c)), "")
    if not chosen:
        raise SpecError(f"kubeconfig {named}: no current-context; choose one with --context")
    settings = _find(configs, "context", chosen)
    cluster = _find(configs, "cluster", settings.text("cluster"))
    user = _find(configs, "user", settings.text("user")) if settings.text("user") else None
    server = cluster.text("server").rstrip("/")
    if not server.startswith(("http://", "https://")):
        raise cluster.wrong(f"server is {server!r}, expected a URL, such as https://10.0.0.1:6443")
    try:
        return Connection(
            server,
            _credentials(user, cluster) if user else None,
            _trust(cluster, user),
            namespace=settings.text("namespace") or "default",
            proxy=cluster.text("proxy-url") or None,
            headers=_impersonation(user) if user else {},
        )
    except ssl.SSLError as error:
        raise cluster.wrong(f"certificates and keys: {error}") from error


def _files(named: str) -> list[Path]:
    paths = [Path(each).expanduser() for each in named.split(os.pathsep) if each]
    # As kubectl: a file of KUBECONFIG that is not there is passed over.
    return [path.absolute() for path in paths if path.exists()]


def _load(file: Path) -> tuple[Path, Mapping[str, Any]]:
    try:
        config = yaml.safe_load(file.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise SpecError(f"kubeconfig {file}: {error}") from error
    if not isinstance(config, Mapping):
        raise SpecError(f"kubeconfig {file}: expected a mapping of clusters, users and contexts")
    return file, config


def _current(config: Mapping[str, Any]) -> bool:
    return bool(config.get("current-context"))


def _find(configs: list[tuple[Path, Mapping[str, Any]]], kind: str, name: str) -> _Entry:
    """The entry of this name in the first file that has one."""
    names: list[str] = []
    for file, config in configs:
        for entry in config.get(f"{kind}s") or ():
            names.append(str(entry.get("name")))
            if entry.get("name") == name:
                return _Entry(f"{kind} {name}", entry.get(kind) or {}, file)
    files = os.pathsep.join(str(file) for file, _ in configs)
    raise SpecError(
        f"kubeconfig {files}: found no {kind} {name!r}, there are: {', '.join(names) or 'none'}"
    )


def _credentials(user: _Entry, cluster: _Entry) -> Credentials:
    # In the order in which client-go prefers them where a user has several.
    if token_file := user.path("tokenFile"):
        return credentials.TokenFile(token_file)
    if token := user.text("token"):
        return credentials.bearer(token)
    if provider := user.part("auth-provider"):
        return _provider(user, provider)
    if plugin := user.part("exec"):
        return _plugin(plugin, cluster)
    if user.text("username"):
        return credentials.basic(user.text("username"), user.text("password"))
    return credentials.Fixed()


def _provider(user: _Entry, provider: _Entry) -> Credentials:
    name = provider.text("name")
    if name != "oidc":
        raise provider.wrong(f"name is {name!r}, allowed: oidc; use the provider's exec plugin")
    config = provider.part("config") or _Entry("config", {}, user.file)
    settings = {key: config.text(key) for key in config.content}
    if authority := config.path("idp-certificate-authority"):
        settings["idp-certificate-authority"] = str(authority)
    return OpenIdConnect(settings, partial(_keep, user.file, user.what.removeprefix("user ")))


def _keep(file: Path, user: str, brought: Mapping[str, str]) -> None:
    """Write the tokens that a refresh brought into the kubeconfig, as kubectl does."""
    config = yaml.safe_load(file.read_text())
    for entry in config["users"]:
        if entry["name"] == user:
            entry["user"]["auth-provider"]["config"].update(brought)
    # Whoever reads it meanwhile sees the whole of the old file or of the new one.
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as fresh:
        yaml.safe_dump(config, fresh, sort_keys=False)
    # A new file's mode is ours; the kubeconfig's may let a group read it.
    Path(fresh.name).chmod(file.stat().st_mode)
    Path(fresh.name).replace(file.resolve())


def _plugin(plugin: _Entry, cluster: _Entry) -> ExecPlugin:
    version, command = plugin.text("apiVersion"), plugin.text("command")
    if version not in EXEC_VERSIONS:
        raise plugin.wrong(f"apiVersion is {version!r}, allowed: {', '.join(EXEC_VERSIONS)}")
    if not command:
        raise plugin.wrong("command is missing")
    if plugin.text("interactiveMode") == "Always":
        raise plugin.wrong("interactiveMode is Always, and nobody is there to ask")
    # A name without a slash is looked up in PATH; a path is relative to the kubeconfig.
    if os.sep in command:
        command = str(plugin.file.parent / command)
    arguments = [str(argument) for argument in plugin.content.get("args") or ()]
    variables = plugin.content.get("env") or ()
    return ExecPlugin(
        command=[command, *arguments],
        environment={str(each["name"]): str(each["value"]) for each in variables},
        version=version,
        cluster=_told(cluster) if plugin.content.get("provideClusterInfo") else None,
        directory=plugin.file.parent,
        hint=plugin.text("installHint"),
    )


def _told(cluster: _Entry) -> dict[str, Any]:
    """What a plugin is told of the cluster (Kubernetes: ExecCredential.spec.cluster)."""
    keys = ("server", "tls-server-name", "insecure-skip-tls-verify", "proxy-url")
    settings = {key: cluster.content[key] for key in keys if key in cluster.content}
    if authority := cluster.pem("certificate-authority"):
        settings["certificate-authority-data"] = base64.b64encode(authority.encode()).decode()
    for extension in cluster.content.get("extensions") or ():
        if extension.get("name") == "client.authentication.k8s.io/exec":
            settings["config"] = extension.get("extension")
    return settings


def _trust(cluster: _Entry, user: _Entry | None) -> Trust:
    certificate = user.pem("client-certificate") if user else None
    key = user.pem("client-key") if user else None
    if user and (certificate is None) != (key is None):
        raise user.wrong("client-certificate and client-key: found one of them, needed: both")
    return Trust(
        authority=cluster.pem("certificate-authority"),
        verify=not cluster.content.get("insecure-skip-tls-verify"),
        name=cluster.text("tls-server-name"),
        certificate=ClientCertificate(certificate, key) if certificate and key else None,
    )


def _impersonation(user: _Entry) -> dict[str, str]:
    """Headers that ask the API server to act as somebody else (`as`, `as-uid`)."""
    if user.content.get("as-groups") or user.content.get("as-user-extra"):
        raise user.wrong("as-groups and as-user-extra are not supported, only as and as-uid")
    headers = {"Impersonate-User": user.text("as"), "Impersonate-Uid": user.text("as-uid")}
    return {header: value for header, value in headers.items() if value}

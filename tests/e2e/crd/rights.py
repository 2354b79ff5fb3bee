"""Users, their rights, and waiting until the API server knows of both."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from e2e.crd.conftest import NAMESPACE
from e2e.crd.server import Server, an_object

RBAC = "rbac.authorization.k8s.io"
RESOURCE_MANAGER = f"system:serviceaccount:{NAMESPACE}:kubeyarn-resourcemanager"
SCHEDULER = f"system:serviceaccount:{NAMESPACE}:kubeyarn-scheduler"


def bind(server: Server, user: str, role: str, namespace: str = "default") -> None:
    """Give a user a ClusterRole in one namespace."""
    binding = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": f"{user}-{role}"},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }
    answer = server.call("POST", f"/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings", binding)
    assert answer.status in (201, 409), answer.message


def grant(server: Server, user: str, *rules: dict[str, Any]) -> None:
    """Give a user rights in the whole cluster."""
    name = f"{user}-may"
    role = {"metadata": {"name": name}, "rules": list(rules)}
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": user}],
    }
    for plural, body in (("clusterroles", role), ("clusterrolebindings", binding)):
        answer = server.call("POST", f"/apis/{RBAC}/v1/{plural}", body)
        assert answer.status in (201, 409), answer.message


def until(what: str, holds: Callable[[], bool]) -> None:
    """Policies, rights and parameters are in force a moment after they were made."""
    deadline = time.monotonic() + 30
    while not holds():
        assert time.monotonic() < deadline, f"after 30 s not yet: {what}"
        time.sleep(0.2)


def an_application(name: str, **spec: Any) -> dict[str, Any]:
    """An application as a user writes it."""
    return an_object("YarnApplication", name, {"applicationMaster": {"image": "x"}, **spec})


def a_pod(
    name: str, application: str = "", spec: dict[str, Any] | None = None, **annotations: str
) -> dict[str, Any]:
    """A pod, of an application where it is named."""
    labels = {"kubeyarn.io/application": application} if application else {}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": labels, "annotations": annotations},
        "spec": {"containers": [{"name": "main", "image": "x"}], **(spec or {})},
    }


def wait_for_policies(server: Server) -> None:
    """A policy is in force a moment after it was made."""
    until(
        "the policies are in force",
        lambda: server.create(a_pod("forged", "x"), user="", dry=True).status == 403,
    )


def wait_for_rights(server: Server, user: str) -> None:
    """The controller manager aggregates our roles into edit."""
    until(
        f"{user} may make applications",
        lambda: server.create(an_application("probe"), user=user, dry=True).status == 201,
    )

"""What is left when KubeYARN is uninstalled, and what a new install makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live
from e2e.live.patience import always, until
from e2e.live.puppet import Puppet
from kubeyarn.local import installing
from kubeyarn.local.installing import NAMESPACE, RELEASE

pytestmark = [pytest.mark.e2e, pytest.mark.kubelet, pytest.mark.timeout(300, func_only=True)]

Json = dict[str, Any]
TREE = (
    manifests.root(),
    manifests.queue("root.a", capacity="60%", maximumAMShare="50%"),
    manifests.queue("root.b", capacity="40%"),
)


@pytest.fixture
def installed_again(real_node: Live, namespace: str) -> Iterator[Live]:
    """Whatever the test leaves, KubeYARN is installed after it, and before the namespace goes."""
    yield real_node
    installing.install(real_node.cluster, print)


def test_an_application_goes_on_through_uninstall_and_reinstall(
    installed_again: Live, namespace: str, puppet: Callable[..., Puppet]
) -> None:
    live = installed_again
    live.replace_queues(*TREE)
    puppet("app", "root.a")
    live.apply(namespace, manifests.request("tasks", "app", 1))
    live.wait_for_status(namespace, "tasks", running=1)
    before = _identities(live, namespace)

    live.helm("uninstall", RELEASE, "-n", NAMESPACE, "--wait")
    until(
        "KubeYARN is gone",
        lambda: live.kubectl.json("pods,jobs,deployments", "-n", NAMESPACE)["items"],
        lambda items: not items,
        seconds=60,
    )
    assert sorted(live.queues()) == ["root", "root.a", "root.b"]
    live.kubectl.run("delete", "yq", "root.b", "--timeout=20s")
    always(
        "the containers run on",
        lambda: _identities(live, namespace),
        lambda now: now == before,
        seconds=2,
    )

    live.apply("default", manifests.queue("root.a", capacity="100%", maximumAMShare="50%"))
    installing.install(live.cluster, print)
    live.wait_for_queues("root", "root.a")
    live.apply(namespace, manifests.request("tasks", "app", 2))
    live.wait_for_status(namespace, "tasks", granted=2, running=2)
    assert _identities(live, namespace) >= before
    found = live.application(namespace, "app")
    assert [a["number"] for a in found["status"]["attempts"]] == [1]
    assert manifests.state(found) == "RUNNING"
    holds = until(
        "the queues are held again",
        lambda: live.queues()["root.a"]["metadata"],
        lambda metadata: metadata.get("finalizers"),
    )
    assert holds["finalizers"] == ["kubeyarn.io/queue"]


def test_an_uninstall_that_keeps_nothing_leaves_nothing(
    installed_again: Live, namespace: str
) -> None:
    live = installed_again
    live.replace_queues(*TREE)
    live.apply(namespace, manifests.idle("app", "root.a"))
    live.wait_for_state(namespace, "app", "RUNNING")
    installing.install(live.cluster, print, ["crds.keep=false"])

    live.helm("uninstall", RELEASE, "-n", NAMESPACE)
    until(
        "the definitions are gone, and all objects with them",
        lambda: live.kubectl.run("get", "crd", "-o", "name"),
        lambda names: "kubeyarn.io" not in names,
        seconds=60,
    )
    until(
        "Kubernetes has removed the application's pods",
        lambda: live.pods(namespace),
        lambda pods: not pods,
        seconds=60,
    )


def _identities(live: Live, namespace: str) -> set[tuple[str, str]]:
    """Running pods by name and uid."""
    return {
        (pod["metadata"]["name"], pod["metadata"]["uid"])
        for pod in live.pods(namespace)
        if pod["status"]["phase"] == "Running"
    }

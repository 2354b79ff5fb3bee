"""One cluster with KubeYARN installed for all these tests, and a namespace for each of them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live, parsed_result
from e2e.live.patience import until
from e2e.live.puppet import Puppet
from kubeyarn.local import image, installing
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.errors import LocalClusterError

Json = dict[str, Any]

EXAMPLES = Path(__file__).parents[3] / "examples"

_numbers = itertools.count(1)


@pytest.fixture(scope="package")
def live() -> Iterator[Live]:
    """The cluster; where this machine can run no kubelet, everything here fails and says why."""
    cluster = LocalCluster("e2e-live", say=print)
    try:
        cluster.down()
        archives = installing.archives(print)
        cluster.up(archives)
        installing.install(cluster, print)
    except LocalClusterError as error:
        cluster.down()
        pytest.fail(f"these tests need a cluster with a real kubelet: {error}", pytrace=False)
    try:
        yield Live(cluster)
    finally:
        cluster.down()


@pytest.fixture(scope="module")
def real_node(live: Live) -> Live:
    """Containers run on the one node there is, and so really run."""
    return live


@pytest.fixture
def namespace(live: Live, request: pytest.FixtureRequest) -> Iterator[str]:
    """A namespace of the test's own; its applications end with the test."""
    name = f"live-{next(_numbers)}"
    live.kubectl.run("create", "namespace", name)
    yield name
    if request.session.testsfailed:
        tell_trouble(live, name)
    empty(live, name)
    live.kubectl.run("delete", "namespace", name, "--wait=false")


def tell_trouble(live: Live, namespace: str) -> None:
    """What there is to see after a failure; pytest shows it with the failed test."""
    scope = ("-n", namespace)
    for arguments in (
        ("get", "yapp,creq,pods", *scope, "-o", "wide"),
        ("get", "yq"),
        ("logs", *scope, "-l", "kubeyarn.io/role=am", "--tail=60", "--prefix"),
        ("logs", "-n", installing.NAMESPACE, "deploy/kubeyarn-resourcemanager", "--tail=30"),
        ("logs", "-n", installing.NAMESPACE, "deploy/kubeyarn-scheduler", "--tail=30"),
    ):
        print(live.kubectl.attempt(*arguments).stdout)


def empty(live: Live, namespace: str) -> None:
    """Remove a namespace's applications with all they hold."""
    live.kubectl.run("delete", "creq,yapp", "--all", "-n", namespace, "--wait=false")
    live.kubectl.run("delete", "pods", "--all", "-n", namespace, "--now", "--wait=false")
    until(
        f"the applications of {namespace} are gone",
        lambda: live.kubectl.json("yapp,creq", "-n", namespace)["items"],
        lambda items: not items,
        seconds=60,
    )


@pytest.fixture
def two_queues(live: Live) -> None:
    """root.a with 60 % and root.b with 40 %; both may take all."""
    open_to_all = {"maximumCapacity": "100%", "userLimitFactor": "10", "maximumAMShare": "50%"}
    live.replace_queues(
        manifests.root(),
        manifests.queue("root.a", capacity="60%", **open_to_all),
        manifests.queue("root.b", capacity="40%", **open_to_all),
    )


@pytest.fixture(scope="package")
def counted(live: Live) -> Iterator[Json]:
    """The words of the image's standard library, counted by one process in one container."""
    name = "count-in-one-process"
    command = ("--", *manifests.WORDCOUNT, "--local")
    pin = {"apiVersion": "v1", "spec": {"nodeName": live.cluster.node_name}}
    live.kubectl.run(
        *("run", name, "-n", "default", f"--image={image.KUBEYARN}", "--restart=Never"),
        *("--image-pull-policy=IfNotPresent", f"--overrides={json.dumps(pin)}"),
        *("--command", *command),
    )
    until(
        "one process has counted",
        lambda: live.kubectl.json("pod", name, "-n", "default"),
        lambda pod: pod["status"].get("phase") in ("Succeeded", "Failed"),
        seconds=180,
    )
    yield parsed_result(live.logs("default", name))
    live.kubectl.run("delete", "pod", name, "-n", "default", "--now", "--wait=false")


@pytest.fixture
def puppet(live: Live, namespace: str) -> Callable[..., Puppet]:
    """Submits an application whose ApplicationMaster is the test itself, and registers it."""

    def make(name: str, queue: str, **spec: Any) -> Puppet:
        live.apply(namespace, manifests.application(name, queue, manifests.SLEEP, **spec))
        return Puppet(live, namespace, name).register()

    return make

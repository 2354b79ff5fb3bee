"""KubeYARN on a local cluster as users have it: image built here, chart installed by helm."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from kubeyarn.local import image, wheels
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from kubeyarn.local.cluster import LocalCluster

    Say = Callable[[str], None]

NAMESPACE = "kubeyarn-system"
RELEASE = "kubeyarn"
_PATIENCE_SECONDS = 180


class AdministratorKubectl:
    """kubectl as the administrator of one cluster."""

    def __init__(self, program: Path, kubeconfig: Path) -> None:
        self._program = program
        self.kubeconfig = kubeconfig

    def run(self, *arguments: str, stdin: str | None = None) -> str:
        """What kubectl printed.

        Raises LocalClusterError, with what it said, when it failed.
        """
        done = self.attempt(*arguments, stdin=stdin)
        if done.returncode:
            raise LocalClusterError(f"kubectl {' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def attempt(
        self, *arguments: str, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """The whole answer of kubectl, whether it failed or not."""
        return subprocess.run(
            [self._program, "--kubeconfig", self.kubeconfig, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_SECONDS,
        )

    def json(self, *arguments: str) -> dict[str, Any]:
        """A `kubectl get` as objects; a list has `items`."""
        objects: dict[str, Any] = json.loads(self.run("get", *arguments, "-o", "json"))
        return objects


def kubectl(cluster: LocalCluster) -> AdministratorKubectl:
    """A kubectl for a local cluster."""
    return AdministratorKubectl(cluster.kubectl, cluster.kubeconfig_path)


def archives(say: Say) -> list[Path]:
    """The archives of the images that the chart's pods need, built where they are missing."""
    return [image.kube_scheduler(say), image.kubeyarn(say)]


def install(cluster: LocalCluster, say: Say, settings: Sequence[str] = ()) -> None:
    """Install the chart from the source tree and wait until both deployments are ready.

    *settings* are further `--set` values of helm.
    Raises LocalClusterError, with what helm said, when it fails.
    """
    say("helm install kubeyarn")
    repository, _, tag = image.KUBEYARN.partition(":")
    values = [f"image.repository={repository}", f"image.tag={tag}", *settings]
    command: list[str | Path] = [
        *(Lookup(say).find(["helm"])["helm"], "upgrade", "--install", RELEASE),
        *(wheels.project() / "charts" / "kubeyarn", "--namespace", NAMESPACE),
        *("--create-namespace", "--wait", "--timeout", f"{_PATIENCE_SECONDS}s"),
        *(part for value in values for part in ("--set", value)),
    ]
    done = subprocess.run(
        command,
        env={**os.environ, "KUBECONFIG": str(cluster.kubeconfig_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        pods = kubectl(cluster).attempt("get", "pods", "-n", NAMESPACE, "-o", "wide").stdout
        raise LocalClusterError(f"helm install: {done.stderr.strip()}\n{pods}")

"""How `kubectl yarn` reaches the cluster: by calling kubectl, so that it sees what kubectl sees.

Credentials, contexts, proxies and plugins of kubectl work without a line here, and starting costs
no client library.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence

from kubeyarn.crd.object import Object

APPLICATIONS = "yarnapplications.kubeyarn.io"
QUEUES = "yarnqueues.kubeyarn.io"
PODS_OF_APPLICATIONS = "kubeyarn.io/application"

_PASSED_ON = ("context", "cluster", "kubeconfig", "as", "request-timeout")


# kubectl's own log lines, which say the same as the error but for people who debug kubectl.
_KLOG = re.compile(r"[EWI]\d{4} \d\d:\d\d:")


class KubectlError(Exception):
    """kubectl could not do it; the message says what to do. Exit status 1."""


class NotFoundError(KubectlError):
    """There is no such object."""


class ForbiddenError(KubectlError):
    """The user may not do this."""


class Kubectl:
    """kubectl with the user's choice of cluster and namespace.

    *options* are what `yarn_words.EVERYWHERE` names; the variable KUBECTL says which program it is.
    """

    def __init__(self, options: Mapping[str, str]) -> None:
        self._program = os.environ.get("KUBECTL", "kubectl")
        self._chosen = [f"--{name}={options[name]}" for name in _PASSED_ON if name in options]
        self.namespace = options.get("namespace", "")
        self.everywhere = "all-namespaces" in options

    def objects(self, kind: str, *, namespaced: bool = True, selector: str = "") -> list[Object]:
        """All objects of *kind* in the chosen namespace (or in all)."""
        scope = self._scope() if namespaced else []
        chosen = ["-l", selector] if selector else []
        items: list[Object] = self.json(["get", kind, *scope, *chosen])["items"]
        return items

    def objects_everywhere(self, kind: str, selector: str = "") -> list[Object]:
        """All objects of *kind* in all namespaces, or in the chosen one if one was chosen.

        Who may not look into all namespaces gets those of the current one.
        """
        if self.namespace:
            return self.objects(kind, selector=selector)
        chosen = ["-l", selector] if selector else []
        try:
            items: list[Object] = self.json(["get", kind, "-A", *chosen])["items"]
        except ForbiddenError:
            return self.objects(kind, selector=selector)
        return items

    def get(self, kind: str, name: str, namespace: str = "") -> Object:
        """The object *name*.

        Raises:
            NotFoundError: there is none.
        """
        scope = namespace or self.namespace
        return self.json(["get", kind, name, *([f"--namespace={scope}"] if scope else [])])

    def patch(self, kind: str, name: str, namespace: str, patch: Object) -> None:
        """Merge *patch* into the object."""
        scope = [f"--namespace={namespace}"] if namespace else []
        self.run(["patch", kind, name, *scope, "--type=merge", f"--patch={json.dumps(patch)}"])

    def json(self, arguments: Sequence[str]) -> Object:
        """Run kubectl and read the object it prints.

        Raises:
            KubectlError: it failed, or printed something else.
        """
        text = self.run([*arguments, "-o", "json"])
        try:
            printed = json.loads(text)
        except ValueError as error:
            raise KubectlError(f"kubectl {arguments[0]} printed no JSON: {error}") from error
        if not isinstance(printed, dict):
            raise KubectlError(f"kubectl {arguments[0]} printed {text[:80]!r}, expected an object")
        return printed

    def run(self, arguments: Sequence[str]) -> str:
        """Run kubectl and return what it prints.

        Raises:
            KubectlError: it failed, or is not there.
        """
        command = [self._program, *self._chosen, *arguments]
        try:
            done = subprocess.run(command, capture_output=True, check=False)
        except OSError as error:
            raise self._missing(error) from error
        if done.returncode:
            raise _failure(done.stderr.decode("utf-8", "replace").strip())
        return done.stdout.decode("utf-8", "replace")

    def stream(self, arguments: Sequence[str]) -> int:
        """Run kubectl with this process's own output; returns its exit status.

        Raises:
            KubectlError: kubectl is not there.
        """
        try:
            return subprocess.run(
                [self._program, *self._chosen, *arguments], check=False
            ).returncode
        except OSError as error:
            raise self._missing(error) from error

    def _scope(self) -> list[str]:
        if self.everywhere:
            return ["--all-namespaces"]
        return [f"--namespace={self.namespace}"] if self.namespace else []

    def _missing(self, error: OSError) -> KubectlError:
        return KubectlError(
            f"{self._program}: {error.strerror}; install kubectl or name it in KUBECTL "
            "(https://kubernetes.io/docs/tasks/tools/)"
        )


def _failure(printed: str) -> KubectlError:
    lines = [line for line in printed.splitlines() if not _KLOG.match(line)]
    text = "\n".join(lines or printed.splitlines()[-1:]).removeprefix("error: ")
    if "doesn't have a resource type" in text:
        return KubectlError(
            f"{text}: KubeYARN's custom resources are not installed in this cluster; "
            "install the chart (helm install kubeyarn charts/kubeyarn) or choose another --context"
        )
    if "(NotFound)" in text:
        return NotFoundError(text)
    if "(Forbidden)" in text:
        return ForbiddenError(text)
    return KubectlError(text or "kubectl failed and said nothing")

"""The chart installed, upgraded and removed by helm on a real API server."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from e2e.crd.conftest import CHART, NAMESPACE
from e2e.crd.server import Server, an_object

pytestmark = pytest.mark.e2e


@pytest.fixture
def run_helm(helm: Path, server: Server) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            [helm, *arguments, "--namespace", NAMESPACE, "--kubeconfig", server.kubeconfig],
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_the_installed_pods_pass_the_restricted_pod_security_standard(server: Server, kubectl):
    namespace = "restricted"
    made = {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": namespace,
            "labels": {"pod-security.kubernetes.io/enforce": "restricted"},
        },
    }
    assert server.call("POST", "/api/v1/namespaces", made).status == 201
    found = json.loads(kubectl("get", "deployments", "-n", NAMESPACE, "-o", "json"))
    assert len(found["items"]) == 2
    for deployment in found["items"]:
        template = deployment["spec"]["template"]
        pod = {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"generateName": "probe-", "labels": template["metadata"]["labels"]},
            "spec": {
                **template["spec"],
                "serviceAccountName": "default",
                "automountServiceAccountToken": False,
            },
        }
        path = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
        answer = server.call("POST", path, pod)

        assert "violates PodSecurity" not in answer.message
        assert answer.status == 201, answer.message


def test_helm_tells_what_to_do_next(run_helm):
    notes = run_helm("get", "notes", "kubeyarn")

    assert "kubectl apply -f -" in notes
    assert f"-n {NAMESPACE} rollout status" in notes


def test_the_queues_of_the_notes_are_taken(run_helm, server: Server):
    notes = run_helm("get", "notes", "kubeyarn")

    assert "kind: YarnQueue" in notes
    for name, spec in (("root", {"cluster": {}}), ("root.default", {"capacity": "100%"})):
        assert server.create(an_object("YarnQueue", name, spec), dry=True).status == 201


def test_an_upgrade_that_changes_nothing_leaves_all_objects_as_they_are(run_helm, kubectl):
    def generations():
        kinds = "crd,deployments,clusterroles,validatingadmissionpolicies"
        found = json.loads(kubectl("get", kinds, "-n", NAMESPACE, "-o", "json"))
        return {
            (item["kind"], item["metadata"]["name"]): item["metadata"].get("generation")
            for item in found["items"]
            if item["metadata"].get("labels", {}).get("app.kubernetes.io/part-of") == "kubeyarn"
        }

    before = generations()
    run_helm("upgrade", "kubeyarn", str(CHART), "--reuse-values")

    assert len(before) > 8
    assert generations() == before


def test_queues_outlive_an_uninstall_and_a_new_install_takes_them_over(
    run_helm, server: Server, kubectl
):
    found = an_object("YarnQueue", "root", {"cluster": {}})
    try:
        assert server.create(found).status == 201
        # No node is there to run the hook that lets go of queues; tests/e2e/live has one.
        run_helm("uninstall", "kubeyarn", "--no-hooks", "--wait")
        assert "root" in kubectl("get", "yq")
    finally:
        replicas = "resourcemanager.replicas=0,scheduler.replicas=0"
        run_helm("install", "kubeyarn", str(CHART), "--set", replicas)
        server.delete(found)

"""What a tenant tries to get more than is theirs, and the API server's refusals.

mallory has `edit` in one namespace, as every tenant has. olga has besides what `edit` lacks: the
subresources of pods.
"""

from __future__ import annotations

from typing import Any

import pytest

from e2e.crd.rights import (
    RESOURCE_MANAGER,
    a_pod,
    bind,
    grant,
    until,
    wait_for_policies,
    wait_for_rights,
)
from e2e.crd.server import MERGE, Server, an_object, collection

pytestmark = pytest.mark.e2e

OWNER = {
    "apiVersion": "kubeyarn.io/v1alpha1",
    "kind": "YarnApplication",
    "name": "words",
    "uid": "00000000-0000-0000-0000-000000000001",
    "controller": True,
}
SUBRESOURCES = {
    "apiGroups": [""],
    "resources": ["pods/resize", "pods/ephemeralcontainers", "pods/binding", "pods/status"],
    "verbs": ["create", "update", "patch"],
}


@pytest.fixture(scope="module", autouse=True)
def tenants(server: Server):
    """mallory may edit, olga may also write what is below pods. The policies are in force."""
    for user in ("mallory", "olga"):
        bind(server, user, "edit")
    grant(server, "olga", SUBRESOURCES)
    wait_for_policies(server)
    for user in ("mallory", "olga"):
        wait_for_rights(server, user)


@pytest.fixture
def container(server: Server):
    """A container's pod, as the ResourceManager makes it."""
    pod = a_pod(
        "words-01-000002",
        "words",
        {"containers": [{"name": "main", "image": "x", "resources": {"requests": {"cpu": "1"}}}]},
        **{
            "kubeyarn.io/application": "words",
            "kubeyarn.io/container-id": "container_1_0001_01_000002",
            "kubeyarn.io/queue": "root.a",
            "kubeyarn.io/request": "maps",
            "kubeyarn.io/user": "alice",
        },
    )
    pod["metadata"]["labels"] |= {
        "app.kubernetes.io/managed-by": "kubeyarn",
        "kubeyarn.io/execution-type": "Guaranteed",
        "kubeyarn.io/queue": "root.a",
    }
    pod["metadata"]["ownerReferences"] = [OWNER]
    assert server.create(pod, user=RESOURCE_MANAGER).status == 201
    yield pod
    server.call("DELETE", f"{path_of(pod)}?gracePeriodSeconds=0")


def path_of(found: dict[str, Any]) -> str:
    return f"{collection(found)}/{found['metadata']['name']}"


def labels(**said: str | None) -> dict[str, Any]:
    return {"metadata": {"labels": {_key(k): v for k, v in said.items()}}}


def annotations(**said: str | None) -> dict[str, Any]:
    return {"metadata": {"annotations": {_key(k): v for k, v in said.items()}}}


def _key(name: str) -> str:
    return f"kubeyarn.io/{name.replace('_', '-')}"


UNMANAGED = {"metadata": {"labels": {"app.kubernetes.io/managed-by": None}}}
NOT_OURS = "only by KubeYARN's ResourceManager"

CHANGES = [
    # What is changed on a container's pod, and what the refusal names.
    pytest.param(labels(application="other"), "kubeyarn.io/application", id="its application"),
    pytest.param(labels(execution_type="Opportunistic"), "execution-type", id="its execution type"),
    pytest.param(labels(queue="root.b"), "kubeyarn.io/queue", id="the label of its queue"),
    pytest.param(labels(anything="x"), "kubeyarn.io/anything", id="a key that nobody knows"),
    pytest.param(UNMANAGED, "app.kubernetes.io/managed-by", id="the label it is found by"),
    pytest.param(annotations(queue="root.b"), "kubeyarn.io/queue", id="the queue it counts in"),
    pytest.param(annotations(request="other"), "kubeyarn.io/request", id="its request"),
    pytest.param(annotations(application="x"), "kubeyarn.io/application", id="whose it is"),
    pytest.param(annotations(container_id=None), "container-id", id="its container id"),
    pytest.param(annotations(launch_script="x"), "launch-script", id="its launch script"),
]


@pytest.mark.parametrize(("change", "named"), CHANGES)
def test_nobody_changes_what_a_container_is_known_by(server, container, change, named):
    for user, sub in (("mallory", ""), ("olga", "/status"), ("", "")):
        answer = server.patch(container, change, user=user, sub=sub)

        assert answer.status == 403, f"{user}{sub}: {answer.body}"
        assert NOT_OURS in answer.message
        assert named in answer.message


def test_nobody_takes_a_container_from_its_application(server, container):
    for change in ({"ownerReferences": None}, {"finalizers": ["example.org/for-ever"]}):
        answer = server.patch(container, {"metadata": change}, user="mallory")

        assert answer.status == 403, answer.body
        assert "metadata.ownerReferences, metadata.finalizers" in answer.message


def test_kubernetes_itself_may_leave_the_containers_of_a_deleted_application(server, container):
    change = {"metadata": {"ownerReferences": None}}
    collector = "system:serviceaccount:kube-system:generic-garbage-collector"

    assert server.patch(container, change, user=collector).status == 200


def test_nobody_changes_the_image_of_a_container_that_runs(server, container):
    change = {"spec": {"containers": [{"name": "main", "image": "mine"}]}}
    strategic = "application/strategic-merge-patch+json"
    answer = server.call("PATCH", path_of(container), change, user="mallory", kind=strategic)

    assert answer.status == 403, answer.body
    assert "spec.containers[].image" in answer.message


def test_nobody_else_resizes_a_container(server, container):
    sizes = {"name": "main", "image": "x", "resources": {"requests": {"cpu": "30"}}}
    change = {"spec": {"containers": [sizes]}}
    path = f"{path_of(container)}/resize"
    answer = server.call("PATCH", path, change, user="olga", kind=MERGE)

    assert answer.status == 403, answer.body
    assert "spec.containers[].resources" in answer.message


def test_an_ephemeral_container_brings_no_guarded_key(server, container):
    debugger = {"name": "debug", "image": "x", "terminationMessagePolicy": "File"}
    change = {"spec": {"ephemeralContainers": [debugger]}}
    path = f"{path_of(container)}/ephemeralcontainers"

    assert server.call("PATCH", path, change, user="olga", kind=MERGE).status == 200
    forged = {**change, **labels(queue="root.b")}
    answer = server.call("PATCH", path, forged, user="olga", kind=MERGE)
    # Kubernetes takes metadata along there or leaves it alone; nobody gets a key by it.
    assert answer.status == 403 or answer.body["metadata"]["labels"][_key("queue")] == "root.a"


@pytest.mark.parametrize("where", ["pods/words-01-000002/binding", "bindings"])
def test_a_binding_brings_no_guarded_key(server, container, where):
    binding = {
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {
            "name": "words-01-000002",
            "annotations": {"kubeyarn.io/queue": "root.b"},
        },
        "target": {"apiVersion": "v1", "kind": "Node", "name": "n1"},
    }
    # Who may write to `bindings` is not among the tenants, the administrator is.
    answer = server.call("POST", f"/api/v1/namespaces/default/{where}", binding, user="")

    assert answer.status == 403, answer.body
    assert "kubeyarn.io/queue on a Binding" in answer.message


@pytest.mark.parametrize(
    "metadata",
    [
        {"labels": {"app.kubernetes.io/managed-by": "kubeyarn"}},
        {"labels": {"kubeyarn.io/execution-type": "Opportunistic"}},
        {"annotations": {"kubeyarn.io/request": "maps"}},
        {"annotations": {"kubeyarn.io/queue": "root.a"}},
    ],
    ids=str,
)
def test_no_plain_pod_says_that_it_is_a_container(server, metadata):
    pod = a_pod("plain")
    pod["metadata"] |= metadata
    answer = server.create(pod, user="mallory", dry=True)

    assert answer.status == 403, answer.body
    assert NOT_OURS in answer.message


def test_what_others_write_on_a_container_they_may_still_write(server, container):
    change = {"metadata": {"labels": {"team": "a"}, "annotations": {"example.org/x": "y"}}}
    assert server.patch(container, change, user="mallory").status == 200
    status = {"status": {"phase": "Running", "conditions": []}}
    assert server.patch(container, status, user="olga", sub="/status").status == 200
    # The queue that a plain pod names is its own word.
    plain = a_pod("plain")
    plain["metadata"]["labels"] = {"kubeyarn.io/queue": "root.a"}
    assert server.create(plain, user="mallory", dry=True).status == 201


@pytest.fixture
def asked(server: Server):
    """A request as the ResourceManager makes it for an ApplicationMaster's ask."""
    request = an_object("ContainerRequest", "words-1-p1-abc", {"application": "words", "count": 1})
    request["metadata"] |= {
        "labels": {
            "app.kubernetes.io/managed-by": "kubeyarn",
            "kubeyarn.io/application": "words",
            "kubeyarn.io/attempt": "1",
            "kubeyarn.io/role": "ask",
        },
        # Another kind would do: no garbage collector runs after it.
        "ownerReferences": [{**OWNER, "controller": False}],
    }
    made = server.create(request, user=RESOURCE_MANAGER)
    assert made.status == 201, made.message
    yield request
    server.delete(request)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (labels(role="am"), "kubeyarn.io/role"),
        (labels(role=None), "kubeyarn.io/role"),
        (labels(attempt="7"), "kubeyarn.io/attempt"),
        ({"metadata": {"ownerReferences": None}}, "metadata.ownerReferences"),
        ({"metadata": {"finalizers": ["example.org/for-ever"]}}, "metadata.finalizers"),
        ({"spec": {"count": 0}}, "spec"),
        ({"spec": {"excludeNodes": ["n1"]}}, "spec"),
    ],
    ids=str,
)
def test_what_an_application_master_asks_is_changed_by_nobody_else(server, asked, change, named):
    answer = server.patch(asked, change, user="mallory")

    assert answer.status == 403, answer.body
    assert named in answer.message
    assert NOT_OURS in answer.message


@pytest.mark.parametrize("role", ["am", "ask"])
def test_nobody_asks_in_an_application_masters_name(server, role):
    request = an_object("ContainerRequest", "mine", {"application": "words"})
    request["metadata"] |= labels(role=role)["metadata"]
    answer = server.create(request, user="mallory", dry=True)

    assert answer.status == 403, answer.body
    assert "kubeyarn.io/role" in answer.message


def test_a_request_of_ones_own_is_ones_own_to_change(server):
    request = an_object("ContainerRequest", "mine", {"application": "words", "count": 1})
    try:
        assert server.create(request, user="mallory").status == 201
        until(
            "it is changed",
            lambda: server.patch(request, {"spec": {"count": 2}}, user="mallory").status == 200,
        )
    finally:
        server.delete(request)

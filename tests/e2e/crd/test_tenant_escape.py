"""What a tenant tries to get more than is theirs, and the API server's refusals.

mallory has `edit` in one namespace, as every tenant has. olga has besides what `edit` lacks: the
subresources of pods.
"""

from __future__ import annotations

from typing import Any

import pytest

from e2e.crd.conftest import NAMESPACE
from e2e.crd.rights import (
    RESOURCE_MANAGER,
    a_pod,
    an_application,
    bind,
    grant,
    until,
    wait_for_policies,
    wait_for_rights,
)
from e2e.crd.server import MERGE, Server, an_object, collection

pytestmark = pytest.mark.e2e

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


@pytest.fixture(scope="module")
def owner(server: Server, tenants):
    """What makes an object an application's; without one that exists it would be collected."""
    found = an_application("owner")
    made = server.create(found)
    assert made.status == 201, made.message
    yield {
        "apiVersion": "kubeyarn.io/v1alpha1",
        "kind": "YarnApplication",
        "name": "owner",
        "uid": made.body["metadata"]["uid"],
        "controller": True,
    }
    server.delete(found)


@pytest.fixture
def container(server: Server, owner):
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
    pod["metadata"]["ownerReferences"] = [owner]
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
def asked(server: Server, owner):
    """A request as the ResourceManager makes it for an ApplicationMaster's ask."""
    request = an_object("ContainerRequest", "words-1-p1-abc", {"application": "words", "count": 1})
    request["metadata"] |= {
        "labels": {
            "app.kubernetes.io/managed-by": "kubeyarn",
            "kubeyarn.io/application": "words",
            "kubeyarn.io/attempt": "1",
            "kubeyarn.io/role": "ask",
        },
        "ownerReferences": [owner],
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


def test_nobody_deletes_what_the_resource_manager_asks_for_an_application_master(server, asked):
    answer = server.delete(asked, user="mallory")
    assert answer.status == 403, answer.body
    assert "verb administer on the YarnQueue root or one above it" in answer.message
    assert "desiredState" in answer.message

    collector = "system:serviceaccount:kube-system:generic-garbage-collector"
    assert server.delete(asked, user=collector).status == 200


def test_what_an_application_left_behind_is_anybodys_to_clear_away(server, asked):
    change = {"metadata": {"ownerReferences": None}}
    assert server.patch(asked, change, user=RESOURCE_MANAGER).status == 200

    assert server.delete(asked, user="mallory").status == 200


MASTER = "system:serviceaccount:default:master"


@pytest.fixture
def words(server: Server):
    """An application of olga, whose ApplicationMaster runs as the service account `master`."""
    account = f"system:serviceaccount:default:{MASTER.rpartition(':')[2]}"
    bind(server, account, "kubeyarn-editor")
    bind(server, account, "kubeyarn-viewer")
    found = an_application("words", queue="root.a")
    assert server.create(found, user="olga").status == 201
    attempt = {"id": "appattempt_1_0001_000001", "number": 1, "pod": "words-01-000001"}
    status = {"status": {"queue": "root.a", "state": "RUNNING", "attempts": [attempt]}}
    answer = server.patch(found, status, sub="/status")
    assert answer.status == 200, answer.message
    yield found
    server.delete(found)


FINAL = annotations(final_status="appattempt_1_0001_000001 FAILED")


@pytest.mark.parametrize(
    "user",
    [
        "mallory",
        pytest.param(MASTER, id="the AM's account from elsewhere"),
        pytest.param(f"{MASTER}@words-01-000002", id="another container of it"),
        pytest.param("mallory@words-01-000001", id="a user who says that they are the pod"),
    ],
)
def test_nobody_speaks_for_an_application_master(server, words, user):
    answer = server.patch(words, FINAL, user=user)

    assert answer.status == 403, answer.body
    assert "kubeyarn.io/final-status set or changed" in answer.message


@pytest.mark.parametrize("user", ["olga", f"{MASTER}@words-01-000001", ""], ids=str)
def test_an_application_master_its_user_and_administrators_speak_for_it(server, words, user):
    until(
        "its word is taken",
        lambda: server.patch(words, FINAL, user=user).status == 200,
    )


def test_whoever_may_not_create_pods_has_none_made(server):
    bind(server, "nina", "kubeyarn-editor")
    found = an_application("a")
    request = an_object("ContainerRequest", "r", {"application": "a", "container": {"image": "x"}})
    until(
        "nina may make our objects",
        lambda: (
            "RBAC" not in server.create(found, user="nina", dry=True).message
            and "is forbidden: User" not in server.create(found, user="nina", dry=True).message
        ),
    )
    for one in (found, request):
        answer = server.create(one, user="nina", dry=True)
        assert answer.status == 403, answer.body
        assert '"nina" may not create pods in the namespace default' in answer.message


def test_an_application_master_asks_although_its_account_makes_no_pods(server, words):
    task = {"application": "words", "container": {"image": "x"}}
    request = an_object("ContainerRequest", "maps", task)
    user = f"{MASTER}@words-01-000001"
    answer = server.create(request, user=user, dry=True)

    assert answer.status == 201, answer.message
    assert server.create(request, user=MASTER, dry=True).status == 403


@pytest.mark.parametrize("namespace", ["kube-system", "kube-public", NAMESPACE])
@pytest.mark.parametrize("kind", ["YarnApplication", "ContainerRequest"])
def test_nothing_is_submitted_where_the_cluster_itself_runs(server, namespace, kind):
    found = an_application("a")
    if kind == "ContainerRequest":
        found = an_object(kind, "r", {"application": "a", "container": {"image": "x"}})
    found["metadata"]["namespace"] = namespace
    # Not even by an administrator, who may everything.
    answer = server.create(found, dry=True)

    assert answer.status == 403, answer.body
    assert f"namespace {namespace}: takes no applications" in answer.message


def test_nobody_keeps_the_scheduler_busy_with_plain_pods(server):
    pod = a_pod("plain", "", {"schedulerName": "kubeyarn"})
    answer = server.create(pod, user="mallory", dry=True)

    assert answer.status == 403, answer.body
    assert "spec.schedulerName: found kubeyarn" in answer.message
    assert server.create(pod, user=RESOURCE_MANAGER, dry=True).status == 201


def test_nobody_leaves_out_a_group_of_theirs(server):
    # The API server puts mallory into one group, in this order.
    whole = server.create(an_application("a"), user="mallory", dry=True).body["spec"]["userGroups"]
    assert whole == ["system:authenticated"]
    same = an_application("a", userGroups=whole)
    assert server.create(same, user="mallory", dry=True).status == 201

    headers = {"user": "mallory+vip+interns"}
    for said in (["vip"], ["interns", "vip", "system:authenticated"]):
        chosen = an_application("a", userGroups=said)
        answer = server.create(chosen, dry=True, **headers)
        assert answer.status == 403, answer.body
        assert "all of them and in their order" in answer.message
    stamped = server.create(an_application("a"), dry=True, **headers).body["spec"]["userGroups"]
    assert stamped == ["vip", "interns", "system:authenticated"]


def a_request(name: str = "maps", **spec: Any) -> dict[str, Any]:
    return an_object("ContainerRequest", name, {"application": "words", "count": 1, **spec})


def test_a_request_says_who_asked(server):
    said = server.create(a_request(), user="mallory", dry=True).body["spec"]
    assert (said["user"], said["userGroups"]) == ("mallory", ["system:authenticated"])

    answer = server.create(a_request(user="olga"), user="mallory", dry=True)
    assert answer.status == 403, answer.body
    assert 'spec.user: found "olga", allowed: "mallory"' in answer.message
    answer = server.create(a_request(userGroups=["ops"]), user="mallory", dry=True)
    assert answer.status == 403, answer.body
    assert 'spec.userGroups: found "ops"' in answer.message


def test_an_application_asks_in_its_own_name(server, words):
    for user in (f"{MASTER}@words-01-000001", RESOURCE_MANAGER):
        answer = server.create(a_request(), user=user, dry=True)
        assert answer.status == 201, answer.message
        assert answer.body["spec"]["user"] == ""
        assert "userGroups" not in answer.body["spec"]
    # The pod of another application asks in its account's, and says no other name either.
    other = f"{MASTER}@others-01-000001"
    assert server.create(a_request(), user=other, dry=True).body["spec"]["user"] == MASTER
    for user in (other, f"{MASTER}@words-01-000001"):
        answer = server.create(a_request(user="olga"), user=user, dry=True)
        assert answer.status == 403, answer.body


def test_who_asked_stays_who_asked(server):
    found = a_request()
    try:
        assert server.create(found, user="olga").status == 201
        # Applied again without, as manifests are.
        answer = server.patch(found, {"spec": {"count": 2, "user": ""}}, user="mallory")
        assert answer.body["spec"]["user"] == "olga"
        answer = server.patch(found, {"spec": {"user": "mallory"}}, user="mallory")
        assert answer.status == 422, answer.body
        assert "user cannot be changed: it is who asked" in answer.message
    finally:
        server.delete(found)


@pytest.fixture
def by_role(server: Server):
    """Root asks for rights to queues, and carol administers root.a."""
    bind(server, "carol", "edit")
    administers = {
        "apiGroups": ["kubeyarn.io"],
        "resources": ["yarnqueues"],
        "verbs": ["administer"],
        "resourceNames": ["root.a"],
    }
    grant(server, "carol", administers)
    root = an_object("YarnQueue", "root", {"cluster": {"queueAccess": "ByRole"}})
    assert server.create(root).status == 201
    yield root
    server.delete(root)


def test_requests_are_changed_by_who_asked_and_administrators_of_the_queue(server, words, by_role):
    found = a_request()
    try:
        assert server.create(found, user="olga").status == 201
        status = {"status": {"queue": "root.a.x", "granted": 0}}
        assert server.patch(found, status, sub="/status").status == 200
        mine = {"spec": {"container": {"image": "mine"}}}
        until(
            "root's word holds, and carol's rights",
            lambda: (
                server.patch(found, mine, user="mallory").status == 403
                and server.patch(found, {"spec": {"count": 3}}, user="carol").status == 200
            ),
        )
        for change in (mine, {"spec": {"count": 0}}, {"spec": {"excludeNodes": ["n1"]}}):
            answer = server.patch(found, change, user="mallory")
            assert answer.status == 403, answer.body
            assert 'by "olga", who asked, or with the verb administer' in answer.message
        assert server.delete(found, user="mallory").status == 403
        labelled = {"metadata": {"labels": {"team": "a"}}}
        assert server.patch(found, labelled, user="mallory").status == 200
        for user in ("olga", f"{MASTER}@words-01-000001"):
            change = {"spec": {"count": 4 if user == "olga" else 5}}
            answer = server.patch(found, change, user=user)
            assert answer.status == 200, answer.message
        assert server.delete(found, user="carol").status == 200
    finally:
        server.delete(found)


def test_no_policy_says_anything_of_a_field_that_is_not_there(server):
    path = "/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies"
    found = server.call("GET", path).body["items"]

    assert len(found) >= 9
    for policy in found:
        until(
            "its expressions are checked",
            lambda policy=policy: (
                server.call("GET", f"{path}/{policy['metadata']['name']}")
                .body.get("status", {})
                .get("observedGeneration")
            ),
        )
        status = server.call("GET", f"{path}/{policy['metadata']['name']}").body["status"]
        assert not status.get("typeChecking", {}).get("expressionWarnings"), status

"""The admission policies of the chart: whose application it is, and who makes containers."""

from __future__ import annotations

import time

import pytest

from e2e.crd.conftest import NAMESPACE
from e2e.crd.rights import (
    RESOURCE_MANAGER,
    a_pod,
    an_application,
    bind,
    wait_for_policies,
    wait_for_rights,
)
from e2e.crd.server import Server, an_object, collection

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module", autouse=True)
def rights(server: Server):
    """alice and bob may edit; bob may also submit for others. The policies are in force."""
    for user, roles in {
        "alice": ["edit"],
        "bob": ["edit", "kubeyarn-submitter-for-others"],
    }.items():
        for role in roles:
            bind(server, user, role)
    wait_for_policies(server)
    wait_for_rights(server, "alice")


@pytest.mark.parametrize("spec", [{}, {"user": ""}, {"user": "alice"}], ids=str)
def test_an_application_is_its_submitters(server: Server, spec):
    answer = server.create(an_application("a", **spec), user="alice", dry=True)

    assert answer.status == 201, answer.message
    assert answer.body["spec"]["user"] == "alice"


def test_another_users_name_is_refused(server: Server):
    answer = server.create(an_application("a", user="bob"), user="alice", dry=True)

    assert answer.status == 403
    assert 'spec.user: found "bob", allowed: "alice"' in answer.message
    assert "submitfor" in answer.message


def test_who_may_submit_for_others_may_name_them(server: Server):
    answer = server.create(an_application("a", user="alice"), user="bob", dry=True)

    assert answer.status == 201, answer.message
    assert answer.body["spec"]["user"] == "alice"


def test_others_may_change_an_application_and_it_stays_its_users(server: Server):
    found = an_application("a")
    try:
        server.create(found, user="alice")
        answer = server.patch(found, {"spec": {"priority": 3, "user": ""}}, user="bob")
    finally:
        server.delete(found)

    assert answer.status == 200, answer.message
    assert answer.body["spec"]["user"] == "alice"
    assert answer.body["spec"]["priority"] == 3


FORGED = [
    a_pod("p", "wordcount"),
    a_pod("p", **{"kubeyarn.io/container-id": "container_1_0001_01_000001"}),
    a_pod("p", **{"kubeyarn.io/user": "bob"}),
]


@pytest.mark.parametrize("pod", FORGED, ids=lambda pod: str(pod["metadata"]))
@pytest.mark.parametrize("user", ["alice", ""], ids=["alice", "administrator"])
def test_nobody_forges_a_container(server: Server, pod, user):
    answer = server.create(pod, user=user, dry=True)

    assert answer.status == 403
    assert "only by KubeYARN's ResourceManager" in answer.message


@pytest.mark.parametrize("pod", FORGED, ids=lambda pod: str(pod["metadata"]))
def test_the_resource_manager_makes_containers(server: Server, pod):
    answer = server.create(pod, user=RESOURCE_MANAGER, dry=True)

    assert answer.status == 201, answer.message


def test_a_plain_pod_may_ask_for_a_queue(server: Server):
    pod = a_pod("p")
    pod["metadata"]["labels"] = {"kubeyarn.io/queue": "root.a"}

    assert server.create(pod, user="alice", dry=True).status == 201


def test_a_container_is_not_renamed(server: Server):
    pod = a_pod("p", "wordcount")
    try:
        assert server.create(pod, user=RESOURCE_MANAGER).status == 201
        lost = server.patch(
            pod, {"metadata": {"labels": {"kubeyarn.io/application": None}}}, user="alice"
        )
        other = server.patch(pod, {"metadata": {"labels": {"team": "a"}}}, user="alice")
    finally:
        server.delete(pod)

    assert lost.status == 403
    assert "kubeyarn.io/application" in lost.message
    assert other.status == 200, other.message


def test_only_the_resource_manager_asks_for_application_masters(server: Server):
    asked = an_object("ContainerRequest", "am", {"application": "a", "role": "ApplicationMaster"})
    refused = server.create(asked, user="alice", dry=True)

    assert refused.status == 403
    assert "spec.role: found ApplicationMaster" in refused.message
    assert server.create(asked, user=RESOURCE_MANAGER, dry=True).status == 201


ALLOWED = [
    ("resourcemanager", "create", "", "pods", ""),
    ("resourcemanager", "delete", "", "pods", ""),
    ("resourcemanager", "patch", "kubeyarn.io", "yarnapplications", "status"),
    ("resourcemanager", "delete", "kubeyarn.io", "yarnapplications", ""),
    ("resourcemanager", "patch", "kubeyarn.io", "yarnqueues", ""),
    ("resourcemanager", "create", "kubeyarn.io", "containerrequests", ""),
    ("resourcemanager", "create", "authentication.k8s.io", "tokenreviews", ""),
    ("resourcemanager", "create", "events.k8s.io", "events", ""),
    ("scheduler", "patch", "kubeyarn.io", "yarnqueues", "status"),
    ("scheduler", "patch", "kubeyarn.io", "containerrequests", "status"),
    ("scheduler", "create", "", "pods", "binding"),
    ("scheduler", "watch", "", "nodes", ""),
    ("scheduler", "watch", "storage.k8s.io", "storageclasses", ""),
]
DENIED = [
    ("resourcemanager", "patch", "kubeyarn.io", "yarnqueues", "status"),
    ("resourcemanager", "delete", "kubeyarn.io", "yarnqueues", ""),
    ("resourcemanager", "create", "kubeyarn.io", "yarnapplications", ""),
    ("resourcemanager", "get", "", "secrets", ""),
    ("resourcemanager", "create", "", "pods", "binding"),
    ("scheduler", "create", "", "pods", ""),
    ("scheduler", "patch", "kubeyarn.io", "yarnapplications", "status"),
    ("scheduler", "create", "kubeyarn.io", "containerrequests", ""),
    ("scheduler", "get", "", "secrets", ""),
]


def may(server: Server, right) -> bool:
    who, verb, group, resource, sub = right
    review = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "spec": {
            "user": f"system:serviceaccount:{NAMESPACE}:kubeyarn-{who}",
            "resourceAttributes": {
                "namespace": "team-a",
                "verb": verb,
                "group": group,
                "resource": resource,
                "subresource": sub,
            },
        },
    }
    answer = server.call("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
    assert answer.status == 201, answer.message
    return bool(answer.body["status"]["allowed"])


@pytest.mark.parametrize("right", ALLOWED, ids=" ".join)
def test_a_process_may_do_what_it_does(server: Server, right):
    assert may(server, right)


@pytest.mark.parametrize("right", DENIED, ids=" ".join)
def test_a_process_may_not_do_what_it_need_not(server: Server, right):
    assert not may(server, right)


def test_the_groups_of_an_application_are_those_of_its_submitter(server: Server):
    answer = server.create(an_application("a"), user="alice", dry=True)
    assert answer.body["spec"]["userGroups"] == ["system:authenticated"]

    answer = server.create(an_application("a", userGroups=["etl"]), user="alice", dry=True)
    assert answer.status == 403
    assert 'spec.userGroups: found "etl", allowed: groups of "alice"' in answer.message

    said = an_application("a", user="carol", userGroups=["etl"])
    answer = server.create(said, user="bob", dry=True)
    assert answer.status == 201, answer.message
    assert answer.body["spec"]["userGroups"] == ["etl"]

    # Who submits for another does not lend that one its own groups.
    answer = server.create(an_application("a", user="carol"), user="bob", dry=True)
    assert "userGroups" not in answer.body["spec"]


def test_the_groups_of_an_application_stay(server: Server):
    found = an_application("a")
    try:
        server.create(found, user="alice")
        answer = server.patch(found, {"spec": {"userGroups": []}}, user="bob")
        other = server.patch(found, {"spec": {"userGroups": ["etl"]}}, user="bob")
    finally:
        server.delete(found)

    assert answer.status == 200, answer.message
    assert answer.body["spec"]["userGroups"] == ["system:authenticated"]
    assert other.status == 422
    assert "userGroups cannot be changed once submitted" in other.message


@pytest.fixture
def by_role(server: Server):
    """An application of alice in root.a.x, where carol administers root.a, under ByRole."""
    api = "rbac.authorization.k8s.io"
    carol = {"metadata": {"name": "carol-administers"}}
    rule = {
        "apiGroups": ["kubeyarn.io"],
        "resources": ["yarnqueues"],
        "verbs": ["administer"],
        "resourceNames": ["root.a"],
    }
    made = [
        (f"/apis/{api}/v1/clusterroles", {**carol, "rules": [rule]}),
        (
            f"/apis/{api}/v1/clusterrolebindings",
            {
                **carol,
                "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": "carol-administers"},
                "subjects": [{"apiGroup": api, "kind": "User", "name": "carol"}],
            },
        ),
    ]
    for path, body in made:
        assert server.call("POST", path, body).status == 201
    bind(server, "carol", "edit")
    queue = an_object("YarnQueue", "root", {"cluster": {"queueAccess": "ByRole"}})
    assert server.create(queue).status == 201
    found = an_application("a", queue="root.a.x")
    try:
        assert server.create(found, user="alice").status == 201
        status = {"status": {"queue": "root.a.x", "state": "RUNNING"}}
        assert server.patch(found, status, sub="/status").status == 200
        wait_until_guarded(server, found)
        yield found
    finally:
        server.delete(queue)
        server.delete(found)
        for path, body in made:
            server.call("DELETE", f"{path}/{body['metadata']['name']}")


def wait_until_guarded(server: Server, found) -> None:
    """The API server hears of root's word, and of carol's rights, a moment later."""
    deadline = time.monotonic() + 30
    while True:
        bob = server.patch(found, {"spec": {"priority": 1}}, user="bob")
        carol = server.patch(found, {"spec": {"priority": 2}}, user="carol")
        if (bob.status, carol.status) == (403, 200):
            return
        assert time.monotonic() < deadline, f"after 30 s: {bob.message}, {carol.message}"
        time.sleep(0.2)


KILL = {"spec": {"desiredState": "Killed"}}


def test_only_its_user_and_administrators_of_its_queue_change_an_application(server, by_role):
    answer = server.patch(by_role, KILL, user="bob")
    assert answer.status == 403
    assert 'the application of user "alice" in queue root.a.x may be changed' in answer.message
    assert "verb administer" in answer.message
    path = f"{collection(by_role)}/{by_role['metadata']['name']}"
    assert server.call("DELETE", path, user="bob").status == 403

    assert server.patch(by_role, {"spec": {"priority": 4}}, user="alice").status == 200
    assert server.patch(by_role, KILL, user="carol").status == 200


def test_only_to_queues_one_may_submit_to_an_application_is_moved(server, by_role):
    answer = server.patch(by_role, {"spec": {"queue": "root.b"}}, user="alice")
    assert answer.status == 403
    assert "spec.queue: found root.b, allowed: the full path of a queue" in answer.message
    assert server.patch(by_role, {"spec": {"queue": "root.a.y"}}, user="carol").status == 200
    # What the system itself changes and ends is no user's doing.
    assert server.patch(by_role, {"spec": {"priority": 5}}, user=RESOURCE_MANAGER).status == 200
    # Metadata, as the processes and labels of others need it, are everybody's who may edit.
    assert server.patch(by_role, {"metadata": {"labels": {"x": "y"}}}, user="bob").status == 200

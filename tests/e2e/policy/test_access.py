"""Who may submit where, by Kubernetes' roles; and where rules put whom."""

from __future__ import annotations

import pytest

from e2e.policy.world import World, condition, queue, root

pytestmark = pytest.mark.e2e

RBAC = "/apis/rbac.authorization.k8s.io/v1"
OPEN = {"userLimitFactor": "-1", "maximumAMShare": "50%"}


def allow(world: World, kind: str, subject: str, verb: str, path: str) -> None:
    """A role that names one queue, bound to a user or a group."""
    name = f"{world.namespace}-{subject}"
    rule = {"apiGroups": ["kubeyarn.io"], "resources": ["yarnqueues"], "verbs": [verb]}
    meta = {"metadata": {"name": name}}
    world.call(
        "POST", f"{RBAC}/clusterroles", {**meta, "rules": [{**rule, "resourceNames": [path]}]}
    )
    api = "rbac.authorization.k8s.io"
    binding = {
        **meta,
        "roleRef": {"apiGroup": api, "kind": "ClusterRole", "name": name},
        "subjects": [{"apiGroup": api, "kind": kind, "name": subject}],
    }
    world.call("POST", f"{RBAC}/clusterrolebindings", binding)


def refused(world: World, name: str) -> str:
    found = world.until_state(name, "FAILED")
    said = condition(found["status"], "Accepted")
    assert said["reason"] == "AccessDenied"
    return str(said["message"])


def test_only_who_has_the_right_to_a_queue_or_one_above_it_submits_there(tree):
    world = tree(
        root(queueAccess="ByRole", userGroups={"dave": ["etl"]}),
        queue("root.a", **OPEN, capacity="50%"),
        queue("root.a.x", **OPEN, capacity="100%"),
        queue("root.b", **OPEN, capacity="50%"),
    )
    allow(world, "User", "alice", "submit", "root.a")
    allow(world, "Group", "etl", "administer", "root.b")
    for name, user, path in (
        ("alices", "alice", "root.a.x"),
        ("daves", "dave", "root.b"),
        ("bobs", "bob", "root.a.x"),
        ("beyond", "alice", "root.b"),
    ):
        world.submit(name, path, user=user)

    world.until_running("alices", 1)
    world.until_running("daves", 1)
    assert "user bob may not submit to root.a.x, allowed: users with" in refused(world, "bobs")
    assert "root.b" in refused(world, "beyond")

    # Open again, at once.
    world.say("root", cluster={"queueAccess": "Open"})
    world.in_force("root")
    world.submit("later", "root.a.x", user="bob")
    world.until_running("later", 1)


def test_rules_by_group_place_applications_that_name_no_queue(tree):
    rules = [
        {"type": "group", "matches": "etl", "policy": "custom", "customPlacement": "root.etl"},
        {"type": "user", "policy": "primaryGroup", "parentQueue": "root.groups"},
    ]
    world = tree(
        root(placementRules=rules, userGroups={"alice": ["dev", "etl"]}),
        queue("root.etl", **OPEN, capacity="1w"),
        queue("root.groups", **OPEN, capacity="1w", autoCreate={"enabled": True}),
    )
    world.submit("alices", "", user="alice")
    world.submit("bobs", "", user="bob", userGroups=["system:authenticated", "ops"])

    for name, path in (("alices", "root.etl"), ("bobs", "root.groups.ops")):
        world.until_running(name, 1)
        assert world.application(name)["status"]["queue"] == path

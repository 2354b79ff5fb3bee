"""Where root says queueAccess: ByRole, nobody is let in without a right."""

from __future__ import annotations

import pytest

from kubeyarn.scheduler.access_review import AccessReview
from unit.scheduler.world import World, a_node, a_queue, a_request, two_queues


class Rights:
    """What is known of users' rights; what is not is asked for."""

    def __init__(self):
        self.known = {}
        self.asked = []

    def __call__(self, key, claim):
        self.asked.append(claim)
        return self.known.get((claim.user, claim.queue))


def a_world(**cluster):
    made = World(
        ("queue", a_queue("root", cluster={"queueAccess": "ByRole", **cluster})),
        ("queue", a_queue("root.a", capacity="50%", maximumAMShare="100%")),
        ("queue", a_queue("root.a.x", capacity="100%", maximumAMShare="100%")),
        ("queue", a_queue("root.b", capacity="50%", autoCreate={"enabled": True})),
        ("node", a_node("n1")),
    )
    rights = made.may_submit = Rights()
    return made, rights


def accepted(world, name):
    return world.live.requests["team-a", f"{name}-am-1"].accepted


def again(world, name):
    world.loop.look_again(("team-a", name))
    world.cycle()


def test_an_application_waits_until_its_users_rights_are_known():
    world, rights = a_world()
    world.submit("words", 1, queue="root.a.x")
    world.cycle()
    assert accepted(world, "words") is None
    assert rights.asked[-1] == AccessReview("alice", (), "root.a.x")
    assert world.held() == []

    rights.known["alice", "root.a.x"] = True
    again(world, "words")
    assert accepted(world, "words") == (True, "Accepted", "placed in root.a.x")
    assert len(world.held()) == 1


def test_an_application_without_the_right_is_refused():
    world, rights = a_world()
    rights.known["alice", "root.a.x"] = False
    world.submit("words", 1, queue="root.a.x")
    world.cycle()

    taken, reason, message = accepted(world, "words")
    assert (taken, reason) == (False, "AccessDenied")
    assert message.startswith("user alice may not submit to root.a.x, allowed: users with the")


def test_a_queue_made_on_demand_is_its_parents():
    world, rights = a_world()
    rights.known["alice", "root.b"] = True
    world.submit("words", 1, queue="root.b.new")
    world.cycle()

    assert accepted(world, "words") == (True, "Accepted", "placed in root.b.new")
    assert {claim.queue for claim in rights.asked} == {"root.b"}


def test_what_was_taken_before_is_not_asked_for_again():
    world, rights = a_world()
    rights.known["alice", "root.a.x"] = True
    world.submit("words", 1, queue="root.a.x")
    world.cycle()
    world.restart()
    rights = world.may_submit = Rights()
    world.cycle()

    assert len(world.held()) == 1
    assert rights.asked == []


def test_a_users_groups_are_those_that_root_names_and_kubernetes_own():
    world, rights = a_world(userGroups={"alice": ["etl", "dev"]})
    own = ["old", "system:authenticated"]
    world.submit("words", 1, queue="root.a.x", userGroups=own)
    world.submit("others", 2, queue="root.a.x", user="bob", userGroups=own)
    world.cycle()

    assert [claim.groups for claim in rights.asked] == [
        ("dev", "etl", "system:authenticated"),
        ("old", "system:authenticated"),
    ]


def test_while_access_is_open_nobody_is_asked():
    world, rights = a_world(queueAccess="Open")
    world.submit("words", 1, queue="root.a.x")
    world.cycle()

    assert rights.asked == []
    assert len(world.held()) == 1


RULES = [
    ({"type": "group", "matches": "etl", "policy": "custom", "customPlacement": "root.etl"}, "etl"),
    ({"type": "user", "policy": "primaryGroup", "parentQueue": "root"}, "dev"),
    ({"type": "user", "policy": "secondaryGroup", "parentQueue": "root"}, "etl"),
]


@pytest.mark.parametrize(("rule", "leaf"), RULES, ids=lambda one: str(one)[:40])
def test_rules_place_by_the_groups_that_root_names(rule, leaf):
    cluster = {"placementRules": [rule], "userGroups": {"alice": ["dev", "etl"]}}
    world = World(
        ("queue", a_queue("root", cluster=cluster)),
        ("queue", a_queue("root.dev", capacity="50%")),
        ("queue", a_queue("root.etl", capacity="50%")),
        ("node", a_node("n1")),
    )
    world.submit("words", 1, queue="")
    world.cycle()

    assert accepted(world, "words")[2] == f"placed in root.{leaf}"


def test_rules_place_by_the_groups_of_the_request_where_root_names_none():
    rule = {"type": "user", "policy": "primaryGroupUser", "parentQueue": "root.groups"}
    world = World(
        ("queue", a_queue("root", cluster={"placementRules": [rule]})),
        (
            "queue",
            a_queue(
                "root.groups", capacity="100%", autoCreate={"enabled": True, "maximumDepth": 2}
            ),
        ),
        ("node", a_node("n1")),
    )
    world.submit("words", 1, queue="", userGroups=["system:authenticated", "dev"])
    world.submit("alone", 2, queue="", user="bob")
    world.cycle()

    assert accepted(world, "words")[2] == "placed in root.groups.dev.alice"
    assert accepted(world, "alone")[2] == "placed in root.groups.bob.bob"


@pytest.fixture
def limited():
    """alice may submit to root.a at a priority of 2 at most."""
    access = [{"users": ["alice"], "maximumPriority": 2, "defaultPriority": 1}]
    cluster = {"queueAccess": "ByRole", "maximumApplicationPriority": 100}
    world = World(
        ("queue", a_queue("root", cluster=cluster)),
        ("queue", a_queue("root.a", capacity="100%", priorityAccess=access)),
        ("node", a_node("n1")),
    )
    world.may_submit = lambda key, claim: True
    world.submit("words", 1, queue="root.a", priority=2)
    world.cycle()
    return world


def priority_of(world, name="words"):
    return world.live.requests["team-a", f"{name}-am-1"].priority


def rebuild(world):
    """Another resource type comes: the same process builds its scheduler anew."""
    world.put("node", a_node("n9", also={"example.org/gpu": "1"}))
    world.cycle()


@pytest.mark.parametrize("how", ["restart", "rebuild"])
def test_a_priority_that_was_refused_never_comes_into_force_by_itself(limited, how):
    world = limited
    world.patch("application", "words", spec={"priority": 50})
    world.cycle()
    assert world.live.requests["team-a", "words-am-1"].prioritized[:2] == (False, "AccessDenied")

    for _ in range(2):
        world.restart() if how == "restart" else rebuild(world)
        world.cycle()
        assert priority_of(world) == 2

    # And nothing else is let in by it.
    world.patch("application", "words", spec={"priority": 77})
    world.cycle()
    assert world.live.requests["team-a", "words-am-1"].prioritized[:2] == (False, "AccessDenied")
    assert priority_of(world) == 2
    world.patch("application", "words", spec={"priority": 1})
    world.cycle()
    assert priority_of(world) == 1


def test_a_priority_that_was_said_while_no_scheduler_ran_is_checked(limited):
    world = limited
    world.objects["application"]["words"]["spec"]["priority"] = 50
    world.restart()
    world.cycle()

    assert priority_of(world) == 2
    assert world.live.requests["team-a", "words-am-1"].prioritized[:2] == (False, "AccessDenied")


def asked_by(user, *, administers=None):
    """Under ByRole *user* writes a request for alice's application; what became of it."""
    world, rights = a_world()
    rights.known["alice", "root.a.x"] = True
    world.submit("words", 1, queue="root.a.x")
    world.cycle()
    rights.known[user, "root.a.x"] = administers
    rights.asked.clear()
    groups = ["system:authenticated", "ops"]
    request = a_request("maps", "words", count=1, user=user, userGroups=groups)
    world.put("request", request)
    world.cycle()
    return world, rights


def of_maps(world):
    state = world.live.requests["team-a", "maps"]
    return state.accepted, state.granted


@pytest.mark.parametrize("user", ["alice", ""], ids=["its user", "the application itself"])
def test_an_applications_user_asks_for_its_containers(user):
    world, rights = asked_by(user)

    assert of_maps(world) == ((True, "Accepted", "asked in root.a.x"), 1)
    assert rights.asked == []


def test_an_administrator_of_its_queue_asks_for_its_containers():
    world, rights = asked_by("carol", administers=True)

    assert of_maps(world)[1] == 1
    groups = ("ops", "system:authenticated")
    assert rights.asked == [AccessReview("carol", groups, "root.a.x", verbs=("administer",))]


def test_nobody_else_asks_for_containers_in_its_name():
    world, _ = asked_by("bob", administers=False)

    (taken, reason, message), granted = of_maps(world)
    assert (taken, reason, granted) == (False, "AccessDenied", 0)
    assert message.startswith("spec.user: found 'bob', who may not ask for containers of")
    # Nor after a restart, nor when more is asked for.
    world.restart()
    world.patch("request", "maps", spec={"count": 5})
    world.cycle()
    assert of_maps(world)[1] == 0


def test_nothing_is_asked_while_it_is_not_known_who_may():
    world, rights = asked_by("bob")
    assert of_maps(world) == (None, 0)

    rights.known["bob", "root.a.x"] = True
    again(world, "words")
    assert of_maps(world)[1] == 1


def test_while_access_is_open_whoever_may_write_requests_asks():
    world = World(*two_queues(), ("node", a_node("n1")))
    world.submit("words", 1)
    world.cycle()
    world.put("request", a_request("maps", "words", count=1, user="bob"))
    world.cycle()

    assert of_maps(world)[1] == 1

"""What the Capacity Scheduler refuses, and what it makes of what it takes."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import ConfigRefused, Rejected
from kubeyarn.model.reasons import Reason
from unit.schedulers.small import SmallCluster, app_id


def refusal(cluster: SmallCluster, *args: object, **more: object) -> Reason:
    with pytest.raises(Rejected) as caught:
        cluster.submit(*args, **more)  # type: ignore[arg-type]
    return caught.value.reason


@pytest.mark.parametrize(
    ("queue", "reason"),
    [("nowhere", Reason.QUEUE_NOT_FOUND), ("root", Reason.QUEUE_NOT_LEAF)],
)
def test_a_queue_must_exist_and_be_a_leaf(queue: str, reason: Reason) -> None:
    assert refusal(SmallCluster(), 1, queue) is reason


def test_a_short_name_of_two_leaves_is_ambiguous() -> None:
    settings = {"root.a.queues": "x", "root.b.queues": "x"}
    settings |= {"root.a.x.capacity": "100", "root.b.x.capacity": "100"}

    assert refusal(SmallCluster(settings), 1, "x") is Reason.QUEUE_AMBIGUOUS


def test_a_stopped_queue_takes_nothing() -> None:
    assert refusal(SmallCluster({"root.a.state": "STOPPED"}), 1) is Reason.QUEUE_STOPPED


def test_a_queue_takes_as_many_applications_as_it_may() -> None:
    cluster = SmallCluster({"root.a.maximum-applications": "1"})
    cluster.submit(1)

    assert refusal(cluster, 2) is Reason.APPLICATION_LIMIT
    cluster.engine.finish(app_id(1), 1)
    cluster.submit(2)


def test_an_am_above_the_maximum_allocation_is_refused() -> None:
    assert refusal(SmallCluster(), 1, am=(99999, 1)) is Reason.MAXIMUM_ALLOCATION


def test_who_has_no_access_is_refused() -> None:
    closed = {"root.acl_submit_applications": " ", "root.acl_administer_queue": " "}
    closed |= {"root.a.acl_submit_applications": "ann staff"}
    cluster = SmallCluster(closed, others={"yarn.acl.enable": "true", "yarn.admin.acl": " "})

    assert refusal(cluster, 1, user="bob") is Reason.ACCESS_DENIED
    cluster.submit(2, user="ann")
    cluster.submit(3, user="bob", groups=("staff",))


def test_a_priority_beyond_what_the_user_may_have_is_refused() -> None:
    rule = "[user=ann max_priority=5 default_priority=2]"
    cluster = SmallCluster(
        {"root.a.acl_application_max_priority": rule, "root.acl_submit_applications": "*"},
        others={"yarn.acl.enable": "true", "yarn.cluster.max-application-priority": "10"},
    )

    assert refusal(cluster, 1, user="ann", priority=6) is Reason.ACCESS_DENIED
    assert refusal(cluster, 2, user="bob", priority=0) is Reason.ACCESS_DENIED
    cluster.submit(3, user="ann")
    assert cluster.engine.state.apps[app_id(3)].priority == 2


def test_a_priority_is_capped_by_the_clusters() -> None:
    cluster = SmallCluster(others={"yarn.cluster.max-application-priority": "4"})
    cluster.submit(1, priority=9)

    assert cluster.engine.state.apps[app_id(1)].priority == 4
    assert cluster.engine.set_priority(app_id(1), 9, 0) == 4
    assert cluster.engine.set_priority(app_id(1), 1, 0) == 1


def test_one_bad_ask_leaves_all_of_the_call_undone() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.cycle()
    with pytest.raises(Rejected):
        cluster.ask(1, -1)
    with pytest.raises(Rejected):
        cluster.ask(1, 1, (1024, 1), partition="nowhere")
    assert cluster.cycle() == []


def test_a_refused_configuration_leaves_the_one_before_in_force() -> None:
    cluster = SmallCluster()
    with pytest.raises(ConfigRefused):
        cluster.configure({"root.a.capacity": "70"})

    assert cluster.status("root.a").minimum == (4096, 4)


def test_amounts_and_percentages_mix_where_legacy_queue_mode_is_off() -> None:
    mixed = {
        "legacy-queue-mode.enabled": "false",
        "root.a.capacity": "[memory=2048,vcores=25%]",
        "root.b.capacity": "[memory=50%,vcores=1w]",
    }
    with pytest.raises(ConfigRefused):
        SmallCluster({**mixed, "legacy-queue-mode.enabled": "true"})
    cluster = SmallCluster(mixed)

    assert cluster.status("root.a").minimum == (2048, 2)
    assert cluster.status("root.b").minimum == (3072, 6)
    assert cluster.status("root.b").maximum == (8192, 8)
    cluster.submit(1)
    assert len(cluster.cycle()) == 1


def test_moving_takes_containers_and_asks_along() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.ask(1, 20)
    cluster.cycle()

    assert cluster.engine.move(app_id(1), "a", 0) == "root.a"
    assert cluster.engine.move(app_id(1), "b", 0) == "root.b"

    assert cluster.status("root.a").used == (0, 0)
    assert cluster.status("root.b").used == (8192, 8)
    assert cluster.status("root.b").pending == (13312, 13)


def test_a_queue_that_is_full_of_applications_is_not_moved_into() -> None:
    cluster = SmallCluster({"root.b.maximum-applications": "0"})
    cluster.submit(1)
    with pytest.raises(Rejected):
        cluster.engine.move(app_id(1), "b", 0)
    assert cluster.status("root.a").pending == (1024, 1)


FLEXIBLE = {
    "root.a.capacity": "1w",
    "root.b.capacity": "1w",
    "root.a.auto-queue-creation-v2.enabled": "true",
}


def test_a_queue_made_on_demand_goes_when_it_stood_empty_for_too_long() -> None:
    cluster = SmallCluster(FLEXIBLE)
    cluster.submit(1, "root.a.new")
    cluster.engine.cycle(0, 10)
    cluster.engine.finish(app_id(1), 1000)
    cluster.engine.cycle(200_000, 10)
    assert "root.a.new" in cluster.engine.state.queues

    cluster.engine.cycle(400_000, 10)
    assert "root.a.new" not in cluster.engine.state.queues


def test_a_managed_leaf_takes_its_guarantee_when_another_gives_it_up() -> None:
    settings = {
        "root.a.auto-create-child-queue.enabled": "true",
        "root.a.leaf-queue-template.capacity": "100",
        "queue-mappings": "u:%user:root.a.%user",
        "queue-mappings-override.enable": "true",
    }
    cluster = SmallCluster(settings)
    for number, user in ((1, "ann"), (2, "bob")):
        cluster.submit(number, "default", user=user)
    assert cluster.status("root.a.bob").minimum == (0, 0)
    cluster.engine.finish(app_id(1), 1000)
    cluster.engine.cycle(2000, 10)

    assert cluster.status("root.a.bob").minimum == (4096, 4)


@pytest.mark.parametrize("in_a_story", [False, True])
def test_a_guarantee_that_comes_late_changes_limits_at_once_but_in_stories(
    in_a_story: bool,
) -> None:
    """Hadoop goes on with the user limit that is known until something happens in the leaf."""
    settings = {
        "root.a.auto-create-child-queue.enabled": "true",
        "root.a.leaf-queue-template.capacity": "100",
        "queue-mappings": "u:%user:root.a.%user",
        "queue-mappings-override.enable": "true",
    }
    cluster = SmallCluster(settings, hadoop_compatible=in_a_story)
    for number, user in ((1, "ann"), (2, "bob")):
        cluster.submit(number, "default", user=user)
    cluster.ask(2, 3)
    cluster.cycle()
    before = cluster.engine.state.queues["root.a.bob"]
    assert before.leaf
    limit = before.users.limit("bob", "", whole=False)
    cluster.engine.finish(app_id(1), 1000)
    cluster.engine.cycle(2000, 10)

    late = before.users.limit("bob", "", whole=False)
    assert late == (limit if in_a_story else (4096, 4))
    assert limit > (4096, 4)


def test_a_request_that_no_node_could_hold_is_refused() -> None:
    cluster = SmallCluster(nodes=0)
    cluster.node("high", (4096, 2))
    cluster.node("wide", (1024, 3))
    cluster.submit(1)

    cluster.ask(1, 1, (4096, 3))
    with pytest.raises(Rejected, match="memory") as caught:
        cluster.ask(1, 1, (4097, 1))

    assert caught.value.reason is Reason.MAXIMUM_ALLOCATION
    assert cluster.engine.maximum_allocation(app_id(1)) == (4096, 3)


def test_a_master_that_no_node_could_hold_is_refused() -> None:
    cluster = SmallCluster(nodes=0)
    cluster.node("n0", (4096, 2))

    assert refusal(cluster, 1, am=(4097, 1)) is Reason.MAXIMUM_ALLOCATION


def test_without_nodes_the_configured_maximum_counts() -> None:
    cluster = SmallCluster(nodes=0)
    cluster.submit(1)

    assert cluster.engine.maximum_allocation(app_id(1)) == (8192, 4)


def test_what_runs_on_a_node_does_not_make_its_largest_container_smaller() -> None:
    cluster = SmallCluster()
    cluster.submit(1)
    cluster.node("n0", (1024, 1), capability=(8192, 8), schedulable=False)

    assert cluster.engine.rounded(app_id(1), (8192, 4)) == (8192, 4)

    cluster.node("n0", (1024, 1), capability=(1024, 1))
    with pytest.raises(Rejected):
        cluster.engine.rounded(app_id(1), (8192, 4))

    cluster.node("n1")
    assert cluster.engine.rounded(app_id(1), (8192, 4)) == (8192, 4)
    cluster.engine.remove_node("n1")
    with pytest.raises(Rejected):
        cluster.engine.rounded(app_id(1), (8192, 4))


def test_a_size_is_rounded_up_to_no_more_than_a_node_has() -> None:
    cluster = SmallCluster(nodes=0)
    cluster.node("n0", (5000, 8))
    cluster.submit(1)

    assert cluster.engine.rounded(app_id(1), (4500, 1)) == (5000, 1)

"""The queues of capacity-scheduler.xml, property by property."""

from __future__ import annotations

import pytest

from kubeyarn.hadoop.capacity_queues_xml import (
    read_branch_templates,
    read_queues,
    read_undeclared,
)
from kubeyarn.hadoop.properties import Configuration
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.queues import (
    Access,
    ApplicationOrdering,
    AutoCreateKind,
    ChildOrdering,
    ConfiguredState,
    NodeOrdering,
    PriorityAccess,
    QueueConfig,
    QueuePartition,
    percent,
    weight,
)
from kubeyarn.model.resources import ResourceTypes

PREFIX = "yarn.scheduler.capacity."
TYPES = ResourceTypes(("memory", "cpu"))
POLICIES = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.policy."
BY_USAGE = (
    "org.apache.hadoop.yarn.server.resourcemanager.scheduler.placement."
    "ResourceUsageMultiNodeLookupPolicy"
)


def conf(values: dict[str, str]) -> Configuration:
    return Configuration({PREFIX + name: text for name, text in values.items()})


def queue(path: str, values: dict[str, str]) -> QueueConfig:
    found = read_queues(conf({"root.queues": "a", **values}), TYPES)
    return next(one for one in found if one.path == path)


def leaf(suffix: str, text: str) -> QueueConfig:
    return queue("root.a", {f"root.a.{suffix}": text})


def parent(suffix: str, text: str) -> QueueConfig:
    return queue("root.a", {"root.a.queues": "b", f"root.a.{suffix}": text})


def test_queues_come_parents_first_in_the_order_of_the_property() -> None:
    values = {"root.queues": "b, a", "root.b.queues": "d,c"}

    found = read_queues(conf(values), TYPES)

    assert [one.path for one in found] == ["root", "root.b", "root.b.d", "root.b.c", "root.a"]
    assert [one.order for one in found] == [0, 1, 2, 3, 4]


def test_a_root_without_queues_is_refused_unless_it_makes_some_on_demand() -> None:
    with pytest.raises(ConfigRefused, match="root has no queues"):
        read_queues(conf({}), TYPES)

    found = read_queues(conf({"root.auto-queue-creation-v2.enabled": "true"}), TYPES)

    assert [one.path for one in found] == ["root"]


def test_a_property_that_is_not_set_says_nothing() -> None:
    assert queue("root.a", {}) == QueueConfig("root.a", order=1)


@pytest.mark.parametrize(
    ("suffix", "text", "field", "value"),
    [
        ("state", "stopped", "state", ConfiguredState.STOPPED),
        ("capacity", "30", "capacity", percent(30.0)),
        ("capacity", "2w", "capacity", weight(2.0)),
        ("maximum-capacity", "50", "maximum_capacity", percent(50.0)),
        ("default-node-label-expression", " x ", "default_partition", "x"),
        ("minimum-user-limit-percent", "25", "minimum_user_limit_percent", 25.0),
        ("user-limit-factor", "2.5", "user_limit_factor", 2.5),
        ("user-settings.jo.weight", "3", "user_weights", (("jo", 3.0),)),
        ("maximum-am-resource-percent", "0.5", "maximum_am_share", 0.5),
        ("maximum-applications", "7", "maximum_applications", 7),
        ("max-parallel-apps", "3", "maximum_parallel_applications", 3),
        ("maximum-allocation-mb", "4096", "maximum_allocation", {0: 4096}),
        ("maximum-allocation-vcores", "2", "maximum_allocation", {1: 2}),
        ("maximum-allocation", "memory-mb=4G", "maximum_allocation", {0: 4096, 1: 0}),
        ("maximum-allocation", "", "maximum_allocation", None),
        ("maximum-allocation-mb", "-1", "maximum_allocation", None),
        ("maximum-allocation-mb", "-2", "maximum_allocation", {0: -2}),
        ("ordering-policy", " fair ", "application_ordering", ApplicationOrdering.FAIR),
        ("ordering-policy", "fair", "application_ordering", ApplicationOrdering.FAIR),
        (
            "ordering-policy",
            POLICIES + "FifoOrderingPolicyForPendingApps",
            "application_ordering",
            ApplicationOrdering.FIFO_FOR_PENDING,
        ),
        (
            "ordering-policy.fair.enable-size-based-weight",
            "true",
            "size_based_weight",
            True,
        ),
        (
            "ordering-policy.exclusive-enforced-partitions",
            "x, y",
            "enforced_partitions",
            frozenset("xy"),
        ),
        ("priority", "5", "priority", 5),
        ("default-application-priority", "2", "default_application_priority", 2),
        ("disable_preemption", "true", "preemption_disabled", True),
        (
            "intra-queue-preemption.disable_preemption",
            "false",
            "intra_queue_preemption_disabled",
            False,
        ),
        ("default-application-lifetime", "60", "default_lifetime_seconds", 60),
        ("maximum-application-lifetime", "-1", "maximum_lifetime_seconds", -1),
        ("acl_submit_applications", "jo", "submit", Access(users=frozenset({"jo"}))),
        ("acl_administer_queue", " g", "administer", Access(groups=frozenset({"g"}))),
        (
            "acl_application_max_priority",
            "[user=jo max_priority=3]",
            "priority_access",
            (PriorityAccess(Access(users=frozenset({"jo"})), maximum=3),),
        ),
        ("acl_application_max_priority", "*", "priority_access", None),
        ("allow-zero-capacity-sum", "true", "allow_zero_capacity_sum", True),
        ("accessible-node-labels", "x,y", "accessible_partitions", frozenset("xy")),
        ("accessible-node-labels", "x,*", "accessible_partitions", frozenset("*")),
        ("accessible-node-labels", " ", "accessible_partitions", frozenset()),
    ],
)
def test_each_property_of_a_leaf_sets_its_field(
    suffix: str, text: str, field: str, value: object
) -> None:
    assert getattr(leaf(suffix, text), field) == value


@pytest.mark.parametrize(
    ("suffix", "text"),
    [
        ("state", "paused"),
        ("capacity", "a lot"),
        ("user-limit-factor", "x"),
        ("maximum-applications", "x"),
        ("ordering-policy", "utilization"),
        ("maximum-allocation", "disk=1"),
        ("acl_application_max_priority", "[who=jo]"),
    ],
)
def test_a_value_of_a_leaf_that_hadoop_cannot_read_is_refused(suffix: str, text: str) -> None:
    with pytest.raises(ConfigRefused, match=f"yarn.scheduler.capacity.root.a.{suffix}"):
        leaf(suffix, text)


@pytest.mark.parametrize(
    ("suffix", "field"),
    [
        ("minimum-user-limit-percent", "minimum_user_limit_percent"),
        ("user-limit-factor", "user_limit_factor"),
        ("maximum-applications", "maximum_applications"),
        ("default-application-priority", "default_application_priority"),
    ],
)
def test_what_only_leaves_have_is_not_read_of_a_parent(suffix: str, field: str) -> None:
    assert getattr(parent(suffix, "nonsense"), field) is None


def test_the_ordering_policy_of_a_parent_orders_its_children() -> None:
    found = parent("ordering-policy", "priority-utilization")

    assert found.child_ordering is ChildOrdering.PRIORITY_UTILIZATION
    assert found.application_ordering is None
    with pytest.raises(ConfigRefused, match="ordering-policy"):
        parent("ordering-policy", "fifo")


def test_only_a_leaf_can_be_kept_for_reservations() -> None:
    assert leaf("reservable", "true") == queue("root.a", {})
    with pytest.raises(ConfigRefused, match="only a leaf"):
        parent("reservable", "true")


def test_a_queue_has_capacities_for_each_label() -> None:
    found = queue(
        "root.a",
        {
            "root.a.accessible-node-labels.x.capacity": "40",
            "root.a.accessible-node-labels.x.maximum-capacity": "60",
            "root.a.accessible-node-labels.y.maximum-am-resource-percent": "0.3",
        },
    )

    assert found.partitions == (
        QueuePartition("x", percent(40.0), percent(60.0)),
        QueuePartition("y", maximum_am_share=0.3),
    )


def test_root_has_all_of_every_label_that_any_queue_names() -> None:
    found = queue(
        "root",
        {
            "root.accessible-node-labels.x.capacity": "nonsense",
            "root.not-declared.accessible-node-labels.y.capacity": "5",
        },
    )

    assert found.partitions == (QueuePartition("x"), QueuePartition("y"))


def test_a_queue_names_an_order_of_nodes_that_is_defined() -> None:
    defined = {"multi-node-sorting.policy.mine.class": BY_USAGE}

    assert (
        queue("root.a", {**defined, "root.a.multi-node-sorting.policy": "mine"}).node_ordering
        is NodeOrdering.SPREAD
    )
    assert (
        queue("root.a", {**defined, "multi-node-sorting.policy": "mine"}).node_ordering
        is NodeOrdering.SPREAD
    )
    with pytest.raises(ConfigRefused, match=r"multi-node-sorting\.policy\.mine\.class"):
        leaf("multi-node-sorting.policy", "mine")


def test_a_managed_parent_makes_leaves_by_its_template() -> None:
    found = queue(
        "root.a",
        {
            "root.a.auto-create-child-queue.enabled": "true",
            "root.a.auto-create-child-queue.max-queues": "5",
            "root.a.auto-create-child-queue.fail-on-exceeding-parent-capacity": "true",
            "root.a.leaf-queue-template.capacity": "10",
        },
    )

    assert found.auto_create is not None
    assert found.auto_create.kind is AutoCreateKind.MANAGED
    assert found.auto_create.maximum_queues == 5
    assert found.auto_create.fail_on_exceeding_parent
    assert found.auto_create.leaf_template == QueueConfig("", capacity=percent(10.0))
    with pytest.raises(ConfigRefused, match="management-policy"):
        queue(
            "root.a",
            {
                "root.a.auto-create-child-queue.enabled": "true",
                "root.a.auto-create-child-queue.management-policy": "x.Other",
            },
        )


def test_a_flexible_parent_makes_branches_by_three_templates() -> None:
    found = queue(
        "root.a",
        {
            "root.a.auto-queue-creation-v2.enabled": "true",
            "root.a.auto-queue-creation-v2.maximum-queue-depth": "3",
            "root.a.auto-queue-creation-v2.queue-auto-removal.enable": "false",
            "root.a.auto-queue-creation-v2.template.capacity": "1w",
            "root.a.auto-queue-creation-v2.leaf-template.user-limit-factor": "2",
            "root.a.auto-queue-creation-v2.parent-template.priority": "4",
        },
    ).auto_create

    assert found is not None
    assert (found.kind, found.maximum_queues) == (AutoCreateKind.FLEXIBLE, 1000)
    assert (found.maximum_depth, found.removal) == (3, False)
    assert found.template == QueueConfig("", capacity=weight(1.0))
    assert found.leaf_template == QueueConfig("", user_limit_factor=2.0)
    assert found.parent_template == QueueConfig("", priority=4)


def test_templates_of_queues_that_are_not_declared_go_by_path() -> None:
    values = conf(
        {
            "root.queues": "a",
            "root.a.auto-queue-creation-v2.template.capacity": "1w",
            "root.a.*.auto-queue-creation-v2.leaf-template.capacity": "2w",
        }
    )
    declared = read_queues(values, TYPES)

    found = read_branch_templates(values, TYPES, declared)

    assert list(found) == ["root.a.*"]
    assert found["root.a.*"].leaf_template == QueueConfig("", capacity=weight(2.0))


def test_settings_below_a_flexible_parent_wait_for_their_queue() -> None:
    values = conf(
        {
            "root.queues": "a,b",
            "root.a.auto-queue-creation-v2.enabled": "true",
            "root.a.made.priority": "3",
            "root.a.made.user-limit-factor": "9",
            "root.b.made.priority": "4",
        }
    )

    found = read_undeclared(values, TYPES, read_queues(values, TYPES))

    assert found == {"root.a.made": QueueConfig("root.a.made", priority=3)}

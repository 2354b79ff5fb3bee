"""The Capacity Scheduler's settings for all queues, property by property."""

from __future__ import annotations

from operator import attrgetter

import pytest

from kubeyarn.hadoop.capacity_scheduler_xml import read_capacity_scheduler
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.queues import (
    Access,
    IntraQueueOrder,
    OfferConfig,
    Partition,
    PreemptionConfig,
    SchedulerConfig,
    SchedulerKind,
)

PREFIX = "yarn.scheduler.capacity."
HEARTBEAT = f"{PREFIX}per-node-heartbeat."
MONITOR = "yarn.resourcemanager.scheduler.monitor."
PREEMPTION = "yarn.resourcemanager.monitor.capacity.preemption."
INTRA = f"{PREEMPTION}intra-queue-preemption."
UNDERUTILIZED = f"{PREFIX}ordering-policy.priority-utilization.underutilized-preemption."
MONITORS = "org.apache.hadoop.yarn.server.resourcemanager.monitor.capacity."
QUEUES = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity."
POLICIES = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.policy."
CALCULATORS = "org.apache.hadoop.yarn.util.resource."
ONE_QUEUE = {f"{PREFIX}root.queues": "a", f"{PREFIX}root.a.capacity": "100"}


def config(values: dict[str, str], *partitions: Partition) -> SchedulerConfig:
    return read_capacity_scheduler({**ONE_QUEUE, **values}, partitions)[0]


def test_a_property_that_is_not_set_has_hadoops_default() -> None:
    found = config({})

    assert found.kind is SchedulerKind.CAPACITY
    assert found.types.names == ("memory", "cpu")
    assert [queue.path for queue in found.queues] == ["root", "root.a"]
    assert (found.minimum_allocation, found.maximum_allocation) == ((1024, 1), (8192, 4))
    assert found.offers == OfferConfig()
    assert found.preemption == PreemptionConfig()
    assert found.administrators == Access(everyone=True)
    assert found.placement_rules == ()
    assert found.removable == frozenset()


@pytest.mark.parametrize(
    ("name", "text", "field", "default", "value"),
    [
        (f"{PREFIX}legacy-queue-mode.enabled", "false", "legacy_queue_mode", True, False),
        ("kubeyarn.corrections", "true", "corrections", False, True),
        (f"{PREFIX}maximum-applications", "7", "maximum_applications", 10000, 7),
        (f"{PREFIX}global-queue-max-application", "9", "maximum_applications_per_queue", -1, 9),
        (f"{PREFIX}maximum-am-resource-percent", "0.5", "maximum_am_share", 0.1, 0.5),
        (f"{PREFIX}user-limit-factor", "2", "user_limit_factor", 1.0, 2.0),
        (f"{PREFIX}minimum-user-limit-percent", "25", "minimum_user_limit_percent", 100.0, 25.0),
        (f"{PREFIX}max-parallel-apps", "3", "maximum_parallel_applications", None, 3),
        (f"{PREFIX}user.max-parallel-apps", "2", "user_maximum_parallel_applications", None, 2),
        ("yarn.cluster.max-application-priority", "10", "maximum_application_priority", 0, 10),
        ("yarn.acl.enable", "true", "check_access", False, True),
        (f"{PREFIX}queue-mappings-override.enable", "true", "placement_override", False, True),
        (
            f"{PREFIX}auto-queue-creation-v2.queue-expiration-time",
            "60",
            "queue_expiry_seconds",
            300,
            60,
        ),
        (f"{PREFIX}multi-node-placement-enabled", "true", "choose_nodes", False, True),
        (f"{PREFIX}lazy-preemption-enabled", "true", "lazy_preemption", False, True),
        (
            "yarn.resourcemanager.node-labels.am.default-node-label-expression",
            " x ",
            "am_default_partition",
            None,
            "x",
        ),
        (
            "yarn.resourcemanager.node-labels.am.allow-non-exclusive-allocation",
            "true",
            "am_in_shared_partitions",
            False,
            True,
        ),
        (
            f"{HEARTBEAT}multiple-assignments-enabled",
            "false",
            "offers.multiple_assignments",
            True,
            False,
        ),
        (f"{HEARTBEAT}maximum-container-assignments", "5", "offers.maximum_assignments", 100, 5),
        (f"{HEARTBEAT}maximum-offswitch-assignments", "4", "offers.maximum_offswitch", 1, 4),
        (f"{HEARTBEAT}maximum-offswitch-assignments", "0", "offers.maximum_offswitch", 1, 1),
        (f"{PREFIX}node-locality-delay", "-1", "offers.node_locality_delay", 40, -1),
        (f"{PREFIX}rack-locality-additional-delay", "9", "offers.rack_additional_delay", -1, 9),
        (f"{PREFIX}rack-locality-full-reset", "false", "offers.rack_full_reset", True, False),
        (
            f"{PREFIX}reservations-continue-look-all-nodes",
            "false",
            "offers.continue_look_at_reservations",
            True,
            False,
        ),
        (
            f"{PREFIX}skip-allocate-on-nodes-with-reserved-containers",
            "true",
            "offers.skip_reserved_nodes",
            False,
            True,
        ),
        (f"{PREEMPTION}observe_only", "true", "preemption.observe_only", False, True),
        (f"{PREEMPTION}monitoring_interval", "9", "preemption.interval_ms", 3000, 9),
        (
            f"{PREEMPTION}max_wait_before_kill",
            "9",
            "preemption.maximum_wait_before_kill_ms",
            15000,
            9,
        ),
        (f"{PREEMPTION}total_preemption_per_round", "1", "preemption.total_per_round", 0.1, 1.0),
        (
            f"{PREEMPTION}max_ignored_over_capacity",
            "0",
            "preemption.maximum_ignored_over_capacity",
            0.1,
            0.0,
        ),
        (
            f"{PREEMPTION}natural_termination_factor",
            "1",
            "preemption.natural_termination",
            0.2,
            1.0,
        ),
        (
            f"{PREEMPTION}select_based_on_reserved_containers",
            "true",
            "preemption.select_on_reserved",
            False,
            True,
        ),
        (f"{PREEMPTION}conservative-drf", "true", "preemption.conservative_drf", False, True),
        (
            f"{PREEMPTION}preemption-to-balance-queue-after-satisfied.enabled",
            "true",
            "preemption.balance_after_satisfied",
            False,
            True,
        ),
        (
            f"{PREEMPTION}preemption-to-balance-queue-after-satisfied.max-wait-before-kill",
            "9",
            "preemption.balance_wait_before_kill_ms",
            300000,
            9,
        ),
        (
            f"{PREEMPTION}additional_res_balance_based_on_reserved_containers",
            "true",
            "preemption.additional_balance_on_reserved",
            False,
            True,
        ),
        (f"{INTRA}enabled", "true", "preemption.intra_queue", False, True),
        (f"{INTRA}minimum-threshold", "0", "preemption.intra_queue_minimum_threshold", 0.5, 0.0),
        (f"{INTRA}max-allowable-limit", "1", "preemption.intra_queue_maximum_allowable", 0.2, 1.0),
        (
            f"{INTRA}preemption-order-policy",
            "Priority_First",
            "preemption.intra_queue_order",
            IntraQueueOrder.USER_LIMIT_FIRST,
            IntraQueueOrder.PRIORITY_FIRST,
        ),
        (
            f"{INTRA}preemption-order-policy",
            "oldest_first",
            "preemption.intra_queue_order",
            IntraQueueOrder.USER_LIMIT_FIRST,
            IntraQueueOrder.USER_LIMIT_FIRST,
        ),
        (
            f"{INTRA}conservative-drf",
            "false",
            "preemption.intra_queue_conservative_drf",
            True,
            False,
        ),
        (f"{UNDERUTILIZED}enabled", "true", "preemption.underutilized", False, True),
        (
            f"{UNDERUTILIZED}reserved-container-delay-ms",
            "9",
            "preemption.underutilized_delay_ms",
            60000,
            9,
        ),
        (
            f"{UNDERUTILIZED}allow-move-reservation",
            "true",
            "preemption.underutilized_move_reservation",
            False,
            True,
        ),
    ],
    ids=lambda part: part if isinstance(part, str) and part.startswith("yarn.") else "",
)
def test_each_property_sets_its_field(
    name: str, text: str, field: str, default: object, value: object
) -> None:
    read = attrgetter(field)

    assert read(config({})) == default
    assert read(config({name: text})) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (f"{PREFIX}maximum-applications", "many"),
        (f"{PREFIX}user-limit-factor", "x"),
        (f"{PREFIX}resource-calculator", "CalculatorOfOurs"),
        ("yarn.scheduler.minimum-allocation-mb", "-1"),
        ("yarn.scheduler.minimum-allocation-mb", "0"),
        ("yarn.scheduler.minimum-allocation-vcores", "0"),
        ("yarn.resource-types.memory-mb.minimum-allocation", "0"),
        ("yarn.resource-types", "yarn.io/gpu"),
        (f"{PREFIX}root.a.ordering-policy", ""),
        (f"{PREFIX}root.a.ordering-policy", f" {POLICIES}FairOrderingPolicy"),
        (f"{PREFIX}root.ordering-policy", ""),
        (f"{PREFIX}root.a.max-parallel-apps", " 5 "),
        (f"{PREFIX}root.a.max-parallel-apps", "0x5"),
        (f"{PREFIX}user.u.max-parallel-apps", " 5 "),
        ("yarn.scheduler.minimum-allocation-mb", "9000"),
        ("yarn.scheduler.maximum-allocation-vcores", "four"),
        ("yarn.resourcemanager.am.max-attempts", "0"),
        (f"{PREFIX}root.auto-queue-creation-v2.maximum-queue-depth", "deep"),
        (f"{PREFIX}multi-node-sorting.policy.names", "mine"),
    ],
)
def test_a_value_that_hadoop_does_not_start_with_is_refused(name: str, text: str) -> None:
    with pytest.raises(ConfigRefused):
        config({name: text})


def test_a_minimum_above_the_maximum_is_refused_with_both_numbers() -> None:
    with pytest.raises(ConfigRefused, match=r"found 9000, must be at least 1 and at most .* 8192"):
        config({"yarn.scheduler.minimum-allocation-mb": "9000"})


@pytest.mark.parametrize(
    ("text", "dominant"),
    [
        ("DefaultResourceCalculator", False),
        ("DominantResourceCalculator", True),
        ("DominantResourceCalculator ", True),
    ],
)
def test_the_calculator_is_named_by_its_class(text: str, dominant: bool) -> None:
    found = config({f"{PREFIX}resource-calculator": CALCULATORS + text})

    assert found.dominant is dominant


def test_every_resource_type_has_a_minimum_and_a_maximum() -> None:
    found = config(
        {
            f"{PREFIX}resource-calculator": f"{CALCULATORS}DominantResourceCalculator",
            "yarn.resource-types": "a,b",
            "yarn.resource-types.a.minimum-allocation": "2",
            "yarn.resource-types.a.maximum-allocation": "0x10",
            "yarn.scheduler.minimum-allocation-mb": "512",
            "yarn.scheduler.maximum-allocation-vcores": "32",
        }
    )

    assert found.minimum_allocation == (512, 1, 2, 0)
    assert found.maximum_allocation == (8192, 32, 16, 2**63 - 1)


def test_users_may_have_limits_of_their_own() -> None:
    found = config(
        {f"{PREFIX}user.jo.max-parallel-apps": "4", f"{PREFIX}user.max-parallel-apps": "2"}
    )

    assert found.maximum_parallel_applications_of == {"jo": 4}
    assert found.user_maximum_parallel_applications == 2


@pytest.mark.parametrize(
    ("values", "enabled"),
    [
        pytest.param({}, False, id="no monitor"),
        pytest.param({"enable": "true"}, True, id="the monitor with its own policies"),
        pytest.param(
            {"enable": "true", "policies": f"{MONITORS}ProportionalCapacityPreemptionPolicy"},
            True,
            id="the policy is named",
        ),
        pytest.param(
            {"enable": "true", "policies": f"{QUEUES}AutoCreatedQueueDeletionPolicy"},
            False,
            id="another policy",
        ),
        pytest.param(
            {"policies": f"{MONITORS}ProportionalCapacityPreemptionPolicy"},
            False,
            id="the monitor is off",
        ),
    ],
)
def test_preemption_is_a_policy_of_the_monitor(values: dict[str, str], enabled: bool) -> None:
    found = config({MONITOR + name: text for name, text in values.items()})

    assert found.preemption.enabled is enabled


def test_a_stopped_queue_that_is_not_declared_may_be_removed() -> None:
    found = config(
        {
            f"{PREFIX}root.a.state": "STOPPED",
            f"{PREFIX}root.gone.state": " stopped ",
            f"{PREFIX}root.gone.inner.state": "STOPPED",
            f"{PREFIX}root.other.state": "RUNNING",
        }
    )

    assert found.removable == {"root.gone", "root.gone.inner"}


def test_administrators_and_partitions_are_taken_over() -> None:
    found = config({"yarn.admin.acl": "jo admins"}, Partition("x"))

    assert found.administrators == Access(users=frozenset({"jo"}), groups=frozenset({"admins"}))
    assert found.partitions == (Partition("x"),)


def test_hadoops_own_node_ordering_needs_no_definition() -> None:
    config({f"{PREFIX}multi-node-sorting.policy.names": "default"})

    with pytest.raises(ConfigRefused, match="ResourceUsageMultiNodeLookupPolicy"):
        config(
            {
                f"{PREFIX}multi-node-sorting.policy.names": "default",
                f"{PREFIX}multi-node-sorting.policy.default.class": "x.Other",
            }
        )


def test_preemption_that_cannot_be_read_matters_only_where_it_runs() -> None:
    bad = {f"{PREEMPTION}total_preemption_per_round": "x"}

    assert config(bad).preemption == PreemptionConfig()
    with pytest.raises(ConfigRefused, match="total_preemption_per_round"):
        config({**bad, f"{MONITOR}enable": "true"})


def test_an_unknown_monitor_is_refused() -> None:
    with pytest.raises(
        ConfigRefused, match=r"monitor\.policies: found 'x\.Other', expected one of"
    ):
        config({f"{MONITOR}enable": "true", f"{MONITOR}policies": "x.Other"})


def test_the_dominant_calculator_rounds_to_multiples_of_nothing() -> None:
    found = config(
        {
            f"{PREFIX}resource-calculator": f"{CALCULATORS}DominantResourceCalculator",
            "yarn.resource-types.memory-mb.minimum-allocation": "0",
        }
    )

    assert found.minimum_allocation == (0, 1)

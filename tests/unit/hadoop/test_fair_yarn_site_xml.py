"""A fair scenario's settings."""

from __future__ import annotations

import pytest

from kubeyarn.hadoop.fair_yarn_site_xml import read_fair_scheduler, reload_fair_scheduler
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.fair_queues import FairOffers, FairPreemption
from kubeyarn.model.queues import SchedulerConfig
from kubeyarn.model.resources import ResourceTypes

TYPES = ResourceTypes(("memory", "cpu", "yarn.io/gpu"))
NOTHING = "<allocations/>"


def config(values: dict[str, str]) -> SchedulerConfig:
    return read_fair_scheduler(values, NOTHING, TYPES)


def test_what_is_not_said_is_yarns_default() -> None:
    found = config({})

    assert found.minimum_allocation == (1024, 1, 0)
    assert found.maximum_allocation[:2] == (8192, 4)
    assert found.increment_allocation == (1024, 1, 0)
    assert found.fair is not None
    assert found.fair.offers == FairOffers()
    assert found.fair.preemption == FairPreemption()


def test_settings_of_the_fair_scheduler_are_read() -> None:
    prefix = "yarn.scheduler.fair."
    fair = config(
        {
            f"{prefix}assignmultiple": "true",
            f"{prefix}dynamic.max.assign": "FALSE",
            f"{prefix}max.assign": "3",
            f"{prefix}locality.threshold.node": "0.5",
            f"{prefix}locality.threshold.rack": "0.25",
            f"{prefix}reservable-nodes": "0.1",
            f"{prefix}preemption": "true",
            f"{prefix}preemption.cluster-utilization-threshold": "0.6",
            f"{prefix}am.preemption": "false",
            f"{prefix}am.preemption.root.a": "true",
            f"{prefix}waitTimeBeforeKill": "100",
            f"{prefix}waitTimeBeforeNextStarvationCheck": "200",
            f"{prefix}sizebasedweight": "true",
            f"{prefix}allow-undeclared-pools": "false",
            f"{prefix}user-as-default-queue": "false",
            "yarn.scheduler.reservation-threshold.increment-multiple": "4",
        }
    ).fair

    assert fair is not None
    assert fair.offers == FairOffers(True, False, 3, 0.5, 0.25, 0.1, 4.0)
    assert fair.preemption == FairPreemption(
        enabled=True,
        utilization_threshold=0.6,
        masters=False,
        masters_of=(("root.a", True),),
        wait_before_kill_ms=100,
        wait_before_next_check_ms=200,
    )
    assert (fair.size_based_weight, fair.allow_undeclared, fair.user_as_default) == (
        True,
        False,
        False,
    )


@pytest.mark.parametrize(
    ("text", "expected"), [("512", 512), ("1 Gi", 1024), ("1024Ki", 1), ("2Mi", 2)]
)
def test_an_increment_may_have_a_unit(text: str, expected: int) -> None:
    found = config({"yarn.resource-types.memory-mb.increment-allocation": text})

    assert found.increment_allocation == (expected, 1, 0)


def test_resource_types_go_before_the_schedulers_own_keys() -> None:
    found = config(
        {
            "yarn.scheduler.increment-allocation-mb": "7",
            "yarn.resource-types.memory-mb.increment-allocation": "13",
            "yarn.scheduler.maximum-allocation-vcores": "6",
            "yarn.resource-types.vcores.maximum-allocation": "8",
            "yarn.resource-types.yarn.io/gpu.maximum-allocation": "2",
        }
    )

    assert found.increment_allocation == (13, 1, 0)
    assert found.maximum_allocation == (8192, 8, 2)


@pytest.mark.parametrize(
    ("key", "text"),
    [
        ("yarn.scheduler.minimum-allocation-mb", "much"),
        ("yarn.scheduler.fair.max.assign", "3.5"),
        ("yarn.scheduler.fair.reservable-nodes", "some"),
        ("yarn.resource-types.memory-mb.increment-allocation", "1 Xi"),
        ("yarn.scheduler.fair.update-interval-ms", "often"),
        ("yarn.scheduler.fair.continuous-scheduling-sleep-ms", "5s"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_its_key(key: str, text: str) -> None:
    with pytest.raises(ConfigRefused, match=key):
        config({key: text})


def test_how_to_preempt_is_not_read_where_nothing_is_preempted() -> None:
    key = "yarn.scheduler.fair.waitTimeBeforeKill"

    assert config({key: "soon"}).fair is not None
    with pytest.raises(ConfigRefused, match=key):
        config({key: "soon", "yarn.scheduler.fair.preemption": "true"})


def test_a_truth_value_that_is_none_is_the_default() -> None:
    fair = config({"yarn.scheduler.fair.preemption": "perhaps"}).fair

    assert fair is not None
    assert not fair.preemption.enabled


def test_a_reload_reads_the_file_and_the_maximum_and_nothing_else() -> None:
    before = config({"yarn.scheduler.fair.preemption": "true"})
    values = {
        "yarn.scheduler.fair.preemption": "false",
        "yarn.scheduler.maximum-allocation-mb": "4096",
        "yarn.scheduler.minimum-allocation-mb": "512",
    }

    after = reload_fair_scheduler(
        before, values, '<allocations><queue name="a"/></allocations>', TYPES
    )

    assert [queue.path for queue in after.queues] == ["root", "root.a"]
    assert after.maximum_allocation[0] == 4096
    assert after.minimum_allocation == before.minimum_allocation
    assert after.fair is not None
    assert after.fair.preemption.enabled


def test_a_reload_keeps_the_maximum_it_has_where_it_cannot_read_another() -> None:
    before = config({"yarn.scheduler.maximum-allocation-mb": "4096"})

    after = reload_fair_scheduler(
        before, {"yarn.scheduler.maximum-allocation-mb": "much"}, NOTHING, TYPES
    )

    assert after.maximum_allocation[0] == 4096

"""A configuration of Hadoop's becomes YarnQueues and roles, and what is lost is told."""

from __future__ import annotations

from typing import Any

import pytest

from kubeyarn.convert.conversion import convert, read_back
from kubeyarn.convert.converted import Converted
from kubeyarn.convert.manifests import manifests
from kubeyarn.hadoop.capacity_scheduler_xml import read_capacity_scheduler

PREFIX = "yarn.scheduler.capacity."
TWO = {"root.queues": "a,b", "root.a.capacity": "60", "root.b.capacity": "40"}


def converted(own: dict[str, str], **others: str) -> Converted:
    """*own* are properties of the Capacity Scheduler; `_` in the names of *others* is a dot."""
    values = {PREFIX + name: value for name, value in own.items()}
    values |= {name.replace("_", "."): value for name, value in others.items()}
    return convert(read_capacity_scheduler(values)[0])


def spec(result: Converted, name: str) -> dict[str, Any]:
    return next(
        found.get("spec", {}) for found in result.objects if found["metadata"]["name"] == name
    )


@pytest.mark.parametrize(
    ("name", "value", "field", "said"),
    [
        ("root.a.state", "STOPPED", "state", "Stopped"),
        ("root.a.maximum-capacity", "80", "maximumCapacity", "80%"),
        ("root.a.user-limit-factor", "1.5", "userLimitFactor", "1.5"),
        ("root.a.user-limit-factor", "-1", "userLimitFactor", "-1"),
        ("root.a.minimum-user-limit-percent", "25", "minimumUserLimitPercent", 25),
        ("root.a.minimum-user-limit-percent", "12.5", "minimumUserLimitPercent", "12.5"),
        ("root.a.maximum-am-resource-percent", "0.25", "maximumAMShare", "25%"),
        ("root.a.max-parallel-apps", "7", "maximumParallelApplications", 7),
        ("root.a.ordering-policy", "fair", "ordering", {"applications": "Fair"}),
        ("root.a.priority", "3", "priority", 3),
        ("root.a.accessible-node-labels", "*", "accessiblePartitions", ["*"]),
        ("root.a.accessible-node-labels", " ", "accessiblePartitions", []),
        ("root.a.disable_preemption", "true", "preemption", {"disabled": True}),
        ("root.a.user-settings.bob.weight", "2", "userWeights", {"bob": "2"}),
        ("root.a.maximum-allocation-mb", "4096", "maximumAllocation", {"memory": "4Gi"}),
    ],
)
def test_a_property_becomes_a_field(name: str, value: str, field: str, said: object) -> None:
    result = converted({**TWO, name: value})

    assert spec(result, "root.a")[field] == said
    assert result.notes == []


@pytest.mark.parametrize(
    ("name", "value", "field", "said"),
    [
        ("maximum-am-resource-percent", "0.5", "maximumAMShare", "50%"),
        ("user-limit-factor", "3", "userLimitFactor", "3"),
        ("minimum-user-limit-percent", "33.3", "minimumUserLimitPercent", "33.3"),
        ("max-parallel-apps", "9", "maximumParallelApplications", 9),
        ("maximum-applications", "500", "maximumApplications", 500),
        ("node-locality-delay", "0", "offers", {"nodeLocalityDelay": 0}),
    ],
)
def test_what_holds_for_all_queues_is_said_at_root(
    name: str, value: str, field: str, said: object
) -> None:
    result = converted({**TWO, name: value})

    assert spec(result, "root")["cluster"][field] == said
    assert spec(result, "root.a") == {"capacity": "60%"}


def test_amounts_of_a_partition_are_quantities_by_resource() -> None:
    result = converted(
        {
            "root.queues": "a",
            "root.a.capacity": "[memory=10240,vcores=8]",
            "root.a.accessible-node-labels": "gpu",
            "root.a.accessible-node-labels.gpu.capacity": "[memory=4096,vcores=4]",
        }
    )

    assert spec(result, "root.a")["partitions"] == [
        {"name": "gpu", "capacityByResource": {"memory": "4Gi", "cpu": "4"}}
    ]


def test_amounts_of_a_queue_are_quantities_by_resource() -> None:
    result = converted(
        {
            "root.queues": "a",
            "root.a.capacity": "[memory=10240,vcores=8]",
            "root.a.maximum-capacity": "[memory=20480,vcores=16]",
        }
    )

    assert spec(result, "root.a") == {
        "capacityByResource": {"memory": "10Gi", "cpu": "8"},
        "maximumCapacityByResource": {"memory": "20Gi", "cpu": "16"},
    }


def test_a_maximum_lifetime_of_zero_takes_the_parents_default_off() -> None:
    result = converted(
        {
            "root.queues": "p",
            "root.p.capacity": "100",
            "root.p.default-application-lifetime": "70",
            "root.p.maximum-application-lifetime": "150",
            "root.p.queues": "x,y,z",
            "root.p.x.capacity": "50",
            "root.p.y.capacity": "25",
            "root.p.y.maximum-application-lifetime": "0",
            "root.p.z.capacity": "25",
            "root.p.z.default-application-lifetime": "100",
        }
    )

    assert "lifetime" not in spec(result, "root.p.x")
    assert spec(result, "root.p.y")["lifetime"] == {"defaultSeconds": 0, "maximumSeconds": 0}
    assert spec(result, "root.p.z")["lifetime"] == {"defaultSeconds": 100, "maximumSeconds": 150}


def test_the_same_files_are_always_the_same_text() -> None:
    assert manifests(converted(TWO)) == manifests(converted(TWO))


def test_each_field_stands_under_its_property() -> None:
    lines = manifests(converted({**TWO, "maximum-am-resource-percent": "0.5"})).splitlines()

    at = lines.index("  capacity: 60%")
    assert lines[at - 1] == "  # yarn.scheduler.capacity.root.a.capacity"
    at = lines.index("    maximumAMShare: 50%")
    assert lines[at - 1] == "    # yarn.scheduler.capacity.maximum-am-resource-percent"


def test_the_scheduler_accepts_what_was_written() -> None:
    read = read_back(converted(TWO).objects)

    assert read.problems == ()
    assert read.config is not None
    assert [queue.path for queue in read.config.queues] == ["root", "root.a", "root.b"]


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("root.c.auto-queue-creation-v2.template.capacity", "1w", "templates"),
        ("rack-locality-additional-delay", "-7", "found -7"),
    ],
)
def test_what_cannot_be_said_is_told(name: str, value: str, told: str) -> None:
    notes = converted({**TWO, name: value}).notes

    assert len(notes) == 1
    assert told in notes[0].message


def roles(result: Converted) -> dict[str, list[str]]:
    """Who is bound to each role, by its name."""
    return {
        found["metadata"]["name"]: [one["name"] for one in found["subjects"]]
        for found in result.objects
        if found["kind"] == "ClusterRoleBinding"
    }


def test_access_lists_become_roles() -> None:
    result = converted(
        {
            **TWO,
            "root.acl_submit_applications": " ",
            "root.acl_administer_queue": "admin",
            "root.a.acl_submit_applications": "alice,bob etl",
        },
        yarn_acl_enable="true",
        yarn_admin_acl=" ops",
    )

    assert roles(result) == {
        "kubeyarn-queue-administer-root": ["admin"],
        "kubeyarn-queue-submit-root.a": ["alice", "bob", "etl"],
        "kubeyarn-queue-administer-all": ["ops"],
    }
    assert spec(result, "root")["cluster"]["queueAccess"] == "ByRole"


def test_everybody_may_use_root_where_the_file_says_nothing() -> None:
    found = roles(converted(TWO, yarn_acl_enable="true"))

    assert found["kubeyarn-queue-submit-root"] == ["system:authenticated"]


def test_there_are_no_roles_where_access_is_not_checked() -> None:
    assert roles(converted({**TWO, "root.a.acl_submit_applications": "alice"})) == {}

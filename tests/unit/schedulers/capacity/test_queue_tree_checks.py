"""Which queue trees are refused, in the words in which they were configured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.hadoop.capacity_scheduler_xml import spelling
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.queues import (
    AutoCreate,
    AutoCreateKind,
    Capacity,
    ConfiguredState,
    QueueConfig,
    QueuePartition,
    SchedulerConfig,
    Share,
    Unit,
    absolute,
    percent,
    weight,
)
from kubeyarn.schedulers.capacity.queue_tree_checks import TreeLookup, build_tree

STOPPED, RUNNING = ConfiguredState.STOPPED, ConfiguredState.RUNNING
MIXED = Capacity(by_resource=(Share(Unit.ABSOLUTE, 10), Share(Unit.PERCENT, 50)))


def queue(path: str, capacity: Capacity | float | None = None, **more: object) -> QueueConfig:
    if isinstance(capacity, (int, float)):
        capacity = percent(capacity)
    return replace(QueueConfig(path, capacity=capacity), **more)  # type: ignore[arg-type]


def config(*queues: QueueConfig, legacy: bool = True, **more: object) -> SchedulerConfig:
    top = () if any(one.path == "root" for one in queues) else (QueueConfig("root"),)
    ordered = [replace(one, order=place) for place, one in enumerate(queues)]
    made = SchedulerConfig(
        queues=(*top, *ordered),
        minimum_allocation=(1, 1),
        maximum_allocation=(100, 100),
        legacy_queue_mode=legacy,
        dominant=True,
    )
    return replace(made, **more)  # type: ignore[arg-type]


A, B, AX, AY = "root.a", "root.b", "root.a.x", "root.a.y"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(config(queue(A, 100)), id="one queue has all"),
        pytest.param(config(queue(A, 50), queue(B, 50)), id="percentages make 100"),
        pytest.param(config(queue(A, 33.33), queue(B, 66.67)), id="so they do with fractions"),
        pytest.param(config(queue(A, 33.3), queue(B, 66.67)), id="so they do but for 0.05"),
        pytest.param(config(queue(A, 0), queue(B, 100)), id="one of them is nothing"),
        pytest.param(config(queue(A, weight(1)), queue(B, weight(9))), id="weights"),
        pytest.param(config(queue(A, absolute((60, 6))), queue(B, absolute((9, 9)))), id="amounts"),
        pytest.param(
            config(queue(A, 100), queue(AX, weight(1)), queue(AY, weight(2))),
            id="percentages, and weights below them",
        ),
        pytest.param(
            config(queue(A, MIXED), queue(B, weight(1)), legacy=False),
            id="units mixed without legacy queue mode",
        ),
        pytest.param(
            config(queue(A, 20), queue(B, 20), legacy=False),
            id="sums of less than 100 without legacy queue mode",
        ),
        pytest.param(
            config(queue(A, 100), queue(AX, 0), queue(AY, 0), legacy=False),
            id="children of nothing without legacy queue mode",
        ),
        pytest.param(
            config(queue(A, 100, allow_zero_capacity_sum=True), queue(AX, 0), queue(AY, 0)),
            id="children of nothing where a sum of 0 is allowed",
        ),
        pytest.param(
            config(queue(A, 0), queue(AX, 100), queue(B, 100), legacy=False),
            id="a queue of nothing that shares it out without legacy queue mode",
        ),
        pytest.param(config(queue("root", auto_create=AutoCreate())), id="none yet"),
        pytest.param(
            config(queue(A, 100, state=STOPPED), queue(AX, 100)), id="a stopped queue with a child"
        ),
        pytest.param(
            config(queue(A, 100, maximum_capacity=percent(50))), id="a maximum below the capacity"
        ),
    ],
)
def test_a_tree_is_taken(given: SchedulerConfig) -> None:
    assert build_tree(given).path == "root"


@pytest.mark.parametrize(
    ("given", "where", "reason", "message"),
    [
        pytest.param(
            config(queue("root.p.a", 100)),
            ("root.p.a", "name"),
            "ParentNotFound",
            "parent 'root.p' does not exist",
            id="a queue without its parent",
        ),
        pytest.param(
            config(),
            ("root", "queues"),
            "NoQueues",
            "root has no queues; declare at least one",
            id="a root without queues",
        ),
        pytest.param(
            config(queue(A, 50), queue(B, 40)),
            ("root", "capacity"),
            "CapacitySum",
            "capacities of the children of root add up to 90%, not to 0% or 100%",
            id="percentages that make 90",
        ),
        pytest.param(
            config(queue(A, 60), queue(B, 60)),
            ("root", "capacity"),
            "CapacitySum",
            "capacities of the children of root add up to 120%, not to 0% or 100%",
            id="percentages that make 120",
        ),
        pytest.param(
            config(queue(A, 100), queue(AX, 0), queue(AY, 0)),
            (A, "capacity"),
            "CapacitySum",
            "capacities of the children of root.a add up to 0% although it has 100%; give them "
            "100% together or allow a zero sum",
            id="children of nothing below a queue with something",
        ),
        pytest.param(
            config(queue(A, 0), queue(AX, 100), queue(B, 100)),
            (A, "capacity"),
            "CapacitySum",
            "children of root.a have capacities but it has none itself",
            id="children with something below a queue with nothing",
        ),
        pytest.param(
            config(queue(A, 100), queue(AX, 50), queue(AY, weight(1))),
            (A, "capacity"),
            "MixedCapacity",
            "children mix weights, percentages and amounts: root.a.x, root.a.y; use one of them "
            "for all",
            id="siblings with percentages and weights",
        ),
        pytest.param(
            config(queue(A, absolute((60, 6))), queue(AX, 100)),
            (A, "capacity"),
            "MixedCapacity",
            "where amounts are used, parent and children must all use amounts",
            id="percentages below amounts",
        ),
        pytest.param(
            config(
                queue(A, absolute((60, 6))),
                queue(AX, absolute((50, 5))),
                queue(AY, absolute((20, 2))),
            ),
            (A, "capacity"),
            "CapacitySum",
            "capacity by resource: found memory 60, cpu 6, allowed: at least what its children "
            "have together, memory 70, cpu 7",
            id="children with larger amounts than their parent",
        ),
        pytest.param(
            config(queue(A, MIXED)),
            (A, "capacity by resource"),
            "MixedCapacity",
            "a capacity by resource is all amounts while legacy queue mode is on; switch legacy "
            "queue mode off to mix",
            id="mixed units in legacy queue mode",
        ),
        pytest.param(
            config(queue(A, 101)),
            (A, "capacity"),
            "InvalidField",
            "capacity 101.0% must be between 0% and 100%",
            id="a percentage over 100",
        ),
        pytest.param(
            config(queue(A, -1)),
            (A, "capacity"),
            "InvalidField",
            "capacity -1.0% must be between 0% and 100%",
            id="a negative percentage",
        ),
        pytest.param(
            config(queue(A, weight(10001))),
            (A, "capacity"),
            "InvalidField",
            "weight 10001.0 must be between 0 and 10000",
            id="a weight over 10000",
        ),
        pytest.param(
            config(queue(A, 100, maximum_capacity=weight(1))),
            (A, "maximum capacity"),
            "InvalidField",
            "a maximum capacity is no weight",
            id="a maximum that is a weight",
        ),
        pytest.param(
            config(queue(A, absolute((60, 6)), maximum_capacity=absolute((50, 5)))),
            (A, "capacity by resource"),
            "InvalidField",
            "capacity by resource: found memory 60, cpu 6, allowed: at most its maximum, memory "
            "50, cpu 5",
            id="amounts over their maximum (own-amount-over-its-maximum)",
        ),
        pytest.param(
            config(
                queue(A, absolute((60, 6)), maximum_capacity=absolute((60, 6))),
                queue(AX, absolute((50, 5)), maximum_capacity=absolute((80, 8))),
            ),
            (AX, "maximum capacity by resource"),
            "InvalidField",
            "maximum capacity by resource: found memory 80, cpu 8, allowed: at most its "
            "parent's, memory 60, cpu 6",
            id="a maximum over the parent's (own-maximum-over-the-parents)",
        ),
        pytest.param(
            config(
                queue(
                    A,
                    100,
                    partitions=(QueuePartition("x", maximum=percent(120)),),
                    accessible_partitions=frozenset({"x"}),
                )
            ),
            (A, "maximum capacity"),
            "InvalidField",
            "maximum capacity 120% in partition x must be between 0% and 100%",
            id="a maximum over 100 in a partition (own-config-partition-maximum-over-100)",
        ),
        pytest.param(
            config(
                queue(
                    A,
                    absolute((60, 6)),
                    partitions=(QueuePartition("x", capacity=percent(100)),),
                    accessible_partitions=frozenset({"x"}),
                )
            ),
            (A, "capacity"),
            "MixedCapacity",
            "the capacity is by resource in some partitions and not in others; use amounts for "
            "all of them or for none",
            id="amounts in one partition (own-config-amounts-in-one-partition)",
        ),
        pytest.param(
            config(queue(A, 100, state=STOPPED), queue(AX, 100, state=RUNNING)),
            (AX, "state"),
            "ParentStopped",
            "the parent root.a cannot be stopped as its child root.a.x is running; stop the child "
            "or start the parent",
            id="a running queue below a stopped one",
        ),
        pytest.param(
            config(queue(A, 100, user_weights=(("jo", 5.0),), minimum_user_limit_percent=25.0)),
            (A, "user weights"),
            "InvalidField",
            "weight 5.0 of user 'jo' must be between 0 and 100 / 25.0 (= 4.0, the number of users "
            "the minimum user limit guarantees)",
            id="a weight that no user limit allows",
        ),
        pytest.param(
            config(queue(A, 100, maximum_allocation={0: 200})),
            (A, "maximum allocation"),
            "InvalidField",
            "maximum allocation: found memory 200, allowed: at most the cluster's memory 100; "
            "lower it, or raise root's maximum allocation",
            id="a largest container over the cluster's",
        ),
        pytest.param(
            config(queue(A, 100, maximum_lifetime_seconds=10, default_lifetime_seconds=20)),
            (A, "lifetime"),
            "InvalidField",
            "default lifetime 20 s is above the maximum lifetime 10 s",
            id="a default lifetime over the maximum",
        ),
        pytest.param(
            config(queue(A, 100, default_partition="x", accessible_partitions=frozenset({"y"}))),
            (A, "default partition"),
            "PartitionAccess",
            "default partition 'x' is not among the accessible ['y']",
            id="a default partition without access to it",
        ),
        pytest.param(
            config(
                queue(A, 100, accessible_partitions=frozenset({"x"})),
                queue(AX, 100, accessible_partitions=frozenset({"x", "y"})),
            ),
            (AX, "accessible partitions"),
            "PartitionAccess",
            "accessible partitions ['y'] are not accessible to the parent, which has ['x']; "
            "remove them or add them to the parent",
            id="a partition that the parent has no access to",
        ),
    ],
)
def test_a_tree_is_refused(
    given: SchedulerConfig, where: tuple[str, str], reason: str, message: str
) -> None:
    with pytest.raises(ConfigRefused) as refused:
        build_tree(given)

    [problem] = refused.value.problems
    assert (problem.queue, problem.field) == where
    assert (problem.reason, problem.message) == (reason, message)


@pytest.mark.parametrize(
    ("given", "field", "part"),
    [
        pytest.param(
            config(queue(A, 50)), "yarn.scheduler.capacity.root.capacity", "add up to 50%", id="sum"
        ),
        pytest.param(
            config(queue(A, MIXED)),
            "yarn.scheduler.capacity.root.a.capacity",
            "switch yarn.scheduler.capacity.legacy-queue-mode.enabled off to mix",
            id="mixed units",
        ),
        pytest.param(
            config(queue(A, 100, maximum_allocation={0: 200})),
            "yarn.scheduler.capacity.root.a.maximum-allocation",
            "raise root's yarn.scheduler.maximum-allocation",
            id="largest container",
        ),
        pytest.param(
            config(queue(A, 100, default_partition="x", accessible_partitions=frozenset())),
            "yarn.scheduler.capacity.root.a.default-node-label-expression",
            "'x'",
            id="default partition",
        ),
    ],
)
def test_an_administrator_of_hadoop_reads_properties(
    given: SchedulerConfig, field: str, part: str
) -> None:
    with pytest.raises(ConfigRefused) as refused:
        build_tree(replace(given, spelling=spelling))

    [problem] = refused.value.problems
    assert problem.field == field
    assert part in problem.message


# -- what a tree is looked up for ----------------------------------------------------------------

MANAGED = AutoCreate(kind=AutoCreateKind.MANAGED)
FLEXIBLE = AutoCreate(kind=AutoCreateKind.FLEXIBLE)
TREE = TreeLookup(
    build_tree(
        config(
            queue(A, weight(1)),
            queue(AX, weight(1)),
            queue(B, weight(1)),
            queue("root.b.x", weight(1)),
            queue("root.m", weight(1), auto_create=MANAGED),
            queue("root.f", weight(1), auto_create=FLEXIBLE),
        )
    )
)


@pytest.mark.parametrize(
    ("name", "path", "ambiguous"),
    [
        ("root.a", "root.a", False),
        ("a", "root.a", False),
        ("x", None, True),
        ("root.a.x", "root.a.x", False),
        ("gone", None, False),
        ("root", "root", False),
    ],
)
def test_a_queue_is_found_by_path_or_short_name(
    name: str, path: str | None, ambiguous: bool
) -> None:
    assert TREE.path_of(name) == path
    assert TREE.ambiguous(name) is ambiguous


@pytest.mark.parametrize(
    ("path", "leaf", "children", "parents"),
    [
        ("root", False, False, False),
        ("root.a", False, False, False),
        ("root.a.x", True, False, False),
        ("root.m", False, True, False),
        ("root.f", False, True, True),
    ],
)
def test_a_queue_takes_applications_or_makes_queues(
    path: str, leaf: bool, children: bool, parents: bool
) -> None:
    assert TREE.is_leaf(path) is leaf
    assert TREE.makes_children(path) is children
    assert TREE.makes_parents(path) is parents

"""What queues are guaranteed and may hold, by the capacities that are configured."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import (
    Capacity,
    QueueConfig,
    SchedulerConfig,
    Share,
    Unit,
    absolute,
    percent,
    weight,
)
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.capacity.queue_capacities import CapacityVectors, ParentResource, divide
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler

# -- one capacity vector for each resource type ---------------------------------------------------

WHOLE = ParentResource(whole=(10000, 100), minimum=(10000, 100), maximum=(10000, 100))


def vector(memory: Share, cpu: Share) -> Capacity:
    return Capacity(by_resource=(memory, cpu))


def amount(value: float) -> Share:
    return Share(Unit.ABSOLUTE, value)


def part(value: float) -> Share:
    return Share(Unit.PERCENT, value)


def weigh(value: float) -> Share:
    return Share(Unit.WEIGHT, value)


def minima(*capacities: Capacity | None, parent: ParentResource = WHOLE) -> list[tuple[int, ...]]:
    return [
        least for least, _ in divide([CapacityVectors.of(c, None, 2) for c in capacities], parent)
    ]


def test_amounts_come_first_then_percentages_of_the_rest_then_weights() -> None:
    found = minima(
        vector(amount(4000), weigh(1)),
        vector(part(50), amount(40)),
        vector(weigh(1), part(50)),
        vector(weigh(2), weigh(2)),
    )

    assert [memory for memory, _ in found] == [4000, 3000, 1000, 2000]
    assert [cpu for _, cpu in found] == [10, 40, 30, 20]


def test_amounts_shrink_together_when_there_is_too_little() -> None:
    small = ParentResource(whole=(6000, 60), minimum=(6000, 60), maximum=(6000, 60))

    assert minima(absolute((8000, 30)), absolute((4000, 20)), parent=small) == [
        (4000, 30),
        (2000, 20),
    ]


def test_percentages_are_rounded_down_and_weights_to_the_nearest() -> None:
    odd = ParentResource(whole=(10, 10), minimum=(10, 10), maximum=(10, 10))

    assert minima(percent(33), percent(33), parent=odd) == [(3, 3), (3, 3)]
    assert minima(weight(1), weight(2), parent=odd) == [(3, 3), (7, 7)]


def test_the_only_weight_takes_all_that_is_left() -> None:
    assert minima(absolute((3333, 33)), weight(5)) == [(3333, 33), (6667, 67)]


def test_a_queue_without_memory_has_nothing() -> None:
    assert minima(vector(amount(0), part(50)), percent(50)) == [(0, 0), (5000, 50)]


def test_who_says_nothing_has_nothing() -> None:
    assert divide([CapacityVectors.of(None, None, 2)], WHOLE) == [((0, 0), (0, 0))]


@pytest.mark.parametrize(
    ("maximum", "expected"),
    [
        (None, (10000, 100)),
        (percent(30), (3000, 30)),
        (absolute((0, 20)), (10000, 20)),
        (absolute((50000, 20)), (10000, 20)),
    ],
)
def test_a_maximum_is_the_parents_at_most(
    maximum: Capacity | None, expected: tuple[int, int]
) -> None:
    assert divide([CapacityVectors.of(percent(10), maximum, 2)], WHOLE)[0][1] == expected


def test_a_minimum_above_the_maximum_is_the_maximum() -> None:
    assert divide([CapacityVectors.of(percent(50), percent(20), 2)], WHOLE) == [
        ((2000, 20), (2000, 20))
    ]


def test_nothing_is_divided_of_nothing() -> None:
    nothing = ParentResource(whole=(0, 0), minimum=(0, 0), maximum=(0, 0))

    assert minima(percent(50), weight(1), absolute((100, 1)), parent=nothing) == [(0, 0)] * 3


# -- legacy queue mode, from a configuration to amounts ------------------------------------------


def effective(
    *queues: QueueConfig,
    nodes: tuple[Vector, ...] = ((40960, 40),),
    legacy: bool = True,
    dominant: bool = False,
) -> dict[str, tuple[Vector, Vector]]:
    """Each queue's effective minimum and maximum, of the default partition."""
    engine = CapacityScheduler(ResourceTypes())
    ordered = [replace(queue, order=place) for place, queue in enumerate(queues)]
    engine.configure(
        SchedulerConfig(
            queues=(QueueConfig("root"), *ordered),
            minimum_allocation=(1024, 1),
            maximum_allocation=(40960, 40),
            legacy_queue_mode=legacy,
            dominant=dominant,
        ),
        0,
    )
    for number, size in enumerate(nodes):
        engine.add_node(Node(f"n{number}", size))
    engine.queue_status()
    return {
        path: (queue.minimum(""), queue.maximum(""))
        for path, queue in engine.state.queues.items()
        if path != "root"
    }


def queue(path: str, capacity: Capacity, maximum: Capacity | None = None) -> QueueConfig:
    return QueueConfig(path, capacity=capacity, maximum_capacity=maximum)


A, B, AX, AY = "root.a", "root.b", "root.a.x", "root.a.y"
WHOLE_CLUSTER = (40960, 40)


@pytest.mark.parametrize(
    ("queues", "minimum", "maximum"),
    [
        pytest.param(
            [queue(A, percent(50)), queue(B, percent(50))],
            {A: (20480, 20), B: (20480, 20)},
            {A: WHOLE_CLUSTER, B: WHOLE_CLUSTER},
            id="percentages of the cluster, up to all of it",
        ),
        pytest.param(
            [queue(A, percent(30)), queue(B, percent(70))],
            # As floats 0.3 is a little more and 0.7 a little less: 12288.0005 and 28671.9995.
            {A: (12288, 12), B: (28671, 27)},
            {A: WHOLE_CLUSTER, B: WHOLE_CLUSTER},
            id="in single precision, truncated (label-exclusive-capacity)",
        ),
        pytest.param(
            [queue(A, percent(50), percent(60)), queue(B, percent(50))],
            {A: (20480, 20), B: (20480, 20)},
            {A: (24576, 24), B: WHOLE_CLUSTER},
            id="a maximum (elastic-max-capacity)",
        ),
        pytest.param(
            [
                queue(A, percent(50), percent(50)),
                queue(AX, percent(40), percent(50)),
                queue(AY, percent(60)),
                queue(B, percent(50)),
            ],
            {A: (20480, 20), AX: (8192, 8), AY: (12288, 12), B: (20480, 20)},
            {A: (20480, 20), AX: (10240, 10), AY: (20480, 20), B: WHOLE_CLUSTER},
            id="percentages of the parent, and of its maximum (hierarchy-parent-max-cap)",
        ),
        pytest.param(
            [queue(A, weight(1)), queue(B, weight(3))],
            {A: (10240, 10), B: (30720, 30)},
            {A: WHOLE_CLUSTER, B: WHOLE_CLUSTER},
            id="weights (mode-weight)",
        ),
        pytest.param(
            [queue(A, weight(1)), queue(AX, weight(1)), queue(AY, weight(1)), queue(B, weight(3))],
            {A: (10240, 10), AX: (5120, 5), AY: (5120, 5), B: (30720, 30)},
            dict.fromkeys((A, AX, AY, B), WHOLE_CLUSTER),
            id="weights below weights (mode-weight-nested)",
        ),
        pytest.param(
            [queue(A, weight(0)), queue(B, weight(3))],
            {A: (0, 0), B: (40960, 40)},
            {A: WHOLE_CLUSTER, B: WHOLE_CLUSTER},
            id="nothing for a weight of 0",
        ),
        pytest.param(
            [queue(A, absolute((10240, 10))), queue(B, absolute((20480, 20)))],
            {A: (10240, 10), B: (20480, 20)},
            {A: WHOLE_CLUSTER, B: WHOLE_CLUSTER},
            id="amounts (mode-absolute)",
        ),
        pytest.param(
            [
                queue(A, absolute((10240, 10)), absolute((12288, 12))),
                queue(B, absolute((20480, 20))),
            ],
            {A: (10240, 10), B: (20480, 20)},
            {A: (12288, 12), B: WHOLE_CLUSTER},
            id="amounts with a maximum",
        ),
        pytest.param(
            [queue(A, absolute((40960, 40))), queue(B, absolute((40960, 40)))],
            {A: (20480, 20), B: (20480, 20)},
            {A: WHOLE_CLUSTER, B: WHOLE_CLUSTER},
            id="amounts that are too much, shrunk (mode-absolute-cluster-too-small)",
        ),
        pytest.param(
            [
                queue(A, absolute((20480, 20)), absolute((20480, 20))),
                queue(AX, absolute((4096, 4))),
                queue(AY, absolute((8192, 8))),
                queue(B, absolute((8192, 8))),
            ],
            {A: (20480, 20), AX: (4096, 4), AY: (8192, 8), B: (8192, 8)},
            {A: (20480, 20), AX: (20480, 20), AY: (20480, 20), B: WHOLE_CLUSTER},
            id="amounts below amounts (mode-absolute-nested)",
        ),
        pytest.param(
            [
                queue(A, absolute((81920, 40))),
                queue(AX, absolute((40960, 20))),
                queue(AY, absolute((40960, 20))),
            ],
            {A: (40960, 40), AX: (20480, 20), AY: (20480, 20)},
            dict.fromkeys((A, AX, AY), WHOLE_CLUSTER),
            id="amounts shrunk level by level",
        ),
    ],
)
def test_in_legacy_mode_queues_are_guaranteed_and_may_hold(
    queues: list[QueueConfig], minimum: dict[str, Vector], maximum: dict[str, Vector]
) -> None:
    found = effective(*queues)

    assert {path: bounds[0] for path, bounds in found.items()} == minimum
    assert {path: bounds[1] for path, bounds in found.items()} == maximum


@pytest.mark.parametrize(
    ("nodes", "minimum"),
    [
        pytest.param((), (0, 0), id="nothing of an empty cluster"),
        pytest.param(((8192, 8),), (4096, 4), id="half of one node"),
        pytest.param(((8192, 8), (4096, 4)), (6144, 6), id="half of two (node-add)"),
        pytest.param(((8191, 7),), (4095, 3), id="half of odd amounts, truncated"),
    ],
)
def test_a_percentage_goes_with_the_size_of_the_cluster(
    nodes: tuple[Vector, ...], minimum: Vector
) -> None:
    assert effective(queue(A, percent(50)), queue(B, percent(50)), nodes=nodes)[A][0] == minimum


@pytest.mark.parametrize(
    ("nodes", "minimum"),
    [
        pytest.param(((4096, 4),), (2048, 2), id="shrunk alike while there is too little"),
        pytest.param(((8192, 8),), (4096, 4), id="as configured once there is enough"),
        pytest.param(((8192, 8), (8192, 8)), (4096, 4), id="as configured in a larger cluster"),
    ],
)
def test_an_amount_stays_as_it_is(nodes: tuple[Vector, ...], minimum: Vector) -> None:
    # capacity-mode-absolute-cluster-grows.
    found = effective(queue(A, absolute((4096, 4))), queue(B, absolute((4096, 4))), nodes=nodes)

    assert found[A][0] == minimum


def test_without_legacy_mode_each_type_has_its_own_capacity() -> None:
    # a: 10240 of memory and half of the cores; b: weights, of what is left.
    found = effective(
        queue(A, vector(amount(10240), part(50))),
        queue(B, vector(weigh(1), weigh(1))),
        legacy=False,
        dominant=True,
    )

    assert found[A][0] == (10240, 20)
    assert found[B][0] == (30720, 20)


def test_without_legacy_mode_percentages_need_not_make_a_hundred() -> None:
    found = effective(queue(A, percent(20)), queue(B, percent(30)), legacy=False)

    assert (found[A][0], found[B][0]) == ((8192, 8), (12288, 12))


@pytest.mark.parametrize(
    ("settings", "most"),
    [
        # 10000 applications in the system, by the queue's absolute capacity.
        pytest.param({}, {A: 5000, B: 5000}, id="by absolute capacity"),
        pytest.param({"maximum_applications": 10}, {A: 5, B: 5}, id="of the system's limit"),
        pytest.param(
            {"maximum_applications_per_queue": 7}, {A: 7, B: 7}, id="by the limit for each queue"
        ),
    ],
)
def test_a_leaf_takes_applications(settings: dict[str, int], most: dict[str, int]) -> None:
    engine = CapacityScheduler(ResourceTypes())
    engine.configure(
        SchedulerConfig(
            queues=(QueueConfig("root"), queue(A, percent(50)), queue(B, percent(50))),
            minimum_allocation=(1024, 1),
            maximum_allocation=(8192, 8),
            **settings,  # type: ignore[arg-type]
        ),
        0,
    )
    engine.add_node(Node("n", (8192, 8)))
    engine.queue_status()

    found = {path: engine.state.queues[path].maximum_applications for path in (A, B)}  # type: ignore[attr-defined]
    assert found == most

"""Hadoop's DRF comparators where a weight is nothing, and that elsewhere keys say the same."""

from __future__ import annotations

from hypothesis import assume, given
from hypothesis import strategies as st

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.fair.comparators import DrfQueue, compare_drf_queues, drf_key
from unit.schedulers.fair.building import FairCluster

CLUSTER = (10240, 10)
NONE = (0, 0)


def drf_queue(name: str, used: Vector, weight: float = 1.0, min_share: Vector = NONE) -> DrfQueue:
    return DrfQueue(used, min_share, weight, name)


def test_nothing_by_nothing_is_level_with_everything() -> None:
    idle = drf_queue("m", NONE, weight=0.0)

    assert compare_drf_queues(drf_queue("a", (9216, 9)), idle, CLUSTER) < 0
    assert compare_drf_queues(drf_queue("z", (1024, 1)), idle, CLUSTER) > 0


def test_something_by_nothing_comes_last() -> None:
    greedy = drf_queue("a", (1024, 1), weight=0.0)

    assert compare_drf_queues(greedy, drf_queue("b", (9216, 9)), CLUSTER) > 0


def test_below_its_minimum_comes_first_whatever_the_weight() -> None:
    needy = drf_queue("b", (1024, 1), weight=0.0, min_share=(4096, 4))

    assert compare_drf_queues(needy, drf_queue("a", NONE), CLUSTER) < 0


@given(
    st.integers(2, 3).flatmap(
        lambda types: st.tuples(
            *(
                st.tuples(
                    st.tuples(*(st.integers(0, 20) for _ in range(types))),
                    st.tuples(*(st.integers(1, 9) for _ in range(types))),
                    st.sampled_from([0.5, 1.0, 3.0]),
                )
                for _ in range(2)
            )
        )
    )
)
def test_where_weights_are_positive_the_keys_say_the_same(
    pair: tuple[tuple[Vector, Vector, float], tuple[Vector, Vector, float]],
) -> None:
    cluster = (40, 20, 10)[: len(pair[0][0])]
    one, other = (
        DrfQueue(used, min_share, weight, name)
        for name, (used, min_share, weight) in zip("ab", pair, strict=True)
    )
    keys = [drf_key(s.used, s.min_share, s.weight, cluster, 0, s.name) for s in (one, other)]
    assume(keys[0] != keys[1])

    assert (compare_drf_queues(one, other, cluster) < 0) == (keys[0] < keys[1])


def test_an_idle_queue_without_weight_waits_behind_one_of_an_earlier_name() -> None:
    """As a sort key nothing by nothing would come first; Hadoop goes by the names."""
    drf = "<defaultQueueSchedulingPolicy>drf</defaultQueueSchedulingPolicy>"
    cluster = FairCluster(
        f'{drf}<queue name="a"/><queue name="b"><weight>0</weight></queue>', nodes=1
    )
    cluster.run(1, "a", count=20)
    cluster.cycle(3)
    cluster.submit(2, "b")

    cluster.cycle(2)

    assert (cluster.count(1), cluster.count(2)) == (6, 0)

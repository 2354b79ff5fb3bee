"""What holds for a queue that configures nothing: its parent's settings, the cluster's, or none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.queues import (
    Access,
    ApplicationOrdering,
    ChildOrdering,
    NodeOrdering,
    PreemptionConfig,
    QueueConfig,
    QueuePartition,
    SchedulerConfig,
)
from kubeyarn.schedulers.capacity.queue_settings import (
    EVERYBODY,
    NOBODY,
    UNLIMITED,
    QueueSettings,
    settle,
)
from kubeyarn.schedulers.java_numbers import single

CLUSTER = SchedulerConfig(
    queues=(QueueConfig("root"),),
    minimum_allocation=(1, 1),
    maximum_allocation=(100, 10),
    maximum_am_share=0.2,
    user_limit_factor=3.0,
    minimum_user_limit_percent=40.0,
    maximum_parallel_applications=7,
    preemption=PreemptionConfig(enabled=True, intra_queue=True),
)


def settled(
    above: dict[str, object], own: dict[str, object], cluster: SchedulerConfig = CLUSTER
) -> QueueSettings:
    """The settings of root.a.x, with root.a's above them."""
    root = settle(QueueConfig("root"), cluster, None)
    parent = settle(replace(QueueConfig("root.a"), **above), cluster, root)  # type: ignore[arg-type]
    return settle(replace(QueueConfig("root.a.x"), **own), cluster, parent)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("setting", "default"),
    [
        ("minimum_user_limit_percent", 40.0),
        ("user_limit_factor", 3.0),
        ("maximum_am_share", single(0.2)),
        ("maximum_applications", -1),
        ("maximum_parallel_applications", 7),
        ("maximum_parallel_applications_per_user", UNLIMITED),
        ("maximum_allocation", (100, 10)),
        ("application_ordering", ApplicationOrdering.FIFO),
        ("size_based_weight", False),
        ("child_ordering", ChildOrdering.UTILIZATION),
        ("node_ordering", NodeOrdering.SPREAD),
        ("priority", 0),
        ("default_application_priority", 0),
        ("preemption_disabled", False),
        ("intra_queue_preemption_disabled", False),
        ("maximum_lifetime_seconds", -1),
        ("default_lifetime_seconds", -1),
        ("submit", NOBODY),
        ("administer", NOBODY),
        ("priority_access", ()),
        ("default_partition", None),
        ("labels", ("",)),
        ("user_weights", {}),
    ],
)
def test_by_default_a_queue_has(setting: str, default: object) -> None:
    assert getattr(settled({}, {}), setting) == default


@pytest.mark.parametrize(
    ("setting", "own", "found"),
    [
        ("minimum_user_limit_percent", 25.0, 25.0),
        ("user_limit_factor", 0.1, single(0.1)),
        ("maximum_am_share", 0.5, 0.5),
        ("maximum_applications", 9, 9),
        ("maximum_parallel_applications", 2, 2),
        ("maximum_parallel_applications_per_user", 1, 1),
        ("maximum_allocation", {0: 50}, (50, 10)),
        ("application_ordering", ApplicationOrdering.FAIR, ApplicationOrdering.FAIR),
        ("size_based_weight", True, True),
        ("node_ordering", NodeOrdering.PACK, NodeOrdering.PACK),
        ("priority", 5, 5),
        ("preemption_disabled", True, True),
        ("submit", EVERYBODY, EVERYBODY),
    ],
)
def test_a_queue_has_what_it_configures(setting: str, own: object, found: object) -> None:
    assert getattr(settled({}, {setting: own}), setting) == found


@pytest.mark.parametrize(
    ("setting", "above", "found"),
    [
        pytest.param("maximum_allocation", {0: 50}, (50, 10), id="largest container"),
        pytest.param(
            "child_ordering",
            ChildOrdering.PRIORITY_UTILIZATION,
            ChildOrdering.PRIORITY_UTILIZATION,
            id="order of children",
        ),
        pytest.param("preemption_disabled", True, True, id="safety from preemption"),
        pytest.param("accessible_partitions", frozenset({"x"}), frozenset({"x"}), id="partitions"),
        pytest.param("default_partition", "x", "x", id="default partition"),
        pytest.param("user_weights", (("jo", 2.0),), {"jo": 2.0}, id="weights of users"),
        pytest.param("maximum_lifetime_seconds", 60, 60, id="longest lifetime"),
        pytest.param("default_lifetime_seconds", 60, 60, id="default lifetime"),
    ],
)
def test_inherited_from_the_parent_is(setting: str, above: object, found: object) -> None:
    more = {"accessible_partitions": frozenset({"x"})} if setting == "default_partition" else {}
    name = "accessible" if setting == "accessible_partitions" else setting

    assert getattr(settled({setting: above, **more}, {}), name) == found


@pytest.mark.parametrize(
    ("setting", "above", "found"),
    [
        ("minimum_user_limit_percent", 25.0, 40.0),
        ("user_limit_factor", 9.0, 3.0),
        ("maximum_am_share", 0.9, single(0.2)),
        ("maximum_parallel_applications", 2, 7),
        ("maximum_applications", 5, -1),
        ("priority", 5, 0),
        ("application_ordering", ApplicationOrdering.FAIR, ApplicationOrdering.FIFO),
        ("node_ordering", NodeOrdering.PACK, NodeOrdering.SPREAD),
        ("submit", EVERYBODY, NOBODY),
    ],
)
def test_not_inherited_from_the_parent_is(setting: str, above: object, found: object) -> None:
    assert getattr(settled({setting: above}, {}), setting) == found


@pytest.mark.parametrize(
    ("preemption", "own", "disabled", "intra_disabled"),
    [
        pytest.param(PreemptionConfig(enabled=True, intra_queue=True), {}, False, False, id="on"),
        pytest.param(PreemptionConfig(enabled=True), {}, False, True, id="between queues alone"),
        pytest.param(PreemptionConfig(), {}, True, True, id="off"),
        pytest.param(
            PreemptionConfig(enabled=True, intra_queue=True),
            {"preemption_disabled": True},
            True,
            True,
            id="off for this queue, within it as well",
        ),
        pytest.param(
            PreemptionConfig(enabled=True, intra_queue=True),
            {"intra_queue_preemption_disabled": True},
            False,
            True,
            id="off within this queue",
        ),
        pytest.param(
            PreemptionConfig(intra_queue=True),
            {"preemption_disabled": False},
            True,
            True,
            id="off, whatever a queue configures",
        ),
    ],
)
def test_preemption_of_a_queue_is(
    preemption: PreemptionConfig, own: dict[str, object], disabled: bool, intra_disabled: bool
) -> None:
    found = settled({}, own, replace(CLUSTER, preemption=preemption))

    assert found.preemption_disabled is disabled
    assert found.intra_queue_preemption_disabled is intra_disabled


@pytest.mark.parametrize(
    ("above", "own", "lifetimes"),
    [
        pytest.param(
            {}, {"maximum_lifetime_seconds": 60}, (60, 60), id="the maximum is the default"
        ),
        pytest.param(
            {},
            {"maximum_lifetime_seconds": 60, "default_lifetime_seconds": 30},
            (60, 30),
            id="a default below it",
        ),
        pytest.param({"maximum_lifetime_seconds": 60}, {}, (60, 60), id="the parent's maximum"),
        pytest.param(
            {"default_lifetime_seconds": 90},
            {"maximum_lifetime_seconds": 60},
            (60, 60),
            id="a parent's default is cut to the queue's maximum",
        ),
        pytest.param(
            {"maximum_lifetime_seconds": 60},
            {"default_lifetime_seconds": 30},
            (60, 30),
            id="a default below the parent's maximum",
        ),
    ],
)
def test_lifetimes_of_a_queue_are(
    above: dict[str, object], own: dict[str, object], lifetimes: tuple[int, int]
) -> None:
    found = settled(above, own)

    assert (found.maximum_lifetime_seconds, found.default_lifetime_seconds) == lifetimes


def test_root_may_be_used_by_everybody_and_reaches_all_partitions() -> None:
    queues = (QueueConfig("root"), QueueConfig("root.a", partitions=(QueuePartition("x"),)))
    root = settle(queues[0], replace(CLUSTER, queues=queues), None)

    assert root.submit == root.administer == EVERYBODY
    assert root.accessible == {"*"}
    assert root.labels == ("", "x")


def test_a_user_or_a_group_may_be_meant() -> None:
    access = Access(users=frozenset({"ann"}), groups=frozenset({"staff"}))

    assert access.allows("ann", ())
    assert access.allows("bob", ("guests", "staff"))
    assert not access.allows("bob", ("guests",))

"""What a configuration must be before it is put in force."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.errors import ConfigRefused, Rejected
from kubeyarn.model.fair_queues import (
    FairClusterConfig,
    FairPolicy,
    FairQueueConfig,
    FairQueueDefaults,
)
from kubeyarn.model.queues import QueueConfig, SchedulerConfig, SchedulerKind
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.fair.queue_tree_checks import check_config, check_policies
from unit.schedulers.fair.building import A, FairCluster

FAIR, FIFO, DRF = FairPolicy.FAIR, FairPolicy.FIFO, FairPolicy.DRF


def config(policies: dict[str, FairPolicy | None], standard: FairPolicy = FAIR) -> SchedulerConfig:
    queues = tuple(
        QueueConfig(path, order=number, fair=FairQueueConfig(policy=policy))
        for number, (path, policy) in enumerate(policies.items())
    )
    return SchedulerConfig(
        queues=queues,
        minimum_allocation=(1024, 1),
        maximum_allocation=(8192, 4),
        increment_allocation=(1024, 1),
        kind=SchedulerKind.FAIR,
        fair=FairClusterConfig(defaults=FairQueueDefaults(policy=standard)),
    )


def problems(checked: SchedulerConfig, *, of_policies: bool = False) -> list[str]:
    try:
        if of_policies:
            check_policies(checked)
        else:
            check_config(checked, ResourceTypes())
    except ConfigRefused as refused:
        return [problem.queue for problem in refused.problems]
    return []


@pytest.mark.parametrize(
    ("policies", "standard", "refused"),
    [
        pytest.param({"root": None, "root.a": None}, FAIR, [], id="all as the default"),
        pytest.param({"root": None, "root.a": None}, DRF, [], id="all drf by default"),
        pytest.param({"root": FAIR, "root.a": FIFO}, FAIR, [], id="a fifo leaf"),
        pytest.param({"root": FAIR, "root.a": DRF}, FAIR, ["root.a"], id="drf below fair"),
        pytest.param({"root": DRF, "root.a": FAIR}, FAIR, [], id="fair below drf"),
        pytest.param({"root": None, "root.a": DRF}, FAIR, ["root.a"], id="drf below the default"),
        pytest.param({"root": None, "root.a": FAIR}, DRF, [], id="fair below a default of drf"),
        pytest.param({"root": FIFO, "root.a": FAIR}, FAIR, ["root"], id="a fifo parent"),
        pytest.param(
            {"root": DRF, "root.a": FAIR, "root.a.x": DRF},
            FAIR,
            ["root.a.x"],
            id="drf further down",
        ),
        pytest.param(
            {"root": DRF, "root.a": DRF, "root.a.x": DRF}, FAIR, [], id="drf all the way down"
        ),
        pytest.param(
            {"root": FAIR, "root.a": DRF, "root.a.x": DRF},
            FAIR,
            ["root.a"],
            id="only the first one",
        ),
        pytest.param(
            {"root": FAIR, "root.a": DRF, "root.b": DRF}, FAIR, ["root.a", "root.b"], id="every one"
        ),
        pytest.param({"root": FIFO}, FAIR, [], id="root alone may be fifo"),
    ],
)
def test_a_policy_its_parent_does_not_allow_is_told(
    policies: dict[str, FairPolicy | None], standard: FairPolicy, refused: list[str]
) -> None:
    assert problems(config(policies, standard), of_policies=True) == refused


@pytest.mark.parametrize(
    ("paths", "refused"),
    [
        pytest.param(["root", "root.a"], [], id="a tree"),
        pytest.param(["root.a"], ["root", "root.a"], id="no root"),
        pytest.param(["root", "root.a.x"], ["root.a.x"], id="no parent"),
        pytest.param(["root", "root. a"], ["root. a"], id="a blank at the beginning"),
        pytest.param(["root", "root.a "], ["root.a "], id="a blank at the end"),
        pytest.param(["root", "root..a"], ["root..a", "root..a"], id="an empty part"),
        pytest.param(["root", "b"], ["b"], id="outside of root"),
        pytest.param(["root"], [], id="root alone"),
    ],
)
def test_a_tree_that_does_not_hang_together_is_refused(
    paths: list[str], refused: list[str]
) -> None:
    assert problems(config(dict.fromkeys(paths))) == refused


@pytest.mark.parametrize(
    ("minimum", "maximum", "increment", "count"),
    [
        pytest.param((1024, 1), (8192, 4), (1024, 1), 0, id="sound"),
        pytest.param((8192, 4), (8192, 4), (1024, 1), 0, id="minimum and maximum are one"),
        pytest.param((9216, 1), (8192, 4), (1024, 1), 1, id="memory the wrong way round"),
        pytest.param((1024, 5), (8192, 4), (1024, 1), 1, id="vcores the wrong way round"),
        pytest.param((9216, 5), (8192, 4), (1024, 1), 2, id="both"),
        pytest.param((-1, 1), (8192, 4), (1024, 1), 1, id="a negative minimum"),
        pytest.param((1024, 1), (8192, 4), (0, 1), 1, id="no increment of memory"),
        pytest.param((1024, 1), (8192, 4), (1024, -1), 1, id="a negative increment"),
        pytest.param((0, 0), (8192, 4), (1024, 1), 0, id="no minimum"),
    ],
)
def test_allocations_that_do_not_add_up_are_refused(
    minimum: Vector, maximum: Vector, increment: Vector, count: int
) -> None:
    checked = replace(
        config({"root": None}),
        minimum_allocation=minimum,
        maximum_allocation=maximum,
        increment_allocation=increment,
    )

    assert problems(checked) == ["root"] * count


def test_drf_is_not_allowed_below_fair_so_the_queue_is_not_made() -> None:
    cluster = FairCluster('<queue name="a"><schedulingPolicy>drf</schedulingPolicy></queue>')

    assert cluster.paths() == ["root"]
    with pytest.raises(Rejected):
        cluster.submit(1)


def test_a_minimum_allocation_above_the_maximum_is_refused() -> None:
    cluster = FairCluster(A)
    cluster.settings["yarn.scheduler.minimum-allocation-mb"] = "9000"

    with pytest.raises(ConfigRefused, match="memory 9000 and the maximum memory 8192"):
        cluster.reload(A)


@pytest.mark.parametrize(
    ("paths", "reason"),
    [
        (("root", "root.a.b"), "ParentNotFound"),
        (("root.a",), "ParentNotFound"),
        (("root", "root. a"), "InvalidField"),
    ],
)
def test_the_first_fault_of_a_tree_is_told(paths: tuple[str, ...], reason: str) -> None:
    cluster = FairCluster(A)
    config = replace(cluster.config(A), queues=tuple(QueueConfig(path) for path in paths))

    with pytest.raises(ConfigRefused) as refused:
        cluster.scheduler.configure(config, 0)

    assert {problem.reason for problem in refused.value.problems} == {reason}
    assert cluster.paths() == ["root", "root.a"]

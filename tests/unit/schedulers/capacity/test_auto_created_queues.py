"""Queues that are created on demand: what they are guaranteed, and when they go."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.errors import Rejected
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.queues import (
    AutoCreate,
    AutoCreateKind,
    MatcherKind,
    PlacementRule,
    QueueConfig,
    SchedulerConfig,
    percent,
    weight,
)
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import CPU, MEMORY, ResourceTypes, Vector
from kubeyarn.schedulers.capacity.auto_created_queues import wildcarded
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from unit.schedulers.small import SmallCluster


def test_the_last_parts_are_wildcarded_never_root() -> None:
    assert list(wildcarded("root.a.b", 2)) == ["root.a.b", "root.a.*", "root.*.*"]
    assert list(wildcarded("root.a.b", 1)) == ["root.a.b", "root.a.*"]
    assert list(wildcarded("root", 2)) == ["root"]


def test_own_templates_win_over_wildcards_and_leaf_templates_over_common_ones() -> None:
    create = "auto-queue-creation-v2"
    cluster = SmallCluster(
        {
            "root.a.capacity": "1w",
            "root.b.capacity": "1w",
            f"root.a.{create}.enabled": "true",
            f"root.a.{create}.template.capacity": "3w",
            f"root.*.{create}.template.maximum-applications": "7",
            f"root.*.{create}.template.capacity": "9w",
            f"root.*.{create}.leaf-template.maximum-applications": "8",
            f"root.a.*.{create}.template.maximum-applications": "5",
        }
    )
    cluster.submit(1, "root.a.new")
    cluster.submit(2, "root.a.branch.leaf")
    settings = {path: queue.settings for path, queue in cluster.engine.state.queues.items()}

    assert settings["root.a.new"].maximum_applications == 8
    assert cluster.engine.state.queues["root.a.new"].shares[""].weight == 3
    assert settings["root.a.branch.leaf"].maximum_applications == 5


# -- v1: leaves of a managed parent --------------------------------------------------------------

BY_USER = (PlacementRule(MatcherKind.USER, "*", "user", parent_queue="root.users"),)


class Managed:
    """root.users has half of 40 units and creates a leaf for each user; root.b has the rest."""

    def __init__(self, template: float = 25, **auto: object) -> None:
        made = AutoCreate(
            kind=AutoCreateKind.MANAGED,
            leaf_template=QueueConfig(
                "",
                capacity=percent(template),
                maximum_capacity=percent(100),
                user_limit_factor=10.0,
            ),
        )
        self.auto = replace(made, **auto)  # type: ignore[arg-type]
        self.engine = CapacityScheduler(ResourceTypes())
        self.configure()
        self.engine.add_node(Node("n", (40, 40)))

    def configure(self, **auto: object) -> None:
        """Put the configuration in force, with changes of how leaves are created."""
        self.auto = replace(self.auto, **auto)  # type: ignore[arg-type]
        self.engine.configure(
            SchedulerConfig(
                queues=(
                    QueueConfig("root"),
                    QueueConfig("root.users", order=0, capacity=percent(50), auto_create=self.auto),
                    QueueConfig("root.b", order=1, capacity=percent(50)),
                ),
                minimum_allocation=(1, 1),
                maximum_allocation=(40, 40),
                maximum_am_share=0.5,
                placement_rules=BY_USER,
                placement_override=True,
            ),
            0,
        )

    def submit(self, *users: str) -> Managed:
        """Each user submits an application; they are numbered on."""
        for user in users:
            number = len(self.engine.state.apps) + 1
            app = Application(ApplicationId(1, number), user, am_size=(1, 1), order=number)
            self.engine.submit(app, 0)
        return self

    def finish(self, *numbers: int) -> Managed:
        """Applications end."""
        for number in numbers:
            self.engine.finish(ApplicationId(1, number), 0)
        return self

    def manage(self) -> Managed:
        """The queue-management policy runs."""
        self.engine.queue_management.manage_queues(0)
        return self

    def guarantees(self) -> dict[str, int]:
        """What each created leaf is guaranteed, by user."""
        self.engine.queue_status()
        return {
            queue.name: queue.minimum("")[0]
            for path, queue in self.engine.state.queues.items()
            if path.startswith("root.users.")
        }


@pytest.mark.parametrize(
    ("cluster", "guarantees"),
    [
        # The template is a quarter of root.users' 20 units.
        pytest.param(Managed().submit("u1"), {"u1": 5}, id="what the template says"),
        pytest.param(
            Managed().submit("u1", "u2", "u1"), {"u1": 5, "u2": 5}, id="one leaf for each user"
        ),
        pytest.param(
            Managed().submit("u1", "u2", "u3", "u4", "u5"),
            {"u1": 5, "u2": 5, "u3": 5, "u4": 5, "u5": 0},
            id="nothing once the parent has no more (auto-v1-more-than-fit)",
        ),
        pytest.param(
            Managed(60).submit("u1", "u2"), {"u1": 12, "u2": 0}, id="nothing of a part that is left"
        ),
        pytest.param(
            Managed(100).submit("u1", "u2"), {"u1": 20, "u2": 0}, id="all for the first, if so said"
        ),
        pytest.param(
            # In single precision nine tenths leave less than a tenth.
            Managed(10).submit(*(f"u{number}" for number in range(11))),
            {f"u{number}": 2 if number < 10 else 0 for number in range(11)},
            id="ten times a tenth, though sums of tenths miss the whole by a little",
        ),
        pytest.param(
            Managed(maximum_queues=1).submit("u1"), {"u1": 5}, id="as many as may be created"
        ),
        pytest.param(
            Managed().submit("u1").finish(1), {"u1": 5}, id="as before until it is managed"
        ),
        pytest.param(
            Managed().submit("u1").finish(1).manage(), {"u1": 0}, id="nothing when it is empty"
        ),
        pytest.param(
            Managed().submit("u1", "u2", "u3", "u4", "u5").finish(2).manage(),
            {"u1": 5, "u2": 0, "u3": 5, "u4": 5, "u5": 5},
            id="what an empty one gave up",
        ),
        pytest.param(
            Managed(50).submit("u1", "u2", "u3", "u4").finish(1).manage(),
            {"u1": 0, "u2": 10, "u3": 10, "u4": 0},
            id="in the order of the applications",
        ),
        pytest.param(
            Managed(50).submit("u1", "u2", "u3").finish(1, 2, 3).manage(),
            {"u1": 0, "u2": 0, "u3": 0},
            id="nothing where nobody has applications",
        ),
        pytest.param(
            Managed(50).submit("u1", "u2", "u3", "u4").manage(),
            {"u1": 10, "u2": 10, "u3": 0, "u4": 0},
            id="nothing of leaves that have applications",
        ),
    ],
)
def test_leaves_of_a_managed_parent_are_guaranteed(
    cluster: Managed, guarantees: dict[str, int]
) -> None:
    assert cluster.guarantees() == guarantees


def test_no_more_leaves_are_created_than_may_be() -> None:
    cluster = Managed(maximum_queues=2).submit("u1", "u2")

    with pytest.raises(Rejected):
        cluster.submit("u3")


def test_a_leaf_that_would_exceed_its_parent_is_not_created_where_that_fails() -> None:
    # own-auto-v1-fail-on-exceeding.
    cluster = Managed(60, fail_on_exceeding_parent=True).submit("u1")

    with pytest.raises(Rejected):
        cluster.submit("u2")
    assert cluster.guarantees() == {"u1": 12}


def test_a_leaf_takes_only_applications_that_a_rule_sends_there() -> None:
    cluster = Managed().submit("u1")
    cluster.engine.configure(replace(cluster.engine.state.config_in_force(), placement_rules=()), 0)

    app = Application(ApplicationId(1, 9), "u1", "root.users.u1", am_size=(1, 1), order=9)

    with pytest.raises(Rejected, match="takes only applications that a placement rule sends"):
        cluster.engine.submit(app, 0)


def test_a_changed_template_is_applied_to_the_leaves_there_are() -> None:
    cluster = Managed().submit("u1", "u2")
    half = QueueConfig("", capacity=percent(50), maximum_capacity=percent(100))
    cluster.configure(leaf_template=half)

    assert cluster.guarantees() == {"u1": 10, "u2": 10}


def test_leaves_stay_when_they_are_empty() -> None:
    cluster = Managed().submit("u1").finish(1)
    cluster.engine.queue_management.expire_queues(10**9)

    assert set(cluster.guarantees()) == {"u1"}


# -- v2: branches --------------------------------------------------------------------------------


class Flexible:
    """root.f (weight 1 of 2) creates parents and leaves by weight; root.b has the other half."""

    def __init__(self, auto: AutoCreate = AutoCreate(), **settings: object) -> None:  # noqa: B008
        self.auto = replace(auto, **settings)  # type: ignore[arg-type]
        self.engine = CapacityScheduler(ResourceTypes())
        self.engine.configure(
            SchedulerConfig(
                queues=(
                    QueueConfig("root"),
                    QueueConfig("root.f", order=0, capacity=weight(1), auto_create=self.auto),
                    QueueConfig("root.b", order=1, capacity=weight(1)),
                ),
                minimum_allocation=(1, 1),
                maximum_allocation=(40, 40),
                queue_expiry_seconds=300,
            ),
            0,
        )
        self.engine.add_node(Node("n", (40, 40)))

    def submit(self, *paths: str, now_ms: int = 0) -> Flexible:
        """Submit applications to queues, numbered on."""
        for path in paths:
            number = len(self.engine.state.apps) + 1
            app = Application(ApplicationId(1, number), "u", path, am_size=(1, 1), order=number)
            self.engine.submit(app, now_ms)
        return self

    def finish(self, *numbers: int) -> Flexible:
        """Applications end."""
        for number in numbers:
            self.engine.finish(ApplicationId(1, number), 0)
        return self

    def expire(self, seconds: int) -> Flexible:
        """The deletion policy runs."""
        self.engine.queue_management.expire_queues(seconds * 1000)
        return self

    def created(self) -> dict[str, int]:
        """What each created queue is guaranteed, by path below root.f."""
        self.engine.queue_status()
        return {
            path.removeprefix("root.f."): queue.minimum("")[0]
            for path, queue in self.engine.state.queues.items()
            if queue.dynamic
        }


@pytest.mark.parametrize(
    ("cluster", "created"),
    [
        pytest.param(Flexible().submit("root.f.x"), {"x": 20}, id="a leaf (auto-v2-leaf)"),
        pytest.param(
            Flexible().submit("root.f.x", "root.f.y"),
            {"x": 10, "y": 10},
            id="leaves of equal weight",
        ),
        pytest.param(
            Flexible().submit("root.f.p.x"),
            {"p": 20, "p.x": 20},
            id="a leaf and its parent (auto-v2-two-levels)",
        ),
        pytest.param(
            Flexible().submit("root.f.p.x", "root.f.p.y", "root.f.z"),
            {"p": 10, "p.x": 5, "p.y": 5, "z": 10},
            id="leaves beside a branch",
        ),
        pytest.param(
            Flexible(template=QueueConfig("", capacity=weight(3))).submit("root.f.x", "root.f.y"),
            {"x": 10, "y": 10},
            id="leaves of the template's weight (auto-v2-template)",
        ),
        pytest.param(
            Flexible(leaf_template=QueueConfig("", capacity=weight(3))).submit(
                "root.f.x", "root.f.p.y"
            ),
            {"x": 15, "p": 5, "p.y": 5},
            id="leaves of weight 3 beside a parent of weight 1",
        ),
        pytest.param(
            Flexible(parent_template=QueueConfig("", capacity=weight(3))).submit(
                "root.f.x", "root.f.p.y"
            ),
            {"x": 5, "p": 15, "p.y": 15},
            id="a parent of weight 3 beside a leaf of weight 1",
        ),
        pytest.param(
            Flexible(maximum_depth=3).submit("root.f.p.q.x"),
            {"p": 20, "p.q": 20, "p.q.x": 20},
            id="as deep as is allowed",
        ),
        pytest.param(
            Flexible().submit("root.f.x").finish(1).expire(300), {"x": 20}, id="an empty one, yet"
        ),
        pytest.param(
            Flexible().submit("root.f.x").finish(1).expire(301), {}, id="no empty one, then"
        ),
        pytest.param(
            Flexible().submit("root.f.p.x").finish(1).expire(301), {}, id="nor an empty branch"
        ),
        pytest.param(
            Flexible().submit("root.f.p.x", "root.f.p.y").finish(1).expire(301),
            {"p": 20, "p.y": 20},
            id="those that are in use",
        ),
        pytest.param(
            Flexible(removal=False).submit("root.f.x").finish(1).expire(9999),
            {"x": 20},
            id="an empty one where none are removed",
        ),
        pytest.param(
            Flexible().submit("root.f.x", now_ms=100_000).finish(1).expire(350),
            {"x": 20},
            id="one whose last application came later",
        ),
    ],
)
def test_below_a_flexible_parent_there_are(cluster: Flexible, created: dict[str, int]) -> None:
    assert cluster.created() == created


@pytest.mark.parametrize(
    ("seconds", "created"), [(60, {"x": 20}), (61, {})], ids=["until it is over", "not after it"]
)
def test_a_parent_may_have_an_expiry_of_its_own(seconds: int, created: dict[str, int]) -> None:
    auto = AutoCreate(expiry_seconds=60)
    cluster = Flexible(auto=auto)
    cluster.submit("root.f.x").finish(1).expire(seconds)

    assert cluster.created() == created


@pytest.mark.parametrize(
    ("cluster", "path"),
    [
        pytest.param(Flexible(), "root.f.p.q.x", id="deeper than allowed"),
        pytest.param(
            Flexible(maximum_depth=1), "root.f.p.x", id="a branch where leaves are allowed"
        ),
        pytest.param(Flexible(maximum_queues=0), "root.f.x", id="more than are allowed"),
        pytest.param(Flexible(), "root.b.x", id="below a leaf"),
        pytest.param(Flexible(), "root.gone.x", id="below what creates nothing"),
        pytest.param(Flexible(), "root.f.", id="without a name"),
        pytest.param(Flexible(), "root.f. ", id="with a blank for a name"),
        pytest.param(Flexible(), "root.f..x", id="below one without a name"),
        pytest.param(Flexible(), ".f.x", id="below no root"),
    ],
)
def test_no_queue_is_created(cluster: Flexible, path: str) -> None:
    with pytest.raises(Rejected):
        cluster.submit(path)
    assert cluster.created() == {}


@pytest.mark.parametrize(
    "am_size",
    [
        pytest.param((41, 1), id="more than is configured"),
        pytest.param((1, 41), id="of one resource"),
        pytest.param((31, 1), id="more than any node has"),
        pytest.param((-1, 1), id="negative"),
    ],
)
def test_no_queue_is_created_for_a_master_that_is_refused(am_size: Vector) -> None:
    cluster = Flexible()
    cluster.engine.update_node(Node("n", (30, 40)))
    application = Application(ApplicationId(1, 1), "u", "root.f.p.x", am_size=am_size)

    with pytest.raises(Rejected) as caught:
        cluster.engine.submit(application, 0)

    assert caught.value.reason in (Reason.MAXIMUM_ALLOCATION, Reason.INVALID_REQUEST)
    assert cluster.created() == {}


def test_the_maximum_of_a_template_holds_from_the_second_master_on() -> None:
    template = QueueConfig("", maximum_allocation={MEMORY: 2, CPU: 2})
    cluster = Flexible(leaf_template=template)
    for number in (1, 2):
        application = Application(ApplicationId(1, number), "u", "root.f.x", am_size=(4, 4))
        if number == 1:
            cluster.engine.submit(application, 0)
            continue
        with pytest.raises(Rejected):
            cluster.engine.submit(application, 0)

    cluster.engine.cycle(0, 10)
    assert [one.size[MEMORY] for one in cluster.engine.containers()] == [4]


def test_a_name_is_trimmed_before_its_queue_is_created() -> None:
    assert Flexible().submit("root.f. x ").created() == {"x": 20}


def test_a_dynamic_leaf_has_no_user_limit_factor_and_all_of_it_is_for_masters() -> None:
    leaf = Flexible().submit("root.f.x").engine.state.queues["root.f.x"]

    assert leaf.settings.user_limit_factor == -1
    assert leaf.settings.maximum_am_share == 1

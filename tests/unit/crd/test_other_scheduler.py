"""A tree that says fields of both schedulers is told which are not read."""

from __future__ import annotations

from kubeyarn.crd import not_yet, other_scheduler
from kubeyarn.model.queues import SchedulerKind
from unit.crd.builders import a_queue, as_stored, spec_schema

CAPACITY, FAIR = SchedulerKind.CAPACITY, SchedulerKind.FAIR
BOTH = a_queue("root.a", capacity="60%", userLimitFactor="2", fair={"weight": "3"})


def test_each_scheduler_names_the_fields_of_the_other():
    under_capacity = other_scheduler.saying(BOTH, CAPACITY)
    under_fair = other_scheduler.saying(BOTH, FAIR)

    assert (under_capacity.status, under_capacity.reason) == (False, "OtherScheduler")
    assert under_capacity.message == (
        "not read while root says cluster.scheduler: Capacity, and kept for the other scheduler: "
        "spec.fair: {weight}"
    )
    assert under_fair.message.endswith("spec.capacity: 60%; spec.userLimitFactor: 2")


def test_a_queue_of_one_scheduler_is_told_nothing():
    assert other_scheduler.saying(a_queue("root.a", capacity="60%"), CAPACITY).status is True
    assert other_scheduler.saying(a_queue("root.a", fair={"weight": "1"}), FAIR).status is True


def test_defaults_of_the_api_server_are_no_words_of_the_user():
    said = {"ordering": {}, "preemption": {}}
    spec = as_stored(spec_schema("YarnQueue"), said)

    for kind in SchedulerKind:
        assert other_scheduler.saying({"spec": spec}, kind).status is True


def test_what_nobody_acts_on_yet_is_named_first(monkeypatch):
    monkeypatch.setitem(not_yet.BY_KIND, "YarnQueue", {"nodeOrdering": ("Spread",)})
    found = a_queue("root.a", nodeOrdering="Pack", fair={"weight": "3"})
    said = other_scheduler.saying(found, CAPACITY)

    assert said.reason == not_yet.NOT_YET_ACTING
    assert "spec.nodeOrdering: Pack; not read while" in said.message
    assert "spec.fair" in said.message

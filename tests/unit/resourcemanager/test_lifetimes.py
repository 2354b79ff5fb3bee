"""How long applications may run, by their own word and their queues'."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ApplicationId
from kubeyarn.resourcemanager import lifetimes

STARTED = 1_000_000


def an_application(seconds: int = 0):
    return {"metadata": {"name": "a"}, "spec": {"lifetimeSeconds": seconds}}


def a_queue(**lifetime: int):
    return {"spec": {"lifetime": lifetime} if lifetime else {}}


QUEUES = {
    "root": a_queue(defaultSeconds=100, maximumSeconds=1000),
    "root.a": a_queue(),
    "root.a.short": a_queue(maximumSeconds=10),
    "root.a.free": a_queue(defaultSeconds=0, maximumSeconds=0),
}


@pytest.mark.parametrize(
    ("queue", "asked", "seconds"),
    [
        ("root.a", 0, 100),
        ("root.a", 500, 500),
        ("root.a", 5000, 1000),
        ("root.a.short", 0, 10),
        ("root.a.short", 5, 5),
        ("root.a.free", 0, 0),
        ("root.a.free", 7, 7),
        ("root.a.unknown", 0, 100),
        ("", 7, 7),
    ],
)
def test_the_nearest_queue_that_says_anything_bounds_a_lifetime(queue, asked, seconds):
    assert lifetimes.lifetime(an_application(asked), queue, QUEUES) == seconds


def test_an_application_is_killed_when_it_has_lived_for_so_long_since_its_submission():
    record = ApplicationRecord(ApplicationId(1, 1), "alice", STARTED, queue="root.a.short")
    last = STARTED + 10_000

    assert lifetimes.outlived(an_application(), record, QUEUES, last - 1) == ""
    assert lifetimes.outlived(an_application(), record, QUEUES, last) == (
        "Application is killed by ResourceManager as it has exceeded its lifetime of 10 seconds."
    )


def test_an_application_without_a_lifetime_runs_for_ever():
    record = ApplicationRecord(ApplicationId(1, 1), "alice", STARTED, queue="root.a.free")

    assert lifetimes.outlived(an_application(), record, QUEUES, 10**15) == ""

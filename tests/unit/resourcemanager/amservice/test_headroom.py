"""What ApplicationMasters are told that they may still get."""

from __future__ import annotations

import pytest

from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.resourcemanager.amservice.headroom import headroom
from kubeyarn.resourcemanager.cache import Cache
from unit.resourcemanager.objects import APP, cache_of, queue_status

GIB = 2**30


def test_headroom_is_the_least_that_is_left_on_the_way():
    cache = cache_of(
        root=queue_status({"memory": "14Gi", "cpu": "2"}, {"memory": "16Gi", "cpu": "16"}),
        root_a=queue_status({"memory": "1Gi", "cpu": "1"}, {"memory": "8Gi", "cpu": "4"}),
    )
    record = ApplicationRecord(APP, "alice", 0, queue="root.a")

    assert headroom(cache, record) == {"memory": 2 * GIB, "cpu": 3000}


def test_headroom_is_never_negative():
    cache = cache_of(root_a=queue_status({"memory": "9Gi"}, {"memory": "8Gi"}))

    assert headroom(cache, ApplicationRecord(APP, "a", 0, queue="root.a")) == {"memory": 0}


@pytest.mark.parametrize("queue", ["", "root.unknown"])
def test_an_unknown_queue_has_no_headroom_to_tell(queue):
    assert headroom(Cache(), ApplicationRecord(APP, "a", 0, queue=queue)) == {}


@pytest.mark.parametrize(
    ("user", "left"),
    [
        pytest.param("alice", {"memory": 1 * GIB, "cpu": 2000}, id="what is left of her limit"),
        pytest.param("bob", {"memory": 0, "cpu": 0}, id="nothing of a limit that is used up"),
        pytest.param("carol", {"memory": 6 * GIB, "cpu": 6000}, id="no limit is written for her"),
    ],
)
def test_headroom_is_bounded_by_the_users_limit_in_the_leaf(user, left):
    users = [
        {"name": "alice", "used": {"memory": "1Gi"}, "limit": {"memory": "2Gi", "cpu": "2"}},
        {
            "name": "bob",
            "used": {"memory": "3Gi", "cpu": "2"},
            "limit": {"memory": "2Gi", "cpu": 1},
        },
    ]
    used, maximum = {"memory": "2Gi", "cpu": "2"}, {"memory": "8Gi", "cpu": "8"}
    cache = cache_of(root_a=queue_status(used, maximum, users=users))

    assert headroom(cache, ApplicationRecord(APP, user, 0, queue="root.a")) == left

"""How long applications may run, by their own word and their queues'."""

from __future__ import annotations

import pytest

from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.crd.yarn_queue import YarnQueue
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.ids import ApplicationId
from kubeyarn.resourcemanager.applications import lifetime

STARTED = 1_000_000


def an_application(seconds: int = 0):
    return {"metadata": {"name": "a"}, "spec": {"lifetimeSeconds": seconds}}


def a_queue(**lifetime: int):
    spec = {"lifetime": lifetime} if lifetime else {}
    return YarnQueue.read({"metadata": {"name": "q"}, "spec": spec})


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
    assert lifetime.lifetime(YarnApplication.read(an_application(asked)), queue, QUEUES) == seconds


def test_an_application_is_killed_when_it_has_lived_for_so_long_since_its_submission():
    record = ApplicationRecord(ApplicationId(1, 1), "alice", STARTED, queue="root.a.short")
    last = STARTED + 10_000

    assert lifetime.outlived(record, 10, last - 1) == ""
    assert lifetime.outlived(record, 10, last) == (
        "Application is killed by ResourceManager as it has exceeded its lifetime of 10 seconds."
    )
    assert lifetime.outlived(record, 0, 10**15) == ""


RECORD = ApplicationRecord(ApplicationId(1, 1), "alice", STARTED, queue="root.a.free")


def in_force(asked, before, age_s, record=RECORD):
    """The lifetime in force of one that asks for *asked* and had *before* when so old."""
    application = an_application(asked)
    if before is not None:
        application["status"] = {"lifetime": {"seconds": before}}
    decoded = YarnApplication.read(application)
    found = lifetime.in_force(decoded, record, QUEUES, STARTED + age_s * 1000)
    return found.seconds, bool(found.refused)


@pytest.mark.parametrize(
    ("asked", "before", "age_s", "expected"),
    [
        # What was submitted counts, however late it is seen.
        (50, None, 10, (50, False)),
        (50, None, 60, (50, False)),
        # It ends at its time.
        (50, 50, 60, (50, False)),
        # Longer, shorter, for ever.
        (90, 50, 40, (90, False)),
        (45, 50, 40, (45, False)),
        (0, 50, 40, (0, False)),
        # Over already: what was in force stays so.
        (40, 50, 45, (50, True)),
        (40, 0, 45, (0, True)),
    ],
)
def test_a_lifetime_may_be_changed_to_an_end_in_the_future(asked, before, age_s, expected):
    assert in_force(asked, before, age_s) == expected


def test_a_refused_lifetime_says_when_it_was_over():
    application = an_application(40) | {"status": {"lifetime": {"seconds": 0}}}
    found = lifetime.in_force(YarnApplication.read(application), RECORD, QUEUES, STARTED + 45_000)

    assert found.refused == (
        "spec.lifetimeSeconds: found 40, which were over at 1970-01-01T00:17:20Z, "
        "allowed: a lifetime that ends in the future, or 0"
    )


def test_the_status_tells_when_it_ends():
    assert lifetime.status(RECORD, 0) == {"seconds": 0}
    assert lifetime.status(RECORD, 40) == {"seconds": 40, "expiryTime": "1970-01-01T00:17:20Z"}


def makes(auto_create, **cluster):
    """Queues by path: root.users makes queues on demand below it."""
    users = {"lifetime": {"defaultSeconds": 50, "maximumSeconds": 500}, "autoCreate": auto_create}
    root = {"cluster": cluster} if cluster else {}
    found = {"root": root, "root.users": users}
    return {
        path: YarnQueue.read({"metadata": {"name": path}, "spec": spec})
        for path, spec in found.items()
    }


TEMPLATES = {
    "enabled": True,
    "template": {"lifetime": {"defaultSeconds": 20, "maximumSeconds": 200}},
    "leafTemplate": {"lifetime": {"maximumSeconds": 10}},
    "parentTemplate": {"lifetime": {"maximumSeconds": 30}},
}


@pytest.mark.parametrize(
    ("auto_create", "queue", "asked", "seconds"),
    [
        pytest.param(TEMPLATES, "root.users.alice", 0, 10, id="a leaf's, over both's default"),
        pytest.param(TEMPLATES, "root.users.alice", 5, 5, id="less than the template's maximum"),
        pytest.param(TEMPLATES, "root.users.alice.x", 0, 20, id="a parent's, inherited below it"),
        pytest.param(TEMPLATES, "root.users.alice.x", 99, 30, id="and its maximum"),
        pytest.param(TEMPLATES, "root.users", 99, 99, id="the declared queue itself"),
        pytest.param(TEMPLATES, "root.other", 0, 0, id="a queue elsewhere"),
        pytest.param({**TEMPLATES, "enabled": False}, "root.users.alice", 0, 50, id="not enabled"),
        pytest.param(
            {**TEMPLATES, "kind": "Managed"}, "root.users.alice", 0, 10, id="managed: the leaf's"
        ),
        pytest.param(
            {"enabled": True, "kind": "Managed", "template": TEMPLATES["template"]},
            "root.users.alice",
            0,
            50,
            id="managed: no other",
        ),
        pytest.param({"enabled": True}, "root.users.alice", 0, 50, id="no template"),
        pytest.param(
            {"enabled": True, "leafTemplate": {"lifetime": {"maximumSeconds": 0}}},
            "root.users.alice",
            9999,
            9999,
            id="a maximum taken off",
        ),
        pytest.param(
            {"enabled": True, "leafTemplate": {"lifetime": "long"}},
            "root.users.alice",
            0,
            50,
            id="no object",
        ),
        pytest.param(
            {"enabled": True, "leafTemplate": {"lifetime": {"maximumSeconds": "60"}}},
            "root.users.alice",
            9999,
            500,
            id="no number",
        ),
    ],
)
def test_a_template_bounds_the_lifetimes_in_queues_made_by_it(auto_create, queue, asked, seconds):
    application = YarnApplication.read(an_application(asked))

    assert lifetime.lifetime(application, queue, makes(auto_create)) == seconds


def test_the_fair_scheduler_makes_no_queues_by_templates():
    queues = makes(TEMPLATES, scheduler="Fair")

    assert (
        lifetime.lifetime(YarnApplication.read(an_application()), "root.users.alice", queues) == 50
    )

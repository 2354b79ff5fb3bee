"""Queues get names that Kubernetes allows."""

from __future__ import annotations

import pytest

from kubeyarn.convert.queue_names import QueueNames, safe_name


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("etl", "etl"),
        ("a-1", "a-1"),
        ("Dev_Team", "dev-team"),
        ("prod.", "prod"),
        ("__x__", "x"),
        ("a b/c", "a-b-c"),
        ("日本", "queue"),
        ("", "queue"),
    ],
)
def test_a_name_becomes_a_dns_label(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_names_that_are_allowed_stay_and_are_not_told() -> None:
    names = QueueNames(["root", "root.a", "root.a.b"])

    assert [names.of(path) for path in ("root", "root.a", "root.a.b")] == [
        "root",
        "root.a",
        "root.a.b",
    ]
    assert names.notes == []


def test_a_name_that_is_changed_is_told_and_is_the_parent_of_those_below() -> None:
    names = QueueNames(["root", "root.Dev_Team", "root.Dev_Team.ml"])

    assert names.of("root.Dev_Team.ml") == "root.dev-team.ml"
    assert [note.queue for note in names.notes] == ["root.Dev_Team"]
    assert "the queue is root.dev-team" in names.notes[0].message


def test_siblings_that_come_to_the_same_name_are_told_apart() -> None:
    names = QueueNames(["root", "root.a_b", "root.a-b", "root.A_B"])

    assert names.of("root.a_b") == "root.a-b"
    assert names.of("root.a-b") == "root.a-b-2"
    assert names.of("root.A_B") == "root.a-b-3"


def test_a_queue_that_is_made_on_demand_is_named_by_the_same_rule() -> None:
    assert QueueNames(["root", "root.Users"]).of("root.Users.Al_Ice") == "root.users.al-ice"

"""What is remembered of containers that are forgotten."""

from __future__ import annotations

from kubeyarn.lifecycle.am_session import CompletedContainer
from kubeyarn.resourcemanager.requests.request_plan import MOST_EXIT_STATUSES, exit_history
from unit.resourcemanager.objects import container


def ended(number, status, diagnostics=""):
    return CompletedContainer(container(number), status, diagnostics)


def test_containers_are_counted_by_exit_status_with_the_last_of_each():
    nodes = {container(2): "n1", container(3): "n2", container(4): "n3"}
    first = exit_history((), [ended(2, 0), ended(3, 1, "no such file")], nodes)
    both = exit_history(first, [ended(4, 1, "no such host"), ended(5, -100)], nodes)

    assert both == [
        {"exitStatus": -100, "count": 1, "lastContainer": str(container(5))},
        {
            "exitStatus": 0,
            "count": 1,
            "lastContainer": str(container(2)),
            "lastNode": "n1",
        },
        {
            "exitStatus": 1,
            "count": 2,
            "lastContainer": str(container(4)),
            "lastNode": "n3",
            "lastDiagnostics": "no such host",
        },
    ]


def test_nothing_new_changes_nothing():
    before = [{"exitStatus": 0, "count": 3, "lastContainer": "c", "lastDiagnostics": ""}]

    assert exit_history(before, [], {}) == before


def test_many_statuses_leave_those_that_were_seen_most_often():
    often = [ended(n, 7) for n in (2, 3)]
    found = exit_history(
        (),
        [*often, *(ended(n, n) for n in range(100, 100 + 2 * MOST_EXIT_STATUSES))],
        {},
    )

    assert len(found) == MOST_EXIT_STATUSES
    assert found[0]["exitStatus"] == 7


def test_long_diagnostics_are_cut():
    (entry,) = exit_history((), [ended(2, 1, "x" * 1000)], {})

    assert len(entry["lastDiagnostics"]) == 256

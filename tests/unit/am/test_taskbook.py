"""Which task runs where, and which may run again."""

from __future__ import annotations

import pytest

from kubeyarn.am.taskbook import TAKEN_AWAY, Retry, TaskBook, TaskOutcome


def test_tasks_are_given_out_in_order_and_each_once():
    book = TaskBook(["a", "b"])

    assert [book.assign("c1"), book.assign("c2"), book.assign("c3")] == ["a", "b", None]
    assert book.running == {"c1": "a", "c2": "b"}
    assert not book.finished


def test_a_task_that_ends_well_is_done():
    book = TaskBook(["a"])
    book.assign("c1")

    assert book.ended("c1", 0) is TaskOutcome.DONE
    assert book.done == {"a": "c1"}
    assert book.finished
    assert book.retries == 0


def test_a_failed_task_waits_again_until_it_failed_too_often():
    book = TaskBook(["a"], Retry(failures=2))
    book.assign("c1")
    assert book.ended("c1", 1) is TaskOutcome.AGAIN
    assert book.waiting == 1
    book.assign("c2")

    assert book.ended("c2", 137, "killed") is TaskOutcome.GIVEN_UP
    assert book.given_up == {"a": "c2 ended with 137: killed"}
    assert book.finished
    assert book.retries == 2


@pytest.mark.parametrize("exit_status", sorted(TAKEN_AWAY))
def test_a_container_the_cluster_took_away_is_no_failure_of_its_task(exit_status):
    book = TaskBook(["a"], Retry(failures=1))
    book.assign("c1")
    assert book.ended("c1", exit_status) is TaskOutcome.AGAIN
    book.assign("c2")

    assert book.ended("c2", 0) is TaskOutcome.DONE


def test_being_taken_away_has_a_limit_too():
    book = TaskBook(["a"], Retry(taken_away=1))
    book.assign("c1")
    assert book.ended("c1", -100) is TaskOutcome.AGAIN
    book.assign("c2")

    assert book.ended("c2", -100) is TaskOutcome.GIVEN_UP


@pytest.mark.parametrize(("code", "outcome"), [(7, TaskOutcome.AGAIN), (8, TaskOutcome.GIVEN_UP)])
def test_only_the_named_exit_codes_are_tried_again(code, outcome):
    book = TaskBook(["a"], Retry(codes={7}))
    book.assign("c1")

    assert book.ended("c1", code) is outcome


def test_the_end_of_a_container_counts_once():
    book = TaskBook(["a"])
    book.assign("c1")
    book.ended("c1", 1)

    assert book.ended("c1", 1) is TaskOutcome.UNKNOWN
    assert book.ended("c9", 0) is TaskOutcome.UNKNOWN
    assert (book.waiting, book.retries) == (1, 1)


def test_memory_kills_count_as_failures():
    """Hadoop: KILLED_EXCEEDED_PMEM; the next container of the same size would fare no better."""
    book = TaskBook(["a"], Retry(failures=1))
    book.assign("c1")

    assert book.ended("c1", -104) is TaskOutcome.GIVEN_UP

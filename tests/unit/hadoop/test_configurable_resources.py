"""The resource syntax of fair-scheduler.xml."""

from __future__ import annotations

import pytest

from kubeyarn.hadoop.configurable_resources import read_limit
from kubeyarn.model.errors import SpecError
from kubeyarn.model.fair_queues import UNBOUNDED

TWO = ("memory", "cpu")
THREE = ("memory", "cpu", "test1")
CLUSTER = (10 * 1024, 4)


@pytest.mark.parametrize(
    "text",
    [
        "5120 mb 2 vcores",
        "2 vcores, 5120 mb",
        "5120 mb, 2 vcores",
        "2vcores,5120mb",
        "5120mb   mb, 2    vcores",
        "5120 Mb, 2 vCores",
        "  5120 mb, 2 vcores  ",
        "  5120.3 mb, 2.35 vcores  ",
        "5120. mb, 2. vcores",
        "vcores=2, memory-mb=5120",
        " vcores = 2 , memory-mb = 5120 ",
        "50% memory, 50% cpu",
        "50% Memory, 50% CpU",
        "  50  %  memory,  50  %  cpu  ",
        "50.% memory,50.% cpu",
        "50%",
        "memory-mb=50%, vcores=50%",
    ],
)
def test_every_form_of_the_same_amount_is_read_alike(text: str) -> None:
    assert read_limit(text, TWO).of(CLUSTER) == (5120, 2)


def test_percentages_of_memory_and_cpu_may_differ() -> None:
    assert read_limit("10.9% memory, 50.6% cpu", TWO).of(CLUSTER) == (1116, 2)
    assert read_limit(" 100% cpu, 50% memory", TWO).of(CLUSTER) == (5120, 4)


def test_a_type_the_named_form_leaves_out_is_unbounded() -> None:
    assert read_limit("vcores=2, memory-mb=5120", THREE).of((1, 1, 8)) == (5120, 2, UNBOUNDED)


def test_a_type_the_named_form_leaves_out_can_be_nothing() -> None:
    limit = read_limit("vcores=2, memory-mb=5120", THREE, missing=0)

    assert limit.of((1, 1, 8)) == (5120, 2, 0)


def test_a_type_the_named_percentages_leave_out_is_all() -> None:
    limit = read_limit("vcores=75%, memory-mb=40%", THREE)

    assert limit.of((10240, 4, 8)) == (4096, 3, 8)


def test_the_old_form_gives_nothing_of_other_types() -> None:
    assert read_limit("5120 mb, 2 vcores", THREE).of((1, 1, 8)) == (5120, 2, 0)


def test_one_percentage_is_of_every_type() -> None:
    assert read_limit("50%", THREE).of((10240, 4, 8)) == (5120, 2, 4)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "lots",
        "1024",
        "1024mb",
        "1024vcores",
        "1o24vc0res",
        "95%, 50% memory",
        "95A% cpu, 50% memory",
        "50% cpu, 1024 mb",
        "50% memory, 2 vcores",
        "1024 mb, 2 4 vcores",
        "2048 1024 mb, 2 vcores",
        "50% memory, 50% 100%cpu",
        "50% 80% memory, 100%cpu",
        "vcores = 75%, memory-mb = 40% 80%",
        "-10% memory, 50% cpu",
        "10% memory, -10% cpu",
        "-2 vcores,5120 mb",
        "2 vcores, -5120 mb",
        "  -5120.3 mb, 2.35 vcores  ",
        "2 vcores 5120 mb 555 mb",
        "2 vcores 5120 MB 555 GB",
        "memory-mb=-5120,vcores=2",
        "vcores=-75%,memory-mb=40%",
        "memory-mb=1024,unheard=4",
        "memory-mb=1024=5,vcores=4",
        "memory-mb=many,vcores=4",
        "memory=1024,cpu=4",
        "2147483648 mb, 2 vcores",
        "40% memory",
        "50% memoryx, 50% cpu",
        "most memory, 50% memory, 50% cpu",
        "some mb, 5120 mb",
    ],
)
def test_what_hadoop_refuses_is_refused(text: str) -> None:
    with pytest.raises(SpecError):
        read_limit(text, TWO)

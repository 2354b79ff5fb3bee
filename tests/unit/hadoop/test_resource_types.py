"""Resource types, and how large a container may be."""

from __future__ import annotations

import pytest

from kubeyarn.hadoop.properties import Configuration
from kubeyarn.hadoop.resource_types import (
    maximum_allocation,
    minimum_allocation,
    read_resources,
    resource_types,
)
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.resources import ResourceTypes

NAME = "yarn.resource-types"
TYPES = ResourceTypes(("memory", "cpu", "yarn.io/gpu"))


@pytest.mark.parametrize(
    ("text", "added"),
    [
        pytest.param("", (), id="none"),
        pytest.param(",,", (), id="commas alone"),
        pytest.param("b, yarn.io/gpu", ("b", "yarn.io/gpu"), id="by name"),
        pytest.param("z,GPU", ("GPU", "z"), id="sorted"),
        pytest.param("yarn.io.x/gpu", ("yarn.io.x/gpu",), id="a domain of three parts"),
        pytest.param("g._-1", ("g._-1",), id="dots, underscores, dashes, digits"),
    ],
)
def test_types_are_added_to_memory_and_cpu(text: str, added: tuple[str, ...]) -> None:
    assert resource_types(Configuration({NAME: text})).names == ("memory", "cpu", *added)


@pytest.mark.parametrize(
    "text",
    [
        "memory",
        "memory-mb",
        "vcores",
        "cpu",
        "gpu,gpu",
        "a b",
        "1gpu",
        "-gpu",
        "_gpu",
        "gpü",
        "a:b",
        "a=b",
        "*",
        "/gpu",
        "gpu/",
        "yarn.io/gpu/x",
        "-yarn/gpu",
    ],
)
def test_a_type_of_an_odd_name_is_refused(text: str) -> None:
    with pytest.raises(ConfigRefused, match=r"yarn\.resource-types: found"):
        resource_types(Configuration({NAME: text}))


@pytest.mark.parametrize(("suffix", "text"), [("units", "XX"), ("type", "odd"), ("type", "")])
def test_a_type_of_an_unknown_unit_or_kind_is_refused(suffix: str, text: str) -> None:
    with pytest.raises(ConfigRefused, match=rf"yarn\.resource-types\.gpu\.{suffix}: found"):
        resource_types(Configuration({NAME: "gpu", f"{NAME}.gpu.{suffix}": text}))


def test_a_type_may_have_a_unit() -> None:
    conf = Configuration({NAME: "gpu", f"{NAME}.gpu.units": "G", f"{NAME}.gpu.type": "COUNTABLE"})

    assert resource_types(conf).names == ("memory", "cpu", "gpu")


@pytest.mark.parametrize(
    ("values", "minimum", "maximum"),
    [
        pytest.param({}, (1024, 1, 0), (8192, 4, 2**63 - 1), id="Hadoop's defaults"),
        pytest.param(
            {
                "yarn.scheduler.minimum-allocation-mb": " 0x200 ",
                "yarn.scheduler.maximum-allocation-vcores": "32",
            },
            (512, 1, 0),
            (8192, 32, 2**63 - 1),
            id="of the scheduler",
        ),
        pytest.param(
            {
                f"{NAME}.memory-mb.minimum-allocation": "256",
                f"{NAME}.vcores.maximum-allocation": "2",
                f"{NAME}.yarn.io/gpu.minimum-allocation": "1",
                f"{NAME}.yarn.io/gpu.maximum-allocation": "8",
                "yarn.scheduler.minimum-allocation-mb": "512",
            },
            (256, 1, 1),
            (8192, 2, 8),
            id="of the types, which go before the scheduler's",
        ),
        pytest.param(
            {
                f"{NAME}.memory-mb.minimum-allocation": "-1",
                f"{NAME}.vcores.maximum-allocation": "-1",
                "yarn.scheduler.minimum-allocation-mb": "512",
            },
            (512, 1, 0),
            (8192, 4, 2**63 - 1),
            id="-1 is: not said",
        ),
    ],
)
def test_every_type_has_a_minimum_and_a_maximum(
    values: dict[str, str], minimum: tuple[int, ...], maximum: tuple[int, ...]
) -> None:
    conf = Configuration(values)

    assert minimum_allocation(conf, TYPES) == minimum
    assert maximum_allocation(conf, TYPES) == maximum


@pytest.mark.parametrize(
    ("text", "amounts"),
    [
        ("memory-mb=2048,vcores=2", (2048, 2, 0)),
        (" memory-mb=1024 , vcores=2 ", (1024, 2, 0)),
        ("memory-mb=2G", (2048, 0, 0)),
        ("memory-mb=2g", (2048, 0, 0)),
        ("memory-mb=2048 M", (2048, 0, 0)),
        ("memory=2147483648", (2048, 0, 0)),
        ("memory=2g", (2048, 0, 0)),
        ("memory=2048", (0, 0, 0)),
        ("vcores=2G", (0, 2, 0)),
        ("yarn.io/gpu=1", (0, 0, 1)),
        ("gpu=1,memory-mb=1024", (1024, 0, 1)),
        ("memory-mb=1,memory-mb=2", (2, 0, 0)),
        ("memory-mb=1024,", (1024, 0, 0)),
    ],
)
def test_a_queues_maximum_allocation_is_read_as_hadoop_does(
    text: str, amounts: tuple[int, ...]
) -> None:
    assert read_resources("p", text, TYPES) == dict(enumerate(amounts))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "memory",
        "memory-mb",
        "memory-mb=",
        "memory-mb= 1",
        "memory-mb =1",
        "MEMORY-MB=1",
        "cpu=2",
        "disk=1",
        "memory-mb=-1",
        "memory-mb=1.5",
        "memory-mb=2mb",
        "memory-mb=2Gi",
        "memory-mb=10x24",
        "memory-mb=1_0",
        "memory-mb=99999999999999999999",
        "a=1,,b=1",
    ],
)
def test_a_maximum_allocation_that_hadoop_does_not_read_is_refused(text: str) -> None:
    with pytest.raises(ConfigRefused, match="p: found"):
        read_resources("p", text, TYPES)

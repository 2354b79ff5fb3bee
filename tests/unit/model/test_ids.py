"""YARN's ids as text."""

from __future__ import annotations

import pytest

from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId


@pytest.mark.parametrize(
    "text",
    [
        "container_1763850000000_0001_01_000001",
        "container_e02_1763850000000_0001_01_000001",
        "container_e100_1763850000000_12345_100_1000000",
    ],
)
def test_an_id_is_printed_as_it_was_read(text):
    assert str(ContainerId.parse(text)) == text


@pytest.mark.parametrize("digits", ["9" * 5000, "٣٣٣٣٣٣", "²²²²²²"], ids=["long", "Arabic", "high"])
@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ApplicationId, "application_{}_0001"),
        (ApplicationId, "application_1_{}"),
        (AttemptId, "appattempt_1_0001_{}"),
        (ContainerId, "container_1_0001_01_{}"),
        (ContainerId, "container_e{}_1_0001_01_000001"),
    ],
)
def test_numbers_are_64_bits_in_decimal_digits(kind, text, digits):
    with pytest.raises(SpecError, match="id: found"):
        kind.parse(text.format(digits))

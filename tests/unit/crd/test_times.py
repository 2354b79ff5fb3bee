"""Kubernetes' times are milliseconds since 1970, and back."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from kubeyarn.crd import times
from kubeyarn.model.errors import SpecError


@pytest.mark.parametrize(
    ("time", "at_ms"),
    [
        (None, 0),
        ("", 0),
        ("1970-01-01T00:00:01Z", 1000),
        ("2026-11-23T03:42:28Z", 1795405348000),
        ("2026-11-23T04:42:28+01:00", 1795405348000),
        ("2026-11-23T03:42:28.250000Z", 1795405348250),
    ],
    ids=["none", "empty", "first", "usual", "zone", "micro"],
)
def test_a_time_is_read(time, at_ms):
    assert times.milliseconds(time) == at_ms


@pytest.mark.parametrize("time", ["yesterday", "2026-13-01T00:00:00Z", 7])
def test_what_is_no_time_is_refused(time):
    with pytest.raises(SpecError, match="expected a time such as"):
        times.milliseconds(time)


def test_times_are_written_as_kubernetes_writes_them():
    at_ms = times.milliseconds("2026-11-23T03:42:28Z")

    assert times.timestamp(at_ms + 999) == "2026-11-23T03:42:28Z"
    at = datetime(2026, 11, 23, 4, 42, 28, 5, tzinfo=timezone(timedelta(hours=1)))
    assert times.micro_timestamp(at) == "2026-11-23T03:42:28.000005Z"

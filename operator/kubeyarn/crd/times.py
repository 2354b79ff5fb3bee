"""Kubernetes' times (metav1.Time, RFC 3339 in UTC) and milliseconds since 1970."""

from __future__ import annotations

from datetime import UTC, datetime

from kubeyarn.model.errors import SpecError


def milliseconds(time: str | None) -> int:
    """A time such as 2026-11-23T03:42:28Z in milliseconds since 1970; 0 where none is set.

    Raises:
        SpecError: it is no time.
    """
    if not time:
        return 0
    try:
        return int(datetime.fromisoformat(time).timestamp() * 1000)
    except (TypeError, ValueError, OverflowError):
        raise SpecError(f"found {time!r}, expected a time such as 2026-11-23T03:42:28Z") from None


def timestamp(at_ms: int) -> str:
    """Milliseconds since 1970 as a time, in whole seconds."""
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def micro_timestamp(at: datetime) -> str:
    """A moment as Leases and Events have it (metav1.MicroTime)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")

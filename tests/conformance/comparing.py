"""Comparing what was told with what Hadoop recorded."""

from __future__ import annotations

TOLERANCE = 1e-4


def differences(recorded: object, told: object, where: str = "") -> list[str]:
    """Every recorded value that is missing or another, and everything told beyond the record.

    Free text (`message`) is not compared; what the record leaves out may be told if it is nothing.
    """
    if isinstance(recorded, dict) and isinstance(told, dict):
        found: list[str] = []
        for key in sorted((recorded.keys() | told.keys()) - {"message"}):
            path = f"{where}/{key}"
            if key not in recorded:
                found += [] if told[key] in (0, {}) else [f"{path}: {told[key]!r} is too much"]
            elif key not in told:
                found.append(f"{path}: {recorded[key]!r} is missing")
            else:
                found += differences(recorded[key], told[key], path)
        return found
    if isinstance(recorded, list) and isinstance(told, list) and len(recorded) == len(told):
        pairs = enumerate(zip(recorded, told, strict=True))
        return [line for i, (r, t) in pairs for line in differences(r, t, f"{where}/{i}")]
    if isinstance(recorded, float) and isinstance(told, int | float):
        if abs(recorded - told) <= TOLERANCE:
            return []
    elif recorded == told and isinstance(recorded, bool) == isinstance(told, bool):
        return []
    return [f"{where}: {recorded!r} was recorded, {told!r} was told"]

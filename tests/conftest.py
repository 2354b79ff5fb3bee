"""Settings of all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Hypothesis judges by the clock whether an example or its making takes too long. On a busy machine
# that says nothing of the code; how long code takes is measured in tests/bench.
settings.register_profile(
    "kubeyarn", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("kubeyarn")

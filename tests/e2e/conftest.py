"""Packages run side by side, each on one worker, because its tests share a cluster."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling


class PackageScheduling(LoadScopeScheduling):
    """Gives each folder below tests/e2e to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> PackageScheduling:
    return PackageScheduling(config, log)

"""Packages run side by side, each on one worker, because its tests share a cluster.

Clusters are known by name, and a run begins by ending those that an interrupted one left. So each
checkout keeps them in a directory of its own: two of them on one machine test at the same time.
"""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from kubeyarn.local.user_directories import state_directory

_CHECKOUT = hashlib.sha256(str(Path(__file__).resolve()).encode()).hexdigest()[:8]
os.environ.setdefault(
    "KUBEYARN_STATE_DIR", str(state_directory().with_name(f"kubeyarn-{_CHECKOUT}"))
)


class PackageScheduling(LoadScopeScheduling):
    """Gives each folder below tests/e2e to one worker."""

    def _split_scope(self, nodeid: str) -> str:
        return nodeid.split("::")[0].rpartition("/")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> PackageScheduling:
    return PackageScheduling(config, log)

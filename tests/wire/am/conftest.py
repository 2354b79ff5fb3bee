from __future__ import annotations

from pathlib import Path

import pytest

from wire.am.fakerm import FakeResourceManager


@pytest.fixture
async def rm(tmp_path: Path):
    async with FakeResourceManager(tmp_path / "token") as fake:
        yield fake
    assert fake.violations == []

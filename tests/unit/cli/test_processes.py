"""The commands that run processes refuse what would open a door."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from kubeyarn.cli.processes import scheduler


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.7", "scheduler.example.org"])
def test_the_extender_listens_to_its_own_host_alone(host):
    result = CliRunner().invoke(scheduler, ["--extender-host", host, "--namespace", "x"])

    assert result.exit_code == 2
    assert f"found {host}, allowed: an address of this host alone" in result.output

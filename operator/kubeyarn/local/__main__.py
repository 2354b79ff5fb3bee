"""`python -m kubeyarn.local`: the same as `kubeyarn cluster`."""

from __future__ import annotations

from kubeyarn.local.command import cluster

if __name__ == "__main__":
    cluster(prog_name="kubeyarn cluster")

from __future__ import annotations

import pytest

from kubeyarn.local import ports
from wire.processes.cluster import Cluster


@pytest.fixture
async def cluster():
    async with Cluster([ports.claim() for _ in range(4)]) as cluster:
        cluster.queue("root", cluster={"opportunisticContainers": True})
        cluster.queue("root.a", capacity="60%", maximumCapacity="80%", userLimitFactor="10")
        cluster.queue("root.b", capacity="40%")
        cluster.node("n1")
        cluster.node("n2")
        await cluster.ready()
        yield cluster


@pytest.fixture
async def master(cluster):
    """The AM of a running application, registered."""
    cluster.submit()
    await cluster.until(lambda: cluster.pods("am", phase="Running"))
    master = cluster.master()
    await master.register()
    return master

"""Granted containers that nobody launches."""

from __future__ import annotations

from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.requests.allocation_expiry import ContainerAllocationExpirer
from unit.resourcemanager.objects import container
from unit.resourcemanager.stage import Stage

REQUEST = ("team-a", "maps")
ASK = wire.Ask(count=2, priority=1, resources={"cpu": "1", "memory": "1Gi"})


def test_a_container_expires_after_its_time_and_not_before():
    times = iter([0, 600_000, 600_001])
    expirer = ContainerAllocationExpirer(600, lambda: next(times))
    assert expirer.expired(REQUEST, [container(2)]) == []
    assert expirer.expired(REQUEST, [container(2), container(3)]) == []
    assert expirer.expired(REQUEST, [container(2), container(3)]) == [container(2)]


def test_what_was_launched_meanwhile_is_forgotten():
    times = iter([0, 1, 700_000])
    expirer = ContainerAllocationExpirer(600, lambda: next(times))
    expirer.expired(REQUEST, [container(2)])
    assert expirer.expired(REQUEST, []) == []
    assert expirer.expired(REQUEST, [container(2)]) == []


async def test_an_am_is_told_of_a_container_that_it_never_launched():
    stage = Stage()
    am = await stage.launch_am(1)
    await stage.register(am)
    await stage.allocate(am, 0, ASK)
    request = next(r for r in stage.requests() if "-p1-" in r)
    stage.grant(request, 1, "2-3")
    await stage.settle()
    first, second = (c.container_id for c in (await stage.allocate(am, 1)).allocated)
    await stage.run(am, first)
    stage.now_ms += (stage.settings.launch_expiry_s - 20) * 1000
    assert (await stage.allocate(am, 2)).completed == []

    stage.now_ms += 30_000
    # One look finds it, the next one records it.
    await stage.settle()
    await stage.settle()
    (ended,) = (await stage.allocate(am, 3)).completed
    assert (ended.container_id, ended.exit_status) == (second, ExitStatus.ABORTED)
    assert ended.diagnostics == "Container expired since it was unused."

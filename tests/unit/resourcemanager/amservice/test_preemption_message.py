"""What an AM is told before its containers are taken back."""

from __future__ import annotations

from kubeyarn.crd.yarn_queue_cluster import ClusterPreemption, ClusterSpec
from kubeyarn.model.queues import SchedulerKind
from kubeyarn.resourcemanager.amservice import preemption_message, wire
from kubeyarn.resourcemanager.amservice.preemption_message import Marked
from unit.resourcemanager.objects import container
from unit.resourcemanager.stage import Stage

GIB = 2**30
LOW = {"memory": GIB, "cpu": 1000}


def marked(number, *, now=False, memory=GIB, cpu=1000):
    size = {"memory": memory, "cpu": cpu}
    return Marked(container(number), now, "root.b needs the room", size)


def test_nothing_marked_is_an_empty_message():
    assert preemption_message.message([], ClusterSpec(), LOW) == wire.Preemption()


def test_the_capacity_schedulers_containers_are_negotiable_against_as_much():
    told = preemption_message.message(
        [marked(3, memory=GIB + 1), marked(2, cpu=2500)], ClusterSpec(), LOW
    )

    assert told.containers == told.negotiable.containers == [str(container(2)), str(container(3))]
    # 3.5 cores are four of the smallest, 2 GiB and a byte are three.
    assert [(i.count, i.resources) for i in told.negotiable.instead] == [
        (4, {"cpu": "1", "memory": "1Gi"})
    ]
    assert told.strict.containers == []
    assert told.kill_after_seconds == 15
    assert told.message == "root.b needs the room"


def test_what_is_taken_now_is_not_negotiable():
    told = preemption_message.message([marked(2, now=True), marked(3)], ClusterSpec(), LOW)

    assert told.strict.containers == [str(container(2))]
    assert told.negotiable.containers == [str(container(3))]
    assert told.containers == [str(container(2)), str(container(3))]


def test_the_fair_schedulers_containers_are_taken_whatever_the_am_does():
    preemption = ClusterPreemption(maximum_wait_before_kill_seconds=40)
    cluster = ClusterSpec(scheduler=SchedulerKind.FAIR, preemption=preemption)
    told = preemption_message.message([marked(2)], cluster, LOW)

    assert told.strict.containers == [str(container(2))]
    assert told.negotiable == wire.PreemptionContract()
    assert told.kill_after_seconds == 40


async def test_a_warning_is_told_once_and_again_in_a_repeated_answer():
    stage = Stage()
    am = await stage.launch_am(1)
    await stage.register(am)
    ask = wire.Ask(count=1, priority=1, resources={"cpu": "1", "memory": "1Gi"})
    await stage.allocate(am, 0, ask)
    request = next(r for r in stage.requests() if "-p1-" in r)
    stage.grant(request, 1, "2")
    await stage.settle()
    first = (await stage.allocate(am, 1)).allocated[0].container_id
    await stage.run(am, first)
    stage.preempt(request, first, now=False)
    await stage.settle()

    told = await stage.allocate(am, 2)
    assert told.preemption.negotiable.containers == [first]
    assert await stage.allocate(am, 2) == told
    assert (await stage.allocate(am, 3)).preemption == wire.Preemption()

"""What sharing means for whole queues: nobody envies anybody more than one container."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeyarn.hadoop.fair_yarn_site_xml import read_fair_scheduler
from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.ids import ApplicationId
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import ResourceTypes, Vector, fits
from kubeyarn.schedulers.api import Grant, Preempt
from kubeyarn.schedulers.fair.scheduler import FairScheduler

TYPES = ResourceTypes()
ONE = (1024, 1)
HOUR_MS = 3_600_000


class Member(NamedTuple):
    """A queue with one application: its weight, and how many containers it wants, masters apart."""

    weight: float
    wanted: int


MEMBERS = st.lists(
    st.builds(Member, st.sampled_from([0.5, 1.0, 2.0, 3.0]), st.integers(0, 40)),
    min_size=2,
    max_size=6,
)
SIZES = st.sampled_from([(1024, 1), (1024, 4), (3072, 1)])


class Contest:
    """Queues q0, q1, ... with an application each, in a cluster of one node."""

    def __init__(self, members: Sequence[Member], policy: str, slots: int, rest: str = "") -> None:
        self.members = members
        queues = "".join(
            f'<queue name="q{i}"><weight>{member.weight}</weight></queue>'
            for i, member in enumerate(members)
        )
        text = (
            f"<allocations>{queues}{rest}<queueMaxAMShareDefault>-1</queueMaxAMShareDefault>"
            f"<defaultQueueSchedulingPolicy>{policy}</defaultQueueSchedulingPolicy></allocations>"
        )
        values = {
            "yarn.scheduler.fair.preemption": "true",
            "yarn.scheduler.fair.preemption.cluster-utilization-threshold": "0",
            "yarn.scheduler.fair.reservable-nodes": "0",
        }
        self.scheduler = FairScheduler(TYPES)
        self.scheduler.configure(read_fair_scheduler(values, text, TYPES), 0)
        self.scheduler.add_node(Node("n", (slots * 1024, slots)))

    def start(self, i: int, size: Vector = ONE, now_ms: int = 0) -> None:
        """Submit the application of queue *i*, give it its AM and let it ask."""
        application = ApplicationId(1, i + 1)
        self.scheduler.submit(
            Application(application, "u", f"root.q{i}", am_size=ONE, submitted_ms=i + 1), now_ms
        )
        self.scheduler.update_asks(
            application, [Ask(AskKey(1), self.members[i].wanted, size)], now_ms
        )

    def used(self) -> list[Vector]:
        """What each queue holds."""
        status = {status.path: status.used for status in self.scheduler.queue_status()}
        return [status[f"root.q{i}"] for i in range(len(self.members))]


@settings(max_examples=80, deadline=None)
@given(MEMBERS, st.integers(10, 60))
def test_nobody_who_waits_has_less_for_its_weight_but_for_one_container(
    members: list[Member], slots: int
) -> None:
    contest = Contest(members, "fair", slots)
    for i in range(len(members)):
        contest.start(i)

    contest.scheduler.cycle(1, 10**6)

    held = [used[0] // 1024 for used in contest.used()]
    for (i, one), (j, other) in permutations(enumerate(members), 2):
        if held[i] < one.wanted + 1:
            # One may be ahead by a container, and by its master, which nobody takes back.
            assert (held[j] - 1) / other.weight <= held[i] / one.weight or held[j] <= 1


@settings(max_examples=80, deadline=None)
@given(st.lists(SIZES, min_size=2, max_size=4), st.integers(20, 60))
def test_under_drf_dominant_shares_differ_by_one_container_at_most(
    sizes: list[Vector], slots: int
) -> None:
    contest = Contest([Member(1.0, 100)] * len(sizes), "drf", slots)
    for i, size in enumerate(sizes):
        contest.start(i, size)

    contest.scheduler.cycle(1, 10**6)

    used = contest.used()
    shares = [max(memory / (slots * 1024), cpu / slots) for memory, cpu in used]
    free = slots * 1024 - sum(u[0] for u in used), slots - sum(u[1] for u in used)
    steps = [max(memory / (slots * 1024), cpu / slots) for memory, cpu in sizes]
    for i, j in permutations(range(len(sizes)), 2):
        assert not fits(sizes[i], free)
        # Towards the end a small container may fit where a larger one does not any more.
        if fits(sizes[i], sizes[j]) and used[j] != ONE:
            assert shares[j] - steps[j] <= shares[i] + 1e-9


@settings(max_examples=80, deadline=None)
@given(MEMBERS, st.integers(10, 60))
def test_shares_of_those_who_run_sum_to_the_whole(members: list[Member], slots: int) -> None:
    contest = Contest(members, "fair", slots)
    for i in range(len(members)):
        contest.start(i)
    contest.scheduler.update(0)

    statuses = contest.scheduler.queue_status()[1:]

    for kind in ("instantaneous_fair_share", "steady_fair_share"):
        total = sum(getattr(status, kind)[0] for status in statuses)
        assert abs(total - slots * 1024) <= len(members)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0.5, 1.0, 2.0, 3.0]), min_size=2, max_size=5),
    st.integers(10, 40),
    st.integers(0, 4),
)
def test_what_is_preempted_does_not_take_its_place_back(
    weights: list[float], slots: int, hog: int
) -> None:
    """One queue has everything; the others get their shares and it gets nothing back at once."""
    hog %= len(weights)
    rest = (
        "<defaultFairSharePreemptionTimeout>1</defaultFairSharePreemptionTimeout>"
        "<defaultFairSharePreemptionThreshold>1.0</defaultFairSharePreemptionThreshold>"
    )
    contest = Contest([Member(weight, slots * 2) for weight in weights], "fair", slots, rest)
    contest.start(hog)
    contest.scheduler.cycle(0, 10**6)
    for i in range(len(weights)):
        if i != hog:
            contest.start(i)
    contest.scheduler.cycle(0, 10**6)

    now_ms = 0
    for _ in range(3 * slots):
        now_ms += HOUR_MS
        lost = kill_for_the_starved(contest.scheduler, now_ms)
        granted = [
            decision.container.id.attempt.application
            for decision in contest.scheduler.cycle(now_ms, 10**6)
            if isinstance(decision, Grant)
        ]
        assert not lost & set(granted)
        if not lost:
            break

    assert not lost
    for status in contest.scheduler.queue_status():
        assert status.instantaneous_fair_share is not None
        # A lack of less than a container is not made good.
        assert status.used[0] > status.instantaneous_fair_share[0] - 1024


def kill_for_the_starved(scheduler: FairScheduler, now_ms: int) -> set[ApplicationId]:
    """One pass whose victims end at once; whose they were."""
    gone = [d.container for d in scheduler.preempt(now_ms) if isinstance(d, Preempt)]
    for container in gone:
        scheduler.release(container, now_ms)
    return {container.attempt.application for container in gone}

"""How fast the Fair Scheduler decides, in processor time of one core: pure Python.

`pytest tests/bench/fair -s` prints the figures.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from dataclasses import replace
from time import process_time

import pytest

from kubeyarn.model.fair_queues import FairPolicy, FairQueueConfig, ResourceLimit
from kubeyarn.schedulers.fair import fair_shares
from kubeyarn.schedulers.fair.scheduler import FairScheduler
from kubeyarn.simulate.fair_shape import FairShape

GRANTS_PER_SECOND = 25_000
SHARES_MS = 50
IDLE_MS = 1


@pytest.fixture(autouse=True)
def _settled_heap() -> Iterator[None]:
    """What earlier tests left behind is not searched for garbage while the clock runs."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def grants_per_second(shape: FairShape) -> float:
    made = shape.scheduler()
    wanted = shape.ask(made)
    begin = process_time()
    granted = len(made.cycle(1, wanted))
    seconds = process_time() - begin
    assert granted == wanted
    return granted / seconds


@pytest.mark.parametrize("policy", [FairPolicy.FAIR, FairPolicy.DRF])
def test_grants_come_fast_enough(policy: FairPolicy) -> None:
    best = max(grants_per_second(FairShape(policy=policy)) for _ in range(2))

    print(f"\n{policy}: {best:,.0f} grants a second")
    assert best >= GRANTS_PER_SECOND


@pytest.mark.parametrize("policy", [FairPolicy.FAIR, FairPolicy.DRF])
def test_all_shares_of_a_thousand_queues_are_had_in_time(policy: FairPolicy) -> None:
    shape = FairShape(
        nodes=200, queues=1000, applications=10_000, containers=1, parents=10, policy=policy
    )
    made = shape.scheduler()
    equal = shares_ms(made)
    distinct_queues(made, shape)
    distinct = shares_ms(made)

    print(
        f"\n{policy}: shares of 1,000 queues and 10,000 applications in {equal:.1f} ms, "
        f"where every queue claims something else in {distinct:.1f} ms"
    )
    assert equal < SHARES_MS
    assert distinct < SHARES_MS


def shares_ms(made: FairScheduler) -> float:
    """The median of five times all shares again, each after a container ended."""
    made.update(0)
    took = []
    for _ in range(5):
        made.release(made.containers()[0].id, 0)
        begin = process_time()
        made.update(0)
        took.append((process_time() - begin) * 1000)
    return sorted(took)[2]


def distinct_queues(made: FairScheduler, shape: FairShape) -> None:
    """Give every queue a weight, a minimum and a maximum of its own."""
    config = shape.config()
    queues = [
        replace(
            queue,
            fair=FairQueueConfig(
                weight=1 + number * 0.37,
                minimum=(1024 * (number % 7), number % 3),
                maximum=ResourceLimit(amounts=(10**9 + number, 10**6 + number)),
            ),
        )
        for number, queue in enumerate(config.queues)
        if queue.path != "root"
    ]
    made.configure(replace(config, queues=(config.queues[0], *queues)), 0)


def test_shares_are_worked_out_again_only_when_something_changed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = FairShape(nodes=20, queues=10, applications=50, containers=1, parents=2).scheduler()
    times: list[object] = []
    update = fair_shares.update
    monkeypatch.setattr(fair_shares, "update", lambda state: (times.append(0), update(state))[1])

    made.update(0)
    made.update(1)
    made.cycle(2, 10)
    settled = len(times)
    made.release(made.containers()[0].id, 3)
    for now_ms in range(4, 10):
        made.update(now_ms)
        made.cycle(now_ms, 10)

    assert settled <= 1
    assert len(times) == settled + 1


def test_a_cycle_with_nothing_to_do_costs_nothing() -> None:
    made = FairShape().scheduler()
    made.cycle(1, 10**6)
    begin = process_time()
    for _ in range(100):
        made.cycle(1, 10**6)
    each_ms = (process_time() - begin) * 1000 / 100

    print(f"\nidle cycle {each_ms:.4f} ms")
    assert each_ms < IDLE_MS


def test_the_time_of_a_grant_hardly_grows_with_nodes_and_queues() -> None:
    small = max(grants_per_second(FairShape(nodes=200, applications=50)) for _ in range(2))
    wide = grants_per_second(FairShape(nodes=5000, applications=100))
    deep = max(
        grants_per_second(FairShape(queues=1000, applications=1000, containers=50))
        for _ in range(2)
    )

    print(f"\n200 nodes {small:,.0f}/s, 5,000 nodes {wide:,.0f}/s, 1,000 queues {deep:,.0f}/s")
    assert small / wide < 2
    assert small / deep < 2

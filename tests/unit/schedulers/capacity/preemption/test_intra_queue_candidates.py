"""What applications of one queue take from each other."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from kubeyarn.model.queues import ApplicationOrdering, IntraQueueOrder
from kubeyarn.schedulers.capacity.preemption.context import PreemptionContext
from kubeyarn.schedulers.capacity.preemption.intra_queue_candidates import (
    compute_apps_ideal_allocation,
)
from unit.schedulers.capacity.preemption.preempting import RULES, Preempting, leaf

A, B = "root.a", "root.b"
PRIORITY, USER_LIMIT = IntraQueueOrder.PRIORITY_FIRST, IntraQueueOrder.USER_LIMIT_FIRST

INTRA = replace(
    RULES,
    intra_queue=True,
    intra_queue_minimum_threshold=0.1,
    intra_queue_maximum_allowable=1.0,
)

Given = tuple[str, int, int]
"""An application: its user, its priority, and the containers that it gets or, later, wants."""


def one_queue(
    holding: list[Given],
    wanting: list[Given],
    *,
    order: IntraQueueOrder = PRIORITY,
    percent: float = 100,
    ordering: ApplicationOrdering | None = None,
    disabled: bool | None = None,
    **rules: object,
) -> Preempting:
    """A queue that is all of ten units: some applications hold it, others come later.

    Applications are numbered from 1 in this order, and each has an AM besides.
    """
    cluster = Preempting(
        leaf(
            A,
            100,
            minimum_user_limit_percent=percent,
            user_limit_factor=4.0,
            application_ordering=ordering,
            intra_queue_preemption_disabled=disabled,
        ),
        nodes=2,
        rules=replace(INTRA, intra_queue_order=order, **rules),  # type: ignore[arg-type]
    )
    for number, (user, priority, count) in enumerate(holding, start=1):
        cluster.app(number, A, count, user=user, priority=priority)
    for number, (user, priority, count) in enumerate(wanting, start=len(holding) + 1):
        cluster.app(number, A, user=user, priority=priority)
        cluster.ask(number, count)
    cluster.cycle()
    return cluster


@pytest.mark.parametrize(
    ("cluster", "taken"),
    [
        pytest.param(
            one_queue([("u", 1, 18)], [("u", 5, 4)]),
            {1: 4},
            id="what a more important application wants (intra-priority-same-user)",
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("v", 5, 4)]),
            {1: 4},
            id="from another user as well (intra-priority-first)",
        ),
        pytest.param(
            one_queue([("u", 5, 18)], [("u", 1, 4)]), {}, id="nothing for a less important one"
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("u", 1, 4)]),
            {},
            id="nothing for an equally important one (intra-same-priority)",
        ),
        pytest.param(
            one_queue([("u", 2, 9), ("u", 1, 8)], [("u", 5, 4)]),
            {2: 4},
            id="of the least important",
        ),
        pytest.param(
            one_queue([("u", 2, 14), ("u", 1, 3)], [("u", 5, 6)]),
            {2: 3, 1: 3},
            id="then of the next, never the AM",
        ),
        pytest.param(
            one_queue([("u", 1, 9), ("u", 1, 8)], [("u", 5, 4)]),
            {2: 4},
            id="of the newest of equally important ones",
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("u", 5, 4)], disabled=True),
            {},
            id="nothing where it is disabled (intra-disabled-queue)",
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("u", 5, 4)], intra_queue=False),
            {},
            id="nothing where it is off",
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("u", 5, 9)], intra_queue_maximum_allowable=0.2),
            {1: 4},
            id="a fifth of the guarantee in one pass",
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("u", 5, 9)], total_per_round=0.1),
            {1: 2},
            id="a tenth of the cluster in one pass",
        ),
        pytest.param(
            one_queue([("u", 1, 9)], [("u", 5, 20)]),
            {1: 9},
            id="all but its AM of a far less important one",
        ),
        pytest.param(
            one_queue([("u", 1, 4)], [("u", 5, 4)], intra_queue_minimum_threshold=0.9),
            {},
            id="nothing while the queue is not full",
        ),
    ],
)
def test_by_priority_is_taken(cluster: Preempting, taken: dict[int, int]) -> None:
    assert cluster.taken() == Counter(taken)


@pytest.mark.parametrize(
    ("cluster", "taken"),
    [
        # Two users at 50 percent of 20 have a limit of 10 each, of which their AMs take 1.
        pytest.param(
            one_queue([("u", 0, 18)], [("v", 0, 9)], order=USER_LIMIT, percent=50),
            {1: 7},
            # (20 + 1) / 2 = 10.5 for each, 11 rounded up, 10 without the AM. One has 18, and the
            # step that it keeps makes 11.
            id="down to a step above the limit of who holds too much (intra-userlimit-first)",
        ),
        pytest.param(
            one_queue([("u", 0, 18)], [("v", 0, 3)], order=USER_LIMIT, percent=50),
            {1: 3},
            id="no more than the other wants",
        ),
        pytest.param(
            one_queue([("u", 0, 18)], [("u", 5, 4)], order=USER_LIMIT, percent=50),
            {},
            id="nothing of a user within its limit, though its other application is important",
        ),
        pytest.param(
            one_queue([("u", 0, 18)], [("u", 0, 4)], order=USER_LIMIT, percent=50),
            {},
            id="nothing among equally important ones of one user",
        ),
        pytest.param(
            one_queue([("u", 0, 9), ("v", 0, 8)], [("w", 5, 4)], order=USER_LIMIT, percent=50),
            {},
            id="nothing of users within their limits, whatever priority",
        ),
        pytest.param(
            one_queue([("u", 9, 18)], [("v", 0, 9)], order=USER_LIMIT, percent=50),
            {1: 7},
            id="of a more important application, too, if its user is over the limit",
        ),
        pytest.param(
            one_queue([("u", 0, 9), ("u", 0, 8)], [("v", 0, 9)], order=USER_LIMIT, percent=50),
            {2: 7},
            id="of the newest application of who is over the limit",
        ),
    ],
)
def test_by_user_limits_is_taken(cluster: Preempting, taken: dict[int, int]) -> None:
    assert cluster.taken() == Counter(taken)


def test_in_a_fair_leaf_the_user_that_holds_most_gives() -> None:
    cluster = one_queue(
        [("u", 0, 12), ("v", 0, 5)],
        [("w", 0, 5)],
        order=USER_LIMIT,
        percent=33,
        ordering=ApplicationOrdering.FAIR,
    )

    assert set(cluster.taken()) == {1}


def test_a_queue_with_one_application_takes_nothing_of_itself() -> None:
    cluster = one_queue([("u", 0, 19)], [])
    cluster.ask(1, 30)
    cluster.cycle()

    assert cluster.taken() == Counter()


def test_what_other_selectors_took_is_not_taken_again() -> None:
    # root.b wants 5 of what root.a holds beyond its half; within root.a a more important
    # application wants 4. root.a may lose 5 of its 15, and those count for both.
    cluster = Preempting(leaf(A, 50), leaf(B, 50), nodes=2, rules=INTRA)
    cluster.app(9, B)
    cluster.app(1, A, 17, user="u", priority=1)
    cluster.app(2, A, user="u", priority=5)
    cluster.ask(2, 4)
    cluster.ask(9, 4)
    cluster.cycle()
    preempted = [one.container for one in cluster.preempt()]

    assert len(preempted) == len(set(preempted))
    assert {container.attempt.application.number for container in preempted} == {1}


def test_newest_containers_of_an_application_go_first() -> None:
    cluster = one_queue([("u", 1, 18)], [("u", 5, 3)])
    oldest_first = [container.id for container in cluster.containers(1)]

    assert [one.container for one in cluster.preempt()] == oldest_first[:-4:-1]


@pytest.mark.parametrize(
    ("threshold", "taken"),
    [
        pytest.param(0.6, {1: 4}, id="where it uses enough of its guarantee"),
        pytest.param(0.7, {}, id="not where it uses less: room elsewhere is its due"),
    ],
)
def test_within_a_queue_below_its_guarantee_is_taken(
    threshold: float, taken: dict[int, int]
) -> None:
    # root.a holds 10 of its 16, because root.b, of which nothing is taken, holds the rest.
    cluster = Preempting(
        leaf(A, 80),
        leaf(B, 20, preemption_disabled=True),
        nodes=2,
        rules=replace(INTRA, intra_queue_order=PRIORITY, intra_queue_minimum_threshold=threshold),
    )
    cluster.app(1, A, 8, user="u", priority=1)
    cluster.app(2, A, user="u", priority=5)
    cluster.app(3, B, 9)
    cluster.ask(2, 4)
    cluster.cycle()

    assert cluster.taken() == Counter(taken)


# -- what each application should have -----------------------------------------------------------


def computed(cluster: Preempting) -> dict[int, tuple[int, int, int, int]]:
    """Of each application: ideal, to be preempted, wanted from others, and lost to others."""
    state = cluster.engine.state
    config = state.config_in_force()
    context = PreemptionContext(
        state.calc,
        state.cluster,
        config.preemption,
        state.root_in_force(),
        state.cluster.total,
        state.apps,
    )
    context.sync_queues([""], {""})
    context.compute_ideal_allocation(consider_reserved=False)
    [leaf] = context.leaves
    apps, _ = compute_apps_ideal_allocation(context, leaf, "")
    return {
        one.app.app.id.number: (
            one.ideal_assigned[0],
            one.to_be_preempted[0],
            one.to_be_preempted_from_other[0],
            one.actually_to_be_preempted[0],
        )
        for one in apps
    }


@pytest.mark.parametrize(
    ("cluster", "found"),
    [
        # Of 20 two are AMs, so 18 are given out.
        pytest.param(
            one_queue([("u", 1, 18)], [("v", 5, 4)]),
            {2: (4, 0, 0, 0), 1: (14, 4, 0, 4)},
            id="by priority the important one has what it wants, the other the rest",
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("v", 1, 4)]),
            {1: (18, 0, 0, 0), 2: (0, 0, 0, 0)},
            id="of equal priority the first submitted keeps all",
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("u", 1, 4)]),
            {1: (18, 0, 0, 0), 2: (0, 0, 0, 0)},
            id="so it is with one user",
        ),
        pytest.param(
            one_queue([("u", 2, 9), ("v", 1, 8)], [("w", 5, 4)]),
            {3: (4, 0, 0, 0), 1: (9, 0, 0, 0), 2: (4, 4, 0, 4)},
            id="the least important of three gives",
        ),
        pytest.param(
            one_queue([("u", 1, 18)], [("v", 5, 9)], intra_queue_maximum_allowable=0.2),
            {2: (9, 0, 5, 0), 1: (9, 4, 0, 4)},
            id="a fifth of the guarantee in one pass, and the rest is still wanted",
        ),
        pytest.param(
            one_queue([("u", 0, 18)], [("v", 0, 9)], order=USER_LIMIT, percent=50),
            # 18 - 10 beyond the limit without its AM, less the step that stays: 7.
            {1: (10, 7, 0, 7), 2: (8, 0, 1, 0)},
            id="by user limits a step stays with who holds too much",
        ),
        pytest.param(
            one_queue([("u", 0, 9), ("v", 0, 8)], [("w", 5, 4)], order=USER_LIMIT, percent=50),
            # v could lose 3 of what it holds beyond its ideal, but is within its limit.
            {3: (4, 0, 4, 0), 1: (9, 0, 0, 0), 2: (4, 3, 0, 0)},
            id="by user limits nobody within its limit loses anything",
        ),
        pytest.param(
            one_queue([("u", 0, 19)], []), {}, id="of one application nothing is computed"
        ),
    ],
)
def test_applications_should_have_and_lose(
    cluster: Preempting, found: dict[int, tuple[int, int, int, int]]
) -> None:
    assert computed(cluster) == found


def growing(holding: list[Given], more: int, **rules: object) -> Preempting:
    """A full queue whose first application wants *more* than it has."""
    cluster = one_queue(holding, [], **rules)  # type: ignore[arg-type]
    cluster.ask(1, more, priority=2)
    cluster.cycle()
    return cluster


@pytest.mark.parametrize(
    ("cluster", "found", "taken"),
    [
        pytest.param(
            growing([("u", 1, 4), ("u", 1, 14)], 5),
            {1: (9, 0, 5, 0), 2: (9, 5, 0, 0)},
            {},
            id="within one user an equally important one loses nothing, though it has too much",
        ),
        pytest.param(
            growing([("u", 5, 4), ("u", 1, 14)], 5),
            {1: (9, 0, 0, 0), 2: (9, 5, 0, 5)},
            {2: 5},
            id="within one user a less important one does",
        ),
        pytest.param(
            growing([("u", 1, 4), ("v", 1, 14)], 5),
            {1: (9, 0, 0, 0), 2: (9, 5, 0, 5)},
            {2: 5},
            id="between users within their limits an equally important one does, too",
        ),
        pytest.param(
            growing([("u", 1, 4), ("v", 1, 14)], 5, percent=50),
            # The limit is 11, of which the AM has 1, so 4 of v's 14 are too many.
            {1: (9, 0, 1, 0), 2: (9, 5, 0, 4)},
            {2: 4},
            id="of a user over its limit an equally important one takes no more than that",
        ),
        pytest.param(
            growing([("u", 5, 4), ("v", 1, 14)], 5, percent=50),
            {1: (9, 0, 0, 0), 2: (9, 5, 0, 5)},
            {2: 5},
            id="a more important one takes of another user without regard to limits",
        ),
        pytest.param(
            growing([("u", 1, 4), ("u", 1, 14)], 5, order=USER_LIMIT),
            {1: (9, 0, 5, 0), 2: (9, 4, 0, 0)},
            {},
            id="by user limits an equally important one of the same user loses nothing",
        ),
        pytest.param(
            growing([("u", 1, 4), ("v", 1, 14)], 5, percent=50, order=USER_LIMIT),
            {1: (9, 0, 1, 0), 2: (9, 4, 0, 4)},
            # With the next one v would be at its limit, AM included.
            {2: 3},
            id="by user limits another user gives until it would be at its limit",
        ),
    ],
)
def test_an_application_that_grows_takes_of_the_others(
    cluster: Preempting, found: dict[int, tuple[int, int, int, int]], taken: dict[int, int]
) -> None:
    assert computed(cluster) == found
    assert cluster.taken() == Counter(taken)

"""What each queue should hold, and what one pass takes back of it.

Rows named by a scenario are numbers of `tests/conformance/capacity`, of its second pass or later:
only memory counts there (DefaultResourceCalculator), in MiB.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from kubeyarn.model.resources import Vector
from kubeyarn.schedulers.calculator import Calculator, DefaultCalculator, DominantCalculator
from kubeyarn.schedulers.capacity.preemption.ideal_assignment import (
    IdealAssignmentTerms,
    TempQueuePerPartition,
    calculate_to_be_preempted,
    compute_ideal_allocation,
)
from kubeyarn.schedulers.java_numbers import single

MEMORY, DOMINANT = DefaultCalculator(), DominantCalculator()


@dataclass(frozen=True)
class Leaf:
    """A leaf of root or of one of root's children: guaranteed, used and wanted, memory alone."""

    guaranteed: int
    used: int
    pending: int
    maximum: int | None = None
    disabled: bool = False
    priority: int = 0
    unreserved: int | None = None
    killable: int = 0
    below: tuple[Leaf, ...] = ()


@dataclass
class Pass:
    """One computation over a tree whose root holds all of the cluster."""

    whole: int
    leaves: tuple[Leaf, ...]
    allowed: float = 1.0
    ignored: float = 0.1
    natural: float = 1.0
    reserved: bool = False
    balance: bool = False
    calc: Calculator = MEMORY
    underserved: list[str] = field(default_factory=list)

    def run(self) -> TempQueuePerPartition:
        """Root, computed."""
        used = sum(leaf.used for leaf in self.leaves)
        root = self._queue("root", Leaf(self.whole, used, 0, below=self.leaves))
        terms = IdealAssignmentTerms(
            calc=self.calc,
            allowed=self._vector(int(self.whole * single(self.allowed))),
            maximum_ignored_over_capacity=self.ignored,
            natural_termination=self.natural,
            consider_reserved=self.reserved,
            balance=self.balance,
            underserved=lambda path, _: self.underserved.append(path),
        )
        compute_ideal_allocation(root, terms)
        leaves = [queue for queue in root.walk() if not queue.children]
        calculate_to_be_preempted(leaves, self._vector(self.whole), terms)
        return root

    def _vector(self, memory: int) -> Vector:
        return (memory, memory // 1024)

    def _queue(self, path: str, leaf: Leaf) -> TempQueuePerPartition:
        queue = TempQueuePerPartition(
            path=path,
            partition="",
            total=self._vector(self.whole),
            used=self._vector(leaf.used),
            reserved=self._vector(0),
            pending=self._vector(leaf.pending),
            pending_deduct_reserved=self._vector(
                leaf.pending if leaf.unreserved is None else leaf.unreserved
            ),
            guaranteed=self._vector(leaf.guaranteed),
            maximum=self._vector(self.whole if leaf.maximum is None else leaf.maximum),
            absolute=single(leaf.guaranteed / self.whole),
            preemption_disabled=leaf.disabled,
            priority=leaf.priority,
            killable=self._vector(leaf.killable),
        )
        for name, below in zip("abcdef", leaf.below, strict=False):
            queue.add_child(self._queue(f"{path}.{name}", below))
        return queue


def leaves_of(root: TempQueuePerPartition) -> list[TempQueuePerPartition]:
    return [queue for queue in root.walk() if not queue.children]


@pytest.mark.parametrize(
    ("given", "ideal", "taken"),
    [
        pytest.param(
            Pass(20480, (Leaf(10240, 20480, 0), Leaf(10240, 0, 1024))),
            [19456, 1024],
            [1024, 0],
            id="a queue over its guarantee gives what another wants (preempt-guarantee)",
        ),
        pytest.param(
            Pass(20480, (Leaf(10240, 19456, 1024), Leaf(10240, 1024, 9216))),
            [10240, 10240],
            [9216, 0],
            id="down to its guarantee (preempt-guarantee)",
        ),
        pytest.param(
            Pass(20480, (Leaf(10240, 19456, 1024), Leaf(10240, 1024, 4096))),
            [15360, 5120],
            [4096, 0],
            id="no more than is wanted (preempt-only-demand)",
        ),
        pytest.param(
            Pass(20480, (Leaf(14335, 19456, 1024), Leaf(6144, 1024, 5120)), ignored=0.4),
            [14336, 6144],
            [0, 0],
            id="nothing within the tolerance (preempt-max-ignored)",
        ),
        pytest.param(
            Pass(20480, (Leaf(14335, 20480, 1024), Leaf(6144, 0, 1024)), ignored=0.4),
            [19456, 1024],
            [1024, 0],
            id="all beyond it once it is passed (preempt-max-ignored)",
        ),
        pytest.param(
            Pass(40960, (Leaf(20480, 39936, 1024), Leaf(20480, 1024, 19456)), natural=0.2),
            [20480, 20480],
            [3891, 0],
            # 19456 * 0.2 = 3891.2, to the nearest MiB.
            id="a fifth, for others end by themselves (preempt-natural-termination)",
        ),
        pytest.param(
            Pass(40960, (Leaf(20480, 39936, 1024), Leaf(20480, 1024, 19456)), allowed=0.1),
            [20480, 20480],
            [4096, 0],
            id="a tenth of the cluster in one pass (preempt-per-round)",
        ),
        pytest.param(
            Pass(20480, (Leaf(5120, 19456, 1024), Leaf(15360, 1024, 14336))),
            [5120, 15360],
            [14336, 0],
            id="down to a quarter, by weights of 1 and 3 (preempt-weight-mode)",
        ),
        pytest.param(
            Pass(
                30720,
                (
                    Leaf(9216, 15360, 1024, disabled=True),
                    Leaf(9216, 15360, 1024),
                    Leaf(12288, 0, 1024),
                ),
            ),
            [15360, 14336, 1024],
            [0, 1024, 0],
            id="nothing of a queue with preemption disabled (preempt-disabled-queue)",
        ),
        pytest.param(
            Pass(
                30720,
                (
                    Leaf(9216, 15360, 1024, disabled=True),
                    Leaf(9216, 14336, 1024),
                    Leaf(12288, 1024, 11264),
                ),
            ),
            [15360, 9217, 6143],
            [0, 5119, 0],
            id="so the one who wants gets less than its guarantee (preempt-disabled-queue)",
        ),
        pytest.param(
            Pass(
                40960,
                (Leaf(10240, 20480, 1024), Leaf(10240, 20480, 1024), Leaf(20480, 0, 0)),
            ),
            [20480, 20480, 0],
            [0, 0, 0],
            id="nothing between two that are equally over (unit-preempt-over-capacity-equal)",
        ),
        pytest.param(
            Pass(40960, (Leaf(0, 39936, 1024), Leaf(24576, 1024, 10240), Leaf(16384, 0, 0))),
            [29696, 11264, 0],
            [10240, 0, 0],
            id="a queue without guarantee keeps what is left (unit-preempt-zero-guarantee)",
        ),
        pytest.param(
            Pass(30720, (Leaf(10240, 0, 20480), Leaf(20480, 0, 20480), Leaf(0, 30720, 0))),
            [10240, 20480, 20480],
            [0, 0, 10240],
            # Hadoop's computeFixpointAllocation tells its caller of the first offer alone.
            id="a queue without guarantee keeps even what a second one takes",
        ),
        pytest.param(
            Pass(
                40960,
                (
                    Leaf(20480, 20480, 0, below=(Leaf(10240, 19456, 0), Leaf(10240, 1024, 9216))),
                    Leaf(20480, 20480, 1024),
                ),
            ),
            [10240, 10240, 20480],
            [9216, 0, 0],
            id="within a parent that holds its guarantee (preempt-hierarchy)",
        ),
        pytest.param(
            Pass(
                81920,
                (
                    Leaf(40960, 40960, 0, below=(Leaf(8192, 20480, 1024), Leaf(32768, 20480, 0))),
                    Leaf(40960, 40960, 0, below=(Leaf(20480, 40960, 1024), Leaf(20480, 0, 1024))),
                ),
            ),
            [20480, 20480, 39936, 1024],
            [0, 0, 1024, 0],
            id="not of another branch at its guarantee (unit-preempt-hierarchical)",
        ),
        pytest.param(
            Pass(
                25600,
                (Leaf(14336, 1024, 2048), Leaf(1023, 2048, 1024), Leaf(10240, 22528, 0)),
            ),
            [3072, 2046, 20482],
            [0, 2, 2046],
            id="by parts of whole units (own-preempt-shares-of-whole-containers)",
        ),
        pytest.param(
            Pass(20480, (Leaf(10240, 20480, 0), Leaf(10240, 0, 10240, maximum=4096))),
            [16384, 4096],
            [4096, 0],
            id="no more than the maximum of who wants it",
        ),
        pytest.param(
            Pass(20480, (Leaf(10240, 10240, 0), Leaf(10240, 0, 10240))),
            [10240, 10240],
            [0, 0],
            id="nothing of a queue at its guarantee",
        ),
        pytest.param(
            Pass(20480, (Leaf(10240, 0, 0), Leaf(10240, 0, 0))),
            [0, 0],
            [0, 0],
            id="nothing where nobody holds anything",
        ),
        pytest.param(
            Pass(20480, (Leaf(10240, 20480, 0, killable=1024), Leaf(10240, 0, 1024))),
            [19456, 1024],
            [0, 0],
            id="nothing more where enough waits to be killed (own-lazy-preemption)",
        ),
        pytest.param(
            Pass(20480, (Leaf(10240, 20480, 0), Leaf(10240, 0, 4096, unreserved=1024))),
            [19456, 1024],
            [1024, 0],
            id="nothing for what is reserved already",
        ),
        pytest.param(
            Pass(
                20480, (Leaf(10240, 20480, 0), Leaf(10240, 0, 4096, unreserved=1024)), reserved=True
            ),
            [16384, 4096],
            [4096, 0],
            id="for what is reserved, too, where the selector counts it",
        ),
        pytest.param(
            Pass(
                20480,
                (Leaf(10240, 20480, 0), Leaf(10240, 0, 4096)),
                reserved=True,
                natural=0.2,
            ),
            [16384, 4096],
            [4096, 0],
            id="all at once for reservations, whatever ends by itself",
        ),
    ],
)
def test_leaves_should_hold_and_lose(given: Pass, ideal: list[int], taken: list[int]) -> None:
    leaves = leaves_of(given.run())

    assert [leaf.ideal_assigned[0] for leaf in leaves] == ideal
    assert [leaf.actually_to_be_preempted[0] for leaf in leaves] == taken


@pytest.mark.parametrize(
    ("leaves", "balance", "ideal"),
    [
        # Both hold more than their guarantee of 4096 and share 16384 that are nobody's.
        pytest.param(
            (Leaf(4096, 16384, 0), Leaf(4096, 8192, 8192)),
            False,
            [16384, 8192],
            id="nothing without balancing",
        ),
        pytest.param(
            (Leaf(4096, 16384, 0), Leaf(4096, 8192, 8192)),
            True,
            [12288, 12288],
            id="to the same share of their guarantees with balancing",
        ),
    ],
)
def test_between_satisfied_queues_is_moved(
    leaves: tuple[Leaf, ...], balance: bool, ideal: list[int]
) -> None:
    # preemption-to-balance-queue-after-satisfied.
    given = Pass(24576, (*leaves, Leaf(16384, 0, 0)), balance=balance)

    assert [leaf.ideal_assigned[0] for leaf in leaves_of(given.run())][:2] == ideal


@pytest.mark.parametrize(
    ("one", "other", "ideal"),
    [
        pytest.param(
            Leaf(10240, 0, 20480, priority=1),
            Leaf(10240, 20480, 0, priority=2),
            [10240, 10240],
            id="a guarantee is kept against a higher priority",
        ),
        pytest.param(
            Leaf(10240, 10240, 10240, priority=2),
            Leaf(10240, 10240, 10240, priority=1),
            [10240, 10240],
            id="at their guarantees priorities move nothing",
        ),
    ],
)
def test_with_priorities_queues_should_hold(one: Leaf, other: Leaf, ideal: list[int]) -> None:
    assert [leaf.ideal_assigned[0] for leaf in leaves_of(Pass(20480, (one, other)).run())] == ideal


@pytest.mark.parametrize(
    ("disabled", "untouchable", "preemptable"),
    [
        pytest.param((False, False), 0, 9216, id="all of both leaves"),
        pytest.param((True, False), 5120, 4096, id="that of the leaf that may be preempted"),
        pytest.param((True, True), 9216, 0, id="nothing of leaves that may not be"),
    ],
)
def test_of_what_a_parent_holds_beyond_its_guarantee_may_be_taken(
    disabled: tuple[bool, bool], untouchable: int, preemptable: int
) -> None:
    # The parent has 2048 and holds 11264: its leaves hold 5120 and 4096 beyond their guarantees.
    below = (
        Leaf(1024, 6144, 0, disabled=disabled[0]),
        Leaf(1024, 5120, 0, disabled=disabled[1]),
    )
    parent = Leaf(2048, 11264, 0, below=below)
    root = Pass(20480, (parent, Leaf(18432, 0, 0))).run()

    assert root.children[0].untouchable_extra[0] == untouchable
    assert root.children[0].preemptable_extra[0] == preemptable


def test_the_most_underserved_queue_is_told_first() -> None:
    given = Pass(30720, (Leaf(10240, 4096, 20480), Leaf(10240, 1024, 20480), Leaf(10240, 25600, 0)))
    given.run()

    # root.c, which is better served than both, is told as the next behind them, as Hadoop does.
    assert list(dict.fromkeys(given.underserved)) == ["root.b", "root.a", "root.c"]


def test_a_satisfied_queue_is_not_underserved() -> None:
    given = Pass(20480, (Leaf(10240, 10240, 0), Leaf(10240, 4096, 0)))
    given.run()

    assert given.underserved == []


def test_with_several_types_the_dominant_share_decides() -> None:
    # As in capacity-preempt-guarantee, by cores as well as by memory.
    given = Pass(20480, (Leaf(10240, 20480, 0), Leaf(10240, 0, 4096)), calc=DOMINANT)
    leaves = leaves_of(given.run())

    assert [leaf.ideal_assigned for leaf in leaves] == [(16384, 16), (4096, 4)]
    assert [leaf.actually_to_be_preempted for leaf in leaves] == [(4096, 4), (0, 0)]


def test_what_was_selected_before_is_not_taken_again() -> None:
    leaf = leaves_of(Pass(20480, (Leaf(10240, 20480, 0), Leaf(10240, 0, 4096))).run())[0]
    leaf.deduct_actually_to_be_preempted(MEMORY, (1024, 1))
    assert leaf.actually_to_be_preempted[0] == 3072

    leaf.deduct_actually_to_be_preempted(MEMORY, (4096, 4))
    assert leaf.actually_to_be_preempted[0] == 3072


def test_a_pass_that_takes_less_scales_all_queues_alike() -> None:
    given = Pass(
        30720,
        (Leaf(5120, 15360, 0), Leaf(5120, 15360, 0), Leaf(20480, 0, 20480)),
        allowed=0.2,
    )
    leaves = leaves_of(given.run())

    # Both are to lose 10240; 6144 are allowed, so each loses 3072.
    assert [leaf.to_be_preempted[0] for leaf in leaves] == [3072, 3072, 0]

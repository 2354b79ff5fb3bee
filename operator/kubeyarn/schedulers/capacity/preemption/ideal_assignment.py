"""What each queue should hold of a partition, and what is to be taken back of it.

Hadoop: TempQueuePerPartition, AbstractPreemptableResourceCalculator, PreemptableResourceCalculator.

Theory of operation: root should hold its guarantee. Top down, `_distribute_to_children` divides
what a parent should hold among its children: first among those with a guarantee, then, of what is
left, among those without. `_compute_fixpoint` does it in rounds. At first each child has what it
holds already, up to its guarantee, plus what nobody may take from it. Then those that are *equally
and most underserved* (the lowest ideal over guarantee) are offered their part of what is left,
until nobody wants more or nothing is left. Rounds matter: parts are normalized among those who
still want something, so who drops out leaves its part to the others.

Who was underserved is told to `underserved` in the order in which it was found, because the
selector within queues goes through the queues in that order and the budget may end on its way.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add, component_min, subtract
from kubeyarn.schedulers.calculator import Calculator, multiply
from kubeyarn.schedulers.capacity.ordering import compare_shares
from kubeyarn.schedulers.java_numbers import quotient, single

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_NO_GUARANTEE = float(2**31 - 1)
"""How well a queue without a guarantee is served: better than any other (Java: Integer.MAX)."""


@dataclass(slots=True)
class TempQueuePerPartition:
    """A copy of what one queue holds, wants and is guaranteed of one partition, for one pass.

    *total* is the whole partition. *pending_deduct_reserved* is *pending* less what is reserved
    already. *absolute* is the absolute capacity, *priority* 0 unless the parent respects it.
    *killable* is what lazy preemption has offered to others. The package says what is computed.
    """

    path: str
    partition: str
    total: Vector
    used: Vector
    reserved: Vector
    pending: Vector
    pending_deduct_reserved: Vector
    guaranteed: Vector
    maximum: Vector
    absolute: float
    preemption_disabled: bool
    priority: int
    killable: Vector
    ideal_assigned: Vector = field(init=False)
    untouchable_extra: Vector = field(init=False)
    preemptable_extra: Vector = field(init=False)
    to_be_preempted: Vector = field(init=False)
    actually_to_be_preempted: Vector = field(init=False)
    normalized_guarantee: tuple[float, ...] = ()
    parent: TempQueuePerPartition | None = None
    children: list[TempQueuePerPartition] = field(default_factory=list)

    def __post_init__(self) -> None:
        zero = (0,) * len(self.total)
        self.ideal_assigned = self.untouchable_extra = self.preemptable_extra = zero
        self.to_be_preempted = self.actually_to_be_preempted = zero

    def add_child(self, child: TempQueuePerPartition) -> None:
        """Add a child; a parent wants what its children want."""
        self.children.append(child)
        child.parent = self
        self.pending = add(self.pending, child.pending)
        self.pending_deduct_reserved = add(
            self.pending_deduct_reserved, child.pending_deduct_reserved
        )

    def walk(self) -> Iterator[TempQueuePerPartition]:
        """This queue and all below, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()

    def path_down(self) -> list[TempQueuePerPartition]:
        """The queues from root to this one."""
        path = [self]
        while path[-1].parent is not None:
            path.append(path[-1].parent)
        return path[::-1]

    def update_preemptable_extras(self, calc: Calculator) -> None:
        """Split what is held beyond the guarantee into what may be taken and what may not."""
        zero = (0,) * len(self.total)
        for child in self.children:
            child.update_preemptable_extras(calc)
        # Children first: what may be taken of a parent is what may be taken below it.
        extra = subtract(self.used, self.guaranteed)
        if calc.compare(self.total, extra, zero) < 0:
            extra = zero
        if not self.children:
            if self.preemption_disabled:
                self.untouchable_extra, self.preemptable_extra = extra, zero
            else:
                self.untouchable_extra, self.preemptable_extra = zero, extra
            return
        below = zero
        for child in self.children:
            below = add(below, child.preemptable_extra)
        # Children may hold more beyond their guarantees than the parent does beyond its own: room
        # that siblings leave is theirs to use, so nothing of it is untouchable.
        enough = calc.compare(self.total, below, extra) >= 0
        self.untouchable_extra = zero if enough else subtract(extra, below)
        self.preemptable_extra = calc.min(self.total, below, extra)

    def offer(
        self,
        calc: Calculator,
        whole: Vector,
        available: Vector,
        *,
        consider_reserved: bool,
        balance: bool,
    ) -> Vector:
        """Raise the ideal assignment by what the queue can take of *available*; returns that.

        With *consider_reserved* it wants what it has reserved, too. Without *balance* a leaf does
        not grow beyond the greater of what it has and what it is guaranteed.
        """
        zero = (0,) * len(available)
        below_maximum = tuple(max(0, x) for x in subtract(self.maximum, self.ideal_assigned))
        pending = self.pending if consider_reserved else self.pending_deduct_reserved
        wanted = subtract(add(self.used, pending), self.ideal_assigned)
        accepted = component_min(below_maximum, calc.min(whole, available, wanted))
        # To grow beyond the guarantee is no reason to take from others; between satisfied queues
        # only balancing does that.
        if not balance and not self.children:
            by_right = calc.max(whole, self.used, self.guaranteed)
            by_right = calc.max(whole, subtract(by_right, self.ideal_assigned), zero)
            accepted = calc.min(whole, accepted, by_right)
        accepted = component_min(tuple(max(0, x) for x in accepted), available)
        self.ideal_assigned = add(self.ideal_assigned, accepted)
        return accepted

    def assign_preemption(self, calc: Calculator, whole: Vector, factor: float) -> None:
        """Set what is to be preempted: what is held beyond the ideal assignment, times *factor*.

        A queue keeps what it wants up to its guarantee even where its ideal assignment is less.
        """
        # What was offered to others already is as good as gone, and is not taken a second time.
        held = subtract(self.used, self.killable)
        wanted = add(self.used, self.pending)
        keep = calc.min(whole, wanted, self.guaranteed)
        keep = calc.max(whole, keep, self.ideal_assigned)
        if calc.compare(whole, held, keep) > 0:
            self.to_be_preempted = multiply(subtract(held, keep), factor)
        else:
            self.to_be_preempted = (0,) * len(held)

    def deduct_actually_to_be_preempted(self, calc: Calculator, amount: Vector) -> None:
        """Count *amount* as taken by an earlier selector."""
        zero = (0,) * len(self.total)
        # Only while more than that is left: Hadoop's deductActuallyToBePreempted does nothing
        # otherwise.
        if calc.compare(self.total, self.actually_to_be_preempted, amount) > 0:
            self.actually_to_be_preempted = subtract(self.actually_to_be_preempted, amount)
        self.actually_to_be_preempted = calc.max(self.total, self.actually_to_be_preempted, zero)


@dataclass(slots=True)
class IdealAssignmentTerms:
    """The rules of one computation.

    *allowed* is what may be preempted in one pass. *underserved* is told of queues that want more,
    by path and partition, in order.
    """

    calc: Calculator
    allowed: Vector
    maximum_ignored_over_capacity: float
    natural_termination: float
    consider_reserved: bool
    balance: bool
    underserved: Callable[[str, str], None]


def compute_ideal_allocation(root: TempQueuePerPartition, terms: IdealAssignmentTerms) -> None:
    """Set what every queue below *root* should hold, and what is to be preempted of it."""
    root.update_preemptable_extras(terms.calc)
    # Root's guarantee is the whole partition, whatever the queues hold of it.
    root.ideal_assigned = root.guaranteed
    _compute_below(root, terms)


def _compute_below(queue: TempQueuePerPartition, terms: IdealAssignmentTerms) -> None:
    if not queue.children:
        return
    _distribute_to_children(queue.children, queue.ideal_assigned, terms)
    for child in queue.children:
        _compute_below(child, terms)


def _distribute_to_children(
    queues: list[TempQueuePerPartition], whole: Vector, terms: IdealAssignmentTerms
) -> None:
    """Divide *whole* among siblings, and scale what is taken of them to what is allowed."""
    calc = terms.calc
    zero = (0,) * len(whole)
    # Queues without a guarantee get only what is left, and share it equally.
    guaranteed = [q for q in queues if calc.compare(whole, q.guaranteed, zero) > 0]
    others = [q for q in queues if calc.compare(whole, q.guaranteed, zero) <= 0]
    left = _compute_fixpoint(guaranteed, whole, whole, terms, by_guarantee=True)
    if others and calc.compare(whole, left, zero) > 0:
        _compute_fixpoint(others, whole, left, terms, by_guarantee=False)
    # What a pass may take is a part of the cluster; where more is wanted, each loses as large a
    # part of it.
    needed = zero
    for queue in queues:
        if calc.compare(whole, queue.used, queue.ideal_assigned) > 0:
            needed = add(needed, subtract(queue.used, queue.ideal_assigned))
    factor = 1.0
    if calc.compare(whole, needed, terms.allowed) > 0:
        factor = calc.divide(whole, terms.allowed, needed)
    for queue in queues:
        queue.assign_preemption(calc, whole, factor)


def _compute_fixpoint(
    queues: list[TempQueuePerPartition],
    whole: Vector,
    left: Vector,
    terms: IdealAssignmentTerms,
    *,
    by_guarantee: bool,
) -> Vector:
    """Give *left* to the queues that want it, in rounds, the most underserved first.

    Returns what is left for queues without a guarantee. That is less the initial shares and the
    first offer only: Hadoop's computeFixpointAllocation subtracts in place up to there and makes
    new objects afterwards, so its caller never sees what later offers take.
    """
    calc = terms.calc
    zero = (0,) * len(whole)
    wanting: list[TempQueuePerPartition] = []
    for queue in queues:
        if calc.compare(whole, queue.used, queue.guaranteed) > 0:
            kept = component_min(queue.guaranteed, queue.used)
            queue.ideal_assigned = add(kept, queue.untouchable_extra)
        else:
            queue.ideal_assigned = queue.used
        left = subtract(left, queue.ideal_assigned)
        if calc.compare(whole, queue.ideal_assigned, add(queue.used, queue.pending)) < 0:
            wanting.append(queue)
    seen_by_caller: Vector | None = None
    while wanting and calc.compare(whole, left, zero) > 0:
        _normalize_guarantees(wanting, len(whole), by_guarantee=by_guarantee)
        # All who are equally served together, so that the order of queues gives none an advantage.
        underserved = _take_most_underserved(wanting, whole, terms)
        # Each is offered its part of what was left before the round, as far as it is still there.
        at_start = left
        for queue in underserved:
            if not calc.any_above_zero(left):
                break
            available = component_min(
                calc.multiply_types_up(at_start, queue.normalized_guarantee), left
            )
            took = queue.offer(
                calc,
                whole,
                available,
                consider_reserved=terms.consider_reserved,
                balance=terms.balance,
            )
            # Back in line only if it took something: whoever could not is satisfied, or at its
            # maximum.
            if calc.compare(whole, took, zero) > 0:
                wanting.append(queue)
            if seen_by_caller is None:
                seen_by_caller = subtract(left, took)
            left = tuple(max(0, x) for x in subtract(left, took))
    # Who is still in line when nothing is left wanted more than there is.
    for queue in _by_need(wanting, whole, calc):
        terms.underserved(queue.path, queue.partition)
    return left if seen_by_caller is None else seen_by_caller


def _normalize_guarantees(
    queues: list[TempQueuePerPartition], types: int, *, by_guarantee: bool
) -> None:
    """Set each queue's part of what is given out, for each type (Hadoop: resetCapacity)."""
    if not by_guarantee:
        for queue in queues:
            queue.normalized_guarantee = (single(1.0 / len(queues)),) * types
        return
    columns = [_normalized(queues, place) for place in range(types)]
    for queue, normalized in zip(queues, zip(*columns, strict=True), strict=True):
        queue.normalized_guarantee = normalized


def _normalized(queues: list[TempQueuePerPartition], place: int) -> list[float]:
    """Parts of one type: by absolute capacity if a queue's guarantee of it was rounded to none."""
    total = sum(queue.guaranteed[place] for queue in queues)
    # In single precision and in the order of queues, as Hadoop sums them: parts are compared for
    # equality afterwards.
    absolute = 0.0
    for queue in queues:
        absolute = single(absolute + queue.absolute)
    if total and any(not queue.guaranteed[place] and queue.absolute for queue in queues):
        return [quotient(queue.absolute, absolute) for queue in queues]
    if not total or not absolute:
        return [single(1.0 / len(queues))] * len(queues)
    return [quotient(queue.guaranteed[place], total) for queue in queues]


def _ideal_share(queue: TempQueuePerPartition, whole: Vector, calc: Calculator) -> float:
    """The ideal assignment over the guarantee (Hadoop: getIdealPctOfGuaranteed)."""
    zero = (0,) * len(whole)
    if calc.compare(whole, queue.guaranteed, zero) > 0:
        return calc.divide(whole, queue.ideal_assigned, queue.guaranteed)
    return _NO_GUARANTEE


def _by_need(
    queues: list[TempQueuePerPartition], whole: Vector, calc: Calculator
) -> list[TempQueuePerPartition]:
    shares = {id(queue): _ideal_share(queue, whole, calc) for queue in queues}

    def compare(a: TempQueuePerPartition, b: TempQueuePerPartition) -> int:
        return compare_shares(shares[id(a)], shares[id(b)], a.priority, b.priority)

    return sorted(queues, key=cmp_to_key(compare))


def _take_most_underserved(
    wanting: list[TempQueuePerPartition], whole: Vector, terms: IdealAssignmentTerms
) -> list[TempQueuePerPartition]:
    """Take those who are equally and most underserved out of *wanting*.

    Hadoop: getMostUnderservedQueues. The first that is better served is noted as underserved, too.
    """
    ordered = _by_need(wanting, whole, terms.calc)
    taken: list[TempQueuePerPartition] = []
    for place, queue in enumerate(ordered):
        taken.append(queue)
        terms.underserved(queue.path, queue.partition)
        if place + 1 == len(ordered):
            break
        after = ordered[place + 1]
        share = _ideal_share(queue, whole, terms.calc)
        next_share = _ideal_share(after, whole, terms.calc)
        if compare_shares(share, next_share, queue.priority, after.priority) < 0:
            terms.underserved(after.path, after.partition)
            break
    chosen = {id(queue) for queue in taken}
    wanting[:] = [queue for queue in wanting if id(queue) not in chosen]
    return taken


def calculate_to_be_preempted(
    leaves: list[TempQueuePerPartition], cluster: Vector, terms: IdealAssignmentTerms
) -> None:
    """Set what this pass takes of every leaf: nothing within the tolerance, else a part.

    Hadoop: calculateResToObtainByPartitionForLeafQueues. The part leaves time for containers to
    end by themselves.
    """
    calc = terms.calc
    for queue in leaves:
        if queue.preemption_disabled:
            continue
        zero = (0,) * len(queue.used)
        tolerated = multiply(queue.guaranteed, 1.0 + terms.maximum_ignored_over_capacity)
        if calc.compare(cluster, queue.used, tolerated) <= 0:
            queue.actually_to_be_preempted = zero
            continue
        amount = queue.to_be_preempted
        if not terms.consider_reserved and calc.compare(cluster, amount, zero) > 0:
            ones = (1, 1) + (0,) * (len(amount) - 2)
            amount = calc.multiply_and_normalize_up(amount, terms.natural_termination, ones)
        queue.actually_to_be_preempted = amount

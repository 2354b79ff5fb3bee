"""The users of a leaf queue: what they hold, who is active, and their limits.

Hadoop: UsersManager. A user is active while one of its active applications has something
outstanding. Limits are computed when something changed and are kept until then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.model.resources import Vector, add
from kubeyarn.schedulers.calculator import Calculator, multiply
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.schedulers.calculator import Calculator
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue


# See `UsersManager.surely_within`.
_SPARE = 1.000001


class UserUsage:
    """What a user holds of one partition, and the share of it that this is."""

    __slots__ = ("ratio", "used")

    def __init__(self, zero: Vector) -> None:
        self.used = zero
        self.ratio = 0.0


class User:
    """One user in one leaf queue; *manager* are that queue's users until it is forgotten there."""

    __slots__ = (
        "active",
        "active_apps",
        "am_used",
        "default_usage",
        "manager",
        "name",
        "pending_apps",
        "usages",
        "weight",
        "zero",
    )

    def __init__(self, home: UsersManager, name: str, weight: float, zero: Vector) -> None:
        self.manager: UsersManager | None = home
        self.name = name
        self.weight = weight
        self.active = False
        self.pending_apps = 0
        self.active_apps = 0
        self.zero = zero
        self.default_usage = UserUsage(zero)
        self.usages: dict[str, UserUsage] = {"": self.default_usage}
        self.am_used: dict[str, Vector] = {}

    @property
    def used(self) -> dict[str, Vector]:
        """What is held, by partition."""
        return {name: held.used for name, held in self.usages.items()}

    def use(self, partition: str) -> Vector:
        """What is held of a partition."""
        held = self.usages.get(partition)
        return self.zero if held is None else held.used

    def usage(self, partition: str) -> UserUsage:
        """What is held of a partition, known from now on."""
        found = self.usages.get(partition)
        if found is None:
            found = self.usages[partition] = UserUsage(self.zero)
        return found

    @property
    def applications(self) -> int:
        """Pending and active applications."""
        return self.pending_apps + self.active_apps


class UsersUsage:
    """What all users are to one partition: what active ones hold, everyone's share, the cap."""

    __slots__ = ("active_used", "cap", "ratio")

    def __init__(self) -> None:
        self.active_used: Vector | None = None
        self.cap: Vector | None = None
        self.ratio = 0.0


class UsersManager:
    """All users of one leaf queue."""

    __slots__ = (
        "_active_weights",
        "_all_weights",
        "_count_due",
        "_limits",
        "_only_pending",
        "_outstanding",
        "_zero",
        "active",
        "by_name",
        "calc",
        "default_usage",
        "queue",
        "usages",
        "version",
        "weights",
    )

    def __init__(self, queue: LeafQueue, calc: Calculator, zero: Vector) -> None:
        self.queue = queue
        self.calc = calc
        self._zero = zero
        self.by_name: dict[str, User] = {}
        self.active: set[str] = set()
        self.weights: Mapping[str, float] = {}
        self.version = 0
        self._outstanding: dict[str, set[ApplicationId]] = {}
        self._active_weights = 0.0
        self._all_weights = 0.0
        self.default_usage = UsersUsage()
        self.usages: dict[str, UsersUsage] = {"": self.default_usage}
        self._only_pending = 0
        self._count_due = False
        self._limits: dict[tuple[str, bool, bool], tuple[int, Vector]] = {}

    def get(self, name: str) -> User:
        """The user, known from now on."""
        user = self.by_name.get(name)
        if user is None:
            # A user counts from its first application on, pending ones included; `forget` takes it
            # out with the last.
            user = self.by_name[name] = User(self, name, self.weights.get(name, 1.0), self._zero)
            self._all_weights = self._sum_weights(self.by_name)
        return user

    def forget(self, name: str) -> None:
        """A user without applications is no user of this queue."""
        # What `FiCaSchedulerApp.cached_user` still points at is seen to be nobody's.
        self.about_to_count()
        self.by_name.pop(name).manager = None
        self.active.discard(name)
        self._active_weights = self._sum_weights(self.active)
        self._all_weights = self._sum_weights(self.by_name)

    def set_weights(self, weights: Mapping[str, float]) -> None:
        """Take over configured weights."""
        self.weights = weights
        for user in self.by_name.values():
            user.weight = weights.get(user.name, 1.0)
        self._active_weights = self._sum_weights(self.active)
        self._all_weights = self._sum_weights(self.by_name)
        self.limits_changed()

    def activate(self, name: str, app: ApplicationId) -> None:
        """An application of the user has something outstanding from now on."""
        # Hadoop: a user none of whose applications was activated yet is not active, however much
        # these ask for; it does not lower what others may have.
        user = self.by_name.get(name)
        if user is not None and user.active_apps <= 0:
            return
        # Only the first application of a user changes a limit: what counts is how many users want
        # something.
        if name not in self._outstanding:
            self._outstanding[name] = set()
            self.version += 1
            self._move_in(self.get(name))
        self._outstanding[name].add(app)

    def deactivate(self, name: str, app: ApplicationId) -> None:
        """An application of the user has nothing outstanding any more."""
        apps = self._outstanding.get(name)
        if apps is None:
            return
        apps.discard(app)
        if not apps:
            del self._outstanding[name]
            self.version += 1
            self._move_out(name)

    def active_count(self) -> int:
        """Active users, and those whose applications all wait (as of the last computed limit)."""
        self.about_to_count()
        return len(self._outstanding) + self._only_pending

    def about_to_count(self) -> None:
        """Counts of applications are about to change or to be asked for.

        Hadoop counts users whose applications all wait whenever it computes a limit; until the
        counts change it does not matter when that is done.
        """
        # The count is taken late but means the same: `limit` sets *_count_due*, and every change of
        # a user's applications comes through here before it is made.
        if self._count_due:
            self._count_due = False
            self._only_pending = sum(
                1 for u in self.by_name.values() if u.pending_apps > 0 and u.active_apps <= 0
            )

    def usage(self, partition: str) -> UsersUsage:
        """What all users are to a partition, known from now on."""
        found = self.usages.get(partition)
        if found is None:
            found = self.usages[partition] = UsersUsage()
        return found

    def limits_changed(self) -> None:
        """Guarantees, maxima or settings changed: limits are to be computed anew."""
        self.version += 1
        self.guarantee_changed()

    def guarantee_changed(self) -> None:
        """A guarantee or maximum changed; a limit that is known stays in force all the same.

        Hadoop: AutoCreatedLeafQueue.mergeCapacities, which makes no limit stale.
        """
        for part in self.usages.values():
            part.cap = None

    def surely_within(self, user: User, partition: str) -> bool:
        """Whether a user is within its limit, told without computing the limit.

        Invariant: True only if `limit` (not borrowing) is at least what the user holds; False says
        nothing. The limit is the greater of the active users' equal part, which is (*active_used* +
        a minimum allocation) / weights, and a percentage; capped by `user_cap`, and rounded up. So
        who holds no more than the equal part and no more than the cap is within it. A user of
        weight 1 or more has at least the common limit. The limit is computed in single precision,
        to seven digits: `_SPARE` asks for a part in a million more room than that could take away.

        It is here because each charge of a user makes the limit stale, so that it would be computed
        for each grant. `test_whoever_is_surely_within_its_limit_is_within_it` compares the two.
        """
        part = self.usages.get(partition) if partition else self.default_usage
        # A lighter user has less than the common limit; without active users there is no equal
        # part.
        if part is None or user.weight < 1 or not self._active_weights:
            return False
        active, cap = part.active_used, part.cap
        if active is None:
            return False
        if cap is None:
            terms = self._terms(partition, whole=False, everyone=False)
            cap = part.cap = self.queue.cluster.interned(user_cap(self.calc, terms))
        used = user.use(partition) if partition else user.default_usage.used
        parts = self._active_weights * _SPARE
        step = self.queue.minimum_allocation
        # As if the limit had been computed, which the caller is spared.
        self._count_due = True
        if self.calc.memory_only:
            return used[0] <= cap[0] and used[0] * parts <= active[0] + step[0]
        if len(used) == 2:
            return (
                used[0] <= cap[0]
                and used[1] <= cap[1]
                and used[0] * parts <= active[0] + step[0]
                and used[1] * parts <= active[1] + step[1]
            )
        return all(
            u <= c and u * parts <= a + s
            for u, c, a, s in zip(used, cap, active, step, strict=True)
        )

    def limit(self, name: str, partition: str, *, whole: bool, everyone: bool = False) -> Vector:
        """What a user may hold of a partition, by its weight.

        *whole*: borrowing in a shared partition. *everyone*: all users count, not only the active.
        """
        # The limit of a user of weight 1 is kept for all; a weight is multiplied in afterwards, and
        # rounded down to whole minimum allocations, as in Hadoop.
        limit = self._common_limit(partition, whole=whole, everyone=everyone)
        user = self.by_name.get(name)
        weight = 1.0 if user is None else user.weight
        return self.calc.multiply_and_normalize_down(limit, weight, self.queue.minimum_allocation)

    def cap(self, name: str, partition: str, *, whole: bool) -> Vector:
        """The most a user may hold of a partition, however few users there are."""
        user = self.by_name.get(name)
        weight = 1.0 if user is None else user.weight
        cap = user_cap(self.calc, self._terms(partition, whole=whole, everyone=False))
        return multiply(cap, max(weight, 1.0))

    def _common_limit(self, partition: str, *, whole: bool, everyone: bool) -> Vector:
        key = (partition, whole, everyone)
        # Cleared by *version*, not by deletion: a charge raises one number and leaves the table.
        known = self._limits.get(key)
        if known is not None and known[0] == self.version:
            return known[1]
        limit = user_limit(self.calc, self._terms(partition, whole=whole, everyone=everyone))
        self._count_due = True
        self._limits[key] = (self.version, limit)
        return limit

    def _terms(self, partition: str, *, whole: bool, everyone: bool) -> UserLimitTerms:
        queue, part = self.queue, self.usage(partition)
        return UserLimitTerms(
            partition=queue.cluster.partition(partition),
            minimum=queue.minimum(partition),
            maximum=queue.maximum(partition),
            minimum_allocation=queue.minimum_allocation,
            usage_ratio=part.ratio,
            used=None if everyone else part.active_used or self._zero,
            weights=self._all_weights if everyone else self._active_weights,
            minimum_user_limit_percent=queue.settings.minimum_user_limit_percent,
            user_limit_factor=queue.settings.user_limit_factor,
            whole_partition=whole,
        )

    def _sum_weights(self, names: set[str] | dict[str, User]) -> float:
        # Anew each time, not by difference: in single precision a sum of differences drifts away
        # from Hadoop's.
        total = 0.0
        for name in names:
            total = single(total + self.by_name[name].weight)
        return total

    def _move_in(self, user: User) -> None:
        if user.active:
            return
        user.active = True
        self.active.add(user.name)
        self._active_weights = self._sum_weights(self.active)
        accounts.count_as_active(self, user)

    def _move_out(self, name: str) -> None:
        user = self.by_name.get(name)
        if user is None or not user.active:
            return
        user.active = False
        self.active.discard(name)
        self._active_weights = self._sum_weights(self.active)
        accounts.count_as_inactive(self, user)


NO_FACTOR = -1.0


@dataclass(frozen=True, slots=True)
class UserLimitTerms:
    """What the limit of one partition is computed from.

    *usage_ratio* is the sum of all users' shares of the partition; *used* and *weights* are those
    of the users that count: the active ones when scheduling, all of them in intra-queue
    preemption (*used* None).
    """

    partition: Vector
    minimum: Vector
    maximum: Vector
    minimum_allocation: Vector
    usage_ratio: float
    used: Vector | None
    weights: float
    minimum_user_limit_percent: float
    user_limit_factor: float
    whole_partition: bool = False


def user_limit(calc: Calculator, terms: UserLimitTerms) -> Vector:
    """The limit of a user of weight 1.

    The greater of an equal part and the guaranteed percentage of what the queue uses or may use,
    capped by the queue's guarantee times the user limit factor. With *whole_partition* (borrowing
    in a shared partition) only the partition itself caps.
    """
    share = terms.partition
    # A queue whose guarantee is less than one container could else never give a user anything.
    capacity = calc.max(share, terms.minimum, terms.minimum_allocation)
    current = _current_capacity(calc, terms, capacity)
    used = current if terms.used is None else add(terms.used, terms.minimum_allocation)
    # Of what active users hold, and one minimum allocation more, so that the limit can go on
    # growing until the queue's maximum is reached (Hadoop: "required" in computeUserLimit). Rounded
    # up, so that the parts of all are together no less than the whole.
    equal_part = calc.divide_ceil(used, terms.weights)
    guaranteed = calc.divide_ceil(multiply(current, terms.minimum_user_limit_percent), 100)
    # The greater: few users share all there is, many are each held to the percentage, and whoever
    # is beyond 100 / percent users waits until others are done.
    limit = calc.max(share, equal_part, guaranteed)
    capped = calc.min(share, limit, user_cap(calc, terms))
    return calc.round_up(capped, terms.minimum_allocation)


def _current_capacity(calc: Calculator, terms: UserLimitTerms, capacity: Vector) -> Vector:
    consumed = calc.multiply_and_normalize_up(
        terms.partition, terms.usage_ratio, terms.minimum_allocation
    )
    # Beyond its guarantee a queue is measured by what its users use and one minimum allocation.
    # What they use is the sum of their shares of the partition, each by its own dominant resource,
    # which may be more than the partition has.
    if calc.compare(terms.partition, consumed, capacity) < 0:
        return capacity
    return add(consumed, terms.minimum_allocation)


def user_cap(calc: Calculator, terms: UserLimitTerms) -> Vector:
    """The most a user of weight 1 may hold, however few users there are."""
    capacity = calc.max(terms.partition, terms.minimum, terms.minimum_allocation)
    # What is borrowed of a shared partition is nobody's by right, so no factor of the guarantee
    # caps it.
    if terms.whole_partition:
        return terms.partition
    # A factor of -1 switches the cap off (dynamic leaves have it), and of no guarantee there is no
    # multiple.
    if terms.user_limit_factor == NO_FACTOR or not any(terms.minimum):
        return calc.round_down(terms.maximum, terms.minimum_allocation)
    return multiply(capacity, terms.user_limit_factor)

"""How much of a leaf its ApplicationMasters may hold, and which applications that lets start.

Hadoop: AbstractLeafQueue.calculateAndGetAMResourceLimitPerPartition,
getUserAMResourceLimitPerPartition and activateApplications; `maximum-am-resource-percent`.

Theory of operation: an application that was submitted is *pending* until its AM fits into what the
queue's AMs and its user's AMs may hold of the AM's partition; then it is *active*, and nothing
takes that back, even if limits shrink. Whoever is blocked does not block those behind it. A queue
of which no AM holds anything lets one start however big it is: otherwise it could never run
anything.

`activate_applications` is called whenever something it depends on changed: the cluster's size, an
application that came or left, a guarantee given to an auto-created leaf.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.queues import EVERY_PARTITION
from kubeyarn.model.resources import Vector, add
from kubeyarn.schedulers.calculator import Calculator
from kubeyarn.schedulers.capacity.objects import accounts
from kubeyarn.schedulers.capacity.objects.users_manager import NO_FACTOR
from kubeyarn.schedulers.java_numbers import single

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue


def queue_am_limit(
    calc: Calculator,
    minimum: Vector,
    current_limit: Vector,
    maximum_am_share: float,
    minimum_allocation: Vector,
) -> Vector:
    """*maximum_am_share* of what the queue may use now, which is never less than its guarantee."""
    # A queue that has borrowed may start more applications; one that others have borrowed from
    # keeps the part of its guarantee.
    usable = current_limit if calc.fits(minimum, current_limit) else minimum
    return calc.multiply_and_normalize_up(usable, maximum_am_share, minimum_allocation)


def user_am_fraction(
    minimum_user_limit_percent: float, active_users: int, user_weight: float
) -> float:
    """The fraction of the queue's AM share that one user may hold."""
    percent = single(minimum_user_limit_percent / 100)
    # The same rule as for the user limit, of the AM share: an equal part, and the guaranteed
    # percentage at least.
    fraction = max(percent, single(1.0 / max(active_users, 1)))
    return min(single(fraction * user_weight), 1.0)


def user_am_limit(
    calc: Calculator,
    minimum: Vector,
    maximum_am_share: float,
    fraction: float,
    user_limit_factor: float,
    minimum_allocation: Vector,
) -> Vector:
    """A user's part of the queue's AM share, before it is capped by the queue's own limit."""
    if user_limit_factor == NO_FACTOR:
        return calc.multiply_and_normalize_up(minimum, maximum_am_share, minimum_allocation)
    share = single(single(maximum_am_share * fraction) * user_limit_factor)
    return calc.multiply_and_normalize_up(minimum, share, minimum_allocation)


def am_partitions(queue: LeafQueue) -> set[str]:
    """The partitions the queue's AMs may be in."""
    if EVERY_PARTITION in queue.accessible:
        return {"", *queue.shares, *queue.used}
    return {"", *queue.accessible}


def update_am_limit(queue: LeafQueue, partition: str) -> Vector:
    """Compute what the queue's AMs may hold of a partition, and keep it."""
    # Hadoop keeps no current limit of other partitions, so the guarantee alone counts there.
    current = queue.headroom_limit if not partition else queue.zero
    limit = queue_am_limit(
        queue.calc,
        queue.minimum(partition),
        current,
        queue.share(partition).maximum_am_share,
        queue.minimum_allocation,
    )
    queue.am_limits[partition] = limit
    return limit


def user_am_limit_of(queue: LeafQueue, partition: str, user_name: str) -> Vector:
    """What a user's AMs may hold of a partition."""
    user = queue.users.by_name.get(user_name)
    fraction = user_am_fraction(
        queue.settings.minimum_user_limit_percent,
        queue.users.active_count(),
        1.0 if user is None else user.weight,
    )
    limit = user_am_limit(
        queue.calc,
        queue.minimum(partition),
        queue.share(partition).maximum_am_share,
        fraction,
        queue.settings.user_limit_factor,
        queue.minimum_allocation,
    )
    # One user alone may have the queue's share and no more, whatever its factor.
    whole = queue.am_limits.get(partition, queue.zero)
    return queue.calc.min(queue.cluster.total, limit, whole)


def activate_applications(queue: LeafQueue) -> None:
    """Activate every pending application that the limits allow, in order.

    Within one call the first user's limit is used for the others, too, as Hadoop does.
    """
    for partition in am_partitions(queue):
        update_am_limit(queue, partition)
    user_limits: dict[str, Vector] = {}
    # All of them, not up to the first that does not fit: a small AM may start while a big one
    # waits.
    for app in list(queue.pending_applications):
        if not app.has_place_for_master:
            # It would hold a share of the limit, and never use it.
            continue
        partition = app.am_partition
        if not _fits_queue(queue, app, partition):
            continue
        if partition not in user_limits:
            user_limits[partition] = user_am_limit_of(queue, partition, app.user)
        if not _fits_user(queue, app, partition, user_limits[partition]):
            continue
        queue.pending_applications.remove(app)
        _activate(queue, app)


def _fits_queue(queue: LeafQueue, app: FiCaSchedulerApp, partition: str) -> bool:
    wanted = add(queue.am_used.get(partition, queue.zero), app.am_size)
    limit = queue.am_limits.get(partition, queue.zero)
    return queue.calc.fits(wanted, limit) or _is_first(queue, partition)


def _fits_user(queue: LeafQueue, app: FiCaSchedulerApp, partition: str, limit: Vector) -> bool:
    user = queue.users.get(app.user)
    wanted = add(user.am_used.get(partition, queue.zero), app.am_size)
    return queue.calc.fits(wanted, limit) or _is_first(queue, partition)


def _is_first(queue: LeafQueue, partition: str) -> bool:
    # Hadoop: at least one AM may run in a queue, if the limit is smaller than any AM.
    used = queue.am_used.get(partition, queue.zero)
    return not queue.active or not queue.calc.any_above_zero(used)


def _activate(queue: LeafQueue, app: FiCaSchedulerApp) -> None:
    queue.users.about_to_count()
    user = queue.users.get(app.user)
    user.pending_apps -= 1
    user.active_apps += 1
    if not app.active:
        # Already active if its priority changed while it was non-runnable (a bug of Hadoop's).
        queue.activate(app)
    accounts.charge_am(queue, app)

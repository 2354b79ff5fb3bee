"""Which waiting applications are admitted (Hadoop: AbstractLeafQueue.activateApplications).

Admission limits what a queue and each user hold for ApplicationMasters. A blocked application
does not block those behind it, and a queue without any admitted application admits one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.queues import EVERY_PARTITION
from kubeyarn.model.resources import Vector, add
from kubeyarn.schedulers.calculator import at_most
from kubeyarn.schedulers.capacity.am_limit import queue_am_limit, user_am_fraction, user_am_limit
from kubeyarn.schedulers.capacity.objects import accounts

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.objects.app_attempt import LedgerApplication
    from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue


def am_partitions(queue: LeafQueue) -> set[str]:
    """The partitions the queue's AMs may be in."""
    if EVERY_PARTITION in queue.accessible:
        return {"", *queue.shares, *queue.used}
    return {"", *queue.accessible}


def update_am_limit(queue: LeafQueue, partition: str) -> Vector:
    """Compute what the queue's AMs may hold of a partition, and keep it."""
    minimum = queue.minimum(partition)
    current = queue.known_limit if not partition else queue.zero
    share = queue.share(partition).maximum_am_share
    limit = queue_am_limit(queue.calc, minimum, current, share, queue.step)
    queue.am_limits[partition] = limit
    return limit


def user_limit_for_am(queue: LeafQueue, partition: str, user_name: str) -> Vector:
    """What a user's AMs may hold of a partition."""
    user = queue.users.by_name.get(user_name)
    fraction = user_am_fraction(
        queue.minimum_user_limit_percent,
        queue.users.active_count(),
        1.0 if user is None else user.weight,
    )
    limit = user_am_limit(
        queue.calc,
        queue.minimum(partition),
        queue.share(partition).maximum_am_share,
        fraction,
        queue.user_limit_factor,
        queue.step,
    )
    whole = queue.am_limits.get(partition, queue.zero)
    return at_most(queue.calc, queue.cluster.total, limit, whole)


def admit_applications(queue: LeafQueue) -> None:
    """Admit every waiting application that the limits allow, in order.

    Within one pass the first user's limit is used for the others, too, as Hadoop does.
    """
    for partition in am_partitions(queue):
        update_am_limit(queue, partition)
    user_limits: dict[str, Vector] = {}
    for app in list(queue.waiting):
        partition = app.am_partition
        if not _fits_queue(queue, app, partition):
            continue
        if partition not in user_limits:
            user_limits[partition] = user_limit_for_am(queue, partition, app.user)
        if not _fits_user(queue, app, partition, user_limits[partition]):
            continue
        queue.waiting.remove(app)
        _admit(queue, app)


def _fits_queue(queue: LeafQueue, app: LedgerApplication, partition: str) -> bool:
    wanted = add(queue.am_used.get(partition, queue.zero), app.am_size)
    limit = queue.am_limits.get(partition, queue.zero)
    return queue.calc.fits(wanted, limit) or _nobody_yet(queue, partition)


def _fits_user(queue: LeafQueue, app: LedgerApplication, partition: str, limit: Vector) -> bool:
    user = queue.users.get(app.user)
    wanted = add(user.am_used.get(partition, queue.zero), app.am_size)
    return queue.calc.fits(wanted, limit) or _nobody_yet(queue, partition)


def _nobody_yet(queue: LeafQueue, partition: str) -> bool:
    used = queue.am_used.get(partition, queue.zero)
    return not queue.active or not queue.calc.any_above_zero(used)


def _admit(queue: LeafQueue, app: LedgerApplication) -> None:
    queue.users.about_to_count()
    user = queue.users.get(app.user)
    user.pending_apps -= 1
    user.active_apps += 1
    if not app.active:
        # It is if its priority changed while it was parked, and it is let in once more.
        queue.admit(app)
    accounts.charge_am(queue, app)

"""Attempts start, ask, move and end."""

from __future__ import annotations

from bisect import insort

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import AM_KEY, Ask, AskKey, Locality, update_key
from kubeyarn.model.containers import Container
from kubeyarn.model.errors import Rejected
from kubeyarn.model.reasons import Reason
from kubeyarn.model.resources import Vector, add, fits, subtract
from kubeyarn.schedulers.fair.accounts import Ledger
from kubeyarn.schedulers.fair.max_running_apps import Runners
from kubeyarn.schedulers.fair.objects import Attempt, Outstanding, Patience, Queue
from kubeyarn.schedulers.fair.sizing import Sizing


class Attempts:
    """Changes attempts, and with them their queues."""

    def __init__(self, ledger: Ledger, runners: Runners, sizing: Sizing) -> None:
        self._ledger = ledger
        self._runners = runners
        self._sizing = sizing

    def start(self, application: Application, number: int, leaf: Queue, start_ms: int) -> None:
        """An attempt enters its leaf and asks for its AM."""
        attempt = Attempt(application, number, leaf, self._ledger.zero, start_ms)
        self._ledger.attempts[application.id] = attempt
        self._ledger.tags.add_application(application.id, application.tags)
        self._runners.add(attempt, leaf)
        if application.am_size is not None:
            size = self._sizing.normalized(application.am_size, leaf)
            self.ask(attempt, Ask(AM_KEY, 1, size))
        self._ledger.line_up(attempt)
        self._ledger.touch()

    def stop(self, attempt: Attempt) -> None:
        """An attempt leaves with all it holds and asks for; others may run in its place."""
        ledger, queue = self._ledger, attempt.queue
        for container in tuple(attempt.containers.values()):
            ledger.free(attempt, container)
        for name in tuple(attempt.reservations):
            ledger.unreserve(ledger.rooms[name])
        for key in tuple(attempt.keys):
            self.drop_ask(attempt, key)
        attempt.stopped = True
        queue.line.drop(attempt)
        if self._runners.remove(attempt, queue):
            if attempt.am_running:
                queue.am_usage = subtract(queue.am_usage, attempt.am_size)
            self._runners.replace_one(attempt, queue)
        ledger.line_up_queue(queue)
        ledger.touch()

    # --- asks

    def ask(self, attempt: Attempt, ask: Ask) -> None:
        """Replace what is outstanding under the ask's key."""
        self.drop_ask(attempt, ask.key)
        if ask.count == 0:
            return
        patience = attempt.patience.setdefault(ask.key, Patience())
        outstanding = Outstanding(ask, ask.count, patience=patience)
        for name, count in ask.locality.nodes:
            outstanding.nodes[name] = count
            room = self._ledger.rooms.get(name)
            if room is not None:
                rack = room.node.rack
                outstanding.racks[rack] = outstanding.racks.get(rack, 0) + count
        outstanding.racks.update(ask.locality.racks)
        attempt.asks[ask.key] = outstanding
        insort(attempt.keys, ask.key)
        self._ledger.want(attempt, ask.size, ask.count)
        self._ledger.unreckoned[attempt] = None

    def drop_ask(self, attempt: Attempt, key: AskKey) -> None:
        """Nothing is wanted under *key* any more."""
        known = attempt.asks.pop(key, None)
        if known is not None:
            attempt.keys.remove(key)
            self._ledger.want(attempt, known.ask.size, -known.count)
            self._ledger.unreckoned[attempt] = None

    def want_more(self, attempt: Attempt, container: Container, more: Vector) -> None:
        """Ask for *more* for a container where it is, in place of what was asked; zero: nothing.

        Hadoop: ContainerUpdateContext.checkAndAddToOutstandingIncreases.
        """
        name = str(container.id)
        known = attempt.updates.pop(name, None)
        # An AM's container has another key in the ledger than in its request.
        key = update_key((known or container).key, name)
        if any(more):
            place = Locality(nodes=((container.node, 1),), relax=False)
            self.ask(attempt, Ask(key, 1, more, locality=place))
            attempt.updates[name] = container._replace(key=(known or container).key)
        elif known is not None:
            self.drop_ask(attempt, key)
            attempt.patience.pop(key, None)

    # --- moving

    def check_move(self, attempt: Attempt, target: Queue) -> None:
        """Refuse a move that would break a limit of a queue the attempt newly counts in.

        Raises:
            Rejected: a limit of applications or of resources. Attempts that wait may always move.
        """
        if not attempt.is_runnable:
            return
        shared = {above.path for above in attempt.queue.up()}
        for above in target.up():
            if above.path in shared:
                break
            if above.running == above.maximum_running:
                raise Rejected(
                    Reason.PARALLEL_LIMIT,
                    f"queue {above.path} runs {above.running} applications, "
                    f"as many as it may ({above.maximum_running}); wait or raise its limit",
                )
            if not fits(add(above.usage, attempt.usage), above.maximum):
                text = self._ledger.types.text
                raise Rejected(
                    Reason.QUEUE_MAXIMUM,
                    f"queue {above.path} holds {text(above.usage)} and would hold "
                    f"{text(add(above.usage, attempt.usage))}, its maximum is "
                    f"{text(above.maximum)}; free some of it or move to another queue",
                )
        if not self._runners.may_run(target, attempt):
            raise Rejected(
                Reason.PARALLEL_LIMIT,
                f"queue {target.path} or user {attempt.application.user} already runs as many "
                "applications as they may",
            )

    def move(self, attempt: Attempt, target: Queue) -> None:
        """Take an attempt from its leaf to another with all it holds."""
        old, was_running = attempt.queue, attempt.is_runnable
        old.line.drop(attempt)
        for above in old.up():
            above.usage = subtract(above.usage, attempt.usage)
        old.pending = subtract(old.pending, attempt.pending)
        old.reserved = subtract(old.reserved, _reserved_by(attempt))
        self._runners.move(attempt, old, target)
        if was_running and attempt.am_running:
            # The new queue never counts this AM: Hadoop leaves it out when applications move.
            old.am_usage = subtract(old.am_usage, attempt.am_size)
        attempt.queue = target
        for above in target.up():
            above.usage = add(above.usage, attempt.usage)
        target.pending = add(target.pending, attempt.pending)
        target.reserved = add(target.reserved, _reserved_by(attempt))
        if was_running:
            self._runners.replace_one(attempt, old)
        self._ledger.line_up_queue(old)
        self._ledger.line_up(attempt)
        self._ledger.touch()


def _reserved_by(attempt: Attempt) -> Vector:
    sizes = [reservation.size for reservation in attempt.reservations.values()]
    total = tuple(0 for _ in attempt.usage)
    for size in sizes:
        total = add(total, size)
    return total

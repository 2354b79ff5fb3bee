"""Runs the tasks of a `TaskBook` in containers: asks, launches, asks again for what failed."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping

from kubeyarn.am.errors import TasksFailedError
from kubeyarn.am.master import ApplicationMaster
from kubeyarn.am.state import Allocated, Completed, Event
from kubeyarn.am.taskbook import TaskBook, TaskOutcome
from kubeyarn.am.wire import AskShape, Container, Launch

log = logging.getLogger("kubeyarn.am.tasks")

# A container that was granted but could not be started: its task ended badly all the same.
NOT_LAUNCHED = 1


class TaskRunner:
    """Runs one phase of tasks, one task in a container.

    Args:
        am: an ApplicationMaster that nobody else reads events of meanwhile.
        book: the tasks.
        shape: what to ask for, for each task.
        launch: says how a task is started in a container.
        check: looks at a task whose container ended with 0; a text says why it failed all the same.
        on_end: told of each container that ran a task when it has ended, with what it means.
        keep_going: run the other tasks to their end when one was given up.
    """

    def __init__(
        self,
        am: ApplicationMaster,
        book: TaskBook,
        shape: AskShape,
        launch: Callable[[str, Container], Launch],
        *,
        check: Callable[[str, Container], str] = lambda _task, _container: "",
        on_end: Callable[[str, Container, TaskOutcome], None] = lambda _t, _c, _v: None,
        keep_going: bool = False,
    ) -> None:
        self._am = am
        self._book = book
        self._shape = shape
        self._launch = launch
        self._check = check
        self._on_end = on_end
        self._keep_going = keep_going

    async def run(self) -> None:
        """Run until every task is done.

        Raises:
            TasksFailedError: tasks were given up; what still ran was stopped, unless
                *keep_going*.
            AmError: the conversation with the ResourceManager is over.
        """
        self._ask(self._book.waiting)
        while not self._over():
            events = await self._am.next_events()
            if not events:
                raise TasksFailedError("unregistered while tasks were running")
            # First what ended, so that a container which is taken back in the same answer is not
            # launched.
            for event in events:
                self._ended(event)
            await self._launch_all([e.container for e in events if isinstance(e, Allocated)])
        # What is still wanted would arrive in the next phase, whose containers may be of another
        # shape.
        self._am.cancel(self._shape.key)
        if self._book.given_up:
            for container_id in self._book.running:
                self._am.release(container_id)
            raise TasksFailedError(_describe(self._book.given_up))

    def _over(self) -> bool:
        gave_up = bool(self._book.given_up) and not self._keep_going
        return self._book.finished or gave_up

    def _ask(self, count: int) -> None:
        if count:
            shape = self._shape
            self._am.ask(
                count,
                shape.resources,
                priority=shape.key.priority,
                allocation_request_id=shape.key.allocation_request_id,
                partition=shape.partition,
                locality=shape.locality,
            )

    def _ended(self, event: Event) -> None:
        if isinstance(event, Completed):
            self._end(event.container, event.exit_status, event.diagnostics)

    async def _launch_all(self, containers: list[Container]) -> None:
        launches: dict[str, tuple[Container, Launch]] = {}
        for container in containers:
            if container.id not in self._am.live:
                # It ended before it could be used; its task still waits for a container.
                self._ask(1)
                continue
            if container.key != self._shape.key:
                # Left over from an earlier phase.
                self._am.release(container.id)
                continue
            task_id = self._book.assign(container.id)
            if task_id is None:
                self._am.release(container.id)
                continue
            log.info("%s runs in %s on %s", task_id, container.id, container.node)
            launches[container.id] = (container, self._launch(task_id, container))
        if not launches:
            return
        answer = await self._am.launch_all([launch for _, launch in launches.values()])
        for container_id, message in answer.errors.items():
            if container_id in launches:
                self._am.release(container_id)
                self._end(launches[container_id][0], NOT_LAUNCHED, f"not launched: {message}")

    def _end(self, container: Container, exit_status: int, diagnostics: str) -> None:
        """Note how a container's task ended, and ask for another container if it is tried again."""
        task_id = self._book.task_of(container.id)
        if task_id is None:
            return
        # A process that ends well may not have done what it should: its output is looked at, too.
        if exit_status == 0 and (fault := self._check(task_id, container)):
            exit_status, diagnostics = 1, fault
        outcome = self._book.ended(container.id, exit_status, diagnostics)
        log.log(
            logging.INFO if outcome is TaskOutcome.DONE else logging.WARNING,
            "%s in %s ended with %d: %s%s",
            task_id,
            container.id,
            exit_status,
            outcome.value,
            f" ({diagnostics})" if diagnostics else "",
        )
        self._on_end(task_id, container, outcome)
        if outcome is TaskOutcome.AGAIN:
            self._ask(1)


def _describe(given_up: Mapping[str, str]) -> str:
    first = [f"{task_id}: {last}" for task_id, last in sorted(given_up.items())][:5]
    more = f" and {len(given_up) - len(first)} more" if len(given_up) > len(first) else ""
    return f"{len(given_up)} tasks were given up: {'; '.join(first)}{more}"

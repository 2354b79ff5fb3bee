"""What a scenario needs of a scheduler beyond the interface that all drivers use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.resources import ResourceTypes
    from kubeyarn.schedulers.api import SteppedScheduler
    from kubeyarn.simulate.scenario import Data


class SimulatedScheduler(Protocol):
    """A scheduler, its configuration as Hadoop writes it, and what is observed of it."""

    types: ResourceTypes

    @property
    def scheduler(self) -> SteppedScheduler:
        """The scheduler itself, to which steps are told."""

    def configure(self, values: Mapping[str, str], allocations: str | None, now_ms: int) -> None:
        """Put a configuration in force.

        Raises:
            ConfigRefused: it does not add up; the one before stays in force.
        """

    def preemption_seconds(self) -> int:
        """By how much the clock advances in a `preempt` round unless it says so itself."""

    def before_round(self, now_ms: int) -> None:
        """What the scheduler does by itself before nodes heartbeat."""

    def after_step(self, now_ms: int) -> None:
        """What the scheduler does by itself after a step and before an observation."""

    def outstanding(self, application: ApplicationId) -> int:
        """Containers asked for and not granted, the AM's included."""

    def waiting_keys(self, application: ApplicationId) -> Sequence[AskKey | None]:
        """The keys under which an application waits; None is its AM's."""

    def reserved_memory(self, application: ApplicationId) -> int:
        """Memory reserved on nodes, MiB."""

    def application_fields(self, application: ApplicationId) -> Data:
        """What is observed of a live application: `queue`, and `priority` if there is one."""

    def observe_queues(self, now_ms: int) -> Data:
        """What is observed of every queue, by full path."""

    def observe_users(self, now_ms: int) -> Data | None:
        """What is observed of every leaf's users; None when the scheduler has no user limits."""

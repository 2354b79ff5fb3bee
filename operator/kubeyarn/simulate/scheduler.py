"""What a scenario needs of a scheduler beyond the interface that all drivers use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kubeyarn.model.asks import AskKey
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.model.queues import SchedulerConfig
    from kubeyarn.model.resources import ResourceTypes
    from kubeyarn.schedulers.api import SteppedScheduler
    from kubeyarn.simulate.scenario import Data

    Rewrite = Callable[[SchedulerConfig], SchedulerConfig]
    """What is done with a configuration between its files and the scheduler."""


def unchanged(config: SchedulerConfig) -> SchedulerConfig:
    """The configuration as Hadoop's files have it."""
    return config


@dataclass(frozen=True, slots=True)
class OutstandingRows:
    """What is outstanding under one key: in all, and at the places that are named."""

    count: int
    nodes: Mapping[str, int]
    racks: Mapping[str, int]


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

    def outstanding_rows(self, application: ApplicationId, key: AskKey) -> OutstandingRows | None:
        """What is outstanding under *key*; None: nothing."""

    def lifetimes(self, application: ApplicationId) -> tuple[int, int]:
        """The default and the maximum lifetime of its queue, in seconds; none if not above 0."""

    @property
    def grants_on_leaving_nodes(self) -> bool:
        """Whether a node that leaves still gets containers in the heartbeat that shrinks it."""

    def waiting_keys(self, application: ApplicationId) -> Sequence[AskKey | None]:
        """The keys under which an application waits; None is its AM's."""

    def reserved_memory(self, application: ApplicationId) -> int:
        """Memory reserved on nodes, MiB."""

    def application_fields(self, application: ApplicationId) -> Data:
        """What is observed of a live application: `queue`, and `priority` if there is one."""

    def observe_queues(self, now_ms: int, *, partitions: bool) -> Data:
        """What is observed of every queue, by full path; with *partitions*, of each of them."""

    def observe_users(self, now_ms: int) -> Data | None:
        """What is observed of every leaf's users; None when the scheduler has no user limits."""

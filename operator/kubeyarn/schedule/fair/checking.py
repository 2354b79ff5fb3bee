"""What a configuration must be before it is put in force; every problem at once."""

from __future__ import annotations

from collections.abc import Iterator

from kubeyarn.model.errors import ConfigRefused, Problem, SpecError
from kubeyarn.model.queues import QueueConfig, SchedulerConfig
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.policy.fair.placing import check_rules

_ROOT = "root"


def check_config(config: SchedulerConfig, types: ResourceTypes) -> None:
    """Refuse a configuration that does not add up.

    Raises:
        ConfigRefused: with one problem for each queue and field.
    """
    problems = (*_allocation_problems(config, types), *_queue_problems(config, types))
    problems += tuple(_rule_problems(config))
    if problems:
        raise ConfigRefused(problems)


def _allocation_problems(config: SchedulerConfig, types: ResourceTypes) -> Iterator[Problem]:
    """Hadoop: FairScheduler.validateConf."""
    increment = config.increment_allocation or config.minimum_allocation
    for place, name in enumerate(types.names):
        least, most = config.minimum_allocation[place], config.maximum_allocation[place]
        if least < 0 or least > most:
            yield _problem(
                "minimumAllocation",
                f"the minimum allocation of {name} is {least} and the maximum {most}; "
                "the minimum must be at least 0 and at most the maximum",
            )
        if place < 2 and increment[place] <= 0:
            yield _problem(
                "incrementAllocation",
                f"the increment of {name} is {increment[place]}, it must be positive",
            )


def _queue_problems(config: SchedulerConfig, types: ResourceTypes) -> Iterator[Problem]:
    paths = {queue.path for queue in config.queues}
    if _ROOT not in paths:
        yield Problem(_ROOT, "path", "ParentNotFound", "there is no queue root; declare it")
    for queue in config.queues:
        if any(not part or part != part.strip() for part in queue.path.split(".")):
            yield Problem(
                queue.path,
                "path",
                "InvalidField",
                f"{queue.path!r} cannot be a queue: every part of it needs a name without blanks "
                "at its ends",
            )
        if queue.path != _ROOT and queue.parent not in paths:
            yield Problem(
                queue.path,
                "path",
                "ParentNotFound",
                f"its parent {queue.parent or '(none)'} is not declared",
            )
        yield from _number_problems(queue, types)


def _number_problems(queue: QueueConfig, types: ResourceTypes) -> Iterator[Problem]:
    fair = queue.fair
    if fair is None:
        return
    if fair.minimum is not None and len(fair.minimum) != len(types.names):
        yield Problem(
            queue.path,
            "fair.minResources",
            "InvalidField",
            f"it has {len(fair.minimum)} amounts for the resource types {types.names}",
        )


def _rule_problems(config: SchedulerConfig) -> Iterator[Problem]:
    if config.fair is None:
        return
    try:
        check_rules(config.fair.rules)
    except SpecError as error:
        yield _problem("placementRules", str(error))


def _problem(field: str, message: str) -> Problem:
    return Problem(_ROOT, field, "InvalidField", message)

"""What a configuration must be before it is put in force; every problem at once."""

from __future__ import annotations

from collections.abc import Iterator

from kubeyarn.model.errors import ConfigRefused, Problem, SpecError
from kubeyarn.model.fair_queues import FairClusterConfig, FairPolicy, check_fair_rules
from kubeyarn.model.queues import QueueConfig, SchedulerConfig
from kubeyarn.model.resources import ResourceTypes
from kubeyarn.schedulers.fair.scheduling_policy import is_child_policy_allowed

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


def check_policies(config: SchedulerConfig) -> None:
    """Refuse queues whose parent's policy does not allow theirs.

    Hadoop leaves such queues out of the tree, with a line in its log (FSParentQueue,
    SchedulingPolicy.isChildPolicyAllowed). A cluster has conditions of queues to tell people with,
    so it refuses them; the simulator does as Hadoop does.

    Raises:
        ConfigRefused: with one problem for each queue at fault.
    """
    problems = tuple(_policy_problems(config))
    if problems:
        raise ConfigRefused(problems)


def _policy_problems(config: SchedulerConfig) -> Iterator[Problem]:
    """The queues whose policy their parent's does not allow below it."""
    standard = (config.fair or FairClusterConfig()).defaults.policy
    policies = {
        queue.path: (queue.fair.policy if queue.fair else None) or standard
        for queue in config.queues
    }
    parents = {queue.parent for queue in config.queues if queue.path != _ROOT}
    for queue in config.queues:
        own = policies[queue.path]
        if own is FairPolicy.FIFO and queue.path in parents:
            yield _policy_problem(
                queue.path, "Fifo for a queue that has children", "Fair or Drf; Fifo for leaves"
            )
            continue
        above = policies.get(queue.parent)
        # A parent that may not be Fifo has its own problem; its children need not tell it again.
        if above in (None, FairPolicy.FIFO) or is_child_policy_allowed(above, own):
            continue
        found = f"{own.value} below {queue.parent}, which says {above.value}"
        allowed = f"Fair or Fifo there; {FairPolicy.DRF.value} if {queue.parent} says it too"
        yield _policy_problem(queue.path, found, allowed)


def _policy_problem(path: str, found: str, allowed: str) -> Problem:
    message = f"spec.fair.policy: found {found}, allowed: {allowed}"
    return Problem(path, "spec.fair.policy", "ParentPolicy", message)


def _allocation_problems(config: SchedulerConfig, types: ResourceTypes) -> Iterator[Problem]:
    """Hadoop: FairScheduler.validateConf."""
    increment = config.increment_allocation or config.minimum_allocation
    for place, name in enumerate(types.names):
        minimum, maximum = config.minimum_allocation[place], config.maximum_allocation[place]
        if minimum < 0 or minimum > maximum:
            yield _problem(
                "minimumAllocation",
                f"the minimum allocation is {types.amount(name, minimum)} and the maximum "
                f"{types.amount(name, maximum)}; "
                "the minimum must be at least 0 and at most the maximum",
            )
        if place < 2 and increment[place] <= 0:
            yield _problem(
                "incrementAllocation",
                f"the increment is {types.amount(name, increment[place])}, it must be positive",
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
        check_fair_rules(config.fair.rules)
    except SpecError as error:
        yield _problem("placementRules", str(error))


def _problem(field: str, message: str) -> Problem:
    return Problem(_ROOT, field, "InvalidField", message)

"""The words that fields of a YarnQueue may have."""

from __future__ import annotations

from enum import StrEnum


class SchedulerKind(StrEnum):
    """Which of Hadoop's schedulers decides."""

    CAPACITY = "Capacity"
    FAIR = "Fair"


class ResourceCalculator(StrEnum):
    """How amounts of several resources are compared."""

    DOMINANT = "Dominant"
    DEFAULT = "Default"


class State(StrEnum):
    """What an administrator may say of a queue."""

    RUNNING = "Running"
    STOPPED = "Stopped"


class ShownState(StrEnum):
    """What a queue's state may be."""

    RUNNING = "Running"
    DRAINING = "Draining"
    STOPPED = "Stopped"


class ApplicationOrdering(StrEnum):
    """How a leaf orders its applications."""

    FIFO = "Fifo"
    FAIR = "Fair"
    FIFO_WITH_PARTITIONS = "FifoWithPartitions"
    FIFO_FOR_PENDING = "FifoForPending"


class ChildOrdering(StrEnum):
    """How a parent orders its children."""

    UTILIZATION = "Utilization"
    PRIORITY_UTILIZATION = "PriorityUtilization"


class IntraQueueOrder(StrEnum):
    """Whose containers go first within a queue."""

    USER_LIMIT_FIRST = "UserLimitFirst"
    PRIORITY_FIRST = "PriorityFirst"


class NodeOrdering(StrEnum):
    """Which of the nodes that fit is taken."""

    SPREAD = "Spread"
    PACK = "Pack"


class FairPolicy(StrEnum):
    """How the Fair Scheduler shares within a queue."""

    FAIR = "Fair"
    FIFO = "Fifo"
    DRF = "Drf"


class AutoCreateKind(StrEnum):
    """Hadoop's two ways of making queues on demand."""

    FLEXIBLE = "Flexible"
    MANAGED = "Managed"


class RuleType(StrEnum):
    """What a placement rule looks at, spelled as in Hadoop's JSON rules."""

    USER = "user"
    GROUP = "group"
    APPLICATION = "application"


class RuleFallback(StrEnum):
    """What happens when a rule's queue cannot be had, spelled as in Hadoop's JSON rules."""

    SKIP = "skip"
    PLACE_DEFAULT = "placeDefault"
    REJECT = "reject"


class RulePolicy(StrEnum):
    """Where a rule puts an application, spelled as in Hadoop's JSON rules."""

    SPECIFIED = "specified"
    REJECT = "reject"
    DEFAULT_QUEUE = "defaultQueue"
    USER = "user"
    PRIMARY_GROUP = "primaryGroup"
    SECONDARY_GROUP = "secondaryGroup"
    PRIMARY_GROUP_USER = "primaryGroupUser"
    SECONDARY_GROUP_USER = "secondaryGroupUser"
    APPLICATION_NAME = "applicationName"
    SET_DEFAULT_QUEUE = "setDefaultQueue"
    CUSTOM = "custom"


class QueueAccess(StrEnum):
    """Who may submit to queues and administer them (Hadoop: yarn.acl.enable)."""

    OPEN = "Open"
    BY_ROLE = "ByRole"


class FairRulePolicy(StrEnum):
    """The Fair Scheduler's placement rules, spelled as in Hadoop's allocation file."""

    SPECIFIED = "specified"
    USER = "user"
    PRIMARY_GROUP = "primaryGroup"
    SECONDARY_GROUP = "secondaryGroupExistingQueue"
    NESTED_USER = "nestedUserQueue"
    DEFAULT = "default"
    REJECT = "reject"

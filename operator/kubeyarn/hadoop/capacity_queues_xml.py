"""The queues of capacity-scheduler.xml (Hadoop: CapacitySchedulerConfiguration).

Queues are found from `root.queues` downward; every property of one starts with
`yarn.scheduler.capacity.<path>.`. Properties of queues that no `queues` names count only where a
parent makes queues on demand: as templates (`read_branch_templates`) or as settings of a queue yet
to be made (`read_undeclared`).
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from kubeyarn.hadoop.properties import (
    Configuration,
    read_access,
    read_capacity,
    read_priority_access,
    refuse,
    trim,
)
from kubeyarn.hadoop.resource_types import read_resources
from kubeyarn.model.queues import (
    EVERY_PARTITION,
    ApplicationOrdering,
    AutoCreate,
    AutoCreateKind,
    BranchTemplates,
    ChildOrdering,
    ConfiguredState,
    NodeOrdering,
    QueueConfig,
    QueuePartition,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from kubeyarn.model.queues import Access, Capacity, PriorityAccess
    from kubeyarn.model.resources import ResourceTypes

PREFIX = "yarn.scheduler.capacity."
_OF_ROOT = f"{PREFIX}root."
_LABELS = "accessible-node-labels"
_UNSAID = -1
_POLICIES = "org.apache.hadoop.yarn.server.resourcemanager.scheduler.policy."
_APPLICATION_ORDERINGS = {
    "fifo": ApplicationOrdering.FIFO,
    "fair": ApplicationOrdering.FAIR,
    "fifo-with-partitions": ApplicationOrdering.FIFO_WITH_PARTITIONS,
    "fifo-for-pending-apps": ApplicationOrdering.FIFO_FOR_PENDING,
}
_APPLICATION_ORDERING_CLASSES = {
    _POLICIES + "FifoOrderingPolicy": ApplicationOrdering.FIFO,
    _POLICIES + "FairOrderingPolicy": ApplicationOrdering.FAIR,
    _POLICIES + "FifoOrderingPolicyWithExclusivePartitions": (
        ApplicationOrdering.FIFO_WITH_PARTITIONS
    ),
    _POLICIES + "FifoOrderingPolicyForPendingApps": ApplicationOrdering.FIFO_FOR_PENDING,
}
_CHILD_ORDERINGS = {
    "utilization": ChildOrdering.UTILIZATION,
    "priority-utilization": ChildOrdering.PRIORITY_UTILIZATION,
}
_SORTING = "multi-node-sorting.policy"
_BY_USAGE = (
    "org.apache.hadoop.yarn.server.resourcemanager.scheduler.placement."
    "ResourceUsageMultiNodeLookupPolicy"
)
_MANAGEMENT_POLICY = (
    "org.apache.hadoop.yarn.server.resourcemanager.scheduler.capacity.queuemanagement."
    "GuaranteedOrZeroCapacityOverTimePolicy"
)
# A template may belong to a queue that is not declared, whose path is known from its name alone.
_TEMPLATE = re.compile(
    re.escape(PREFIX) + r"(.+?)\.auto-queue-creation-v2\.(?:leaf-|parent-)?template\."
)
# Settings that show that an undeclared queue is meant, and not a template or a parent.
_SETTING = re.compile(
    re.escape(PREFIX)
    + r"(root\.[^*]+)\.(?:state|capacity|maximum-capacity|user-limit-factor|priority"
    r"|minimum-user-limit-percent|maximum-am-resource-percent|maximum-applications"
    r"|max-parallel-apps|ordering-policy|default-application-priority|disable_preemption)"
)
_NESTED = re.compile(
    r"\.(?:auto-queue-creation-v2|leaf-queue-template|accessible-node-labels|user-settings"
    r"|ordering-policy|intra-queue-preemption|auto-create-child-queue)(?:\.|$)"
)
_LABEL = re.compile(r".+\.accessible-node-labels\.([^.]+)\..+")
_WEIGHT = re.compile(r"user-settings\.(.+)\.weight")


def read_queues(conf: Configuration, types: ResourceTypes) -> tuple[QueueConfig, ...]:
    """Root and every queue that a `queues` property names, in their order.

    Raises:
        ConfigRefused: root has no queues, or a value cannot be read.
    """
    if not conf.get_strings(PREFIX + "root.queues") and not conf.get_boolean(
        PREFIX + "root.auto-queue-creation-v2.enabled", False
    ):
        refuse(PREFIX + "root.queues", "root has no queues; name at least one")
    queues: list[QueueConfig] = []
    _read_below("root", conf, types, queues)
    return tuple(queues)


def _read_below(
    path: str, conf: Configuration, types: ResourceTypes, queues: list[QueueConfig]
) -> None:
    children = conf.get_strings(f"{PREFIX}{path}.queues")
    queue = read_queue(path, conf, types, parent=bool(children))
    # Parents before children, and children as they are named: ties between queues go by this order.
    queues.append(replace(queue, order=len(queues)))
    for name in children:
        _read_below(f"{path}.{name}", conf, types, queues)


def read_queue(
    path: str, conf: Configuration, types: ResourceTypes, *, parent: bool
) -> QueueConfig:
    """One queue with its own properties; a property that is not set is None.

    A queue that makes queues on demand is a parent, even without children so far.

    Raises:
        ConfigRefused: a value cannot be read.
    """
    reader = _QueueReader(f"{PREFIX}{path}.", conf, types)
    if parent and conf.get_boolean(reader.prefix + "reservable", False):
        refuse(reader.prefix + "reservable", "only a leaf can be kept for reservations", path)
    auto_create = _read_auto_create(path, conf, types)
    return reader.read(path, auto_create, parent=parent or auto_create is not None)


class _QueueReader:
    """Reads the properties of one queue, or of one template of queues, below a prefix."""

    def __init__(self, prefix: str, conf: Configuration, types: ResourceTypes) -> None:
        self.prefix = prefix
        self.conf = conf
        self.types = types

    def read(self, path: str, auto_create: AutoCreate | None, *, parent: bool) -> QueueConfig:
        """The queue at *path*, read as a parent or as a leaf."""
        p, prefix = self.conf, self.prefix

        # Hadoop reads four of these of leaves alone: nonsense on a parent is no error.
        leaf = not parent
        return QueueConfig(
            path=path,
            state=self._state(),
            capacity=self._capacity("capacity"),
            maximum_capacity=self._capacity("maximum-capacity"),
            partitions=self._partitions(),
            accessible_partitions=self._accessible(),
            default_partition=p.get_trimmed(prefix + "default-node-label-expression"),
            minimum_user_limit_percent=p.get_float(prefix + "minimum-user-limit-percent", None)
            if leaf
            else None,
            user_limit_factor=p.get_float(prefix + "user-limit-factor", None) if leaf else None,
            user_weights=self._weights(),
            maximum_am_share=p.get_float(prefix + "maximum-am-resource-percent", None),
            maximum_applications=p.get_int(prefix + "maximum-applications", None) if leaf else None,
            maximum_parallel_applications=p.get_untrimmed_int(prefix + "max-parallel-apps", None),
            maximum_allocation=self._maximum_allocation(),
            application_ordering=self._application_ordering() if leaf else None,
            size_based_weight=p.get_boolean(
                prefix + "ordering-policy.fair.enable-size-based-weight", None
            ),
            enforced_partitions=self._enforced(),
            child_ordering=None if leaf else self._child_ordering(),
            node_ordering=self._node_ordering(),
            priority=p.get_int(prefix + "priority", None),
            default_application_priority=p.get_int(prefix + "default-application-priority", None)
            if leaf
            else None,
            preemption_disabled=p.get_boolean(prefix + "disable_preemption", None),
            intra_queue_preemption_disabled=p.get_boolean(
                prefix + "intra-queue-preemption.disable_preemption", None
            ),
            default_lifetime_seconds=p.get_long(prefix + "default-application-lifetime", None),
            maximum_lifetime_seconds=p.get_long(prefix + "maximum-application-lifetime", None),
            submit=self._access("acl_submit_applications"),
            administer=self._access("acl_administer_queue"),
            priority_access=self._priority_access(),
            allow_zero_capacity_sum=p.get_boolean(prefix + "allow-zero-capacity-sum", None),
            auto_create=auto_create,
        )

    def _state(self) -> ConfiguredState | None:
        state = self.conf.get(self.prefix + "state")
        if state is None:
            return None
        if state.upper() not in ("RUNNING", "STOPPED"):
            refuse(self.prefix + "state", f"found {state!r}, expected RUNNING or STOPPED")
        return ConfiguredState(state.capitalize())

    def _capacity(self, suffix: str) -> Capacity | None:
        text = self.conf.get(self.prefix + suffix)
        if text is None:
            return None
        if self.prefix == _OF_ROOT and suffix.startswith(_LABELS) and "[" not in text:
            # Root has all of each partition: Hadoop does not read a percentage here.
            return None
        return read_capacity(self.prefix + suffix, text, self.types)

    def _partitions(self) -> tuple[QueuePartition, ...]:
        start = f"{self.prefix}{_LABELS}."
        labels = {name[len(start) :].partition(".")[0] for name in self.conf.names(start)}
        if self.prefix == _OF_ROOT:
            labels |= _labels_anywhere(self.conf)
        return tuple(
            QueuePartition(
                name=label,
                capacity=self._capacity(f"{_LABELS}.{label}.capacity"),
                maximum=self._capacity(f"{_LABELS}.{label}.maximum-capacity"),
                maximum_am_share=self.conf.get_float(
                    f"{start}{label}.maximum-am-resource-percent", None
                ),
            )
            for label in sorted(labels)
        )

    def _accessible(self) -> frozenset[str] | None:
        if self.conf.get(self.prefix + _LABELS) is None:
            return None
        labels = frozenset(self.conf.get_strings(self.prefix + _LABELS))
        # Hadoop forgets every other label beside `*`.
        return frozenset({EVERY_PARTITION}) if EVERY_PARTITION in labels else labels

    def _weights(self) -> tuple[tuple[str, float], ...]:
        weights: list[tuple[str, float]] = []
        for name in self.conf.names(self.prefix + "user-settings."):
            # A user's name may have dots of its own, so it is all between the two fixed ends.
            match = _WEIGHT.fullmatch(name[len(self.prefix) :])
            weight = self.conf.get_float(name, None) if match else None
            if match and weight is not None:
                weights.append((match[1], weight))
        return tuple(weights)

    def _maximum_allocation(self) -> dict[int, int] | None:
        name = self.prefix + "maximum-allocation"
        text = self.conf.get(name)
        if text:
            return read_resources(name, text, self.types)
        amounts = {
            place: self.conf.get_int(name + suffix, _UNSAID)
            for place, suffix in ((0, "-mb"), (1, "-vcores"))
        }
        return {place: amount for place, amount in amounts.items() if amount != _UNSAID} or None

    def _application_ordering(self) -> ApplicationOrdering | None:
        policy = self.conf.get(self.prefix + "ordering-policy")
        if policy is None:
            return None
        # Blanks around a short name are no harm to Hadoop, around a class they are.
        policy_known = _APPLICATION_ORDERINGS.get(trim(policy))
        if policy_known is None and policy not in _APPLICATION_ORDERING_CLASSES:
            known = sorted(_APPLICATION_ORDERINGS)
            refuse(self.prefix + "ordering-policy", f"found {policy!r}, expected one of {known}")
        return policy_known or _APPLICATION_ORDERING_CLASSES[policy]

    def _child_ordering(self) -> ChildOrdering | None:
        policy = self.conf.get(self.prefix + "ordering-policy")
        if policy is None:
            return None
        if trim(policy) not in _CHILD_ORDERINGS:
            known = sorted(_CHILD_ORDERINGS)
            refuse(self.prefix + "ordering-policy", f"found {policy!r}, expected one of {known}")
        return _CHILD_ORDERINGS[trim(policy)]

    def _node_ordering(self) -> NodeOrdering | None:
        p = self.conf
        # A queue that names no policy has the whole scheduler's.
        name = p.get_trimmed(self.prefix + _SORTING) or p.get_trimmed(PREFIX + _SORTING)
        return read_node_ordering(name, p) if name else None

    def _enforced(self) -> frozenset[str] | None:
        name = self.prefix + "ordering-policy.exclusive-enforced-partitions"
        return frozenset(self.conf.get_strings(name)) or None

    def _access(self, suffix: str) -> Access | None:
        acl = self.conf.get(self.prefix + suffix)
        return None if acl is None else read_access(acl)

    def _priority_access(self) -> tuple[PriorityAccess, ...] | None:
        name = self.prefix + "acl_application_max_priority"
        acl = self.conf.get_trimmed(name)
        return None if acl in (None, "*") else read_priority_access(name, acl or "")


def _read_auto_create(path: str, conf: Configuration, types: ResourceTypes) -> AutoCreate | None:
    """How queues are created below one; None where they are not."""
    prefix = f"{PREFIX}{path}."
    # Hadoop looks at the older kind first, so it wins where both are enabled.
    if conf.get_boolean(prefix + "auto-create-child-queue.enabled", False):
        start = prefix + "auto-create-child-queue."
        _check_management_policy(start + "management-policy", conf)
        return AutoCreate(
            kind=AutoCreateKind.MANAGED,
            maximum_queues=conf.get_int(start + "max-queues", 1000),
            fail_on_exceeding_parent=conf.get_boolean(
                start + "fail-on-exceeding-parent-capacity", False
            ),
            leaf_template=_template(prefix + "leaf-queue-template.", conf, types),
        )
    if conf.get_boolean(prefix + "auto-queue-creation-v2.enabled", False):
        start = prefix + "auto-queue-creation-v2."
        templates = _templates(path, conf, types)
        return AutoCreate(
            kind=AutoCreateKind.FLEXIBLE,
            maximum_queues=conf.get_int(start + "max-queues", 1000),
            maximum_depth=conf.get_int(start + "maximum-queue-depth", 2),
            removal=conf.get_boolean(start + "queue-auto-removal.enable", True),
            template=templates.template,
            leaf_template=templates.leaf_template,
            parent_template=templates.parent_template,
        )
    return None


def _labels_anywhere(conf: Configuration) -> set[str]:
    """Each label in a property of any queue: root has them all (Hadoop: ConfiguredNodeLabels)."""
    matches = (_LABEL.fullmatch(name) for name in conf.names(_OF_ROOT))
    return {match[1] for match in matches if match}


def _check_management_policy(name: str, conf: Configuration) -> None:
    class_name = conf.get(name)
    if class_name not in (None, _MANAGEMENT_POLICY):
        refuse(name, f"found {class_name!r}, expected {_MANAGEMENT_POLICY}")


def read_node_ordering(name: str, conf: Configuration) -> NodeOrdering:
    """The `multi-node-sorting.policy` of that name.

    Raises:
        ConfigRefused: it has no class, or another than ResourceUsageMultiNodeLookupPolicy.
    """
    property_name = f"{PREFIX}{_SORTING}.{name}.class"
    class_name = conf.get_trimmed(property_name)
    if class_name != _BY_USAGE:
        refuse(property_name, f"found {class_name!r}, expected {_BY_USAGE}")
    return NodeOrdering.SPREAD


def read_branch_templates(
    conf: Configuration, types: ResourceTypes, declared: Sequence[QueueConfig]
) -> dict[str, BranchTemplates]:
    """Templates (`auto-queue-creation-v2.template` ...) of undeclared queues, by path.

    A `*` in a path stands for any name.

    Raises:
        ConfigRefused: a value cannot be read.
    """
    known = {queue.path for queue in declared}
    paths = {match[1] for name in conf.names(PREFIX + "root.") if (match := _TEMPLATE.match(name))}
    return {path: _templates(path, conf, types) for path in sorted(paths - known)}


def read_undeclared(
    conf: Configuration, types: ResourceTypes, declared: Sequence[QueueConfig]
) -> dict[str, QueueConfig]:
    """Settings of undeclared queues below a parent that makes them on demand, by path.

    Their user limit factor and AM share are left out: Hadoop overwrites both with the template's.

    Raises:
        ConfigRefused: a value cannot be read.
    """
    parents = tuple(
        f"{queue.path}."
        for queue in declared
        if queue.auto_create is not None and queue.auto_create.kind is AutoCreateKind.FLEXIBLE
    )
    # Hadoop reads a queue's settings when it makes it; nobody makes any then.
    if not parents:
        return {}
    matches = (_SETTING.fullmatch(name) for name in conf.names(PREFIX + "root."))
    paths = {
        match[1]
        for match in matches
        if match and match[1].startswith(parents) and not _NESTED.search(match[1])
    } - {queue.path for queue in declared}
    queues = (
        _QueueReader(f"{PREFIX}{path}.", conf, types).read(path, None, parent=False)
        for path in sorted(paths)
    )
    return {
        queue.path: replace(queue, user_limit_factor=None, maximum_am_share=None)
        for queue in queues
    }


def _templates(path: str, conf: Configuration, types: ResourceTypes) -> BranchTemplates:
    start = f"{PREFIX}{path}.auto-queue-creation-v2."
    return BranchTemplates(
        template=_template(start + "template.", conf, types),
        leaf_template=_template(start + "leaf-template.", conf, types),
        parent_template=_template(start + "parent-template.", conf, types, parent=True),
    )


def _template(
    prefix: str, conf: Configuration, types: ResourceTypes, *, parent: bool = False
) -> QueueConfig | None:
    if next(conf.names(prefix), None) is None:
        return None
    return _QueueReader(prefix, conf, types).read("", None, parent=parent)

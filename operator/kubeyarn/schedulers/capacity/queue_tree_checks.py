"""The shape of a queue tree and the rules its numbers must keep.

Hadoop: CapacitySchedulerQueueManager.parseQueue, AbstractParentQueue.setChildQueues,
CSQueueUtils.loadCapacitiesByLabelsFromConf. Nothing here has state.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from kubeyarn.model.queues import (
    NO_PARTITION,
    AutoCreateKind,
    Capacity,
    ConfiguredState,
    QueueConfig,
    SchedulerConfig,
    Unit,
)
from kubeyarn.model.resources import MEMORY
from kubeyarn.schedulers.calculator import calculator
from kubeyarn.schedulers.capacity.queue_settings import (
    ROOT,
    QueueSettings,
    check_weights,
    refused,
    settle,
)
from kubeyarn.schedulers.java_numbers import quotient, single

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kubeyarn.model.errors import ConfigRefused
    from kubeyarn.model.resources import Vector

_PRECISION = 0.0005


@dataclass(frozen=True, slots=True)
class ConfiguredShare:
    """What is configured for one partition: a fraction, a weight (-1: none) or amounts."""

    capacity: float
    maximum: float
    weight: float
    maximum_am_share: float
    minimum_amounts: Vector | None
    maximum_amounts: Vector | None
    vector: Capacity | None
    maximum_vector: Capacity | None


@dataclass(slots=True)
class TreeNode:
    """A queue of the configured tree."""

    settings: QueueSettings
    shares: dict[str, ConfiguredShare]
    children: list[TreeNode] = field(default_factory=list)
    state: ConfiguredState = ConfiguredState.RUNNING

    @property
    def path(self) -> str:
        """The full path."""
        return self.settings.config.path

    @property
    def leaf(self) -> bool:
        """Whether the queue takes applications: no children, and none to be made."""
        return not self.children and self.settings.config.auto_create is None

    def walk(self) -> Iterator[TreeNode]:
        """This node and all below, parents first."""
        yield self
        for child in self.children:
            yield from child.walk()


def build_tree(config: SchedulerConfig) -> TreeNode:
    """The tree of a configuration, with every rule checked that needs no cluster.

    Raises:
        ConfigRefused: root or a parent is missing, or numbers do not add up.
    """
    by_parent: dict[str, list[QueueConfig]] = {}
    paths = {queue.path for queue in config.queues}
    # In the order in which they were declared, which is that of siblings until a refresh and
    # decides between equals.
    for queue in sorted(config.queues, key=lambda q: q.order):
        if queue.path != ROOT:
            if queue.parent not in paths:
                raise refused(
                    config,
                    queue.path,
                    "name",
                    "ParentNotFound",
                    f"parent {queue.parent!r} does not exist",
                )
            by_parent.setdefault(queue.parent, []).append(queue)
    root = next((q for q in config.queues if q.path == ROOT), None)
    if root is None or not (by_parent.get(ROOT) or root.auto_create):
        raise refused(
            config, ROOT, "queues", "NoQueues", "root has no queues; declare at least one"
        )
    # Node by node from the top, since a child's settings come from its parent's; sums of children
    # are checked as soon as all of them are there.
    tree = _build(root, None, config, by_parent)
    _check_amount_limits(tree, {}, config)
    return tree


def _check_amount_limits(
    node: TreeNode, above: Mapping[str, Vector], config: SchedulerConfig
) -> None:
    """Refuse amounts over the queue's own maximum, or a maximum over the parent's.

    Hadoop: AbstractCSQueue.updateConfigurableResourceLimits. A queue without a maximum has its
    parent's.
    """
    calc, zero = calculator(config), config.types.zero()
    limits: dict[str, Vector] = {}
    for label, share in node.shares.items():
        own, most = share.minimum_amounts or zero, share.maximum_amounts or zero
        parent_most = above.get(label, zero)
        if any(parent_most) and calc.compare(zero, most, parent_most) > 0:
            found, allowed = config.types.text(most), config.types.text(parent_most)
            raise _over(
                config, node, "maximum_capacity_by_resource", found, f"its parent's, {allowed}"
            )
        # Without a maximum of its own the parent's is what the guarantee must be within.
        if any(own) and not any(most):
            most = parent_most
        if any(most) and calc.compare(zero, own, most) > 0:
            found, allowed = config.types.text(own), config.types.text(most)
            raise _over(config, node, "capacity_by_resource", found, f"its maximum, {allowed}")
        limits[label] = most
    for child in node.children:
        _check_amount_limits(child, limits, config)


def _over(
    config: SchedulerConfig, node: TreeNode, setting: str, found: str, allowed: str
) -> ConfigRefused:
    message = f"{config.spelling(node.path, setting)}: found {found}, allowed: at most {allowed}"
    return refused(config, node.path, setting, "InvalidField", message)


def _build(
    queue: QueueConfig,
    parent: TreeNode | None,
    config: SchedulerConfig,
    by_parent: dict[str, list[QueueConfig]],
) -> TreeNode:
    node = make_node(queue, parent, config)
    for child in by_parent.get(queue.path, ()):
        node.children.append(_build(child, node, config, by_parent))
    # Weights of users matter where users are; a parent may hand down more than it could have
    # itself.
    if node.leaf:
        check_weights(node.settings, config)
    # Without legacy queue mode units may be mixed, and what is too much is cut to what is there.
    if config.legacy_queue_mode and node.children:
        check_children(node, config)
    return node


def make_node(queue: QueueConfig, parent: TreeNode | None, config: SchedulerConfig) -> TreeNode:
    """One queue below *parent*, without children.

    Raises:
        ConfigRefused: its own settings are not allowed.
    """
    settings = settle(queue, config, parent.settings if parent else None)
    shares = {label: _share(settings, label, config) for label in settings.labels}
    if config.legacy_queue_mode and queue.path != ROOT:
        _check_one_way(queue.path, shares, config)
    node = TreeNode(settings, shares)
    node.state = _state(queue, parent, config)
    return node


def _check_one_way(
    path: str, shares: Mapping[str, ConfiguredShare], config: SchedulerConfig
) -> None:
    """Refuse amounts in one partition and none in another (updateCapacityConfigType)."""
    # Hadoop keeps one kind of capacity a queue, of all its partitions.
    ways = {share.vector is not None and share.vector.uniform is None for share in shares.values()}
    if len(ways) > 1:
        raise refused(
            config,
            path,
            "capacity",
            "MixedCapacity",
            "the capacity is by resource in some partitions and not in others; "
            "use amounts for all of them or for none",
        )


def _state(queue: QueueConfig, parent: TreeNode | None, config: SchedulerConfig) -> ConfiguredState:
    if parent is None or queue.state is None:
        inherited = parent.state if parent else ConfiguredState.RUNNING
        return queue.state or inherited
    if queue.state is ConfiguredState.RUNNING and parent.state is not ConfiguredState.RUNNING:
        raise refused(
            config,
            queue.path,
            "state",
            "ParentStopped",
            f"the parent {parent.path} cannot be stopped as its child {queue.path} is running; "
            "stop the child or start the parent",
        )
    return queue.state


def _share(settings: QueueSettings, label: str, config: SchedulerConfig) -> ConfiguredShare:
    queue = settings.config
    if label == NO_PARTITION:
        capacity, maximum = queue.capacity, queue.maximum_capacity
        maximum_am_share = settings.maximum_am_share
    else:
        partition = settings.partitions[label]
        capacity, maximum = partition.capacity, partition.maximum
        _check_maximum(queue.path, label, maximum, config)
        maximum_am_share = settings.maximum_am_share
        if partition.maximum_am_share is not None:
            maximum_am_share = single(partition.maximum_am_share)
    if queue.path == ROOT:
        # Root has all there is, whatever is configured; only its maximum is read, of no partition.
        capacity = capacity if label and capacity and capacity.by_resource else None
        maximum = None if label else maximum
    if maximum is not None and maximum.unit is Unit.WEIGHT:
        raise refused(
            config,
            queue.path,
            "maximum_capacity",
            "InvalidField",
            "a maximum capacity is no weight",
        )
    if config.legacy_queue_mode:
        _check_unmixed(queue.path, config, capacity, maximum)
    return ConfiguredShare(
        capacity=1.0 if queue.path == ROOT else _fraction(queue.path, capacity, config),
        maximum=_maximum(maximum),
        weight=_weight(queue.path, capacity, config),
        maximum_am_share=maximum_am_share,
        minimum_amounts=_amounts(capacity),
        maximum_amounts=_amounts(maximum),
        vector=capacity,
        maximum_vector=maximum,
    )


def _check_maximum(
    path: str, label: str, maximum: Capacity | None, config: SchedulerConfig
) -> None:
    """Refuse a percentage out of range (Hadoop: internalGetLabeledQueueCapacity)."""
    if path == ROOT or maximum is None or maximum.uniform is None:
        return
    if maximum.uniform.unit is Unit.PERCENT and not 0 <= maximum.uniform.amount <= 100:
        raise refused(
            config,
            path,
            "maximum_capacity",
            "InvalidField",
            f"maximum capacity {maximum.uniform.amount}%{_in(label)} must be between 0% and 100%",
        )


def _check_unmixed(path: str, config: SchedulerConfig, *capacities: Capacity | None) -> None:
    for capacity in capacities:
        if capacity is None or capacity.uniform is not None:
            continue
        if any(share.unit is not Unit.ABSOLUTE for share in capacity.by_resource):
            raise refused(
                config,
                path,
                "capacity_by_resource",
                "MixedCapacity",
                "a capacity by resource is all amounts while legacy queue mode is on; "
                f"switch {config.spelling(ROOT, 'legacy_queue_mode')} off to mix",
            )


def _fraction(path: str, capacity: Capacity | None, config: SchedulerConfig) -> float:
    if capacity is None or capacity.uniform is None or capacity.uniform.unit is not Unit.PERCENT:
        return 0.0
    amount = single(capacity.uniform.amount)
    if amount < 0 or amount > 100:
        raise refused(
            config,
            path,
            "capacity",
            "InvalidField",
            f"capacity {amount}% must be between 0% and 100%",
        )
    return quotient(amount, 100.0)


def _maximum(maximum: Capacity | None) -> float:
    if maximum is None or maximum.uniform is None:
        return 1.0
    # -1 is Hadoop's word for no maximum.
    amount = single(maximum.uniform.amount)
    return 1.0 if amount == -1 else quotient(amount, 100.0)


def _weight(path: str, capacity: Capacity | None, config: SchedulerConfig) -> float:
    if capacity is None or capacity.uniform is None or capacity.uniform.unit is not Unit.WEIGHT:
        return -1.0
    amount = single(capacity.uniform.amount)
    if amount < 0 or amount > 10000:
        raise refused(
            config, path, "capacity", "InvalidField", f"weight {amount} must be between 0 and 10000"
        )
    return amount


def _amounts(capacity: Capacity | None) -> Vector | None:
    """The configured amounts; None where a type has a percentage or memory has no amount."""
    if capacity is None or not capacity.by_resource:
        return None
    if any(share.unit is Unit.PERCENT for share in capacity.by_resource):
        return None
    amounts = tuple(
        int(share.amount) if share.unit is Unit.ABSOLUTE else 0 for share in capacity.by_resource
    )
    # Hadoop reads amounts without memory as none at all.
    return amounts if amounts[MEMORY] else None


def children_unit(nodes: list[TreeNode], labels: list[str], config: SchedulerConfig) -> Unit:
    """The one unit in which *nodes* configure their capacity.

    Raises:
        ConfigRefused: they mix weights, percentages and amounts.
    """
    percent = weight = amounts = False
    for node in nodes:
        for label in labels:
            share = node.shares.get(label)
            if share is None:
                continue
            if share.capacity > 0:
                percent = True
            if share.weight >= 0:
                weight = True
            if share.minimum_amounts and any(share.minimum_amounts):
                amounts, percent = True, False
    if nodes and nodes[0].path != ROOT and percent + weight + amounts > 1:
        raise refused(
            config,
            nodes[0].settings.config.parent,
            "capacity",
            "MixedCapacity",
            "children mix weights, percentages and amounts: "
            + ", ".join(node.path for node in nodes)
            + "; use one of them for all",
        )
    if weight or not nodes:
        return Unit.WEIGHT
    return Unit.ABSOLUTE if amounts else Unit.PERCENT


def check_children(node: TreeNode, config: SchedulerConfig) -> None:
    """Refuse children whose capacities do not add up (legacy queue mode).

    Raises:
        ConfigRefused: mixed modes, a sum that is neither 0 nor 100%, too many amounts.
    """
    labels = list(node.shares)
    unit = children_unit(node.children, labels, config)
    own = children_unit([node], labels, config)
    if Unit.ABSOLUTE in (unit, own):
        if unit is not own and node.path != ROOT:
            raise refused(
                config,
                node.path,
                "capacity",
                "MixedCapacity",
                "where amounts are used, parent and children must all use amounts",
            )
        _check_amounts(node, labels, config)
    if unit is Unit.PERCENT:
        for label in labels:
            _check_sum(node, label, own, config)


def _check_amounts(node: TreeNode, labels: list[str], config: SchedulerConfig) -> None:
    """Refuse a parent whose children are guaranteed more in amounts than it is itself."""
    types, calc = config.types, calculator(config)
    for label in labels:
        total = [0] * len(node.shares[label].minimum_amounts or types.names)
        for child in node.children:
            share = child.shares.get(label)
            for place, amount in enumerate((share and share.minimum_amounts) or ()):
                total[place] += amount
        own = node.shares[label].minimum_amounts
        if own and any(own) and calc.compare(types.zero(), own, tuple(total)) < 0:
            raise refused(
                config,
                node.path,
                "capacity",
                "CapacitySum",
                f"{config.spelling(node.path, 'capacity_by_resource')}: found "
                f"{types.text(own)}{_in(label)}, allowed: at least what its children have "
                f"together, {types.text(tuple(total))}",
            )


def _in(label: str) -> str:
    return f" in partition {label}" if label else ""


def _check_sum(node: TreeNode, label: str, own: Unit, config: SchedulerConfig) -> None:
    """Refuse percentages of children that add up to neither 100% nor, where allowed, 0%."""
    total = 0.0
    for child in node.children:
        share = child.shares.get(label)
        # In single precision, as Hadoop adds: the tolerance is made for the errors of that.
        total = single(total + (share.capacity if share else 0.0))
    capacity = node.shares[label].capacity
    zero_allowed = bool(node.settings.config.allow_zero_capacity_sum)
    where = f"children of {node.path}{_in(label)}"
    if abs(single(1.0 - total)) > _PRECISION:
        if abs(total) > _PRECISION:
            raise refused(
                config,
                node.path,
                "capacity",
                "CapacitySum",
                f"capacities of the {where} add up to {total * 100:g}%, not to 0% or 100%",
            )
        if own is Unit.PERCENT and abs(capacity) > _PRECISION and not zero_allowed:
            raise refused(
                config,
                node.path,
                "capacity",
                "CapacitySum",
                f"capacities of the {where} add up to 0% although it has {capacity * 100:g}%; "
                "give them 100% together or allow a zero sum",
            )
    elif own is Unit.PERCENT and capacity <= 0 and not zero_allowed:
        raise refused(
            config,
            node.path,
            "capacity",
            "CapacitySum",
            f"{where} have capacities but it has none itself",
        )


class TreeLookup:
    """What placement asks, of a configured tree that is not in force yet."""

    def __init__(self, root: TreeNode) -> None:
        self._nodes = {node.path: node for node in root.walk()}
        self._named: dict[str, list[str]] = {}
        for path in self._nodes:
            self._named.setdefault(path.rpartition(".")[2], []).append(path)

    def path_of(self, name: str) -> str | None:
        """The full path of a queue, by path or unambiguous short name."""
        if name in self._nodes:
            return name
        named = self._named.get(name, [])
        return named[0] if len(named) == 1 else None

    def is_leaf(self, path: str) -> bool:
        """Whether the queue is a leaf."""
        return self._nodes[path].leaf

    def ambiguous(self, name: str) -> bool:
        """Whether several queues have this short name."""
        return name not in self._nodes and len(self._named.get(name, ())) > 1

    def makes_children(self, path: str) -> bool:
        """Whether the queue makes leaves on demand."""
        return self._nodes[path].settings.config.auto_create is not None

    def makes_parents(self, path: str) -> bool:
        """Whether the queue makes branches on demand."""
        auto = self._nodes[path].settings.config.auto_create
        return auto is not None and auto.kind is AutoCreateKind.FLEXIBLE

"""Queues made on demand: leaves under a managed parent, and whole branches in weight mode.

Hadoop: ManagedParentQueue with GuaranteedOrZeroCapacityOverTimePolicy (v1), and
CapacitySchedulerQueueManager.createQueue with AutoCreatedQueueTemplate (v2).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubeyarn.model.queues import (
    AutoCreate,
    AutoCreateKind,
    ConfiguredState,
    QueueConfig,
    SchedulerConfig,
    weight,
)
from kubeyarn.schedulers.calculator import at_most, multiply
from kubeyarn.schedulers.capacity.am_limits import activate_applications
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.queue import Queue, QueueState
from kubeyarn.schedulers.capacity.queue_capacities import is_absolute, update_cluster_resource
from kubeyarn.schedulers.capacity.queue_manager import change_state, configure_queue
from kubeyarn.schedulers.capacity.queue_tree_checks import TreeNode, make_node
from kubeyarn.schedulers.capacity.templates import said_by_templates
from kubeyarn.schedulers.java_numbers import quotient, single

if TYPE_CHECKING:
    from kubeyarn.schedulers.capacity.queue_tree_checks import ConfiguredShare

_EPSILON = 0.0001
_DYNAMIC_LEAF = QueueConfig(path="", user_limit_factor=-1.0, maximum_am_share=1.0)


def managed(queue: Queue) -> AutoCreate | None:
    """How a managed parent (v1) makes its leaves; None for every other queue."""
    if not isinstance(queue, ParentQueue) or queue.created_by is None:
        return None
    return queue.created_by if queue.created_by.kind is AutoCreateKind.MANAGED else None


def makes_children(queue: Queue) -> bool:
    """Whether leaves may be made directly below."""
    return managed(queue) is not None or makes_branches(queue)


def makes_branches(queue: Queue) -> bool:
    """Whether parents and leaves may be made below (v2)."""
    if not isinstance(queue, ParentQueue):
        return False
    kind = queue.created_by.kind if queue.created_by else None
    return kind is AutoCreateKind.FLEXIBLE or queue.dynamic


def create_leaf(
    path: str, queues: dict[str, Queue], config: SchedulerConfig, now_ms: int
) -> list[Queue]:
    """Make the leaf at *path*, and what is missing above it; none when it may not be made."""
    parent = queues.get(path.rpartition(".")[0])
    if parent is not None and managed(parent) is not None and isinstance(parent, ParentQueue):
        return _create_managed(path, parent, config, now_ms)
    return _create_branch(path, queues, config, now_ms)


# -- v2 ------------------------------------------------------------------------------------------


def _create_branch(
    path: str, queues: dict[str, Queue], config: SchedulerConfig, now_ms: int
) -> list[Queue]:
    missing = _missing_parents(path, queues)
    if missing is None:
        return []
    made: list[Queue] = []
    found = queues[(missing[0] if missing else path).rpartition(".")[0]]
    for one in [*missing, path]:
        if not isinstance(found, ParentQueue) or not _takes_child(found, config):
            return made
        found = _add_dynamic(one, found, config, now_ms, leaf=one == path)
        made.append(found)
    return made


def _missing_parents(path: str, queues: dict[str, Queue]) -> list[str] | None:
    """The parents to be made, topmost first; None when the leaf is too deep or not allowed."""
    missing: list[str] = []
    distance = 1
    candidate = path.rpartition(".")[0]
    first: Queue | None = queues.get(candidate)
    while candidate and (candidate not in queues or queues[candidate].dynamic):
        distance += 1
        if first is None:
            missing.insert(0, candidate)
        candidate = candidate.rpartition(".")[0]
        if first is None:
            first = queues.get(candidate)
    static = queues.get(candidate)
    if first is None or static is None or not makes_branches(first):
        return None
    auto = static.created_by if isinstance(static, ParentQueue) else None
    depth = auto.maximum_depth if auto is not None else AutoCreate().maximum_depth
    return missing if distance <= depth else None


def _takes_child(parent: ParentQueue, config: SchedulerConfig) -> bool:
    most = (parent.created_by or AutoCreate()).maximum_queues
    if len(parent.children) >= most:
        return False
    return not config.legacy_queue_mode or all(
        any(share.weight >= 0 for share in child.shares.values()) for child in parent.children
    )


def _add_dynamic(
    path: str, parent: ParentQueue, config: SchedulerConfig, now_ms: int, *, leaf: bool
) -> Queue:
    node = _dynamic_node(path, parent, config, leaf=leaf)
    kind = LeafQueue if leaf else ParentQueue
    queue = kind(path, parent, parent.cluster, parent.calc)
    queue.dynamic = True
    queue.step = parent.step
    configure_queue(queue, node)
    stopped = said_state(queue, config) is ConfiguredState.STOPPED
    runs = parent.state is QueueState.RUNNING and not stopped
    queue.state = QueueState.RUNNING if runs else QueueState.STOPPED
    queue.last_submitted_ms = now_ms
    parent.last_submitted_ms = now_ms
    parent.children.append(queue)
    parent.reorder()
    update_cluster_resource(parent, config)
    return queue


def _dynamic_node(
    path: str, parent: ParentQueue, config: SchedulerConfig, *, leaf: bool
) -> TreeNode:
    said = said_by_templates(parent.path, parent.created_by, config.branch_templates, leaf=leaf)
    if path in config.undeclared:
        said = config.undeclared[path].over(said)
    if leaf:
        said = said.over(_DYNAMIC_LEAF)
    node = make_node(replace(said, path=path), _parent_node(parent), config)
    if said.capacity is None:
        node.shares[""] = replace(node.shares[""], weight=1.0, vector=weight(1.0))
    return node


def said_state(queue: Queue, config: SchedulerConfig) -> ConfiguredState | None:
    """The state that is said of a queue that is not declared."""
    said = config.undeclared.get(queue.path)
    return None if said is None else said.state


def refresh_branches(parent: ParentQueue, config: SchedulerConfig) -> None:
    """Let what was made on demand take over changed templates and its own changed words."""
    for child in parent.children:
        if child.dynamic:
            configure_queue(child, _dynamic_node(child.path, parent, config, leaf=child.leaf))
            change_state(child, said_state(child, config))
        if isinstance(child, ParentQueue):
            refresh_branches(child, config)


def _parent_node(parent: ParentQueue) -> TreeNode:
    return TreeNode(parent.settings, {})


def expired(queue: Queue, expiry_seconds: int, now_ms: int) -> bool:
    """Whether a dynamic queue stood empty for too long (Hadoop: isInactiveDynamicQueue)."""
    if not queue.dynamic or queue.applications > 0:
        return False
    if isinstance(queue, ParentQueue) and queue.children:
        return False
    if queue.parent is None or managed(queue.parent) is not None:
        return False
    above: Queue | None = queue.parent
    while above is not None and above.dynamic:
        above = above.parent
    auto = above.created_by if isinstance(above, ParentQueue) else None
    if auto is not None and not auto.removal:
        return False
    if auto is not None and auto.expiry_seconds is not None:
        expiry_seconds = auto.expiry_seconds
    return now_ms - queue.last_submitted_ms > expiry_seconds * 1000


def remove_dynamic(queue: Queue, config: SchedulerConfig) -> None:
    """Take an empty dynamic queue out of the tree."""
    parent = queue.parent
    if parent is not None:
        parent.children.remove(queue)
        parent.reorder()
        update_cluster_resource(parent, config)


# -- v1 ------------------------------------------------------------------------------------------


def _create_managed(
    path: str, parent: ParentQueue, config: SchedulerConfig, now_ms: int
) -> list[Queue]:
    auto = managed(parent)
    if auto is None or len(parent.children) >= auto.maximum_queues:
        return []
    node = _managed_node(path, parent, auto, config)
    template = node.shares
    _set_template(parent, template)
    if auto.fail_on_exceeding_parent:
        promised = sum(child.share("").absolute for child in parent.children)
        if _template_of(parent, "") + promised > parent.share("").absolute:
            return []
    leaf = LeafQueue(path, parent, parent.cluster, parent.calc)
    leaf.step = parent.step
    configure_queue(leaf, node)
    leaf.template_absolute = parent.template_absolute
    leaf.state = QueueState.RUNNING if parent.state is QueueState.RUNNING else QueueState.STOPPED
    leaf.last_submitted_ms = now_ms
    parent.children.append(leaf)
    parent.reorder()
    for label, said in template.items():
        if _available(parent, label) >= _template_of(parent, label):
            _entitle(leaf, label, said)
            _activate(parent, leaf, label)
        else:
            _disentitle(leaf, label, said)
    activate_applications(leaf)
    update_cluster_resource(parent, config)
    return [leaf]


def _managed_node(
    path: str, parent: ParentQueue, auto: AutoCreate, config: SchedulerConfig
) -> TreeNode:
    said = QueueConfig(path)
    if auto.leaf_template is not None:
        said = said.over(auto.leaf_template)
    node = make_node(said, _parent_node(parent), config)
    if is_absolute(parent):
        for label, share in node.shares.items():
            node.shares[label] = _of_amounts(share, parent, label)
    return node


def _of_amounts(said: ConfiguredShare, parent: ParentQueue, label: str) -> ConfiguredShare:
    """A template's shares of a parent that has amounts (Hadoop: updateQueueCapacities).

    A percentage is none of them, and a parent that says no maximum has no share to give.
    """
    calc, total, zero = parent.calc, parent.cluster.total, parent.zero
    above = parent.configured_maximum.get(label, zero)
    most = at_most(calc, total, said.maximum_amounts or above, above)
    minimum = parent.configured_minimum.get(label, zero)
    return replace(
        said,
        capacity=calc.divide(total, said.minimum_amounts or zero, minimum),
        maximum=calc.divide(total, most, above),
    )


def check_templates(tree: TreeNode, config: SchedulerConfig) -> None:
    """Look at the templates of parents that make their leaves, before anything is changed.

    Raises:
        ConfigRefused: a leaf made of the template would not be allowed.
    """
    for node in tree.walk():
        auto = node.settings.config.auto_create
        if auto is not None and auto.kind is AutoCreateKind.MANAGED and auto.leaf_template:
            said = QueueConfig(f"{node.path}.template").over(auto.leaf_template)
            make_node(said, TreeNode(node.settings, {}), config)


def _set_template(parent: ParentQueue, template: dict[str, ConfiguredShare]) -> None:
    parent.template_absolute = {
        label: single(said.capacity * parent.share(label).absolute)
        for label, said in template.items()
    }


def _template_of(parent: ParentQueue, label: str) -> float:
    return (parent.template_absolute or {}).get(label, 0.0)


def _available(parent: ParentQueue, label: str) -> float:
    active = parent.entitled.get(label, 0.0)
    return single(single(parent.share(label).absolute - active) + single(_EPSILON))


def _activate(parent: ParentQueue, leaf: LeafQueue, label: str) -> None:
    leaf.entitled_labels.add(label)
    so_far = parent.entitled.get(label, 0.0)
    parent.entitled[label] = single(so_far + _template_of(parent, label))


def _deactivate(parent: ParentQueue, leaf: LeafQueue, label: str) -> None:
    leaf.entitled_labels.discard(label)
    so_far = parent.entitled.get(label, 0.0)
    parent.entitled[label] = single(so_far - _template_of(parent, label))


def _entitle(leaf: LeafQueue, label: str, said: ConfiguredShare) -> None:
    """Give a leaf what the template says."""
    parent = leaf.parent
    if parent is None:
        return
    share = leaf.shares[label]
    share.capacity, share.maximum = said.capacity, said.maximum
    share.absolute = _template_of(parent, label)
    share.absolute_maximum = single(said.maximum * parent.share(label).absolute_maximum)
    _apply(leaf, label)


def _disentitle(leaf: LeafQueue, label: str, said: ConfiguredShare) -> None:
    """Take a leaf's guarantee; its maximum stands again when queues are next recomputed."""
    share = leaf.shares[label]
    leaf.configured_minimum[label] = leaf.zero
    share.capacity, share.maximum = 0.0, said.maximum
    share.absolute = share.absolute_maximum = 0.0
    _apply(leaf, label)


def _apply(leaf: LeafQueue, label: str) -> None:
    whole = leaf.cluster.partition(label)
    share = leaf.shares[label]
    said = leaf.configured_minimum.get(label, leaf.zero)
    by_amount = any(said) and share.absolute > 0
    leaf.effective_minimum[label] = said if by_amount else multiply(whole, share.absolute)
    leaf.effective_maximum[label] = multiply(whole, share.absolute_maximum)
    leaf.measure()
    leaf.users.limits_changed()


def manage(parent: Queue, config: SchedulerConfig) -> None:
    """Take guarantees from empty leaves and give them to those with applications, in order.

    Hadoop: GuaranteedOrZeroCapacityOverTimePolicy.computeQueueManagementChanges.
    """
    auto = managed(parent)
    if auto is None or not isinstance(parent, ParentQueue) or not parent.children:
        return
    template = _managed_node(parent.path + ".template", parent, auto, config).shares
    _set_template(parent, template)
    leaves = [child for child in parent.children if isinstance(child, LeafQueue)]
    for label, said in template.items():
        _manage_label(parent, leaves, label, said)


def _manage_label(
    parent: ParentQueue, leaves: list[LeafQueue], label: str, said: ConfiguredShare
) -> None:
    empty = [q for q in leaves if label in q.entitled_labels and q.applications == 0]
    one = _template_of(parent, label)
    free = single(_available(parent, label) + single(one * len(empty)))
    chosen: list[LeafQueue] = []
    if one > 0 and free >= one:
        apps = sorted(
            (app for leaf in leaves for app in leaf.all_applications()),
            key=lambda app: (-app.priority, app.app.order, app.app.id.number),
        )
        most = min(int(quotient(free, one)), len(apps))
        for app in apps:
            leaf = app.queue
            if len(chosen) >= most:
                break
            if label not in leaf.entitled_labels and leaf not in empty and leaf not in chosen:
                chosen.append(leaf)
    for leaf in empty:
        _disentitle(leaf, label, said)
        _deactivate(parent, leaf, label)
    for leaf in chosen:
        _entitle(leaf, label, said)
        _activate(parent, leaf, label)
        activate_applications(leaf)


def reset_managed(parent: ParentQueue, config: SchedulerConfig) -> bool:
    """Bring a managed parent's leaves in line with a changed template; False when it is none."""
    auto = managed(parent)
    if auto is None:
        return False
    parent.entitled.clear()
    for child in parent.children:
        if isinstance(child, LeafQueue) and child.template_absolute is not None:
            child.entitled_labels.clear()
            node = _managed_node(child.path, parent, auto, config)
            configure_queue(child, node)
            for label, said in node.shares.items():
                _disentitle(child, label, said)
    manage(parent, config)
    return True

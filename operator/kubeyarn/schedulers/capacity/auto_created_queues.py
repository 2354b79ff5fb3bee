"""Queues that are created on demand: leaves of a managed parent, and whole branches by weight.

Theory of operation. Hadoop has two ways, and a parent has one of them:

* v1, *managed* (`auto-create-child-queue`; ManagedParentQueue): the parent creates leaves directly
  below it, when a placement rule sends an application there. All leaves have the capacity of one
  *leaf template*. They may together be promised more than the parent has, so a leaf is either
  *activated*, and has the template's capacity, or *deactivated*, and has none (but it may use what
  is idle). `absolute_activated` of the parent is the sum of what activated leaves were given, by
  partition, and never passes the parent's own absolute capacity. `manage_leaves` moves capacity: it
  deactivates leaves without applications and activates others that have some, in the order of the
  applications (GuaranteedOrZeroCapacityOverTimePolicy). With `fail_on_exceeding_parent` no leaf is
  created that the parent has no capacity for, and nothing is ever deactivated.

* v2, *flexible* (`auto-queue-creation-v2`; CapacitySchedulerQueueManager.createQueue): parents and
  leaves are created below, as deep as allowed, each with what templates say
  (AutoCreatedQueueTemplate). Capacities are weights, so nothing is promised twice.

A v2 queue that stood empty for longer than its expiry is removed (`is_inactive`); v1 leaves stay.
What is created here survives a new configuration: `refresh_branches` and `reset_managed_leaves`
apply changed templates to it. A restarted process creates the queues anew as applications are told
to it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from kubeyarn.model.queues import (
    AutoCreate,
    AutoCreateKind,
    BranchTemplates,
    ConfiguredState,
    QueueConfig,
    SchedulerConfig,
    weight,
)
from kubeyarn.schedulers.calculator import multiply
from kubeyarn.schedulers.capacity.am_limits import activate_applications
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from kubeyarn.schedulers.capacity.objects.parent_queue import ParentQueue
from kubeyarn.schedulers.capacity.objects.queue import QueueState
from kubeyarn.schedulers.capacity.queue_capacities import is_absolute, update_cluster_resource
from kubeyarn.schedulers.capacity.queue_manager import change_state, configure_queue
from kubeyarn.schedulers.capacity.queue_tree_checks import TreeNode, make_node
from kubeyarn.schedulers.java_numbers import quotient, single

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kubeyarn.schedulers.capacity.cluster_state import ClusterState
    from kubeyarn.schedulers.capacity.objects.queue import Queue
    from kubeyarn.schedulers.capacity.queue_tree_checks import ConfiguredShare

_EPSILON = 0.0001
# Hadoop: queue-management.monitoring-interval.
_INTERVAL_MS = 1500
_ANY = "*"
_DYNAMIC_LEAF = QueueConfig(path="", user_limit_factor=-1.0, maximum_am_share=1.0)
"""What a v2 leaf has where no template says otherwise (Hadoop: setDynamicQueueProperties)."""


def create_leaf(
    path: str, queues: dict[str, Queue], config: SchedulerConfig, now_ms: int
) -> list[Queue]:
    """Create the leaf at *path* and the parents it lacks; nothing when it may not be created."""
    parent = queues.get(path.rpartition(".")[0])
    # The parent's way decides: below a managed one there are only leaves.
    if parent is not None and not parent.leaf and parent.managed is not None:
        return _create_managed(path, parent, config, now_ms)
    return _create_branch(path, queues, config, now_ms)


def _parent_node(parent: ParentQueue) -> TreeNode:
    return TreeNode(parent.settings, {})


# -- v2: branches --------------------------------------------------------------------------------


def _create_branch(
    path: str, queues: dict[str, Queue], config: SchedulerConfig, now_ms: int
) -> list[Queue]:
    missing = _missing_parents(path, queues)
    if missing is None:
        return []
    created: list[Queue] = []
    above = queues[(missing[0] if missing else path).rpartition(".")[0]]
    for one in [*missing, path]:
        # Parents that were created stay, as in Hadoop; they expire when nothing comes below them.
        if above.leaf or not _takes_child(above, config):
            return created
        above = _add_dynamic(one, above, config, now_ms, leaf=one == path)
        created.append(above)
    return created


def _missing_parents(path: str, queues: dict[str, Queue]) -> list[str] | None:
    """The parents to be created, topmost first; None when the leaf is too deep or not allowed.

    Depth is counted from the nearest declared queue, over dynamic ones that exist already.
    """
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
    if first is None or static is None or not first.makes_branches:
        return None
    depth = (static.auto_create or AutoCreate()).maximum_depth
    return missing if distance <= depth else None


def _takes_child(parent: ParentQueue, config: SchedulerConfig) -> bool:
    most = (parent.auto_create or AutoCreate()).maximum_queues
    if len(parent.children) >= most:
        return False
    # In legacy queue mode siblings do not mix units, and a dynamic queue has a weight.
    return not config.legacy_queue_mode or all(
        any(share.weight >= 0 for share in child.shares.values()) for child in parent.children
    )


def _add_dynamic(
    path: str, parent: ParentQueue, config: SchedulerConfig, now_ms: int, *, leaf: bool
) -> Queue:
    """Put a queue of its parent's templates into the tree."""
    # Settings before the queue: they may be refused, and then there is no queue.
    node = _dynamic_node(path, parent, config, leaf=leaf)
    kind = LeafQueue if leaf else ParentQueue
    queue = kind(path, parent, parent.cluster, parent.calc)
    queue.dynamic = True
    queue.minimum_allocation = parent.minimum_allocation
    configure_queue(queue, node)
    stopped = undeclared_state(queue, config) is ConfiguredState.STOPPED
    runs = parent.state is QueueState.RUNNING and not stopped
    queue.state = QueueState.RUNNING if runs else QueueState.STOPPED
    # The parent's, too: both would else be removed as unused before the application is there.
    queue.last_submitted_ms = now_ms
    parent.last_submitted_ms = now_ms
    parent.children.append(queue)
    parent.reorder()
    update_cluster_resource(parent, config)
    return queue


def _dynamic_node(
    path: str, parent: ParentQueue, config: SchedulerConfig, *, leaf: bool
) -> TreeNode:
    """The settings of a dynamic queue: its own properties, then templates, then defaults."""
    properties = template_properties(
        parent.path, parent.auto_create, config.branch_templates, leaf=leaf
    )
    if path in config.undeclared:
        properties = config.undeclared[path].over(properties)
    if leaf:
        properties = properties.over(_DYNAMIC_LEAF)
    node = make_node(replace(properties, path=path), _parent_node(parent), config)
    # Hadoop's dynamic queues have weight 1 unless a template says otherwise.
    if properties.capacity is None:
        node.shares[""] = replace(node.shares[""], weight=1.0, vector=weight(1.0))
    return node


def undeclared_state(queue: Queue, config: SchedulerConfig) -> ConfiguredState | None:
    """The state that is configured of a queue that is not declared."""
    properties = config.undeclared.get(queue.path)
    return None if properties is None else properties.state


def template_properties(
    parent: str,
    auto: AutoCreate | None,
    branches: Mapping[str, BranchTemplates],
    *,
    leaf: bool,
) -> QueueConfig:
    """What the templates of *parent* say of a child: its own templates, then those with wildcards.

    A template for leaves or for parents wins over one for both. Hadoop: AutoCreatedQueueTemplate.
    """
    sources: list[AutoCreate | BranchTemplates] = [auto] if auto is not None else []
    depth = auto.maximum_depth if auto is not None else AutoCreate().maximum_depth
    # The nearer template wins: what is configured of the parent itself, then with more and more of
    # its path left open.
    sources += [branches[path] for path in wildcarded(parent, depth) if path in branches]
    specific = [one.leaf_template if leaf else one.parent_template for one in sources]
    return _merged([*specific, *(one.template for one in sources)])


def wildcarded(path: str, depth: int) -> Iterator[str]:
    """*path*, then with its last parts replaced by `*`, one more each time; never root."""
    parts = path.split(".")
    yield path
    for level in range(1, min(len(parts) - 1, depth) + 1):
        parts[-level] = _ANY
        yield ".".join(parts)


def _merged(templates: Sequence[QueueConfig | None]) -> QueueConfig:
    merged = QueueConfig("")
    for template in templates:
        if template is not None:
            merged = merged.over(template)
    return merged


def refresh_branches(parent: ParentQueue, config: SchedulerConfig) -> None:
    """Apply changed templates and properties to the dynamic queues below *parent*."""
    for child in parent.children:
        if child.dynamic:
            configure_queue(child, _dynamic_node(child.path, parent, config, leaf=child.leaf))
            change_state(child, undeclared_state(child, config))
        if not child.leaf:
            refresh_branches(child, config)


def is_inactive(queue: Queue, expiry_seconds: int, now_ms: int) -> bool:
    """Whether a dynamic queue stood empty for too long (Hadoop: isInactiveDynamicQueue).

    *expiry_seconds* is the cluster's; the nearest declared queue above may have its own, or keep
    its dynamic queues for ever.
    """
    if not queue.dynamic or queue.applications > 0:
        return False
    # Children expire first; a parent's own time runs from when the last of them was created.
    if queue.children:
        return False
    if queue.parent is None or queue.parent.managed is not None:
        return False
    above: Queue | None = queue.parent
    while above is not None and above.dynamic:
        above = above.parent
    auto = above.auto_create if above is not None else None
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


# -- v1: managed parents -------------------------------------------------------------------------


def _create_managed(
    path: str, parent: ParentQueue, config: SchedulerConfig, now_ms: int
) -> list[Queue]:
    """Create a leaf by its parent's template; none where no more may be created."""
    auto = parent.managed
    if auto is None or len(parent.children) >= auto.maximum_queues:
        return []
    node = _leaf_template(path, parent, auto, config)
    # From the parent's capacity as it is now: the template is a part of that, not a number of its
    # own.
    _set_template(parent, node.shares)
    if auto.fail_on_exceeding_parent:
        promised = sum(child.share("").absolute for child in parent.children)
        if _template_absolute(parent, "") + promised > parent.share("").absolute:
            return []
    leaf = LeafQueue(path, parent, parent.cluster, parent.calc)
    leaf.minimum_allocation = parent.minimum_allocation
    configure_queue(leaf, node)
    leaf.template_absolute = parent.template_absolute
    leaf.state = QueueState.RUNNING if parent.state is QueueState.RUNNING else QueueState.STOPPED
    leaf.last_submitted_ms = now_ms
    parent.children.append(leaf)
    parent.reorder()
    # Partition by partition: a leaf may be activated in one and wait in another.
    for label, template in node.shares.items():
        if _available(parent, label) >= _template_absolute(parent, label):
            _activate(parent, leaf, label, template)
        else:
            # It takes applications all the same, and waits for an empty leaf to give up its own.
            _set_zero_capacity(leaf, label, template)
    leaf.users.limits_changed()
    activate_applications(leaf)
    update_cluster_resource(parent, config)
    return [leaf]


def _leaf_template(
    path: str, parent: ParentQueue, auto: AutoCreate, config: SchedulerConfig
) -> TreeNode:
    properties = QueueConfig(path)
    if auto.leaf_template is not None:
        properties = properties.over(auto.leaf_template)
    node = make_node(properties, _parent_node(parent), config)
    # In a parent of amounts the template has amounts, too; what is given to leaves is counted in
    # fractions.
    if is_absolute(parent):
        for label, share in node.shares.items():
            node.shares[label] = _fractions_of_amounts(share, parent, label)
    return node


def _fractions_of_amounts(
    template: ConfiguredShare, parent: ParentQueue, label: str
) -> ConfiguredShare:
    """A template's fractions of a parent that has amounts (Hadoop: updateQueueCapacities).

    A percentage is none of them, and a parent without a maximum has no fraction to give.
    """
    calc, total, zero = parent.calc, parent.cluster.total, parent.zero
    above = parent.configured_maximum.get(label, zero)
    most = calc.min(total, template.maximum_amounts or above, above)
    minimum = parent.configured_minimum.get(label, zero)
    return replace(
        template,
        capacity=calc.divide(total, template.minimum_amounts or zero, minimum),
        maximum=calc.divide(total, most, above),
    )


def check_templates(tree: TreeNode, config: SchedulerConfig) -> None:
    """Check the leaf templates of managed parents, before anything is changed.

    Raises:
        ConfigRefused: a leaf created by the template would not be allowed.
    """
    for node in tree.walk():
        auto = node.settings.config.auto_create
        if auto is not None and auto.kind is AutoCreateKind.MANAGED and auto.leaf_template:
            properties = QueueConfig(f"{node.path}.template").over(auto.leaf_template)
            make_node(properties, TreeNode(node.settings, {}), config)


def _set_template(parent: ParentQueue, template: dict[str, ConfiguredShare]) -> None:
    parent.template_absolute = {
        label: single(share.capacity * parent.share(label).absolute)
        for label, share in template.items()
    }


def _template_absolute(parent: ParentQueue, label: str) -> float:
    return (parent.template_absolute or {}).get(label, 0.0)


def _available(parent: ParentQueue, label: str) -> float:
    """The absolute capacity that no leaf is activated with.

    Hadoop adds an epsilon, because sums of shares in single precision miss the whole by a little.
    """
    activated = parent.absolute_activated.get(label, 0.0)
    return single(single(parent.share(label).absolute - activated) + single(_EPSILON))


def _activate(parent: ParentQueue, leaf: LeafQueue, label: str, template: ConfiguredShare) -> None:
    """Give a leaf the template's capacity."""
    share = leaf.shares[label]
    share.capacity, share.maximum = template.capacity, template.maximum
    share.absolute = _template_absolute(parent, label)
    share.absolute_maximum = single(
        max(0.0, template.maximum) * parent.share(label).absolute_maximum
    )
    # At once, not at the next recomputation: the application that made the leaf is activated by it.
    _set_effective(leaf, label)
    leaf.activated_labels.add(label)
    so_far = parent.absolute_activated.get(label, 0.0)
    parent.absolute_activated[label] = single(so_far + _template_absolute(parent, label))


def _deactivate(
    parent: ParentQueue, leaf: LeafQueue, label: str, template: ConfiguredShare
) -> None:
    """Take the template's capacity from a leaf."""
    _set_zero_capacity(leaf, label, template)
    leaf.activated_labels.discard(label)
    so_far = parent.absolute_activated.get(label, 0.0)
    parent.absolute_activated[label] = single(so_far - _template_absolute(parent, label))


def _set_zero_capacity(leaf: LeafQueue, label: str, template: ConfiguredShare) -> None:
    """Leave a leaf without a guarantee; its maximum stands again at the next recomputation."""
    share = leaf.shares[label]
    leaf.configured_minimum[label] = leaf.zero
    share.capacity, share.maximum = 0.0, template.maximum
    share.absolute = share.absolute_maximum = 0.0
    _set_effective(leaf, label)


def _set_effective(leaf: LeafQueue, label: str) -> None:
    whole = leaf.cluster.partition(label)
    share = leaf.shares[label]
    configured = leaf.configured_minimum.get(label, leaf.zero)
    by_amount = any(configured) and share.absolute > 0
    leaf.effective_minimum[label] = configured if by_amount else multiply(whole, share.absolute)
    leaf.effective_maximum[label] = multiply(whole, share.absolute_maximum)
    leaf.forget_derived()
    leaf.users.guarantee_changed()


def manage_leaves(parent: Queue, config: SchedulerConfig) -> None:
    """Take capacity from empty leaves and give it to those with applications, in their order.

    Hadoop: GuaranteedOrZeroCapacityOverTimePolicy.computeQueueManagementChanges.
    """
    auto = parent.managed
    if parent.leaf or auto is None or not parent.children:
        return
    templates = _leaf_template(parent.path + ".template", parent, auto, config).shares
    _set_template(parent, templates)
    leaves = [child for child in parent.children if child.leaf]
    for label, template in templates.items():
        _manage_label(parent, leaves, label, template)


def _manage_label(
    parent: ParentQueue, leaves: list[LeafQueue], label: str, template: ConfiguredShare
) -> None:
    """Move one partition's capacity from empty leaves to those that wait for it."""
    deactivated = [q for q in leaves if label in q.activated_labels and q.applications == 0]
    one = _template_absolute(parent, label)
    available = single(_available(parent, label) + single(one * len(deactivated)))
    activated: list[LeafQueue] = []
    if one > 0 and available >= one:
        apps = sorted(
            (app for leaf in leaves for app in leaf.all_applications()),
            key=lambda app: (-app.priority, app.app.order, app.app.id.number),
        )
        most = min(int(quotient(available, one)), len(apps))
        for app in apps:
            leaf = app.queue
            if len(activated) >= most:
                break
            if label not in leaf.activated_labels and leaf not in activated:
                activated.append(leaf)
    # Hadoop's order: what is taken has to be back before more is given, or the sum is too large.
    for leaf in deactivated:
        _deactivate(parent, leaf, label, template)
    for leaf in activated:
        _activate(parent, leaf, label, template)
        if not leaf.cluster.hadoop_compatible:
            # Hadoop leaves both as they are until the next event in the leaf or in the cluster.
            leaf.users.limits_changed()
            activate_applications(leaf)


def reset_managed_leaves(parent: ParentQueue, config: SchedulerConfig) -> bool:
    """Apply a changed template to the leaves of a managed parent; False for other parents.

    All are deactivated, and then activated anew as far as the capacity goes.
    """
    auto = parent.managed
    if auto is None:
        return False
    # All that was given out is taken back, because what the template says now may add up
    # differently.
    parent.absolute_activated.clear()
    for child in parent.children:
        if child.leaf and child.template_absolute is not None:
            child.activated_labels.clear()
            node = _leaf_template(child.path, parent, auto, config)
            configure_queue(child, node)
            for label, template in node.shares.items():
                _set_zero_capacity(child, label, template)
    manage_leaves(parent, config)
    return True


# -- both, as time goes by ------------------------------------------------------------------------


class QueueManagementPolicy:
    """Lets auto-created queues take and give up capacity, and deletes them, as time goes by.

    Hadoop: QueueManagementDynamicEditPolicy and AutoCreatedQueueDeletionPolicy.
    """

    def __init__(self, state: ClusterState) -> None:
        self._state = state
        self._ran_ms = 0

    def edit_schedule(self, now_ms: int) -> None:
        """Manage and delete queues, if the interval has passed and there are auto-created ones."""
        if not self._state.index.on_demand or now_ms - self._ran_ms < _INTERVAL_MS:
            return
        self._ran_ms = now_ms
        self._state.dirty.queues_managed()
        self.manage_queues(now_ms)
        self.expire_queues(now_ms)

    def manage_queues(self, now_ms: int) -> None:
        """Let leaves under managed parents take or give up capacity."""
        self._state.bring_up_to_date()
        config = self._state.config_in_force()
        for queue in list(self._state.queues.values()):
            auto = queue.managed
            if auto is not None and not auto.fail_on_exceeding_parent:
                manage_leaves(queue, config)

    def expire_queues(self, now_ms: int) -> None:
        """Delete auto-created queues that stood empty for too long, leaves before parents."""
        self._state.bring_up_to_date()
        config = self._state.config_in_force()
        found = True
        while found:
            found = False
            for queue in list(self._state.queues.values()):
                if is_inactive(queue, config.queue_expiry_seconds, now_ms):
                    remove_dynamic(queue, config)
                    self._state.index.rebuild(self._state.root_in_force())
                    found = True

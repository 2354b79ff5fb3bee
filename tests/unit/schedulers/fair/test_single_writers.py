"""Every attribute of the Fair Scheduler's objects is written by the files that own it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from kubeyarn.schedulers import fair

PACKAGE = Path(fair.__file__).parent
ACCOUNTS = "objects/accounts.py"
WRITERS = {
    # Sums.
    "used": {ACCOUNTS},
    "pending": {ACCOUNTS},
    "reserved": {ACCOUNTS},
    "am_used": {ACCOUNTS},
    "am_resource": {ACCOUNTS},
    "am_running": {ACCOUNTS},
    "available": {ACCOUNTS},
    "free_slots": {ACCOUNTS},
    "allocated": {ACCOUNTS},
    "cluster": {ACCOUNTS, "dirty.py"},
    "pending_sizes": {ACCOUNTS},
    "containers": {ACCOUNTS, "preemption.py"},
    "nodes": {ACCOUNTS, "app_scheduling_info.py", "locality_delay.py"},
    "rm_node": {ACCOUNTS},
    "reservations": {ACCOUNTS},
    "reserved_container": {ACCOUNTS},
    "containers_to_preempt": {ACCOUNTS},
    "resources_to_preempt": {ACCOUNTS},
    "containers_for_preemption": {ACCOUNTS},
    "resources_preempted_for_app": {ACCOUNTS},
    "total_resources_preempted": {ACCOUNTS},
    # Shares.
    "demand": {"fair_shares.py"},
    "fair_share": {"fair_shares.py"},
    "steady_fair_share": {"fair_shares.py"},
    "weight": {"fair_shares.py", "queue_manager.py"},
    # Who may run.
    "is_runnable": {"max_running_apps.py"},
    "num_runnable_apps": {"max_running_apps.py"},
    # Settings and the tree.
    "is_dynamic": {"queue_manager.py"},
    "policy": {"queue_manager.py"},
    "min_share": {"queue_manager.py"},
    "max_share": {"fair_shares.py"},
    "has_max_share": {"fair_shares.py"},
    "configured_max_share": {"queue_manager.py"},
    "max_child_share": {"queue_manager.py"},
    "max_am_share": {"queue_manager.py"},
    "max_running_apps": {"queue_manager.py"},
    "max_container_allocation": {"queue_manager.py"},
    "min_share_preemption_timeout_ms": {"queue_manager.py"},
    "fair_share_preemption_timeout_ms": {"queue_manager.py"},
    "fair_share_preemption_threshold": {"queue_manager.py"},
    "preemptable": {"queue_manager.py"},
    "access": {"queue_manager.py"},
    "order_is_non_transitive": {"queue_manager.py"},
    # The order of children.
    "entries": {"objects/schedulables.py"},
    "order_entry": {"objects/schedulables.py", "ordering.py"},
    # Starvation.
    "fair_share_starvation": {"preemption.py"},
    "min_share_starvation": {"preemption.py"},
    "last_time_at_fair_share_ms": {"preemption.py"},
    "last_time_at_min_share_ms": {"preemption.py", "queue_manager.py"},
    "next_starvation_check_ms": {"preemption.py"},
    "am_containers": {"preemption.py"},
    "of": {"preemption.py"},
    # Asks.
    "ask_keys": {"app_scheduling_info.py"},
    "asks": {"app_scheduling_info.py", "container_assigner.py"},
    "excluded": {"objects/app_attempt.py"},
    "excluded_nodes": {"objects/app_attempt.py"},
    "outstanding_increases": {"container_update.py"},
    "count": {"locality_delay.py"},
    "racks": {"app_scheduling_info.py", "locality_delay.py"},
    "opportunities": {"locality_delay.py"},
    "level": {"locality_delay.py"},
    # An attempt's own life.
    "started": {ACCOUNTS},
    "stopped": {"attempt_lifecycle.py"},
    "queue": {ACCOUNTS},
    "next_container_number": {"objects/app_attempt.py"},
    "am_locality": {"application_events.py"},
    "attempts": {"application_events.py", "attempt_lifecycle.py", "dirty.py"},
    "queues": {"queue_manager.py"},
    # What is stale.
    "version": {"dirty.py"},
    "shares": {"dirty.py"},
}


def parts_of(target: ast.expr) -> list[ast.expr]:
    return list(target.elts) if isinstance(target, ast.Tuple) else [target]


def targets_of(node: ast.AST) -> list[ast.expr]:
    if isinstance(node, ast.Assign):
        return [part for target in node.targets for part in parts_of(target)]
    if isinstance(node, ast.AugAssign | ast.AnnAssign):
        return [node.target]
    if isinstance(node, ast.Delete):
        return node.targets
    return []


def written(tree: ast.AST) -> set[str]:
    """Attributes that are assigned or deleted, also by item, outside of constructors."""
    found: set[str] = set()
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            continue
        for target in targets_of(node):
            owner = target.value if isinstance(target, ast.Subscript) else target
            if isinstance(owner, ast.Attribute):
                found.add(owner.attr)
        found |= written(node)
    return found


WRITTEN = {
    str(path.relative_to(PACKAGE)): written(ast.parse(path.read_text()))
    for path in sorted(PACKAGE.rglob("*.py"))
}


@pytest.mark.parametrize("attribute", sorted(WRITERS))
def test_an_attribute_is_written_by_its_owner_alone(attribute: str) -> None:
    found = {file for file, attributes in WRITTEN.items() if attribute in attributes}

    assert found <= WRITERS[attribute], f"{sorted(found - WRITERS[attribute])} write {attribute}"


@pytest.mark.parametrize("file", sorted(WRITTEN))
def test_every_attribute_that_a_file_writes_has_an_owner(file: str) -> None:
    """Attributes of the writing object itself begin with an underscore."""
    settings = {
        *("config", "check_access", "memory_per_mib", "minimum_allocation", "maximum_allocation"),
        *("increment_allocation", "reservation_threshold"),
    }
    unknown = {name for name in WRITTEN[file] if not name.startswith("_")} - set(WRITERS)

    assert unknown <= (settings if file == "cluster_state.py" else set())

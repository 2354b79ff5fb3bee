"""What an `observe` step writes down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import CPU, MEMORY, add
from kubeyarn.simulate.capacity import extended

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.simulate.scenario import Data
    from kubeyarn.simulate.scenario_run import ScenarioRun, SimulatedApp


def observe(run: ScenarioRun, name: str) -> Data:
    """A snapshot of applications, queues, users, nodes and preemptions."""
    run.simulated.after_step(run.now_ms)
    containers = run.scheduler.containers()
    by_app: dict[str, list[Container]] = {}
    by_node: dict[str, list[Container]] = {node: [] for node in run.nodes}
    for container in containers:
        owner = run.by_id.get(container.id.attempt.application)
        if owner is not None:
            by_app.setdefault(owner.name, []).append(container)
        by_node.setdefault(container.node, []).append(container)
    found: Data = {
        "name": name,
        "apps": {
            app.name: _application(run, app, by_app.get(app.name, [])) for app in run.apps.values()
        },
        "queues": run.simulated.observe_queues(run.now_ms),
        "nodes": {node: _node(run, held) for node, held in by_node.items()},
        "preempted": [{"app": app, "count": count} for app, count in sorted(run.preempted.items())],
    }
    users = run.simulated.observe_users(run.now_ms)
    if users is not None:
        found["users"] = users
    return found


def _application(run: ScenarioRun, app: SimulatedApp, held: list[Container]) -> Data:
    used = run.simulated.types.zero()
    by_priority: dict[str, int] = {}
    for container in held:
        used = add(used, container.size)
        if not container.am:
            key = str(container.key.priority)
            by_priority[key] = by_priority.get(key, 0) + 1
    live = app.id in run.by_id
    found: Data = {
        "state": app.state,
        "amRunning": app.running and live,
        "containers": len(held),
        "memory": used[MEMORY],
        "vcores": used[CPU],
        "pendingContainers": run.simulated.outstanding(app.id) if live else 0,
        "reservedMemory": run.simulated.reserved_memory(app.id) if live else 0,
        "byPriority": by_priority,
    }
    if live:
        found.update(run.simulated.application_fields(app.id))
    others = extended(used, run.simulated.types)
    if others:
        found["resources"] = others
    if app.message:
        found["message"] = app.message
    return found


def _node(run: ScenarioRun, held: list[Container]) -> Data:
    used = run.simulated.types.zero()
    for container in held:
        used = add(used, container.size)
    found: Data = {"usedMemory": used[MEMORY], "usedVcores": used[CPU], "containers": len(held)}
    others = extended(used, run.simulated.types)
    if others:
        found["usedResources"] = others
    return found

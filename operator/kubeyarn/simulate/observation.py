"""What an `observe` step writes down."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.model.resources import CPU, MEMORY, add
from kubeyarn.simulate.capacity import extended
from kubeyarn.simulate.scenario import flag
from kubeyarn.simulate.simulated_app import ENDED

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.simulate.scenario import Data
    from kubeyarn.simulate.scenario_run import ScenarioRun
    from kubeyarn.simulate.simulated_app import SimulatedApp


@dataclass(frozen=True, slots=True)
class Shown:
    """What a snapshot shows only if it is asked for."""

    headroom: bool = False
    placement: bool = False
    partitions: bool = False
    nodes: bool = False


def read_shown(arguments: Data) -> Shown:
    """What an `observe` step asks for.

    Raises:
        SpecError: a key is neither true nor false.
    """
    return Shown(
        headroom=flag(arguments, "headroom", default=False),
        placement=flag(arguments, "placement", default=False),
        partitions=flag(arguments, "partitions", default=False),
        nodes=flag(arguments, "nodes", default=False),
    )


def observe(run: ScenarioRun, name: str, shown: Shown) -> Data:
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
    observed: Data = {
        "name": name,
        "apps": {
            app.name: _application(run, app, by_app.get(app.name, []), shown)
            for app in run.apps.values()
        },
        "queues": run.simulated.observe_queues(run.now_ms, partitions=shown.partitions),
        "nodes": {node: _node(run, node, held, shown) for node, held in by_node.items()},
        "preempted": [{"app": app, "count": count} for app, count in sorted(run.preempted.items())],
    }
    users = run.simulated.observe_users(run.now_ms)
    if users is not None:
        observed["users"] = users
    return observed


def _application(run: ScenarioRun, app: SimulatedApp, held: list[Container], shown: Shown) -> Data:
    used = run.simulated.types.zero()
    by_priority: dict[str, int] = {}
    for container in held:
        used = add(used, container.size)
        if not container.am:
            key = str(container.key.priority)
            by_priority[key] = by_priority.get(key, 0) + 1
    live = app.id in run.by_id
    observed: Data = {
        "state": app.state,
        "amRunning": app.running and live,
        "containers": len(held),
        "memory": used[MEMORY],
        "vcores": used[CPU],
        "pendingContainers": run.simulated.outstanding(app.id) if live else 0,
        "reservedMemory": run.simulated.reserved_memory(app.id) if live else 0,
        "byPriority": by_priority,
    }
    if shown.placement and app.state not in ENDED:
        observed["byNode"] = _by_node(held)
    if shown.headroom and app.running and live:
        observed["headroom"] = _headroom(run, app)
    if live:
        observed.update(run.simulated.application_fields(app.id))
    others = extended(used, run.simulated.types)
    if others:
        observed["resources"] = others
    if app.message:
        observed["message"] = app.message
    return observed


def _headroom(run: ScenarioRun, app: SimulatedApp) -> Data:
    free = run.scheduler.headroom(app.id)
    observed: Data = {"memory": free[MEMORY], "vcores": free[CPU]}
    others = extended(free, run.simulated.types)
    if others:
        observed["resources"] = others
    return observed


def _by_node(held: list[Container]) -> Data:
    counts = Counter(container.node for container in held)
    return dict(counts)


def _node(run: ScenarioRun, name: str, held: list[Container], shown: Shown) -> Data:
    used = run.simulated.types.zero()
    for container in held:
        used = add(used, container.size)
    observed: Data = {"usedMemory": used[MEMORY], "usedVcores": used[CPU], "containers": len(held)}
    others = extended(used, run.simulated.types)
    if others:
        observed["usedResources"] = others
    if shown.nodes:
        total = run.nodes.node(name).total
        observed["totalMemory"], observed["totalVcores"] = total[MEMORY], total[CPU]
        observed["state"] = "decommissioning" if run.nodes.is_leaving(name) else "running"
    return observed

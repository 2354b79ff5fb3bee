"""What a story shows when it is asked to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.resources import CPU, MEMORY, add
from kubeyarn.simulate.capacity import extended

if TYPE_CHECKING:
    from kubeyarn.model.containers import Container
    from kubeyarn.simulate.scenario import Data
    from kubeyarn.simulate.story import Story, StoryApp


def observe(story: Story, name: str) -> Data:
    """A snapshot of applications, queues, users, nodes and preemptions."""
    story.scheduler.after_step(story.now_ms)
    containers = story.engine.containers()
    by_app: dict[str, list[Container]] = {}
    by_node: dict[str, list[Container]] = {node: [] for node in story.nodes}
    for container in containers:
        owner = story.by_id.get(container.id.attempt.application)
        if owner is not None:
            by_app.setdefault(owner.name, []).append(container)
        by_node.setdefault(container.node, []).append(container)
    found: Data = {
        "name": name,
        "apps": {
            app.name: _application(story, app, by_app.get(app.name, []))
            for app in story.apps.values()
        },
        "queues": story.scheduler.observe_queues(story.now_ms),
        "nodes": {node: _node(story, held) for node, held in by_node.items()},
        "preempted": [
            {"app": app, "count": count} for app, count in sorted(story.preempted.items())
        ],
    }
    users = story.scheduler.observe_users(story.now_ms)
    if users is not None:
        found["users"] = users
    return found


def _application(story: Story, app: StoryApp, held: list[Container]) -> Data:
    used = story.scheduler.types.zero()
    by_priority: dict[str, int] = {}
    for container in held:
        used = add(used, container.size)
        if not container.am:
            key = str(container.key.priority)
            by_priority[key] = by_priority.get(key, 0) + 1
    live = app.id in story.by_id
    found: Data = {
        "state": app.state,
        "amRunning": app.running and live,
        "containers": len(held),
        "memory": used[MEMORY],
        "vcores": used[CPU],
        "pendingContainers": story.scheduler.outstanding(app.id) if live else 0,
        "reservedMemory": story.scheduler.reserved_memory(app.id) if live else 0,
        "byPriority": by_priority,
    }
    if live:
        found.update(story.scheduler.application_fields(app.id))
    others = extended(used, story.scheduler.types)
    if others:
        found["resources"] = others
    if app.message:
        found["message"] = app.message
    return found


def _node(story: Story, held: list[Container]) -> Data:
    used = story.scheduler.types.zero()
    for container in held:
        used = add(used, container.size)
    found: Data = {"usedMemory": used[MEMORY], "usedVcores": used[CPU], "containers": len(held)}
    others = extended(used, story.scheduler.types)
    if others:
        found["usedResources"] = others
    return found

"""Running scenarios."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kubeyarn.model.errors import ConfigRefused
from kubeyarn.policy.configuration.cluster import resource_types
from kubeyarn.policy.configuration.properties import Properties
from kubeyarn.simulate.capacity import SimulatedCapacity
from kubeyarn.simulate.observation import observe
from kubeyarn.simulate.scenario import Data, Scenario, read_scenario
from kubeyarn.simulate.story import Story
from kubeyarn.simulate.trace import Trace

if TYPE_CHECKING:
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.simulate.scheduler import SimulatedScheduler


def run_scenario(data: object) -> Data:
    """What the scheduler does in a scenario, as plain data.

    Raises:
        SpecError: the scenario itself cannot be read.
    """
    return run_traced(data)[0]


def run_traced(data: object, *, explain: bool = False) -> tuple[Data, list[str]]:
    """What the scheduler does, and in words why (only with *explain*).

    Raises:
        SpecError: the scenario itself cannot be read.
    """
    scenario = read_scenario(data)
    try:
        story = Story(scenario, _scheduler(scenario))
        if explain:
            story.trace = Trace(lambda app: _name(story, app))
        observations: list[Data] = []
        story.observe = lambda name: observations.append(_observe(story, name))
        story.begin()
    except ConfigRefused as error:
        return {"name": scenario.name, "configError": str(error)}, []
    story.run()
    found: Data = {"name": scenario.name, "observations": observations}
    if story.errors:
        found["errors"] = story.errors
    return found, story.trace.lines if story.trace else []


def _scheduler(scenario: Scenario) -> SimulatedScheduler:
    types = resource_types(Properties(scenario.config))
    if scenario.scheduler == "fair":
        from kubeyarn.simulate.fair import SimulatedFair  # noqa: PLC0415

        return SimulatedFair(types, scenario.partitions)
    return SimulatedCapacity(types, scenario.partitions)


def _name(story: Story, application: object) -> str:
    for app in story.apps.values():
        if app.id == application:
            return app.name
    return str(application)


def _observe(story: Story, name: str) -> Data:
    if story.trace is not None:
        story.trace.note(f"observed: {name}")
        for app in story.by_id.values():
            for line in waiting_lines(story, app.id):
                story.trace.note(f"{app.name} waits: {line}")
    return observe(story, name)


def waiting_lines(story: Story, application: ApplicationId) -> list[str]:
    """What stops an application's asks now, in words."""
    keys = story.scheduler.waiting_keys(application)
    verdicts = (story.engine.why(application, key, story.now_ms) for key in keys)
    return [f"{v.reason}: {v.message}" for v in verdicts if v is not None]

"""Running scenarios."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.hadoop.capacity_scheduler_xml import resource_types
from kubeyarn.hadoop.properties import Configuration
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.resources import MEMORY
from kubeyarn.simulate.capacity import SimulatedCapacity
from kubeyarn.simulate.observation import observe
from kubeyarn.simulate.plot import UseOverSteps
from kubeyarn.simulate.scenario import Data, Scenario, read_scenario
from kubeyarn.simulate.story import Story
from kubeyarn.simulate.trace import Trace

if TYPE_CHECKING:
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.simulate.scheduler import SimulatedScheduler


@dataclass(slots=True)
class Told:
    """A story that was told: the result as plain data, the trace, and what queues held."""

    result: Data
    trace: list[str]
    use: UseOverSteps


def run_scenario(data: object) -> Data:
    """What the scheduler does in a scenario, as plain data.

    Raises:
        SpecError: the scenario itself cannot be read.
    """
    return tell(data).result


def tell(data: object, *, explain: bool = False, plot: bool = False) -> Told:
    """What the scheduler does; with *explain* in words, with *plot* queue use step by step.

    Raises:
        SpecError: the scenario itself cannot be read.
    """
    scenario = read_scenario(data)
    told = Told({"name": scenario.name}, [], UseOverSteps(scenario.name))
    try:
        story = Story(scenario, _scheduler(scenario))
        if explain:
            story.trace = Trace(lambda app: _name(story, app))
            told.trace = story.trace.lines
        if plot:
            story.done = lambda step: told.use.note(step.action, _leaf_use(story))
        observations: list[Data] = []
        story.observe = lambda name: observations.append(_observe(story, name))
        story.begin()
    except ConfigRefused as error:
        told.result["configError"] = str(error)
        return told
    story.run()
    told.result["observations"] = observations
    if story.errors:
        told.result["errors"] = story.errors
    return told


def _leaf_use(story: Story) -> dict[str, int]:
    return {queue.path: queue.used[MEMORY] for queue in story.engine.queue_status() if queue.leaf}


def _scheduler(scenario: Scenario) -> SimulatedScheduler:
    types = resource_types(Configuration(scenario.config))
    if scenario.scheduler == "fair":
        from kubeyarn.simulate.fair import SimulatedFair

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

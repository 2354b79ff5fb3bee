"""The door of the simulator: a scenario in, its result out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubeyarn.hadoop.properties import Configuration
from kubeyarn.hadoop.resource_types import resource_types
from kubeyarn.model.errors import ConfigRefused
from kubeyarn.model.resources import MEMORY
from kubeyarn.simulate.capacity import SimulatedCapacity
from kubeyarn.simulate.observation import observe, read_shown
from kubeyarn.simulate.plot import UseOverSteps
from kubeyarn.simulate.scenario import Data, Scenario, Step, read_scenario, word
from kubeyarn.simulate.scenario_run import ScenarioRun
from kubeyarn.simulate.scheduler import unchanged
from kubeyarn.simulate.trace import Trace

if TYPE_CHECKING:
    from kubeyarn.model.ids import ApplicationId
    from kubeyarn.simulate.scheduler import Rewrite, SimulatedScheduler


@dataclass(frozen=True, slots=True)
class ScenarioResult:
    """What a scenario comes to.

    *answer* is plain data, as recorded scenarios have it: `observations`, `errors` of single steps,
    or `configError` where the scheduler does not start. *trace* are the decisions in words, *use*
    the memory that queues hold after each step; both are empty unless they were asked for.
    """

    answer: Data
    trace: list[str]
    use: UseOverSteps


def run_scenario(
    data: object, *, explain: bool = False, plot: bool = False, rewrite: Rewrite = unchanged
) -> ScenarioResult:
    """Run a scenario; with *explain* it is traced, with *plot* use is noted step by step.

    Each configuration goes through *rewrite* before the scheduler is told of it.

    Raises:
        SpecError: the scenario itself cannot be read.
    """
    scenario = read_scenario(data)
    answer: Data = {"name": scenario.name}
    use = UseOverSteps(scenario.name)
    trace = Trace(lambda app: _name(run, app))
    observations: list[Data] = []

    def step_done(step: Step) -> None:
        if plot:
            use.note(step.action, _leaf_use(run))

    try:
        run = ScenarioRun(
            scenario,
            _scheduler(scenario, rewrite),
            observe=lambda arguments: observations.append(_observe(run, arguments)),
            step_done=step_done,
            trace=trace if explain else None,
        )
        run.begin()
    except ConfigRefused as error:
        answer["configError"] = str(error)
        return ScenarioResult(answer, [], use)
    run.run()
    answer["observations"] = observations
    if run.errors:
        answer["errors"] = run.errors
    return ScenarioResult(answer, trace.lines, use)


def _leaf_use(run: ScenarioRun) -> dict[str, int]:
    return {queue.path: queue.used[MEMORY] for queue in run.scheduler.queue_status() if queue.leaf}


def _scheduler(scenario: Scenario, rewrite: Rewrite) -> SimulatedScheduler:
    types = resource_types(Configuration(scenario.config))
    if scenario.scheduler == "fair":
        from kubeyarn.simulate.fair import SimulatedFair

        return SimulatedFair(types, scenario.partitions, rewrite)
    return SimulatedCapacity(types, scenario.partitions, rewrite)


def _name(run: ScenarioRun, application: object) -> str:
    for app in run.apps.values():
        if app.id == application:
            return app.name
    return str(application)


def _observe(run: ScenarioRun, arguments: Data) -> Data:
    name, shown = word(arguments, "name"), read_shown(arguments)
    if run.trace is not None:
        run.trace.note(f"observed: {name}")
        for app in run.by_id.values():
            for line in _waiting_lines(run, app.id):
                run.trace.note(f"{app.name} waits: {line}")
    return observe(run, name, shown)


def _waiting_lines(run: ScenarioRun, application: ApplicationId) -> list[str]:
    """What stops an application's asks now, in words."""
    keys = run.simulated.waiting_keys(application)
    verdicts = (run.scheduler.why(application, key, run.now_ms) for key in keys)
    return [f"{v.reason}: {v.message}" for v in verdicts if v is not None]

from __future__ import annotations

import yaml

from docs.pages import ROOT, code, page
from kubeyarn.crd import scheduler_config
from kubeyarn.crd.yarn_queue import UncheckedQueue
from kubeyarn.schedulers.capacity.scheduler import CapacityScheduler
from kubeyarn.simulate.run import run_scenario

PAGE = page("docs/queues.md")


def test_the_elasticity_table_is_what_the_simulator_does() -> None:
    data = yaml.safe_load((ROOT / "docs" / "scenarios" / "elasticity.yaml").read_text())
    seen = {
        observation["name"]: [
            f"{observation['queues'][queue]['containers']} containers"
            for queue in ("root.engineering", "root.research")
        ]
        for observation in run_scenario(data).answer["observations"]
    }
    rows = PAGE.rows("### Elasticity")
    assert {code(row[0])[0]: row[1:] for row in rows} == seen


def test_the_example_tree_is_a_tree_that_is_taken() -> None:
    example = PAGE.text.partition("```yaml\n")[2].partition("```")[0]
    objects = [UncheckedQueue.read(found) for found in yaml.safe_load_all(example)]
    types = scheduler_config.resource_types(objects)
    tree = scheduler_config.read_queues(objects, types)
    assert tree.problems == ()
    assert tree.config is not None
    engine = CapacityScheduler(types)
    engine.configure(tree.config, 0)
    assert [status.path for status in engine.queue_status()] == [
        found.metadata.name for found in objects
    ]

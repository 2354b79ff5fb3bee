"""What templates say of queues that are made on demand."""

from __future__ import annotations

from kubeyarn.schedulers.capacity.auto_created_queues import wildcarded
from unit.schedulers.small import SmallCluster


def test_the_last_parts_are_wildcarded_never_root() -> None:
    assert list(wildcarded("root.a.b", 2)) == ["root.a.b", "root.a.*", "root.*.*"]
    assert list(wildcarded("root.a.b", 1)) == ["root.a.b", "root.a.*"]
    assert list(wildcarded("root", 2)) == ["root"]


def test_own_templates_win_over_wildcards_and_leaf_templates_over_common_ones() -> None:
    create = "auto-queue-creation-v2"
    cluster = SmallCluster(
        {
            "root.a.capacity": "1w",
            "root.b.capacity": "1w",
            f"root.a.{create}.enabled": "true",
            f"root.a.{create}.template.capacity": "3w",
            f"root.*.{create}.template.maximum-applications": "7",
            f"root.*.{create}.template.capacity": "9w",
            f"root.*.{create}.leaf-template.maximum-applications": "8",
            f"root.a.*.{create}.template.maximum-applications": "5",
        }
    )
    cluster.submit(1, "root.a.new")
    cluster.submit(2, "root.a.branch.leaf")
    settings = {path: queue.settings for path, queue in cluster.engine.state.queues.items()}

    assert settings["root.a.new"].maximum_applications == 8
    assert cluster.engine.state.queues["root.a.new"].shares[""].weight == 3
    assert settings["root.a.branch.leaf"].maximum_applications == 5

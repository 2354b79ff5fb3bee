"""`kubeyarn convert` as it is called."""

from __future__ import annotations

from pathlib import Path

import yaml
from click.testing import CliRunner

from kubeyarn.cli.convert import convert

FAIR = """<?xml version="1.0"?>
<allocations>
  <queue name="a"><weight>2</weight><maxResources>10240 mb, 4 vcores</maxResources></queue>
  <queue name="B_1"><queue name="x"/></queue>
</allocations>
"""


def configuration(**properties: str) -> str:
    found = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>"
        for name, value in properties.items()
    )
    return f"<configuration>{found}</configuration>"


def test_a_folder_of_hadoops_becomes_manifests(tmp_path: Path) -> None:
    start = "yarn.scheduler.capacity.root."
    (tmp_path / "capacity-scheduler.xml").write_text(
        configuration(
            **{
                f"{start}queues": "a,b",
                f"{start}a.capacity": "70",
                f"{start}b.capacity": "30",
                f"{start}b.accessible-node-labels": "gpu",
                f"{start}b.accessible-node-labels.gpu.capacity": "100",
            }
        )
    )
    (tmp_path / "yarn-site.xml").write_text(
        configuration(**{"yarn.scheduler.maximum-allocation-mb": "65536"})
    )

    done = CliRunner().invoke(convert, [str(tmp_path), "--shared-partition", "gpu"])

    root, a, b = yaml.safe_load_all(done.output)
    assert root["spec"]["cluster"]["maximumAllocation"] == {"memory": "64Gi", "cpu": "4"}
    assert root["spec"]["cluster"]["partitions"] == [{"name": "gpu", "exclusive": False}]
    assert a["metadata"]["name"] == "root.a"
    assert b["spec"]["partitions"] == [{"name": "gpu", "capacity": "100%"}]


def test_an_allocation_file_becomes_manifests_and_changed_names_are_told(tmp_path: Path) -> None:
    (tmp_path / "fair-scheduler.xml").write_text(FAIR)
    output = tmp_path / "queues.yaml"

    done = CliRunner().invoke(convert, [str(tmp_path), "-o", str(output)])

    found = {one["metadata"]["name"]: one for one in yaml.safe_load_all(output.read_text())}
    queues = [name for name, one in found.items() if one["kind"] == "YarnQueue"]
    assert queues == ["root", "root.a", "root.b-1", "root.b-1.x"]
    assert found["root"]["spec"]["cluster"]["scheduler"] == "Fair"
    assert found["root.a"]["spec"]["fair"] == {
        "weight": "2",
        "maxResources": {"memory": "10Gi", "cpu": "4"},
    }
    assert done.stderr.startswith("not carried over: root.B_1: queues: found the name 'B_1'")


def test_a_file_that_hadoop_refuses_is_refused(tmp_path: Path) -> None:
    (tmp_path / "capacity-scheduler.xml").write_text(configuration())

    done = CliRunner().invoke(convert, [str(tmp_path)])

    assert done.exit_code == 1
    assert "root has no queues" in done.output


STORY = """
name: two
nodes: [{name: n, memory: 10240, vcores: 10}]
steps:
- submit: {app: one, user: u, queue: root.a}
- request: {app: one, count: 20, memory: 1024, vcores: 1}
- settle: {}
- observe: {name: end}
"""


def conf_of(tmp_path: Path) -> Path:
    """capacity-scheduler.xml with two queues, and a story that fills the first."""
    start = "yarn.scheduler.capacity.root."
    own = {f"{start}queues": "a,b", f"{start}a.capacity": "70", f"{start}b.capacity": "30"}
    (tmp_path / "capacity-scheduler.xml").write_text(configuration(**own))
    (tmp_path / "story.yaml").write_text(STORY)
    return tmp_path


def test_a_scenario_that_ends_alike_is_no_obstacle(tmp_path: Path) -> None:
    folder = conf_of(tmp_path)

    done = CliRunner().invoke(convert, [str(folder), "--check", str(folder / "story.yaml")])

    assert done.exit_code == 0, done.output


def test_a_scenario_that_ends_otherwise_is_an_error(tmp_path: Path) -> None:
    # Names are part of the answer, and a YarnQueue cannot have this one.
    folder = conf_of(tmp_path)
    text = (folder / "capacity-scheduler.xml").read_text().replace("a,b", "a,B")
    (folder / "capacity-scheduler.xml").write_text(text.replace("root.b.", "root.B."))

    done = CliRunner().invoke(convert, [str(folder), "--check", str(folder / "story.yaml")])

    assert done.exit_code == 1
    assert "does not end with the YarnQueues as it does with the files" in done.output


def test_a_fair_scheduler_without_access_lists_stays_open(tmp_path: Path) -> None:
    (tmp_path / "fair-scheduler.xml").write_text(FAIR)
    found = list(yaml.safe_load_all(CliRunner().invoke(convert, [str(tmp_path)]).stdout))

    assert {one["kind"] for one in found} == {"YarnQueue"}
    assert "queueAccess" not in found[0]["spec"]["cluster"]


def test_a_fair_schedulers_access_lists_act_whatever_yarn_site_says(tmp_path: Path) -> None:
    # Hadoop 3.4.3 refuses everybody but alice, with yarn.acl.enable unset, too.
    (tmp_path / "fair-scheduler.xml").write_text(
        """<allocations><queue name="root">
        <aclSubmitApps> </aclSubmitApps><aclAdministerApps> </aclAdministerApps>
        <queue name="a"><aclSubmitApps>alice</aclSubmitApps></queue>
        </queue></allocations>"""
    )
    found = list(yaml.safe_load_all(CliRunner().invoke(convert, [str(tmp_path)]).stdout))
    bound = [one for one in found if one["kind"] == "ClusterRoleBinding"]

    assert found[0]["spec"]["cluster"]["queueAccess"] == "ByRole"
    assert [one["metadata"]["name"] for one in bound] == ["kubeyarn-queue-submit-root.a"]
    assert [one["name"] for one in bound[0]["subjects"]] == ["alice"]

"""Files of a launch: where they come from, where they go, and what the pod says of it."""

from __future__ import annotations

import copy

import pytest

from kubeyarn.cluster import names
from kubeyarn.crd import not_yet
from kubeyarn.resourcemanager.pods import Launch, Owner, Placed, make_pod
from unit.resourcemanager.objects import an_application, container

FILES = [
    {"path": "conf/app.yaml", "configMap": {"name": "settings", "key": "app.yaml"}},
    {"path": "key.pem", "secret": {"name": "keys", "key": "tls.key"}, "type": "File"},
]


def pod_of(spec):
    owner = Owner("wordcount", "team-a", "app-uid", "alice", "root.a")
    placed = Placed(container(2), "n1", {"memory": 2**30, "cpu": 1000}, "maps", names.ROLE_TASK)
    return make_pod(owner, placed, Launch.of({"image": "x", **spec}), "http://rm")


def main(pod):
    return pod["spec"]["containers"][0]


def mounted(pod):
    """What is mounted where, apart from what every container has: path to source."""
    sources = {v["name"]: v for v in pod["spec"]["volumes"]}
    return {
        mount["mountPath"]: (mount["subPath"], mount["readOnly"], sources[mount["name"]])
        for mount in main(pod)["volumeMounts"]
        if "subPath" in mount
    }


def test_keys_of_configmaps_and_secrets_are_files_in_the_working_directory():
    pod = pod_of({"files": FILES})

    assert main(pod)["workingDir"] == "/kubeyarn/local"
    assert mounted(pod) == {
        "/kubeyarn/local/conf/app.yaml": (
            "file",
            True,
            {
                "name": "kubeyarn-file-0",
                "configMap": {
                    "name": "settings",
                    "items": [{"key": "app.yaml", "path": "file"}],
                },
            },
        ),
        "/kubeyarn/local/key.pem": (
            "file",
            True,
            {
                "name": "kubeyarn-file-1",
                "secret": {"secretName": "keys", "items": [{"key": "tls.key", "path": "file"}]},
            },
        ),
    }


def test_a_working_directory_of_the_template_is_kept_and_the_files_go_there():
    template = {"spec": {"containers": [{"name": "main", "workingDir": "/srv"}]}}
    pod = pod_of({"files": FILES, "template": template})

    assert main(pod)["workingDir"] == "/srv"
    assert sorted(mounted(pod)) == ["/srv/conf/app.yaml", "/srv/key.pem"]
    environment = {v["name"]: v.get("value") for v in main(pod)["env"]}
    assert environment["PWD"] == "/srv"
    assert environment["LOCAL_DIRS"] == "/kubeyarn/local"


def test_a_home_that_is_said_is_kept():
    pod = pod_of({"env": [{"name": "HOME", "value": "/root"}]})

    assert [v["value"] for v in main(pod)["env"] if v["name"] == "HOME"] == ["/root"]


def test_files_do_not_change_what_was_said():
    said = {"files": copy.deepcopy(FILES)}
    pod_of(said)

    assert said == {"files": FILES}


@pytest.mark.parametrize(
    ("file", "field"),
    [
        ({"path": "d", "url": "https://example.org/d"}, "files[2].url: https://example.org/d"),
        (
            {"path": "d", "configMap": {"name": "c", "key": "d.zip"}, "type": "Archive"},
            "files[2].type: Archive",
        ),
    ],
)
def test_what_is_not_localized_yet_is_said_and_mounts_nothing(file, field):
    files = [*FILES, file]
    found = an_application(applicationMaster={"image": "x", "files": files})

    assert not_yet.not_yet("YarnApplication", found) == [f"spec.applicationMaster.{field}"]
    assert len(mounted(pod_of({"files": files}))) == 2

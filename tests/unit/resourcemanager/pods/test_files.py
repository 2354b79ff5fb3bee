"""Files of a launch: where they come from, where they go, and what the pod says of it."""

from __future__ import annotations

import copy
import json

import msgspec
import pytest

from kubeyarn.cluster import names
from kubeyarn.crd.launch import LaunchSpec
from kubeyarn.model.errors import SpecError
from kubeyarn.resourcemanager.pods.pod_builder import (
    ClusterDefaults,
    ContainerLaunchContext,
    ContainerPlacement,
    PodOwner,
    make_pod,
)
from unit.resourcemanager.objects import container

IMAGE = "kubeyarn:1"
DEFAULTS = ClusterDefaults(
    am_service="http://rm", localizer_image=IMAGE, most_stop_s=300, most_attempts=2
)
DIRECTORY = "/kubeyarn/local/container_1763850000000_0007_01_000002"
FILES = [
    {"path": "conf/app.yaml", "configMap": {"name": "settings", "key": "app.yaml"}},
    {"path": "key.pem", "secret": {"name": "keys", "key": "tls.key"}, "type": "File"},
]


def launched(spec):
    return ContainerLaunchContext.of(msgspec.convert(spec, LaunchSpec))


def pod_of(spec):
    owner = PodOwner("wordcount", "team-a", "app-uid", "alice", "root.a")
    placed = ContainerPlacement(
        container(2), "n1", {"memory": 2**30, "cpu": 1000}, "maps", names.ROLE_TASK
    )
    return make_pod(
        owner,
        placed,
        launched({"image": "x", **spec}),
        DEFAULTS,
    )


def init(pod):
    return pod["spec"]["initContainers"][0]


def arguments(pod):
    return [json.loads(text.replace("$$", "$")) for text in init(pod)["args"]]


def main(pod):
    return pod["spec"]["containers"][0]


def mounted(pod):
    """What is mounted where, apart from what every container has: path to source."""
    sources = {v["name"]: v for v in pod["spec"]["volumes"]}
    return {
        mount["mountPath"]: (mount.get("subPath", ""), mount["readOnly"], sources[mount["name"]])
        for mount in main(pod)["volumeMounts"]
        if mount["name"].startswith(("kubeyarn-file", "kubeyarn-claim", "kubeyarn-localized"))
    }


def test_keys_of_configmaps_and_secrets_are_files_in_the_working_directory():
    pod = pod_of({"files": FILES})

    assert main(pod)["workingDir"] == DIRECTORY
    assert "initContainers" not in pod["spec"]
    assert mounted(pod) == {
        f"{DIRECTORY}/conf/app.yaml": (
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
        f"{DIRECTORY}/key.pem": (
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


SHA = "a" * 64
URL = "https://example.org/data.zip?x=$(HOME)"


def test_a_url_is_fetched_by_an_init_container_and_mounted_from_where_it_put_it():
    file = {"path": "in/data", "url": URL, "sha256": SHA, "type": "Archive"}
    pod = pod_of({"files": [*FILES, file]})

    assert arguments(pod) == [
        {"path": "in/data", "to": "/kubeyarn/localized/2", "url": URL, "sha256": SHA,
         "archive": True}
    ]  # fmt: skip
    assert "$$(HOME)" in init(pod)["args"][0]
    assert mounted(pod)[f"{DIRECTORY}/in/data"] == (
        "2", True, {"name": "kubeyarn-localized", "emptyDir": {}},
    )  # fmt: skip
    assert init(pod)["volumeMounts"] == [
        {"name": "kubeyarn-localized", "mountPath": "/kubeyarn/localized"}
    ]


def test_the_init_container_is_the_first_has_no_rights_and_asks_for_what_was_granted():
    template = {"spec": {"initContainers": [{"name": "theirs"}], "containers": [{"name": "m"}]}}
    pod = pod_of({"files": [{"path": "d", "url": URL}], "template": template})

    assert [c["name"] for c in pod["spec"]["initContainers"]] == ["kubeyarn-localizer", "theirs"]
    assert init(pod)["image"] == IMAGE
    assert init(pod)["resources"] == {
        "requests": {"memory": "1Gi", "cpu": "1"},
        "limits": {"memory": "1Gi"},
    }
    security = init(pod)["securityContext"]
    assert security["runAsNonRoot"]
    assert not security["allowPrivilegeEscalation"]
    assert security["capabilities"] == {"drop": ["ALL"]}
    assert security["seccompProfile"] == {"type": "RuntimeDefault"}


def test_an_archive_in_a_configmap_is_unpacked_from_its_mounted_key():
    file = {"path": "d", "configMap": {"name": "c", "key": "d.zip"}, "type": "Archive"}
    pod = pod_of({"files": [file]})

    assert arguments(pod) == [
        {"path": "d", "to": "/kubeyarn/localized/0", "source": "/kubeyarn/sources/0",
         "archive": True}
    ]  # fmt: skip
    assert init(pod)["volumeMounts"][1] == {
        "name": "kubeyarn-file-0",
        "subPath": "file",
        "mountPath": "/kubeyarn/sources/0",
        "readOnly": True,
    }
    assert [m[0] for m in mounted(pod).values()] == ["0"]


def test_a_checksum_is_checked_wherever_the_file_is_from():
    pod = pod_of({"files": [{**FILES[0], "sha256": SHA}]})

    assert arguments(pod)[0]["sha256"] == SHA


def test_paths_of_a_claim_are_mounted_and_the_claim_is_named_once():
    def of(path, within=""):
        return {"path": path, "persistentVolumeClaim": {"name": "data", "path": within}}

    pod = pod_of({"files": [of("all"), of("one", "in/one.csv"), {**of("two", "b"), "sha256": SHA}]})
    claim = {"name": "kubeyarn-claim-0", "persistentVolumeClaim": {"claimName": "data"}}

    assert pod["spec"]["volumes"].count(claim) == 1
    assert mounted(pod)[f"{DIRECTORY}/all"] == ("", True, claim)
    assert mounted(pod)[f"{DIRECTORY}/one"] == ("in/one.csv", True, claim)
    assert init(pod)["volumeMounts"][1] == {
        "name": "kubeyarn-claim-0",
        "subPath": "b",
        "mountPath": "/kubeyarn/sources/2",
        "readOnly": True,
    }


def test_a_cluster_without_an_image_for_it_refuses_what_it_cannot_bring():
    owner = PodOwner("wordcount", "team-a", "app-uid", "alice", "root.a")
    placed = ContainerPlacement(container(2), "n1", {"memory": 2**30}, "maps", names.ROLE_TASK)
    launch = ContainerLaunchContext.of(
        msgspec.convert({"image": "x", "files": [{"path": "d", "url": URL}]}, LaunchSpec)
    )

    with pytest.raises(SpecError, match=r"d is to be fetched.*--localizer-image"):
        make_pod(owner, placed, launch, ClusterDefaults(most_stop_s=300, most_attempts=2))
    assert make_pod(
        owner,
        placed,
        ContainerLaunchContext.of(msgspec.convert({"files": FILES}, LaunchSpec)),
        ClusterDefaults(most_stop_s=300, most_attempts=2),
    )

"""Pods of granted containers, as whole objects."""

from __future__ import annotations

import copy
from dataclasses import replace

import msgspec
import pytest

from kubeyarn.cluster import names
from kubeyarn.cluster.pod_requests import pod_requests
from kubeyarn.crd.launch import LaunchSpec
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.resourcemanager.pods.pod_builder import (
    ClusterDefaults,
    ContainerLaunchContext,
    ContainerPlacement,
    PodOwner,
    make_pod,
)
from unit.resourcemanager.objects import APP, container

OWNER = PodOwner(
    "wordcount", "team-a", "app-uid", "alice", "root.engineering.etl", 1763850000000, 3
)
SIZE = {"memory": 1536 * 2**20, "cpu": 1000}
RM = "http://10.96.0.5:8030"
DEFAULTS = ClusterDefaults(am_service=RM, most_stop_s=300, most_attempts=2)
DIRECTORY = "/kubeyarn/local/container_1763850000000_0007_01_000002"


def placed(number=2, role=names.ROLE_TASK, size=SIZE, epoch=0):
    return ContainerPlacement(container(number, epoch), "n1", size, "maps", role)


def pod_of(launch, role=names.ROLE_TASK, size=SIZE):
    return make_pod(OWNER, placed(role=role, size=size), launch, DEFAULTS)


def environment(pod):
    return {v["name"]: v.get("value", v.get("valueFrom")) for v in main(pod)["env"]}


def main(pod):
    return pod["spec"]["containers"][0]


def test_a_task_pod_is_made_as_yarn_decides():
    pod = pod_of(ContainerLaunchContext(image="words:1", command=("python",), args=("-m", "map")))

    script = pod["metadata"]["annotations"].pop("kubeyarn.io/launch-script")
    assert script.endswith(f"cd {DIRECTORY}\nexec python -m map\n")
    assert pod == {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "wordcount-01-000002",
            "namespace": "team-a",
            "labels": {
                "app.kubernetes.io/managed-by": "kubeyarn",
                "app.kubernetes.io/part-of": "wordcount",
                "app.kubernetes.io/component": "container",
                "kubeyarn.io/application": "wordcount",
                "kubeyarn.io/attempt": "1",
                "kubeyarn.io/role": "task",
                "kubeyarn.io/execution-type": "Guaranteed",
                "kubeyarn.io/queue": "root.engineering.etl",
            },
            "annotations": {
                "kubeyarn.io/application": "wordcount",
                "kubeyarn.io/application-id": "application_1763850000000_0007",
                "kubeyarn.io/container-id": "container_1763850000000_0007_01_000002",
                "kubeyarn.io/queue": "root.engineering.etl",
                "kubeyarn.io/user": "alice",
                "kubeyarn.io/request": "maps",
            },
            "ownerReferences": [
                {
                    "apiVersion": "kubeyarn.io/v1alpha1",
                    "kind": "YarnApplication",
                    "name": "wordcount",
                    "uid": "app-uid",
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "restartPolicy": "Never",
            "terminationGracePeriodSeconds": 5,
            "schedulerName": "kubeyarn",
            "automountServiceAccountToken": False,
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {
                                "matchFields": [
                                    {"key": "metadata.name", "operator": "In", "values": ["n1"]}
                                ]
                            }
                        ]
                    }
                }
            },
            "containers": [
                {
                    "name": "main",
                    "image": "words:1",
                    "command": ["python"],
                    "args": ["-m", "map"],
                    "workingDir": DIRECTORY,
                    "env": [
                        {"name": "CONTAINER_ID", "value": "container_1763850000000_0007_01_000002"},
                        {"name": "APPLICATION_ID", "value": "application_1763850000000_0007"},
                        {"name": "APP_ATTEMPT", "value": "appattempt_1763850000000_0007_000001"},
                        {"name": "USER", "value": "alice"},
                        {"name": "LOGNAME", "value": "alice"},
                        {"name": "LOCAL_DIRS", "value": "/kubeyarn/local"},
                        {"name": "LOG_DIRS", "value": "/kubeyarn/logs"},
                        {"name": "PWD", "value": DIRECTORY},
                        {"name": "NM_PORT", "value": "10250"},
                        {"name": "NM_HTTP_PORT", "value": "10250"},
                        {
                            "name": "NM_HOST",
                            "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}},
                        },
                        {
                            "name": "POD_IP",
                            "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}},
                        },
                        {"name": "HOME", "value": "/kubeyarn/local"},
                    ],
                    "resources": {
                        "requests": {"memory": "1536Mi", "cpu": "1"},
                        "limits": {"memory": "1536Mi"},
                    },
                    "volumeMounts": [
                        {"name": "kubeyarn-local", "mountPath": "/kubeyarn/local"},
                        {
                            "name": "kubeyarn-local",
                            "mountPath": DIRECTORY,
                            "subPath": "container_1763850000000_0007_01_000002",
                        },
                        {"name": "kubeyarn-logs", "mountPath": "/kubeyarn/logs"},
                        {
                            "name": "kubeyarn-script",
                            "mountPath": f"{DIRECTORY}/launch_container.sh",
                            "subPath": "launch_container.sh",
                            "readOnly": True,
                        },
                    ],
                }
            ],
            "volumes": [
                {"name": "kubeyarn-local", "emptyDir": {}},
                {"name": "kubeyarn-logs", "emptyDir": {}},
                {
                    "name": "kubeyarn-script",
                    "downwardAPI": {
                        "defaultMode": 0o555,
                        "items": [
                            {
                                "path": "launch_container.sh",
                                "fieldRef": {
                                    "fieldPath": "metadata.annotations['kubeyarn.io/launch-script']"
                                },
                            }
                        ],
                    },
                },
            ],
        },
    }


def test_an_am_pod_has_besides_the_rms_address_and_its_token():
    task = pod_of(ContainerLaunchContext(image="words:1"))
    am = pod_of(ContainerLaunchContext(image="words:1"), role=names.ROLE_AM)

    assert am["metadata"]["labels"]["app.kubernetes.io/component"] == "applicationmaster"
    assert am["metadata"]["labels"]["kubeyarn.io/role"] == "am"
    assert {k: v for k, v in environment(am).items() if k not in environment(task)} == {
        "APP_SUBMIT_TIME_ENV": "1763850000000",
        "MAX_APP_ATTEMPTS": "3",
        "KUBEYARN_RM": RM,
        "KUBEYARN_TOKEN_FILE": "/var/run/secrets/kubeyarn.io/token",
    }
    assert am["spec"]["volumes"][2:-1] == [
        {
            "name": "kubeyarn-token",
            "projected": {
                "sources": [
                    {
                        "serviceAccountToken": {
                            "audience": "kubeyarn-am",
                            "expirationSeconds": 3600,
                            "path": "token",
                        }
                    }
                ],
                "defaultMode": 0o444,
            },
        }
    ]
    assert [m for m in main(am)["volumeMounts"] if m["name"] == "kubeyarn-token"] == [
        {
            "name": "kubeyarn-token",
            "mountPath": "/var/run/secrets/kubeyarn.io",
            "readOnly": True,
        }
    ]


TEMPLATE = {
    "metadata": {"labels": {"team": "etl"}, "annotations": {"note": "kept"}},
    "spec": {
        "serviceAccountName": "etl",
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "volumes": [{"name": "data", "emptyDir": {}}],
        "affinity": {
            "podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": []},
            "nodeAffinity": {
                "preferredDuringSchedulingIgnoredDuringExecution": [{"weight": 1}],
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [
                        {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}]},
                        {
                            "matchFields": [
                                {"key": "metadata.name", "operator": "NotIn", "values": ["n9"]}
                            ]
                        },
                    ]
                },
            },
        },
        "containers": [
            {
                "name": "mapper",
                "image": "theirs:2",
                "env": [{"name": "LANG", "value": "C"}],
                "resources": {
                    "requests": {"memory": "9Gi", "ephemeral-storage": "0"},
                    "limits": {"cpu": "2", "ephemeral-storage": "1Gi"},
                },
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            },
            {"name": "sidecar", "image": "logs:1"},
        ],
    },
}


def test_a_template_is_kept_and_what_yarn_decides_is_laid_over_it():
    pod = pod_of(ContainerLaunchContext(template=TEMPLATE))
    spec = pod["spec"]

    assert pod["metadata"]["labels"]["team"] == "etl"
    assert pod["metadata"]["annotations"]["note"] == "kept"
    assert spec["serviceAccountName"] == "etl"
    assert "automountServiceAccountToken" not in spec
    assert spec["tolerations"] == TEMPLATE["spec"]["tolerations"]
    assert [v["name"] for v in spec["volumes"]] == [
        "data", "kubeyarn-local", "kubeyarn-logs", "kubeyarn-script",
    ]  # fmt: skip
    assert spec["containers"][1] == {"name": "sidecar", "image": "logs:1"}
    assert main(pod)["name"] == "mapper"
    assert main(pod)["image"] == "theirs:2"
    assert environment(pod)["LANG"] == "C"
    assert [m["mountPath"] for m in main(pod)["volumeMounts"]] == [
        "/data", "/kubeyarn/local", DIRECTORY, "/kubeyarn/logs", f"{DIRECTORY}/launch_container.sh",
    ]  # fmt: skip
    assert main(pod)["resources"] == {
        "requests": {"memory": "1536Mi", "cpu": "1", "ephemeral-storage": "0"},
        "limits": {"cpu": "2", "memory": "1536Mi", "ephemeral-storage": "1Gi"},
    }
    # The sidecar has no limit of its own.
    assert spec["resources"] == {
        "requests": {"memory": "1536Mi", "cpu": "1"},
        "limits": {"memory": "1536Mi"},
    }


@pytest.mark.parametrize("terms", [[], [{}], [{"matchExpressions": []}]])
def test_a_template_that_matches_no_node_matches_none_when_it_is_pinned(terms):
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    template = {"spec": {"affinity": {"nodeAffinity": required}}}

    affinity = pod_of(ContainerLaunchContext(template=template))["spec"]["affinity"]

    found = affinity["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
    assert found == {"nodeSelectorTerms": [{} for _ in terms]}


def test_every_required_node_affinity_term_is_pinned_because_terms_are_alternatives():
    affinity = pod_of(ContainerLaunchContext(template=TEMPLATE))["spec"]["affinity"]
    pin = {"key": "metadata.name", "operator": "In", "values": ["n1"]}
    given = TEMPLATE["spec"]["affinity"]

    assert affinity["podAntiAffinity"] == given["podAntiAffinity"]
    node = affinity["nodeAffinity"]
    assert node["preferredDuringSchedulingIgnoredDuringExecution"] == [{"weight": 1}]
    assert node["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"] == [
        {
            "matchExpressions": [{"key": "zone", "operator": "In", "values": ["a"]}],
            "matchFields": [pin],
        },
        {
            "matchFields": [
                {"key": "metadata.name", "operator": "NotIn", "values": ["n9"]},
                pin,
            ]
        },
    ]


def test_a_template_is_never_changed():
    before = copy.deepcopy(TEMPLATE)
    pod_of(ContainerLaunchContext(image="x", env=({"name": "A", "value": "1"},), template=TEMPLATE))

    assert before == TEMPLATE


def test_the_short_form_wins_over_the_template():
    launch = ContainerLaunchContext(
        "mine:1", ("run",), ("it",), ({"name": "LANG", "value": "de"},), TEMPLATE
    )
    pod = pod_of(launch)

    assert (main(pod)["image"], main(pod)["command"], main(pod)["args"]) == (
        "mine:1", ["run"], ["it"],
    )  # fmt: skip
    # The kubelet takes the last of equal names.
    assert environment(pod)["LANG"] == "de"


@pytest.mark.parametrize("name", ["CONTAINER_ID", "USER", "NM_HOST", "POD_IP"])
def test_yarns_environment_cannot_be_overridden(name):
    theirs = {"name": name, "value": "forged"}
    template = {"spec": {"containers": [{"name": "main", "env": [theirs]}]}}
    pod = pod_of(ContainerLaunchContext(env=(theirs,), template=template))

    assert environment(pod)[name] != "forged"
    assert [v["name"] for v in main(pod)["env"]].count(name) == 1


def test_what_the_user_says_may_refer_to_yarns_variables_which_stand_before_it():
    said = {"name": "WORK", "value": "$(LOCAL_DIRS)/$(CONTAINER_ID)"}
    order = [v["name"] for v in main(pod_of(ContainerLaunchContext(env=(said,))))["env"]]

    assert order[-1] == "WORK"
    assert {"LOCAL_DIRS", "CONTAINER_ID", "NM_HOST"} <= set(order[:-1])


def test_labels_and_annotations_of_yarn_cannot_be_forged():
    forged = {
        "labels": {"kubeyarn.io/role": "am"},
        "annotations": {"kubeyarn.io/container-id": "container_1_0001_01_000001"},
    }
    pod = pod_of(ContainerLaunchContext(template={"metadata": forged}))

    assert pod["metadata"]["labels"]["kubeyarn.io/role"] == "task"
    assert pod["metadata"]["annotations"]["kubeyarn.io/container-id"] == str(container(2))


def test_a_template_says_nothing_below_kubeyarn_io():
    ours = {"kubeyarn.io/queue": "root.other", "kubeyarn.io/fake-run-seconds": "5", "team": "a"}
    launch = ContainerLaunchContext(
        image="words:1",
        # Its script is too long to be kept, so nothing of ours would overwrite this one.
        args=("x" * 70_000,),
        template={"metadata": {"labels": ours, "annotations": {"kubeyarn.io/launch-script": "x"}}},
    )
    owner = PodOwner("wordcount", "team-a", "app-uid", "alice", "root." + "q" * 80)
    pod = make_pod(owner, placed(), launch, DEFAULTS)

    labels = pod["metadata"]["labels"]
    assert "kubeyarn.io/queue" not in labels
    assert (labels["kubeyarn.io/fake-run-seconds"], labels["team"]) == ("5", "a")
    assert "kubeyarn.io/launch-script" not in pod["metadata"]["annotations"]


def test_a_template_cannot_choose_the_restart_policy():
    pod = pod_of(ContainerLaunchContext(template={"spec": {"restartPolicy": "Always"}}))

    assert pod["spec"]["schedulerName"] == "kubeyarn"
    assert pod["spec"]["restartPolicy"] == "Never"


def test_a_pod_requests_what_was_granted_whatever_its_template_has():
    beside = {"name": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "250m"}}}
    spec = {"initContainers": [beside], "overhead": {"cpu": "50m", "memory": "64Mi"}}
    fetched = {"path": "f", "url": "https://example.org/f"}
    defaults = replace(DEFAULTS, localizer_image="kubeyarn:1")
    pod = make_pod(
        OWNER,
        placed(),
        ContainerLaunchContext(image="x", template={"spec": spec}, files=(fetched,)),
        defaults,
    )

    assert [c["name"] for c in pod["spec"]["initContainers"]] == ["kubeyarn-localizer", "s"]
    assert main(pod)["resources"]["requests"] == {"cpu": "700m", "memory": "1472Mi"}
    assert pod_requests(pod) == SIZE


def test_extended_resources_are_requests_and_limits():
    size = {"memory": 2**30, "cpu": 500, "nvidia.com/gpu": 2, "licence/x": 0}

    assert main(pod_of(ContainerLaunchContext(image="x"), size=size))["resources"] == {
        "requests": {"memory": "1Gi", "cpu": "500m", "nvidia.com/gpu": "2"},
        "limits": {"memory": "1Gi", "nvidia.com/gpu": "2"},
    }


def test_a_long_queue_is_an_annotation_only():
    owner = PodOwner("wordcount", "team-a", "u", "alice", "root." + "q" * 70)
    pod = make_pod(owner, placed(), ContainerLaunchContext(image="x"), DEFAULTS)

    assert "kubeyarn.io/queue" not in pod["metadata"]["labels"]
    assert pod["metadata"]["annotations"]["kubeyarn.io/queue"] == "root." + "q" * 70


@pytest.mark.parametrize("name", ["a", "w" * 47, "w" * 253, "a.b-" * 40, "x" * 43 + "." * 20 + "y"])
@pytest.mark.parametrize("epoch", [0, 3, 120])
def test_pod_names_fit_a_label_and_are_always_the_same(name, epoch):
    of = ContainerId(AttemptId(APP, 12), epoch, 1234567)
    made = names.pod_name(name, of)

    assert len(made) <= 63
    assert made == names.pod_name(name, of)
    assert made.endswith(f"-12{'' if not epoch else f'e{epoch:02d}'}-1234567")
    assert not made.startswith(("-", "."))
    assert ".-" not in made


def test_pods_of_different_containers_have_different_names():
    one = AttemptId(APP, 1)
    made = [
        names.pod_name("wordcount", of)
        for of in (
            ContainerId(one, 0, 2),
            ContainerId(one, 0, 3),
            ContainerId(one, 1, 2),
            ContainerId(AttemptId(APP, 2), 0, 2),
        )
    ]

    assert made == [
        "wordcount-01-000002",
        "wordcount-01-000003",
        "wordcount-01e01-000002",
        "wordcount-02-000002",
    ]


def test_labels_of_long_application_names_are_cut_and_annotations_are_not():
    owner = PodOwner("w" * 60 + "-.-" + "x" * 40, "team-a", "u", "alice", "root.a")
    pod = make_pod(owner, placed(), ContainerLaunchContext(image="x"), DEFAULTS)

    assert pod["metadata"]["labels"]["kubeyarn.io/application"] == "w" * 60
    assert pod["metadata"]["annotations"]["kubeyarn.io/application"] == owner.name
    assert pod["metadata"]["ownerReferences"][0]["name"] == owner.name


def test_a_launch_is_read_from_a_spec_with_nothing_in_it():
    assert ContainerLaunchContext.of(LaunchSpec()) == ContainerLaunchContext()
    launch = msgspec.convert({"env": [{"name": "A"}]}, LaunchSpec)
    env = ({"name": "A", "value": ""},)
    assert ContainerLaunchContext.of(launch) == ContainerLaunchContext(env=env)


def test_another_application_with_the_same_number_has_other_ids():
    other = ContainerId(AttemptId(ApplicationId(1, 7), 1), 0, 2)

    assert str(other) != str(container(2))

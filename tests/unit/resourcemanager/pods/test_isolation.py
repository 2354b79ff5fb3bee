"""Executors: what a pod becomes under each, and what each refuses."""

from __future__ import annotations

import copy
import os

import pytest

from kubeyarn.model.errors import SpecError
from kubeyarn.resourcemanager.pods.isolation import Executors, UserIds, isolate, read_user_ids
from kubeyarn.resourcemanager.pods.user_ids import UserIdsFile

IDS = UserIds({"alice": (2001, 3000)})
ALL = Executors(trusted=("registry.example.org", "python", "team/words:1"), ids=IDS)


def a_pod(image="registry.example.org/words:1", **spec):
    return {
        "initContainers": [{"name": "init", "image": image}],
        "containers": [
            {"name": "main", "image": image, "securityContext": {"runAsUser": 0}},
            {"name": "sidecar", "image": image},
        ],
        **spec,
    }


def isolated(executor, executors=ALL, user="alice", **spec):
    pod = a_pod(**spec)
    isolate(pod, executor, user, executors)
    return pod


def test_the_default_executor_leaves_a_pod_as_it_is_written():
    privileged = a_pod(hostNetwork=True)
    privileged["containers"][0]["securityContext"] = {"privileged": True}
    before = copy.deepcopy(privileged)
    isolate(privileged, "Default", "alice", ALL)

    assert privileged == before


def test_linux_runs_every_container_as_the_user_with_no_privilege():
    pod = isolated("Linux", securityContext={"fsGroup": 5})
    identity = {"runAsUser": 2001, "runAsGroup": 3000, "runAsNonRoot": True}
    seccomp = {"seccompProfile": {"type": "RuntimeDefault"}}

    groups = {"fsGroup": 3000, "supplementalGroupsPolicy": "Strict"}
    assert pod["securityContext"] == {**groups, **identity, **seccomp}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            **identity,
            **seccomp,
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        }


def test_docker_runs_a_trusted_image_as_whoever_it_says():
    context = isolated("Docker")["containers"][0]["securityContext"]

    assert context == {
        "runAsUser": 0,
        "allowPrivilegeEscalation": False,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def reaching(**context):
    pod = a_pod()
    pod["containers"][1]["securityContext"] = context
    return {"containers": pod["containers"]}


@pytest.mark.parametrize("executor", ["Linux", "Docker"])
@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"hostNetwork": True}, "hostNetwork"),
        ({"hostPID": True}, "hostPID"),
        ({"hostIPC": True}, "hostIPC"),
        ({"volumes": [{"emptyDir": {}}, {"hostPath": {"path": "/"}}]}, "volumes[1].hostPath"),
        ({"securityContext": {"supplementalGroups": [0]}}, "securityContext.supplementalGroups"),
        (reaching(privileged=True), "containers[1].securityContext.privileged"),
        (
            reaching(capabilities={"add": ["SYS_ADMIN"]}),
            "containers[1].securityContext.capabilities.add",
        ),
        (reaching(procMount="Unmasked"), "containers[1].securityContext.procMount"),
        (
            reaching(appArmorProfile={"type": "Unconfined"}),
            "containers[1].securityContext.appArmorProfile",
        ),
        (
            reaching(seLinuxOptions={"type": "spc_t"}),
            "containers[1].securityContext.seLinuxOptions",
        ),
        (
            {"securityContext": {"windowsOptions": {"hostProcess": True}}},
            "securityContext.windowsOptions.hostProcess",
        ),
        (
            {"securityContext": {"sysctls": [{"name": "a", "value": "b"}]}},
            "securityContext.sysctls",
        ),
        (
            {"containers": [{"name": "m", "ports": [{}, {"hostPort": 80}]}]},
            "containers[0].ports[1].hostPort",
        ),
    ],
    ids=lambda found: found if isinstance(found, str) else "",
)
def test_what_reaches_beyond_the_pod_is_refused_by_its_field(executor, spec, field):
    with pytest.raises(SpecError) as refused:
        isolated(executor, **spec)

    assert str(refused.value) == (
        f"template.spec.{field}: is not allowed with the executor {executor}"
    )


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.org/any/thing@sha256:abc",
        "docker.io/team/words:1",
        "team/words:1",
    ],
)
def test_an_image_of_the_list_is_trusted(image):
    isolated("Docker", image=image)


@pytest.mark.parametrize(
    "image",
    [
        "registry.example.org.evil.com/x",
        "registry.example.orgx/x",
        "team/words:2",
        "team/wordsx",
        "registry.example.org:5000/x",
        "evil/registry.example.org/x",
        "words",
    ],
)
def test_an_image_that_is_not_in_the_list_is_refused(image):
    with pytest.raises(SpecError, match="not trusted; allowed with the executor Docker"):
        isolated("Docker", image=image)


def test_names_of_docker_hub_mean_the_same_however_long_they_are():
    for entry in ("library/python", "docker.io/library/python"):
        isolated("Docker", Executors(trusted=(entry,)), image="python:3")


def test_nothing_is_trusted_where_nothing_is_said():
    with pytest.raises(SpecError, match="none, see --trusted-images"):
        isolated("Docker", Executors())


def test_the_first_allowed_executor_is_that_of_who_names_none_and_others_are_refused():
    linux = Executors(allowed=("Linux",), ids=IDS)

    assert isolated("", linux)["securityContext"]["runAsUser"] == 2001
    with pytest.raises(SpecError, match="found Default, allowed in this cluster: Linux"):
        isolated("Default", linux)


def test_a_user_who_is_not_listed_always_has_the_same_uid_and_never_a_systems_one():
    ids = UserIds()

    assert ids.of("bob") == ids.of("bob") == UserIds({"alice": (1, 1)}).of("bob")
    assert ids.of("bob") != ids.of("carol")
    assert all(1_000_000 <= ids.of(f"u{n}")[0] < 1_001_000_000 for n in range(100))


def test_uids_are_read_from_lines():
    assert read_user_ids("# ours\nalice = 2001\n\nbob=2002:3000 # his\n") == {
        "alice": (2001, 2001),
        "bob": (2002, 3000),
    }


@pytest.mark.parametrize("line", ["alice", "alice=", "alice=x", "=1", "alice=1:x", "alice=0"])
def test_a_line_that_says_no_uid_is_named(line):
    with pytest.raises(SpecError, match=r"line 2: found .*allowed: USER=UID"):
        read_user_ids(f"\n{line}")


def test_the_file_is_read_again_when_it_changes_and_kept_when_it_breaks(tmp_path):
    path = tmp_path / "ids"
    file = UserIdsFile(str(path))
    with pytest.raises(SpecError, match="cannot be read from"):
        file.ids()
    path.write_text("alice=2001")
    assert file.ids().of("alice") == (2001, 2001)
    path.write_text("alice=2002")
    os.utime(path, ns=(1, 1))
    assert file.ids().of("alice") == (2002, 2002)
    path.write_text("nonsense")
    assert file.ids().of("alice") == (2002, 2002)
    path.unlink()
    assert file.ids().of("alice") == (2002, 2002)
    assert UserIdsFile("").ids().given == {}


def test_linux_gives_no_group_but_the_users_own():
    merged = {"supplementalGroupsPolicy": "Merge"}
    pod = isolated("Linux", securityContext=merged)

    assert pod["securityContext"]["supplementalGroupsPolicy"] == "Strict"
    # Volumes are not handed over where nobody asks for it.
    assert "fsGroup" not in pod["securityContext"]


@pytest.mark.parametrize("executor", ["Linux", "Docker"])
@pytest.mark.parametrize("profile", ["unconfined", "localhost/mine"])
def test_no_annotation_takes_a_container_out_of_apparmor(executor, profile):
    key = "container.apparmor.security.beta.kubernetes.io/main"
    with pytest.raises(SpecError, match=r"annotations: found container\.apparmor.*main, which"):
        isolate(a_pod(), executor, "alice", ALL, {key: profile})
    isolate(a_pod(), "Default", "alice", ALL, {key: profile})


def test_docker_mounts_no_image_that_is_not_trusted():
    def mounts(reference):
        return {"volumes": [{"name": "v", "image": {"reference": reference}}]}

    isolated("Docker", **mounts("registry.example.org/data:1"))
    with pytest.raises(SpecError, match=r"volumes\[0\]\.image\.reference: found evil/data:1"):
        isolated("Docker", **mounts("evil/data:1"))

"""The environment that a container starts with."""

from __future__ import annotations

import pytest

from kubeyarn.resourcemanager.pods import environment
from kubeyarn.resourcemanager.pods.environment import AMContext
from unit.resourcemanager.objects import container

DIRECTORY = "/kubeyarn/local/here"
AM = AMContext(submitted_ms=1763850000000, max_attempts=3, am_service="http://rm:8030")


def variables(am=None, *theirs):
    found = environment.variables(container(2), "alice", DIRECTORY, am, theirs)
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in found}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CONTAINER_ID", "container_1763850000000_0007_01_000002"),
        ("APPLICATION_ID", "application_1763850000000_0007"),
        ("APP_ATTEMPT", "appattempt_1763850000000_0007_000001"),
        ("USER", "alice"),
        ("LOGNAME", "alice"),
        ("HOME", "/kubeyarn/local"),
        ("LOCAL_DIRS", "/kubeyarn/local"),
        ("LOG_DIRS", "/kubeyarn/logs"),
        ("PWD", DIRECTORY),
        ("NM_HOST", {"fieldRef": {"fieldPath": "spec.nodeName"}}),
        ("NM_PORT", "10250"),
        ("NM_HTTP_PORT", "10250"),
        ("POD_IP", {"fieldRef": {"fieldPath": "status.podIP"}}),
    ],
)
def test_every_container_has_yarns_variables(name, value):
    assert variables()[name] == variables(AM)[name] == value


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_SUBMIT_TIME_ENV", "1763850000000"),
        ("MAX_APP_ATTEMPTS", "3"),
        ("KUBEYARN_RM", "http://rm:8030"),
        ("KUBEYARN_TOKEN_FILE", "/var/run/secrets/kubeyarn.io/token"),
    ],
)
def test_an_am_has_besides_what_it_needs_to_reach_us(name, value):
    assert variables(AM)[name] == value
    assert name not in variables()


@pytest.mark.parametrize(
    ("said", "name", "value"),
    [
        pytest.param({"name": "USER", "value": "root"}, "USER", "alice", id="ours cannot be said"),
        pytest.param({"name": "HOME", "value": "/tmp"}, "HOME", "/tmp", id="HOME may be said"),
        pytest.param({"name": "LANG", "value": "de"}, "LANG", "de", id="others are theirs"),
        pytest.param(
            {"name": "NM_HOST", "value": "elsewhere"},
            "NM_HOST",
            {"fieldRef": {"fieldPath": "spec.nodeName"}},
            id="nor those that the kubelet fills in",
        ),
    ],
)
def test_what_the_user_says_never_replaces_what_yarn_says(said, name, value):
    assert variables(None, said)[name] == value


def test_an_am_of_its_own_word_may_not_name_another_resourcemanager():
    assert variables(AM, {"name": "KUBEYARN_RM", "value": "http://evil"})["KUBEYARN_RM"] == (
        "http://rm:8030"
    )


def test_yarns_variables_stand_first_so_that_others_may_refer_to_them():
    said = {"name": "MINE", "value": "$(CONTAINER_ID)"}
    found = environment.variables(container(2), "alice", DIRECTORY, None, [said])

    assert found[-1] == said

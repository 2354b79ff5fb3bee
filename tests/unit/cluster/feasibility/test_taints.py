"""Kubernetes' rules of taints and tolerations."""

from __future__ import annotations

import pytest

from kubeyarn.cluster.feasibility.taints import Taint, Toleration, untolerated

GPU = Taint("gpu", "a100", "NoSchedule")
OLD = Taint("old", "", "NoExecute")
LEVEL = Taint("level", "95", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "taint", "tolerates"),
    [
        pytest.param(Toleration("gpu", "Equal", "a100"), GPU, True, id="Equal: key and value"),
        pytest.param(Toleration("gpu", "", "a100"), GPU, True, id="no operator means Equal"),
        pytest.param(Toleration("gpu", "Equal", "h200"), GPU, False, id="Equal: another value"),
        pytest.param(Toleration("cpu", "Equal", "a100"), GPU, False, id="Equal: another key"),
        pytest.param(Toleration("old", "Equal"), OLD, True, id="Equal: no value"),
        pytest.param(Toleration("gpu", "Exists"), GPU, True, id="Exists: any value"),
        pytest.param(Toleration("cpu", "Exists"), GPU, False, id="Exists: another key"),
        pytest.param(Toleration("", "Exists"), GPU, True, id="Exists: an empty key is every key"),
        pytest.param(Toleration("", "Exists", "", "NoExecute"), GPU, False, id="only that effect"),
        pytest.param(Toleration("gpu", "Exists", "", "NoSchedule"), GPU, True, id="that effect"),
        pytest.param(Toleration("gpu", "Exists", "", "NoExecute"), GPU, False, id="other effect"),
        pytest.param(Toleration("old", "Exists"), OLD, True, id="an empty effect is every effect"),
        pytest.param(Toleration("level", "Gt", "90"), LEVEL, True, id="Gt: the taint has more"),
        pytest.param(Toleration("level", "Gt", "95"), LEVEL, False, id="Gt: the taint has as many"),
        pytest.param(Toleration("level", "Lt", "99"), LEVEL, True, id="Lt: the taint has less"),
        pytest.param(Toleration("level", "Lt", "95"), LEVEL, False, id="Lt: the taint has as many"),
        pytest.param(Toleration("level", "Gt", "090"), LEVEL, False, id="Gt: no zeros before"),
        pytest.param(Toleration("level", "Gt", "-1"), LEVEL, True, id="Gt: below zero"),
        pytest.param(Toleration("gpu", "Gt", "1"), GPU, False, id="Gt: the taint is no number"),
        pytest.param(Toleration("gpu", "In", "a100"), GPU, False, id="an unknown operator"),
    ],
)
def test_what_a_toleration_tolerates(toleration, taint, tolerates):
    assert toleration.tolerates(taint) is tolerates


@pytest.mark.parametrize(
    ("effect", "keeps_off"),
    [("NoSchedule", True), ("NoExecute", True), ("PreferNoSchedule", False)],
)
def test_which_effects_keep_a_pod_off(effect, keeps_off):
    taint = Taint("x", "", effect)

    assert untolerated([taint], []) == [taint] * keeps_off


def test_each_taint_must_be_tolerated():
    assert untolerated([GPU, OLD], [Toleration("gpu", "Exists")]) == [OLD]
    assert untolerated([GPU, OLD], [Toleration("gpu", "Exists"), Toleration("old")]) == []


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("node.kubernetes.io/disk-pressure", True),
        ("node.cloudprovider.kubernetes.io/shutdown", True),
        ("node-role.kubernetes.io/control-plane", False),
    ],
)
def test_which_taints_tell_of_a_condition(key, told):
    assert Taint(key, "", "NoSchedule").is_of_a_condition is told


def test_a_taint_is_shown_as_kubectl_shows_it():
    assert (str(GPU), str(OLD)) == ("gpu=a100:NoSchedule", "old:NoExecute")

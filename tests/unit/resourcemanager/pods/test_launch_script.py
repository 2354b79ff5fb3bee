"""The launch script says what Kubernetes runs, and runs the same."""

from __future__ import annotations

import subprocess

import pytest

from kubeyarn.resourcemanager.pods.launch_script import LONGEST, script


def run(env, command, args=(), directory="/"):
    text = script(env, directory, command, args)
    done = subprocess.run(
        ["/bin/sh", "-c", text],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def said(name, value):
    return {"name": name, "value": value}


@pytest.mark.parametrize(
    ("value", "means"),
    [
        ("plain", "plain"),
        ('it\'s $HOME `id` "x"\nnext', 'it\'s $HOME `id` "x"\nnext'),
        ("$(A)/$(B)", "one/two words"),
        ("x$(A)'y'", "xone'y'"),
        ("$$(A)", "$(A)"),
        ("$(NOBODY)", "$(NOBODY)"),
        ("100$", "100$"),
    ],
)
def test_variables_and_arguments_mean_what_kubernetes_makes_of_them(value, means):
    env = [said("A", "one"), said("B", "two words"), said("C", value)]

    assert run(env, ["sh", "-c", 'printf %s "$C"']) == means
    assert run(env, ["printf", "%s"], [value]) == means


def test_a_variable_refers_to_earlier_ones_only():
    assert run([said("A", "$(B)"), said("B", "b")], ["sh", "-c", 'printf %s "$A"']) == "$(B)"


def test_it_runs_in_the_working_directory(tmp_path):
    assert run([], ["pwd"], directory=str(tmp_path)).strip() == str(tmp_path)


def test_what_comes_from_elsewhere_is_named_and_not_set():
    text = script([{"name": "NM_HOST", "valueFrom": {}}, said("a-b", "c")], "/", ["true"], [])

    assert "# NM_HOST is in the environment.\n# a-b is in the environment.\n" in text


def test_an_images_own_command_is_not_guessed():
    text = script([], "/w", [], ["--fast"])

    assert text.endswith("cd /w\n# The image's own command, with: --fast\n")


def test_what_is_too_long_for_an_annotation_is_left_out():
    assert script([said("A", "x" * LONGEST)], "/", ["true"], []) == ""

"""The distributed shell's ApplicationMaster against the AM service's contract."""

from __future__ import annotations

import json

import pytest

from wire.am.test_wordcount import run_python

MODULE = "kubeyarn.examples.distributedshell"
MARK = "DISTRIBUTEDSHELL RESULT "


async def shell(rm, *args: str) -> tuple[int, str, dict]:
    code, output = await run_python(MODULE, *args, env=rm.env())
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    return code, output, json.loads(lines[-1].removeprefix(MARK)) if lines else {}


async def test_every_container_runs_the_command_once(rm, tmp_path):
    command = f"echo $CONTAINER_ID > {tmp_path}/out-$YARN_SHELL_ID-$WHO"
    code, output, result = await shell(
        rm, "--shell-command", command, "--num-containers", "6", "--shell-env", "WHO=me"
    )

    assert code == 0, output
    assert result == {"total": 6, "completed": 6, "failed": 0, "retries": 0}
    written = {p.name: p.read_text().strip() for p in tmp_path.glob("out-*")}
    assert set(written) == {f"out-{n}-me" for n in range(1, 7)}
    assert set(written.values()) == set(rm.containers)
    assert rm.finished["finalStatus"] == "SUCCEEDED"


async def test_hadoops_spelling_works(rm):
    code, output, _ = await shell(
        rm,
        *("-shell_command", "true", "-num_containers", "2", "-container_memory", "64"),
        *("-container_vcores", "1", "-priority", "5"),
    )

    assert code == 0, output
    asked = [ask for verb, body in rm.calls if verb == "allocate" for ask in body["asks"]]
    assert asked[0]["priority"] == 5
    assert asked[0]["count"] == 2
    assert asked[0]["resources"] == {"cpu": "1", "memory": "64Mi"}


async def test_a_command_that_fails_fails_the_application_and_the_others_still_run(rm):
    code, output, result = await shell(
        rm, "--shell-command", "test $YARN_SHELL_ID != 2", "--num-containers", "3"
    )

    assert code == 1, output
    assert result == {"total": 3, "completed": 3, "failed": 1, "retries": 1}
    assert rm.finished["finalStatus"] == "FAILED"
    assert "total=3, completed=3, failed=1" in rm.finished["diagnostics"]


@pytest.mark.parametrize(
    ("policy", "containers"),
    [
        (("RETRY_ON_ALL_ERRORS", "--container-max-retries", "2"), 3),
        (
            (
                *("RETRY_ON_SPECIFIC_ERROR_CODES", "--container-max-retries", "2"),
                *("--container-retry-error-codes", "9,7"),
            ),
            3,
        ),
        (
            (
                *("RETRY_ON_SPECIFIC_ERROR_CODES", "--container-max-retries", "2"),
                *("--container-retry-error-codes", "8"),
            ),
            1,
        ),
        (("NEVER_RETRY", "--container-max-retries", "2"), 1),
    ],
    ids=["all errors", "its code", "another code", "never"],
)
async def test_a_failed_command_is_tried_again_as_the_policy_says(rm, policy, containers):
    code, output, _ = await shell(
        rm, "--shell-command", "exit 7", "--container-retry-policy", *policy
    )

    assert code == 1, output
    assert len(rm.containers) == containers


@pytest.mark.parametrize(
    ("args", "said"),
    [
        ((), "shell-command"),
        (("--shell-command", "x", "--num-containers", "0"), "'0', expected a whole number"),
        (("--shell-command", "x", "--shell-env", "A"), "'A', expected NAME=VALUE"),
        (
            ("--shell-command", "x", "--container-retry-policy", "RETRY_ON_SPECIFIC_ERROR_CODES"),
            "needs --container-retry-error-codes",
        ),
    ],
)
async def test_a_wrong_command_line_exits_with_2(rm, args, said):
    code, output, _ = await shell(rm, *args)

    assert code == 2
    assert said in output

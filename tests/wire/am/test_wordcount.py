"""The word count's ApplicationMaster against the AM service's contract, containers as processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path

import pytest

from wire.am.fakerm import FakeContainer, FakeResourceManager

MARK = "WORDCOUNT RESULT "
TEXTS = {
    "a.txt": "the cat and the dog\n" * 400,
    "aa.txt": "of cats and dogs\n" * 400,
    "b.txt": "Straße und STRASSE, 12 cats2dogs\n" * 300,
    "sub/c.txt": "the the the end",
    "sub/empty.txt": "",
}


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    root = tmp_path / "texts"
    for name, text in TEXTS.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


async def run_python(*args: str, env: dict[str, str] | None = None) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        *args,
        env={**os.environ, **(env or {})},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        output, _ = await process.communicate()
    except asyncio.CancelledError:
        process.kill()
        raise
    return process.returncode, output.decode()


async def word_count(*args: str, rm: FakeResourceManager | None = None) -> tuple[int, str, dict]:
    env = rm.env() if rm is not None else {}
    code, output = await run_python("kubeyarn.examples.wordcount", *args, env=env)
    lines = [line for line in output.splitlines() if line.startswith(MARK)]
    return code, output, json.loads(lines[-1].removeprefix(MARK)) if lines else {}


def counted(result: dict) -> dict:
    """What must not depend on how it was counted."""
    return {name: value for name, value in result.items() if name != "run"}


async def until(condition, what: str) -> None:
    for _ in range(600):
        if condition():
            return
        await asyncio.sleep(0.05)
    raise AssertionError(f"did not come: {what}")


async def test_the_containers_count_what_one_process_counts(rm, texts):
    """The whole standard library would do as well; see the e2e tests."""
    code, output, result = await word_count(
        "--input", str(texts), "--maps", "3", "--reduces", "2", rm=rm
    )

    _, _, local = await word_count("--local", "--input", str(texts))
    assert code == 0, output
    assert counted(result) == counted(local)
    assert result["words"] == 400 * 9 + 300 * 5 + 4
    assert result["top"][0] == ["the", 803]
    assert rm.finished["finalStatus"] == "SUCCEEDED"
    assert rm.progress == sorted(rm.progress)
    assert rm.progress[-1] > 0.8


async def test_input_files_of_the_image_are_read_inside_the_containers(rm):
    code, output, result = await word_count("--maps", "2", "--reduces", "1", rm=rm)

    _, _, local = await word_count("--local")
    assert code == 0, output
    assert counted(result) == counted(local)
    assert result["words"] > 100_000


@pytest.mark.parametrize("how", ["killed", "lost"])
@pytest.mark.parametrize("kind", ["map", "reduce"])
async def test_a_task_that_is_taken_away_is_asked_for_again_and_changes_nothing(
    rm, texts, kind, how
):
    victims: list[FakeContainer] = []

    async def kill_the_first(container: FakeContainer) -> None:
        if kind in container.launch["command"] and not victims:
            victims.append(container)
            await asyncio.sleep(0.2)
            rm.kill(container) if how == "killed" else rm.lose(container)

    rm.on_launch = kill_the_first
    delays = ("--map-delay", "0.5", "--reduce-delay", "0.5")
    code, output, result = await word_count(
        "--input", str(texts), "--maps", "3", "--reduces", "2", *delays, rm=rm
    )

    _, _, local = await word_count("--local", "--input", str(texts))
    assert code == 0, output
    assert victims[0].exit_status == (137 if how == "killed" else -100)
    assert counted(result) == counted(local)
    assert result["run"]["retries"] == 1
    assert len(rm.containers) == result["run"]["maps"] + 2 + 1


async def test_a_container_that_dies_after_it_handed_in_its_result_is_not_counted_twice(rm, texts):
    """The result of a container counts only if the container itself ended well."""
    struck: list[str] = []

    async def fail_late(container: FakeContainer) -> None:
        if "map" in container.launch["command"] and not struck:
            struck.append(container.id)
            container.says = 137

    rm.on_launch = fail_late
    code, output, result = await word_count("--input", str(texts), "--maps", "3", rm=rm)

    _, _, local = await word_count("--local", "--input", str(texts))
    assert code == 0, output
    assert counted(result) == counted(local)
    assert result["run"]["retries"] == 1


async def test_a_restarted_resourcemanager_changes_nothing_in_the_result(rm, texts):
    rm.slots = 2
    running = asyncio.create_task(
        word_count(
            *("--input", str(texts), "--maps", "5", "--reduces", "2"),
            *("--map-delay", "1", "--reduce-delay", "1"),
            rm=rm,
        )
    )
    await until(lambda: len(rm.running("map")) == 2, "two maps")
    await rm.restart(down_s=1.5)
    await until(lambda: rm.running("reduce"), "a reduce")
    await rm.restart(down_s=0.2)
    code, output, result = await running

    _, _, local = await word_count("--local", "--input", str(texts))
    assert code == 0, output
    assert counted(result) == counted(local)
    assert result["run"]["registrations"] == 3
    assert result["run"]["retries"] == 0
    assert len(rm.containers) == result["run"]["maps"] + 2


async def test_a_map_that_always_fails_ends_the_application_as_failed(rm, tmp_path):
    async def kill_maps(container: FakeContainer) -> None:
        rm.kill(container)

    rm.on_launch = kill_maps
    (tmp_path / "one.txt").write_text("one")
    code, output, result = await word_count(
        "--input", str(tmp_path / "one.txt"), "--max-attempts", "2", rm=rm
    )

    assert code == 1, output
    assert result == {}
    assert len(rm.containers) == 2
    assert rm.finished["finalStatus"] == "FAILED"
    assert "map-00000" in rm.finished["diagnostics"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--input", "/no/such/file"), "/no/such/file: no such file"),
        (("--map-memory", "999Gi"), "found 999Gi, allowed 8Gi"),
        (("--map-memory", "much"), "'much', must be a quantity"),
    ],
    ids=["missing input", "an ask the RM refuses", "no quantity"],
)
async def test_bad_settings_fail_the_application_with_a_reason(rm, args, said):
    code, output, _ = await word_count(*args, rm=rm)

    assert code == 1, output
    assert rm.finished["finalStatus"] == "FAILED"
    assert said in rm.finished["diagnostics"]


@pytest.mark.parametrize("args", [("--maps", "0"), ("--maps", "x"), ("--map-delay", "nan")])
async def test_a_wrong_command_line_exits_with_2(args):
    code, output, _ = await word_count(*args)

    assert code == 2
    assert "expected" in output


async def test_outside_a_container_it_says_what_is_missing():
    code, output, _ = await word_count()

    assert code == 1
    assert "KUBEYARN_RM" in output

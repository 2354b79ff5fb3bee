"""The distributed shell's command line, with the names Hadoop's has."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass

from kubeyarn.am.taskbook import Retry

NEVER = "NEVER_RETRY"
ALWAYS = "RETRY_ON_ALL_ERRORS"
ON_CODES = "RETRY_ON_SPECIFIC_ERROR_CODES"


@dataclass(frozen=True, slots=True)
class ShellOptions:
    """What runs, how often, in containers of which size."""

    command: str
    env: dict[str, str]
    containers: int
    resources: dict[str, str]
    priority: int
    image: str
    retry: Retry


def parse(argv: Sequence[str]) -> ShellOptions:
    """Read the command line; exits with 2 when it is wrong."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.container_retry_policy == ON_CODES and not arguments.container_retry_error_codes:
        parser.error(f"{ON_CODES} needs --container-retry-error-codes")
    return ShellOptions(
        command=" ".join([arguments.shell_command, *arguments.shell_args]),
        env=dict(arguments.shell_env),
        containers=arguments.num_containers,
        resources={"cpu": arguments.container_vcores, "memory": arguments.container_memory},
        priority=arguments.priority,
        image=arguments.image,
        retry=_retry(
            arguments.container_retry_policy,
            arguments.container_max_retries,
            arguments.container_retry_error_codes,
        ),
    )


def _retry(policy: str, most: int, codes: frozenset[int]) -> Retry:
    if policy == NEVER:
        return Retry(failures=1)
    # Hadoop: -1 tries again for ever.
    failures = most + 1 if most >= 0 else 1_000_000_000
    return Retry(failures=failures, codes=codes if policy == ON_CODES else None)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m kubeyarn.examples.distributedshell",
        description="Runs one shell command in N containers; run it as the ApplicationMaster of "
        "a YarnApplication. Hadoop's spelling of the options (-num_containers) works as well.",
        allow_abbrev=False,
    )

    def add(name: str, **how: object) -> None:
        spellings = {f"--{name}", f"--{name.replace('-', '_')}", f"-{name.replace('-', '_')}"}
        parser.add_argument(*sorted(spellings, reverse=True), **how)  # type: ignore[arg-type]

    add("shell-command", required=True, metavar="COMMAND", help="run by sh -c in each container")
    add("shell-args", nargs="*", default=[], metavar="ARG", help="words added to the command")
    add("shell-env", action="append", default=[], type=_pair, metavar="NAME=VALUE")
    add("num-containers", type=_count, default=1, metavar="N", help="default 1")
    add("container-memory", type=_memory, default="64Mi", metavar="QUANTITY", help="or MiB")
    add("container-vcores", default="1", metavar="QUANTITY", help="default 1")
    add("priority", type=_priority, default=0, metavar="N", help="of the containers, default 0")
    add("image", default="", help="default: the ApplicationMaster's own")
    add("container-retry-policy", choices=[NEVER, ALWAYS, ON_CODES], default=NEVER)
    add("container-max-retries", type=int, default=0, metavar="N", help="-1: for ever")
    add("container-retry-error-codes", type=_codes, default=frozenset(), metavar="N,N")
    return parser


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected NAME=VALUE")
    return name, value


def _count(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text) or int(text) < 1:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number, 1 to 999999")
    return int(text)


def _priority(text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError(f"found {text!r}, expected a whole number, 0 or more")
    return int(text)


def _memory(text: str) -> str:
    return f"{text}Mi" if re.fullmatch(r"[0-9]+", text) else text


def _codes(text: str) -> frozenset[int]:
    try:
        return frozenset(int(code) for code in text.split(","))
    except ValueError:
        raise argparse.ArgumentTypeError(f"found {text!r}, expected exit codes: 1,2,137") from None

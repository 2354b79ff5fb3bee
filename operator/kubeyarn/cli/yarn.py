"""`kubectl yarn`: YARN's own commands for those who know them, as a kubectl plugin.

Each command is a module with a table `COMMAND`; only the one that is used is loaded. Exit status:
0 done, 1 failed, 2 wrong usage.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module

from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_kubectl import Kubectl, KubectlError
from kubeyarn.cli.yarn_words import Command, UsageError, read, usage
from kubeyarn.crd.decoding import ObjectUnreadable

# YARN's names, and the modules of this package that they live in.
COMMANDS = {
    "application": "yarn_applications",
    "applicationattempt": "yarn_attempt",
    "container": "yarn_container",
    "queue": "yarn_queue",
    "node": "yarn_node",
    "logs": "yarn_logs",
}
ALIASES = {"app": "application"}


def main(argv: Sequence[str] | None = None) -> int:
    """Run `kubectl yarn` with *argv* (default: the process's); returns the exit status."""
    words = list(sys.argv[1:] if argv is None else argv)
    try:
        return _run(words)
    except UsageError as error:
        print(f"error: {printing.harmless(error)}", file=sys.stderr)
        return 2
    except (KubectlError, ObjectUnreadable) as error:
        print(f"error: {printing.harmless(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # Whoever read us has seen enough (| head).
        sys.stderr.close()
        return 0


def _run(words: list[str]) -> int:
    if not words or words[0].lstrip("-") in ("h", "help"):
        print(_overview())
        return 0 if words else 2
    command = _command(words[0])
    verb, request = read(command, words[1:])
    if request.has("help"):
        print(usage(command))
        return 0
    return verb.run(Kubectl(request.options), request)


def _command(word: str) -> Command:
    name = ALIASES.get(word, word)
    if name not in COMMANDS:
        known = ", ".join((*COMMANDS, *ALIASES))
        raise UsageError(f"unknown command {word!r}, must be one of {known}")
    command: Command = import_module(f"kubeyarn.cli.{COMMANDS[name]}").COMMAND
    return command


def _overview() -> str:
    lines = ["kubectl yarn <command>, with YARN's commands and options:", ""]
    lines += [f"  {name:<20}{_command(name).help}" for name in COMMANDS]
    lines += ["", "kubectl yarn <command> -help says more."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())

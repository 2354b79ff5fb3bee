"""`python -m kubeyarn.examples.distributedshell`: the ApplicationMaster of the shell."""

from __future__ import annotations

import asyncio
import json
import logging
import sys

from kubeyarn.am.errors import AmError, InvalidAskError, InvalidRequestError, TasksFailedError
from kubeyarn.am.master import ApplicationMaster
from kubeyarn.am.runner import TaskRunner
from kubeyarn.am.taskbook import TaskBook, TaskOutcome
from kubeyarn.am.wire import FAILED, SUCCEEDED, AskKey, AskShape, Container, Launch
from kubeyarn.examples.distributedshell.options import ShellOptions, parse

log = logging.getLogger("distributedshell")
MARK = "DISTRIBUTEDSHELL RESULT "


async def run(options: ShellOptions) -> int:
    """Run the command in all containers; returns 0 if it ended well in each."""
    book = TaskBook([str(n) for n in range(1, options.containers + 1)], options.retry)
    async with ApplicationMaster.from_env() as am:
        log.info("registered as %s in %s", am.registration.attempt_id, am.registration.queue)
        try:
            await _run(am, book, options)
        except (TasksFailedError, InvalidAskError, InvalidRequestError) as error:
            summary = f"{_summary(book)}; {error}"
            log.critical("%s", summary)
            await am.unregister(FAILED, summary)
            return 1
        finally:
            print(f"{MARK}{json.dumps(_numbers(book), sort_keys=True)}", flush=True)
        await am.unregister(SUCCEEDED, _summary(book))
    return 0


async def _run(am: ApplicationMaster, book: TaskBook, options: ShellOptions) -> None:
    shape = AskShape(AskKey(options.priority, 0), options.resources)

    def launch(shell_id: str, container: Container) -> Launch:
        return Launch(
            container.id,
            command=["sh", "-c", options.command],
            # Hadoop: DSConstants' YARN_SHELL_ID.
            env={**options.env, "YARN_SHELL_ID": shell_id},
            image=options.image,
        )

    def on_end(_shell_id: str, _container: Container, _outcome: TaskOutcome) -> None:
        am.set_progress((len(book.done) + len(book.given_up)) / book.total)

    log.info("asking for %d containers", book.total)
    await TaskRunner(am, book, shape, launch, on_end=on_end, keep_going=True).run()


def _numbers(book: TaskBook) -> dict[str, int]:
    return {
        "total": book.total,
        "completed": len(book.done) + len(book.given_up),
        "failed": len(book.given_up),
        "retries": book.retries,
    }


def _summary(book: TaskBook) -> str:
    return ", ".join(f"{name}={number}" for name, number in _numbers(book).items())


def main() -> int:
    """Run what the command line asks for; returns the exit status."""
    options = parse(sys.argv[1:])
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        return asyncio.run(run(options))
    except AmError as error:
        log.critical("%s: %s", type(error).__name__, error)
        return 1


if __name__ == "__main__":
    sys.exit(main())

"""`python -m kubeyarn.examples.wordcount`: ApplicationMaster, map or reduce, or all in one."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence


def main(argv: Sequence[str]) -> int:
    """Run what *argv* asks for; returns the exit status."""
    if list(argv) in (["map"], ["reduce"]):
        return _task(argv[0])
    from kubeyarn.examples.wordcount import options, result, splits

    chosen = options.parse(argv)
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s"
    )
    if not chosen.local:
        from kubeyarn.examples.wordcount import master

        return master.main(chosen)
    try:
        result.count_locally(chosen.inputs, chosen.result)
    except (splits.InputError, OSError) as error:
        print(f"wordcount: {error}", file=sys.stderr)
        return 1
    return 0


def _task(kind: str) -> int:
    """Run a map or a reduce; tell the ApplicationMaster if it fails."""
    from kubeyarn.am.errors import AmError
    from kubeyarn.am.task import Task
    from kubeyarn.examples.wordcount import worker

    try:
        task = Task.from_env()
        print(f"{task.id} in {task.container_id}", flush=True)
        worker.run(task, kind)
    except AmError as error:
        print(f"{kind}: {error}", file=sys.stderr)
        return 1
    except Exception as error:
        task.fail(f"{type(error).__name__}: {error}")
        raise
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

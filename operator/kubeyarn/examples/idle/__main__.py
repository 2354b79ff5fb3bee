"""`python -m kubeyarn.examples.idle [--seconds N]`: registers, waits, unregisters.

It keeps an application running whose containers come from ContainerRequests that someone wrote
by hand.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys

from kubeyarn.am.errors import AmError
from kubeyarn.am.master import ApplicationMaster


async def run(seconds: float) -> None:
    """Stay registered for *seconds*.

    Raises:
        AmError: the ResourceManager ended the conversation first.
    """
    async with ApplicationMaster.from_env() as am:
        logging.info("registered as %s in %s", am.registration.attempt_id, am.registration.queue)
        loop = asyncio.get_running_loop()
        began = loop.time()
        while (gone := loop.time() - began) < seconds:
            am.set_progress(gone / seconds)
            try:
                async with asyncio.timeout(min(1.0, seconds - gone)):
                    await am.next_events()
            except TimeoutError:
                continue


def main() -> int:
    """Run; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m kubeyarn.examples.idle", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="how long (default 300)")
    arguments = parser.parse_args()
    if not 0 <= arguments.seconds <= 31_536_000:
        parser.error(f"--seconds: found {arguments.seconds}, expected 0 to 31536000 (a year)")
    logging.basicConfig(
        level=logging.INFO, stream=sys.stdout, format="%(asctime)s %(levelname)s %(message)s"
    )
    try:
        asyncio.run(run(arguments.seconds))
    except AmError as error:
        logging.critical("%s: %s", type(error).__name__, error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

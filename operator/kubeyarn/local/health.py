"""Asks components whether they are well."""

from __future__ import annotations

import http.client
import socket
import ssl
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

from kubeyarn.local.errors import LocalClusterError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from kubeyarn.local.processes import Component, Components

_ANSWER_TIMEOUT_SECONDS = 3.0
_POLL_SECONDS = 0.05


def healthy(component: Component, authority: Path) -> bool:
    """Whether a component lives and, where it can be asked, says that it is well."""
    if component.process is None or not component.process.alive:
        return False
    if component.health.startswith("unix:"):
        return _accepts(component.health.removeprefix("unix:"))
    return not component.health or _answers(component.health, authority)


def wait_until(
    claim: Callable[[], bool], what: str, timeout_s: float, check: Callable[[], None] | None = None
) -> None:
    """Wait until a claim is true; *check* may raise to end the wait early.

    Raises LocalClusterError, naming what was waited for, when the time is over.
    """
    deadline = time.monotonic() + timeout_s
    while not claim():
        if check is not None:
            check()
        if time.monotonic() > deadline:
            raise LocalClusterError(f"{what}: not so after {timeout_s:.0f} s")
        time.sleep(_POLL_SECONDS)


def wait_healthy(components: Components, name: str, authority: Path, timeout_s: float) -> None:
    """Wait until a component is well.

    Raises LocalClusterError with the end of its log when it ended or the time is over.
    """

    def must_live() -> None:
        process = components.get(name).process
        if process is None or not process.alive:
            raise LocalClusterError(f"{name} ended:\n{components.log_tail(name)}")

    try:
        wait_until(
            lambda: healthy(components.get(name), authority),
            f"{name} healthy",
            timeout_s,
            must_live,
        )
    except LocalClusterError as error:
        if "ended" in str(error):
            raise
        raise LocalClusterError(f"{error}\n{components.log_tail(name)}") from error


def _accepts(path: str) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        try:
            client.connect(path)
        except OSError:
            return False
    return True


def _answers(url: str, authority: Path) -> bool:
    context = ssl.create_default_context(cafile=str(authority)) if "https:" in url else None
    # No proxy of the user's environment stands between this machine and itself.
    handlers: list[urllib.request.BaseHandler] = [urllib.request.ProxyHandler({})]
    if context is not None:
        handlers.append(urllib.request.HTTPSHandler(context=context))
    try:
        opener = urllib.request.build_opener(*handlers)
        with opener.open(url, timeout=_ANSWER_TIMEOUT_SECONDS) as answer:
            return bool(answer.status == 200)
    except (OSError, http.client.HTTPException):
        return False

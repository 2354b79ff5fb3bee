"""The conversation of an ApplicationMaster with the ResourceManager, running.

What is said when is decided by `state.AmState`; here are the heartbeat, the waiting and the
trying again. A ResourceManager that restarts is not an event: calls wait for it, the
ApplicationMaster registers again and says everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable, Iterable
from dataclasses import replace

from kubeyarn.am import wire
from kubeyarn.am.errors import (
    AlreadyRegisteredError,
    AmError,
    ApplicationNotFoundError,
    AttemptEndedError,
    NotRegisteredError,
    UnauthorizedError,
    UnavailableError,
)
from kubeyarn.am.retry_policy import beat_pause_s
from kubeyarn.am.settings import Settings
from kubeyarn.am.state import AmState, Event
from kubeyarn.am.transport import Transport

log = logging.getLogger("kubeyarn.am")


class Conversation:
    """Calls, and the heartbeat between them.

    *hello* is what registering says; *publish* takes the events that come; *is_over* is called
    when the heartbeat gives up, for *failure*.
    """

    def __init__(
        self,
        transport: Transport,
        hello: wire.Json,
        settings: Settings,
        state: AmState,
        publish: Callable[[Iterable[Event]], None],
        is_over: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._hello = hello
        self._settings = settings
        self._state = state
        self._publish = publish
        self._is_over = is_over
        self._lost_answers = 0
        self._turned = asyncio.Condition()
        self._wake = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None
        self.registrations = 0
        self.failure: Exception | None = None

    async def begin(self) -> None:
        """Register and start the heartbeat.

        Raises:
            AmError: the ResourceManager refused, or could not be reached.
        """
        try:
            await self._register()
        except BaseException:
            await self._transport.close()
            raise
        self._beating = asyncio.create_task(self._beat(), name="kubeyarn-am-heartbeat")

    async def end(self) -> None:
        """Stop the heartbeat and close the way to the ResourceManager."""
        await self.stop_beating()
        await self._transport.close()

    def wake(self) -> None:
        """There is something to say: the next heartbeat comes at once."""
        self._wake.set()

    async def said(self, verb: str, body: wire.Json) -> wire.Json:
        """Call *verb*; if the RM restarted, be registered again first and then call it again."""
        while True:
            before = self.registrations
            try:
                return await self._patiently(verb, body)
            except NotRegisteredError:
                await self._be_registered_again(before)

    async def finish(self, body: wire.Json) -> None:
        """Unregister, until the ResourceManager has stored it; the heartbeat must have stopped."""
        said = False
        while True:
            try:
                if wire.is_unregistered(await self.said("finish", body)):
                    return
                said = True
            except (AttemptEndedError, ApplicationNotFoundError):
                # The RM stored the final status and forgot the attempt before it could answer.
                if not said:
                    raise
                return
            await asyncio.sleep(self._settings.finish_poll_s)

    async def stop_beating(self) -> None:
        """Say nothing any more by itself."""
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
            self._beating = None
            await self._turn()

    async def _be_registered_again(self, before: int) -> None:
        """Wait for the heartbeat to register again, or do it here if none runs.

        While a heartbeat runs only it registers: an allocate that is under way would otherwise
        reach the new registration with the old one's response id.
        """
        self._wake.set()
        async with self._turned:
            await self._turned.wait_for(lambda: self._may_go_on(before))
        if self.failure is not None:
            raise self.failure
        if self.registrations == before:
            await self._register()

    def _may_go_on(self, before: int) -> bool:
        failed = self.failure is not None
        return self.registrations != before or failed or self._beating is None

    async def _register(self) -> None:
        self._lost_answers = 0
        try:
            answer = wire.registration(await self._patiently("register", self._hello))
        except AlreadyRegisteredError:
            answer = self._registered_unheard()
        self._publish(self._state.registered(answer))
        self.registrations += 1
        if self.registrations > 1:
            log.warning("registered again: the ResourceManager had restarted")
        self._wake.set()
        await self._turn()

    async def _turn(self) -> None:
        async with self._turned:
            self._turned.notify_all()

    def _registered_unheard(self) -> wire.Registration:
        """What holds when an earlier try registered us, but its answer was lost on the way."""
        if self._lost_answers == 0:
            raise AmError(
                "the ResourceManager says that this attempt has registered already: another "
                "process of this attempt is, or was, its ApplicationMaster"
            )
        known = self._state.registration or wire.Registration()
        return replace(known, containers=(), previous=(), response_id=0)

    async def _patiently(self, verb: str, body: wire.Json) -> wire.Json:
        """Call *verb* until somebody answers, within `Settings.retry_policy`."""
        policy = self._settings.retry_policy
        loop = asyncio.get_running_loop()
        until = loop.time() + policy.total_s
        failures = refusals = 0
        while True:
            try:
                return await self._transport.call(verb, body)
            except UnavailableError as error:
                failures, refusals = failures + 1, 0
                if verb == "register":
                    self._lost_answers += 1
                if loop.time() >= until:
                    raise
                _report(verb, failures, error)
            except UnauthorizedError as error:
                failures, refusals = failures + 1, refusals + 1
                if refusals >= policy.unauthorized_tries:
                    raise
                _report(verb, failures, error)
            await asyncio.sleep(policy.pause_s(failures, random.random()))

    async def _beat(self) -> None:
        try:
            beats = 0
            while True:
                beats = 0 if self._wake.is_set() else beats + 1
                self._wake.clear()
                await self._allocate()
                pause = beat_pause_s(beats, self._settings.heartbeat_s)
                # Not wait_for: Python 3.11's swallows a cancellation that comes with the wake.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for events
            log.warning("the conversation with the ResourceManager is over: %s", error)
            self.failure = error
            self._is_over()
            await self._turn()

    async def _allocate(self) -> None:
        request = self._state.allocate_request()
        try:
            body = await self._patiently("allocate", request.to_wire())
        except NotRegisteredError:
            await self._register()
        else:
            self._publish(self._state.answered(wire.allocate_answer(body)))


def _report(verb: str, failures: int, error: AmError) -> None:
    if failures in (1, 10) or failures % 100 == 0:
        log.warning("%s: %s; trying again", verb, error)

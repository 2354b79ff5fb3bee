"""An ApplicationMaster's calls to the ResourceManager: the heartbeat, and trying again.

`state.AmState` decides what a heartbeat says. This module calls, and keeps two promises:

- *Only one allocate is under way.* The heartbeat is one task, and while it runs nobody else
  registers: an allocate of the old registration would otherwise meet the new one with a response id
  that it does not know.
- *A restart of the ResourceManager is no event.* A call that is answered "not registered" waits
  until the heartbeat has registered again, and is made once more. Registering tells the whole
  state, so nothing of before is lost.

A call that nobody answers may have been heard. So each can be repeated: allocate by its response
id, containers by their ids, finish because the first one counts, register by
`_lost_registration`.
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
from kubeyarn.am.retry_policy import heartbeat_pause_s
from kubeyarn.am.settings import Settings
from kubeyarn.am.state import AmState, Event
from kubeyarn.am.transport import Transport

log = logging.getLogger("kubeyarn.am")


class Conversation:
    """Calls, and the heartbeat between them.

    *hello* is the body of the call to register; *publish* takes the events that come; *is_over* is
    called when the heartbeat gives up, for *failure*.
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
        self._heartbeat_task: asyncio.Task[None] | None = None
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
        # Only now: a heartbeat before the registration would be refused as not registered.
        self._heartbeat_task = asyncio.create_task(self._heartbeat(), name="kubeyarn-am-heartbeat")

    async def end(self) -> None:
        """Stop the heartbeat and close the connection to the ResourceManager."""
        await self.stop_heartbeat()
        await self._transport.close()

    def wake(self) -> None:
        """Have the next heartbeat come at once, because there is something to tell."""
        self._wake.set()

    async def call(self, verb: str, body: wire.Json) -> wire.Json:
        """Call *verb*; if the ResourceManager restarted, wait until registered, and call again."""
        while True:
            # Taken before the call: a registration that happens while the refusal is on its way
            # counts.
            before = self.registrations
            try:
                return await self._call_with_retries(verb, body)
            except NotRegisteredError:
                await self._wait_for_registration(before)

    async def finish(self, body: wire.Json) -> None:
        """Unregister until the ResourceManager has stored it; stop the heartbeat before."""
        answered = False
        while True:
            try:
                if wire.is_unregistered(await self.call("finish", body)):
                    return
                answered = True
            except (AttemptEndedError, ApplicationNotFoundError):
                # The RM stored the final status and forgot the attempt before it could answer.
                if not answered:
                    raise
                return
            await asyncio.sleep(self._settings.finish_poll_s)

    async def stop_heartbeat(self) -> None:
        """Stop the heartbeat: from now on only calls register."""
        if self._heartbeat_task is not None:
            self._heartbeat_task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._heartbeat_task
            self._heartbeat_task = None
            await self._turn()

    async def _wait_for_registration(self, before: int) -> None:
        """Wait for the heartbeat to register again, or register here if none runs."""
        self._wake.set()
        async with self._turned:
            await self._turned.wait_for(lambda: self._may_go_on(before))
        if self.failure is not None:
            raise self.failure
        # Nobody else does it: the heartbeat was stopped, because the application is about to
        # unregister.
        if self.registrations == before:
            await self._register()

    def _may_go_on(self, before: int) -> bool:
        failed = self.failure is not None
        return self.registrations != before or failed or self._heartbeat_task is None

    async def _register(self) -> None:
        self._lost_answers = 0
        try:
            answer = wire.registration(await self._call_with_retries("register", self._hello))
        except AlreadyRegisteredError:
            answer = self._lost_registration()
        # Before the count goes up: who waits for it may ask at once, and must find the new state.
        self._publish(self._state.registered(answer))
        self.registrations += 1
        if self.registrations > 1:
            log.warning("registered again: the ResourceManager had restarted")
        self._wake.set()
        await self._turn()

    async def _turn(self) -> None:
        async with self._turned:
            self._turned.notify_all()

    def _lost_registration(self) -> wire.Registration:
        """The registration whose answer was lost; the first allocate tells what it said."""
        # No call of ours went unanswered, so it was not us who registered.
        if self._lost_answers == 0:
            raise AmError(
                "the ResourceManager says that this attempt has registered already: another "
                "process of this attempt is, or was, its ApplicationMaster"
            )
        known = self._state.registration or wire.Registration()
        # What the lost answer said is not known, but a session begins at response 0 in any case.
        return replace(known, containers=(), previous=(), response_id=0)

    async def _call_with_retries(self, verb: str, body: wire.Json) -> wire.Json:
        """Call *verb* until somebody answers, within `Settings.retry_policy`."""
        policy = self._settings.retry_policy
        loop = asyncio.get_running_loop()
        until = loop.time() + policy.total_s
        failures = refusals = 0
        while True:
            try:
                return await self._transport.call(verb, body)
            except UnavailableError as error:
                # Only refusals in a row count: the token of a pod is renewed in its file by the
                # kubelet, and one that has just run out is refused for as long as the file is old.
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

    async def _heartbeat(self) -> None:
        try:
            beats = 0
            while True:
                # Cleared before the call and not after: what is asked while the call is under way
                # is in no request yet, and has to wake the loop once more.
                beats = 0 if self._wake.is_set() else beats + 1
                self._wake.clear()
                await self._allocate()
                pause = heartbeat_pause_s(beats, self._settings.heartbeat_s)
                # Not wait_for: Python 3.11's swallows a cancellation that comes with the wake.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        await self._wake.wait()
        except Exception as error:  # noqa: BLE001 - handed to whoever waits for events
            log.warning("the conversation with the ResourceManager is over: %s", error)
            self.failure = error
            # Readers of events wait without a timeout, so they have to be told.
            self._is_over()
            await self._turn()

    async def _allocate(self) -> None:
        request = self._state.allocate_request()
        try:
            body = await self._call_with_retries("allocate", request.to_wire())
        except NotRegisteredError:
            await self._register()
        else:
            self._publish(self._state.answered(wire.allocate_answer(body)))


def _report(verb: str, failures: int, error: AmError) -> None:
    if failures in (1, 10) or failures % 100 == 0:
        log.warning("%s: %s; trying again", verb, error)

"""The ApplicationMaster's side of its conversation with the ResourceManager, running.

What is said when is decided by `state.AmState`; here are the heartbeat, the waiting and the
trying again. A ResourceManager that restarts is not an event for the user of this class: calls
wait for it, the ApplicationMaster registers again and says everything again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Self

from kubeyarn.am import wire
from kubeyarn.am.errors import (
    AlreadyRegisteredError,
    AmError,
    ApplicationNotFoundError,
    AttemptEndedError,
    InvalidAskError,
    LaunchError,
    NotRegisteredError,
    SettingsError,
    UnauthorizedError,
    UnavailableError,
)
from kubeyarn.am.patience import Patience, beat_pause_s
from kubeyarn.am.state import AmState, Event
from kubeyarn.am.transport import HttpTransport, Transport

log = logging.getLogger("kubeyarn.am")


@dataclass(frozen=True, slots=True)
class Settings:
    """How often and how patiently an ApplicationMaster speaks; times in seconds.

    *heartbeat_s* must stay well below yarn.am.liveness-monitor.expiry-interval-ms. Many launches
    are cut into calls of *launches_per_call*, of which *launches_at_once* are under way.
    """

    heartbeat_s: float = 1.0
    patience: Patience = field(default_factory=Patience)
    finish_poll_s: float = 0.2
    launches_per_call: int = 25
    launches_at_once: int = 4


class ApplicationMaster:
    """An ApplicationMaster, as an async context manager (Hadoop: AMRMClientAsync, NMClient).

    Entering registers and starts the heartbeat. Leaving it normally unregisters with SUCCEEDED
    unless `unregister` was called; leaving it by an exception does not unregister, so that the
    ResourceManager may start another attempt, as YARN does for an ApplicationMaster that crashes.

    Example:
        async with ApplicationMaster.from_env() as am:
            am.ask(2, {"cpu": "1", "memory": "1Gi"})
            async for event in am.events():
                ...

    Args:
        transport: the way to the AM service.
        host: this ApplicationMaster's address, for clients.
        rpc_port: its port, 0 for none.
        tracking_url: where people can follow the application.
        settings: times.
        on_event: called with each event instead of keeping it for `events`.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        host: str = "",
        rpc_port: int = 0,
        tracking_url: str = "",
        settings: Settings | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> None:
        self._transport = transport
        self._hello = {"host": host, "rpcPort": rpc_port, "trackingUrl": tracking_url}
        self._settings = settings or Settings()
        self._on_event = on_event
        self._state = AmState()
        self._registrations = 0
        self._lost_answers = 0
        self._turned = asyncio.Condition()
        self._news: asyncio.Queue[Event | None] = asyncio.Queue()
        self._wake = asyncio.Event()
        self._beating: asyncio.Task[None] | None = None
        self._failure: Exception | None = None
        self._unregistered = False

    @classmethod
    def from_env(
        cls,
        *,
        environ: Mapping[str, str] = os.environ,
        rpc_port: int = 0,
        tracking_url: str = "",
        settings: Settings | None = None,
        on_event: Callable[[Event], None] | None = None,
    ) -> Self:
        """The ApplicationMaster of the container this process runs in.

        Raises:
            SettingsError: KUBEYARN_RM or KUBEYARN_TOKEN_FILE is not set.
        """
        missing = [name for name in ("KUBEYARN_RM", "KUBEYARN_TOKEN_FILE") if not environ.get(name)]
        if missing:
            raise SettingsError(
                f"{' and '.join(missing)} not set: the ResourceManager sets them in the container "
                "of an ApplicationMaster; submit this program as a YarnApplication"
            )
        return cls(
            HttpTransport(environ["KUBEYARN_RM"], Path(environ["KUBEYARN_TOKEN_FILE"])),
            host=environ.get("POD_IP", ""),
            rpc_port=rpc_port,
            tracking_url=tracking_url,
            settings=settings,
            on_event=on_event,
        )

    async def __aenter__(self) -> Self:
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
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unregister with SUCCEEDED, or stop without a word if *error* left the block."""
        try:
            if error is None and not self._unregistered:
                await self.unregister(wire.SUCCEEDED)
        finally:
            await self._stop_beating()
            await self._transport.close()

    @property
    def registration(self) -> wire.Registration:
        """What the ResourceManager said at the latest registration."""
        if self._state.registration is None:
            raise AmError("not registered; use `async with ApplicationMaster...`")
        return self._state.registration

    @property
    def live(self) -> Mapping[str, wire.Container]:
        """The containers that have arrived and have not ended, by id."""
        return self._state.live

    @property
    def headroom(self) -> Mapping[str, str]:
        """What may still be asked for, as the ResourceManager last said."""
        return self._state.headroom

    @property
    def cluster_nodes(self) -> int:
        """How many nodes the cluster has, as the ResourceManager last said."""
        return self._state.cluster_nodes

    @property
    def registrations(self) -> int:
        """How often this ApplicationMaster has registered; above 1 the RM has restarted."""
        return self._registrations

    def ask(
        self,
        count: int,
        resources: Mapping[str, str],
        *,
        priority: int = 1,
        allocation_request_id: int = 0,
        partition: str = "",
        locality: wire.Locality | None = None,
        opportunistic: bool = False,
        constraint: str = "",
        tags: Iterable[str] = (),
    ) -> wire.AskKey:
        """Want *count* containers more; returns the key for `cancel` and `outstanding`.

        Resources are quantities as text ({"cpu": "1", "memory": "1Gi"}); a lower priority is
        served first. One (priority, allocation_request_id) has one shape at a time.

        Raises:
            InvalidAskError: the ask cannot be said; nothing changed.
        """
        key = wire.AskKey(priority, allocation_request_id)
        place = locality or wire.Locality()
        shape = wire.AskShape(
            key, dict(resources), partition, place, opportunistic, constraint, tuple(tags)
        )
        self._state.ask(shape, count)
        self._wake.set()
        return key

    def cancel(self, key: wire.AskKey, count: int | None = None) -> int:
        """Want *count* containers fewer (all, if None); returns how many were taken back."""
        fewer = self._state.cancel(key, count)
        self._wake.set()
        return fewer

    def outstanding(self, key: wire.AskKey) -> int:
        """How many containers are still wanted under *key*."""
        return self._state.outstanding(key)

    def release(self, container_id: str) -> None:
        """Give a container back, launched or not; its `Completed` event still comes."""
        self._state.release(container_id)
        self._wake.set()

    def resize(self, container: wire.Container | str, resources: Mapping[str, str]) -> None:
        """Wish another size for a container that was granted, running or not.

        An `Updated` event comes when it has it, `UpdateRefused` when it will not. More comes when
        there is room on its node and below the queue's limits; less comes at once.

        Raises:
            InvalidAskError: no such container lives, or a resource is no positive quantity.
        """
        self._state.resize(_id(container), resources)
        self._wake.set()

    def promote(self, container: wire.Container | str) -> None:
        """Wish that an opportunistic container be guaranteed, running or not.

        An `Updated` event comes once its queue, its user and its node have room for it, and
        `UpdateRefused` if it never will be; until then it may be killed as before.

        Raises:
            InvalidAskError: no such container lives, or it is guaranteed.
        """
        self._state.promote(_id(container))
        self._wake.set()

    def demote(self, container: wire.Container | str) -> None:
        """Have a guaranteed container be opportunistic: its queue's room is free for others.

        Raises:
            InvalidAskError: no such container lives, or it is opportunistic.
        """
        self._state.demote(_id(container))
        self._wake.set()

    def exclude_nodes(self, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Take no containers on nodes *add*; take them on *remove* again."""
        self._state.exclude_nodes(add, remove)
        self._wake.set()

    def set_progress(self, progress: float) -> None:
        """Say how much is done, 0 to 1; goes out with the next heartbeat."""
        self._state.set_progress(progress)

    def set_tracking_url(self, url: str) -> None:
        """Say where people can follow the application; goes out with the next heartbeat."""
        self._state.set_tracking_url(url)

    async def next_events(self) -> list[Event]:
        """All events that have come, at least one; empty once unregistered.

        Raises:
            AmError: the conversation with the ResourceManager is over.
        """
        events: list[Event] = []
        while True:
            if self._news.empty() and (events or self._ended()):
                return events
            event = await self._news.get()
            if event is not None:
                events.append(event)

    async def events(self) -> AsyncIterator[Event]:
        """Events as they come (`Allocated`, `Completed`, ...), each to one reader.

        Raises:
            AmError: the conversation with the ResourceManager is over.
        """
        while batch := await self.next_events():
            for event in batch:
                yield event

    async def launch(
        self,
        container: wire.Container | str,
        *,
        command: Sequence[str] = (),
        args: Sequence[str] = (),
        env: Mapping[str, str] | None = None,
        image: str = "",
        template: wire.Json | None = None,
        files: Sequence[wire.Json] = (),
    ) -> str:
        """Start a granted container; returns the name of its pod.

        Raises:
            LaunchError: the ResourceManager did not start it.
            AmError: it could not be asked.
        """
        container_id = _id(container)
        launch = wire.Launch(container_id, command, args, env or {}, image, template or {}, files)
        answer = await self.launch_all([launch])
        if container_id in answer.errors:
            raise LaunchError(container_id, answer.errors[container_id])
        return answer.pods.get(container_id, "")

    async def launch_all(self, launches: Sequence[wire.Launch]) -> wire.ContainersAnswer:
        """Start many granted containers; `errors` names those that did not start.

        A container that has ended is no error: it was started by a call whose answer was lost, or
        was taken away first. Its `Completed` event says how it ended.
        """
        turn = asyncio.Semaphore(self._settings.launches_at_once)
        size = self._settings.launches_per_call

        async def some(batch: Sequence[wire.Launch]) -> wire.ContainersAnswer:
            async with turn:
                return await self._containers({"launch": [one.to_wire() for one in batch]})

        batches = [launches[i : i + size] for i in range(0, len(launches), size)]
        answer = wire.joined(await asyncio.gather(*map(some, batches)))
        return await self._without_the_ended(answer)

    async def _without_the_ended(self, answer: wire.ContainersAnswer) -> wire.ContainersAnswer:
        if not answer.errors:
            return answer
        states = await self.states(answer.errors)
        ended = {i for i, state in states.items() if state.state == "COMPLETE"}
        # What has been told, the RM may have forgotten already.
        ended |= {i for i in answer.errors if self._state.has_ended(i)}
        return replace(
            answer,
            pods={**answer.pods, **dict.fromkeys(ended, "")},
            errors={i: message for i, message in answer.errors.items() if i not in ended},
        )

    async def stop(self, container_ids: Iterable[str]) -> wire.ContainersAnswer:
        """End running containers; their `Completed` events follow."""
        return await self._containers({"stop": list(container_ids)})

    async def states(self, container_ids: Iterable[str]) -> Mapping[str, wire.ContainerState]:
        """What the ResourceManager knows of these containers, by id."""
        return (await self._containers({"status": list(container_ids)})).states

    async def unregister(
        self, final_status: str = wire.SUCCEEDED, diagnostics: str = "", tracking_url: str = ""
    ) -> None:
        """Say how the application ended, until the ResourceManager has stored it.

        Its containers are released by the ResourceManager afterwards.

        Raises:
            InvalidAskError: *final_status* is none of SUCCEEDED, FAILED, KILLED, ENDED.
            AmError: the ResourceManager refused, or could not be reached.
        """
        if final_status not in wire.FINAL_STATUSES:
            raise InvalidAskError(
                f"final status {final_status!r}, must be one of {', '.join(wire.FINAL_STATUSES)}"
            )
        await self._stop_beating()
        await self._finish(
            {"finalStatus": final_status, "diagnostics": diagnostics, "trackingUrl": tracking_url}
        )
        self._unregistered = True
        self._news.put_nowait(None)

    async def _finish(self, body: wire.Json) -> None:
        said = False
        while True:
            try:
                if wire.is_unregistered(await self._said("finish", body)):
                    return
                said = True
            except (AttemptEndedError, ApplicationNotFoundError):
                # The RM stored the final status and forgot the attempt before it could answer.
                if not said:
                    raise
                return
            await asyncio.sleep(self._settings.finish_poll_s)

    async def _containers(self, body: wire.Json) -> wire.ContainersAnswer:
        whole = {"launch": [], "stop": [], "status": [], **body}
        return wire.containers_answer(await self._said("containers", whole))

    async def _said(self, verb: str, body: wire.Json) -> wire.Json:
        """Call *verb*; if the RM restarted, be registered again first and then call it again."""
        while True:
            before = self._registrations
            try:
                return await self._patiently(verb, body)
            except NotRegisteredError:
                await self._be_registered_again(before)

    async def _be_registered_again(self, before: int) -> None:
        """Wait for the heartbeat to register again, or do it here if none runs.

        While a heartbeat runs only it registers: an allocate that is under way would otherwise
        reach the new registration with the old one's response id.
        """
        self._wake.set()
        async with self._turned:
            await self._turned.wait_for(lambda: self._may_go_on(before))
        if self._failure is not None:
            raise self._failure
        if self._registrations == before:
            await self._register()

    def _may_go_on(self, before: int) -> bool:
        failed = self._failure is not None
        return self._registrations != before or failed or self._beating is None

    async def _register(self) -> None:
        self._lost_answers = 0
        try:
            answer = wire.registration(await self._patiently("register", self._hello))
        except AlreadyRegisteredError:
            answer = self._registered_unheard()
        self._publish(self._state.registered(answer))
        self._registrations += 1
        if self._registrations > 1:
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
        """Call *verb* until somebody answers, within `Settings.patience`."""
        patience = self._settings.patience
        loop = asyncio.get_running_loop()
        until = loop.time() + patience.total_s
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
                if refusals >= patience.unauthorized_tries:
                    raise
                _report(verb, failures, error)
            await asyncio.sleep(patience.pause_s(failures, random.random()))

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
            self._failure = error
            self._news.put_nowait(None)
            await self._turn()

    async def _allocate(self) -> None:
        request = self._state.allocate_request()
        try:
            body = await self._patiently("allocate", request.to_wire())
        except NotRegisteredError:
            await self._register()
        else:
            self._publish(self._state.answered(wire.allocate_answer(body)))

    def _publish(self, events: Iterable[Event]) -> None:
        for event in events:
            if self._on_event is not None:
                self._on_event(event)
            else:
                self._news.put_nowait(event)

    def _ended(self) -> bool:
        if self._failure is not None:
            raise self._failure
        return self._unregistered

    async def _stop_beating(self) -> None:
        if self._beating is not None:
            self._beating.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._beating
            self._beating = None
            await self._turn()


def _id(container: wire.Container | str) -> str:
    return container if isinstance(container, str) else container.id


def _report(verb: str, failures: int, error: AmError) -> None:
    if failures in (1, 10) or failures % 100 == 0:
        log.warning("%s: %s; trying again", verb, error)

"""What a YARN application on Kubernetes is written with: its ApplicationMaster.

What is said when is decided by `state.AmState`, and said by `conversation.Conversation`; here is
what the user of both calls. A ResourceManager that restarts is not an event for the user of this
class: calls wait for it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from kubeyarn.am import wire
from kubeyarn.am.conversation import Conversation
from kubeyarn.am.errors import (
    AmError,
    InvalidAskError,
    LaunchError,
    SettingsError,
)
from kubeyarn.am.launches import Launches
from kubeyarn.am.settings import Settings
from kubeyarn.am.state import AmState, Event
from kubeyarn.am.transport import HttpTransport, Transport


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
        settings = settings or Settings()
        self._on_event = on_event
        self._state = AmState()
        self._news: asyncio.Queue[Event | None] = asyncio.Queue()
        hello = {"host": host, "rpcPort": rpc_port, "trackingUrl": tracking_url}
        self._conversation = Conversation(
            transport, hello, settings, self._state, self._publish, self._wake_readers
        )
        self._launches = Launches(self._conversation, self._state, settings)
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
        # A program that was started by hand is told how to start it, and not of a missing variable.
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
        await self._conversation.begin()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Unregister with SUCCEEDED, or just stop if *error* left the block."""
        try:
            if error is None and not self._unregistered:
                await self.unregister(wire.SUCCEEDED)
        finally:
            await self._conversation.end()

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
        return self._conversation.registrations

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
        self._conversation.wake()
        return key

    def cancel(self, key: wire.AskKey, count: int | None = None) -> int:
        """Want *count* containers fewer (all, if None); returns how many were taken back."""
        fewer = self._state.cancel(key, count)
        self._conversation.wake()
        return fewer

    def outstanding(self, key: wire.AskKey) -> int:
        """How many containers are still wanted under *key*."""
        return self._state.outstanding(key)

    def release(self, container_id: str) -> None:
        """Give a container back, launched or not; its `Completed` event still comes."""
        self._state.release(container_id)
        self._conversation.wake()

    def resize(self, container: wire.Container | str, resources: Mapping[str, str]) -> None:
        """Ask for another size of a granted container, running or not.

        An `Updated` event comes when it has it, `UpdateRefused` when it will not. More comes when
        there is room on its node and below the queue's limits; less comes at once.

        Raises:
            InvalidAskError: no such container lives, or a resource is no positive quantity.
        """
        self._state.resize(_id(container), resources)
        self._conversation.wake()

    def promote(self, container: wire.Container | str) -> None:
        """Ask that an opportunistic container become guaranteed, running or not.

        An `Updated` event comes once its queue, its user and its node have room for it, and
        `UpdateRefused` if it never will be; until then it may be killed as before.

        Raises:
            InvalidAskError: no such container lives, or it is guaranteed.
        """
        self._state.promote(_id(container))
        self._conversation.wake()

    def demote(self, container: wire.Container | str) -> None:
        """Make a guaranteed container opportunistic: what it held of its queue is free for others.

        Raises:
            InvalidAskError: no such container lives, or it is opportunistic.
        """
        self._state.demote(_id(container))
        self._conversation.wake()

    def exclude_nodes(self, add: Iterable[str] = (), remove: Iterable[str] = ()) -> None:
        """Take no containers on nodes *add*; take them on *remove* again."""
        self._state.exclude_nodes(add, remove)
        self._conversation.wake()

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
            # Everything that has come is handed out first, also when the conversation is over: an
            # application may have finished by just these events.
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
        return await self._launches.launch_all(launches)

    async def stop(self, container_ids: Iterable[str]) -> wire.ContainersAnswer:
        """End running containers; their `Completed` events follow."""
        return await self._launches.call({"stop": list(container_ids)})

    async def states(self, container_ids: Iterable[str]) -> Mapping[str, wire.ContainerState]:
        """What the ResourceManager knows of these containers, by id."""
        return await self._launches.states(container_ids)

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
        # A heartbeat after the attempt has unregistered would be refused, and would look like a
        # failure.
        await self._conversation.stop_heartbeat()
        await self._conversation.finish(
            {"finalStatus": final_status, "diagnostics": diagnostics, "trackingUrl": tracking_url}
        )
        self._unregistered = True
        self._wake_readers()

    def _publish(self, events: Iterable[Event]) -> None:
        for event in events:
            if self._on_event is not None:
                self._on_event(event)
            else:
                self._news.put_nowait(event)

    def _ended(self) -> bool:
        if self._conversation.failure is not None:
            raise self._conversation.failure
        return self._unregistered

    def _wake_readers(self) -> None:
        """Let readers of events go on: no more come."""
        self._news.put_nowait(None)


def _id(container: wire.Container | str) -> str:
    return container if isinstance(container, str) else container.id

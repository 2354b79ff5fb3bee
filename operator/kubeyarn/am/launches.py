"""Starting, stopping and asking about containers, many at a time (Hadoop: NMClient)."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from kubeyarn.am import wire
from kubeyarn.am.conversation import Conversation
from kubeyarn.am.settings import Settings
from kubeyarn.am.state import AmState


class Launches:
    """The calls about containers."""

    def __init__(self, conversation: Conversation, state: AmState, settings: Settings) -> None:
        self._conversation = conversation
        self._state = state
        self._settings = settings

    async def launch_all(self, launches: Sequence[wire.Launch]) -> wire.ContainersAnswer:
        """Start many granted containers; one that has ended is no error."""
        turn = asyncio.Semaphore(self._settings.launches_at_once)
        size = self._settings.launches_per_call

        async def some(batch: Sequence[wire.Launch]) -> wire.ContainersAnswer:
            async with turn:
                return await self.call({"launch": [one.to_wire() for one in batch]})

        # Each call makes pods before it is answered; one for all would outlast its timeout.
        batches = [launches[i : i + size] for i in range(0, len(launches), size)]
        answer = wire.joined(await asyncio.gather(*map(some, batches)))
        return await self._without_the_ended(answer)

    async def states(self, container_ids: Iterable[str]) -> Mapping[str, wire.ContainerState]:
        """What the ResourceManager knows of these containers, by id."""
        return (await self.call({"status": list(container_ids)})).states

    async def call(self, body: wire.Json) -> wire.ContainersAnswer:
        """One call; what *body* does not say is not done."""
        whole = {"launch": [], "stop": [], "status": [], **body}
        return wire.containers_answer(await self._conversation.call("containers", whole))

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

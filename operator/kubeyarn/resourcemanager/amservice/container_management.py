"""Launching, stopping and asking about containers (Hadoop: ContainerManagementProtocol)."""

from __future__ import annotations

import asyncio

import msgspec

from kubeyarn.lifecycle import container as containers
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager import application_spec
from kubeyarn.resourcemanager.amservice import wire
from kubeyarn.resourcemanager.amservice.callers import Caller
from kubeyarn.resourcemanager.amservice.wire import FieldError
from kubeyarn.resourcemanager.cache import Cache
from kubeyarn.resourcemanager.pods.pod_builder import ContainerLaunchContext
from kubeyarn.resourcemanager.requests.container_manager import ContainerManager
from kubeyarn.resourcemanager.requests.request_view import RequestView

_ENDED = "the container has ended already"


async def answer(
    manager: ContainerManager, cache: Cache, caller: Caller, message: wire.Containers
) -> wire.ContainersAnswer:
    """Carry out one call, and report what became of each container that it names."""
    call = _Call(manager, cache, caller)
    # All at once: the client bounds the calls in flight.
    await asyncio.gather(*(call.launch(how) for how in message.launch))
    for text in message.stop:
        await call.stop(text)
    for text in message.status:
        call.status(text)
    return call.answer


class _Call:
    """One call; *answer* fills as it goes."""

    def __init__(self, manager: ContainerManager, cache: Cache, caller: Caller) -> None:
        self._manager = manager
        self._cache = cache
        self._caller = caller
        # As of the beginning of the call: what it names is looked up, not searched for.
        self._requests = caller.requests_of_containers(cache)
        self.answer = wire.ContainersAnswer()

    async def launch(self, launch: wire.LaunchContainer) -> None:
        view = self._known(launch.container_id)
        if view is None:
            return
        _check_files(launch)
        caller, container = self._caller, ContainerId.parse(launch.container_id)
        # Containers that were kept across attempts run already; a former attempt's others are gone.
        former = view.attempt != caller.session.attempt.number
        if former or container in view.completed or container not in view.grants:
            self._fail(launch.container_id, _ENDED)
            return
        context = ContainerLaunchContext(
            image=launch.image or application_spec.am_image(caller.application),
            command=tuple(launch.command),
            args=tuple(launch.args),
            env=tuple(launch.env),
            template=launch.template,
            executor=launch.executor,
            files=tuple(msgspec.to_builtins(file) for file in launch.files),
        )
        pod = await self._manager.launch(
            caller.key, caller.application, caller.record, view, container, context
        )
        if pod is None:
            self._fail(launch.container_id, _ENDED)
            return
        self.answer.launched.append(wire.Launched(container_id=launch.container_id, pod=pod))

    async def stop(self, text: str) -> None:
        if self._known(text) is not None:
            container = ContainerId.parse(text)
            await self._manager.stop(self._caller.key, container, ExitStatus.KILLED_BY_APPMASTER)
            self.answer.stopped.append(text)

    def status(self, text: str) -> None:
        view = self._known(text)
        if view is None:
            return
        container = ContainerId.parse(text)
        done = view.completed.get(container)
        pod = self._cache.pods(self._caller.key).get(container)
        ended = done is not None or container not in view.grants
        state = containers.state(
            told=True,
            launched=pod is not None and pod.running,
            exit_status=(done.exit_status if done else ExitStatus.ABORTED) if ended else None,
        )
        status = wire.ContainerStatus(
            container_id=text,
            state=containers.public(state),
            exit_status=done.exit_status if done else None,
        )
        self.answer.statuses.append(status)

    def _known(self, text: str) -> RequestView | None:
        """The request that a container was granted to; an error is noted when there is none."""
        try:
            view = self._requests.get(ContainerId.parse(text))
        except SpecError as error:
            self._fail(text, str(error))
            return None
        if view is None:
            self._fail(text, "no such container of this application")
        return view

    def _fail(self, text: str, message: str) -> None:
        self.answer.errors.append(wire.ContainerError(container_id=text, message=message))


def _check_files(launch: wire.LaunchContainer) -> None:
    for number, file in enumerate(launch.files):
        sources = (file.config_map, file.secret, file.persistent_volume_claim, file.url)
        given = sum(source is not None for source in sources)
        if given != 1:
            raise FieldError(
                f"launch[].files[{number}]",
                f"{file.path}: found {given} sources, allowed: exactly one of configMap, secret, "
                "persistentVolumeClaim and url",
            )

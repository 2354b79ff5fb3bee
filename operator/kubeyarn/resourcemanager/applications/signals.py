"""Signals to containers (Hadoop: SignalContainerCommand).

A signal stands in the application's spec and is sent once; with a higher serial number it is sent
again. What was sent or refused is in the application's status.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from kubeyarn.crd.object import Key, Object
from kubeyarn.crd.yarn_application import SignalCommand, SignalSpec, SignalStatus, YarnApplication
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.applications import records
from kubeyarn.resourcemanager.applications.thread_dumps import ThreadDumps
from kubeyarn.resourcemanager.pods.pod_control import PodControl
from kubeyarn.resourcemanager.pods.pod_state import PodState
from kubeyarn.resourcemanager.requests.container_exits import ContainerExits
from kubeyarn.resourcemanager.requests.request_view import RequestView

# As a NodeManager reports them: 128 and the signal's number.
ENDINGS = {
    SignalCommand.GRACEFUL_SHUTDOWN: ContainerExit(
        143, "Container killed on request. Exit code is 143."
    ),
    SignalCommand.FORCEFUL_SHUTDOWN: ContainerExit(
        137, "Container killed on request. Exit code is 137."
    ),
}
# A second is the shortest that still waits for the kubelet's word that the process is gone.
FORCEFUL_GRACE_S = 1


@dataclass(frozen=True, slots=True)
class DueSignal:
    """What to do about a signal: send it to *pod*, or say why not; neither: wait."""

    signal: SignalSpec
    id: ContainerId | None = None
    pod: PodState | None = None
    refused: str = ""


_Key = tuple[str, SignalCommand, int]


def _key(signal: SignalSpec) -> _Key:
    """What tells signals apart: with a higher serial number a signal is another one."""
    return signal.container_id, signal.command, signal.serial


def wanted(application: YarnApplication) -> dict[_Key, SignalSpec]:
    """The signals in the spec, each once."""
    return {_key(signal): signal for signal in application.spec.signals}


def answered(application: YarnApplication) -> dict[_Key, SignalStatus]:
    """What is recorded of signals that still stand in the spec."""
    recorded = {_key(signal): signal for signal in application.status.signals}
    return {key: recorded[key] for key in wanted(application) if key in recorded}


def due_signals(
    application: YarnApplication,
    record: ApplicationRecord,
    views: list[RequestView],
    pods: Mapping[ContainerId, PodState],
) -> list[DueSignal]:
    """The signals that were neither sent nor refused yet."""
    known = answered(application)
    return [
        _due(signal, record, views, pods)
        for key, signal in wanted(application).items()
        if key not in known
    ]


def entry(signal: SignalSpec, at: str, refused: str = "") -> Object:
    """What is recorded of a signal that was sent at the time *at*, or *refused*."""
    status: Object = {
        "containerId": signal.container_id,
        "command": signal.command.value,
        "serial": signal.serial,
        "sent": not refused,
        "time": at,
    }
    return {**status, "message": refused[:1024]} if refused else status


def refusals(application: YarnApplication) -> list[str]:
    """The signals in the spec that were refused, and why."""
    return [
        f"spec.signals: {signal.command} to {signal.container_id}: {signal.message}"
        for signal in answered(application).values()
        if not signal.sent
    ]


def _due(
    signal: SignalSpec,
    record: ApplicationRecord,
    views: list[RequestView],
    pods: Mapping[ContainerId, PodState],
) -> DueSignal:
    try:
        container = ContainerId.parse(signal.container_id)
    except SpecError as error:
        return DueSignal(signal, refused=str(error))
    if container.attempt.application != record.id:
        return DueSignal(signal, refused=f"it is no container of {record.id}")
    held = any(container in view.grants for view in views)
    ended = any(container in view.completed for view in views)
    pod = pods.get(container)
    if ended or not held or (pod is not None and pod.ending is not None):
        return DueSignal(signal, refused="it has ended, or never was")
    running = pod is not None and pod.running and not pod.deleting
    return DueSignal(signal, container, pod if running else None)


class Signaller:
    """Sends the signals in `spec.signals` to containers."""

    def __init__(
        self,
        dumps: ThreadDumps,
        pods: PodControl,
        exits: ContainerExits,
        clock_ms: Callable[[], int],
    ) -> None:
        self._dumps = dumps
        self._pods = pods
        self._exits = exits
        self._clock_ms = clock_ms

    async def serve(
        self,
        application: YarnApplication,
        record: ApplicationRecord,
        views: list[RequestView],
        pods: Mapping[ContainerId, PodState],
    ) -> list[Object] | None:
        """Send what is due; the new `status.signals`, or None when nothing changed.

        A crash before that is written sends again: at least once, where YARN sends at most once.
        """
        answers = answered(application)
        entries = {
            key: entry(signal, signal.time, signal.message) for key, signal in answers.items()
        }
        # What was answered and no longer stands in the spec goes, or the list would only grow.
        changed = len(answers) < len(application.status.signals)
        for due in due_signals(application, record, views, pods):
            if due.pod is None and not due.refused:
                continue
            refused = due.refused or await self._send(application.key, due)
            if refused is None:
                continue
            at = records.timestamp(self._clock_ms()) or ""
            entries[_key(due.signal)] = entry(due.signal, at, refused)
            changed = True
        # In the order of the spec, whichever was answered first.
        return [entries[key] for key in wanted(application) if key in entries] if changed else None

    async def _send(self, key: Key, due: DueSignal) -> str | None:
        """Send one signal; why it could not be, or "", or None where that is not known yet."""
        if due.pod is None or due.id is None:
            return "it does not run"
        if due.signal.command is SignalCommand.OUTPUT_THREAD_DUMP:
            return self._dumps.outcome(key, _key(due.signal), due.pod)
        # Before the deletion: a kubelet may report the end before this call comes back.
        self._exits.stop(due.id, ENDINGS[due.signal.command])
        forceful = due.signal.command is SignalCommand.FORCEFUL_SHUTDOWN
        grace_s = FORCEFUL_GRACE_S if forceful else None
        was_there = await self._pods.delete(due.pod, grace_s=grace_s)
        return "" if was_there else "it has ended"

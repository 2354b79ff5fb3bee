"""Signals to containers (Hadoop: SignalContainerCommand): which are still to be sent. Pure.

A signal stands in the application's spec and is sent once; with a higher serial number it is sent
again. What was sent or refused is in the application's status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from kubeyarn.crd.object import Object
from kubeyarn.lifecycle.progress import Ending
from kubeyarn.lifecycle.records import ApplicationRecord
from kubeyarn.model.errors import SpecError
from kubeyarn.model.ids import ContainerId
from kubeyarn.resourcemanager.pods.pod_state import PodFacts
from kubeyarn.resourcemanager.requests.request_view import RequestView


class Command(StrEnum):
    """What is done to a container."""

    THREAD_DUMP = "OutputThreadDump"
    GRACEFUL = "GracefulShutdown"
    FORCEFUL = "ForcefulShutdown"


# As a NodeManager reports them: 128 and the signal's number.
ENDINGS = {
    Command.GRACEFUL: Ending(143, "Container killed on request. Exit code is 143."),
    Command.FORCEFUL: Ending(137, "Container killed on request. Exit code is 137."),
}
# A second is the shortest that still waits for the kubelet's word that the process is gone.
FORCEFUL_GRACE_S = 1
# To the first process of a container; a JVM writes its threads to standard output. Every shell has
# a kill of its own, the program is often missing.
DUMP = ("sh", "-c", "kill -3 1")


@dataclass(frozen=True, slots=True)
class Signal:
    """A signal, as the spec has it."""

    container: str
    command: Command
    serial: int = 1

    @classmethod
    def of(cls, said: Mapping[str, Any]) -> Signal:
        """A signal that the spec or the status names."""
        return cls(said["containerId"], Command(said["command"]), int(said.get("serial") or 1))


@dataclass(frozen=True, slots=True)
class Due:
    """What to do about a signal: send it to *pod*, or say why not; neither: wait."""

    signal: Signal
    id: ContainerId | None = None
    pod: PodFacts | None = None
    refused: str = ""


def wanted(application: Object) -> list[Signal]:
    """The signals in the spec, each once."""
    said = application["spec"].get("signals") or ()
    return list(dict.fromkeys(Signal.of(signal) for signal in said))


def answered(application: Object) -> dict[Signal, Object]:
    """What is recorded of signals that still stand in the spec."""
    known = (application.get("status") or {}).get("signals") or ()
    found = {Signal.of(signal): signal for signal in known}
    return {signal: found[signal] for signal in wanted(application) if signal in found}


def due(
    application: Object,
    record: ApplicationRecord,
    views: list[RequestView],
    pods: Mapping[ContainerId, PodFacts],
) -> list[Due]:
    """The signals that were neither sent nor refused yet."""
    known = answered(application)
    return [
        _due(signal, record, views, pods) for signal in wanted(application) if signal not in known
    ]


def entry(signal: Signal, at: str, refused: str = "") -> Object:
    """What is recorded of a signal that was sent at the time *at*, or *refused*."""
    said: Object = {
        "containerId": signal.container,
        "command": signal.command.value,
        "serial": signal.serial,
        "sent": not refused,
        "time": at,
    }
    return {**said, "message": refused[:1024]} if refused else said


def refusals(application: Object) -> list[str]:
    """The signals in the spec that were refused, and why."""
    return [
        f"spec.signals: {signal.command} to {signal.container}: {said.get('message')}"
        for signal, said in answered(application).items()
        if not said.get("sent")
    ]


def _due(
    signal: Signal,
    record: ApplicationRecord,
    views: list[RequestView],
    pods: Mapping[ContainerId, PodFacts],
) -> Due:
    try:
        container = ContainerId.parse(signal.container)
    except SpecError as error:
        return Due(signal, refused=str(error))
    if container.attempt.application != record.id:
        return Due(signal, refused=f"it is no container of {record.id}")
    held = any(container in view.grants for view in views)
    ended = any(container in view.completed for view in views)
    pod = pods.get(container)
    if ended or not held or (pod is not None and pod.ending is not None):
        return Due(signal, refused="it has ended, or never was")
    running = pod is not None and pod.running and not pod.deleting
    return Due(signal, container, pod if running else None)

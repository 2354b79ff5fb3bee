"""`kubectl yarn container`: list, status, signal (Hadoop: ApplicationCLI).

Containers are pods; one whose pod is gone is gone here, too.
"""

from __future__ import annotations

import msgspec

from kubeyarn.cli import yarn_control
from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_application import find
from kubeyarn.cli.yarn_kubectl import Kubectl, NotFoundError
from kubeyarn.cli.yarn_logs import ATTEMPT, container_id, pods_of
from kubeyarn.cli.yarn_words import Command, Request, UsageError, Verb
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import SignalCommand, SignalSpec, YarnApplication

# By YARN's names.
SIGNALS = {command.name: command for command in SignalCommand}
_WIDTHS = (38, 20, 20, 12, 20)
_HEADER = ("Container-Id", "Start Time", "Finish Time", "State", "Host")
_PHASES = {"Running": "RUNNING", "Succeeded": "COMPLETE", "Failed": "COMPLETE"}


def _list(kubectl: Kubectl, request: Request) -> int:
    app, attempt, _ = yarn_control.of_attempt(kubectl, request.operands[0])
    number = str(int(attempt.id.rpartition("_")[2]))
    pods = [
        pod
        for pod in _pods(kubectl, app)
        if (pod["metadata"].get("labels") or {}).get(ATTEMPT) == number
    ]
    if request.get("output") in ("json", "yaml"):
        print(printing.objects(pods, request.get("output")))
        return 0
    print(f"Total number of containers :{len(pods)}")
    print(printing.table(_WIDTHS, [_HEADER, *map(_row, pods)]))
    return 0


def _report(kubectl: Kubectl, request: Request) -> int:
    _, pod = _find(kubectl, request.operands[0])
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([pod], request.get("output"), single=True))
        return 0
    name, start, finish, state, host = _row(pod)
    metadata = pod["metadata"]
    lines = [
        ("Container-Id", name),
        ("Start-Time", start),
        ("Finish-Time", finish),
        ("State", state),
        ("Host", host),
        ("Exit-Code", str(_terminated(pod).get("exitCode", "N/A"))),
        ("Pod", f"{metadata.get('namespace', '')}/{metadata['name']}"),
    ]
    print(printing.report("Container Report : ", lines))
    return 0


def _signal(kubectl: Kubectl, request: Request) -> int:
    container = request.operands[0]
    signal = request.operands[1] if len(request.operands) > 1 else "OUTPUT_THREAD_DUMP"
    if signal not in SIGNALS:
        raise UsageError(f"signal {signal!r} is unknown, must be one of {', '.join(SIGNALS)}")
    app = yarn_control.living(kubectl, _application_of(container))
    print(f"Signalling container {container}")
    yarn_control.change(kubectl, app, signals=_with(app, container, SIGNALS[signal]))
    return 0


def _with(app: YarnApplication, container: str, command: SignalCommand) -> list[Object]:
    """The application's signals and this one; sent before, it is sent again."""
    same = [s for s in app.spec.signals if (s.container_id, s.command) == (container, command)]
    # A signal is a level, told apart by its serial: the same one with the next number is sent
    # again.
    serial = max((signal.serial for signal in same), default=0) + 1
    others = [signal for signal in app.spec.signals if signal not in same]
    again = SignalSpec(container_id=container, command=command, serial=serial)
    return [msgspec.to_builtins(signal) for signal in (*others, again)]


def _application_of(container: str) -> str:
    """The id of a container's application.

    Raises:
        UsageError: it is no container's id.
    """
    parts = container.split("_")
    # The epoch is no part of an application's id.
    if parts[0] == "container" and len(parts) == 6 and parts[1].startswith("e"):
        parts = [parts[0], *parts[2:]]
    if parts[0] != "container" or len(parts) != 5:
        raise UsageError(
            f"{container!r} is no container's id, expected "
            "container_<timestamp>_<application>_<attempt>_<n>"
        )
    return f"application_{parts[1]}_{parts[2]}"


def _find(kubectl: Kubectl, container: str) -> tuple[YarnApplication, Object]:
    app = find(kubectl, _application_of(container)).app
    for pod in _pods(kubectl, app):
        if container_id(pod) == container:
            return app, pod
    raise NotFoundError(f"Container {container} doesn't exist, or its pod is gone")


def _pods(kubectl: Kubectl, app: YarnApplication) -> list[Object]:
    return sorted(pods_of(kubectl, app), key=container_id)


def _row(pod: Object) -> tuple[str, ...]:
    status = pod.get("status") or {}
    return (
        container_id(pod),
        status.get("startTime") or "N/A",
        _terminated(pod).get("finishedAt") or "N/A",
        _PHASES.get(status.get("phase", ""), "NEW"),
        (pod.get("spec") or {}).get("nodeName") or "N/A",
    )


def _terminated(pod: Object) -> Object:
    """How a pod's first container ended; empty while it has not."""
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    terminated: Object = (statuses[0].get("state") or {}).get("terminated") or {}
    return terminated


COMMAND = Command(
    "container",
    "containers of an attempt",
    (
        Verb("list", "an attempt's containers that have a pod", _list, "<attempt id>", 1, 1),
        Verb("status", "one container's report", _report, "<container id>", 1, 1),
        Verb(
            "signal",
            f"send a signal: {', '.join(SIGNALS)} (the first if none is said)",
            _signal,
            "<container id> [<signal>]",
            1,
            2,
        ),
    ),
)

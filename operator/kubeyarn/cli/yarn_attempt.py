"""`kubectl yarn applicationattempt`: list, status, fail (Hadoop: ApplicationCLI)."""

from __future__ import annotations

from kubeyarn.cli import yarn_control
from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_application import find
from kubeyarn.cli.yarn_kubectl import Kubectl
from kubeyarn.cli.yarn_words import Command, Request, Verb
from kubeyarn.crd.yarn_application import AttemptStatus, YarnApplication

_WIDTHS = (30, 20, 35, 35)
_HEADER = ("ApplicationAttempt-Id", "State", "AM-Container-Id", "Tracking-URL")


def _list(kubectl: Kubectl, request: Request) -> int:
    printed, app = find(kubectl, request.operands[0])
    if request.get("output") in ("json", "yaml"):
        attempts = (printed.get("status") or {}).get("attempts") or []
        print(printing.objects(attempts, request.get("output")))
        return 0
    attempts = app.status.attempts
    print(f"Total number of application attempts :{len(attempts)}")
    print(printing.table(_WIDTHS, [_HEADER, *(_row(app, attempt) for attempt in attempts)]))
    return 0


def _row(app: YarnApplication, attempt: AttemptStatus) -> tuple[str, ...]:
    url = app.status.tracking_url if _is_current(app, attempt) else ""
    return (attempt.id, attempt.state.value, attempt.container_id or "N/A", url or "N/A")


def _is_current(app: YarnApplication, attempt: AttemptStatus) -> bool:
    return attempt is app.status.attempts[-1]


def _report(kubectl: Kubectl, request: Request) -> int:
    app, attempt, printed = yarn_control.of_attempt(kubectl, request.operands[0])
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([printed], request.get("output"), single=True))
        return 0
    status = app.status
    current = _is_current(app, attempt)
    lines = [
        ("ApplicationAttempt-Id", attempt.id),
        ("State", attempt.state.value),
        ("AMContainer", attempt.container_id or "N/A"),
        ("Tracking-URL", (status.tracking_url if current else "") or "N/A"),
        ("RPC Port", str(status.rpc_port if current else -1)),
        ("AM Host", (status.host if current else "") or attempt.node or "N/A"),
        ("Diagnostics", attempt.diagnostics),
    ]
    print(printing.report("Application Attempt Report : ", lines))
    return 0


COMMAND = Command(
    "applicationattempt",
    "attempts of an application",
    (
        Verb("list", "an application's attempts", _list, "<id or name>", 1, 1),
        Verb("status", "one attempt's report", _report, "<attempt id>", 1, 1),
        Verb("fail", "end it as failed", yarn_control.fail, "<attempt id>", 1, 1),
    ),
)

"""`kubectl yarn applicationattempt`: list, status, fail (Hadoop: ApplicationCLI)."""

from __future__ import annotations

from kubeyarn.cli import yarn_control
from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_application import find
from kubeyarn.cli.yarn_kubectl import Json, Kubectl
from kubeyarn.cli.yarn_words import Command, Request, Verb

_WIDTHS = (30, 20, 35, 35)
_HEADER = ("ApplicationAttempt-Id", "State", "AM-Container-Id", "Tracking-URL")


def _list(kubectl: Kubectl, request: Request) -> int:
    app = find(kubectl, request.operands[0])
    attempts = (app.get("status") or {}).get("attempts") or []
    if request.get("output") in ("json", "yaml"):
        print(printing.objects(attempts, request.get("output")))
        return 0
    print(f"Total number of application attempts :{len(attempts)}")
    print(printing.table(_WIDTHS, [_HEADER, *(_row(app, attempt) for attempt in attempts)]))
    return 0


def _row(app: Json, attempt: Json) -> tuple[str, ...]:
    current = attempt is app["status"]["attempts"][-1]
    url = app["status"].get("trackingUrl") if current else ""
    return (
        attempt["id"],
        str(attempt.get("state", "NEW")),
        attempt.get("containerId") or "N/A",
        url or "N/A",
    )


def _report(kubectl: Kubectl, request: Request) -> int:
    app, attempt = yarn_control.of_attempt(kubectl, request.operands[0])
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([attempt], request.get("output"), single=True))
        return 0
    status = app["status"]
    current = attempt is status["attempts"][-1]
    lines = [
        ("ApplicationAttempt-Id", attempt["id"]),
        ("State", str(attempt.get("state", "NEW"))),
        ("AMContainer", attempt.get("containerId") or "N/A"),
        ("Tracking-URL", (status.get("trackingUrl") if current else "") or "N/A"),
        ("RPC Port", str(status.get("rpcPort", -1) if current else -1)),
        ("AM Host", (status.get("host") if current else "") or attempt.get("node") or "N/A"),
        ("Diagnostics", str(attempt.get("diagnostics") or "")),
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

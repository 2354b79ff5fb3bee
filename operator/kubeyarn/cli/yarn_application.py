"""`kubectl yarn application`: list, status, kill (Hadoop: ApplicationCLI)."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_kubectl import APPLICATIONS, Json, Kubectl, KubectlError, NotFoundError
from kubeyarn.cli.yarn_words import Option, Request, UsageError, Verb

STATES = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING", "FINISHED", "FAILED", "KILLED")
ENDED = ("FINISHED", "FAILED", "KILLED")
LISTED_UNASKED = ("SUBMITTED", "ACCEPTED", "RUNNING")

_WIDTHS = (30, 20, 20, 10, 10, 18, 18, 15, 35)
_HEADER = (
    "Application-Id",
    "Application-Name",
    "Application-Type",
    "User",
    "Queue",
    "State",
    "Final-State",
    "Progress",
    "Tracking-URL",
)
_WIDE_WIDTHS = (30, 8, 10)
_WIDE_HEADER = ("Object", "Attempts", "Containers")


def find(kubectl: Kubectl, name: str) -> Json:
    """The application that *name* means: its id, its object's name (or namespace/name), its name.

    Raises:
        NotFoundError: none is meant; the message names those there are.
        KubectlError: more than one is meant, or the cluster could not be asked.
    """
    if name.startswith("application_"):
        candidates = kubectl.objects_everywhere(APPLICATIONS)
        chosen = [app for app in candidates if _status(app).get("applicationId") == name]
        return _only(name, chosen, candidates)
    namespace, _, short = name.rpartition("/")
    if not kubectl.everywhere:
        try:
            return kubectl.get(APPLICATIONS, short, namespace)
        except NotFoundError:
            pass
    candidates = kubectl.objects(APPLICATIONS)
    chosen = [app for app in candidates if short in (app["metadata"]["name"], _name(app))]
    return _only(name, chosen, candidates)


def application_id(app: Json) -> str:
    """The application's id, or its object's name while it has none."""
    return str(_status(app).get("applicationId") or app["metadata"]["name"])


def _list(kubectl: Kubectl, request: Request) -> int:
    states = _states(request)
    types, tags = request.names("appTypes"), request.names("appTags")
    apps = [app for app in kubectl.objects(APPLICATIONS) if _wanted(app, states, types, tags)]
    apps.sort(key=application_id)
    if request.get("output") in ("json", "yaml"):
        print(printing.objects(apps, request.get("output")))
        return 0
    print(
        f"Total number of applications (application-types: [{', '.join(types)}], "
        f"states: [{', '.join(states)}] and tags: [{', '.join(tags)}]):{len(apps)}"
    )
    wide = kubectl.everywhere or request.get("output") == "wide"
    widths = _WIDTHS + (_WIDE_WIDTHS if wide else ())
    header = _HEADER + (_WIDE_HEADER if wide else ())
    rows = [_row(app) + (_wide(app) if wide else ()) for app in apps]
    print(printing.table(widths, [header, *rows]))
    return 0


def _report(kubectl: Kubectl, request: Request) -> int:
    app = find(kubectl, request.operands[0])
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([app], request.get("output"), single=True))
        return 0
    lines = _lines(app)
    if request.get("output") == "wide":
        lines += _more_lines(app)
    print(printing.report("Application Report : ", lines))
    return 0


def _kill(kubectl: Kubectl, request: Request) -> int:
    failed = False
    for name in request.operands:
        try:
            _kill_one(kubectl, find(kubectl, name))
        except KubectlError as error:
            failed = True
            print(f"error: {error}", file=sys.stderr)
    return 1 if failed else 0


def _kill_one(kubectl: Kubectl, app: Json) -> None:
    if _state(app) in ENDED:
        print(f"Application {application_id(app)} has already finished ")
        return
    print(f"Killing application {application_id(app)}")
    metadata = app["metadata"]
    killed = {"spec": {"desiredState": "Killed"}}
    kubectl.patch(APPLICATIONS, metadata["name"], metadata["namespace"], killed)


def _states(request: Request) -> tuple[str, ...]:
    said = tuple(state.upper() for state in request.names("appStates"))
    if "ALL" in said:
        return STATES
    for state in said:
        if state not in STATES:
            raise UsageError(
                f"The application state {state} is invalid. The valid application state can be "
                f"one of the following: ALL,{','.join(STATES)}"
            )
    return said or LISTED_UNASKED


def _wanted(app: Json, states: Sequence[str], types: Sequence[str], tags: Sequence[str]) -> bool:
    spec = app.get("spec", {})
    has_type = not types or spec.get("applicationType", "YARN").upper() in map(str.upper, types)
    has_tag = not tags or bool({t.lower() for t in tags} & {t.lower() for t in _tags(app)})
    return _state(app) in states and has_type and has_tag


def _row(app: Json) -> tuple[str, ...]:
    status = _status(app)
    return (
        application_id(app),
        _name(app),
        app.get("spec", {}).get("applicationType", "YARN"),
        _user(app),
        _queue(app),
        _state(app),
        status.get("finalStatus", "UNDEFINED"),
        printing.percent(status.get("progress", 0)),
        status.get("trackingUrl") or "N/A",
    )


def _wide(app: Json) -> tuple[str, ...]:
    status = _status(app)
    return (
        f"{app['metadata'].get('namespace', '')}/{app['metadata']['name']}",
        str(len(status.get("attempts", []))),
        str(status.get("allocated", {}).get("containers", 0)),
    )


def _lines(app: Json) -> list[tuple[str, str]]:
    spec, status = app.get("spec", {}), _status(app)
    usage = status.get("usage", {})
    attempt = (status.get("attempts") or [{}])[-1]
    label = spec.get("partition") or "<Not set>"
    am_label = spec.get("applicationMaster", {}).get("partition") or label
    # YARN's times and amounts: milliseconds since 1970, MB-seconds.
    return [
        ("Application-Id", application_id(app)),
        ("Application-Name", _name(app)),
        ("Application-Type", spec.get("applicationType", "YARN")),
        ("User", _user(app)),
        ("Queue", _queue(app)),
        ("Application Priority", str(status.get("priority", spec.get("priority", 0)))),
        ("Start-Time", printing.milliseconds(status.get("startTime"))),
        ("Finish-Time", printing.milliseconds(status.get("finishTime"))),
        ("Progress", printing.percent(status.get("progress", 0))),
        ("State", _state(app)),
        ("Final-State", status.get("finalStatus", "UNDEFINED")),
        ("Tracking-URL", status.get("trackingUrl") or "N/A"),
        ("RPC Port", str(status.get("rpcPort", -1))),
        ("AM Host", status.get("host") or attempt.get("node") or "N/A"),
        ("Aggregate Resource Allocation", _seconds(usage, "memorySeconds", "vcoreSeconds")),
        (
            "Aggregate Resource Preempted",
            _seconds(usage, "preemptedMemorySeconds", "preemptedVcoreSeconds"),
        ),
        ("Log Aggregation Status", "DISABLED"),
        ("Diagnostics", _diagnostics(app)),
        ("Unmanaged Application", str(bool(spec.get("unmanagedAM"))).lower()),
        ("Application Node Label Expression", label),
        ("AM container Node Label Expression", am_label),
        ("TimeoutType", _lifetime(app)),
    ]


def _more_lines(app: Json) -> list[tuple[str, str]]:
    status = _status(app)
    metadata = app["metadata"]
    lines = [("Object", f"{metadata.get('namespace', '')}/{metadata['name']}")]
    lines += [("Attempt", _attempt(attempt)) for attempt in status.get("attempts", [])]
    lines += [
        (f"Condition {c['type']}", f"{c['status']} {c.get('reason', '')}: {c.get('message', '')}")
        for c in status.get("conditions", [])
    ]
    return lines


def _attempt(attempt: Json) -> str:
    names = ("id", "state", "containerId", "node")
    return " ".join(str(attempt[name]) for name in names if attempt.get(name))


def _diagnostics(app: Json) -> str:
    """What the ResourceManager says; of one that waits, what it waits for."""
    said = _status(app).get("diagnostics") or ""
    if said or _state(app) in (*ENDED, "RUNNING"):
        return str(said)
    conditions = {c.get("type"): c for c in _status(app).get("conditions", [])}
    for kind in ("Accepted", "Running"):
        condition = conditions.get(kind, {})
        if condition.get("status") == "False" and condition.get("message"):
            return str(condition["message"])
    return ""


def _lifetime(app: Json) -> str:
    asked = app.get("spec", {}).get("lifetimeSeconds", 0)
    # The queue's word counts, too, and is only in the status.
    seconds = (_status(app).get("lifetime") or {}).get("seconds", asked)
    started = printing.milliseconds(_status(app).get("startTime"))
    if not seconds or started == "0":
        return "LIFETIME\tExpiryTime : UNLIMITED\tRemainingTime : -1seconds"
    import time
    from datetime import UTC, datetime

    expires = int(started) / 1000 + seconds
    over = _state(app) in ENDED
    left = 0 if over else max(0, int(expires - time.time()))
    shown = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return f"LIFETIME\tExpiryTime : {shown}\tRemainingTime : {left}seconds"


def _seconds(usage: Json, memory: str, cores: str) -> str:
    return f"{usage.get(memory, 0)} MB-seconds, {usage.get(cores, 0)} vcore-seconds"


def _only(name: str, chosen: list[Json], candidates: list[Json]) -> Json:
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        ids = ", ".join(f"{application_id(a)} ({a['metadata']['namespace']})" for a in chosen)
        raise KubectlError(f"{name!r} means more than one application: {ids}; say which id")
    there = sorted(f"{a['metadata']['name']} ({application_id(a)})" for a in candidates)
    shown = ", ".join(there[:10]) + (f" and {len(there) - 10} more" if len(there) > 10 else "")
    known = f"found: {shown}" if there else "found none at all"
    raise NotFoundError(
        f"Application with id '{name}' doesn't exist in RM; {known}; "
        "-A looks in all namespaces, -n NAME in another one"
    )


def _status(app: Json) -> Json:
    found: Json = app.get("status") or {}
    return found


def _state(app: Json) -> str:
    return str(_status(app).get("state") or "NEW")


def _name(app: Json) -> str:
    return str(app.get("spec", {}).get("applicationName") or app["metadata"]["name"])


def _user(app: Json) -> str:
    return str(_status(app).get("user") or app.get("spec", {}).get("user") or "N/A")


def _queue(app: Json) -> str:
    return str(_status(app).get("queue") or app.get("spec", {}).get("queue") or "default")


def _tags(app: Json) -> list[str]:
    tags: list[str] = app.get("spec", {}).get("tags") or []
    return tags


VERBS = (
    Verb(
        "list",
        "applications in the current namespace that are submitted, accepted or running",
        _list,
        options=(
            Option("appStates", f"these instead: ALL, {', '.join(STATES)}", "STATE,..."),
            Option("appTypes", "only these types", "TYPE,..."),
            Option("appTags", "only those with one of these tags", "TAG,..."),
        ),
    ),
    Verb("status", "one application's report", _report, "<id or name>", 1, 1),
    Verb("kill", "end applications", _kill, "<id or name>...", 1, None),
)

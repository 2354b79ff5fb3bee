"""`kubectl yarn application`: list, status, kill (Hadoop: ApplicationCLI)."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_kubectl import APPLICATIONS, Kubectl, KubectlError, NotFoundError
from kubeyarn.cli.yarn_words import Option, Request, UsageError, Verb
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import AttemptStatus, YarnApplication
from kubeyarn.lifecycle.application import PUBLIC_STATES, TERMINAL, ApplicationState

STATES = tuple(state.value for state in PUBLIC_STATES)
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


class FoundApplication(NamedTuple):
    """An application as kubectl printed it, and as it is read."""

    printed: Object
    app: YarnApplication


def read_applications(items: Iterable[Object]) -> list[FoundApplication]:
    """The applications that kubectl printed."""
    return [FoundApplication(item, YarnApplication.read(item)) for item in items]


def find(kubectl: Kubectl, name: str) -> FoundApplication:
    """The application that *name* means: its id, its object's name (or namespace/name), its name.

    Raises:
        NotFoundError: none is meant; the message names those there are.
        KubectlError: more than one is meant, or the cluster could not be asked.
    """
    if name.startswith("application_"):
        # An id names no namespace, so it is looked for in all of them.
        candidates = read_applications(kubectl.objects_everywhere(APPLICATIONS))
        chosen = [one for one in candidates if one.app.status.application_id == name]
        return _only(name, chosen, candidates)
    # One object by its name costs one small answer; a list of all is fetched only if there is none.
    # In all namespaces one name may mean several, which the list tells.
    namespace, _, short = name.rpartition("/")
    if not kubectl.everywhere:
        try:
            return read_applications([kubectl.get(APPLICATIONS, short, namespace)])[0]
        except NotFoundError:
            pass
    candidates = read_applications(kubectl.objects(APPLICATIONS))
    chosen = [one for one in candidates if short in (one.app.metadata.name, _name(one.app))]
    return _only(name, chosen, candidates)


def application_id(app: YarnApplication) -> str:
    """The application's id, or its object's name while it has none."""
    return app.status.application_id or app.metadata.name


def _list(kubectl: Kubectl, request: Request) -> int:
    states = _states(request)
    types, tags = request.names("appTypes"), request.names("appTags")
    everything = read_applications(kubectl.objects(APPLICATIONS))
    chosen = [one for one in everything if _wanted(one.app, states, types, tags)]
    chosen.sort(key=lambda one: application_id(one.app))
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([one.printed for one in chosen], request.get("output")))
        return 0
    print(
        f"Total number of applications (application-types: [{', '.join(types)}], "
        f"states: [{', '.join(states)}] and tags: [{', '.join(tags)}]):{len(chosen)}"
    )
    wide = kubectl.everywhere or request.get("output") == "wide"
    widths = _WIDTHS + (_WIDE_WIDTHS if wide else ())
    header = _HEADER + (_WIDE_HEADER if wide else ())
    rows = [_row(app) + (_wide(app) if wide else ()) for _, app in chosen]
    print(printing.table(widths, [header, *rows]))
    return 0


def _report(kubectl: Kubectl, request: Request) -> int:
    printed, app = find(kubectl, request.operands[0])
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([printed], request.get("output"), single=True))
        return 0
    lines = _lines(app)
    if request.get("output") == "wide":
        lines += _more_lines(app)
    print(printing.report("Application Report : ", lines))
    return 0


def _kill(kubectl: Kubectl, request: Request) -> int:
    # Each is tried, whatever became of those before, as YARN's client does.
    failed = False
    for name in request.operands:
        try:
            _kill_one(kubectl, find(kubectl, name).app)
        except KubectlError as error:
            failed = True
            print(f"error: {printing.harmless(error)}", file=sys.stderr)
    return 1 if failed else 0


def _kill_one(kubectl: Kubectl, app: YarnApplication) -> None:
    if app.status.state in TERMINAL:
        print(f"Application {application_id(app)} has already finished ")
        return
    print(f"Killing application {application_id(app)}")
    killed = {"spec": {"desiredState": "Killed"}}
    kubectl.patch(APPLICATIONS, app.metadata.name, app.metadata.namespace, killed)


def _states(request: Request) -> tuple[str, ...]:
    wanted = tuple(state.upper() for state in request.names("appStates"))
    if "ALL" in wanted:
        return STATES
    for state in wanted:
        if state not in STATES:
            raise UsageError(
                f"The application state {state} is invalid. The valid application state can be "
                f"one of the following: ALL,{','.join(STATES)}"
            )
    return wanted or LISTED_UNASKED


def _wanted(
    app: YarnApplication, states: Sequence[str], types: Sequence[str], tags: Sequence[str]
) -> bool:
    spec = app.spec
    has_type = not types or spec.application_type.upper() in map(str.upper, types)
    has_tag = not tags or bool({t.lower() for t in tags} & {t.lower() for t in spec.tags})
    return app.status.state in states and has_type and has_tag


def _row(app: YarnApplication) -> tuple[str, ...]:
    status = app.status
    return (
        application_id(app),
        _name(app),
        app.spec.application_type,
        _user(app),
        _queue(app),
        status.state.value,
        status.final_status.value,
        printing.percent(status.progress),
        status.tracking_url or "N/A",
    )


def _wide(app: YarnApplication) -> tuple[str, ...]:
    return (
        "/".join(app.key),
        str(len(app.status.attempts)),
        str(app.status.allocated.get("containers", 0)),
    )


def _lines(app: YarnApplication) -> list[tuple[str, str]]:
    spec, status = app.spec, app.status
    usage = status.usage
    node = status.attempts[-1].node if status.attempts else ""
    label = spec.partition or "<Not set>"
    priority = spec.priority if status.priority is None else status.priority
    # YARN's times and amounts: milliseconds since 1970, MB-seconds.
    return [
        ("Application-Id", application_id(app)),
        ("Application-Name", _name(app)),
        ("Application-Type", spec.application_type),
        ("User", _user(app)),
        ("Queue", _queue(app)),
        ("Application Priority", str(priority or 0)),
        ("Start-Time", printing.milliseconds(status.start_time)),
        ("Finish-Time", printing.milliseconds(status.finish_time)),
        ("Progress", printing.percent(status.progress)),
        ("State", status.state.value),
        ("Final-State", status.final_status.value),
        ("Tracking-URL", status.tracking_url or "N/A"),
        ("RPC Port", str(status.rpc_port)),
        ("AM Host", status.host or node or "N/A"),
        ("Aggregate Resource Allocation", _seconds(usage.memory_seconds, usage.vcore_seconds)),
        (
            "Aggregate Resource Preempted",
            _seconds(usage.preempted_memory_seconds, usage.preempted_vcore_seconds),
        ),
        ("Log Aggregation Status", "DISABLED"),
        ("Diagnostics", _diagnostics(app)),
        ("Unmanaged Application", str(spec.unmanaged_am).lower()),
        ("Application Node Label Expression", label),
        ("AM container Node Label Expression", label),
        ("TimeoutType", _lifetime(app)),
    ]


def _more_lines(app: YarnApplication) -> list[tuple[str, str]]:
    lines = [("Object", "/".join(app.key))]
    lines += [("Attempt", _attempt(attempt)) for attempt in app.status.attempts]
    lines += printing.conditions(app.status.conditions)
    return lines


def _attempt(attempt: AttemptStatus) -> str:
    shown = (attempt.id, attempt.state.value, attempt.container_id, attempt.node)
    return " ".join(text for text in shown if text)


def _diagnostics(app: YarnApplication) -> str:
    """What the ResourceManager says; of one that waits, what it waits for."""
    status = app.status
    if status.diagnostics or status.state in (*TERMINAL, ApplicationState.RUNNING):
        return status.diagnostics
    conditions = {condition.type: condition for condition in status.conditions}
    # In the order of a life: what is not accepted yet says so before it says what it waits for.
    for kind in ("Accepted", "Running"):
        condition = conditions.get(kind)
        if condition is not None and condition.status == "False" and condition.message:
            return condition.message
    return ""


def _lifetime(app: YarnApplication) -> str:
    # The queue's limit counts, too, and is only in the status.
    lifetime = app.status.lifetime
    seconds = app.spec.lifetime_seconds if lifetime is None else lifetime.seconds
    started = printing.milliseconds(app.status.start_time)
    if not seconds or started == "0":
        return "LIFETIME\tExpiryTime : UNLIMITED\tRemainingTime : -1seconds"
    import time
    from datetime import UTC, datetime

    expires = int(started) / 1000 + seconds
    over = app.status.state in TERMINAL
    left = 0 if over else max(0, int(expires - time.time()))
    shown = datetime.fromtimestamp(expires, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
    return f"LIFETIME\tExpiryTime : {shown}\tRemainingTime : {left}seconds"


def _seconds(memory: int, cores: int) -> str:
    return f"{memory} MB-seconds, {cores} vcore-seconds"


def _only(
    name: str, chosen: list[FoundApplication], candidates: list[FoundApplication]
) -> FoundApplication:
    if len(chosen) == 1:
        return chosen[0]
    if chosen:
        ids = ", ".join(f"{application_id(app)} ({app.metadata.namespace})" for _, app in chosen)
        raise KubectlError(f"{name!r} means more than one application: {ids}; say which id")
    there = sorted(f"{app.metadata.name} ({application_id(app)})" for _, app in candidates)
    shown = ", ".join(there[:10]) + (f" and {len(there) - 10} more" if len(there) > 10 else "")
    known = f"found: {shown}" if there else "found none at all"
    raise NotFoundError(
        f"Application with id '{name}' doesn't exist in RM; {known}; "
        "-A looks in all namespaces, -n NAME in another one"
    )


def _name(app: YarnApplication) -> str:
    return app.spec.application_name or app.metadata.name


def _user(app: YarnApplication) -> str:
    return app.status.user or app.spec.user or "N/A"


def _queue(app: YarnApplication) -> str:
    return app.status.queue or app.spec.queue or "default"


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

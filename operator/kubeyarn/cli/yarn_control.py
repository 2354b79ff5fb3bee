"""What `kubectl yarn` changes of applications that live (Hadoop: ApplicationCLI).

Every change is a field of the spec; `application -status -o wide` shows the condition that says
whether it was taken.
"""

from __future__ import annotations

import time
from datetime import datetime
from typing import NamedTuple

from kubeyarn.cli.yarn_application import application_id, find
from kubeyarn.cli.yarn_kubectl import APPLICATIONS, Kubectl, KubectlError, NotFoundError
from kubeyarn.cli.yarn_words import Option, Request, UsageError, Verb
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import AttemptStatus, YarnApplication
from kubeyarn.lifecycle import attempt as attempts
from kubeyarn.lifecycle.application import TERMINAL

_APP = Option("appId", "the application", "ID")


class FoundAttempt(NamedTuple):
    """An attempt with its application, and as kubectl printed it."""

    app: YarnApplication
    attempt: AttemptStatus
    printed: Object


def living(kubectl: Kubectl, name: str) -> YarnApplication:
    """The application that *name* means, if it has not ended.

    Raises:
        KubectlError: it has, or there is none.
    """
    app = find(kubectl, name).app
    state = app.status.state
    if state in TERMINAL:
        raise KubectlError(f"Application {application_id(app)} is {state}: nothing can be changed")
    return app


def change(kubectl: Kubectl, app: YarnApplication, **spec: object) -> None:
    """Merge fields into an application's spec."""
    kubectl.patch(APPLICATIONS, app.metadata.name, app.metadata.namespace, {"spec": spec})


def of_attempt(kubectl: Kubectl, attempt: str) -> FoundAttempt:
    """The application and the attempt with an id.

    Raises:
        NotFoundError: there is none; the message names those that the application has.
    """
    parts = attempt.split("_")
    if len(parts) != 4 or parts[0] != "appattempt":
        raise UsageError(
            f"{attempt!r} is no attempt's id, expected appattempt_<timestamp>_<application>_<n>"
        )
    printed, app = find(kubectl, f"application_{parts[1]}_{parts[2]}")
    for place, listed in enumerate(app.status.attempts):
        if listed.id == attempt:
            # The printed one, too: for -o yaml fields count that this version does not know.
            return FoundAttempt(app, listed, printed["status"]["attempts"][place])
    known = ", ".join(listed.id for listed in app.status.attempts) or "none"
    raise NotFoundError(f"Application attempt {attempt} doesn't exist; found: {known}")


def fail(kubectl: Kubectl, request: Request) -> int:
    """Fail an attempt."""
    app, attempt, _ = of_attempt(kubectl, request.operands[0])
    if attempt.state in attempts.ENDED:
        print(f"Application attempt {attempt.id} has already finished ")
        return 0
    print(f"Failing attempt {attempt.id} of application {application_id(app)}")
    change(kubectl, app, failAttempt=attempt.id)
    return 0


def _priority(kubectl: Kubectl, request: Request) -> int:
    app = living(kubectl, _app_of(request, "updatePriority"))
    priority = _number(request.operands[0], "priority", 0)
    print(f"Updating priority of an application {application_id(app)}")
    change(kubectl, app, priority=priority)
    return 0


def _queue(kubectl: Kubectl, request: Request) -> int:
    app = living(kubectl, _app_of(request, "changeQueue"))
    return _move(kubectl, app, request.operands[0])


def _move_to_queue(kubectl: Kubectl, request: Request) -> int:
    if not request.get("queue"):
        raise UsageError("application -movetoqueue needs -queue <queue>")
    return _move(kubectl, living(kubectl, request.operands[0]), request.get("queue"))


def _move(kubectl: Kubectl, app: YarnApplication, queue: str) -> int:
    print(f"Moving application {application_id(app)} to queue {queue}")
    change(kubectl, app, queue=queue)
    return 0


def _lifetime(kubectl: Kubectl, request: Request) -> int:
    """As in YARN the time counts from now; the field counts from the submission."""
    app = living(kubectl, _app_of(request, "updateLifetime"))
    seconds = _number(request.operands[0], "lifetime in seconds", 1)
    started = app.status.start_time
    passed = time.time() - datetime.fromisoformat(started).timestamp() if started else 0
    print(f"Updating Lifetime of an application {application_id(app)}")
    change(kubectl, app, lifetimeSeconds=int(passed) + seconds)
    return 0


def _app_of(request: Request, verb: str) -> str:
    if not request.get("appId"):
        raise UsageError(f"application -{verb} needs -appId <id or name>")
    return request.get("appId")


def _number(text: str, what: str, least: int) -> int:
    if not text.isascii() or not text.isdigit() or int(text) < least:
        raise UsageError(f"{text!r} is no {what}, must be a whole number of {least} or more")
    return int(text)


VERBS = (
    Verb("fail", "end an attempt as failed; another may follow", fail, "<attempt id>", 1, 1),
    Verb(
        "updatePriority",
        "serve an application sooner or later",
        _priority,
        "<priority>",
        1,
        1,
        options=(_APP,),
    ),
    Verb(
        "changeQueue",
        "move an application with its containers",
        _queue,
        "<queue>",
        1,
        1,
        options=(_APP,),
    ),
    Verb(
        "movetoqueue",
        "the same, as older YARN has it",
        _move_to_queue,
        "<id or name>",
        1,
        1,
        options=(Option("queue", "where to", "QUEUE"),),
    ),
    Verb(
        "updateLifetime",
        "kill an application so many seconds from now",
        _lifetime,
        "<seconds>",
        1,
        1,
        options=(_APP,),
    ),
)

"""Whose fault it is that a decision failed: found in the calls that the error came out of.

Schedulers go from queue to application to node by plain calls, and each call has the object that it
is about. So nothing need be noted on the way, which would cost every grant.
"""

from __future__ import annotations

from types import FrameType

from kubeyarn.model.containers import Container
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.scheduler.reconcile_errors import Watched
from kubeyarn.scheduler.request_state import RequestState
from kubeyarn.scheduler.scheduler_state import SubmittedApplications
from kubeyarn.scheduler.set_aside import Subject
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
from kubeyarn.schedulers.capacity.objects.node import FiCaSchedulerNode
from kubeyarn.schedulers.capacity.objects.queue import AbstractCSQueue
from kubeyarn.schedulers.fair.objects.app_attempt import FSAppAttempt
from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
from kubeyarn.schedulers.fair.objects.queue import FSQueue

_FIRST = (Watched.APPLICATION, Watched.QUEUE, Watched.NODE)


def subject_of(error: Exception, applications: SubmittedApplications) -> Subject | None:
    """The application, queue or node that the step was about in which *error* was raised.

    The innermost call counts that has one: the object whose method it is, else an application, else
    a queue, else a node that it has to do with. Root is everybody's, so it is none.
    """
    for frame in reversed(_frames(error)):
        subjects = [s for v in _values(frame) if (s := _subject(v, applications)) is not None]
        owner = _subject(frame.f_locals.get("self"), applications)
        if owner is not None:
            subjects.insert(0, owner)
        else:
            subjects.sort(key=lambda subject: _FIRST.index(subject[0]))
        for subject in subjects:
            if subject != (Watched.QUEUE, ("", "root")):
                return subject
    return None


def _frames(error: Exception) -> list[FrameType]:
    frames, step = [], error.__traceback__
    while step is not None:
        frames.append(step.tb_frame)
        step = step.tb_next
    return frames


def _values(frame: FrameType) -> list[object]:
    """What a call was called with, then what it found by itself."""
    code, variables = frame.f_code, frame.f_locals
    arguments = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    called_with = [variables[name] for name in arguments if name in variables]
    return called_with + [value for name, value in variables.items() if name not in arguments]


def _subject(value: object, applications: SubmittedApplications) -> Subject | None:
    if isinstance(value, RequestState):
        return Watched.APPLICATION, value.application
    if isinstance(value, AbstractCSQueue | FSQueue):
        return Watched.QUEUE, ("", value.path)
    if isinstance(value, FiCaSchedulerNode):
        return Watched.NODE, ("", value.name)
    if isinstance(value, FSSchedulerNode):
        return Watched.NODE, ("", value.rm_node.name)
    identity = _application(value)
    submitted = applications.by_id(identity) if identity is not None else None
    return (Watched.APPLICATION, submitted.key) if submitted is not None else None


def _application(value: object) -> ApplicationId | None:
    if isinstance(value, FiCaSchedulerApp):
        return value.app.id
    if isinstance(value, FSAppAttempt):
        return value.application.id
    if isinstance(value, Container):
        return value.id.attempt.application
    if isinstance(value, ContainerId):
        return value.attempt.application
    if isinstance(value, AttemptId):
        return value.application
    return value if isinstance(value, ApplicationId) else None

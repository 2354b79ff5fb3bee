"""The ApplicationMaster SDK: what a YARN application on Kubernetes is written with.

`ApplicationMaster` speaks with the ResourceManager, `TaskServer` with the tasks inside
containers, `TaskRunner` runs tasks with retries on both; `kubeyarn.am.task` is the side inside a
container. Names are imported when they are first used, so that a task pays for none of aiohttp.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kubeyarn.am.errors import AmError as AmError
    from kubeyarn.am.master import ApplicationMaster as ApplicationMaster
    from kubeyarn.am.runner import TaskRunner as TaskRunner
    from kubeyarn.am.settings import Settings as Settings
    from kubeyarn.am.state import Allocated as Allocated
    from kubeyarn.am.state import Completed as Completed
    from kubeyarn.am.state import Event as Event
    from kubeyarn.am.state import NodeUpdated as NodeUpdated
    from kubeyarn.am.state import Preempting as Preempting
    from kubeyarn.am.state import Rejected as Rejected
    from kubeyarn.am.state import Updated as Updated
    from kubeyarn.am.state import UpdateRefused as UpdateRefused
    from kubeyarn.am.taskbook import TaskBook as TaskBook
    from kubeyarn.am.taskserver import TaskServer as TaskServer
    from kubeyarn.am.wire import AskKey as AskKey
    from kubeyarn.am.wire import AskShape as AskShape
    from kubeyarn.am.wire import Container as Container
    from kubeyarn.am.wire import Launch as Launch
    from kubeyarn.am.wire import Locality as Locality

_HOMES = {
    "AmError": "errors",
    "ApplicationMaster": "master",
    "Settings": "settings",
    "TaskRunner": "runner",
    "Allocated": "state",
    "Completed": "state",
    "Event": "state",
    "NodeUpdated": "state",
    "Preempting": "state",
    "Rejected": "state",
    "Updated": "state",
    "UpdateRefused": "state",
    "TaskBook": "taskbook",
    "TaskServer": "taskserver",
    "AskKey": "wire",
    "AskShape": "wire",
    "Container": "wire",
    "Launch": "wire",
    "Locality": "wire",
}
__all__ = [
    "Allocated",
    "AmError",
    "ApplicationMaster",
    "AskKey",
    "AskShape",
    "Completed",
    "Container",
    "Event",
    "Launch",
    "Locality",
    "NodeUpdated",
    "Preempting",
    "Rejected",
    "Settings",
    "TaskBook",
    "TaskRunner",
    "TaskServer",
    "UpdateRefused",
    "Updated",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'kubeyarn.am' has no attribute {name!r}")
    return getattr(import_module(f"kubeyarn.am.{_HOMES[name]}"), name)

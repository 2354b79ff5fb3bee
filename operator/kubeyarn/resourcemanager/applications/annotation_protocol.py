"""ApplicationMasters that speak in objects only: they call no service of ours. Pure.

Such an AM is registered while its container runs, asks by ContainerRequests, and says the rest by
annotations of its YarnApplication. It unregisters by one of them, or by exiting with 0.
"""

from __future__ import annotations

from kubeyarn.cluster import names
from kubeyarn.crd.yarn_application import YarnApplication
from kubeyarn.lifecycle.application import FinalStatus
from kubeyarn.lifecycle.progress import ContainerExit, Unregistration
from kubeyarn.lifecycle.tracking_url import refusal
from kubeyarn.model.ids import AttemptId
from kubeyarn.resourcemanager import application_spec

_FINAL = tuple(status.value for status in FinalStatus if status is not FinalStatus.UNDEFINED)


def progress(application: YarnApplication) -> int | None:
    """The progress that its AM reports, in percent; None if it reports none that is valid."""
    annotation = _annotation(application, names.PROGRESS)
    known = annotation.isascii() and annotation.isdigit() and int(annotation) <= 100
    return int(annotation) if known else None


def tracking_url(application: YarnApplication) -> str:
    """Where its AM shows its work."""
    said = _annotation(application, names.TRACKING_URL)[:2048]
    return "" if refusal(said) else said


def unregistration(
    application: YarnApplication, attempt: AttemptId | None, ending: ContainerExit | None
) -> Unregistration | None:
    """What the AM of *attempt* said when it unregistered; None while it has not.

    *ending*: how its container ended, if it did. What another attempt's AM says counts for nothing.
    """
    who, _, status = _annotation(application, names.FINAL_STATUS).partition(" ")
    diagnostics = _annotation(application, names.DIAGNOSTICS)
    url = tracking_url(application)
    if attempt is not None and who == str(attempt) and status.strip() in _FINAL:
        return Unregistration(FinalStatus(status.strip()), diagnostics, url)
    # An AM that speaks in objects may say nothing at all: an exit of 0 is its success.
    if ending is not None and ending.exit_status == 0:
        return Unregistration(FinalStatus.SUCCEEDED, diagnostics, url)
    return None


def mistakes(application: YarnApplication, attempt: AttemptId | None) -> list[str]:
    """What is wrong with its annotations."""
    if not application_spec.speaks_in_objects(application):
        return []
    wrong = []
    if _annotation(application, names.PROGRESS) and progress(application) is None:
        annotation = _annotation(application, names.PROGRESS)
        wrong.append(f"annotation {names.PROGRESS}: found {annotation!r}, allowed: 0 to 100")
    refused = refusal(_annotation(application, names.TRACKING_URL))
    if refused:
        wrong.append(f"annotation {names.TRACKING_URL}: {refused}")
    annotation = _annotation(application, names.FINAL_STATUS)
    if annotation and annotation.partition(" ")[2].strip() not in _FINAL:
        allowed = f"'{attempt or '$APP_ATTEMPT'} SUCCEEDED', or one of {', '.join(_FINAL[1:])}"
        wrong.append(f"annotation {names.FINAL_STATUS}: found {annotation!r}, allowed: {allowed}")
    return wrong


def _annotation(application: YarnApplication, name: str) -> str:
    return application.metadata.annotations.get(name, "")

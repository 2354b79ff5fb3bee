"""ApplicationMasters that call no service: what their words and their processes mean."""

from __future__ import annotations

import pytest

from kubeyarn.cluster import names
from kubeyarn.lifecycle.am_session import ProtocolError
from kubeyarn.lifecycle.application import FinalStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.resourcemanager.applications import annotation_protocol
from unit.resourcemanager.objects import ATTEMPT, an_application, application_of
from unit.resourcemanager.stage import APPLICATIONS, KEY, Stage


def saying(**annotations):
    application = an_application(applicationMaster={"image": "x", "protocol": "Objects"})
    application["metadata"]["annotations"] = {
        f"kubeyarn.io/{name.replace('_', '-')}": said for name, said in annotations.items()
    }
    return application_of(application)


def in_objects(**spec):
    return Stage(applicationMaster={"image": "am:1", "protocol": "Objects"}, **spec)


async def annotate(stage, **said):
    found = stage.objects[APPLICATIONS.kind, KEY[1]]
    annotations = {f"kubeyarn.io/{name.replace('_', '-')}": text for name, text in said.items()}
    found["metadata"].setdefault("annotations", {}).update(annotations)
    stage.manager.cache.put_application(stage._put(APPLICATIONS, found))
    # Progress is written once a second at most.
    stage.manager._status_at.clear()
    await stage.settle()


@pytest.mark.parametrize(
    ("said", "percent"),
    [("0", 0), ("42", 42), ("100", 100), ("101", None), ("-1", None), ("half", None), ("", None)],
)
def test_progress_is_percent(said, percent):
    assert annotation_protocol.progress(saying(progress=said)) == percent
    mistakes = annotation_protocol.mistakes(saying(progress=said), ATTEMPT)
    assert bool(mistakes) == (percent is None and said != "")


def test_a_final_status_counts_only_in_the_name_of_the_current_attempt():
    mine = saying(final_status=f"{ATTEMPT} FAILED", diagnostics="no input", tracking_url="http://h")
    told = annotation_protocol.unregistration(mine, ATTEMPT, None)

    assert told.final_status is FinalStatus.FAILED
    assert (told.diagnostics, told.tracking_url) == ("no input", "http://h")
    other = saying(final_status=f"{str(ATTEMPT)[:-1]}9 SUCCEEDED")
    assert annotation_protocol.unregistration(other, ATTEMPT, None) is None
    # Another attempt's word is no mistake of this one.
    assert annotation_protocol.mistakes(other, ATTEMPT) == []


@pytest.mark.parametrize("said", ["SUCCEEDED", f"{ATTEMPT} DONE", f"{ATTEMPT} UNDEFINED", "x"])
def test_a_final_status_that_is_none_is_a_mistake_that_says_what_is_allowed(said):
    assert annotation_protocol.unregistration(saying(final_status=said), ATTEMPT, None) is None
    (mistake,) = annotation_protocol.mistakes(saying(final_status=said), ATTEMPT)
    assert f"found {said!r}, allowed: '{ATTEMPT} SUCCEEDED'" in mistake


@pytest.mark.parametrize(("code", "status"), [(0, FinalStatus.SUCCEEDED), (1, None), (-100, None)])
def test_exiting_with_0_is_unregistering(code, status):
    told = annotation_protocol.unregistration(saying(), ATTEMPT, ContainerExit(code))

    assert (told and told.final_status) == status


async def test_it_runs_while_its_container_does_and_finishes_with_exit_code_0():
    stage = in_objects()
    am = await stage.launch_am(1)
    assert (stage.status()["state"], stage.attempts()) == ("RUNNING", [(1, "RUNNING")])
    await annotate(stage, progress="40", tracking_url="http://am")
    assert (stage.status()["progress"], stage.status()["trackingUrl"]) == (40, "http://am")

    stage.pod(am, "Succeeded", 0)
    await stage.settle()
    assert (stage.status()["state"], stage.status()["finalStatus"]) == ("FINISHED", "SUCCEEDED")
    assert (stage.attempts(), stage.status()["progress"]) == ([(1, "FINISHED")], 100)


async def test_one_that_was_never_seen_running_finishes_too():
    stage = in_objects()
    await stage.settle()
    stage.grant("wordcount-am-1", 1, "1")
    await stage.settle()
    stage.pod("wordcount-01-000001", "Succeeded", 0)
    await stage.settle()

    assert stage.status()["finalStatus"] == "SUCCEEDED"


async def test_it_unregisters_by_an_annotation_and_is_waited_for():
    stage = in_objects()
    am = await stage.launch_am(1)
    attempt = stage.status()["attempts"][0]["id"]
    await annotate(stage, final_status=f"{attempt} FAILED", diagnostics="no input")
    assert (stage.status()["state"], stage.status()["finalStatus"]) == ("FINISHED", "FAILED")
    assert stage.attempts() == [(1, "FINISHING")]
    assert am in stage.pods()

    stage.pod(am, "Failed", 3)
    await stage.settle()
    assert stage.attempts() == [(1, "FINISHED")]
    assert (stage.status()["finalStatus"], stage.status()["diagnostics"]) == ("FAILED", "no input")


async def test_exiting_with_anything_else_fails_the_attempt_and_another_follows():
    stage = in_objects()
    am = await stage.launch_am(1)
    stage.pod(am, "Failed", 3)
    await stage.settle()
    assert stage.attempts() == [(1, "FAILED"), (2, "SCHEDULED")]

    second = await stage.launch_am(2)
    # The first one's last word comes late.
    first = stage.status()["attempts"][0]["id"]
    await annotate(stage, final_status=f"{first} SUCCEEDED")
    assert stage.attempts()[1] == (2, "RUNNING")
    stage.pod(second, "Succeeded", 0)
    await stage.settle()
    assert stage.attempts() == [(1, "FAILED"), (2, "FINISHED")]


async def test_silence_is_no_death_and_a_restart_no_change():
    stage = in_objects()
    await stage.launch_am(1)
    stage.now_ms += 10 * stage.settings.am_expiry_s * 1000
    await stage.settle()
    stage.restart()
    stage.now_ms += 10 * stage.settings.am_expiry_s * 1000
    await stage.settle()

    assert stage.attempts() == [(1, "RUNNING")]


async def test_one_that_unregistered_and_does_not_exit_is_ended():
    stage = in_objects()
    am = await stage.launch_am(1)
    attempt = stage.status()["attempts"][0]["id"]
    stage.now_ms += 10 * stage.settings.am_expiry_s * 1000
    await annotate(stage, final_status=f"{attempt} SUCCEEDED")
    assert stage.attempts() == [(1, "FINISHING")]

    stage.now_ms += (stage.settings.am_expiry_s + 1) * 1000
    await stage.settle()
    assert stage.attempts() == [(1, "FINISHED")]
    assert am not in stage.pods()


async def test_it_is_no_master_for_the_am_service():
    stage = in_objects()
    am = await stage.launch_am(1)

    with pytest.raises(ProtocolError, match="protocol: Objects") as caught:
        stage.masters.caller(stage.identity(am))
    assert caught.value.code == "NotAnApplicationMaster"


async def test_a_mistake_stands_in_a_condition_and_does_nothing():
    stage = in_objects()
    await stage.launch_am(1)
    await annotate(stage, final_status="SUCCEEDED")

    said = next(c for c in stage.status()["conditions"] if c["type"] == "ChangesApplied")
    assert (said["status"], said["reason"]) == ("False", "InvalidAnnotation")
    assert names.FINAL_STATUS in said["message"]
    assert stage.attempts() == [(1, "RUNNING")]


def test_an_address_that_is_code_is_told_and_shown_to_nobody():
    application = saying(tracking_url="javascript:alert(1)")

    assert annotation_protocol.tracking_url(application) == ""
    [mistake] = annotation_protocol.mistakes(application, ATTEMPT)
    assert mistake.startswith("annotation kubeyarn.io/tracking-url: found 'javascript:alert(1)'")

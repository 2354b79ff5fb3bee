"""From objects to facts, and from states to conditions."""

from __future__ import annotations

from dataclasses import replace

import pytest

from kubeyarn.cluster import names
from kubeyarn.lifecycle.am_session import AMSession
from kubeyarn.lifecycle.application import ApplicationState, FinalStatus
from kubeyarn.lifecycle.attempt import AttemptState
from kubeyarn.lifecycle.progress import (
    Admission,
    ApplicationRecord,
    AttemptRecord,
    ContainerExit,
    Unregistration,
)
from kubeyarn.resourcemanager.applications import conditions, observed_state
from kubeyarn.resourcemanager.applications.observed_state import ApplicationSnapshot
from kubeyarn.resourcemanager.pods import pod_state
from kubeyarn.resourcemanager.requests import request_view
from kubeyarn.resourcemanager.settings import Settings
from unit.resourcemanager.objects import (
    APP,
    ATTEMPT,
    NOW_MS,
    a_condition,
    a_pod,
    a_request,
    an_application,
    application_of,
    container,
    request_of,
)

SETTINGS = Settings(am_expiry_s=900, launch_expiry_s=600, image_pull_grace_s=60)
AM = container(1)
ATTEMPT_RECORD = AttemptRecord(ATTEMPT, AttemptState.ALLOCATED, AM, "n1", "wordcount-01-000001")
RECORD = ApplicationRecord(
    APP, "alice", NOW_MS, ApplicationState.ACCEPTED, queue="root.a", attempts=(ATTEMPT_RECORD,)
)
GRANTED = {"grants": [{"attempt": 1, "epoch": 0, "node": "n1", "containers": "1"}], "granted": 1}


condition = a_condition


def am_request(**status):
    request = a_request("wordcount-am-1", labels={names.ROLE: names.ROLE_AM}, status=status)
    return request_view.view(request_of(request), APP)


def am_pod(waiting=None, **said):
    main = {"waiting": waiting} if waiting else None
    return pod_state.read(a_pod(AM, role=names.ROLE_AM, main=main, **said))


def seen(request=None, pod=None, ending=None, session=None, **spec):
    raw, session = an_application(**spec), session or AMSession(ATTEMPT)
    return ApplicationSnapshot(raw, application_of(raw), request, pod, ending, session)


def observed(what, record=RECORD, later_s=0):
    return observed_state.observe(what, record, SETTINGS, NOW_MS + later_s * 1000)


def test_before_the_scheduler_answers_there_is_no_admission():
    assert observed(seen()).admission is None
    assert observed(seen(am_request())).admission is None
    assert (
        observed(seen(am_request(conditions=[condition("Accepted", "Unknown")]))).admission is None
    )


def test_the_schedulers_yes_brings_the_queue():
    request = am_request(conditions=[condition("Accepted", "True")], queue="root.a")

    assert observed(seen(request)).admission == Admission(queue="root.a")


def test_the_schedulers_no_brings_its_reason_and_words():
    no = condition("Accepted", "False", "QueueNotFound", "queue 'x' does not exist")

    assert observed(seen(am_request(conditions=[no]))).admission == Admission(
        refused="QueueNotFound: queue 'x' does not exist"
    )


def test_the_grant_names_the_ams_container_node_and_pod():
    found = observed(seen(am_request(**GRANTED)), replace(RECORD, attempts=()))

    assert found.am_container == AM
    assert (found.am_node, found.am_pod) == ("n1", "wordcount-01-000001")


@pytest.mark.parametrize(
    ("spec", "killed"), [({}, False), ({"desiredState": "Killed"}, True)]
)  # fmt: skip
def test_a_user_kills_by_the_desired_state(spec, killed):
    assert observed(seen(**spec)).kill is killed


def test_a_deleted_application_is_killed():
    raw = an_application()
    raw["metadata"]["deletionTimestamp"] = "2025-11-23T12:14:00Z"

    assert observed(replace(seen(), application=application_of(raw))).kill


@pytest.mark.parametrize(
    ("master", "words"),
    [
        ({"image": "x"}, ""),
        ({"template": {"spec": {"containers": [{"image": "x"}]}}}, ""),
        ({}, "spec.applicationMaster.image: found nothing"),
        ({"template": {"spec": {"containers": [{}]}}}, "template.spec.containers[0].image"),
        (
            {"image": "x", "resources": {"memory": "lots"}},
            "spec.applicationMaster.resources.memory: found 'lots', expected a Kubernetes quantity",
        ),
        (
            {"image": "x", "resources": {"cpu": "0"}},
            "spec.applicationMaster.resources.cpu: found '0', allowed: more than 0",
        ),
        (
            {"image": "x", "resources": {"memory": "-1Gi"}},
            "spec.applicationMaster.resources.memory: found '-1Gi', allowed: 0 or more",
        ),
        ({"image": "x", "resources": {"memory": "NaN"}}, "found 'NaN'"),
        ({"image": "x", "resources": {"memory": "1e99"}}, "allowed: at most"),
    ],
)
def test_what_is_wrong_with_a_spec_is_named_with_what_is_allowed(master, words):
    invalid = observed(seen(applicationMaster=master)).invalid

    assert words in invalid
    assert bool(words) == bool(invalid)


def registered(heard_ms=NOW_MS):
    session = AMSession(ATTEMPT)
    session.register((), {}, "http://am", heard_ms)
    return session


def test_an_am_that_is_silent_for_too_long_is_given_up():
    what = seen(am_request(**GRANTED), am_pod(phase="Running"), session=registered())

    assert observed(what, later_s=900).expired == ""
    assert observed(what, later_s=901).expired == (
        "The ApplicationMaster has not called for 901 s."
    )


def test_an_am_that_does_not_register_in_time_is_given_up():
    what = seen(am_request(**GRANTED), am_pod(phase="Running"))

    assert observed(what, later_s=600).expired == ""
    assert "has not registered within 600 s" in observed(what, later_s=601).expired


def test_an_am_that_registered_long_ago_is_not_late_after_a_restart_of_the_resourcemanager():
    running = replace(
        RECORD,
        state=ApplicationState.RUNNING,
        attempts=(replace(ATTEMPT_RECORD, state=AttemptState.RUNNING),),
    )
    new = AMSession(ATTEMPT, last_heard_ms=NOW_MS + 5000_000)
    what = seen(am_request(**GRANTED), am_pod(phase="Running"), session=new)

    assert observed(what, running, later_s=5000).expired == ""
    assert observed(what, running, later_s=5900).expired == ""
    assert "has not called" in observed(what, running, later_s=5901).expired


def test_an_am_without_a_pod_is_not_late():
    assert observed(seen(am_request(**GRANTED)), later_s=99999).expired == ""


@pytest.mark.parametrize("reason", ["InvalidImageName", "CreateContainerConfigError"])
def test_an_am_that_can_never_start_is_given_up_at_once(reason):
    pod = am_pod({"reason": reason, "message": "no"})

    assert observed(seen(am_request(**GRANTED), pod)).expired == (
        f"The ApplicationMaster's container cannot start: {reason}: no"
    )


def test_an_image_that_cannot_be_pulled_gets_a_minute():
    what = seen(am_request(**GRANTED), am_pod({"reason": "ImagePullBackOff", "message": "x"}))

    assert observed(what, later_s=60).expired == ""
    assert "ImagePullBackOff" in observed(what, later_s=61).expired


def test_what_the_am_said_is_a_fact():
    session = registered()
    session.progress = 42
    session.unregistration = Unregistration(FinalStatus.SUCCEEDED)
    found = observed(seen(session=session))

    assert (found.registered, found.progress, found.tracking_url) == (True, 42, "http://am")
    assert found.unregistration == Unregistration(FinalStatus.SUCCEEDED)


def test_an_am_that_has_not_registered_has_no_progress():
    assert observed(seen()).progress is None


def test_how_the_am_ended_is_known_from_the_record_when_its_pod_is_gone():
    done = [{"id": str(AM), "exitStatus": 3, "diagnostics": "no"}]
    request = am_request(**GRANTED, completed=done)

    assert observed_state.recorded_exit(request, AM) == ContainerExit(3, "no")
    assert observed_state.recorded_exit(am_request(**GRANTED), AM) is None
    assert observed_state.recorded_exit(None, AM) is None


def test_a_grant_that_is_gone_before_its_pod_was_bound_was_taken_back():
    gone, there = am_request(), am_request(**GRANTED)
    unbound = replace(am_pod(), node="")

    assert observed_state.am_revoked(RECORD, gone, unbound)
    assert observed_state.am_revoked(RECORD, gone, None)
    assert not observed_state.am_revoked(RECORD, gone, am_pod())
    assert not observed_state.am_revoked(RECORD, there, unbound)
    assert not observed_state.am_revoked(replace(RECORD, attempts=()), gone, None)


# What users read.


def said(what, record=RECORD):
    return {
        one.type: (one.shown_status, one.reason, one.message)
        for one in conditions.conditions(what, record)
    }


def test_an_application_that_waits_says_why():
    waits = condition("Satisfied", "False", "QueueMaximum", "root.a holds 3Gi of at most 3Gi")
    told = said(seen(am_request(conditions=[waits])))

    assert told["Accepted"] == ("True", "Accepted", "Placed in queue root.a.")
    assert told["Running"] == ("False", "QueueMaximum", "root.a holds 3Gi of at most 3Gi")
    assert told["Finished"] == ("False", "NotEnded", "")


def test_an_am_whose_image_cannot_be_pulled_says_so():
    pod = am_pod({"reason": "ErrImagePull", "message": "not found"})

    assert said(seen(am_request(**GRANTED), pod))["Running"] == (
        "False",
        "ErrImagePull",
        "The ApplicationMaster's pod wordcount-01-000001 waits: not found",
    )


def test_an_am_that_kube_scheduler_does_not_place_says_so():
    pod = a_pod(AM, role=names.ROLE_AM)
    pod["status"]["conditions"] = [
        {"type": "PodScheduled", "status": "False", "message": "0/2 nodes"}
    ]
    told = said(seen(am_request(**GRANTED), pod_state.read(pod)))

    assert told["Running"] == ("False", "PodUnschedulable", "Pod wordcount-01-000001: 0/2 nodes")


def test_an_am_that_starts_says_where():
    told = said(seen(am_request(**GRANTED), am_pod()))

    assert told["Running"][1] == "Launching"
    assert told["Running"][2].endswith("starts on node n1.")


def test_before_the_scheduler_answers_acceptance_is_unknown():
    submitted = replace(RECORD, state=ApplicationState.SUBMITTED, attempts=())

    assert said(seen(), submitted)["Accepted"][:2] == ("Unknown", "Submitted")
    assert said(seen(), submitted)["Running"][:2] == ("False", "Scheduling")


@pytest.mark.parametrize(
    ("diagnostics", "reason", "message"),
    [
        ("QueueStopped: queue root.a is stopped", "QueueStopped", "queue root.a is stopped"),
        (
            "spec.applicationMaster.image: found nothing",
            "InvalidSpec",
            "spec.applicationMaster.image: found nothing",
        ),
    ],
)
def test_a_refused_application_has_the_reason_of_the_refusal(diagnostics, reason, message):
    failed = replace(RECORD, state=ApplicationState.FAILED, attempts=(), diagnostics=diagnostics)

    assert said(seen(), failed)["Accepted"] == ("False", reason, message)
    assert said(seen(), failed)["Finished"] == ("True", "Failed", diagnostics)


@pytest.mark.parametrize(
    ("state", "final", "reason"),
    [
        (ApplicationState.FINISHED, FinalStatus.SUCCEEDED, "Succeeded"),
        (ApplicationState.FINISHING, FinalStatus.FAILED, "Failed"),
        (ApplicationState.FINISHED, FinalStatus.ENDED, "Ended"),
        (ApplicationState.KILLED, FinalStatus.KILLED, "Killed"),
        (ApplicationState.FAILED, FinalStatus.FAILED, "Failed"),
    ],
)
def test_an_ended_application_says_how_it_ended(state, final, reason):
    ended = replace(RECORD, state=state, final_status=final, diagnostics="x" * 2000)

    assert said(seen(), ended)["Finished"] == ("True", reason, "x" * 1024)
    assert said(seen(), ended)["Running"][:2] == ("False", "Ended")


def test_a_running_and_a_dying_application_say_so():
    running = replace(RECORD, state=ApplicationState.RUNNING)
    assert said(seen(), running)["Running"][:2] == ("True", "Registered")

    killing = replace(RECORD, state=ApplicationState.KILLING)
    assert said(seen(), killing)["Running"][:2] == ("False", "Killing")


def test_every_reason_is_one_that_kubernetes_takes():
    for state in ApplicationState:
        told = said(seen(), replace(RECORD, state=state))
        assert all(reason and reason.replace("_", "").isalnum() for _, reason, _ in told.values())

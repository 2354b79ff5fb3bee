"""What follows for a ContainerRequest from its pods."""

from __future__ import annotations

import msgspec
import pytest

from kubeyarn.cluster import names
from kubeyarn.crd import quantities
from kubeyarn.lifecycle.am_session import ShapeKey
from kubeyarn.lifecycle.exit_status import ExitStatus
from kubeyarn.lifecycle.progress import ContainerExit
from kubeyarn.resourcemanager.pods import pod_state
from kubeyarn.resourcemanager.requests import request_plan, request_view
from kubeyarn.resourcemanager.requests.termination import (
    APPLICATION_OVER,
    ATTEMPT_OVER,
    ATTEMPT_OVER_KEEPING,
)
from unit.resourcemanager.objects import APP, a_pod, a_request, container, exited, request_of

OVER = APPLICATION_OVER
GRANTS = [{"attempt": 1, "epoch": 0, "node": "n1", "containers": "2-4"}]


def viewed(status=None, **said):
    return request_view.view(request_of(a_request(status=status, **said)), APP)


def plan(seen, *pods, endings=None, termination=None, confirmed=True):
    by_container = {p.container: p for p in map(pod_state.read, pods)}
    mine = [pod for pod in by_container.values() if pod.request == seen.name]
    return request_plan.plan(
        seen, by_container, mine, (endings or {}).get, termination, confirmed=lambda _: confirmed
    )


def with_nodes(seen, containers):
    return [(container, seen.grants[container]) for container in containers]


def after(seen, status):
    """The view of a request whose status was patched."""
    return viewed({**seen.status, **status})


def test_a_request_is_read_with_its_grants_and_what_has_ended():
    seen = viewed(
        {
            "granted": 5,
            "resources": {"memory": "2Gi", "cpu": "500m"},
            "grants": [*GRANTS, {"attempt": 1, "epoch": 2, "node": "n2", "containers": "9"}],
            "launched": [{"attempt": 1, "epoch": 0, "containers": "2"}],
            "completed": [{"id": str(container(2)), "exitStatus": 3, "diagnostics": "no"}],
        },
        labels={names.ROLE: names.ROLE_ASK, names.SHAPE: "abcd"},
        priority=7,
        allocationRequestId=4,
        resources={"memory": "1Gi", "cpu": "1"},
    )

    assert seen.grants == {
        container(2): "n1", container(3): "n1", container(4): "n1", container(9, 2): "n2",
    }  # fmt: skip
    assert seen.launched == {container(2)}
    assert seen.completed[container(2)].exit_status == 3
    assert seen.key == ShapeKey(7, 4, "abcd")
    # The granted size, rounded up by the scheduler, counts.
    assert seen.size == {"memory": 2 * 2**30, "cpu": 500}
    assert (seen.role, seen.granted) == ("ask", 5)


@pytest.mark.parametrize(
    ("labelled", "spec", "role", "attempt"),
    [
        pytest.param("am", "Task", "task", 0, id="a task that says it is an AM"),
        pytest.param("am", "ApplicationMaster", "am", 2, id="an AM"),
        pytest.param("task", "ApplicationMaster", "am", 2, id="an AM whose label was changed"),
        pytest.param("ask", "Task", "ask", 2, id="what an AM asked for"),
        pytest.param("", "Task", "task", 0, id="written by hand"),
    ],
)
def test_what_a_request_is_for_is_said_by_its_spec(labelled, spec, role, attempt):
    labels = {names.ROLE: labelled, names.ATTEMPT: "2"}
    seen = viewed({}, labels=labels, role=spec)

    assert (seen.role, seen.attempt) == (role, attempt)


def test_a_grant_without_a_pod_is_to_be_launched():
    seen = viewed({"granted": 3, "grants": GRANTS})
    result = plan(seen)

    assert with_nodes(seen, result.unlaunched) == [(container(n), "n1") for n in (2, 3, 4)]
    assert result.status == {}


def test_launched_and_running_containers_are_counted():
    seen = viewed({"grants": GRANTS})
    result = plan(seen, a_pod(container(2), phase="Running"), a_pod(container(3)))

    assert with_nodes(seen, result.unlaunched) == [(container(4), "n1")]
    assert result.status == {
        "running": 1,
        "launched": [{"attempt": 1, "epoch": 0, "containers": "2-3"}],
    }


def test_an_ended_container_is_recorded_once_and_counted_once():
    seen = viewed({"grants": GRANTS})
    pods = [
        a_pod(container(2), phase="Succeeded", main=exited(0)),
        a_pod(container(3), phase="Failed", main=exited(1)),
    ]
    first = plan(seen, *pods)

    assert first.status["completed"] == [
        {"id": str(container(2)), "exitStatus": 0},
        {"id": str(container(3)), "exitStatus": 1},
    ]
    assert (first.status["succeeded"], first.status["failed"]) == (1, 1)
    assert [c.id for c in first.ended] == [container(2), container(3)]

    again = plan(after(seen, first.status), *pods)
    assert again.status == {}
    assert again.ended == []


def test_a_write_that_got_lost_is_made_again_with_the_same_numbers():
    seen = viewed({"grants": GRANTS, "succeeded": 4})
    pod = a_pod(container(2), phase="Succeeded", main=exited(0))

    assert plan(seen, pod).status == plan(seen, pod).status
    assert plan(seen, pod).status["succeeded"] == 5


def test_a_container_whose_pod_disappeared_unseen_is_aborted():
    seen = viewed({"grants": GRANTS, "launched": [{"attempt": 1, "epoch": 0, "containers": "2"}]})
    result = plan(seen)

    assert result.status["completed"] == [
        {
            "id": str(container(2)),
            "exitStatus": -100,
            "diagnostics": "The container's pod was deleted while nobody watched.",
        }
    ]
    assert with_nodes(seen, result.unlaunched) == [(container(3), "n1"), (container(4), "n1")]


def test_what_was_seen_of_a_deleted_pod_is_its_ending():
    seen = viewed({"grants": GRANTS, "launched": [{"epoch": 0, "containers": "2"}]})
    result = plan(seen, endings={container(2): ContainerExit(0)})

    assert result.status["completed"] == [{"id": str(container(2)), "exitStatus": 0}]
    assert result.status["succeeded"] == 1


def test_what_the_manager_knows_is_better_than_the_pods_word():
    pod = a_pod(container(2), phase="Failed", main=exited(143))
    stopped = ContainerExit(ExitStatus.KILLED_BY_APPMASTER, "Stopped by the ApplicationMaster.")
    result = plan(viewed({"grants": GRANTS}), pod, endings={container(2): stopped})

    assert result.status["completed"][0]["exitStatus"] == -105


def test_a_container_that_is_being_stopped_has_not_ended_before_its_pod_has():
    pod = a_pod(container(2), phase="Running")
    stopped = ContainerExit(ExitStatus.KILLED_BY_APPMASTER, "")
    result = plan(viewed({"grants": GRANTS}), pod, endings={container(2): stopped})

    assert result.ended == []


def test_when_the_application_is_over_pods_go_and_the_rest_never_starts():
    seen = viewed({"grants": GRANTS})
    deleting = a_pod(container(3), phase="Running", deletionTimestamp="2025-11-23T12:14:00Z")
    result = plan(seen, a_pod(container(2), phase="Running"), deleting, termination=OVER)

    assert [pod.container for pod in result.delete] == [container(2)]
    assert with_nodes(seen, result.unlaunched) == []
    assert result.status["completed"] == [
        {
            "id": str(container(4)),
            "exitStatus": -107,
            "diagnostics": "The application has ended.",
        }
    ]


def test_an_ended_container_is_listed_until_the_scheduler_and_the_am_know():
    completed = [{"id": str(container(2)), "exitStatus": 0}]
    still_granted = viewed({"grants": GRANTS, "completed": completed, "succeeded": 1})
    assert "completed" not in plan(still_granted, confirmed=True).status

    dropped = [{"attempt": 1, "epoch": 0, "node": "n1", "containers": "3-4"}]
    not_told = viewed({"grants": dropped, "completed": completed, "succeeded": 1})
    assert "completed" not in plan(not_told, confirmed=False).status

    done = plan(not_told, confirmed=True)
    assert done.status["completed"] == []
    assert "succeeded" not in done.status


def test_a_container_dropped_from_the_grants_leaves_the_launched_ones():
    seen = viewed(
        {
            "grants": [{"attempt": 1, "epoch": 0, "node": "n1", "containers": "3"}],
            "launched": [{"attempt": 1, "epoch": 0, "containers": "2-3"}],
        }
    )
    pod = a_pod(container(3), phase="Running")

    assert plan(seen, pod).status == {
        "running": 1,
        "launched": [{"attempt": 1, "epoch": 0, "containers": "3"}],
    }


def test_long_diagnostics_are_cut_to_keep_the_status_small():
    pod = a_pod(container(2), phase="Failed", main=exited(1, message="x" * 4000))
    result = plan(viewed({"grants": GRANTS}), pod)

    assert len(result.status["completed"][0]["diagnostics"]) == 512


@pytest.mark.parametrize("field", ["grants", "launched"])
def test_ten_thousand_containers_are_a_few_bytes(field):
    containers = {"attempt": 1, "epoch": 0, "node": "n1", "containers": "2-10001"}
    seen = viewed({"grants": [containers], "launched": []})
    pods = [a_pod(container(n), phase="Running") for n in range(2, 10002)]

    assert plan(seen, *pods).status == {
        "running": 10000,
        "launched": [{"attempt": 1, "epoch": 0, "containers": "2-10001"}],
    }


def test_a_container_whose_grant_was_taken_back_counts_once_while_its_pod_is_going():
    pod = a_pod(container(2), deletionTimestamp="2025-11-23T12:14:00Z")
    del pod["spec"]["nodeName"]
    labels = {names.ROLE: names.ROLE_ASK, names.ATTEMPT: "1"}
    seen = viewed({"granted": 1}, labels=labels)
    first = plan(seen, pod, confirmed=False)
    assert (len(first.ended), first.status["failed"]) == (1, 1)

    told = viewed({**seen.status, **first.status}, labels=labels)
    again = plan(told, pod, confirmed=True)
    assert (again.ended, again.status) == ([], {})

    gone = plan(told, confirmed=True)
    assert gone.status == {"completed": []}


SPARE = {"executionType": "Opportunistic"}


def charging(number, said, **more):
    """The scheduler's word of what a container is counted as."""
    return {"id": str(container(number)), "executionType": said, **more}


def test_a_container_counted_otherwise_than_its_pod_says_is_changed():
    seen = viewed({"grants": GRANTS, "updates": [charging(2, "Opportunistic")]})
    result = plan(seen, a_pod(container(2), phase="Running"))

    [change] = result.changes
    assert (change.container, change.opportunistic) == (container(2), True)
    assert change.size == seen.size_of(container(2))
    [entry] = request_plan.updated_status(seen, result.changes)
    assert (entry["version"], entry["executionType"]) == (1, "Opportunistic")


def test_once_recorded_a_change_is_not_made_again():
    status = {"grants": GRANTS, "updates": [charging(2, "Opportunistic")]}
    seen = viewed(status)
    pod = a_pod(container(2), phase="Running")
    status["updated"] = request_plan.updated_status(seen, plan(seen, pod).changes)

    assert plan(viewed(status), pod).changes == []
    assert viewed(status).runs_opportunistic(container(2))
    assert not viewed(status).runs_opportunistic(container(3))
    status["updates"] = [charging(2, "Guaranteed")]
    again = viewed(status)
    [entry] = request_plan.updated_status(again, plan(again, pod).changes)
    assert (entry["version"], entry["executionType"]) == (2, "Guaranteed")


def test_an_earlier_schedulers_silence_about_the_type_changes_nothing():
    silent = {"id": str(container(2)), "resources": {"cpu": "1", "memory": "1Gi"}}
    for spec in ({}, SPARE):
        seen = viewed({"grants": GRANTS, "updates": [silent]}, **spec)
        assert plan(seen, a_pod(container(2), phase="Running")).changes == []


def test_a_pod_that_is_going_is_changed_no_more():
    seen = viewed({"grants": GRANTS, "updates": [charging(2, "Opportunistic")]})
    pod = a_pod(container(2), phase="Running", deletionTimestamp="2026-01-01T00:00:00Z")
    assert plan(seen, pod).changes == []


@pytest.mark.parametrize(
    ("granted", "counted", "status"),
    [
        ({}, "Opportunistic", ExitStatus.KILLED_BY_CONTAINER_SCHEDULER),
        (SPARE, "Guaranteed", ExitStatus.PREEMPTED),
        ({}, "Guaranteed", ExitStatus.PREEMPTED),
        (SPARE, "Opportunistic", ExitStatus.KILLED_BY_CONTAINER_SCHEDULER),
    ],
)
def test_who_is_taken_back_ends_as_what_it_was_counted_as(granted, counted, status):
    taken = {"id": str(container(2)), "kill": True, "message": "its room is needed"}
    seen = viewed(
        {"grants": GRANTS, "updates": [charging(2, counted)], "preempting": [taken]}, **granted
    )

    assert [end.exit_status for end in plan(seen).ended] == [status]


EXIT = ContainerExit(ExitStatus.KILLED_BY_APPMASTER, "Stopped by the ApplicationMaster.")
RUNS = a_pod(container(2), phase="Running")
WELL = a_pod(container(2), phase="Succeeded", main=exited(0))
BADLY = a_pod(container(2), phase="Failed", main=exited(1))
KILL = {"preempting": [{"id": str(container(2)), "kill": True, "message": "for root.b"}]}
MARK = {"preempting": [{"id": str(container(2)), "kill": False, "message": "for root.b"}]}
LAUNCHED = {"launched": [{"attempt": 1, "epoch": 0, "containers": "2"}]}


@pytest.mark.parametrize(
    ("pod", "status", "known", "over", "exit_status"),
    [
        pytest.param(None, {}, None, None, None, id="granted and not launched yet"),
        pytest.param(RUNS, {}, None, None, None, id="it runs"),
        pytest.param(RUNS, {}, EXIT, None, None, id="it is being stopped and its pod still runs"),
        pytest.param(RUNS, KILL, None, None, None, id="it is being preempted and still runs"),
        pytest.param(RUNS, {}, None, OVER, None, id="its application is over and it still runs"),
        pytest.param(WELL, {}, None, None, 0, id="its process's own exit code"),
        pytest.param(BADLY, {}, None, None, 1, id="also when it failed"),
        pytest.param(WELL, KILL, None, None, 0, id="it ended well before it was preempted"),
        pytest.param(BADLY, KILL, None, None, -102, id="it ended because it was preempted"),
        pytest.param(BADLY, MARK, None, None, 1, id="only marked: it failed by itself"),
        pytest.param(BADLY, KILL, EXIT, None, -105, id="its AM had stopped it"),
        pytest.param(None, {}, EXIT, None, -105, id="stopped before it had a pod"),
        pytest.param(None, KILL, EXIT, None, -102, id="preempted before it had a pod"),
        pytest.param(None, LAUNCHED, None, None, -100, id="its pod went while nobody watched"),
        pytest.param(None, LAUNCHED, None, OVER, -100, id="also if its application is over"),
        pytest.param(None, {}, None, OVER, -107, id="never launched, and it is over"),
        pytest.param(BADLY, {}, None, OVER, 1, id="it had failed before its application ended"),
    ],
)
def test_who_knows_best_how_a_container_ended(pod, status, known, over, exit_status):
    seen = viewed({"grants": [{**GRANTS[0], "containers": "2"}], **status})
    pods = [pod] if pod is not None else []
    endings = {container(2): known} if known is not None else {}
    result = plan(seen, *pods, endings=endings, termination=over)

    assert [ended.exit_status for ended in result.ended] == (
        [] if exit_status is None else [exit_status]
    )


@pytest.mark.parametrize(
    ("pod", "status", "reason", "planned"),
    [
        pytest.param(RUNS, {}, None, "stay", id="nothing ends it"),
        pytest.param(RUNS, KILL, None, "evict", id="the policy takes it back"),
        pytest.param(RUNS, MARK, None, "stay", id="it is only marked"),
        pytest.param(RUNS, {}, OVER, "delete", id="its application is over"),
        pytest.param(RUNS, {}, ATTEMPT_OVER, "delete", id="its attempt is over"),
        pytest.param(RUNS, {}, ATTEMPT_OVER_KEEPING, "stay", id="its containers are kept"),
        pytest.param(a_pod(container(2)), {}, ATTEMPT_OVER_KEEPING, "delete", id="if they run"),
        pytest.param(RUNS, KILL, OVER, "evict", id="the policy's reason is the one to tell"),
        pytest.param(
            a_pod(container(2), phase="Running", deletionTimestamp="2025-11-23T12:14:00Z"),
            {},
            OVER,
            "stay",
            id="it is going already",
        ),
    ],
)
def test_which_pods_are_to_go(pod, status, reason, planned):
    seen = viewed({"grants": [{**GRANTS[0], "containers": "2"}], **status})
    result = plan(seen, pod, termination=reason)

    found = {"evict": [p.container for p, _ in result.evict]}
    found["delete"] = [p.container for p in result.delete]
    expected = {name: [container(2)] if name == planned else [] for name in ("evict", "delete")}
    assert found == expected
    assert result.terminated == found["delete"]


@pytest.mark.parametrize(
    ("charged", "wanted", "opportunistic", "changed"),
    [
        pytest.param("1Gi", "2Gi", None, None, id="an increase waits until it is charged"),
        pytest.param("2Gi", "2Gi", None, ("2Gi", False), id="it is made then"),
        pytest.param("1Gi", "512Mi", None, ("512Mi", False), id="a decrease is made at once"),
        pytest.param("1Gi", "1Gi", None, None, id="what it has already is no change"),
        pytest.param("1Gi", "", True, ("1Gi", True), id="another execution type"),
        pytest.param("1Gi", "", False, None, id="the same execution type"),
    ],
)
def test_a_container_is_never_larger_than_what_is_charged_for_it(
    charged, wanted, opportunistic, changed
):
    update = {"id": str(container(2)), "resources": {"memory": charged}}
    if wanted:
        update["wanted"] = {"memory": wanted}
    if opportunistic is not None:
        update["executionType"] = "Opportunistic" if opportunistic else "Guaranteed"
    grants = [{**GRANTS[0], "containers": "2"}]
    seen = viewed({"grants": grants, "resources": {"memory": "1Gi"}, "updates": [update]})

    found = [
        (quantities.show("memory", change.size["memory"]), change.opportunistic)
        for change in plan(seen, RUNS).changes
    ]
    assert found == ([changed] if changed is not None else [])


@pytest.mark.parametrize(
    ("owner", "known", "pods", "patched"),
    [
        pytest.param("", 2, 1, {"running": 1}, id="fewer run than it says"),
        pytest.param("", 1, 1, None, id="as many as it says"),
        pytest.param("", 1, 0, {"running": 0}, id="none any more"),
        pytest.param("YarnApplication", 2, 1, None, id="it goes with its application"),
    ],
)
def test_a_request_that_outlives_its_application_says_how_many_of_its_pods_run(
    owner, known, pods, patched
):
    request = a_request(status={"running": known})
    if owner:
        request["metadata"]["ownerReferences"] = [{"kind": owner, "name": "wordcount", "uid": "u"}]
    running = [pod_state.read(a_pod(container(n), phase="Running")) for n in range(pods)]
    found = list(request_plan.orphaned_statuses([request_of(request).decoded], running))

    assert found == ([("maps", patched)] if patched is not None else [])


def ended_grants(count: int):
    """So many granted containers whose pods have all ended."""
    seen = viewed({"grants": [{"attempt": 1, "node": "n1", "containers": f"2-{count + 1}"}]})
    return seen, {c: ContainerExit(1, "x" * 600) for c in seen.grants}


def test_a_status_never_lists_more_ended_containers_than_can_be_written():
    most = request_plan.MOST_COMPLETED
    seen, endings = ended_grants(most + 7)
    first = plan(seen, endings=endings, confirmed=False)

    assert len(first.status["completed"]) == most
    assert len(msgspec.json.encode(first.status)) < 2**20
    assert (first.overfull, len(first.ended), first.status["failed"]) == (True, most, most)

    # The scheduler has dropped what was recorded, and the ApplicationMaster confirms nothing.
    left = {**seen.status, **first.status}
    left["grants"] = [{"attempt": 1, "node": "n1", "containers": f"{most + 2}-{most + 8}"}]
    second = plan(viewed(left), endings=endings, confirmed=False)
    assert [c.id for c in second.ended] == [container(n) for n in range(most + 2, most + 9)]
    assert len(second.status["completed"]) == most
    assert second.status["completed"][0]["id"] == str(container(9))
    assert second.status["failed"] == most + 7

    third = plan(viewed({**left, **second.status}), endings=endings, confirmed=True)
    assert (third.overfull, third.ended) == (False, [])


def test_of_very_many_ended_containers_only_the_last_say_what_went_wrong():
    seen, endings = ended_grants(600)
    found = plan(seen, endings=endings).status["completed"]
    assert ["diagnostics" in entry for entry in found] == [False] * 100 + [True] * 500
    assert plan(after(seen, plan(seen, endings=endings).status), endings=endings).status == {}

"""What users change of an application that lives: taken, or refused with a reason they can read."""

from __future__ import annotations

import pytest

from wire.processes.cluster import NAMESPACE, ask


def changes(cluster, name="words"):
    """Whether all changes are in force; the reason and the message if not."""
    found = cluster.condition("yarnapplications", name, "ChangesApplied", NAMESPACE)
    return found.get("status"), found.get("reason"), found.get("message")


async def test_an_attempt_is_failed_by_its_id_and_another_one_follows(cluster, master):
    await master.beat(ask(2))
    await master.beat_until(lambda: len(master.containers) == 2)
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
    first = cluster.application()["attempts"][0]["id"]
    cluster.change(failAttempt=first)

    await cluster.until(lambda: len(cluster.application()["attempts"]) == 2)
    status, answer = await master.say("allocate", {"responseId": master.response_id})
    # Once its pod is gone nobody vouches for its token.
    assert (status, answer["error"]) in {(409, "AttemptEnded"), (403, "NotAnApplicationMaster")}
    failed = cluster.application()["attempts"][0]
    assert (failed["state"], failed["exitStatus"]) == ("FAILED", -1000)
    assert failed["diagnostics"] == "Attempt failed by its user."
    await cluster.until(lambda: cluster.application()["attempts"][1]["state"] == "LAUNCHED")
    await cluster.until(lambda: not cluster.pods("task"))
    # The word stays in the spec and does nothing to the attempt that followed.
    again = cluster.master()
    await again.register()
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    assert changes(cluster) == ("True", "NothingRefused", "")
    await again.finish()


async def test_failing_the_last_attempt_fails_the_application(cluster):
    cluster.submit(maxAttempts=1)
    await cluster.until(lambda: cluster.pods("am", phase="Running"))
    cluster.change(failAttempt=cluster.application()["attempts"][0]["id"])

    await cluster.until(lambda: cluster.application()["state"] == "FAILED")
    assert cluster.application()["diagnostics"].endswith("Attempt failed by its user.")
    await cluster.until(lambda: not cluster.pods("am", phase="Running"))


async def test_an_attempt_that_is_none_is_refused_with_those_there_are(cluster, master):
    wrong = "appattempt_1_0001_000001"
    cluster.change(failAttempt=wrong)

    await cluster.until(lambda: changes(cluster)[0] == "False")
    _, reason, message = changes(cluster)
    assert reason == "AttemptNotFound"
    assert message == (
        f"spec.failAttempt: found {wrong}, which is no attempt of it, allowed: "
        f"{cluster.application()['attempts'][0]['id']}"
    )
    assert cluster.application()["state"] == "RUNNING"
    cluster.change(failAttempt="")
    await cluster.until(lambda: changes(cluster)[0] == "True")


async def test_a_move_to_a_queue_that_is_not_there_is_refused_on_the_application(cluster, master):
    cluster.change(queue="root.none")
    await cluster.until(lambda: changes(cluster)[0] == "False")
    assert "root.none" in changes(cluster)[2]
    assert cluster.application()["queue"] == "root.a"

    cluster.change(queue="root.b")
    await cluster.until(lambda: cluster.application()["queue"] == "root.b")
    await cluster.until(lambda: changes(cluster)[0] == "True")


async def test_taking_a_refused_move_back_leaves_nothing_refused(cluster, master):
    cluster.change(queue="root.none")
    await cluster.until(lambda: changes(cluster)[0] == "False")
    cluster.change(queue="root.a")

    await cluster.until(lambda: changes(cluster)[0] == "True")
    assert cluster.application()["queue"] == "root.a"


async def test_a_refusal_is_still_told_after_restarts_and_can_be_taken_back(cluster, master):
    cluster.change(queue="root.none")
    await cluster.until(lambda: changes(cluster)[0] == "False")
    for process in ("scheduler", "manager"):
        await cluster.kill(process)
    cluster.start_scheduler()
    cluster.start_manager()
    await cluster.ready()
    assert changes(cluster)[0] == "False"
    cluster.change(queue="root.a")

    await cluster.until(lambda: changes(cluster)[0] == "True")
    assert cluster.application()["queue"] == "root.a"


@pytest.mark.parametrize("killed", [["scheduler"], ["manager"], ["manager", "scheduler"]])
async def test_a_move_that_was_asked_while_no_scheduler_ran_is_made(cluster, master, killed):
    request = "words-am-1"
    await cluster.until(
        lambda: "applied" in cluster.api.get("containerrequests", request, NAMESPACE)["status"]
    )
    for process in killed:
        await cluster.kill(process)
    cluster.change(queue="root.b")
    if "manager" in killed:
        cluster.start_manager()
    if "scheduler" in killed:
        cluster.start_scheduler()
    await cluster.ready()

    await cluster.until(lambda: cluster.application()["queue"] == "root.b")


async def test_a_priority_above_the_clusters_maximum_is_limited_and_said_so(cluster, master):
    cluster.queue("root", cluster={"maximumApplicationPriority": 5})
    # Queues and applications are watched apart, so that either may be seen first.
    await cluster.until(lambda: _most_priority(cluster) == 5)
    cluster.change(priority=7)
    await cluster.until(
        lambda: cluster.condition("containerrequests", "words-am-1", "Prioritized", NAMESPACE)
    )
    said = cluster.condition("containerrequests", "words-am-1", "Prioritized", NAMESPACE)

    assert said["status"] == "True"
    assert said["message"] == (
        "priority 5 is in force, the most that is allowed; spec.priority is 7"
    )
    await cluster.until(lambda: cluster.application().get("priority") == 5)
    assert (await master.beat())["priority"] == 5


def _most_priority(cluster):
    """The most that the root queue allows, as it is in force."""
    status = cluster.api.get("yarnqueues", "root").get("status") or {}
    in_force = status.get("inForce") or {}
    return (in_force.get("cluster") or {}).get("maximumApplicationPriority")


async def test_the_fair_scheduler_refuses_to_change_a_priority(cluster):
    cluster.queue("root", cluster={"scheduler": "Fair"})
    cluster.submit(queue="root.a", priority=1)
    await cluster.until(lambda: cluster.pods("am", phase="Running"))
    cluster.change(priority=2)

    await cluster.until(lambda: changes(cluster)[0] == "False")
    assert changes(cluster)[1] == "PriorityNotSupported"
    assert "Fair Scheduler" in changes(cluster)[2]


async def running(cluster, master, count=1):
    """Ids of containers that run."""
    await master.beat(ask(count))
    await master.beat_until(lambda: len(master.containers) == count)
    await master.launch(*master.containers)
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == count)
    return sorted(c["containerId"] for c in master.containers)


def signal(container, command, **more):
    return {"containerId": container, "command": command, **more}


def answers(cluster):
    """What became of the signals, without when."""
    found = cluster.application().get("signals") or []
    return [{k: v for k, v in entry.items() if k != "time"} for entry in found]


async def test_a_thread_dump_is_asked_of_the_first_process_once(cluster, master):
    (container,) = await running(cluster, master)
    pod = cluster.pods("task")[0]["metadata"]["name"]
    wanted = signal(container, "OutputThreadDump")
    cluster.change(signals=[wanted])
    await cluster.until(lambda: answers(cluster))

    assert answers(cluster) == [{**wanted, "serial": 1, "sent": True}]
    await cluster.kill("manager")
    cluster.start_manager()
    await cluster.ready()
    assert cluster.api.executed == [(pod, "main", "sh", "-c", "kill -3 1")]
    cluster.change(signals=[{**wanted, "serial": 2}])
    await cluster.until(lambda: len(cluster.api.executed) == 2)
    await cluster.until(lambda: answers(cluster) == [{**wanted, "serial": 2, "sent": True}])
    assert cluster.pods("task", phase="Running")


@pytest.mark.parametrize(
    ("command", "status", "grace"),
    [("GracefulShutdown", 143, None), ("ForcefulShutdown", 137, 1)],
)
async def test_a_shutdown_ends_the_container_with_yarns_exit_status(
    cluster, master, command, status, grace
):
    _, second = await running(cluster, master, 2)
    cluster.change(signals=[signal(second, command)])
    await master.beat_until(lambda: master.completed)

    assert [(c["containerId"], c["exitStatus"]) for c in master.completed] == [(second, status)]
    assert "killed on request" in master.completed[0]["diagnostics"]
    deleted = [body for what, path, body in cluster.api.writes if what == "DELETE"]
    assert [body.get("gracePeriodSeconds") for body in deleted] == [grace]
    assert len(cluster.pods("task", phase="Running")) == 1
    await cluster.until(lambda: answers(cluster))
    assert answers(cluster)[0]["sent"] is True


async def test_an_am_that_is_shut_down_uses_an_attempt_up(cluster, master):
    am = cluster.application()["attempts"][0]["containerId"]
    cluster.change(signals=[signal(am, "ForcefulShutdown")])
    await cluster.until(lambda: len(cluster.application()["attempts"]) == 2)

    assert cluster.application()["attempts"][0]["exitStatus"] == 137


async def test_signals_that_cannot_be_sent_are_refused_with_the_reason(cluster, master):
    (container,) = await running(cluster, master)
    cluster.api.commands_fail = "sh: kill: not found"
    gone = container[:-6] + "000999"
    cluster.change(
        signals=[
            signal(container, "OutputThreadDump"),
            signal(gone, "GracefulShutdown"),
            signal("container_1_0001_01_000001", "GracefulShutdown"),
            signal("nonsense", "ForcefulShutdown"),
        ]
    )
    await cluster.until(lambda: len(answers(cluster)) == 4)

    messages = [entry["message"] for entry in answers(cluster)]
    assert messages[0] == "sh: kill: not found"
    assert messages[1] == "it has ended, or never was"
    assert messages[2].startswith("it is no container of application_")
    assert "nonsense" in messages[3]
    assert not any(entry["sent"] for entry in answers(cluster))
    await cluster.until(lambda: changes(cluster)[1] == "SignalRefused")
    assert "OutputThreadDump" in changes(cluster)[2]
    cluster.change(signals=[])
    await cluster.until(lambda: changes(cluster)[0] == "True")
    assert answers(cluster) == []


async def test_a_signal_waits_for_its_container_to_run(cluster, master):
    await master.beat(ask(1))
    await master.beat_until(lambda: master.containers)
    container = master.containers[0]["containerId"]
    cluster.change(signals=[signal(container, "OutputThreadDump")])
    await master.beat()
    assert answers(cluster) == []

    await master.launch(*master.containers)
    await cluster.until(lambda: answers(cluster) and answers(cluster)[0]["sent"])


async def test_a_lifetime_is_changed_to_an_end_in_the_future_and_not_to_one_in_the_past(
    cluster, master
):
    await cluster.until(lambda: cluster.application().get("lifetime") == {"seconds": 0})
    # An hour ago, as far as its status says.
    found = cluster.api.get("yarnapplications", "words", NAMESPACE)
    found["status"]["startTime"] = "2020-01-01T00:00:00Z"
    cluster.api.put("yarnapplications", found)
    cluster.change(lifetimeSeconds=60)
    await cluster.until(lambda: changes(cluster)[1] == "LifetimeOver")
    assert "were over at 2020-01-01T00:01:00Z" in changes(cluster)[2]
    assert cluster.application()["state"] == "RUNNING"

    cluster.change(lifetimeSeconds=2**31 - 1)
    await cluster.until(lambda: changes(cluster)[0] == "True")
    await cluster.until(lambda: cluster.application()["lifetime"]["seconds"] == 2**31 - 1)
    assert cluster.application()["lifetime"]["expiryTime"].startswith("2088-")


async def test_the_queues_default_priority_is_shown(cluster):
    cluster.queue("root", cluster={"maximumApplicationPriority": 9})
    cluster.queue("root.b", capacity="40%", defaultApplicationPriority=4)
    cluster.submit("other", queue="root.b")

    await cluster.until(lambda: cluster.application("other").get("priority") == 4)


async def test_the_fair_scheduler_refuses_a_move_and_takes_it_back_too(cluster):
    cluster.queue("root", cluster={"scheduler": "Fair"})
    cluster.submit(queue="root.a")
    await cluster.until(lambda: cluster.pods("am", phase="Running"))
    cluster.change(queue="root.none.at.all")
    await cluster.until(lambda: changes(cluster)[0] == "False")
    cluster.change(queue="root.a")

    await cluster.until(lambda: changes(cluster)[0] == "True")
    assert cluster.application()["queue"] == "root.a"

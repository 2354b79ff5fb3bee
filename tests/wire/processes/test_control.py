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
    assert (status, answer["error"]) == (409, "AttemptEnded")
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
    cluster.change(priority=7)
    await cluster.until(
        lambda: cluster.condition("containerrequests", "words-am-1", "Prioritized", NAMESPACE)
    )
    said = cluster.condition("containerrequests", "words-am-1", "Prioritized", NAMESPACE)

    assert said["status"] == "True"
    assert said["message"] == (
        "priority 5 is in force, the most that is allowed; spec.priority is 7"
    )


async def test_the_fair_scheduler_refuses_to_change_a_priority(cluster):
    cluster.queue("root", cluster={"scheduler": "Fair"})
    cluster.submit(queue="root.a", priority=1)
    await cluster.until(lambda: cluster.pods("am", phase="Running"))
    cluster.change(priority=2)

    await cluster.until(lambda: changes(cluster)[0] == "False")
    assert changes(cluster)[1] == "PriorityNotSupported"
    assert "Fair Scheduler" in changes(cluster)[2]

"""ApplicationMasters that run elsewhere: their tokens, and that nobody launches or tries them."""

from __future__ import annotations

import pytest

from wire.processes.cluster import NAMESPACE, Master, ask


def tokens(cluster):
    """The Secrets with AMs' tokens, by name."""
    return {
        name: item for (plural, _, name), item in cluster.api.objects.items() if plural == "secrets"
    }


async def outside(cluster, name="words"):
    """The AM that whoever may read the application's Secret can be."""
    await cluster.until(lambda: "unmanagedAM" in cluster.application(name))
    secret = tokens(cluster)[cluster.application(name)["unmanagedAM"]["secret"]]
    return Master(cluster, secret["stringData"]["token"])


@pytest.fixture
async def unmanaged(cluster):
    cluster.submit(unmanagedAM=True, applicationMaster=None)
    return await outside(cluster)


async def test_it_waits_accepted_without_a_container_until_somebody_registers(cluster, unmanaged):
    status = cluster.application()
    assert (status["state"], status["attempts"][0]["state"]) == ("ACCEPTED", "LAUNCHED")
    secret = status["unmanagedAM"]["secret"]
    await cluster.until(
        lambda: (
            secret
            in cluster.condition("yarnapplications", "words", "Running", NAMESPACE)["message"]
        )
    )
    assert cluster.condition("yarnapplications", "words", "Running", NAMESPACE)["reason"] == (
        "Unregistered"
    )
    assert cluster.pods() == []
    owner = tokens(cluster)[secret]["metadata"]["ownerReferences"][0]
    assert (owner["kind"], owner["name"]) == ("YarnApplication", "words")
    assert tokens(cluster)[secret]["stringData"]["KUBEYARN_RM"].startswith("http://127.0.0.1:")
    assert (
        cluster.condition("yarnapplications", "words", "AllFieldsActing", NAMESPACE)["status"]
        == "True"
    )


async def test_it_goes_the_whole_way(cluster, unmanaged):
    answer = await unmanaged.register()
    assert answer["queue"] == "root.a"
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    assert cluster.application()["host"] == "10.0.0.7"
    await unmanaged.beat(ask(2))
    await unmanaged.beat_until(lambda: len(unmanaged.containers) == 2)
    launch = [{"containerId": c["containerId"], "image": "words:1"} for c in unmanaged.containers]
    await unmanaged.say("containers", {"launch": launch})
    await cluster.until(lambda: len(cluster.pods("task", phase="Running")) == 2)
    cluster.behaviour = lambda _: 0
    await unmanaged.beat_until(lambda: len(unmanaged.completed) == 2)
    await unmanaged.finish(diagnostics="all counted")

    await cluster.until(lambda: cluster.application()["state"] == "FINISHED")
    status = cluster.application()
    assert (status["finalStatus"], status["diagnostics"]) == ("SUCCEEDED", "all counted")
    assert status["attempts"][0]["state"] == "FINISHED"
    assert "containerId" not in status["attempts"][0]
    assert cluster.pods("am") == []
    # Again, as after a lost answer.
    await unmanaged.finish()


async def test_a_restart_of_the_resourcemanager_changes_neither_token_nor_state(cluster, unmanaged):
    await unmanaged.register()
    await unmanaged.beat(ask(1))
    await unmanaged.beat_until(lambda: unmanaged.containers)
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    before = cluster.application()["unmanagedAM"]

    for process in ("manager", "scheduler"):
        await cluster.kill(process)
    cluster.start_scheduler()
    cluster.start_manager()
    await cluster.ready()

    status, answer = await unmanaged.say("allocate", {"responseId": unmanaged.response_id})
    assert (status, answer["error"]) == (409, "ApplicationMasterNotRegistered")
    again = await unmanaged.register()
    known = [c["containerId"] for c in unmanaged.containers]
    assert [c["containerId"] for c in again["containers"]] == known
    assert cluster.application()["unmanagedAM"] == before
    assert len(tokens(cluster)) == 1
    await unmanaged.finish()
    await cluster.until(lambda: cluster.application()["state"] == "FINISHED")


async def test_a_token_speaks_for_its_application_alone(cluster, unmanaged):
    cluster.submit("other", unmanagedAM=True, applicationMaster=None)
    other = await outside(cluster, "other")
    swapped = unmanaged.token.replace("~words~", "~other~")
    for forged in (swapped, unmanaged.token[:-1], unmanaged.token + "x", "kubeyarn-am~a~b~c"):
        status, answer = await Master(cluster, forged).say("register", {})
        assert (status, answer["error"]) == (401, "Unauthorized")
        assert "status.unmanagedAM.secret" in answer["message"]
    assert (await other.register())["applicationId"] == cluster.application("other")[
        "applicationId"
    ]


async def test_the_token_of_a_managed_application_is_no_such_token(cluster, master):
    forged = Master(cluster, f"kubeyarn-am~{NAMESPACE}~words~")
    status, answer = await forged.say("register", {})

    assert (status, answer["error"]) == (401, "Unauthorized")


async def test_it_is_killed_at_once(cluster, unmanaged):
    await unmanaged.register()
    await cluster.until(lambda: cluster.application()["state"] == "RUNNING")
    cluster.change("words", desiredState="Killed")

    await cluster.until(lambda: cluster.application()["state"] == "KILLED")
    status, answer = await unmanaged.say("allocate", {"responseId": 0})
    assert (status, answer["error"]) == (409, "AttemptEnded")


async def test_a_second_registration_is_refused_unless_containers_are_kept(cluster, unmanaged):
    await unmanaged.register()
    await unmanaged.beat()
    status, answer = await unmanaged.say("register", {})
    assert (status, answer["error"]) == (409, "AlreadyRegistered")

    cluster.submit(
        "kept", unmanagedAM=True, applicationMaster=None, keepContainersAcrossAttempts=True
    )
    kept = await outside(cluster, "kept")
    await kept.register()
    await kept.beat(ask(1))
    await kept.beat_until(lambda: kept.containers)
    again = await kept.register()
    assert again["responseId"] == 0
    assert [c["containerId"] for c in again["containers"]] == [
        c["containerId"] for c in kept.containers
    ]


async def test_a_queue_that_refuses_it_fails_it(cluster):
    cluster.submit(unmanagedAM=True, applicationMaster=None, queue="root.none")

    await cluster.until(lambda: cluster.application().get("state") == "FAILED")
    assert "root.none" in cluster.application()["diagnostics"]
    assert tokens(cluster) == {}

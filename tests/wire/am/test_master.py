"""The ApplicationMaster's conversation with an AM service that fails, restarts and refuses."""

from __future__ import annotations

import asyncio
import sys

import pytest

from kubeyarn.am import errors
from kubeyarn.am.master import ApplicationMaster
from kubeyarn.am.retry_policy import RetryPolicy
from kubeyarn.am.settings import Settings
from kubeyarn.am.state import Allocated, Completed
from kubeyarn.am.wire import Launch

QUICK = Settings(
    heartbeat_s=0.05,
    retry_policy=RetryPolicy(first_s=0.02, longest_s=0.1, total_s=20),
    finish_poll_s=0.02,
)
SMALL = {"cpu": "1", "memory": "1Gi"}


def an_am(rm, **how) -> ApplicationMaster:
    return ApplicationMaster.from_env(environ=rm.env(), **{"settings": QUICK, **how})


class Heard:
    """Takes an ApplicationMaster's events and sorts them."""

    def __init__(self, am: ApplicationMaster) -> None:
        self._am = am
        self._containers: list = []
        self._ends: list[Completed] = []

    async def containers(self, count: int) -> list:
        while len(self._containers) < count:
            await self._more()
        taken, self._containers = self._containers[:count], self._containers[count:]
        return taken

    async def ends(self, count: int) -> list[Completed]:
        while len(self._ends) < count:
            await self._more()
        taken, self._ends = self._ends[:count], self._ends[count:]
        return taken

    async def _more(self) -> None:
        async with asyncio.timeout(20):
            for event in await self._am.next_events():
                if isinstance(event, Allocated):
                    self._containers.append(event.container)
                else:
                    self._ends.append(event)


async def containers(am: ApplicationMaster, count: int) -> list:
    return await Heard(am).containers(count)


async def ends(am: ApplicationMaster, count: int) -> list[Completed]:
    return await Heard(am).ends(count)


async def until(condition) -> None:
    async with asyncio.timeout(10):
        while not condition():  # noqa: ASYNC110 - what is waited for is in another process
            await asyncio.sleep(0.01)


async def test_an_application_lives_from_register_to_unregister(rm):
    async with an_am(rm, tracking_url="http://am:1") as am:
        assert am.registration.queue == "root.engineering.etl"
        assert am.registration.maximum_allocation == {"cpu": "4", "memory": "8Gi"}
        am.ask(2, SMALL, priority=3, allocation_request_id=9)
        first, second = await containers(am, 2)
        assert first.key == (3, 9)
        pod = await am.launch(first, command=["sh", "-c", "exit $CODE"], env={"CODE": "7"})
        await am.launch(second, command=[sys.executable, "-c", "print('hello')"])
        am.set_progress(0.5)
        ended = {e.container.id: e.exit_status for e in await ends(am, 2)}
        assert ended == {first.id: 7, second.id: 0}
        assert pod == f"pod-{first.id[-6:]}"
        assert dict(am.live) == {}
        assert am.headroom == {"cpu": "4", "memory": "8Gi"}
        assert am.cluster_nodes == 1

    assert rm.calls[0] == (
        "register",
        {"host": "127.0.0.1", "rpcPort": 0, "trackingUrl": "http://am:1"},
    )
    assert rm.finished == {"finalStatus": "SUCCEEDED", "diagnostics": "", "trackingUrl": ""}
    assert rm.finish_calls == 2
    assert 0.5 in rm.progress


async def test_a_change_is_told_at_once_not_at_the_next_heartbeat(rm):
    slow = Settings(heartbeat_s=30, retry_policy=QUICK.retry_policy, finish_poll_s=0.02)
    async with asyncio.timeout(20):
        async with an_am(rm, settings=slow) as am:
            am.ask(1, SMALL)
            (container,) = await containers(am, 1)
            am.release(container.id)
            await until(lambda: rm.containers[container.id].exit_status == -100)


@pytest.mark.parametrize("verb", ["register", "allocate", "containers", "finish"])
@pytest.mark.parametrize("fault", ["503", "lost answer"])
async def test_a_call_that_fails_on_the_way_is_made_again_with_one_effect(rm, verb, fault):
    rm.faults = [(verb, fault)] * 2
    async with an_am(rm) as am:
        am.ask(1, SMALL)
        (container,) = await containers(am, 1)
        await am.launch(container, command=["true"])
        (end,) = await ends(am, 1)
        assert end.exit_status == 0

    assert rm.faults == []
    assert len(rm.containers) == 1
    assert rm.finished["finalStatus"] == "SUCCEEDED"


async def test_a_restarted_resourcemanager_is_told_everything_again(rm):
    rm.slots = 2
    async with an_am(rm) as am:
        heard = Heard(am)
        key = am.ask(3, SMALL)
        for container in await heard.containers(2):
            await am.launch(container, command=["sleep", "1"])
        am.exclude_nodes(add=["n7"])
        await until(lambda: any(b.get("excludeNodes", {}).get("add") for _, b in rm.calls))
        rm.calls.clear()
        await rm.restart(down_s=0.3)
        await heard.ends(2)
        (third,) = await heard.containers(1)
        assert am.outstanding(key) == 0
        await am.launch(third, command=["true"])
        await heard.ends(1)
        assert am.registrations == 2

    assert len(rm.containers) == 3
    said = [body for verb, body in rm.calls if verb == "allocate" and body["responseId"] == 0]
    assert [ask["count"] for ask in said[-1]["asks"]] == [1]
    assert said[-1]["excludeNodes"]["add"] == ["n7"]


async def test_containers_granted_while_the_resourcemanager_was_away_arrive_once(rm):
    rm.slots = 1
    async with an_am(rm) as am:
        heard = Heard(am)
        am.ask(2, SMALL)
        (first,) = await heard.containers(1)
        await am.launch(first, command=["sleep", "0.2"])
        await rm.stop()
        await asyncio.sleep(0.5)
        assert len(rm.containers) == 2
        await rm.restart(down_s=0)
        (second,) = await heard.containers(1)
        assert second.id != first.id
        await am.launch(second, command=["true"])

    assert len(rm.containers) == 2


@pytest.mark.parametrize("verb", ["containers", "finish"])
async def test_a_restart_noticed_by_another_call_than_the_heartbeat_is_healed_too(rm, verb):
    quiet = Settings(heartbeat_s=60, retry_policy=QUICK.retry_policy, finish_poll_s=0.02)
    async with asyncio.timeout(20):
        async with an_am(rm, settings=quiet) as am:
            am.ask(1, SMALL)
            (container,) = await containers(am, 1)
            await asyncio.sleep(0.1)
            rm.forget_registration()
            if verb == "containers":
                await am.launch(container, command=["true"])
                assert am.registrations == 2
        assert am.registrations == 2
    assert rm.finished["finalStatus"] == "SUCCEEDED"


async def test_the_token_is_read_anew_for_every_call(rm):
    async with an_am(rm) as am:
        rm.set_token("second-token")
        am.ask(1, SMALL)
        assert len(await containers(am, 1)) == 1


async def test_a_token_that_is_refused_for_good_ends_the_conversation(rm):
    async with an_am(rm) as am:
        rm.token = "something else"
        with pytest.raises(errors.UnauthorizedError, match="TokenReview"):
            await am.next_events()
        rm.token = "first-token"


async def test_a_missing_token_file_is_named(rm, tmp_path):
    rm.token_file = tmp_path / "none"
    with pytest.raises(errors.SettingsError, match="KUBEYARN_TOKEN_FILE"):
        async with an_am(rm):
            pass


async def test_a_refused_ask_names_its_field(rm):
    async with an_am(rm) as am:
        am.ask(1, {"cpu": "1", "memory": "999Gi"})
        with pytest.raises(errors.InvalidRequestError, match="found 999Gi") as refusal:
            await am.next_events()
        assert refusal.value.field == "asks[0]"
        assert refusal.value.code == "InvalidRequest"


async def test_a_container_that_cannot_be_launched_is_an_error_of_its_own(rm):
    async with an_am(rm) as am:
        am.ask(1, SMALL)
        (container,) = await containers(am, 1)
        with pytest.raises(errors.LaunchError, match="container_x: not granted"):
            await am.launch("container_x", command=["true"])
        answer = await am.launch_all(
            [Launch("container_x", ["true"]), Launch(container.id, ["true"])]
        )
        assert set(answer.errors) == {"container_x"}
        assert set(answer.pods) == {container.id}


async def test_many_launches_are_cut_into_calls(rm):
    rm.slots = 10
    few = Settings(heartbeat_s=0.05, finish_poll_s=0.02, launches_per_call=4, launches_at_once=2)
    async with an_am(rm, settings=few) as am:
        heard = Heard(am)
        am.ask(10, SMALL)
        launches = [Launch(c.id, ["true"]) for c in await heard.containers(10)]
        answer = await am.launch_all([*launches, Launch("container_x", ["true"])])
        assert set(answer.pods) == {launch.container_id for launch in launches}
        assert set(answer.errors) == {"container_x"}
        assert {end.exit_status for end in await heard.ends(10)} == {0}

    sizes = [len(body["launch"]) for verb, body in rm.calls if verb == "containers"]
    assert sorted(sizes) == [0, 3, 4, 4]


async def test_a_container_that_ended_before_it_was_launched_is_no_error(rm):
    async with an_am(rm) as am:
        heard = Heard(am)
        am.ask(1, SMALL)
        (container,) = await heard.containers(1)
        rm.lose(rm.containers[container.id])
        assert await am.launch(container, command=["true"]) == ""
        (end,) = await heard.ends(1)
        assert end.exit_status == -100
        del rm.containers[container.id]
        assert await am.launch(container, command=["true"]) == ""


async def test_a_container_can_be_stopped_and_asked_about(rm):
    async with an_am(rm) as am:
        am.ask(1, SMALL)
        (container,) = await containers(am, 1)
        assert (await am.states([container.id]))[container.id].state == "NEW"
        await am.launch(container, command=["sleep", "60"])
        assert (await am.states([container.id]))[container.id].state == "RUNNING"
        await am.stop([container.id])
        (end,) = await ends(am, 1)
        assert end.exit_status == 143
        assert (await am.states([container.id]))[container.id].exit_status == 143


async def test_an_attempt_that_was_ended_from_outside_is_told_so(rm):
    async with an_am(rm) as am:
        rm.finished = {"finalStatus": "KILLED"}
        with pytest.raises(errors.AttemptEndedError):
            await am.next_events()
        rm.finished = None


async def test_an_exception_leaves_without_a_word_so_that_another_attempt_may_come(rm):
    with pytest.raises(ZeroDivisionError):
        async with an_am(rm):
            _ = 1 / 0

    assert rm.finish_calls == 0


async def test_failure_is_said_with_its_reason(rm):
    async with an_am(rm) as am:
        await am.unregister("FAILED", "because")
        assert await am.next_events() == []

    assert rm.finished == {"finalStatus": "FAILED", "diagnostics": "because", "trackingUrl": ""}


async def test_a_final_status_that_is_none_is_refused(rm):
    async with an_am(rm) as am:
        with pytest.raises(errors.InvalidAskError, match="SUCCEEDED, FAILED, KILLED, ENDED"):
            await am.unregister("DONE")


async def test_a_second_registration_of_another_process_is_refused(rm):
    async with an_am(rm):
        with pytest.raises(errors.AmError, match="registered already"):
            async with an_am(rm):
                pass


async def test_an_answer_that_is_no_json_is_a_protocol_error(rm):
    async with an_am(rm) as am:
        rm.faults = [("allocate", "nonsense")]
        with pytest.raises(errors.ProtocolError, match="<html>"):
            await am.next_events()


async def test_trying_again_ends(rm):
    impatient = Settings(heartbeat_s=0.05, retry_policy=RetryPolicy(0.02, 0.05, total_s=0.3))
    async with an_am(rm, settings=impatient) as am:
        await rm.stop()
        with pytest.raises(errors.UnavailableError, match="is the ResourceManager running"):
            await am.next_events()
        await rm.start()


async def test_events_can_be_taken_by_a_callback(rm):
    seen = []
    async with an_am(rm, on_event=seen.append) as am:
        am.ask(1, SMALL)
        await until(lambda: seen)
        assert isinstance(seen[0], Allocated)


async def test_events_end_when_unregistered(rm):
    async with an_am(rm) as am:
        am.ask(1, SMALL)
        kinds = []
        async for event in am.events():
            kinds.append(type(event))
            await am.unregister()
    assert kinds == [Allocated]


@pytest.mark.parametrize("missing", ["KUBEYARN_RM", "KUBEYARN_TOKEN_FILE"])
def test_outside_an_applicationmasters_container_it_says_what_is_missing(missing):
    environ = {"KUBEYARN_RM": "http://x", "KUBEYARN_TOKEN_FILE": "/t"}
    del environ[missing]

    with pytest.raises(errors.SettingsError, match=missing):
        ApplicationMaster.from_env(environ=environ)


def test_an_address_that_is_none_is_refused():
    with pytest.raises(errors.SettingsError, match="'rm:8030', must be"):
        ApplicationMaster.from_env(environ={"KUBEYARN_RM": "rm:8030", "KUBEYARN_TOKEN_FILE": "/t"})

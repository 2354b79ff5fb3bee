"""Which containers are preempted for a starved application."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from kubeyarn.model.applications import Application
from kubeyarn.model.asks import Ask, AskKey
from kubeyarn.model.containers import Container
from kubeyarn.model.fair_queues import FairClusterConfig, FairPolicy, FairPreemption
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.nodes import Node
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.schedulers.fair.cluster_state import FairClusterState
from kubeyarn.schedulers.fair.objects.accounts import FSAccounts
from kubeyarn.schedulers.fair.objects.app_attempt import (
    FSAppAttempt,
    FSPendingAsk,
    ReservedContainer,
)
from kubeyarn.schedulers.fair.objects.node import FSSchedulerNode
from kubeyarn.schedulers.fair.objects.queue import FSLeafQueue, FSParentQueue
from kubeyarn.schedulers.fair.preemption import FSPreemption
from unit.schedulers.fair.building import app_id

ZERO = (0, 0)
ONE = (1024, 1)
STARVED = 99
ENABLED = FairPreemption(enabled=True)


@dataclass
class Setting:
    """Owners and what they hold on which node, and what the starved application asks for.

    *held* has for each node the containers in the order of their grant: the owner's number, and
    "am" for an ApplicationMaster, or a number of GiB. *keep* is the fair share of each owner in
    GiB, nothing if it is not named.
    """

    held: dict[str, list[tuple[int, str | int]]]
    size: Vector = ONE
    named: tuple[str, ...] = ()
    relax: bool = True
    keep: dict[int, int] = field(default_factory=dict)
    room: int = 0
    preemption: FairPreemption = ENABLED
    preemptable: bool = True
    policy: FairPolicy = FairPolicy.FAIR
    reserved: Vector | None = None


class Cluster:
    """A setting in force; *room* GiB and vcores are free on each node."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.state = FairClusterState(ResourceTypes(), 0)
        self.state.config = FairClusterConfig(preemption=setting.preemption)
        self.accounts = FSAccounts(self.state)
        root = FSParentQueue("root", None, ZERO)
        self.leaf = FSLeafQueue("root.a", root, ZERO)
        self.leaf.preemptable = setting.preemptable
        self.leaf.policy = setting.policy
        self.starved = self.attempt(STARVED)
        self.names: dict[ContainerId, str] = {}
        for name, containers in setting.held.items():
            self.fill(name, containers)
        for owner, gib in setting.keep.items():
            self.state.attempts[app_id(owner)].fair_share = (1024 * gib, gib)
        locality = replace(Ask(AskKey(1), 1, ONE).locality, relax=setting.relax)
        self.ask = FSPendingAsk(Ask(AskKey(1), 1, setting.size, locality=locality), 1)
        for name in setting.named:
            self.ask.nodes[name] = 1
        self.starved.asks[AskKey(1)] = self.ask
        self.starved.fair_share_starvation = setting.size

    def attempt(self, number: int) -> FSAppAttempt:
        known = self.state.attempts.get(app_id(number))
        if known is None:
            application = Application(app_id(number), "u", "a", am_size=ONE)
            known = FSAppAttempt(application, 1, self.leaf, ZERO, number)
            self.state.attempts[app_id(number)] = known
        return known

    def fill(self, name: str, containers: list[tuple[int, str | int]]) -> None:
        sizes = [1 if what == "am" else int(what) for _, what in containers]
        total = sum(sizes) + self.setting.room
        node = FSSchedulerNode(Node(name, (1024 * total, total)), ZERO)
        self.accounts.add_node(node)
        for place, ((owner, what), gib) in enumerate(zip(containers, sizes, strict=True)):
            attempt = self.attempt(owner)
            container = Container(
                attempt.new_container_id(0), AskKey(1), name, (1024 * gib, gib), am=what == "am"
            )
            self.names[container.id] = f"{name}/{place}"
            self.accounts.charge(attempt, container)
        if self.setting.reserved is not None:
            identity = self.starved.new_container_id(0)
            kept = ReservedContainer(self.starved, AskKey(1), self.setting.reserved, identity)
            self.accounts.reserve(kept, node)

    def choose(self) -> list[str]:
        """Node and place of what is chosen, in order."""
        preemption = FSPreemption(self.state, self.accounts)
        preemption._starved_apps.add(self.starved)
        return [self.names[c.id] for c in preemption.identify_containers_to_preempt(0)]


WITHOUT_MASTERS = FairPreemption(enabled=True, masters=False)


@pytest.mark.parametrize(
    ("setting", "chosen"),
    [
        pytest.param(Setting({"n": [(1, 1), (1, 1), (1, 1)]}), ["n/2"], id="the newest"),
        pytest.param(
            Setting({"n": [(1, 1), (1, 1), (1, 1)]}, size=(2048, 2)),
            ["n/2", "n/1"],
            id="two for two",
        ),
        pytest.param(
            Setting({"n": [(1, 1), (1, 4), (1, 1)]}, size=(2048, 2)),
            ["n/2", "n/1"],
            id="more than needed, where sizes do not add up",
        ),
        pytest.param(Setting({"n": [(1, 1), (1, "am")]}), ["n/0"], id="not the newer AM"),
        pytest.param(Setting({"n": [(1, "am"), (2, "am")]}), ["n/0"], id="of AMs the oldest"),
        pytest.param(
            Setting({"n": [(1, "am"), (1, 1)]}, size=(2048, 2)), ["n/1", "n/0"], id="an AM at last"
        ),
        pytest.param(
            Setting({"n": [(1, "am")], "m": [(1, 1)]}), ["m/0"], id="the node without AMs"
        ),
        pytest.param(
            Setting({"n": [(1, "am"), (2, "am")], "m": [(1, "am"), (1, 1)]}, size=(2048, 2)),
            ["m/1", "m/0"],
            id="the node with fewer AMs",
        ),
        pytest.param(
            Setting({"n": [(1, 1)], "m": [(1, 1)]}), ["n/0"], id="the first node of equal ones"
        ),
        pytest.param(
            Setting({"n": [(1, 1)], "m": [(1, 1)]}, named=("m",)), ["m/0"], id="the node it names"
        ),
        pytest.param(
            Setting({"n": [(1, 1)], "m": [(1, "am")]}, named=("m",)),
            ["n/0"],
            id="another one, if the named one costs an AM",
        ),
        pytest.param(
            Setting({"n": [(1, 1)], "m": [(1, "am")]}, named=("m",), relax=False),
            ["m/0"],
            id="the named one all the same, if it is strict",
        ),
        pytest.param(
            Setting({"n": [(1, "am")], "m": [(1, "am")]}, named=("m",)),
            ["m/0"],
            id="the named one, if others cost as much",
        ),
        pytest.param(Setting({"n": [(1, 1)]}, named=("gone",)), [], id="a named node that is gone"),
    ],
)
def test_the_node_with_the_fewest_masters_and_its_newest_containers(
    setting: Setting, chosen: list[str]
) -> None:
    assert Cluster(setting).choose() == chosen


@pytest.mark.parametrize(
    ("setting", "chosen"),
    [
        pytest.param(Setting({"n": [(1, 1), (2, 1)]}), ["n/1"], id="nobody has a share"),
        pytest.param(
            Setting({"n": [(1, 1), (2, 1)]}, keep={2: 1}), ["n/0"], id="not whose share it is"
        ),
        pytest.param(
            Setting({"n": [(1, 1), (2, 1)]}, keep={1: 1, 2: 1}), [], id="everybody is at its share"
        ),
        pytest.param(
            Setting({"n": [(1, 1), (1, 1), (1, 1)]}, size=(2048, 2), keep={1: 1}),
            ["n/2", "n/1"],
            id="down to its share",
        ),
        pytest.param(
            Setting({"n": [(1, 1), (1, 1), (1, 1)]}, size=(2048, 2), keep={1: 2}),
            [],
            id="not below it, so nothing at all",
        ),
        pytest.param(
            Setting({"n": [(1, 1), (2, 1), (1, 1)]}, size=(2048, 2), keep={1: 1}),
            ["n/2", "n/1"],
            id="what it would lose for the same ask counts",
        ),
        pytest.param(
            Setting({"n": [(1, 2), (2, 1)]}, keep={1: 1, 2: 1}), [], id="a large one would go below"
        ),
        pytest.param(
            Setting({"n": [(1, 1), (1, 1)], "m": [(1, 1)]}, size=(2048, 2), keep={1: 1}),
            ["n/1", "n/0"],
            id="what it holds elsewhere is its share",
        ),
        pytest.param(
            Setting({"n": [(1, 1), (1, 1)]}, keep={1: 1}, policy=FairPolicy.DRF),
            ["n/1"],
            id="under drf, too",
        ),
    ],
)
def test_owners_stay_at_or_above_their_fair_shares(setting: Setting, chosen: list[str]) -> None:
    assert Cluster(setting).choose() == chosen


@pytest.mark.parametrize(
    ("setting", "chosen"),
    [
        pytest.param(Setting({"n": [(1, 1)]}, preemptable=False), [], id="a protected queue"),
        pytest.param(
            Setting({"n": [(1, "am")]}, preemption=WITHOUT_MASTERS), [], id="AMs are protected"
        ),
        pytest.param(
            Setting({"n": [(1, 1), (1, "am")]}, preemption=WITHOUT_MASTERS),
            ["n/0"],
            id="others are not",
        ),
        pytest.param(
            Setting(
                {"n": [(1, "am")]},
                preemption=replace(WITHOUT_MASTERS, masters_of=(("root.a", True),)),
            ),
            ["n/0"],
            id="but those of this queue are not",
        ),
        pytest.param(
            Setting(
                {"n": [(1, "am")]},
                preemption=FairPreemption(enabled=True, masters_of=(("root.a", False),)),
            ),
            [],
            id="those of this queue are",
        ),
        pytest.param(
            Setting(
                {"n": [(1, "am")]},
                preemption=FairPreemption(enabled=True, masters_of=(("root.b", False),)),
            ),
            ["n/0"],
            id="those of another are",
        ),
    ],
)
def test_what_is_protected_stays(setting: Setting, chosen: list[str]) -> None:
    assert Cluster(setting).choose() == chosen


@pytest.mark.parametrize(
    ("room", "reserved", "size", "chosen"),
    [
        pytest.param(0, None, (2048, 2), ["n/2", "n/1"], id="a full node"),
        pytest.param(1, None, (2048, 2), ["n/2"], id="half is free"),
        pytest.param(1, (1024, 1), (2048, 2), ["n/2", "n/1"], id="half is free but reserved"),
        pytest.param(2, (1024, 1), (2048, 2), ["n/2"], id="one of two is reserved"),
        pytest.param(1, (4096, 4), (2048, 2), ["n/2", "n/1"], id="more is reserved than is free"),
        pytest.param(0, None, (4096, 4), [], id="more than is on it"),
        pytest.param(1, None, (4096, 4), ["n/2", "n/1", "n/0"], id="all that is on it"),
    ],
)
def test_what_is_free_and_not_kept_counts(
    room: int, reserved: Vector | None, size: Vector, chosen: list[str]
) -> None:
    setting = Setting({"n": [(1, 1)] * 3}, size=size, room=room, reserved=reserved)

    assert Cluster(setting).choose() == chosen


def test_what_is_chosen_is_promised_and_not_chosen_again() -> None:
    cluster = Cluster(Setting({"n": [(1, 1), (1, 1)]}))
    first = cluster.choose()
    node = cluster.state.nodes["n"]
    promised = node.resources_preempted_for_app[cluster.starved]
    second = cluster.choose()

    assert (first, second) == (["n/1"], ["n/0"])
    assert promised == (1024, 1)
    assert node.resources_preempted_for_app[cluster.starved] == (2048, 2)
    assert cluster.state.attempts[app_id(1)].resources_to_preempt == (2048, 2)


def test_nothing_is_chosen_for_one_that_stopped() -> None:
    cluster = Cluster(Setting({"n": [(1, 1)]}))
    cluster.starved.stopped = True

    assert cluster.choose() == []


@pytest.mark.parametrize(
    ("count", "starvation", "chosen"),
    [
        pytest.param(5, (2048, 2), 2, id="as far as its starvation goes"),
        pytest.param(1, (4096, 4), 1, id="no more than it asks for"),
        pytest.param(5, (1023, 0), 0, id="starvation is worth no container"),
        pytest.param(5, (1024, 0), 1, id="starvation of memory is worth one"),
        pytest.param(5, (0, 3), 0, id="starvation of vcores alone is worth none"),
    ],
)
def test_so_many_containers_are_made_room_for(count: int, starvation: Vector, chosen: int) -> None:
    cluster = Cluster(Setting({"n": [(1, 1)] * 6}))
    cluster.ask.count = count
    cluster.starved.fair_share_starvation = starvation

    assert len(cluster.choose()) == chosen

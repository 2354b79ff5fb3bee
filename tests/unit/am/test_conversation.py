"""The SDK's state against the ResourceManager's own session, with lost answers and restarts."""

from __future__ import annotations

from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from kubeyarn.am.state import Allocated, AmState, Completed
from kubeyarn.am.wire import AllocateAnswer, AskKey, AskShape, Container, Ended, Registration
from kubeyarn.lifecycle.am_session import (
    AllocateRequest,
    AMSession,
    CompletedContainer,
    GrantedContainer,
    ResourceRequest,
    ShapeKey,
)
from kubeyarn.model.ids import ApplicationId, AttemptId, ContainerId
from kubeyarn.model.resources import ResourceList

ATTEMPT = AttemptId(ApplicationId(1, 1), 1)
KEYS = (AskKey(1, 0), AskKey(2, 7))
Key = ShapeKey
SIZE = ResourceList({"memory": 1, "cpu": 1})


@dataclass
class World:
    """An AM, its RM, and what the API server keeps of them."""

    am: AmState = field(default_factory=AmState)
    session: AMSession = field(default_factory=lambda: AMSession(ATTEMPT))
    counts: dict[Key, int] = field(default_factory=dict)
    grants: dict[ContainerId, GrantedContainer] = field(default_factory=dict)
    ended: dict[ContainerId, CompletedContainer] = field(default_factory=dict)
    confirmed: set[ContainerId] = field(default_factory=set)
    wished: dict[AskKey, int] = field(default_factory=dict)
    arrived: list[str] = field(default_factory=list)
    completed: list[str] = field(default_factory=list)

    def ask(self, key: AskKey, count: int) -> None:
        self.am.ask(AskShape(key, {"cpu": "1"}), count)
        self.wished[key] = self.wished.get(key, 0) + count

    def cancel(self, key: AskKey, count: int) -> None:
        self.wished[key] = self.wished.get(key, 0) - self.am.cancel(key, count)

    def ever(self, key: Key) -> int:
        return sum(grant.key == key for grant in self.grants.values())

    def grant(self) -> None:
        """The scheduler gives what the ContainerRequests ask for."""
        for key, count in self.counts.items():
            while self.ever(key) < count:
                container = ContainerId(ATTEMPT, 0, len(self.grants) + 2)
                self.grants[container] = GrantedContainer(container, "n1", key, SIZE)
        self.observe()

    def observe(self) -> None:
        for container in self.grants.values():
            if container.id not in self.ended:
                self.session.granted(container)
        for done in self.ended.values():
            if done.id not in self.confirmed:
                self.session.completed(done)

    def end(self, which: int) -> None:
        alive = sorted(c for c in self.grants if c not in self.ended)
        if alive:
            container = alive[which % len(alive)]
            self.ended[container] = CompletedContainer(container, 137)
            self.observe()

    def heartbeat(self, *, lost: bool = False) -> None:
        """One allocate; with *lost* the RM takes it, but its answer never arrives."""
        if not self.session.registered:
            self.register()
        said = self.am.allocate_request()
        request = AllocateRequest(
            said.response_id,
            asks=tuple(
                ResourceRequest(Key(s.key.priority, s.key.allocation_request_id), count, SIZE)
                for s, count in said.asks
            ),
            releases=tuple(map(ContainerId.parse, said.releases)),
        )
        answer = self.session.allocate(request, 0)
        self.counts |= {key: wanted.count for key, wanted in self.session.wanted.items()}
        self.confirmed |= self.session.confirmed
        for container in request.releases:
            self.ended.setdefault(container, CompletedContainer(container, -100))
        self.observe()
        if not lost:
            self.hear(
                self.am.answered(
                    AllocateAnswer(
                        answer.response_id,
                        tuple(map(as_container, answer.allocated)),
                        tuple(Ended(str(c.id), c.exit_status, "") for c in answer.completed),
                    )
                )
            )

    def register(self) -> None:
        live = [c for c in self.grants.values() if c.id not in self.ended]
        ever = {key: self.ever(key) for key in self.counts}
        self.session.register(live, ever, "", 0)
        self.hear(self.am.registered(Registration(containers=tuple(map(as_container, live)))))

    def restart(self) -> None:
        self.session = AMSession(ATTEMPT)
        self.observe()

    def hear(self, events: list) -> None:
        self.arrived += [e.container.id for e in events if isinstance(e, Allocated)]
        self.completed += [e.container.id for e in events if isinstance(e, Completed)]


def as_container(granted: GrantedContainer) -> Container:
    key = AskKey(granted.key.priority, granted.key.allocation_request_id)
    return Container(str(granted.id), granted.node, key, {})


keys = st.sampled_from(KEYS)
few = st.integers(1, 3)
steps = st.one_of(
    st.tuples(st.just("ask"), keys, few),
    st.tuples(st.just("cancel"), keys, few),
    st.tuples(st.just("grant")),
    st.tuples(st.just("end"), st.integers(0, 9)),
    st.tuples(st.just("heartbeat")),
    st.tuples(st.just("lose")),
    st.tuples(st.just("restart")),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=40))
def test_whatever_is_lost_or_restarted_each_wish_is_granted_once(history):
    """What is wanted in the end arrives, each container once; each that ends is told once."""
    world = World()
    for name, *arguments in history:
        if name == "lose":
            world.heartbeat(lost=True)
        else:
            getattr(world, name)(*arguments)

    for _ in range(4):
        world.heartbeat()
        world.grant()

    assert not world.am.waiting()
    assert len(world.arrived) == len(set(world.arrived)) == sum(world.wished.values())
    assert len(world.completed) == len(set(world.completed))
    alive = {str(c) for c in world.grants if c not in world.ended}
    assert set(world.am.live) == alive
    assert set(world.completed) == set(world.arrived) - alive

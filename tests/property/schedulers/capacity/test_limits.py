"""Limits that no decision of the Capacity Scheduler passes: users', AMs', partitions'."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from hypothesis import given, settings

from kubeyarn.model.resources import MEMORY, subtract
from kubeyarn.schedulers.api import Decision, Grant, Reserve
from kubeyarn.schedulers.capacity.objects.app_attempt import FiCaSchedulerApp
from kubeyarn.schedulers.capacity.objects.leaf_queue import LeafQueue
from property.schedulers.capacity.stories import PREFIX, STORY, Step, Teller, properties

STEP_MB = 1024


def one_by_one(values: dict[str, str]) -> dict[str, str]:
    """Settings under which a cycle with limit 1 decides once."""
    return {**values, f"{PREFIX}per-node-heartbeat.maximum-offswitch-assignments": "1"}


@dataclass(frozen=True)
class User:
    """Of one user in one leaf, before a decision: what it may hold and what it holds."""

    held: int
    limit: float


def user_limit(leaf: LeafQueue, name: str) -> float:
    """A user's limit in MiB of the default partition, from what applications hold and ask."""
    held: dict[str, int] = defaultdict(int)
    for app in leaf.all_applications():
        held[app.user] += app.used.get("", leaf.zero)[MEMORY]
    guarantee = max(leaf.minimum("")[MEMORY], STEP_MB)
    all_held = sum(held.values())
    current = guarantee if all_held < guarantee else all_held + STEP_MB
    active = leaf.users.active
    equal = (sum(held[one] for one in active) + STEP_MB) / max(1, len(active))
    limit = max(equal, current * leaf.settings.minimum_user_limit_percent / 100)
    if leaf.settings.user_limit_factor >= 0 and any(leaf.minimum("")):
        limit = min(limit, guarantee * leaf.settings.user_limit_factor)
    else:
        limit = min(limit, leaf.maximum("")[MEMORY])
    return limit


def users_now(teller: Teller) -> dict[tuple[str, str], User]:
    found = {}
    for path, leaf in teller.engine.state.queues.items():
        if isinstance(leaf, LeafQueue):
            for name, user in leaf.users.by_name.items():
                held = user.used.get("", leaf.zero)[MEMORY]
                found[path, name] = User(held, user_limit(leaf, name))
    return found


def reserved_of(app: FiCaSchedulerApp) -> set[object]:
    return {one.id for by_node in app.reservations.values() for one in by_node.values()}


def app_of(teller: Teller, decision: Grant | Reserve) -> FiCaSchedulerApp:
    if isinstance(decision, Reserve):
        return teller.engine.state.apps[decision.application]
    return teller.engine.state.apps[decision.container.id.attempt.application]


@settings(max_examples=150, deadline=None)
@given(properties(), STORY)
def test_no_user_is_given_anything_while_it_is_over_its_limit(
    values: dict[str, str], story: list[Step]
) -> None:
    """A user may pass its limit by the one container that does it, and by none after that."""
    values = one_by_one(values)
    values.pop(f"{PREFIX}resource-calculator", None)
    teller = Teller(values)
    for step in story:
        if step.what not in ("cycle", "offer"):
            teller.tell(step)
            continue
        teller.engine.state.bring_up_to_date()
        for _ in range(4):
            before = users_now(teller)
            reserving = {
                app.app.id for app in teller.engine.state.apps.values() if reserved_of(app)
            }
            for decision in teller.engine.cycle(teller.now_ms, 1):
                _check_user(teller, decision, before, reserving)


def _check_user(
    teller: Teller,
    decision: Decision,
    before: dict[tuple[str, str], User],
    reserving: set[object],
) -> None:
    if not isinstance(decision, Grant | Reserve):
        return
    app = app_of(teller, decision)
    name = decision.container.node if isinstance(decision, Grant) else decision.node
    lent = teller.engine.state.cluster.nodes[name].partition
    if lent or app.app.id in reserving:
        # What was reserved was within the limit then, and another may be given up for it.
        return
    user = before[app.queue.path, app.user]
    # Hadoop rounds the limit up to the minimum allocation, from single-precision numbers.
    assert user.held < user.limit + STEP_MB + 1, (app.queue.path, app.user, user)


@settings(max_examples=150, deadline=None)
@given(properties(), STORY)
def test_no_application_is_admitted_over_the_limit_of_masters(
    values: dict[str, str], story: list[Step]
) -> None:
    teller = Teller(values)
    for step in story:
        active = _active(teller)
        teller.tell(step)
        for leaf, apps in _active(teller).items():
            queue = teller.engine.state.queues[leaf]
            assert isinstance(queue, LeafQueue)
            for partition in {app.am_partition for app in queue.active}:
                masters = [app for app in queue.active if app.am_partition == partition]
                if len(masters) < 2 or apps <= active.get(leaf, set()):
                    # One is always admitted; and limits may shrink later.
                    continue
                held = sum(app.am_size[MEMORY] for app in masters)
                share = queue.share(partition).maximum_am_share
                most = max(queue.maximum(partition)[MEMORY], queue.minimum(partition)[MEMORY])
                assert queue.am_used[partition][MEMORY] == held
                if step.what == "submit":
                    assert held <= most * share + STEP_MB


def _active(teller: Teller) -> dict[str, set[object]]:
    return {
        path: {app.app.id for app in leaf.active}
        for path, leaf in teller.engine.state.queues.items()
        if isinstance(leaf, LeafQueue)
    }


@settings(max_examples=150, deadline=None)
@given(properties(), STORY)
def test_nodes_of_a_partition_hold_only_what_may_be_there(
    values: dict[str, str], story: list[Step]
) -> None:
    """An exclusive partition only what names it, a shared one what names none too.

    A container that was reserved is what was asked for then, whatever its ask has become meanwhile.
    """
    teller = Teller(values)
    reserved: dict[tuple[object, object, str], str] = {}
    for step in story:
        wanted = {
            (app.app.id, key): ask.partition
            for app in teller.engine.state.apps.values()
            for key, ask in app.asks.items()
        }
        known = len(teller.decisions)
        teller.tell(step)
        for decision in teller.decisions[known:]:
            if isinstance(decision, Reserve):
                place = (decision.application, decision.key, decision.node)
                reserved[place] = wanted[decision.application, decision.key]
            if isinstance(decision, Grant):
                container = decision.container
                whose = (container.id.attempt.application, container.key)
                asked = reserved.pop((*whose, container.node), wanted[whose])
                there = teller.engine.state.cluster.nodes[container.node].partition
                assert asked == there or (asked == "" and there == "lent")
                assert container.partition == there


@settings(max_examples=100, deadline=None)
@given(properties(), STORY)
def test_no_queue_is_led_over_its_maximum_of_a_partition(
    values: dict[str, str], story: list[Step]
) -> None:
    teller = Teller(values)
    for step in story:
        teller.engine.state.bring_up_to_date()
        before = {path: queue.use("gold") for path, queue in teller.engine.state.queues.items()}
        teller.tell(step)
        if step.what not in ("cycle", "offer"):
            continue
        for path, queue in teller.engine.state.queues.items():
            grown = subtract(queue.use("gold"), before[path])
            if any(x > 0 for x in grown):
                assert queue.calc.fits(queue.use("gold"), queue.maximum("gold")), path


@settings(max_examples=100, deadline=None)
@given(properties(), STORY)
def test_whoever_is_surely_within_its_limit_is_within_it(
    values: dict[str, str], story: list[Step]
) -> None:
    teller = Teller(values)
    state = teller.engine.state
    for step in story:
        teller.tell(step)
        state.bring_up_to_date()
        for leaf in state.queues.values():
            if not isinstance(leaf, LeafQueue):
                continue
            for name, user in leaf.users.by_name.items():
                for partition in user.used:
                    if leaf.users.surely_within(user, partition):
                        limit = leaf.users.limit(name, partition, whole=False)
                        used = user.use(partition)
                        assert leaf.calc.compare(state.cluster.total, used, limit) <= 0

"""Two pods of each: one leads, the other takes over, with the rights that the chart gives."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live
from e2e.live.patience import until
from kubeyarn.local import installing
from kubeyarn.local.installing import NAMESPACE

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kubelet,
    pytest.mark.timeout(300, func_only=True),
    pytest.mark.usefixtures("two_queues"),
]

Json = dict[str, Any]
TWO = ("resourcemanager.replicas=2", "scheduler.replicas=2")


@pytest.fixture
def two_of_each(real_node: Live) -> Iterator[Live]:
    """All four pods are ready: the rollout waits for nobody who stands by."""
    live = real_node
    installing.install(live.cluster, print, TWO)
    yield live
    installing.install(live.cluster, print)
    live.wait_ready()


def holder(live: Live, lease: str) -> str:
    found = live.kubectl.json("lease", lease, "-n", NAMESPACE)
    return str(found["spec"].get("holderIdentity") or "")


def test_when_both_leaders_are_gone_the_others_count_words(
    two_of_each: Live, namespace: str, counted: Json
) -> None:
    live = two_of_each
    leases = ("kubeyarn-resourcemanager", "kubeyarn-scheduler")
    before = {lease: holder(live, lease) for lease in leases}
    gone = [pod for pod in before.values() if pod]
    assert len(gone) == 2, before
    live.kubectl.run("delete", "pod", "-n", NAMESPACE, *gone, "--force", "--grace-period=0")
    live.apply(namespace, manifests.word_count("words", "root.a", maps=2, delay=1))

    until(
        "the others lead",
        lambda: {lease: holder(live, lease) for lease in leases},
        lambda now: all(now[lease] not in ("", before[lease]) for lease in leases),
        seconds=30,
    )
    # The kube-scheduler beside the scheduler that leads works now, and no other one.
    leader = holder(live, "kubeyarn-scheduler")
    until(
        "its kube-scheduler works",
        lambda: holder(live, f"{leader}-kube-scheduler"),
        lambda found: found.startswith(leader),
        seconds=20,
    )
    live.wait_for_state(namespace, "words", "FINISHED", "FAILED", "KILLED", seconds=120)
    assert live.word_count_result(namespace, "words") == counted

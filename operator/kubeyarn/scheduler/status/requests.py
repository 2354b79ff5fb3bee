"""ContainerRequest.status, the scheduler's part: grants, why it waits, what containers are charged.

A request is written when something about it changed and never by two writes at once; what changes
meanwhile is in the next write, so a burst of grants costs one write a request. What waits costs
none: its message is refreshed only together with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from kubeyarn.cluster import names
from kubeyarn.cluster.client import KubeClient
from kubeyarn.cluster.errors import NotFound
from kubeyarn.cluster.resources import REQUESTS
from kubeyarn.cluster.workqueue import WorkQueue
from kubeyarn.crd import conditions, not_yet, quantities, ranges
from kubeyarn.crd.conditions import Saying
from kubeyarn.crd.object import Key, Object
from kubeyarn.model.errors import Unavailable
from kubeyarn.model.ids import ContainerId
from kubeyarn.model.resources import ResourceTypes, Vector
from kubeyarn.scheduler.asks import Held, RequestState
from kubeyarn.scheduler.ledger import Ledger
from kubeyarn.scheduler.node_backoff import MOST_LISTED, NodeBackoff
from kubeyarn.scheduler.status.patch import changes, newer, shown, timestamp


class RequestWriter:
    """Keeps the scheduler's part of ContainerRequest.status current."""

    def __init__(
        self, client: KubeClient, ledger: Ledger, leading: Callable[[], bool], epoch: int = 0
    ) -> None:
        self._client = client
        self._ledger = ledger
        self._leading = leading
        self._epoch = epoch
        self.queue: WorkQueue[Key] = WorkQueue(self._write, settle_s=0.0)

    async def _write(self, key: Key) -> None:
        state = self._ledger.requests.get(key)
        if state is None or state.deleted:
            return
        if not self._leading():
            raise Unavailable("the lease is not held")
        body = changes(state.found.get("status") or {}, self._status(state))
        if not body:
            return
        # The API server lets no epoch follow a later one (CEL in the definition).
        body["epoch"] = self._epoch
        try:
            written = await self._client.patch(
                REQUESTS, key[1], {"status": body}, key[0], sub="status"
            )
        except NotFound:
            return
        if state.uid == written["metadata"]["uid"]:
            state.found = newer(state.found, written)

    def _status(self, state: RequestState) -> Object:
        status = state.found.get("status") or {}
        generation = int(state.found["metadata"].get("generation") or 0)
        wanted: Object = {
            "observedGeneration": generation,
            "queue": state.queue,
            "granted": state.granted,
            "pending": state.pending,
            "grants": grants_status(state.grants),
            "preempting": preempting_status(state.grants),
            "avoidedNodes": node_backoffs_status(state.avoided),
            "updates": updates_status(state, self._ledger.types),
            "conditions": conditions.merged(
                status.get("conditions"), _sayings(state), generation, timestamp()
            ),
        }
        if state.applied is not None:
            priority, queue = state.applied
            said = {} if priority is None else {"priority": priority}
            given = {} if state.priority is None else {"priorityInForce": state.priority}
            wanted["applied"] = {**said, "queue": queue, **given}
        if state.size is not None:
            wanted["resources"] = shown(self._ledger.types.mapping(state.size))
        return wanted


def _sayings(state: RequestState) -> list[Saying]:
    said = [not_yet.saying("ContainerRequest", state.found)]
    if state.accepted is not None:
        taken, reason, message = state.accepted
        said.append(Saying("Accepted", taken, reason, message))
        if not taken:
            said.append(Saying("Satisfied", False, reason, message))
            return said
    if state.moved is not None:
        said.append(Saying("Moved", *state.moved))
    if state.prioritized is not None:
        said.append(Saying("Prioritized", *state.prioritized))
    if state.over:
        message = f"{state.granted} of {state.count} were granted before the application ended"
        said.append(Saying("Satisfied", state.granted >= state.count, "ApplicationEnded", message))
    elif state.superseded:
        message = f"{state.granted} of {state.count} were granted before its attempt ended"
        said.append(Saying("Satisfied", state.granted >= state.count, "AttemptEnded", message))
    elif not state.pending:
        said.append(Saying("Satisfied", True, "AllGranted", f"all {state.count} granted"))
    elif state.waits is not None:
        said.append(Saying("Satisfied", False, *state.waits))
    else:
        message = f"{state.pending} of {state.count} containers are being scheduled"
        said.append(Saying("Satisfied", False, "Scheduling", message))
    return said


def grants_status(grants: Mapping[ContainerId, Held]) -> list[Object]:
    """Grants as status lists them: by attempt, epoch and node, numbers as ranges."""
    groups: dict[tuple[int, int, str], list[int]] = {}
    for container, held in grants.items():
        group = (container.attempt.number, container.epoch, held.node)
        groups.setdefault(group, []).append(container.number)
    return [
        {"attempt": attempt, "epoch": epoch, "node": node, "containers": ranges.compact(numbers)}
        for (attempt, epoch, node), numbers in sorted(groups.items())
    ]


def preempting_status(grants: Mapping[ContainerId, Held]) -> list[Object]:
    """Containers that are being taken back, by id.

    One that is killed is listed as long as its grant: the ResourceManager must know why it ended.
    """
    return [
        {"id": str(container), "kill": held.preempting[0], "message": held.preempting[1][:512]}
        for container, held in sorted(grants.items())
        if held.preempting is not None and (held.preempting[0] or not held.freed)
    ]


def node_backoffs_status(avoided: Mapping[str, NodeBackoff]) -> list[Object]:
    """NodeBackoff nodes as status lists them, of very many the latest."""
    latest = sorted(avoided.items(), key=lambda entry: (-entry[1].until_ms, entry[0]))[:MOST_LISTED]
    return [
        {
            "node": node,
            "until": timestamp(known.until_ms),
            "refusals": known.refusals,
            "message": known.message,
        }
        for node, known in sorted(latest)
    ]


def updates_status(state: RequestState, types: ResourceTypes) -> list[Object]:
    """What is charged for the containers that were wished something else."""

    def shown(size: Vector) -> dict[str, str]:
        return {name: quantities.show(name, n) for name, n in types.mapping(size).items() if n}

    said: list[Object] = []
    for container in sorted(state.updating & state.grants.keys()):
        held = state.grants[container]
        size = held.size or state.size
        if held.freed or size is None:
            continue
        entry: Object = {
            "id": str(container),
            "resources": shown(size),
            "executionType": names.OPPORTUNISTIC if held.opportunistic else names.GUARANTEED,
        }
        if held.wanted is not None:
            entry["wanted"] = shown(held.wanted)
        if held.refused:
            entry["message"] = held.refused[:512]
        if held.waits is not None:
            entry["waits"] = ": ".join(held.waits)[:512]
        said.append(entry)
    return said

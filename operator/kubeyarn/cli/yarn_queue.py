"""`kubectl yarn queue`: list and status (Hadoop: QueueCLI)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_kubectl import QUEUES, Kubectl, KubectlError, NotFoundError
from kubeyarn.cli.yarn_words import Command, Request, Verb
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_queue import UserUse, YarnQueue
from kubeyarn.crd.yarn_queue_cluster import ClusterSpec

_WIDTHS = (36, 9, 10, 10, 10, 6, 11, 24)
_HEADER = ("Queue", "State", "Capacity", "Maximum", "Used", "Apps", "Containers", "Pending")

Queues = Mapping[str, YarnQueue]
"""All queues by path."""


class FoundQueue(NamedTuple):
    """A queue as kubectl printed it, and as it is read."""

    printed: Object
    queue: YarnQueue


def read_queues(items: Iterable[Object]) -> dict[str, FoundQueue]:
    """The queues that kubectl printed, by path and parents first."""
    queues = [FoundQueue(item, YarnQueue.read(item)) for item in items]
    queues.sort(key=lambda one: one.queue.metadata.name.split("."))
    return {one.queue.metadata.name: one for one in queues}


def _list(kubectl: Kubectl, request: Request) -> int:
    queues = read_queues(kubectl.objects(QUEUES, namespaced=False))
    parent = request.operands[0] if request.operands else "all"
    if parent != "all":
        above = find(queues, parent).queue.metadata.name
        queues = {path: one for path, one in queues.items() if path.rpartition(".")[0] == above}
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([one.printed for one in queues.values()], request.get("output")))
        return 0
    print(f"Total Queues:{len(queues)}")
    print(printing.table(_WIDTHS, [_HEADER, *(_row(one.queue) for one in queues.values())]))
    return 0


def _report(kubectl: Kubectl, request: Request) -> int:
    everything = read_queues(kubectl.objects(QUEUES, namespaced=False))
    printed, queue = find(everything, request.operands[0])
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([printed], request.get("output"), single=True))
        return 0
    queues = {path: one.queue for path, one in everything.items()}
    path = queue.metadata.name
    print("Queue Information : ")
    print(f"Scheduler Name : {_cluster(queues).scheduler.value}Scheduler")
    print(f"Queue Name : {path.rpartition('.')[2]}")
    lines = _lines(queue, queues) + _partition_lines(queue)
    if request.get("output") == "wide":
        lines += _more_lines(queue)
    print(printing.report(f"Queue Path : {path}", lines))
    return 0


def find(queues: Mapping[str, FoundQueue], name: str) -> FoundQueue:
    """The queue that *name* means: its full path, or its short name when only one has it.

    Raises:
        NotFoundError: there is none; the message names those there are.
        KubectlError: more than one is meant.
    """
    # A full path first: a short name of another queue may read the same.
    if name in queues:
        return queues[name]
    meant = [path for path in queues if path.endswith(f".{name}")]
    if len(meant) == 1:
        return queues[meant[0]]
    if meant:
        raise KubectlError(f"queue {name!r} means {', '.join(sorted(meant))}; say the full path")
    known = f"found: {', '.join(sorted(queues))}" if queues else "found none at all"
    raise NotFoundError(
        f"Cannot get queue from RM by queueName = {name}, please check: there is no YarnQueue of "
        f"that name; {known}"
    )


def _row(queue: YarnQueue) -> tuple[str, ...]:
    status = queue.status
    return (
        queue.metadata.name,
        _state(queue),
        _capacity(queue),
        _maximum(queue),
        status.used_capacity or "0.0%",
        str(status.applications.total),
        str(status.containers),
        ", ".join(f"{name} {amount}" for name, amount in status.pending.items()) or "-",
    )


def _lines(queue: YarnQueue, queues: Queues) -> list[tuple[str, str]]:
    spec = queue.spec
    labels = spec.accessible_partitions
    weight = spec.capacity or ""
    parallel = spec.maximum_parallel_applications
    return [
        ("State", _state(queue)),
        ("Capacity", printing.hundredths(_capacity(queue))),
        ("Current Capacity", printing.hundredths(queue.status.used_capacity or "0%")),
        ("Maximum Capacity", printing.hundredths(_maximum(queue))),
        ("Weight", weight.removesuffix("w") if weight.endswith("w") else "-1.00"),
        ("Maximum Parallel Apps", str(2147483647 if parallel is None else parallel)),
        ("Default Node Label expression", spec.default_partition or "<DEFAULT_PARTITION>"),
        ("Accessible Node Labels", ",".join(labels) if labels is not None else "*"),
        ("Preemption", _enabled(not _preemption_disabled(queue, queues))),
        ("Intra-queue Preemption", _enabled(_intra_queue_preemption(queue, queues))),
    ]


def _partition_lines(queue: YarnQueue) -> list[tuple[str, str]]:
    """What the queue has and holds of each partition; nothing where the cluster has none."""
    lines: list[tuple[str, str]] = []
    for partition in queue.status.partitions:
        name = partition.name or "<DEFAULT_PARTITION>"
        effective = partition.effective
        lines += [
            (f"Node Label {name}", ""),
            ("\tEffective Minimum", _shown(effective.minimum)),
            ("\tEffective Maximum", _shown(effective.maximum)),
            ("\tUsed", _shown(partition.used)),
            ("\tPending", _shown(partition.pending)),
            ("\tReserved", _shown(partition.reserved)),
        ]
        if queue.status.leaf:
            am = partition.am
            lines.append(("\tAM Used", f"{_shown(am.used)} of at most {_shown(am.limit)}"))
        lines += [
            (f"\tUser {user.name}", f"{_shown(user.used)} of at most {_shown(user.limit)}")
            for user in partition.users
        ]
    return lines


def _shown(amounts: Mapping[str, str | int]) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in amounts.items()) or "none"


def _more_lines(queue: YarnQueue) -> list[tuple[str, str]]:
    status = queue.status
    lines = [
        (label, _shown(amounts))
        for label, amounts in (
            ("Used", status.used),
            ("Pending", status.pending),
            ("Reserved", status.reserved),
        )
    ]
    lines += [(f"User {user.name}", _user(user)) for user in status.users]
    lines += printing.conditions(status.conditions)
    return lines


def _user(user: UserUse) -> str:
    used, limit = dict(user.used), dict(user.limit)
    return f"used {used}, limit {limit}, {user.active_applications} active applications"


def _state(queue: YarnQueue) -> str:
    return (queue.status.state or queue.spec.state).value.upper()


def _capacity(queue: YarnQueue) -> str:
    if queue.metadata.name == "root":
        return "100%"
    return _amounts(queue.spec.capacity_by_resource) or queue.spec.capacity or "0%"


def _maximum(queue: YarnQueue) -> str:
    by_resource = _amounts(queue.spec.maximum_capacity_by_resource)
    return by_resource or queue.spec.maximum_capacity or "100%"


def _amounts(by_resource: Mapping[str, str | int] | None) -> str:
    named = ",".join(f"{name}={amount}" for name, amount in (by_resource or {}).items())
    return f"[{named}]" if named else ""


def _cluster(queues: Queues) -> ClusterSpec:
    root = queues.get("root")
    return (root.spec.cluster if root is not None else None) or ClusterSpec()


def _preemption_disabled(queue: YarnQueue, queues: Queues) -> bool:
    """Whether nothing is taken from this queue: off in the cluster, or here, or above."""
    if not _cluster(queues).preemption.enabled:
        return True
    path = queue.metadata.name
    while path:
        above = queues.get(path)
        if above is not None and above.spec.preemption.disabled is not None:
            return above.spec.preemption.disabled
        path = path.rpartition(".")[0]
    return False


def _intra_queue_preemption(queue: YarnQueue, queues: Queues) -> bool:
    enabled = _cluster(queues).preemption.intra_queue.enabled
    return enabled and not queue.spec.preemption.intra_queue_disabled


def _enabled(on: bool) -> str:
    return "enabled" if on else "disabled"


COMMAND = Command(
    "queue",
    "queues, their capacity and use",
    (
        Verb("list", "all queues, or the children of one", _list, "[<parent>|all]", 0, 1),
        Verb("status", "one queue", _report, "<path or name>", 1, 1),
    ),
)

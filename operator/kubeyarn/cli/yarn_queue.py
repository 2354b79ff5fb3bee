"""`kubectl yarn queue`: list and status (Hadoop: QueueCLI)."""

from __future__ import annotations

from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_kubectl import QUEUES, Json, Kubectl, KubectlError, NotFoundError
from kubeyarn.cli.yarn_words import Command, Request, Verb

_WIDTHS = (36, 9, 10, 10, 10, 6, 11, 24)
_HEADER = ("Queue", "State", "Capacity", "Maximum", "Used", "Apps", "Containers", "Pending")


def _list(kubectl: Kubectl, request: Request) -> int:
    queues = kubectl.objects(QUEUES, namespaced=False)
    parent = request.operands[0] if request.operands else "all"
    if parent != "all":
        path = find(queues, parent)["metadata"]["name"]
        queues = [q for q in queues if q["metadata"]["name"].rpartition(".")[0] == path]
    queues.sort(key=lambda queue: queue["metadata"]["name"].split("."))
    if request.get("output") in ("json", "yaml"):
        print(printing.objects(queues, request.get("output")))
        return 0
    print(f"Total Queues:{len(queues)}")
    print(printing.table(_WIDTHS, [_HEADER, *map(_row, queues)]))
    return 0


def _report(kubectl: Kubectl, request: Request) -> int:
    queues = kubectl.objects(QUEUES, namespaced=False)
    queue = find(queues, request.operands[0])
    if request.get("output") in ("json", "yaml"):
        print(printing.objects([queue], request.get("output"), single=True))
        return 0
    path = queue["metadata"]["name"]
    print("Queue Information : ")
    print(f"Scheduler Name : {_scheduler(queues)}Scheduler")
    print(f"Queue Name : {path.rpartition('.')[2]}")
    lines = _lines(queue, queues)
    if request.get("output") == "wide":
        lines += _more_lines(queue)
    print(printing.report(f"Queue Path : {path}", lines))
    return 0


def find(queues: list[Json], name: str) -> Json:
    """The queue that *name* means: its full path, or its short name when only one has it.

    Raises:
        NotFoundError: there is none; the message names those there are.
        KubectlError: more than one is meant.
    """
    paths = {queue["metadata"]["name"]: queue for queue in queues}
    if name in paths:
        return paths[name]
    meant = [path for path in paths if path.endswith(f".{name}")]
    if len(meant) == 1:
        return paths[meant[0]]
    if meant:
        raise KubectlError(f"queue {name!r} means {', '.join(sorted(meant))}; say the full path")
    known = f"found: {', '.join(sorted(paths))}" if paths else "found none at all"
    raise NotFoundError(
        f"Cannot get queue from RM by queueName = {name}, please check: there is no YarnQueue of "
        f"that name; {known}"
    )


def _row(queue: Json) -> tuple[str, ...]:
    status = queue.get("status") or {}
    pending = status.get("pending") or {}
    return (
        queue["metadata"]["name"],
        _state(queue),
        _capacity(queue),
        _maximum(queue),
        status.get("usedCapacity", "0.0%"),
        str((status.get("applications") or {}).get("total", 0)),
        str(status.get("containers", 0)),
        ", ".join(f"{name} {amount}" for name, amount in pending.items()) or "-",
    )


def _lines(queue: Json, queues: list[Json]) -> list[tuple[str, str]]:
    spec = queue.get("spec") or {}
    status = queue.get("status") or {}
    labels = spec.get("accessiblePartitions")
    weight = spec.get("capacity", "")
    return [
        ("State", _state(queue)),
        ("Capacity", printing.hundredths(_capacity(queue))),
        ("Current Capacity", printing.hundredths(status.get("usedCapacity", "0%"))),
        ("Maximum Capacity", printing.hundredths(_maximum(queue))),
        ("Weight", weight.removesuffix("w") if weight.endswith("w") else "-1.00"),
        ("Maximum Parallel Apps", str(spec.get("maximumParallelApplications", 2147483647))),
        ("Default Node Label expression", spec.get("defaultPartition") or "<DEFAULT_PARTITION>"),
        ("Accessible Node Labels", ",".join(labels) if labels is not None else "*"),
        ("Preemption", _enabled(not _preemption_disabled(queue, queues))),
        ("Intra-queue Preemption", _enabled(_intra_queue_preemption(queue, queues))),
    ]


def _more_lines(queue: Json) -> list[tuple[str, str]]:
    status = queue.get("status") or {}
    lines = [
        (label, ", ".join(f"{k} {v}" for k, v in (status.get(name) or {}).items()) or "none")
        for label, name in (("Used", "used"), ("Pending", "pending"), ("Reserved", "reserved"))
    ]
    lines += [(f"User {user.get('name')}", _user(user)) for user in status.get("users") or []]
    lines += [
        (f"Condition {c['type']}", f"{c['status']} {c.get('reason', '')}: {c.get('message', '')}")
        for c in status.get("conditions") or []
    ]
    return lines


def _user(user: Json) -> str:
    used, limit = user.get("used") or {}, user.get("limit") or {}
    return f"used {used}, limit {limit}, {user.get('activeApplications', 0)} active applications"


def _state(queue: Json) -> str:
    said = (queue.get("status") or {}).get("state") or (queue.get("spec") or {}).get("state")
    return str(said or "Running").upper()


def _capacity(queue: Json) -> str:
    spec = queue.get("spec") or {}
    if queue["metadata"]["name"] == "root":
        return "100%"
    return _amounts(spec.get("capacityByResource")) or str(spec.get("capacity") or "0%")


def _maximum(queue: Json) -> str:
    spec = queue.get("spec") or {}
    by_resource = _amounts(spec.get("maximumCapacityByResource"))
    return by_resource or str(spec.get("maximumCapacity") or "100%")


def _amounts(by_resource: Json | None) -> str:
    named = ",".join(f"{name}={amount}" for name, amount in (by_resource or {}).items())
    return f"[{named}]" if named else ""


def _scheduler(queues: list[Json]) -> str:
    return str(_cluster(queues).get("scheduler", "Capacity"))


def _cluster(queues: list[Json]) -> Json:
    for queue in queues:
        if queue["metadata"]["name"] == "root":
            found: Json = (queue.get("spec") or {}).get("cluster") or {}
            return found
    return {}


def _preemption_disabled(queue: Json, queues: list[Json]) -> bool:
    """Whether nothing is taken from this queue: off in the cluster, or here, or above."""
    if not (_cluster(queues).get("preemption") or {}).get("enabled", False):
        return True
    paths = {q["metadata"]["name"]: q for q in queues}
    path = queue["metadata"]["name"]
    while path:
        said = ((paths.get(path, {}).get("spec") or {}).get("preemption") or {}).get("disabled")
        if said is not None:
            return bool(said)
        path = path.rpartition(".")[0]
    return False


def _intra_queue_preemption(queue: Json, queues: list[Json]) -> bool:
    whole = (_cluster(queues).get("preemption") or {}).get("intraQueue") or {}
    here = (queue.get("spec") or {}).get("preemption") or {}
    return bool(whole.get("enabled")) and not here.get("intraQueueDisabled", False)


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

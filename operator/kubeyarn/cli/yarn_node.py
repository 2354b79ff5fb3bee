"""`kubectl yarn node`: list and status (Hadoop: NodeCLI)."""

from __future__ import annotations

from collections import Counter

from kubeyarn.cli import yarn_printing as printing
from kubeyarn.cli.yarn_kubectl import PODS_OF_APPLICATIONS, Kubectl, NotFoundError
from kubeyarn.cli.yarn_words import Command, Option, Request, UsageError, Verb
from kubeyarn.crd.object import Object

STATES = ("RUNNING", "UNHEALTHY", "LOST", "DECOMMISSIONING", "DECOMMISSIONED")
_WIDTHS = (16, 15, 17, 28)
_HEADER = ("Node-Id", "Node-State", "Node-Http-Address", "Number-of-Running-Containers")


def _list(kubectl: Kubectl, request: Request) -> int:
    states = _states(request)
    containers = _containers(kubectl)
    nodes = kubectl.objects("nodes", namespaced=False)
    nodes = [node for node in nodes if state(node, containers) in states]
    nodes.sort(key=lambda node: str(node["metadata"]["name"]))
    if request.get("output") in ("json", "yaml"):
        print(printing.objects(nodes, request.get("output")))
        return 0
    print(f"Total Nodes:{len(nodes)}")
    print(printing.table(_WIDTHS, [_HEADER, *(_row(node, containers) for node in nodes)]))
    if request.has("showDetails") or request.get("output") == "wide":
        for node in nodes:
            print(printing.report(f"{node['metadata']['name']}:", _details(node)))
    return 0


def _report(kubectl: Kubectl, request: Request) -> int:
    name = request.operands[0]
    nodes = kubectl.objects("nodes", namespaced=False)
    chosen = [node for node in nodes if node["metadata"]["name"] == name]
    if not chosen:
        known = ", ".join(sorted(node["metadata"]["name"] for node in nodes)) or "none at all"
        raise NotFoundError(f"Could not find the node report for node id : {name}; found: {known}")
    if request.get("output") in ("json", "yaml"):
        print(printing.objects(chosen, request.get("output"), single=True))
        return 0
    node, containers = chosen[0], _containers(kubectl)
    ready = _ready(node)
    lines = [
        ("Node-Id", name),
        ("Rack", "/" + (_labels(node).get("topology.kubernetes.io/zone") or "default-rack")),
        ("Node-State", state(node, containers)),
        ("Node-Http-Address", _address(node)),
        ("Last-Health-Update", str(ready.get("lastHeartbeatTime", "N/A"))),
        ("Health-Report", str(ready.get("message", ""))),
        ("Containers", str(containers[name])),
        *_details(node),
    ]
    print(printing.report("Node Report : ", lines))
    return 0


def state(node: Object, containers: Counter[str]) -> str:
    """YARN's word for the state of a Kubernetes node.

    A node whose kubelet says it is not ready is UNHEALTHY, one that nothing is heard of is LOST;
    a cordoned one is DECOMMISSIONING until its last container has ended.
    """
    ready = _ready(node).get("status", "Unknown")
    if ready != "True":
        return "LOST" if ready == "Unknown" else "UNHEALTHY"
    if node.get("spec", {}).get("unschedulable"):
        busy = containers[node["metadata"]["name"]]
        return "DECOMMISSIONING" if busy else "DECOMMISSIONED"
    return "RUNNING"


def _states(request: Request) -> tuple[str, ...]:
    if request.has("all"):
        return STATES
    wanted = tuple(name.upper() for name in request.names("states"))
    if wrong := [name for name in wanted if name not in STATES]:
        raise UsageError(f"node state {wrong[0]} is none of {', '.join(STATES)}")
    return wanted or ("RUNNING",)


def _containers(kubectl: Kubectl) -> Counter[str]:
    """How many containers of applications are on each node."""
    pods = kubectl.objects_everywhere("pods", PODS_OF_APPLICATIONS)
    return Counter(
        pod["spec"].get("nodeName", "")
        for pod in pods
        # Pods that ended stay for their logs, and hold nothing of the node any more.
        if pod.get("status", {}).get("phase") in ("Pending", "Running")
    )


def _row(node: Object, containers: Counter[str]) -> tuple[str, ...]:
    name = node["metadata"]["name"]
    return (name, state(node, containers), _address(node), str(containers[name]))


def _details(node: Object) -> list[tuple[str, str]]:
    allocatable = node.get("status", {}).get("allocatable", {})
    return [
        ("Memory-Capacity", str(allocatable.get("memory", "N/A"))),
        ("CPU-Capacity", f"{allocatable.get('cpu', 'N/A')} vcores"),
        ("Node-Labels", _labels(node).get("kubeyarn.io/partition", "")),
    ]


def _ready(node: Object) -> Object:
    for condition in node.get("status", {}).get("conditions", []):
        if condition.get("type") == "Ready":
            ready: Object = condition
            return ready
    return {}


def _address(node: Object) -> str:
    status = node.get("status", {})
    # A NodeManager's address has the port it listens on; the kubelet's is the nearest thing.
    port = status.get("daemonEndpoints", {}).get("kubeletEndpoint", {}).get("Port", 10250)
    for address in status.get("addresses", []):
        if address.get("type") == "InternalIP":
            return f"{address['address']}:{port}"
    return f"{node['metadata']['name']}:{port}"


def _labels(node: Object) -> dict[str, str]:
    labels: dict[str, str] = node["metadata"].get("labels") or {}
    return labels


COMMAND = Command(
    "node",
    "nodes and their containers",
    (
        Verb(
            "list",
            "nodes that run",
            _list,
            options=(
                Option("all", "in every state"),
                Option("states", f"in these: {', '.join(STATES)}", "STATE,..."),
                Option("showDetails", "with what they have"),
            ),
        ),
        Verb("status", "one node's report", _report, "<node>", 1, 1),
    ),
)

"""`kubectl yarn logs`: what containers wrote, while their pods exist (Hadoop: LogsCLI)."""

from __future__ import annotations

from kubeyarn.cli.yarn_application import application_id, find
from kubeyarn.cli.yarn_kubectl import PODS_OF_APPLICATIONS, Kubectl, KubectlError
from kubeyarn.cli.yarn_words import Command, Option, Request, UsageError, Verb
from kubeyarn.crd.object import Object
from kubeyarn.crd.yarn_application import YarnApplication

CONTAINER_ID = "kubeyarn.io/container-id"
ATTEMPT = "kubeyarn.io/attempt"
ROLE = "kubeyarn.io/role"
_LINE = "=" * 84
_END = "*" * 71


def _logs(kubectl: Kubectl, request: Request) -> int:
    name = request.get("applicationId")
    if not name:
        raise UsageError("logs needs -applicationId <id or name>")
    app = find(kubectl, name).app
    pods = pods_of(kubectl, app)
    chosen = _chosen(pods, request)
    if not chosen:
        raise KubectlError(_nothing(app, pods, request))
    chosen.sort(key=container_id)
    if request.has("follow"):
        return _follow(kubectl, chosen)
    for pod in chosen:
        _print(kubectl, pod, request)
    return 0


def pods_of(kubectl: Kubectl, app: YarnApplication) -> list[Object]:
    """The pods of an application's containers."""
    # A label's value has 63 characters at most; the annotation of the same name has them all.
    selector = f"{PODS_OF_APPLICATIONS}={app.metadata.name[:63].rstrip('-.')}"
    scope = f"--namespace={app.metadata.namespace}"
    pods = kubectl.json(["get", "pods", scope, "-l", selector])["items"]
    return [pod for pod in pods if _application(pod) == app.metadata.name]


def container_id(pod: Object) -> str:
    """The pod's container id, or its name if it has none."""
    metadata = pod["metadata"]
    return str((metadata.get("annotations") or {}).get(CONTAINER_ID) or metadata["name"])


def _chosen(pods: list[Object], request: Request) -> list[Object]:
    if request.has("containerId"):
        wanted = request.get("containerId")
        return [pod for pod in pods if wanted in (container_id(pod), pod["metadata"]["name"])]
    if not request.has("am"):
        return list(pods)
    masters = [pod for pod in pods if _is_am(pod)]
    which = request.names("am")
    if "ALL" in [word.upper() for word in which]:
        return masters
    try:
        numbers = [int(word) for word in which]
    except ValueError:
        raise UsageError(
            f"-am is {request.get('am')!r}, must be ALL, or attempts: 1,2; -1 is the last one"
        ) from None
    last = max((_attempt(pod) for pod in masters), default=0)
    meant = {last if number == -1 else number for number in numbers}
    return [pod for pod in masters if _attempt(pod) in meant]


def _application(pod: Object) -> str:
    metadata = pod["metadata"]
    annotations = metadata.get("annotations") or {}
    return str(annotations.get(PODS_OF_APPLICATIONS) or metadata["labels"][PODS_OF_APPLICATIONS])


def _is_am(pod: Object) -> bool:
    """Whether it runs an ApplicationMaster: its role says so; container 1 of an attempt is one."""
    role = (pod["metadata"].get("labels") or {}).get(ROLE, "")
    return role.lower() in ("am", "applicationmaster") or container_id(pod).endswith("_000001")


def _attempt(pod: Object) -> int:
    number = str((pod["metadata"].get("labels") or {}).get(ATTEMPT, "0"))
    return int(number) if number.isdigit() else 0


def _print(kubectl: Kubectl, pod: Object, request: Request) -> None:
    head = f"Container: {container_id(pod)} on {pod['spec'].get('nodeName', 'no node yet')}"
    print(f"{head}\n{_LINE}")
    limit = [f"--limit-bytes={request.get('size')}"] if request.has("size") else []
    try:
        text = kubectl.run(["logs", *_where(pod), *limit])
    except KubectlError as error:
        print(f"(no log: {_why(pod) or error})\n{_END}\n")
        return
    print(f"LogType:stdout\nLogLength:{len(text.encode())}\nLog Contents:")
    print(text, end="" if text.endswith("\n") or not text else "\n")
    print(f"End of LogType:stdout\n{_END}\n")


def _follow(kubectl: Kubectl, pods: list[Object]) -> int:
    if len(pods) > 1:
        ids = ", ".join(container_id(pod) for pod in pods[:5])
        raise UsageError(f"-follow needs one container: -am -1, or -containerId of {ids}, ...")
    # kubectl writes to the terminal itself: what is followed has no end to wait for.
    return kubectl.stream(["logs", "--follow", *_where(pods[0])])


def _where(pod: Object) -> list[str]:
    return [f"--namespace={pod['metadata']['namespace']}", pod["metadata"]["name"]]


def _why(pod: Object) -> str:
    """Why a pod has no log yet."""
    for status in pod.get("status", {}).get("containerStatuses") or []:
        if waiting := status.get("state", {}).get("waiting"):
            return f"{waiting.get('reason', '')} {waiting.get('message', '')}".strip()
    phase = pod.get("status", {}).get("phase", "")
    return "the pod is not running yet" if phase == "Pending" else ""


def _nothing(app: YarnApplication, pods: list[Object], request: Request) -> str:
    what = f"application {application_id(app)}"
    if not pods:
        return (
            f"{what} ({app.status.state}) has no pods: it has no containers yet, or those that "
            "ended were cleaned up and their logs went with them"
        )
    asked = request.get("containerId") or f"-am {request.get('am')}"
    known = ", ".join(sorted(container_id(pod) for pod in pods)[:20])
    return f"{what}: no pod of {asked}; containers found: {known}"


COMMAND = Command(
    "logs",
    "what an application's containers wrote",
    (
        Verb(
            "",
            "all containers of the application whose pods still exist",
            _logs,
            "-applicationId <id or name>",
            options=(
                Option("applicationId", "of which application", "ID"),
                Option("containerId", "only this container", "ID"),
                Option("am", "only ApplicationMasters: ALL, or attempts; -1: the last", "N,..."),
                Option("size", "at most so many bytes of each", "BYTES"),
                Option("follow", "go on as it is written, of one container"),
            ),
        ),
    ),
)

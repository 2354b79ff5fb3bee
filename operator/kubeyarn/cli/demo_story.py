"""The demo's story: follows one word count through the ten steps and says each as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import click

from kubeyarn.crd.object import Object
from kubeyarn.local import image
from kubeyarn.local.installing import AdministratorKubectl

NAMESPACE = "demo"
APPLICATION = "wordcount"
_RESULT = "WORDCOUNT RESULT "
_LOOK_EVERY_S = 0.4
_QUEUES_EVERY_S = 5.0
_PATIENCE_S = 300.0

_QUEUES = """
apiVersion: kubeyarn.io/v1alpha1
kind: YarnQueue
metadata: {name: root}
spec:
  cluster:
    minimumAllocation: {cpu: 50m, memory: 64Mi}
    incrementAllocation: {cpu: 50m, memory: 64Mi}
    maximumAllocation: {cpu: "2", memory: 4Gi}
---
apiVersion: kubeyarn.io/v1alpha1
kind: YarnQueue
metadata: {name: root.engineering}
spec: {capacity: "60%", maximumCapacity: "100%", userLimitFactor: "2", maximumAMShare: "50%"}
---
apiVersion: kubeyarn.io/v1alpha1
kind: YarnQueue
metadata: {name: root.research}
spec: {capacity: "40%", maximumCapacity: "80%", maximumAMShare: "50%"}
"""


def _application(maps: int) -> Object:
    sizes = [f"--{what}={size}" for what, size in _SIZES.items()]
    return {
        "apiVersion": "kubeyarn.io/v1alpha1",
        "kind": "YarnApplication",
        "metadata": {"name": APPLICATION, "namespace": NAMESPACE},
        "spec": {
            "applicationName": "word count",
            "queue": "root.engineering",
            "maxAttempts": 1,
            "applicationMaster": {
                "image": image.KUBEYARN,
                "resources": {"cpu": "100m", "memory": "256Mi"},
                "command": ["python", "-m", "kubeyarn.examples.wordcount"],
                "args": [f"--maps={maps}", "--reduces=2", "--map-delay=6", *sizes],
            },
        },
    }


_SIZES = {
    "map-cpu": "150m",
    "map-memory": "256Mi",
    "reduce-cpu": "150m",
    "reduce-memory": "256Mi",
}


@dataclass(slots=True)
class Look:
    """What the API server shows of the application at one moment."""

    application: Object
    requests: list[Object]
    pods: list[Object]

    @property
    def status(self) -> Object:
        """The application's status."""
        status: Object = self.application.get("status") or {}
        return status

    @property
    def attempt(self) -> Object:
        """Its last attempt."""
        attempt: Object = (self.status.get("attempts") or [{}])[-1]
        return attempt

    def asks(self) -> list[Object]:
        """Requests of the AM for containers, its own left out."""
        return [r for r in self.requests if r["spec"].get("role") != "ApplicationMaster"]

    def total(self, key: str) -> int:
        """A number of all asks' status, summed."""
        return sum(int((r.get("status") or {}).get(key) or 0) for r in self.asks())

    def wanted(self) -> int:
        """Containers asked for so far."""
        return sum(int(r["spec"].get("count") or 0) for r in self.asks())

    def running(self) -> list[Object]:
        """Running pods that are not the AM's."""
        return [
            pod
            for pod in self.pods
            if pod["status"].get("phase") == "Running"
            # One that is being deleted still says Running until its kubelet has ended it.
            and "deletionTimestamp" not in pod["metadata"]
            and pod["metadata"]["labels"].get("kubeyarn.io/role") != "am"
        ]


@dataclass(slots=True)
class Story:
    """Submits the word count, follows it, kills a container, and checks the counts."""

    kubectl: AdministratorKubectl
    maps: int
    say: Callable[[str], None]
    started: float = field(default_factory=time.monotonic)
    told: set[int] = field(default_factory=set)
    killed: str = ""
    asked_again: bool = False
    asked_before_kill: int = 0
    queues_at: float = 0.0

    def tell(self) -> bool:
        """Whether every step happened and the result is right."""
        self.say("making the queues root.engineering (60%) and root.research (40%)")
        self.kubectl.run("apply", "-f", "-", stdin=_QUEUES)
        self.kubectl.run("create", "namespace", NAMESPACE)
        self._wait_for_queues()
        self.started = time.monotonic()
        self.kubectl.run("apply", "-f", "-", stdin=json.dumps(_application(self.maps)))
        self._step(1, "the client submits YarnApplication wordcount to root.engineering")
        look = self._follow()
        return self._judge(look)

    def _wait_for_queues(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            queues = self.kubectl.json("yarnqueues")["items"]
            if len(queues) == 3 and all(_ready(queue) for queue in queues):
                return
            time.sleep(_LOOK_EVERY_S)

    def _follow(self) -> Look:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            look = self._look()
            self._tell_steps(look)
            self._kill_one(look)
            self._show_queues(look)
            over = look.status.get("state") in ("FAILED", "KILLED") or 10 in self.told
            if over or time.monotonic() > deadline:
                return look
            time.sleep(_LOOK_EVERY_S)

    def _look(self) -> Look:
        selector = ("-n", NAMESPACE, "-l", f"kubeyarn.io/application={APPLICATION}")
        return Look(
            self.kubectl.json("yarnapplication", APPLICATION, "-n", NAMESPACE),
            self.kubectl.json("containerrequests", *selector)["items"],
            self.kubectl.json("pods", *selector)["items"],
        )

    def _tell_steps(self, look: Look) -> None:
        status, attempt = look.status, look.attempt
        if status.get("applicationId"):
            self._step(2, f"the ResourceManager gives it the id {status['applicationId']}")
        if look.requests:
            size = look.requests[0]["spec"]["resources"]
            self._step(3, f"its spec says how the ApplicationMaster is launched: {_shown(size)}")
        if attempt.get("containerId"):
            where = f"{attempt['containerId']} on node {attempt.get('node')}"
            self._step(4, f"queue {status['queue']} takes it; container 0 is {where}")
        if attempt.get("state") == "RUNNING" or look.asks():
            self._step(5, "the ApplicationMaster registers")
        if look.asks():
            self._step(6, f"it asks for {look.wanted()} map containers")
        if look.total("granted"):
            self._step(7, f"the Scheduler grants {look.total('granted')} of {look.wanted()}")
        if look.running():
            nodes = sorted({pod["spec"]["nodeName"] for pod in look.running()})
            self._step(8, f"containers are launched by the kubelet of {', '.join(nodes)}")
        if int(status.get("progress") or 0) > 0 and 8 in self.told:
            self._step(9, f"tasks report to the ApplicationMaster: {status['progress']}% done")
        if self.killed and not self.asked_again and look.wanted() > self.asked_before_kill:
            self.asked_again = True
            self.say(
                f"{self._time()}          the ApplicationMaster asked again: {look.wanted()} "
                f"containers wanted, {self.asked_before_kill} before"
            )
        self._tell_end(look)

    def _tell_end(self, look: Look) -> None:
        if look.status.get("state") != "FINISHED":
            return
        # The application is finished when it has unregistered; its last containers end after that.
        if look.running() or look.attempt.get("state") != "FINISHED":
            return
        self._step(
            10,
            f"it unregistered with {look.status['finalStatus']}; its containers are released",
        )

    def _step(self, number: int, what: str) -> None:
        if number not in self.told:
            self.told.add(number)
            mark = click.style(f"step {number:>2}", fg="green", bold=True)
            self.say(f"{self._time()} {mark}  {what}")

    def _time(self) -> str:
        return f"{time.monotonic() - self.started:6.1f} s"

    def _kill_one(self, look: Look) -> None:
        """Take one running map container away, once the maps are under way."""
        if self.killed or len(look.running()) < min(3, self.maps):
            return
        pod = look.running()[-1]["metadata"]["name"]
        self.killed = pod
        self.asked_before_kill = look.wanted()
        # Not waited for: the story goes on, and shows how the ApplicationMaster takes it.
        delete = ("delete", "pod", pod, "-n", NAMESPACE, "--now", "--wait=false")
        self.kubectl.run(*delete)
        self.say(f"{self._time()}          killed on purpose: the map container of pod {pod}")

    def _show_queues(self, look: Look) -> None:
        now = time.monotonic()
        if not look.running() or now - self.queues_at < _QUEUES_EVERY_S:
            return
        self.queues_at = now
        for line in self.kubectl.run("get", "yarnqueues").splitlines():
            self.say(f"{'':>18}{line}")

    # The end.

    def _judge(self, look: Look) -> bool:
        result = self._result(look)
        expected = self._count_in_one_process()
        if result:
            self.say("the ten most frequent words:")
            for word, count in result["top"][:10]:
                self.say(f"{count:>12}  {word}")
        checks = {
            "all ten steps happened": self.told == set(range(1, 11)),
            "the application succeeded": look.status.get("finalStatus") == "SUCCEEDED",
            "a map container was killed": bool(self.killed),
            "the ApplicationMaster asked again for it": self.asked_again,
            "the counts equal a count in one process": bool(result)
            and all(result[k] == expected[k] for k in ("sha256", "words", "distinct", "files")),
        }
        for what, held in checks.items():
            word = click.style("ok", fg="green") if held else click.style("FAILED", fg="red")
            self.say(f"{word:>6}  {what}")
        if not all(checks.values()):
            self._tell_trouble(look)
        return all(checks.values())

    def _result(self, look: Look) -> Object:
        pod = look.attempt.get("pod")
        return _parsed(self.kubectl.run("logs", "-n", NAMESPACE, pod)) if pod else {}

    def _count_in_one_process(self) -> Object:
        self.say("counting the same files in one process, to compare")
        name = "count-in-one-process"
        command = ("--", "python", "-m", "kubeyarn.examples.wordcount", "--local")
        self.kubectl.run(
            *("run", name, "-n", NAMESPACE, f"--image={image.KUBEYARN}", "--restart=Never"),
            *("--image-pull-policy=IfNotPresent", "--command", *command),
        )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            phase = self.kubectl.json("pod", name, "-n", NAMESPACE)["status"].get("phase")
            if phase in ("Succeeded", "Failed"):
                break
            time.sleep(_LOOK_EVERY_S)
        return _parsed(self.kubectl.run("logs", "-n", NAMESPACE, name))

    def _tell_trouble(self, look: Look) -> None:
        self.say(json.dumps(look.status, indent=1))
        system = ("-n", "kubeyarn-system", "--tail=40", "--all-containers", "--prefix")
        for deployment in ("kubeyarn-resourcemanager", "kubeyarn-scheduler"):
            self.say(self.kubectl.attempt("logs", f"deployment/{deployment}", *system).stdout)


def _ready(queue: Object) -> bool:
    conditions = (queue.get("status") or {}).get("conditions") or []
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _parsed(log: str) -> Object:
    lines = [line for line in log.splitlines() if line.startswith(_RESULT)]
    result: Object = json.loads(lines[-1].removeprefix(_RESULT)) if lines else {}
    return result


def _shown(size: Object) -> str:
    return ", ".join(f"{name} {amount}" for name, amount in size.items())

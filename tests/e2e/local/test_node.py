from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from kubeyarn.local import image
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.processes import Process, of_pids

pytestmark = [pytest.mark.e2e, pytest.mark.kubelet, pytest.mark.timeout(600)]

Make = Callable[..., LocalCluster]
IMAGE = image.KUBEYARN


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalCluster]:
    """One cluster with a kubelet and KubeYARN's image, for the tests that do not break it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KUBEYARN_STATE_DIR", str(tmp_path_factory.mktemp("node") / "state"))
        made = LocalCluster("node", fake_nodes=2, say=print)
        made.up([image.kubeyarn(print)])
        yield made
        made.down()


def kubectl(cluster: LocalCluster, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [cluster.kubectl, "--kubeconfig", cluster.kubeconfig_path, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_pause(cluster: LocalCluster, name: str) -> None:
    """Start a pod that does nothing, of the one image that every node has from the start."""
    run(cluster, name, ["/pause"], image=image.PAUSE)
    wait_phase(cluster, name, "Running")


def run(cluster: LocalCluster, name: str, command: list[str], **spec: object) -> None:
    """Start a pod on the real node."""
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {
            "restartPolicy": "Never",
            "dnsPolicy": "Default",
            "terminationGracePeriodSeconds": 1,
            "nodeName": cluster.node_name,
            "containers": [
                {
                    "name": "main",
                    "image": IMAGE,
                    "imagePullPolicy": "Never",
                    "command": command,
                    **spec,
                }
            ],
        },
    }
    kubectl(cluster, "create", "-f", "-", stdin=json.dumps(pod))


def wait_phase(cluster: LocalCluster, pod: str, phase: str, timeout_s: float = 60) -> None:
    kubectl(
        *(cluster, "wait", f"pod/{pod}", f"--for=jsonpath={{.status.phase}}={phase}"),
        f"--timeout={timeout_s:.0f}s",
    )


def fetch(cluster: LocalCluster, pod: str, url: str) -> str:
    """What a pod gets from a URL within a few tries: endpoints take a moment to be known."""
    program = f"import urllib.request as r; print(r.urlopen('{url}', timeout=3).status)"
    for _ in range(30):
        done = subprocess.run(
            [
                *(cluster.kubectl, "--kubeconfig", cluster.kubeconfig_path),
                *("exec", pod, "--", "python3", "-c", program),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == 0:
            return done.stdout.strip()
        time.sleep(0.3)
    return done.stderr.strip().splitlines()[-1]


def test_the_real_node_is_ready_beside_the_fake_ones(cluster: LocalCluster) -> None:
    nodes = json.loads(kubectl(cluster, "get", "nodes", "-o", "json"))["items"]

    ready = {
        node["metadata"]["name"]
        for node in nodes
        for condition in node["status"]["conditions"]
        if condition["type"] == "Ready" and condition["status"] == "True"
    }
    assert ready == {cluster.node_name, "fake-0000", "fake-0001"}


def test_a_pod_of_kubeyarns_image_runs_and_its_logs_can_be_read(cluster: LocalCluster) -> None:
    run(cluster, "speaks", ["python3", "-c", "import kubeyarn, os; print('I am', os.getuid())"])

    wait_phase(cluster, "speaks", "Succeeded")

    assert kubectl(cluster, "logs", "speaks") == "I am 65532\n"


def test_commands_run_in_a_pod(cluster: LocalCluster) -> None:
    run(cluster, "obeys", ["sleep", "300"])
    wait_phase(cluster, "obeys", "Running")

    said = kubectl(cluster, "exec", "obeys", "--", "sh", "-c", "echo hello | tr a-z A-Z")

    assert said == "HELLO\n"


def test_a_failing_container_reports_its_exit_code(cluster: LocalCluster) -> None:
    run(cluster, "fails", ["sh", "-c", "exit 7"])

    wait_phase(cluster, "fails", "Failed")

    pod = json.loads(kubectl(cluster, "get", "pod", "fails", "-o", "json"))
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 7


def test_a_memory_limit_is_enforced(cluster: LocalCluster) -> None:
    limits = {"limits": {"memory": "64Mi", "cpu": "1"}}
    run(cluster, "greedy", ["python3", "-c", "b'x' * (200 << 20)"], resources=limits)

    wait_phase(cluster, "greedy", "Failed")

    pod = json.loads(kubectl(cluster, "get", "pod", "greedy", "-o", "json"))
    assert pod["status"]["containerStatuses"][0]["state"]["terminated"]["exitCode"] == 137


def test_a_pod_reaches_the_api_server_with_its_token(cluster: LocalCluster) -> None:
    program = """
import os, ssl, urllib.request
account = "/var/run/secrets/kubernetes.io/serviceaccount/"
server = "https://" + os.environ["KUBERNETES_SERVICE_HOST"]
request = urllib.request.Request(server + "/apis/authentication.k8s.io/v1/selfsubjectreviews",
    data=b'{"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"}',
    headers={"Authorization": "Bearer " + open(account + "token").read(),
             "Content-Type": "application/json"})
context = ssl.create_default_context(cafile=account + "ca.crt")
print(urllib.request.urlopen(request, context=context).read().decode())
"""
    run(cluster, "asks", ["python3", "-c", program])

    wait_phase(cluster, "asks", "Succeeded")

    assert "system:serviceaccount:default:default" in kubectl(cluster, "logs", "asks")


def test_a_pod_reaches_a_service_while_it_has_a_ready_endpoint(cluster: LocalCluster) -> None:
    run(cluster, "web", ["python3", "-m", "http.server", "8000"])
    run(cluster, "visitor", ["sleep", "300"])
    wait_phase(cluster, "visitor", "Running")
    kubectl(cluster, "expose", "pod", "web", "--port=80", "--target-port=8000")
    address = kubectl(cluster, "get", "service", "web", "-o", "jsonpath={.spec.clusterIP}")

    assert fetch(cluster, "visitor", f"http://{address}/") == "200"

    cluster.kill("service-proxy")
    cluster.start("service-proxy")
    assert fetch(cluster, "visitor", f"http://{address}/") == "200"

    kubectl(cluster, "delete", "service", "web")
    deadline = time.monotonic() + 10
    while (
        address
        in subprocess.run(
            ["ip", "-o", "address"], capture_output=True, text=True, check=True
        ).stdout
    ):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_services_still_answer_after_the_api_server_was_killed(cluster: LocalCluster) -> None:
    run(cluster, "steady", ["python3", "-m", "http.server", "8000"])
    run(cluster, "caller", ["sleep", "300"])
    wait_phase(cluster, "caller", "Running")
    kubectl(cluster, "expose", "pod", "steady", "--port=80", "--target-port=8000")
    address = kubectl(cluster, "get", "service", "steady", "-o", "jsonpath={.spec.clusterIP}")
    assert fetch(cluster, "caller", f"http://{address}/") == "200"

    cluster.kill("kube-apiserver")
    cluster.start("kube-apiserver")
    kubectl(cluster, "expose", "pod", "steady", "--name=later", "--port=81", "--target-port=8000")
    later = kubectl(cluster, "get", "service", "later", "-o", "jsonpath={.spec.clusterIP}")

    assert fetch(cluster, "caller", f"http://{address}/") == "200"
    assert fetch(cluster, "caller", f"http://{later}:81/") == "200"


def test_pods_outlive_the_kubelet_and_containerd(cluster: LocalCluster) -> None:
    run(cluster, "outlives", ["sleep", "300"])
    wait_phase(cluster, "outlives", "Running")
    before = kubectl(cluster, "get", "pod", "outlives", "-o", "jsonpath={.status}")

    for component in ("kubelet", "containerd"):
        cluster.kill(component)
    for component in ("containerd", "kubelet"):
        cluster.start(component)

    assert _says_again(cluster, "outlives", "still here")
    after = kubectl(cluster, "get", "pod", "outlives", "-o", "jsonpath={.status}")
    started = [json.loads(status)["containerStatuses"][0]["state"] for status in (before, after)]
    assert started[0] == started[1]


def _says_again(cluster: LocalCluster, pod: str, words: str) -> bool:
    # A kubelet that has just started says that a pod does not exist until it has looked.
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        command = [cluster.kubectl, "--kubeconfig", cluster.kubeconfig_path, "exec", pod, "--"]
        done = subprocess.run(
            [*command, "echo", words], capture_output=True, text=True, check=False
        )
        if done.stdout == f"{words}\n":
            return True
        time.sleep(0.2)
    return False


def test_a_warm_cluster_is_ready_within_twenty_seconds(a_cluster: Make) -> None:
    # The best of two: other work on the machine is no fault of the cluster's.
    assert min(_seconds_to_start(a_cluster) for _ in range(2)) < 20


def _seconds_to_start(a_cluster: Make) -> float:
    cluster = a_cluster("timed", kubelet=True)
    started = time.monotonic()
    cluster.up()
    taken = time.monotonic() - started
    cluster.down()
    return taken


def test_two_nodes_run_pods_side_by_side(cluster: LocalCluster, a_cluster: Make) -> None:
    other = a_cluster("second", kubelet=True)
    other.up()
    run(cluster, "here", ["sleep", "300"])

    run_pause(other, "there")
    wait_phase(cluster, "here", "Running")
    other.down()

    assert kubectl(cluster, "exec", "here", "--", "echo", "alive") == "alive\n"


def _with_a_pod(make: Make, name: str) -> LocalCluster:
    cluster = make(name, kubelet=True)
    cluster.up()
    run_pause(cluster, "pauses")
    return cluster


def test_down_with_running_pods_leaves_nothing(
    a_cluster: Make, traces: Callable[[str], object]
) -> None:
    cluster = _with_a_pod(a_cluster, "ended")
    left = traces("ended")
    kinds = {entry.split()[0] for entry in left.found()}
    assert {"process", "mount", "device", "cgroup", "file"} <= kinds

    cluster.down()

    assert left.found() == []


def test_up_works_after_every_process_was_killed_and_down_leaves_nothing(
    a_cluster: Make, traces: Callable[[str], object], state: Path
) -> None:
    cluster = _with_a_pod(a_cluster, "crashed")
    left = traces("crashed")
    _kill_everything(state)

    cluster.up()
    run_pause(cluster, "pauses")
    _kill_everything(state)
    cluster.down()

    assert left.found() == []


def _kill_everything(state: Path) -> None:
    """Kill all processes of the test's clusters, shims included, as a crash would."""
    mark = f"KUBEYARN_CLUSTER={state}".encode()
    killed = [process for process in _marked(mark) if process.alive]
    assert len(killed) >= 8
    for process in killed:
        os.kill(process.pid, signal.SIGKILL)
    while any(process.alive for process in killed):
        time.sleep(0.02)


def _marked(mark: bytes) -> Iterator[Process]:
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                yield from of_pids([int(entry.name)])
        except OSError:
            continue

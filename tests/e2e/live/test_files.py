"""Files from elsewhere, on a real kubelet: fetched, checked, unpacked, mounted, refused."""

from __future__ import annotations

import hashlib
import http.server
import io
import tarfile
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from e2e.live import manifests
from e2e.live.installed import Live

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.kubelet,
    pytest.mark.timeout(150, func_only=True),
]

Json = dict[str, Any]

WORDS = b"one two three\n"
SHA = hashlib.sha256(WORDS).hexdigest()
SCRIPT = (
    'echo "words: $(cat in/words.txt)"; echo "from the archive: $(cat env/conf/a.txt)"; '
    'echo "work: $WORK"; echo "script: $(grep -c ^export.CONTAINER_ID= $PWD/launch_container.sh)"; '
    'echo "runs: $(./run.sh)"; echo no > in/words.txt || echo "read-only"; '
    "exec python -m kubeyarn.examples.idle --seconds=0"
)


@pytest.fixture(scope="module")
def a_queue(real_node: Live) -> Live:
    real_node.replace_queues(
        manifests.root(), manifests.queue("root.a", capacity="100%", maximumAMShare="50%")
    )
    return real_node


@pytest.fixture(scope="module")
def site(real_node: Live, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A web site that pods reach: on the node's own address."""
    directory = tmp_path_factory.mktemp("site")
    (directory / "words.txt").write_bytes(WORDS)
    (directory / "run.sh").write_text("#!/bin/sh\necho it runs\n")
    _archive(directory / "env.tar.gz", "conf/a.txt")
    _archive(directory / "evil.tar.gz", "../../out")
    node = real_node.kubectl.json("node", real_node.cluster.node_name)
    address = next(a["address"] for a in node["status"]["addresses"] if a["type"] == "InternalIP")
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(directory))
    server = http.server.ThreadingHTTPServer((address, 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{address}:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def _archive(path: Path, name: str) -> None:
    with tarfile.open(path, "w:gz") as tar:
        info = tarfile.TarInfo(name)
        info.size = len(WORDS)
        tar.addfile(info, io.BytesIO(WORDS))


def with_files(command: list[str], *files: Json, **spec: Any) -> Json:
    found = manifests.application("files", "root.a", command, **spec)
    found["spec"]["applicationMaster"]["files"] = list(files)
    return found


def test_files_and_archives_are_there_when_the_command_starts(
    a_queue: Live, site: str, namespace: str
) -> None:
    found = with_files(
        ["sh", "-c", SCRIPT],
        {"path": "in/words.txt", "url": f"{site}/words.txt", "sha256": SHA},
        {"path": "run.sh", "url": f"{site}/run.sh"},
        {"path": "env", "url": f"{site}/env.tar.gz", "type": "Archive"},
    )
    work = {"name": "WORK", "value": "$(LOCAL_DIRS)/$(APPLICATION_ID)"}
    found["spec"]["applicationMaster"]["env"] = [work]
    a_queue.apply(namespace, found)

    status = a_queue.wait_for_state(namespace, "files", "FINISHED", "FAILED")["status"]
    assert status["finalStatus"] == "SUCCEEDED", status
    lines = set(a_queue.logs(namespace, status["attempts"][-1]["pod"]).splitlines())
    assert {
        "words: one two three",
        "from the archive: one two three",
        "runs: it runs",
        "read-only",
        "script: 1",
        f"work: /kubeyarn/local/{status['applicationId']}",
    } <= lines


@pytest.fixture
def claim(a_queue: Live, namespace: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A claim whose volume has a file and an archive: a directory of the real node."""
    directory = tmp_path_factory.mktemp("volume")
    (directory / "words.txt").write_bytes(WORDS)
    _archive(directory / "env.tar.gz", "conf/a.txt")
    for path in (directory, *directory.iterdir(), *directory.parents):
        if path.is_relative_to(directory.parent.parent):
            path.chmod(0o755)
    name = f"files-{namespace}"
    size = {"storage": "1Mi"}
    modes = {"accessModes": ["ReadWriteOnce"], "storageClassName": ""}
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name},
        "spec": {**modes, "capacity": size, "hostPath": {"path": str(directory)}},
    }
    wanted = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data"},
        "spec": {**modes, "resources": {"requests": size}, "volumeName": name},
    }
    a_queue.apply(namespace, volume, wanted)
    yield "data"
    a_queue.kubectl.run("delete", "pvc", "data", "-n", namespace, "--wait=false")
    a_queue.kubectl.run("delete", "pv", name, "--wait=false")


def test_files_of_a_claim_are_mounted_and_its_archives_unpacked(
    a_queue: Live, namespace: str, claim: str
) -> None:
    script = (
        "echo \"words: $(cat w)\"; echo \"all: $(ls all | tr '\\n' ' ')\"; "
        'echo "from the archive: $(cat env/conf/a.txt)"; '
        "exec python -m kubeyarn.examples.idle --seconds=0"
    )
    source = {"name": claim}
    found = with_files(
        ["sh", "-c", script],
        {"path": "w", "persistentVolumeClaim": {**source, "path": "words.txt"}, "sha256": SHA},
        {"path": "all", "persistentVolumeClaim": source},
        {
            "path": "env",
            "persistentVolumeClaim": {**source, "path": "env.tar.gz"},
            "type": "Archive",
        },
    )
    a_queue.apply(namespace, found)

    status = a_queue.wait_for_state(namespace, "files", "FINISHED", "FAILED")["status"]
    assert status["finalStatus"] == "SUCCEEDED", status
    lines = a_queue.logs(namespace, status["attempts"][-1]["pod"]).splitlines()
    assert {
        "words: one two three",
        "all: env.tar.gz words.txt ",
        "from the archive: one two three",
    } <= set(lines)


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ({"path": "w", "url": "/words.txt", "sha256": "0" * 64}, f"{'0' * 64}, found {SHA}"),
        ({"path": "w", "url": "/nothing"}, "the server answered 404"),
        ({"path": "w", "url": "/words.txt", "type": "Archive"}, "neither a zip nor a tar"),
        ({"path": "w", "url": "/evil.tar.gz", "type": "Archive"}, "leads outside of the archive"),
    ],
    ids=["checksum", "missing", "no-archive", "path-traversal"],
)
def test_a_file_that_cannot_be_had_fails_the_attempt_as_in_yarn(
    a_queue: Live, site: str, namespace: str, file: Json, says: str
) -> None:
    wanted = {**file, "url": site + file["url"]}
    a_queue.apply(namespace, with_files(["true"], wanted, maxAttempts=1))

    status = a_queue.wait_for_state(namespace, "files", "FAILED", "FINISHED")["status"]
    assert status["state"] == "FAILED"
    assert status["attempts"][0]["exitStatus"] == -1000
    said = status["attempts"][0]["diagnostics"]
    assert says in said
    assert wanted["url"] in said

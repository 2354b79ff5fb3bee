from __future__ import annotations

import gzip
import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path

import pytest

from kubeyarn.local import gobuild, image, oci


def tar(path: Path, **files: bytes) -> Path:
    with tarfile.open(path, "w") as opened:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            opened.addfile(entry, io.BytesIO(content))
    return path


def contents(archive: Path) -> dict[str, bytes]:
    with tarfile.open(archive) as opened:
        return {entry.name: opened.extractfile(entry).read() for entry in opened}  # type: ignore[union-attr]


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    layers = [oci.layer(tar(tmp_path / f"{n}.tar", file=n.encode())) for n in ("one", "two")]
    config = oci.ImageConfig(
        entrypoint=("run",), environment={"A": "b"}, user="65532", labels={"x": "y"}
    )
    made = tmp_path / "image.tar"
    oci.write(made, ["team/tool:dev"], layers, config)
    return made


def test_every_blob_is_named_by_its_own_digest(archive: Path) -> None:
    blobs = {
        name.removeprefix("blobs/sha256/"): content
        for name, content in contents(archive).items()
        if name.startswith("blobs/")
    }

    assert len(blobs) == 4
    for digest, content in blobs.items():
        assert hashlib.sha256(content).hexdigest() == digest


def test_the_index_leads_to_the_manifest_the_configuration_and_the_layers(archive: Path) -> None:
    files = contents(archive)

    def blob(descriptor: dict[str, object]) -> bytes:
        content = files["blobs/" + str(descriptor["digest"]).replace(":", "/")]
        assert len(content) == descriptor["size"]
        return content

    assert json.loads(files["oci-layout"]) == {"imageLayoutVersion": "1.0.0"}
    [entry] = json.loads(files["index.json"])["manifests"]
    manifest = json.loads(blob(entry))
    config = json.loads(blob(manifest["config"]))
    layers = [blob(descriptor) for descriptor in manifest["layers"]]

    assert entry["annotations"]["io.containerd.image.name"] == "docker.io/team/tool:dev"
    assert config["config"]["Entrypoint"] == ["run"]
    assert config["config"]["Env"] == ["A=b"]
    assert config["config"]["User"] == "65532"
    assert config["config"]["Labels"] == {"x": "y"}
    assert config["architecture"] == oci.architecture()
    # The layers are not compressed, so what they are called and what they unpack to is one.
    assert config["rootfs"]["diff_ids"] == [each["digest"] for each in manifest["layers"]]
    for layer in layers:
        with tarfile.open(fileobj=io.BytesIO(layer)) as opened:
            assert opened.getnames() == ["file"]


def test_older_dockers_find_the_same_blobs(archive: Path) -> None:
    files = contents(archive)

    [entry] = json.loads(files["manifest.json"])

    assert entry["RepoTags"] == ["team/tool:dev"]
    assert all(path in files for path in [entry["Config"], *entry["Layers"]])


@pytest.mark.parametrize(
    ("name", "full"),
    [
        ("tool:dev", "docker.io/library/tool:dev"),
        ("team/tool:dev", "docker.io/team/tool:dev"),
        ("registry.k8s.io/pause:3", "registry.k8s.io/pause:3"),
        ("localhost/tool:1", "localhost/tool:1"),
    ],
)
def test_names_get_the_registry_that_kubelets_suppose(name: str, full: str) -> None:
    assert oci._full(name) == full


def test_the_same_content_makes_the_same_archive(tmp_path: Path) -> None:
    layer = oci.layer(tar(tmp_path / "layer.tar", file=b"x"))
    made = [tmp_path / "1.tar", tmp_path / "2.tar"]

    for path in made:
        oci.write(path, ["a:b"], [layer], oci.ImageConfig())

    assert made[0].read_bytes() == made[1].read_bytes()


def test_an_archive_that_cannot_be_finished_does_not_appear(tmp_path: Path) -> None:
    gone = oci.Layer(tmp_path / "no-such-layer", "sha256:" + "0" * 64, "sha256:" + "0" * 64, 1)

    with pytest.raises(FileNotFoundError):
        oci.write(tmp_path / "image.tar", ["a:b"], [gone], oci.ImageConfig())

    assert list(tmp_path.iterdir()) == []


def test_a_layers_digest_is_reckoned_again_when_it_changed(tmp_path: Path) -> None:
    path = tar(tmp_path / "layer.tar", file=b"x")
    first = oci.layer(path)
    tar(path, file=b"y")

    assert oci.layer(path).digest == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()
    assert oci.layer(path) != first


def test_a_compressed_layer_is_named_by_its_file_and_known_by_what_it_unpacks_to(
    tmp_path: Path,
) -> None:
    bare = tar(tmp_path / "bare.tar", file=b"x" * 1000).read_bytes()
    packed = tmp_path / "layer.tar.gz"
    packed.write_bytes(gzip.compress(bare))

    layer = oci.layer(packed)

    assert layer.digest == "sha256:" + hashlib.sha256(packed.read_bytes()).hexdigest()
    assert layer.diff_id == "sha256:" + hashlib.sha256(bare).hexdigest()
    assert layer.media_type.endswith("tar+gzip")
    assert oci.layer(packed) == layer


def test_the_pause_program_sleeps_and_leaves_no_zombies(tmp_path: Path) -> None:
    program = tmp_path / "pause"
    program.write_bytes(image.pause_program(oci.architecture()))
    program.chmod(0o755)

    running = subprocess.Popen([program])
    try:
        with pytest.raises(subprocess.TimeoutExpired):
            running.wait(0.3)
        status = Path(f"/proc/{running.pid}/status").read_text()
        ignored = int(status.split("SigIgn:")[1].split()[0], 16)
        sigchld = 1 << (17 - 1)
        assert ignored & sigchld
    finally:
        running.kill()
        running.wait()


def test_on_another_architecture_the_pause_program_is_built(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gobuild, "build_source", lambda source: source.encode())

    assert b"signal.Ignore(syscall.SIGCHLD)" in image.pause_program("riscv64")

"""The real node: containerd, the kubelet and the proxy of Services."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import kubeyarn
from kubeyarn.local import cgroups, image, lookup, mounts, network, processes, shared_directories
from kubeyarn.local.binaries import BINARIES
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.layout import run_directory
from kubeyarn.local.processes import Component, flag_list, settings_file

if TYPE_CHECKING:
    from collections.abc import Callable

    from kubeyarn.local.cluster_config import ClusterConfig
    from kubeyarn.local.layout import Layout, Record

_CAP_SYS_RESOURCE = 24
_KUBELET, _KUBELET_HEALTH = 10250, 10248
# The kubelet makes it whatever its root directory is.
_DEVICE_PLUGINS = Path("/var/lib/kubelet/device-plugins")
_POD_LOG_LINKS = Path("/var/log/containers")
_SHIM_SOCKETS = Path("/run/containerd/s")
_CNI_PLUGINS = ("bridge", "host-local")


def prepare(record: Record, layout: Layout) -> None:
    """Make the bridge, the cgroup and the run directory, after removing older ones.

    The slot is ours, so what bears its names was left by a cluster that was killed.
    """
    clean_slot(record)
    run_directory(record.slot).mkdir(parents=True, mode=0o700)
    _mount_kubelet_root(run_directory(record.slot) / "kubelet", layout.of("kubelet"))
    cgroups.create(record.slot)
    network.create(record.addresses)


def _mount_kubelet_root(short: Path, root: Path) -> None:
    # The kubelet makes sockets below its root directory: on the disk, but with a short path.
    for directory in (short, root):
        directory.mkdir()
    for command in (
        ["mount", "--bind", str(root), str(short)],
        ["mount", "--make-shared", str(short)],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise LocalClusterError(f"mounting {root} at {short}: {done.stderr.strip()}")


def clean_files(layout: Layout) -> None:
    """Remove what the ended components mounted below, or linked to, a cluster's directory."""
    mounts.undo(layout.directory)
    _remove_links(layout.directory)
    shared_directories.remove_if_empty(_DEVICE_PLUGINS, _DEVICE_PLUGINS.parent)


def clean_slot(record: Record) -> None:
    """Remove the pods' processes, the cgroup, the bridge and the run directory of a slot."""
    run = run_directory(record.slot)
    cgroups.remove(record.slot)
    _remove_shim_sockets(run)
    mounts.undo(run)
    network.remove(record.addresses)
    shutil.rmtree(run, ignore_errors=True)
    shared_directories.remove_if_empty(run.parent)


def containerd(cluster: ClusterConfig) -> Component:
    """The containerd with CRI, its own directories, and nothing of an installed one's."""
    # Everything of its own: an installed containerd's directories, sockets and plugins stay
    # untouched.
    config = cluster.layout.of("containerd.toml")
    config.write_text(_containerd_config(cluster))
    cni = cluster.layout.of("cni/net.d/10-kubeyarn.conflist")
    cni.write_text(network.cni(cluster.record.addresses, cluster.layout.of("cni/leases")))
    _link_cni_plugins(cluster)
    socket = cluster.run / "containerd.sock"
    return Component(
        name="containerd",
        version=lookup.version_of("containerd", cluster.binaries["containerd"]),
        arguments=(str(cluster.binaries["containerd"]), "--config", str(config)),
        environment=processes.environment(PATH=_path_with(cluster)),
        process=None,
        health=f"unix:{socket}",
    )


def kubelet(cluster: ClusterConfig) -> Component:
    """The kubelet, registered as the cluster's one real node."""
    config = cluster.layout.of("kubelet.yaml")
    config.write_text(settings_file(_kubelet_config(cluster)))
    addresses, name = cluster.record.addresses, cluster.layout.node_name
    flags = {
        "config": config,
        "kubeconfig": cluster.layout.of("kubelet.kubeconfig"),
        "root-dir": cluster.run / "kubelet",
        "cert-dir": cluster.layout.of("kubelet-pki"),
        "hostname-override": name,
        # The kubelet would take the address of the default route, which every cluster here shares.
        "node-ip": addresses.node,
    }
    return Component(
        name="kubelet",
        version=BINARIES["kubelet"].version,
        arguments=(str(cluster.binaries["kubelet"]), *flag_list(flags)),
        environment=(),
        process=None,
        health=f"http://{addresses.loopback}:{_KUBELET_HEALTH}/healthz",
    )


def service_proxy(cluster: ClusterConfig) -> Component:
    """Our proxy that makes the Services' cluster IPs answer."""
    source = str(Path(kubeyarn.__file__).parents[1])
    addresses, admin = cluster.record.addresses, cluster.certificates.admin
    flags = {
        "server": addresses.api_server_url,
        "authority": cluster.certificates.authority.certificate,
        "certificate": admin.certificate,
        "key": admin.key,
        "device": addresses.bridge,
        "range": addresses.services,
        "keep": addresses.kubernetes_service,
    }
    return Component(
        name="service-proxy",
        version=kubeyarn.__version__,
        arguments=(sys.executable, "-m", "kubeyarn.local.serviceproxy", *flag_list(flags)),
        environment=processes.environment(PYTHONPATH=source, PYTHONUNBUFFERED="1"),
        process=None,
    )


def images(say: Callable[[str], None]) -> list[Path]:
    """The archives of the images that every node needs: the pause container's."""
    return [image.pause(say)]


def import_image(slot: int, ctr: Path, archive: Path) -> None:
    """Import an image archive into a slot's containerd, for the kubelet to see.

    Raises LocalClusterError when the archive is missing or containerd refuses it.
    """
    if not archive.is_file():
        raise LocalClusterError(f"image archive {archive}: no such file")
    address = run_directory(slot) / "containerd.sock"
    done = subprocess.run(
        [ctr, "--address", address, "--namespace", "k8s.io", "images", "import", archive],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise LocalClusterError(f"image archive {archive}: {done.stderr.strip()}")


def _containerd_config(cluster: ClusterConfig) -> str:
    state, layout = cluster.run / "containerd", cluster.layout
    options = "plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc"
    return f"""version = 3
root = '{layout.of("containerd")}'
state = '{state}'
oom_score = 0
disabled_plugins = ['io.containerd.internal.v1.opt', 'io.containerd.nri.v1.nri',
  'io.containerd.snapshotter.v1.blockfile', 'io.containerd.snapshotter.v1.devmapper',
  'io.containerd.snapshotter.v1.btrfs', 'io.containerd.snapshotter.v1.zfs',
  'io.containerd.snapshotter.v1.erofs', 'io.containerd.differ.v1.erofs',
  'io.containerd.internal.v1.tracing', 'io.containerd.tracing.processor.v1.otlp']
[plugins.'io.containerd.metadata.v1.bolt']
no_sync = true
[grpc]
address = '{cluster.run / "containerd.sock"}'
[plugins.'io.containerd.cri.v1.images']
snapshotter = '{_snapshotter(layout)}'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
sandbox = '{image.PAUSE}'
[plugins.'io.containerd.cri.v1.runtime']
restrict_oom_score_adj = {_toml(not _has_capability(_CAP_SYS_RESOURCE))}
netns_mounts_under_state_dir = true
[plugins.'io.containerd.cri.v1.runtime'.cni]
use_internal_loopback = true
bin_dirs = ['{layout.of("cni/bin")}']
conf_dir = '{layout.of("cni/net.d")}'
[plugins.'io.containerd.cri.v1.runtime'.containerd]
default_runtime_name = 'runc'
[{options}]
runtime_type = 'io.containerd.runc.v2'
runtime_path = '{cluster.binaries["containerd-shim-runc-v2"]}'
[{options}.options]
BinaryName = '{cluster.binaries["runc"]}'
Root = '{cluster.run / "runc"}'
SystemdCgroup = false
"""


def _kubelet_config(cluster: ClusterConfig) -> dict[str, object]:
    layout, addresses = cluster.layout, cluster.record.addresses
    pair = cluster.certificates.node
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": str(addresses.node),
        "port": _KUBELET,
        "readOnlyPort": 0,
        "healthzBindAddress": str(addresses.loopback),
        "healthzPort": _KUBELET_HEALTH,
        "tlsCertFile": str(pair.certificate),
        "tlsPrivateKeyFile": str(pair.key),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(cluster.certificates.authority.certificate)},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{cluster.run / 'containerd.sock'}",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroups.name(cluster.record.slot)}",
        "cgroupsPerQOS": True,
        "enforceNodeAllocatable": [],
        "failCgroupV1": False,
        # The machine is not ours to set up, and a throw-away cluster may swap.
        "failSwapOn": False,
        # There may be no iptables; Services are the service proxy's.
        "makeIPTablesUtilChains": False,
        "oomScoreAdj": 0,
        "podLogsDir": str(layout.of("pod-logs")),
        "volumePluginDir": str(layout.of("volume-plugins")),
        # Low marks: the disk is the developer's, and mostly full.
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "nodefs.inodesFree": "1%",
            "imagefs.available": "1%",
        },
        # Nothing can be pulled again, so nothing is ever thrown away.
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "maxPods": 250,
        "kubeAPIQPS": 500,
        "kubeAPIBurst": 1000,
        "registryPullQPS": 0,
        # No limit: tests wait for events, and starts of many pods make many at once.
        "eventRecordQPS": 0,
        "nodeStatusUpdateFrequency": "5s",
        "shutdownGracePeriod": "0s",
    }


def _path_with(cluster: ClusterConfig) -> str:
    # runc is found by its full name, its helpers and mount by PATH; root's may lack sbin.
    own = {str(path.parent) for path in cluster.binaries.values()}
    system = ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"]
    return os.pathsep.join([*sorted(own), *system])


def _link_cni_plugins(cluster: ClusterConfig) -> None:
    for plugin in _CNI_PLUGINS:
        link = cluster.layout.of(f"cni/bin/{plugin}")
        link.unlink(missing_ok=True)
        link.symlink_to(cluster.binaries[plugin].resolve())


def _snapshotter(layout: Layout) -> str:
    """The snapshotter: overlayfs where the file system carries it; a container's own may not."""
    # Tried, not looked up: whether an overlay can lie on a file system depends on both and the
    # kernel.
    with tempfile.TemporaryDirectory(dir=layout.directory) as scratch:
        parts = {name: Path(scratch, name) for name in ("lower", "upper", "work", "merged")}
        for part in parts.values():
            part.mkdir()
        options = f"lowerdir={parts['lower']},upperdir={parts['upper']},workdir={parts['work']}"
        mounted = subprocess.run(
            ["mount", "-t", "overlay", "overlay", "-o", options, parts["merged"]],
            capture_output=True,
            check=False,
        )
        if mounted.returncode != 0:
            return "native"
        subprocess.run(["umount", parts["merged"]], capture_output=True, check=True)
        return "overlayfs"


def _has_capability(number: int) -> bool:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return bool(int(line.split()[1], 16) >> number & 1)
    return False


def _toml(value: bool) -> str:
    return "true" if value else "false"


def _remove_shim_sockets(run: Path) -> None:
    # A shim that was killed leaves its socket in a directory that all containerds share.
    for note in run.glob("containerd/io.containerd.runtime.v2.task/*/*/address"):
        socket = Path(note.read_text().strip().removeprefix("unix://"))
        if socket.parent == _SHIM_SOCKETS:
            socket.unlink(missing_ok=True)
    shared_directories.remove_if_empty(_SHIM_SOCKETS, _SHIM_SOCKETS.parent)


def _remove_links(directory: Path) -> None:
    # The kubelet links every container's log there, wherever its own directories are.
    if not _POD_LOG_LINKS.is_dir():
        return
    for link in _POD_LOG_LINKS.iterdir():
        if link.is_symlink() and link.readlink().is_relative_to(directory):
            link.unlink(missing_ok=True)
    shared_directories.remove_if_empty(_POD_LOG_LINKS)

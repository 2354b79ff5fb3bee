"""The one table of programs a local cluster runs: versions, official downloads, Go recipes."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

KUBERNETES_VERSION = "v1.36.3"
ETCD_VERSION = "v3.6.7"
KWOK_VERSION = "v0.8.0"
HELM_VERSION = "v3.22.0"
CONTAINERD_VERSION = "v2.3.7"
CNI_VERSION = "v1.9.1"
RUNC_VERSION = "v1.5.2"

_STAGING_VERSION = "v0" + KUBERNETES_VERSION.removeprefix("v1")
_KUBERNETES_LDFLAGS = (
    f"-X k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}",
    "-X k8s.io/component-base/version.gitMajor=1",
    f"-X k8s.io/component-base/version.gitMinor={KUBERNETES_VERSION.split('.')[1]}",
    "-X k8s.io/component-base/version.gitTreeState=clean",
)


@dataclass(frozen=True, slots=True)
class Edit:
    """One change to one file of a module's source, made before it is built."""

    file: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Module:
    """A Go module that programs are built from, in a module of our own that requires it."""

    path: str
    version: str
    staging_version: str = ""
    ldflags: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    cgo: bool = False
    edits: tuple[Edit, ...] = ()


@dataclass(frozen=True, slots=True)
class Download:
    """An official file: its URL, its checksum's URL and, in an archive, the member wanted.

    `{os}` and `{arch}` are filled in; `base` names the site, so that a mirror can stand in.
    """

    base: str
    path: str
    checksum_path: str
    member: str = ""


@dataclass(frozen=True, slots=True)
class Binary:
    """One program: where it comes from and how exactly its version must be met."""

    name: str
    version: str
    module: Module
    package: str
    download: Download | None = None
    exact: bool = False
    minimum: tuple[int, ...] = ()
    on_path: bool = True
    version_arguments: tuple[str, ...] = ("--version",)

    @property
    def setting(self) -> str:
        """The environment variable that names this program's file, such as KUBEYARN_ETCD."""
        return "KUBEYARN_" + self.name.upper().replace("-", "_")


SITES: Mapping[str, str] = MappingProxyType(
    {
        "kubernetes": "https://dl.k8s.io",
        "github": "https://github.com",
        "helm": "https://get.helm.sh",
    }
)

KUBERNETES = Module("k8s.io/kubernetes", KUBERNETES_VERSION, _STAGING_VERSION, _KUBERNETES_LDFLAGS)
ETCD = Module("go.etcd.io/etcd/server/v3", ETCD_VERSION)
KWOK = Module(
    "sigs.k8s.io/kwok",
    KWOK_VERSION,
    ldflags=(f"-X sigs.k8s.io/kwok/pkg/consts.Version={KWOK_VERSION}",),
)
HELM = Module(
    "helm.sh/helm/v3",
    HELM_VERSION,
    ldflags=(f"-X helm.sh/helm/v3/internal/version.version={HELM_VERSION}",),
)
CONTAINERD = Module(
    "github.com/containerd/containerd/v2",
    CONTAINERD_VERSION,
    ldflags=(f"-X github.com/containerd/containerd/v2/version.Version={CONTAINERD_VERSION}",),
    tags=("no_btrfs", "no_devmapper", "no_zfs"),
)
CNI = Module("github.com/containernetworking/plugins", CNI_VERSION)
RUNC = Module(
    "github.com/opencontainers/runc",
    RUNC_VERSION,
    ldflags=(f"-X main.version={RUNC_VERSION.removeprefix('v')}",),
    cgo=True,
    # A runc without libseccomp refuses every pod, since containerd asks for its default profile.
    # In a throw-away cluster running the pod without the profile is the lesser evil.
    edits=(
        Edit(
            "libcontainer/seccomp/seccomp_unsupported.go",
            "return -1, ErrSeccompNotEnabled",
            "return -1, nil",
        ),
        Edit(
            "libcontainer/seccomp/seccomp_unsupported.go",
            "error {\n\treturn ErrSeccompNotEnabled",
            "error {\n\treturn nil",
        ),
    ),
)


def _kubernetes(name: str) -> Binary:
    path = f"/{KUBERNETES_VERSION}/bin/{{os}}/{{arch}}/{name}"
    is_client = name == "kubectl"
    return Binary(
        name=name,
        version=KUBERNETES_VERSION,
        module=KUBERNETES,
        package=f"k8s.io/kubernetes/cmd/{name}",
        download=Download("kubernetes", path, path + ".sha256"),
        exact=not is_client,
        minimum=(1, 30) if is_client else (),
        version_arguments=("version", "--client") if is_client else ("--version",),
    )


def _containerd(name: str) -> Binary:
    release = f"/containerd/containerd/releases/download/{CONTAINERD_VERSION}"
    archive = f"{release}/containerd-{CONTAINERD_VERSION[1:]}-{{os}}-{{arch}}.tar.gz"
    return Binary(
        name=name,
        version=CONTAINERD_VERSION,
        module=CONTAINERD,
        package=f"github.com/containerd/containerd/v2/cmd/{name}",
        download=Download("github", archive, archive + ".sha256sum", f"bin/{name}"),
        minimum=(2, 0),
    )


def _cni(name: str, package: str) -> Binary:
    release = f"/containernetworking/plugins/releases/download/{CNI_VERSION}"
    archive = f"{release}/cni-plugins-{{os}}-{{arch}}-{CNI_VERSION}.tgz"
    return Binary(
        name=name,
        version=CNI_VERSION,
        module=CNI,
        package=f"github.com/containernetworking/plugins/plugins/{package}",
        download=Download("github", archive, archive + ".sha256", f"./{name}"),
        on_path=False,
    )


_ETCD_RELEASE = f"/etcd-io/etcd/releases/download/{ETCD_VERSION}"
_KWOK_RELEASE = f"/kubernetes-sigs/kwok/releases/download/{KWOK_VERSION}"
_HELM_ARCHIVE = f"/helm-{HELM_VERSION}-{{os}}-{{arch}}.tar.gz"
_RUNC_RELEASE = f"/opencontainers/runc/releases/download/{RUNC_VERSION}"

BINARIES: Mapping[str, Binary] = MappingProxyType(
    {
        binary.name: binary
        for binary in (
            Binary(
                name="etcd",
                version=ETCD_VERSION,
                module=ETCD,
                package="go.etcd.io/etcd/server/v3",
                download=Download(
                    "github",
                    f"{_ETCD_RELEASE}/etcd-{ETCD_VERSION}-{{os}}-{{arch}}.tar.gz",
                    f"{_ETCD_RELEASE}/SHA256SUMS",
                    f"etcd-{ETCD_VERSION}-{{os}}-{{arch}}/etcd",
                ),
                exact=True,
            ),
            _kubernetes("kube-apiserver"),
            _kubernetes("kube-controller-manager"),
            _kubernetes("kube-scheduler"),
            _kubernetes("kubelet"),
            _kubernetes("kubectl"),
            _containerd("containerd"),
            _containerd("containerd-shim-runc-v2"),
            _containerd("ctr"),
            Binary(
                name="runc",
                version=RUNC_VERSION,
                module=RUNC,
                package="github.com/opencontainers/runc",
                download=Download(
                    "github", f"{_RUNC_RELEASE}/runc.{{arch}}", f"{_RUNC_RELEASE}/runc.sha256sum"
                ),
                minimum=(1, 1),
            ),
            _cni("bridge", "main/bridge"),
            _cni("host-local", "ipam/host-local"),
            Binary(
                name="kwok",
                version=KWOK_VERSION,
                module=KWOK,
                package="sigs.k8s.io/kwok/cmd/kwok",
                download=Download(
                    "github",
                    f"{_KWOK_RELEASE}/kwok-{{os}}-{{arch}}",
                    f"{_KWOK_RELEASE}/kwok-{{os}}-{{arch}}.sha256",
                ),
                exact=True,
            ),
            Binary(
                name="helm",
                version=HELM_VERSION,
                module=HELM,
                package="helm.sh/helm/v3/cmd/helm",
                download=Download(
                    "helm", _HELM_ARCHIVE, _HELM_ARCHIVE + ".sha256sum", "{os}-{arch}/helm"
                ),
                minimum=(3, 14),
                version_arguments=("version", "--short"),
            ),
        )
    }
)

CONTROL_PLANE = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler")
NODE = (
    "kubelet",
    "containerd",
    "containerd-shim-runc-v2",
    "ctr",
    "runc",
    "bridge",
    "host-local",
)

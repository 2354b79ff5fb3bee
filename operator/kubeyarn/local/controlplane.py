"""The control plane's certificates, settings and command lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

import yaml

from kubeyarn.local import kubeconfig, pki
from kubeyarn.local.binaries import BINARIES
from kubeyarn.local.cluster_config import Certificates
from kubeyarn.local.processes import Component, flag_list

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from kubeyarn.local.cluster_config import ClusterConfig
    from kubeyarn.local.layout import Layout, Record

_ETCD, _ETCD_PEER, _ETCD_METRICS = 2379, 2380, 2381
_CONTROLLER_MANAGER, _SCHEDULER = 10257, 10259
# What the API server can take is for its own flow control to say, not for its clients.
_REQUESTS_PER_SECOND, _BURST = 5000, 10000


def issue(layout: Layout, record: Record) -> Certificates:
    """Make all certificates of a cluster."""
    addresses = record.addresses
    loopback, node = str(addresses.loopback), str(addresses.node)
    etcd = pki.Authority(layout.of("pki/etcd"), f"{layout.name} etcd")
    authority = pki.Authority(layout.of("pki/cluster"), f"{layout.name} cluster")
    return Certificates(
        authority=authority.pair,
        etcd_authority=etcd.pair,
        etcd=etcd.issue("etcd", "etcd", addresses=[loopback]),
        api_server=authority.issue(
            "api-server", "kube-apiserver", addresses=_api_server_names(record)
        ),
        kubelet_client=authority.issue("kubelet-client", "kube-apiserver", "system:masters"),
        service_accounts=pki.service_account_keys(layout.of("pki")),
        admin=authority.issue("admin", "kubernetes-admin", "system:masters"),
        controller_manager=authority.issue(
            "kube-controller-manager", "system:kube-controller-manager", addresses=[loopback]
        ),
        scheduler=authority.issue("kube-scheduler", "system:kube-scheduler", addresses=[loopback]),
        node=authority.issue(
            "node",
            f"system:node:{layout.node_name}",
            "system:nodes",
            addresses=[layout.node_name, node],
        ),
    )


def _api_server_names(record: Record) -> list[str]:
    addresses = record.addresses
    service = ["kubernetes", "kubernetes.default", "kubernetes.default.svc"]
    return [
        *service,
        "kubernetes.default.svc.cluster.local",
        "localhost",
        str(addresses.kubernetes_service),
        str(addresses.api_server),
        str(addresses.node),
    ]


def write_kubeconfigs(layout: Layout, record: Record, certificates: Certificates) -> None:
    """Write the kubeconfigs of the administrator and of every part."""
    users = {
        layout.kubeconfig: certificates.admin,
        layout.of("kube-controller-manager.kubeconfig"): certificates.controller_manager,
        layout.of("kube-scheduler.kubeconfig"): certificates.scheduler,
        layout.of("kubelet.kubeconfig"): certificates.node,
    }
    server = record.addresses.api_server_url
    for path, user in users.items():
        kubeconfig.write(path, layout.name, server, certificates.authority.certificate, user)


def etcd(cluster: ClusterConfig) -> Component:
    """The only member of an etcd that is thrown away with its cluster."""
    layout, record, certificates = cluster.layout, cluster.record, cluster.certificates
    loopback = record.addresses.loopback
    client, peer = f"https://{loopback}:{_ETCD}", f"https://{loopback}:{_ETCD_PEER}"
    metrics = f"http://{loopback}:{_ETCD_METRICS}"
    ca, pair = certificates.etcd_authority.certificate, certificates.etcd
    flags = {
        "name": layout.name,
        "data-dir": layout.of("etcd"),
        "listen-client-urls": client,
        "advertise-client-urls": client,
        "listen-peer-urls": peer,
        "initial-advertise-peer-urls": peer,
        "initial-cluster": f"{layout.name}={peer}",
        "listen-metrics-urls": metrics,
        "cert-file": pair.certificate,
        "key-file": pair.key,
        "trusted-ca-file": ca,
        "client-cert-auth": "true",
        "peer-cert-file": pair.certificate,
        "peer-key-file": pair.key,
        "peer-trusted-ca-file": ca,
        "peer-client-cert-auth": "true",
        # Nobody restores this etcd after a power cut, so no write waits for the disk.
        "unsafe-no-fsync": "true",
        # A long run of tests writes more between two compactions than the two GiB of the default.
        "quota-backend-bytes": 8 << 30,
        "log-level": "warn",
    }
    return _component(cluster, "etcd", flags, f"{metrics}/health")


def api_server(cluster: ClusterConfig, audit_log: Path | None) -> Component:
    """The API server; it writes an audit log of metadata where one is asked for."""
    layout, record, certificates = cluster.layout, cluster.record, cluster.certificates
    addresses, pair = record.addresses, certificates.api_server
    accounts = certificates.service_accounts
    issuer = "https://kubernetes.default.svc.cluster.local"
    flags = {
        "etcd-servers": f"https://{addresses.loopback}:{_ETCD}",
        "etcd-cafile": certificates.etcd_authority.certificate,
        "etcd-certfile": certificates.etcd.certificate,
        "etcd-keyfile": certificates.etcd.key,
        "bind-address": addresses.api_server,
        # Not a loopback address: the kubernetes Service's endpoints would be invalid.
        "advertise-address": addresses.kubernetes_service,
        "secure-port": addresses.api_server_port,
        "tls-cert-file": pair.certificate,
        "tls-private-key-file": pair.key,
        "client-ca-file": certificates.authority.certificate,
        # As real clusters have it, so that what our roles lack shows here.
        "authorization-mode": "Node,RBAC",
        "enable-admission-plugins": "NodeRestriction",
        "service-cluster-ip-range": addresses.services,
        "service-account-issuer": issuer,
        "service-account-signing-key-file": accounts.key,
        "service-account-key-file": accounts.certificate,
        "api-audiences": issuer,
        "kubelet-client-certificate": certificates.kubelet_client.certificate,
        "kubelet-client-key": certificates.kubelet_client.key,
        "kubelet-certificate-authority": certificates.authority.certificate,
        # The node's name is in no DNS.
        "kubelet-preferred-address-types": "InternalIP",
        "allow-privileged": "true",
        "profiling": "false",
        # A restart must not wait a minute for watches to end.
        "shutdown-delay-duration": "0s",
        **_audit(layout, audit_log),
    }
    return _component(cluster, "kube-apiserver", flags, f"{addresses.api_server_url}/readyz")


def _audit(layout: Layout, audit_log: Path | None) -> Mapping[str, object]:
    if audit_log is None:
        return {}
    policy = layout.of("audit-policy.yaml")
    policy.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "audit.k8s.io/v1",
                "kind": "Policy",
                "omitStages": ["RequestReceived"],
                "rules": [{"level": "Metadata"}],
            }
        )
    )
    return {
        "audit-policy-file": policy,
        "audit-log-path": audit_log,
        # Written behind the requests: tests measure, and the disk would be part of every call.
        "audit-log-mode": "batch",
    }


def controller_manager(cluster: ClusterConfig) -> Component:
    """The controller manager."""
    layout, record, certificates = cluster.layout, cluster.record, cluster.certificates
    own = layout.of("kube-controller-manager.kubeconfig")
    loopback, pair = record.addresses.loopback, certificates.controller_manager
    flags = {
        "kubeconfig": own,
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": loopback,
        "secure-port": _CONTROLLER_MANAGER,
        "tls-cert-file": pair.certificate,
        "tls-private-key-file": pair.key,
        "leader-elect": "false",
        "root-ca-file": certificates.authority.certificate,
        "cluster-signing-cert-file": certificates.authority.certificate,
        "cluster-signing-key-file": certificates.authority.key,
        "service-account-private-key-file": certificates.service_accounts.key,
        # Each controller with its own account and rights, as in real clusters.
        "use-service-account-credentials": "true",
        "kube-api-qps": _REQUESTS_PER_SECOND,
        "kube-api-burst": _BURST,
        "profiling": "false",
    }
    health = f"https://{loopback}:{_CONTROLLER_MANAGER}/healthz"
    return _component(cluster, "kube-controller-manager", flags, health)


def scheduler(cluster: ClusterConfig) -> Component:
    """The default kube-scheduler, with its client's rate limit out of the way."""
    layout, record, certificates = cluster.layout, cluster.record, cluster.certificates
    own = layout.of("kube-scheduler.kubeconfig")
    loopback, pair = record.addresses.loopback, certificates.scheduler
    config = layout.of("kube-scheduler.yaml")
    config.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "kubescheduler.config.k8s.io/v1",
                "kind": "KubeSchedulerConfiguration",
                "leaderElection": {"leaderElect": False},
                "clientConnection": {
                    "kubeconfig": str(own),
                    "qps": _REQUESTS_PER_SECOND,
                    "burst": _BURST,
                },
            }
        )
    )
    flags = {
        "config": config,
        "authentication-kubeconfig": own,
        "authorization-kubeconfig": own,
        "bind-address": loopback,
        "secure-port": _SCHEDULER,
        "tls-cert-file": pair.certificate,
        "tls-private-key-file": pair.key,
    }
    return _component(cluster, "kube-scheduler", flags, f"https://{loopback}:{_SCHEDULER}/healthz")


def _component(
    cluster: ClusterConfig, name: str, flags: Mapping[str, object], health: str
) -> Component:
    return Component(
        name=name,
        version=BINARIES[name].version,
        arguments=(str(cluster.binaries[name]), *flag_list(flags)),
        environment=(),
        process=None,
        health=health,
    )


def authority(layout: Layout) -> Path:
    """The certificate of a running cluster's authority."""
    return layout.directory / "pki" / "cluster" / "ca.crt"


def admin(layout: Layout) -> pki.Pair:
    """The administrator's certificate of a running cluster."""
    directory = layout.directory / "pki" / "cluster"
    return pki.Pair(directory / "admin.crt", directory / "admin.key")

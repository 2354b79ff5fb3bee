"""`kubeyarn resourcemanager` and `kubeyarn scheduler`: the operator's two processes."""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import os
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import click
import structlog

from kubeyarn.cluster.connection import connect
from kubeyarn.model.errors import SpecError
from kubeyarn.resourcemanager.pods import isolation
from kubeyarn.resourcemanager.settings import Settings

# Every flag of the ResourceManager stands for one of these, and says the same when it is not given.
_STANDARD = Settings()


def _logging(level: str) -> None:
    """JSON lines where a machine reads, colours where a person does."""
    person = os.isatty(2)
    shared: list[Any] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.processors.format_exc_info,
    ]
    render: Any = structlog.dev.ConsoleRenderer() if person else structlog.processors.JSONRenderer()
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, render],
        )
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    # kopf tells each event of each object that it handles, which is what we log ourselves.
    logging.getLogger("kopf").setLevel(max(logging.WARNING, logging.getLogger().level))


_kubeconfig = click.option("--kubeconfig", help="Outside a cluster: the kubeconfig to use.")
_context = click.option("--context", "context_name", help="The kubeconfig's context to use.")
_namespace = click.option(
    "--namespace",
    envvar="KUBEYARN_NAMESPACE",
    default="kubeyarn-system",
    show_default=True,
    help="Where the leader lease is.",
)
_health_port = click.option(
    "--health-port",
    default=8080,
    show_default=True,
    help="/healthz, /readyz, /leading and /metrics.",
)
_kube_scheduler_lease = click.option(
    "--kube-scheduler-lease",
    envvar="KUBEYARN_KUBE_SCHEDULER_LEASE",
    default="",
    help="The Lease that the kube-scheduler beside it elects itself by; default: it does not.",
)
_log_level = click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
)


@click.command("resourcemanager")
@_kubeconfig
@_context
@_namespace
@_health_port
@_log_level
@click.option(
    "--am-port", default=_STANDARD.am_port, show_default=True, help="Port of the AM service."
)
@click.option(
    "--am-address",
    envvar="KUBEYARN_AM_ADDRESS",
    default="",
    help="URL that ApplicationMasters call; default: the Service's, else this pod's address.",
)
@click.option(
    "--am-expiry-seconds",
    default=_STANDARD.am_expiry_s,
    show_default=True,
    help="Silence of an AM.",
)
@click.option(
    "--am-max-attempts",
    type=click.IntRange(1, 100),
    default=_STANDARD.am_max_attempts,
    show_default=True,
    help="How often the AM of an application may be started; less if the application says less.",
)
@click.option(
    "--am-node-exclusion-threshold",
    type=click.FloatRange(0, 1),
    default=None,
    help="Keep further attempts' AMs off nodes where one failed, while these are less than this "
    "share of all nodes, such as 0.2; default: off.",
)
@click.option(
    "--launch-expiry-seconds",
    default=_STANDARD.launch_expiry_s,
    show_default=True,
    help="Pod made, not registered.",
)
@click.option(
    "--image-pull-grace-seconds",
    default=_STANDARD.image_pull_grace_s,
    show_default=True,
    help="AM image cannot be pulled.",
)
@click.option(
    "--node-expiry-seconds",
    default=_STANDARD.node_expiry_s,
    show_default=True,
    help="How long a node may be not ready before its containers are lost.",
)
@click.option(
    "--decommission-timeout-seconds",
    default=_STANDARD.decommission_timeout_s,
    show_default=True,
    help="How long containers may stay on a cordoned node; -1: for ever.",
)
@click.option(
    "--executors",
    default=",".join(_STANDARD.executors),
    show_default=True,
    help="Executors that containers may name; the first is that of those that name none.",
)
@click.option(
    "--trusted-images",
    default="",
    help="Registries, repositories and images that the executor Docker runs, by commas.",
)
@click.option(
    "--user-ids-file",
    default="",
    help="File of lines USER=UID[:GID] for the executor Linux; others have one by their name.",
)
@click.option(
    "--localizer-image",
    envvar="KUBEYARN_LOCALIZER_IMAGE",
    default="",
    help="Image with kubeyarn that fetches, checks and unpacks containers' files.",
)
@click.option(
    "--max-termination-grace-seconds",
    default=_STANDARD.max_termination_grace_s,
    show_default=True,
    type=click.IntRange(1),
    help="How long a container may take to stop at most, whatever its template says.",
)
@click.option(
    "--finished-pod-retention-seconds",
    default=_STANDARD.finished_pod_retention_s,
    show_default=True,
    help="How long pods of finished containers are kept, for their logs.",
)
@click.option(
    "--max-completed-applications",
    default=_STANDARD.max_completed_applications,
    show_default=True,
    help="How many ended applications are kept; the first ended are deleted first; -1: all.",
)
def resourcemanager(
    kubeconfig: str | None,
    context_name: str | None,
    namespace: str,
    health_port: int,
    log_level: str,
    am_port: int,
    am_address: str,
    am_expiry_seconds: int,
    am_max_attempts: int,
    am_node_exclusion_threshold: float | None,
    launch_expiry_seconds: int,
    image_pull_grace_seconds: int,
    node_expiry_seconds: int,
    decommission_timeout_seconds: int,
    executors: str,
    trusted_images: str,
    user_ids_file: str,
    localizer_image: str,
    max_termination_grace_seconds: int,
    finished_pod_retention_seconds: int,
    max_completed_applications: int,
) -> None:
    """Run the ResourceManager: applications, the AM service, containers' pods."""
    from kubeyarn.resourcemanager.process import ResourceManager

    _logging(log_level)
    settings = Settings(
        namespace=namespace,
        identity=_identity(),
        pod_ip=os.environ.get("POD_IP", "127.0.0.1"),
        am_address=am_address,
        am_port=am_port,
        health_port=health_port,
        am_expiry_s=am_expiry_seconds,
        am_max_attempts=am_max_attempts,
        am_node_exclusion_threshold=am_node_exclusion_threshold,
        launch_expiry_s=launch_expiry_seconds,
        image_pull_grace_s=image_pull_grace_seconds,
        node_expiry_s=node_expiry_seconds,
        decommission_timeout_s=decommission_timeout_seconds,
        executors=_executors(executors),
        trusted_images=_listed(trusted_images),
        user_ids_file=user_ids_file,
        localizer_image=localizer_image,
        max_termination_grace_s=max_termination_grace_seconds,
        finished_pod_retention_s=finished_pod_retention_seconds,
        max_completed_applications=max_completed_applications,
    )

    async def process(take_signals: Callable[[], None]) -> None:
        connection = _connect(kubeconfig, context_name)
        await ResourceManager(connection, settings, take_signals).run()

    _run(process)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@click.command("scheduler")
@_kubeconfig
@_context
@_namespace
@_health_port
@_log_level
@click.option("--extender-host", default="127.0.0.1", show_default=True)
@click.option("--extender-port", default=8031, show_default=True, help="Port of the extender.")
@_kube_scheduler_lease
def scheduler(
    kubeconfig: str | None,
    context_name: str | None,
    namespace: str,
    health_port: int,
    log_level: str,
    extender_host: str,
    extender_port: int,
    kube_scheduler_lease: str,
) -> None:
    """Run the scheduler: queues, grants, and kube-scheduler's extender."""
    if not _is_loopback(extender_host):
        raise click.BadParameter(
            f"found {extender_host}, allowed: an address of this host alone, such as 127.0.0.1 or "
            "::1, because whoever reaches the extender binds pods, and nobody is asked who he is",
            param_hint="--extender-host",
        )
    from kubeyarn.scheduler.process import Scheduler
    from kubeyarn.scheduler.settings import Settings

    _logging(log_level)
    settings = Settings(
        namespace=namespace,
        identity=_identity(),
        extender_host=extender_host,
        extender_port=extender_port,
        health_port=health_port,
        kube_scheduler_lease=kube_scheduler_lease,
        pod_uid=os.environ.get("POD_UID", ""),
    )

    async def process(_: Callable[[], None]) -> None:
        await Scheduler(_connect(kubeconfig, context_name), settings).run()

    _run(process)


@click.command("standby")
@_kubeconfig
@_context
@_namespace
@_log_level
@_kube_scheduler_lease
def standby(
    kubeconfig: str | None,
    context_name: str | None,
    namespace: str,
    log_level: str,
    kube_scheduler_lease: str,
) -> None:
    """Have a pod's kube-scheduler wait, before it starts, until the scheduler beside it leads."""
    from kubeyarn.cluster.client import KubeClient
    from kubeyarn.scheduler.leader.kube_scheduler_gate import KubeSchedulerGate

    _logging(log_level)
    pod = os.environ.get("POD_NAME", ""), os.environ.get("POD_UID", "")

    async def process() -> None:
        client = KubeClient(_connect(kubeconfig, context_name), "kubeyarn-standby")
        try:
            await KubeSchedulerGate(namespace, kube_scheduler_lease, *pod).shut(client)
        finally:
            await client.close()

    asyncio.run(process())


@click.command("retire")
@_kubeconfig
@_context
@_namespace
@_log_level
@click.option(
    "--patience-seconds", default=90, show_default=True, help="How long the pods may take to end."
)
def retire(
    kubeconfig: str | None,
    context_name: str | None,
    namespace: str,
    log_level: str,
    patience_seconds: int,
) -> None:
    """End the ResourceManager and let go of all queues, before KubeYARN is uninstalled."""
    from kubeyarn.cluster.client import KubeClient
    from kubeyarn.model.errors import KubeYarnError
    from kubeyarn.resourcemanager import uninstall

    _logging(log_level)

    async def process() -> None:
        client = KubeClient(_connect(kubeconfig, context_name), "kubeyarn-retire")
        try:
            await uninstall.retire(client, namespace, patience_seconds)
        finally:
            await client.close()

    try:
        asyncio.run(process())
    except KubeYarnError as error:
        raise click.ClickException(str(error)) from error


def _listed(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split(",") if word.strip())


def _executors(text: str) -> tuple[str, ...]:
    executors = _listed(text)
    if wrong := [word for word in executors if word not in isolation.EXECUTORS]:
        allowed = ", ".join(isolation.EXECUTORS)
        raise click.UsageError(f"--executors: found {wrong[0]!r}, allowed: {allowed}")
    if not executors:
        raise click.UsageError("--executors: found none, needed: at least one")
    return executors


def _identity() -> str:
    return os.environ.get("POD_NAME") or f"{socket.gethostname()}-{os.getpid()}"


def _connect(kubeconfig: str | None, context: str | None) -> Any:
    try:
        return connect(kubeconfig, context)
    except SpecError as error:
        raise click.ClickException(str(error)) from error


def _run(process: Callable[[Callable[[], None]], Coroutine[Any, Any, None]]) -> None:
    """Run *process* until it ends or a signal asks for it; a lost lease ends with status 1.

    It is given what takes SIGINT and SIGTERM back from whoever takes them.
    """
    from kubeyarn.cluster.leading import Signals, Stopped

    async def until_asked() -> None:
        signals = Signals()
        signals.take()
        task = asyncio.ensure_future(process(signals.take))
        waiting = asyncio.ensure_future(signals.asked.wait())
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
        waiting.cancel()
        if task.done():
            task.result()
            return
        task.cancel()
        # The process stops in order: it gives its lease back, so that the next one need not wait.
        await asyncio.gather(task, return_exceptions=True)

    try:
        asyncio.run(until_asked())
    except Stopped as error:
        logging.getLogger(__name__).error("%s", error)  # noqa: TRY400 - it is no bug
        raise SystemExit(1) from None

"""`kubeyarn cluster`: a Kubernetes cluster on this machine for trying, demos and tests."""

from __future__ import annotations

import json
from pathlib import Path

import click

from kubeyarn.local import image as images
from kubeyarn.local.binaries import BINARIES, NODE
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.errors import LocalClusterError
from kubeyarn.local.layout import layouts
from kubeyarn.local.lookup import Lookup
from kubeyarn.local.user_directories import cache_directory, state_directory

_NAME = click.option(
    "--name", default="kubeyarn", show_default=True, help="The cluster's name; several can be up."
)


class _Reporting(click.Group):
    """A group whose commands report what cannot be done as a message, not as a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (LocalClusterError, OSError) as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_Reporting)
def cluster() -> None:
    """Run a Kubernetes cluster on this machine: real control plane, real kubelet, fake nodes."""


@cluster.command()
@_NAME
@click.option(
    "--fake-nodes", type=click.IntRange(0, 5000), default=0, help="Nodes that KWOK pretends to run."
)
@click.option(
    "--no-kubelet", is_flag=True, help="Control plane (and fake nodes) only; needs no root."
)
@click.option(
    "--image-tar",
    "image_tars",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    multiple=True,
    help="An OCI or Docker image archive for the node; may be given again.",
)
@click.option(
    "--audit-log",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the API server's audit log of metadata to this file.",
)
@click.option(
    "--settings",
    is_flag=True,
    help="Only show the directories and the programs that would be used, and from where.",
)
def up(
    name: str,
    fake_nodes: int,
    no_kubelet: bool,
    image_tars: tuple[Path, ...],
    audit_log: Path | None,
    settings: bool,
) -> None:
    """Bring a cluster up and wait until its nodes are ready."""
    if settings:
        _show_settings()
        return
    LocalCluster(
        name,
        fake_nodes=fake_nodes,
        kubelet=not no_kubelet,
        audit_log=audit_log.resolve() if audit_log else None,
        say=click.echo,
    ).up([path.resolve() for path in image_tars])


def _show_settings() -> None:
    click.echo(f"{'cache':<26} {cache_directory()}  (KUBEYARN_CACHE_DIR)")
    click.echo(f"{'state':<26} {state_directory()}  (KUBEYARN_STATE_DIR)")
    lookup = Lookup(click.echo)
    for binary in BINARIES.values():
        path = lookup.present(binary)
        where = str(path) if path else "to be downloaded or built"
        click.echo(f"{binary.name:<26} {binary.version:<10} {where}  ({binary.setting})")


@cluster.command()
@click.option("--no-kubelet", is_flag=True, help="Without the programs of a real kubelet's node.")
def fetch(no_kubelet: bool) -> None:
    """Have every program that a cluster, its tests and the demo need: downloaded, or built."""
    wanted = [name for name in BINARIES if not (no_kubelet and name in NODE)]
    for name, path in sorted(Lookup(click.echo).find(wanted).items()):
        click.echo(f"{name:<26} {BINARIES[name].version:<10} {path}")


@cluster.command()
@_NAME
@click.option("--all", "everything", is_flag=True, help="End all of this user's clusters.")
def down(name: str, everything: bool) -> None:
    """End a cluster and remove all that is left of it."""
    names = [layout.name for layout in layouts()] if everything else [name]
    for each in names:
        LocalCluster(each, say=click.echo).down()
        click.echo(f"cluster {each} is down")


@cluster.command()
@_NAME
@click.option(
    "-o", "output", type=click.Choice(["table", "json"]), default="table", show_default=True
)
def status(name: str, output: str) -> None:
    """Show each component with its pid, health and version; exit 1 unless all are well."""
    components = LocalCluster(name).status()
    if output == "json":
        rows = [
            {"name": s.name, "pid": s.pid, "healthy": s.healthy, "version": s.version}
            for s in components
        ]
        click.echo(json.dumps({"cluster": name, "components": rows}, indent=2))
    elif not components:
        click.echo(f"cluster {name} is not up")
    else:
        click.echo(f"{'COMPONENT':<24} {'PID':>8}  {'HEALTH':<10} VERSION")
        for s in components:
            health = "healthy" if s.healthy else "unhealthy" if s.pid else "ended"
            click.echo(f"{s.name:<24} {s.pid or '-':>8}  {health:<10} {s.version}")
    if not components or not all(s.healthy for s in components):
        raise SystemExit(1)


@cluster.command()
@_NAME
@click.option("--path", "only_path", is_flag=True, help="Print the file's path instead.")
def kubeconfig(name: str, only_path: bool) -> None:
    """Print the administrator's kubeconfig."""
    path = LocalCluster(name).kubeconfig_path
    if not path.is_file():
        raise LocalClusterError(f"cluster {name} is not up: `kubeyarn cluster up --name {name}`")
    click.echo(str(path) if only_path else path.read_text(), nl=only_path)


@cluster.command()
@_NAME
@click.option("--load", is_flag=True, help="Import the image into the cluster's node as well.")
@click.option(
    "--context",
    type=click.Path(file_okay=False, path_type=Path),
    help="Only write the build context for `docker build` into this directory.",
)
def image(name: str, load: bool, context: Path | None) -> None:
    """Build KubeYARN's image with no registry and print its archive's path."""
    if context is not None:
        images.context(context, _to_stderr)
        click.echo(context)
        return
    archive = images.kubeyarn(_to_stderr)
    if load:
        LocalCluster(name, say=_to_stderr).load_image(archive)
    click.echo(archive)


def _to_stderr(line: str) -> None:
    click.echo(line, err=True)

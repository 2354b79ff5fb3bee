"""`kubeyarn demo`: a word count through YARN's ten steps on a real cluster, checked at the end."""

from __future__ import annotations

import sys

import click

from kubeyarn.cli.demo_story import Story
from kubeyarn.local import installing
from kubeyarn.local.cluster import LocalCluster
from kubeyarn.local.errors import LocalClusterError


@click.command("demo")
@click.option("--name", default="demo", show_default=True, help="The local cluster's name.")
@click.option("--keep", is_flag=True, help="Leave the cluster up, to look around.")
@click.option("--maps", default=6, show_default=True, help="Map containers of the word count.")
def demo(name: str, keep: bool, maps: int) -> None:
    """Set up a cluster, run a word count in it, kill one of its containers, check the result.

    Exit status 0 only if every step happened and the words were counted right.
    """
    cluster = LocalCluster(name, say=_say)
    if cluster.is_up():
        raise click.ClickException(
            f"a cluster named {name} is up; end it with `kubeyarn cluster down --name {name}` or "
            "give the demo another --name"
        )
    try:
        # Before the cluster: the node imports them while the control plane starts.
        archives = installing.archives(_say)
        cluster.up(archives)
        installing.install(cluster, _say)
        passed = Story(installing.kubectl(cluster), maps, _say).tell()
    except LocalClusterError as error:
        raise click.ClickException(str(error)) from error
    finally:
        if keep:
            _say(f"the cluster stays; end it with: kubeyarn cluster down --name {name}")
            _say(f"export KUBECONFIG={cluster.kubeconfig_path}")
        else:
            cluster.down()
    sys.exit(0 if passed else 1)


def _say(line: str) -> None:
    click.echo(line)
    sys.stdout.flush()

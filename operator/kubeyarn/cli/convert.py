"""`kubeyarn convert`: Hadoop's configuration files as YarnQueue manifests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import yaml

from kubeyarn.cli.conf_files import with_conf
from kubeyarn.convert.conversion import convert as converted
from kubeyarn.convert.conversion import through_yarn_queues
from kubeyarn.convert.manifests import manifests
from kubeyarn.hadoop.capacity_scheduler_xml import read_capacity_scheduler
from kubeyarn.hadoop.fair_yarn_site_xml import read_fair_scheduler
from kubeyarn.hadoop.properties import Configuration
from kubeyarn.hadoop.resource_types import resource_types
from kubeyarn.model.errors import ConfigRefused, SpecError
from kubeyarn.model.queues import Partition, SchedulerConfig
from kubeyarn.simulate.run import run_scenario
from kubeyarn.simulate.scenario import read_scenario


@click.command("convert")
@click.argument("conf", nargs=-1, required=True, type=click.Path(exists=True))
@click.option(
    "--shared-partition",
    "shared",
    multiple=True,
    metavar="NAME",
    help="A node label that is not exclusive; Hadoop keeps that outside of these files.",
)
@click.option(
    "-o", "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write to FILE."
)
@click.option(
    "--check",
    type=click.Path(exists=True, dir_okay=False),
    metavar="SCENARIO",
    help="Run SCENARIO with the files and with the manifests; fail unless they decide alike.",
)
def convert(
    conf: tuple[str, ...], shared: tuple[str, ...], output: str | None, check: str | None
) -> None:
    """Print CONF as YarnQueues and roles, ready for kubectl apply.

    CONF are folders or files of Hadoop's: capacity-scheduler.xml, yarn-site.xml and
    fair-scheduler.xml. What a YarnQueue cannot say is told on stderr, a line each.
    """
    paths = [Path(path) for path in conf]
    try:
        result = converted(_read(paths, shared))
        if check is not None:
            _check(Path(check), paths)
    except (SpecError, ConfigRefused, OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise click.ClickException(str(error)) from error
    for note in result.notes:
        click.echo(f"not carried over: {note}", err=True)
    text = manifests(result)
    if output is None:
        click.echo(text, nl=False)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise click.ClickException(f"--output: {error}") from error


def _check(scenario: Path, paths: list[Path]) -> None:
    """Run a scenario with the files, and again with what the manifests say.

    Raises:
        SpecError: they do not decide alike.
    """
    story = with_conf(yaml.safe_load(scenario.read_text(encoding="utf-8")), scenario.parent, paths)
    of_files = run_scenario(story).answer
    if run_scenario(story, rewrite=through_yarn_queues).answer != of_files:
        raise SpecError(
            f"--check: {scenario} does not end with the YarnQueues as it does with the files; "
            "what they cannot say is told without --check"
        )


def _read(paths: list[Path], shared: tuple[str, ...]) -> SchedulerConfig:
    """The configuration of these files, with the partitions that its queues name."""
    scenario = read_scenario(with_conf({"name": "conf", "nodes": [], "steps": []}, Path(), paths))
    values = scenario.config
    if scenario.scheduler == "fair":
        types = resource_types(Configuration(values))
        allocations = scenario.allocations or "<allocations/>"
        return read_fair_scheduler(values, allocations, types)
    config, _ = read_capacity_scheduler(values)
    named = {partition.name for queue in config.queues for partition in queue.partitions}
    partitions = [Partition(name, exclusive=name not in shared) for name in sorted(named)]
    return replace(config, partitions=tuple(partitions))

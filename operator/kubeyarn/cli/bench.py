"""`kubeyarn bench`: how fast schedulers decide."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from kubeyarn.cli.bench_measuring import Measured, measure, median
from kubeyarn.model.fair_queues import FairPolicy
from kubeyarn.simulate.capacity_shape import CapacityShape
from kubeyarn.simulate.fair_shape import FairShape


@click.group("bench")
def bench() -> None:
    """Measure how fast schedulers decide."""


@bench.command("policy")
@click.option("--scheduler", type=click.Choice(["capacity", "fair"]), default="capacity")
@click.option(
    "--policy",
    "shared",
    type=click.Choice(["fair", "drf"]),
    default="fair",
    show_default=True,
    help="Of all queues, in the Fair Scheduler.",
)
@click.option("--nodes", type=click.IntRange(1), default=2000, show_default=True)
@click.option(
    "--slots", type=click.IntRange(1), default=64, show_default=True, help="GiB and vcores a node."
)
@click.option("--queues", type=click.IntRange(1), default=100, show_default=True, help="Leaves.")
@click.option("--parents", type=click.IntRange(1), default=10, show_default=True)
@click.option("--apps", type=click.IntRange(1), default=500, show_default=True)
@click.option(
    "--containers",
    type=click.IntRange(1),
    default=200,
    show_default=True,
    help="What each application asks for beside its master.",
)
@click.option("--runs", type=click.IntRange(1), default=1, show_default=True, help="Median of.")
@click.option(
    "--grants-per-cycle",
    type=click.IntRange(1),
    default=500,
    show_default=True,
    help="As the live scheduler's setting.",
)
@click.option("--others/--no-others", default=True, help="Also measure harder shapes, once each.")
@click.option("--json", "as_json", is_flag=True)
def policy(
    scheduler: str,
    shared: str,
    nodes: int,
    slots: int,
    queues: int,
    parents: int,
    apps: int,
    containers: int,
    runs: int,
    grants_per_cycle: int,
    *,
    others: bool,
    as_json: bool,
) -> None:
    """Grant every application its containers in one process, without a cluster.

    It calls the same cycle as the live scheduler. Seconds are processor time of one core.
    """
    if queues % parents:
        raise click.UsageError(f"--queues {queues} do not go evenly into --parents {parents}")
    size = (nodes, slots, queues, parents, apps, containers)
    harder: dict[str, Measured] = {}
    if scheduler == "fair":
        fair = FairShape(*size, policy=FairPolicy(shared.capitalize()))
        measured_run = median([measure(fair, grants_per_cycle) for _ in range(runs)])
    else:
        shape = CapacityShape(*size)
        measured_run = median([measure(shape, grants_per_cycle) for _ in range(runs)])
        variants = shape.others() if others else {}
        harder = {name: measure(one, grants_per_cycle) for name, one in variants.items()}
    if as_json:
        report = {"scheduler": scheduler, "runs": runs, **asdict(measured_run)}
        report["others"] = {name: asdict(measured) for name, measured in harder.items()}
        click.echo(json.dumps(report, indent=1))
        return
    click.echo(_line(scheduler, measured_run))
    for name, measured in harder.items():
        click.echo(_line(name, measured))


def _line(name: str, measured: Measured) -> str:
    cycles = ", ".join(f"{at} {ms:.1f}" for at, ms in measured.cycle_ms.items())
    return (
        f"{name}: {measured.grants:,} grants in {measured.seconds:.2f} s, "
        f"{measured.grants_per_second:,.0f} a second; cycles of {measured.grants_per_cycle} in ms: "
        f"{cycles}; idle {measured.idle_cycle_ms:.4f} ms; "
        f"{measured.pending_rss_mb:.0f} MB with all pending, {measured.peak_rss_mb:.0f} MB at most"
    )

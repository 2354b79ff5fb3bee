"""`kubeyarn simulate`: scenarios through the live schedulers, without a cluster."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click
import yaml

from kubeyarn.model.errors import SpecError
from kubeyarn.simulate.plot import draw
from kubeyarn.simulate.run import ScenarioResult, run_scenario

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@click.command("simulate")
@click.argument("scenario", required=False, type=click.Path(exists=True, dir_okay=False))
@click.option(
    "--dir",
    "folders",
    nargs=2,
    type=click.Path(file_okay=False),
    metavar="IN OUT",
    help="Run every IN/NAME.yaml and write OUT/NAME.json.",
)
@click.option("--trace", is_flag=True, help="Explain each decision in words, on stderr.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False),
    metavar="FILE.svg",
    help="Draw what queues hold over the steps.",
)
def simulate(
    scenario: str | None, folders: tuple[str, str] | None, *, trace: bool, plot: str | None
) -> None:
    """Run SCENARIO and print what the scheduler did as JSON.

    The scenario has the scheduler's settings in Hadoop's own property names.
    """
    if folders is not None:
        if scenario is not None or trace or plot:
            raise click.UsageError("--dir runs folders; it takes no SCENARIO, --trace or --plot")
        sys.exit(_run_folder(Path(folders[0]), Path(folders[1])))
    if scenario is None:
        raise click.UsageError("give a SCENARIO, or --dir IN OUT")
    result = _run(Path(scenario), trace=trace, plot=plot is not None)
    for line in result.trace:
        click.echo(line, err=True)
    if plot is not None:
        try:
            Path(plot).write_text(draw(result.use), encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"--plot: {error}") from error
    click.echo(_json(result.answer))


def _run(path: Path, *, trace: bool = False, plot: bool = False) -> ScenarioResult:
    try:
        data = yaml.load(path.read_text(encoding="utf-8"), _LOADER)
        return run_scenario(data, explain=trace, plot=plot)
    except UnicodeDecodeError as error:
        message = f"{path}: found bytes that are no UTF-8 ({error.reason}); write the file in UTF-8"
        raise click.ClickException(message) from error
    except RecursionError as error:
        message = f"{path}: queues, or maps and lists, are nested deeper than can be read"
        raise click.ClickException(message) from error
    except (SpecError, yaml.YAMLError, OSError) as error:
        raise click.ClickException(f"{path}: {error}") from error


def _json(result: object) -> str:
    return json.dumps(result, indent=1, sort_keys=True)


def _run_folder(source: Path, target: Path) -> int:
    """Run all scenarios of a folder; one that cannot be read does not stop the others."""
    if not source.is_dir():
        raise click.ClickException(f"{source}: no such folder")
    target.mkdir(parents=True, exist_ok=True)
    failed = 0
    for path in sorted(source.glob("*.yaml")):
        try:
            result = _run(path)
        except click.ClickException as error:
            click.echo(error.format_message(), err=True)
            failed += 1
            continue
        (target / f"{path.stem}.json").write_text(_json(result.answer) + "\n", encoding="utf-8")
    return 1 if failed else 0

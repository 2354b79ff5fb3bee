"""`kubeyarn simulate`: scenarios through the live schedulers, without a cluster."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
import yaml

from kubeyarn.cli.conf_files import with_conf
from kubeyarn.model.errors import SpecError
from kubeyarn.simulate.plot import draw
from kubeyarn.simulate.run import ScenarioResult, run_scenario

if TYPE_CHECKING:
    from collections.abc import Sequence

# Written in C it is several times faster, and scenarios may be long; not every PyYAML has it.
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
@click.option(
    "--conf",
    multiple=True,
    type=click.Path(exists=True),
    metavar="PATH",
    help="A folder or file of Hadoop's: capacity-scheduler.xml, yarn-site.xml, fair-scheduler.xml.",
)
@click.option("--trace", is_flag=True, help="Explain each decision in words, on stderr.")
@click.option(
    "--plot",
    type=click.Path(dir_okay=False),
    metavar="FILE.svg",
    help="Draw what queues hold over the steps.",
)
def simulate(
    scenario: str | None,
    folders: tuple[str, str] | None,
    *,
    conf: tuple[str, ...],
    trace: bool,
    plot: str | None,
) -> None:
    """Run SCENARIO and print what the scheduler did as JSON.

    The scenario has the scheduler's settings in Hadoop's own property names, or names Hadoop's own
    configuration files.
    """
    if folders is not None:
        if scenario is not None or conf or trace or plot:
            raise click.UsageError(
                "--dir runs folders; it takes no SCENARIO, --conf, --trace or --plot"
            )
        sys.exit(_run_folder(Path(folders[0]), Path(folders[1])))
    if scenario is None:
        raise click.UsageError("give a SCENARIO, or --dir IN OUT")
    result = _run(Path(scenario), [Path(path) for path in conf], trace=trace, plot=bool(plot))
    for line in result.trace:
        _tell(line)
    if plot is not None:
        try:
            Path(plot).write_text(draw(result.use), encoding="utf-8")
        except OSError as error:
            raise click.ClickException(f"--plot: {error}") from error
    click.echo(_json(result.answer))


def _run(
    path: Path, conf: Sequence[Path] = (), *, trace: bool = False, plot: bool = False
) -> ScenarioResult:
    try:
        data = with_conf(_load(path), path.parent, conf)
        return run_scenario(data, explain=trace, plot=plot)
    except UnicodeDecodeError as error:
        message = f"{path}: found bytes that are no UTF-8 ({error.reason}); write the file in UTF-8"
        raise click.ClickException(message) from error
    except RecursionError as error:
        message = f"{path}: queues, or maps and lists, are nested deeper than can be read"
        raise click.ClickException(message) from error
    except (SpecError, yaml.YAMLError, OSError) as error:
        raise click.ClickException(f"{path}: {error}") from error


def _load(path: Path) -> object:
    text = path.read_text(encoding="utf-8")
    try:
        return yaml.load(text, _LOADER)
    except (ValueError, OverflowError) as error:
        # Of dates that are none, and numbers of thousands of digits.
        raise SpecError(f"found a value that cannot be read: {error}") from error


def _tell(line: str) -> None:
    """Print to stderr; what no encoding has is shown by its number."""
    click.echo(line.encode("utf-8", "backslashreplace").decode(), err=True)


def _json(result: object) -> str:
    return json.dumps(result, indent=1, sort_keys=True, allow_nan=False)


def _run_folder(source: Path, target: Path) -> int:
    """Run all scenarios of a folder; one that cannot be read does not stop the others."""
    if not source.is_dir():
        raise click.ClickException(f"{source}: no such folder")
    try:
        target.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    failed = 0
    for path in sorted(source.glob("*.yaml")):
        try:
            answer = _json(_run(path).answer) + "\n"
            (target / f"{path.stem}.json").write_text(answer, encoding="utf-8")
        except (click.ClickException, OSError) as error:
            told = error.format_message() if isinstance(error, click.ClickException) else str(error)
            _tell(told)
            failed += 1
    return 1 if failed else 0

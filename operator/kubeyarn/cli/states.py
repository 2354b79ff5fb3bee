"""`kubeyarn states`: the states of applications, attempts and containers, as a page."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("states")
@click.option(
    "--write",
    "page",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the page to this file instead of printing it.",
)
@click.option("--check", is_flag=True, help="With --write: change nothing, fail on a difference.")
def states(page: Path | None, check: bool) -> None:
    """Print the state tables as Markdown with diagrams."""
    from kubeyarn.cli import states_page

    text = states_page.states()
    if page is None:
        if check:
            raise click.UsageError("--check needs --write, the file to compare with")
        click.echo(text, nl=False)
    elif not check:
        page.write_text(text, encoding="utf-8")
        click.echo(str(page))
    elif not page.is_file() or page.read_text(encoding="utf-8") != text:
        raise click.ClickException(
            f"{page}: differs from the state tables; run the same without --check"
        )

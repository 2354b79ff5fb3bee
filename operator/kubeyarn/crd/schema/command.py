"""`kubeyarn crds`: print the CustomResourceDefinitions, or write them to a folder."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("crds")
@click.option(
    "--write",
    "folders",
    multiple=True,
    type=click.Path(file_okay=False, path_type=Path),
    help="Write one file for each resource, and a kustomization, into this folder; repeatable.",
)
@click.option(
    "--reference",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the field reference, a page for each resource, into this folder.",
)
@click.option(
    "--check",
    is_flag=True,
    help="With --write or --reference: change nothing, fail on a difference.",
)
def crds(folders: tuple[Path, ...], reference: Path | None, check: bool) -> None:
    """Print the definitions of YarnQueue, YarnApplication and ContainerRequest.

    Use it as: kubeyarn crds | kubectl apply --server-side -f -
    """
    from kubeyarn.crd.schema import definitions
    from kubeyarn.crd.schema import reference as pages

    act = _check if check else _write
    for folder in folders:
        act(folder, definitions.files())
    if reference is not None:
        act(reference, pages.pages())
    if folders or reference is not None:
        return
    if check:
        raise click.UsageError("--check needs --write or --reference, the folder to compare with")
    manifests = [definitions.as_yaml(definitions.crd(one)) for one in definitions.DEFINITIONS]
    click.echo("---\n".join(manifests), nl=False)


def _write(folder: Path, files: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
        click.echo(str(folder / name))


def _check(folder: Path, files: dict[str, str]) -> None:
    stale = [
        name
        for name, text in files.items()
        if not (folder / name).is_file() or (folder / name).read_text(encoding="utf-8") != text
    ]
    if stale:
        raise click.ClickException(
            f"{folder}: {', '.join(stale)} differ from the models; run the same without --check"
        )

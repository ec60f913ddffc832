"""tobo labels: labelled pictures from one tool's files to another's; needs no server."""

from pathlib import Path
from typing import Annotated

import typer

from tobo.cli.client import fail

app = typer.Typer(help="Labels of pictures: from one tool's files to another's.", no_args_is_help=True)


@app.callback()
def _labels() -> None:
    """Keeps `convert` a command of its own where it is the only one."""


@app.command()
def convert(
    source: Annotated[Path, typer.Argument(help="The file or folder of labels.")],
    target: Annotated[Path, typer.Argument(help="The file or folder to write; it must not exist.")],
    source_format: Annotated[
        str,
        typer.Option(
            "--from", help="folders, lst, manifest, coco, voc, yolo, label-studio or cvat; guessed unless said."
        ),
    ] = "",
    target_format: Annotated[str, typer.Option("--to", help="The same; guessed from the target's name.")] = "",
    attribute: Annotated[str, typer.Option(help="The label attribute of a manifest that is read or written.")] = "",
    classes: Annotated[str, typer.Option(help="ok,ko,... in the order of their indices.")] = "",
    pictures: Annotated[
        Path | None, typer.Option(help="The pictures' folder, where they do not lie beside SOURCE.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="s3://bucket/photos/ in front of each relative path.")] = "",
    job: Annotated[str, typer.Option(help="The labelling job that a written manifest names.")] = "imported",
    lossy: Annotated[bool, typer.Option("--lossy", help="Convert although labels are lost or changed.")] = False,
) -> None:
    """Converts labels; says what is lost, and refuses where that are labels, unless --lossy. Exits 1 where it refuses."""
    try:
        from tobo.labelling.formats import catalog
        from tobo.labelling.formats.options import Options
        from tobo.labelling.formats.refusal import Malformed, Unsayable
    except ModuleNotFoundError as error:
        fail(f"This command misses {error.name}; pip install 'tobo[client]'.")
    names = tuple(name.strip() for name in classes.split(",")) if classes else ()
    if len(set(names)) != len(names) or "" in names:
        raise typer.BadParameter(f"'{classes}' at --classes; give each class once, with commas between them.")
    for option, asked in (("--from", source_format), ("--to", target_format)):
        if asked and asked not in catalog.FORMATS:
            raise typer.BadParameter(f"'{asked}' at {option}; choose one of {', '.join(catalog.FORMATS)}.")
    if pictures is not None and not pictures.is_dir():
        raise typer.BadParameter(f"'{pictures}' at --pictures is not a folder.")
    options = Options(attribute, names, pictures, f"labeling-job/{job}")
    try:
        read_as = source_format or (catalog.guess(source) if source.exists() else "folders")
        if not read_as:
            fail(f"{source}: what format it is in cannot be told; say it with --from.")
        dataset = catalog.read(source, read_as, options)
        write_as = target_format or catalog.guess_target(target, dataset)
        if not write_as:
            fail(f"{target}: in what format to write cannot be told from the name; say it with --to.")
        losses = catalog.write(catalog.prefixed(dataset, prefix), target, write_as, options, lossy)
    except (Malformed, Unsayable) as error:
        fail(str(error))
    except OSError as error:
        fail(f"{error.filename or target}: {error.strerror or error}.")
    for loss in losses:
        typer.echo(f"Lost: {loss.sentence}" if loss.grave else f"Note: {loss.sentence}", err=True)
    typer.echo(f"{len(dataset.objects)} pictures, {len(dataset.classes)} classes: {read_as} -> {write_as}, {target}")

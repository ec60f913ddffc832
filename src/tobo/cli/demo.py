"""tobo demo: from photos of marbles, or a folder of one's own, to a served classifier, as any boto3 client would do it."""

import os
import secrets
import shlex
import shutil
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from tobo.algorithms.image_classification.recipes import MARBLES, OWN_PHOTOS, RECIPE
from tobo.kit.fault import Fault
from tobo.settings import Settings, absolute_source

if TYPE_CHECKING:
    from tobo.cli.story.connection import Connection
    from tobo.cli.story.photos import Collection
    from tobo.cli.story.serving import Answer
    from tobo.cli.story.training import Course, Epoch, Place


def demo(
    photos: Annotated[Path | None, typer.Option(help="Your own photos, one subfolder a class.")] = None,
    state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None,
    count: Annotated[
        int, typer.Option(min=20, help="Marbles to learn from; a quarter as many more stay unseen.")
    ] = 800,
    seed: Annotated[int, typer.Option(min=0, help="Other marbles, another split.")] = 0,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's number.")] = None,
    keep_endpoint: Annotated[bool, typer.Option(help="Leave the endpoint in service.")] = False,
) -> None:
    """Plays the whole story: photos, S3, training, endpoint, unseen photos, mistakes."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError

        from tobo.cli.story.connection import connected
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"The demo is a boto3 client and misses {error.name}; pip install 'tobo[client,train]'."
        ) from None
    console = Console(highlight=False)
    settings = Settings.read(state=state)
    try:
        started = time.monotonic()
        collection = gather(console, photos, count, seed)
        with connected(settings) as connection:
            whose = "started for this demo" if connection.own else "already running"
            console.print(
                f"[bold]Server[/]    {connection.endpoint}, {whose}; state in {escape(str(settings.state))}",
                soft_wrap=True,
            )
            job = f"{'photos' if photos else 'marbles'}-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
            place = train(console, connection, job, collection, recipe_of(photos is not None, epochs))
            answers = serve(console, connection, job, place, collection, keep_endpoint)
        report(console, settings.state, job, collection, answers)
        console.print(f"\nThe whole story took {time.monotonic() - started:.0f} s.")
        console.print(advice(settings.state, photos is not None, job), soft_wrap=True)
    except Fault as fault:
        raise SystemExit(fault.message) from None
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"The server refused: {error}") from None


def recipe_of(own_photos: bool, epochs: int | None = None) -> dict[str, str]:
    """The hyperparameters for these photos: from the weights that tobo brings, or from those that TOBO_PRETRAINED names."""
    chosen = {**RECIPE, **(OWN_PHOTOS if own_photos else MARBLES)}
    if source := os.environ.get("TOBO_PRETRAINED"):
        # Said in the request, too: a server that runs already may have been started without the variable.
        chosen["pretrained_weights"] = absolute_source(source)
    if epochs:
        chosen["epochs"] = str(epochs)
    return chosen


def gather(console: Console, folder: Path | None, count: int, seed: int) -> "Collection":
    """The photos, split; raises Fault where they will not do."""
    from tobo.cli.story.photos import marbles, own

    with console.status("Looking at the photos" if folder else "Photographing marbles"):
        collection = own(folder, seed) if folder else marbles(count, seed)
    for sentence in collection.left_out:
        console.print(f"[yellow]Left out:[/] {escape(sentence)}.", soft_wrap=True)
    parts = (
        f"{len(collection.train)} to train, {len(collection.validation)} to validate, {len(collection.unseen)} unseen"
    )
    console.print(f"[bold]Photos[/]    {parts}; classes {escape(', '.join(collection.classes))}", soft_wrap=True)
    return collection


def train(
    console: Console, connection: "Connection", job: str, collection: "Collection", recipe: dict[str, str]
) -> "Place":
    """Photos to S3 and a training job to its end; a job that is interrupted is stopped. Raises Fault where it fails."""
    from tobo.cli.story.training import create_job, find_place, follow, stop, upload

    place = find_place(connection, job)
    with console.status("Uploading"):
        size = upload(connection, place, collection)
    console.print(f"[bold]S3[/]        {size / 1e6:.1f} MB in {place.uri('')}", soft_wrap=True)
    create_job(connection, place, job, collection, recipe)
    console.print(f"[bold]Training[/]  job {job}: all layers of a pretrained MobileNetV2 at 96 px", soft_wrap=True)
    try:
        watch(console, follow(connection, job), int(recipe["epochs"]))
    except KeyboardInterrupt:
        console.print("Stopping the job.")
        stop(connection, job)
        raise
    return place


def watch(console: Console, courses: "Iterable[Course]", epochs: int) -> None:
    """Shows a job as it goes: its statuses, every epoch or some of many; in a terminal the last one moves below."""
    started, shown, status = time.monotonic(), 0, ""
    with console.status("Starting") as spinner:
        for course in courses:
            finished = course.finished()
            for epoch in finished[shown:]:
                if worth_a_line(epoch.number + 1, epochs):
                    console.print(f"{'':19}{epoch_line(epoch, epochs)}")
            shown = len(finished)
            if course.secondary != status:
                status = course.secondary
                console.print(
                    f"{time.monotonic() - started:15.1f} s  {status}: {escape(course.message)}", soft_wrap=True
                )
            spinner.update(f"{status}  {epoch_line(finished[-1], epochs) if finished else ''}")


def worth_a_line(number: int, epochs: int) -> bool:
    """The first and the last epoch, and about a dozen in between."""
    return number in (1, epochs) or number % max(1, epochs // 12) == 0


def epoch_line(epoch: "Epoch", epochs: int) -> str:
    """What one epoch came to."""
    seconds = f"{epoch.seconds:.1f} s" if epoch.seconds is not None else ""
    return f"epoch {epoch.number + 1:>3} of {epochs}  train {epoch.train:.3f}  validation {epoch.validation:.3f}  {seconds}"


def serve(
    console: Console, connection: "Connection", job: str, place: "Place", collection: "Collection", keep: bool
) -> "list[Answer]":
    """An endpoint for the trained model, and its answers for the unseen photos."""
    from tobo.cli.story.forgotten import dry_run
    from tobo.cli.story.serving import classify, deploy, remove

    try:
        with console.status("Deploying"):
            seconds = deploy(connection, job, place.role)
        console.print(f"[bold]Endpoint[/]  {job}, in service after {seconds:.1f} s", soft_wrap=True)
        total = len(collection.unseen)
        with console.status("Classifying") as spinner:
            answers = classify(
                connection,
                job,
                collection.unseen,
                collection.classes,
                lambda done: spinner.update(f"Classifying {done} of {total}"),
            )
        for sentence in dry_run(connection, job):
            console.print(f"[bold]Reaper[/]    {sentence}; a dry run: it is off until `tobo reaper on`", soft_wrap=True)
        return answers
    finally:
        if not keep:
            remove(connection, job)


def report(console: Console, state: Path, job: str, collection: "Collection", answers: "list[Answer]") -> None:
    """Confusion matrix, accuracy, milliseconds, and the contact sheet in the state folder."""
    from tobo.cli.story.report import accuracy, confusion_table, milliseconds, worth_seeing
    from tobo.cli.story.sheet import contact_sheet

    console.print()
    console.print(confusion_table(answers, collection.classes))
    median, most = milliseconds(answers)
    wrong = sum(not answer.right for answer in answers)
    console.print(f"[bold]Accuracy[/]  {accuracy(answers):.1%} of {len(answers)} unseen photos, {wrong} mistakes")
    console.print(f"[bold]Speed[/]     {median:.1f} ms a photo (median; 95 % within {most:.1f} ms)")
    what, chosen = worth_seeing(answers)
    sheet = state / "demo" / job / "contact-sheet.png"
    contact_sheet(chosen, f"{job}: {what}", sheet)
    console.print(f"[bold]Look at[/]   {escape(str(sheet))} ({len(chosen)} {what})", soft_wrap=True)


def advice(state: Path, own_photos: bool, job: str) -> str:
    """What to try next, in commands that work from here."""
    option = "" if state == Path(".tobo") else f" --state {shlex.quote(str(state))}"
    tobo = "tobo" if shutil.which("tobo") else shlex.quote(os.path.relpath(Path(sys.executable).with_name("tobo")))
    steps = [
        ("the same server again, with this job, its logs and its model", f"{tobo} serve{option}"),
        ("in another terminal, AWS's own tools for it", f'eval "$({tobo} env{option})"'),
        ("for example", f"aws sagemaker describe-training-job --training-job-name {job}"),
    ]
    if not own_photos:
        steps.append(("your own photos, one subfolder a class", "make demo PHOTOS=folder"))
    lines = (f"  {what}:\n      {escape(command)}" for what, command in steps)
    return "\n".join(("[bold]What to try next[/]", *lines))

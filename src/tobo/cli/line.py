"""tobo line: from photos to two sorting devices, a new kind of marble, and the second version; on simulated lines."""

import contextlib
import os
import secrets
import sys
import time
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tobo.cli.client import Server
from tobo.cli.demo import gather, recipe_of, train
from tobo.kit.fault import Fault
from tobo.settings import Settings

if TYPE_CHECKING:
    from tobo.cli.story.connection import Connection
    from tobo.cli.story.factory import Factory, Sorted
    from tobo.cli.story.photos import Collection
    from tobo.cli.story.rollout import Version
    from tobo.cli.story.training import Place

DEVICES = ("line-1", "line-2")
TARGET = "rasp4b"
RECIPE = {"epochs": "24", "augmentation_type": "inspection_transform"}
"""What differs from the demo's: three times the epochs, and marbles at every angle; a third of the mistakes."""
NOVEL_SHARE = 0.25
"""Of the marbles, once the new kind comes."""
WAIT_SECONDS = 120


def line(
    marbles: Annotated[int, typer.Option(min=20, help="To be sorted by each version.")] = 500,
    pace: Annotated[float, typer.Option(min=0.1, max=20, help="How many times as fast as life the belts run.")] = 2.0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the live page; 0 takes a free one.")] = 0,
    stay: Annotated[bool, typer.Option(help="Go on sorting until Ctrl+C.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Other marbles.")] = 0,
    count: Annotated[int, typer.Option(min=20, help="Photos that the first version learns from.")] = 800,
    epochs: Annotated[int | None, typer.Option(min=1, help="Instead of the recipe's number.")] = None,
    state: Annotated[Path | None, typer.Option(help="The server's state folder.")] = None,
) -> None:
    """Plays the sorting line: train, compile, sign, roll out to two devices, sort, learn a new kind, roll out again."""
    try:
        from botocore.exceptions import BotoCoreError, ClientError

        from tobo.cli.story.connection import connected
    except ModuleNotFoundError as error:
        raise SystemExit(
            f"The story is a boto3 client and misses {error.name}; pip install 'tobo[client,train,compile,edge]'."
        ) from None
    console = Console(highlight=False)
    settings = Settings.read(state=state)
    started = time.monotonic()
    try:
        with connected(settings, tls=True) as connection:
            story = Story(console, connection, settings.state, seed, line_recipe(epochs))
            story.first_version(count)
            with story.sorting(pace, port) as factory:
                story.sort(factory, marbles)
                story.second_version(factory, marbles)
                console.print(f"\nThe whole story took {time.monotonic() - started:.0f} s.")
                if stay:
                    _stay(console, factory)
    except Fault as fault:
        raise SystemExit(fault.message) from None
    except (BotoCoreError, ClientError) as error:
        raise SystemExit(f"The server refused: {error}") from None
    except KeyboardInterrupt:
        console.print("Stopped.")


def line_recipe(epochs: int | None = None) -> dict[str, str]:
    """The hyperparameters of both versions' trainings."""
    chosen = {**recipe_of(own_photos=False), **RECIPE}
    return chosen if epochs is None else {**chosen, "epochs": str(epochs)}


class Story:
    """What has been made so far; its steps in their order."""

    def __init__(
        self, console: Console, connection: "Connection", state: Path, seed: int, recipe: dict[str, str]
    ) -> None:
        """`recipe` are the training's hyperparameters."""
        self._console, self._connection, self._state, self._seed = console, connection, state, seed
        self._recipe = recipe
        self._name = f"line-{time.strftime('%Y%m%d-%H%M%S')}-{secrets.token_hex(2)}"
        self._collection: Collection | None = None
        self._place: Place | None = None
        self._home = ""
        """The fleet's own place in S3: each version's training has another."""

    def first_version(self, count: int) -> None:
        """Trained on `count` photos, compiled, signed; two devices enrolled; the plan for them."""
        from tobo.cli.enrollment import Wanted, enroll_device

        self._collection = gather(self._console, None, count, self._seed)
        version = self._build("1", self._collection)
        self._home = self._known_place.uri("home")
        server = Server(self._connection.endpoint, self._connection.session())
        for device in DEVICES:
            folder = self._folder(device)
            wanted = Wanted(self._name, device, TARGET, folder / "enrolment", None, self._home, None)
            enroll_device(server, self._state, wanted)
        self._console.print(
            f"[bold]Fleet[/]     {self._name}: {', '.join(DEVICES)}, each with a certificate of its own", soft_wrap=True
        )
        self._plan(version, [DEVICES])

    @contextlib.contextmanager
    def sorting(self, pace: float, port: int) -> "Iterator[Factory]":
        """The belts run; version 1 goes to both devices."""
        from tobo.cli.story.factory import Factory

        factory = Factory({device: self._folder(device) for device in DEVICES}, self._seed, pace, port)
        self._console.print(f"[bold]Page[/]      {factory.page.address} shows the belts while they run")
        _show(factory.page.address)
        factory.start()
        try:
            self._roll_out("1", 1, factory)
            yield factory
        finally:
            factory.close()

    def sort(self, factory: "Factory", count: int) -> None:
        """So many marbles, and what became of them."""
        with self._console.status(f"Sorting {count} marbles"):
            done = factory.sort(count)
        self._console.print(f"\n[bold]Sorted[/]    {_told(done)}")
        self._console.print(_bins(done))
        p50, p99 = factory.latency()
        self._console.print(
            f"[bold]Speed[/]     {p50:.1f} ms from frame to servo command (p50), {p99:.1f} ms (p99); "
            f"{factory.rate():.1f} marbles a second of the lines' time"
        )

    def second_version(self, factory: "Factory", count: int) -> None:
        """A new kind comes, the doubtful frames come home, and a version that knows it goes out, one device first."""
        from tobo.line.config import Mix

        mix = Mix(novel=NOVEL_SHARE)
        factory.bring(mix)
        with self._console.status(f"Sorting {count} marbles, some {mix.novel_kind}"):
            before = factory.sort(count)
        self._console.print(f"\n[bold]New kind[/]  '{mix.novel_kind}' marbles come: {_told(before)}")
        known = self._collection
        assert known is not None
        collection = self._with_frames(factory, known)
        version = self._build("2", collection)
        self._plan(version, [DEVICES[:1], DEVICES])
        for stage in (1, 2):
            mark = factory.sorted()
            self._roll_out("2", stage, factory)
            during = factory.sorted().since(mark)
            versions = ", ".join(f"{station.name} {station.version}" for station in factory.stations)
            self._console.print(
                f"{'':10}{during.count} marbles fell meanwhile, {during.missed} too late; belts stopped {during.stops} "
                f"times; versions now: {versions}"
            )
        with self._console.status(f"Sorting {count} marbles"):
            after = factory.sort(count)
        self._console.print(f"\n[bold]Version 2[/] {_told(after)} (version 1: {before.right / before.count:.1%})")
        self._console.print(_bins(after))

    def _with_frames(self, factory: "Factory", known: "Collection") -> "Collection":
        """The photos of before, and the frames that came home since, labelled."""
        from dataclasses import replace

        from tobo.cli.story.frames import come_home, labelled
        from tobo.cli.story.photos import SHARE, split
        from tobo.kit.s3_uri import parse_s3_uri

        home = parse_s3_uri(self._home, "home").below(self._name)
        deadline = time.monotonic() + WAIT_SECONDS
        while not factory.all_home() and time.monotonic() < deadline:
            time.sleep(0.2)
        frames = [frame for device in DEVICES for frame in come_home(self._connection, home, device)]
        truths = {station.name: station.truths for station in factory.stations}
        pictures = labelled(frames, truths)
        more, check = split(pictures, SHARE, self._seed)
        self._console.print(
            f"[bold]Home[/]      {len(frames)} frames that the devices were in doubt about, or that chance drew, are in S3 "
            "and labelled",
            soft_wrap=True,
        )
        return replace(known, train=known.train + more, validation=known.validation + check)

    def _build(self, number: str, collection: "Collection") -> "Version":
        """Trains, compiles, packages."""
        from tobo.cli.story.rollout import build

        job = f"{self._name}-v{number}"
        self._place = train(self._console, self._connection, job, collection, self._recipe)
        with self._console.status(f"Compiling for {TARGET} and signing"):
            version = build(self._connection, self._known_place, job, number, TARGET)
        told = version.certificate
        self._console.print(
            f"[bold]Compiled[/]  for {TARGET}, {told['precision']}: accuracy {_share(told['accuracy']['before'])} before, "
            f"{_share(told['accuracy']['after'])} after on {told['samples']['labelled']} pictures, {told['flipped']} decisions "
            f"flipped, {told['bytes']['before'] / 1e6:.1f} -> {told['bytes']['after'] / 1e6:.1f} MB, "
            f"{told['cpu_ms']['before']:.1f} -> {told['cpu_ms']['after']:.1f} CPU-ms here; packaged and signed",
            soft_wrap=True,
        )
        return version

    def _plan(self, version: "Version", stages: "list[tuple[str, ...]]") -> None:
        from tobo.cli.story.rollout import plan

        plan(self._connection, f"{self._name}-{version.number}", self._name, version, stages)

    def _roll_out(self, number: str, stage: int, factory: "Factory") -> None:
        from tobo.cli.story.rollout import roll_out

        begin = time.monotonic()
        with self._console.status(f"Rolling out version {number}, stage {stage}"):
            roll_out(self._connection, f"{self._name}-{number}", stage, factory.check)
        self._console.print(
            f"[bold]Rollout[/]   version {number}, stage {stage}: verified, tried and in use after "
            f"{time.monotonic() - begin:.1f} s"
        )

    @property
    def _known_place(self) -> "Place":
        assert self._place is not None
        return self._place

    def _folder(self, device: str) -> Path:
        return self._state / "line" / self._name / device


def _show(address: str) -> None:
    """In the browser, where there is a screen to show it on."""
    if sys.platform == "darwin" or any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY"))):
        webbrowser.open(address)


def _stay(console: Console, factory: "Factory") -> None:
    console.print(f"The belts go on at {factory.page.address}; Ctrl+C stops them.")
    while True:
        factory.check()
        time.sleep(0.5)


def _told(done: "Sorted") -> str:
    right, novel = done.novel
    more = f", of the new kind {right} of {novel}" if novel else ""
    return f"{done.right} of {done.count} marbles in the right bin ({done.right / done.count:.1%}){more}"


def _bins(done: "Sorted") -> Table:
    """The confusion of the bins."""
    table = Table(box=box.SIMPLE)
    for heading in ("truth \\ bin", "ok", "ko"):
        table.add_column(escape(heading), justify="right" if heading in ("ok", "ko") else "left")
    for truth in ("ok", "ko"):
        table.add_row(truth, *(str(done.confusion.get((truth, into), 0)) for into in ("ok", "ko")))
    return table


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.1%}"

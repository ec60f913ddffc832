"""The factory of the story: simulated sorting lines, each with a device's agent on it that cannot tell them from hardware."""

import threading
import time
from collections.abc import Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from tobo.edge import loop
from tobo.edge.agent import Agent
from tobo.edge.health import Limits
from tobo.edge.loop import Keeping
from tobo.edge.ports import Camera, Frame, Verdict
from tobo.edge.settings import DecisionSettings, HouseSettings, PageSettings, Settings
from tobo.kit.fault import Fault
from tobo.line.clock import RealClock
from tobo.line.config import LineConfig, Mix
from tobo.line.page.server import Page, Shown
from tobo.line.twin import Line

HOUSE = HouseSettings(poll=1.0, heartbeat=2.0, send=1.0, counts=5.0, live=2.0)
"""A device asks home once a minute; a story has no minute."""
KEEP = Keeping(margin=0.8, share=0.25, per_minute=600)
TRIAL = Limits(decisions=20, late=0.5, rejects=0.6)
"""The machine that trains and compiles is the one that sorts: what is late here says nothing of the version."""

_LOOK_SECONDS = 0.1


@dataclass(frozen=True)
class Sorted:
    """Marbles in the bins so far: `right` of `count`, `confusion` [truth, bin], `novel` right of the new kind and all of it."""

    count: int
    right: int
    confusion: Mapping[tuple[Verdict, Verdict], int]
    novel: tuple[int, int]
    stops: int
    missed: int

    def since(self, before: "Sorted") -> "Sorted":
        """What has been sorted between the two."""
        return Sorted(
            self.count - before.count,
            self.right - before.right,
            {cell: count - before.confusion.get(cell, 0) for cell, count in self.confusion.items()},
            (self.novel[0] - before.novel[0], self.novel[1] - before.novel[1]),
            self.stops - before.stops,
            self.missed - before.missed,
        )


class _Watched:
    """A camera that remembers what was truly in front of it: what a person would say who looks at the frame."""

    def __init__(self, line: Line) -> None:
        self._line, self._camera = line, line.camera
        self.truths: dict[int, Verdict] = {}

    def grab(self) -> Frame:
        frame = self._camera.grab()
        marble = self._line.shown(frame)
        self.truths[frame.number] = "ko" if marble is None else marble.label
        return frame

    def close(self) -> None:
        self._camera.close()


class Station:
    """A line with a device; `folder` has the device's enrolment. `pace` times as fast as life."""

    def __init__(self, name: str, folder: Path, seed: int, pace: float, executor: Executor) -> None:
        self.name = name
        config = LineConfig(seed=seed)
        self.line = Line(config, RealClock(pace), executor=executor)
        watched = _Watched(self.line)
        camera: Camera = watched
        self.truths: Mapping[int, Verdict] = watched.truths
        """By the number of a frame."""
        settings = Settings(
            folder,
            folder / "state",
            decision=DecisionSettings(budget_ms=config.budget * 1000, separation_ms=config.separation * 1000),
            keep=KEEP,
            house=HOUSE,
            trial=TRIAL,
            page=PageSettings(port=0),
        )
        parts = loop.Line(self.line.timer, self.line.trigger, camera, self.line.actuator)
        self.agent = Agent(settings, parts, seed=seed)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.failure: Exception | None = None

    def start(self) -> None:
        self._thread.start()

    def _run(self) -> None:
        try:
            self.agent.run(self._ended.is_set)
        except Exception as failure:
            self.failure = failure

    def close(self) -> None:
        """Lets the agent end as a device's does."""
        self._ended.set()
        self._thread.join(20)

    @property
    def version(self) -> str:
        """Of the model that sorts now."""
        slot = self.agent.slot
        return slot.manifest.version if slot is not None else ""

    def told(self) -> dict[str, str]:
        """What the page cannot know of the line itself."""
        slot = self.agent.slot
        return {
            "model": f"{slot.manifest.name} {slot.manifest.version}" if slot else "none yet",
            "slot": slot.name if slot else "-",
            "waiting to go home": str(self.agent.outbox.waiting if self.agent.outbox else 0),
        }


class Factory:
    """Stations, and the page that shows them."""

    def __init__(self, folders: Mapping[str, Path], seed: int, pace: float, port: int = 0) -> None:
        self._drawing = ProcessPoolExecutor(1, get_context("spawn"))
        """A camera does not wait for its picture to be drawn."""
        self.stations = [
            Station(name, folder, seed + number, pace, self._drawing)
            for number, (name, folder) in enumerate(folders.items())
        ]
        self.page = Page([Shown(each.name, each.line, each.told) for each in self.stations], port=port)
        self._novel = ""

    def start(self) -> None:
        for station in self.stations:
            station.start()

    def close(self) -> None:
        for station in self.stations:
            station.close()
        self.page.close()
        self._drawing.shutdown(cancel_futures=True)

    def check(self) -> None:
        """Raises Fault where an agent has ended."""
        for station in self.stations:
            if station.failure is not None:
                raise Fault("DeviceFailed", f"The agent of {station.name} ended: {station.failure}")

    def bring(self, mix: Mix) -> None:
        """From now on such marbles come."""
        self._novel = mix.novel_kind if mix.novel else ""
        for station in self.stations:
            station.line.mix(mix)

    def sorted(self) -> Sorted:
        tallies = [station.line.tally for station in self.stations]
        cells: list[tuple[Verdict, Verdict]] = [("ok", "ok"), ("ok", "ko"), ("ko", "ok"), ("ko", "ko")]
        novel_ko, novel_ok = (sum(tally.kinds[self._novel, into] for tally in tallies) for into in ("ko", "ok"))
        return Sorted(
            sum(tally.sorted for tally in tallies),
            sum(tally.right for tally in tallies),
            {cell: sum(tally.confusion[cell] for tally in tallies) for cell in cells},
            (novel_ko, novel_ko + novel_ok),
            sum(tally.stops for tally in tallies),
            sum(tally.late + tally.unasked for tally in tallies),
        )

    def sort(self, count: int) -> Sorted:
        """Waits until so many more marbles are in the bins; what became of them. Raises Fault."""
        before = self.sorted()
        while self.sorted().count < before.count + count:
            self.check()
            time.sleep(_LOOK_SECONDS)
        return self.sorted().since(before)

    def latency(self) -> tuple[float, float]:
        """(p50, p99) in milliseconds from frame to command; the slower device's."""
        found = [station.agent.loop.tally.percentiles(50, 99) or [0.0, 0.0] for station in self.stations]
        return max(p50 for p50, _ in found), max(p99 for _, p99 in found)

    def rate(self) -> float:
        """Marbles a second, all lines together, in the lines' own time."""
        return sum(station.line.tally.rate(station.line.now()) for station in self.stations)

    def all_home(self) -> bool:
        """Whether every frame that was kept has been sent."""
        outboxes: list[Any] = [station.agent.outbox for station in self.stations]
        return all(outbox is None or not outbox.waiting for outbox in outboxes)

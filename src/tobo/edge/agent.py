"""The agent: the line's loop in front, and beside it whoever keeps, updates, reports and shows."""

import gc
import json
import logging
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tobo.edge import classifier as classifiers
from tobo.edge import enrolment, health, heartbeat
from tobo.edge.background import Background
from tobo.edge.classifier import Classifier
from tobo.edge.cloud import Cloud, Home
from tobo.edge.compiled import BadModel
from tobo.edge.controls import Controls
from tobo.edge.drift import ScoreDrift
from tobo.edge.durable import Disk, read_json, replace_json
from tobo.edge.enrolment import Enrolment
from tobo.edge.health import Before
from tobo.edge.heartbeat import Told
from tobo.edge.keeper import Keeper
from tobo.edge.live import EVERY, LiveView
from tobo.edge.loop import Line, Loop, Model
from tobo.edge.opening import open_line
from tobo.edge.outbox import Outbox
from tobo.edge.prove import InChild
from tobo.edge.records import Record, Records
from tobo.edge.settings import Settings
from tobo.edge.slots import Slot, Slots
from tobo.edge.updater import Updater, agent_version
from tobo.edge.watchdog import Watchdog
from tobo.kit.memory import give_back_freed_memory

log = logging.getLogger(__name__)

_KEEPS_EVERY = 0.5
"""Seconds between two looks at what the line has told."""
_REGISTERS_EVERY = 3600.0


@dataclass
class Deed:
    """Something done beside the line; `due` in the line's time, for lines faster than life."""

    runner: Background
    due: float = 0.0


class Agent:
    """Wires the parts together. `run` is a device's life; a simulated line calls `loop.step` and `beside` itself."""

    def __init__(
        self, settings: Settings, line: Line | None = None, home: Home | None = None, seed: int | None = None
    ) -> None:
        """`line` and `home` stand in for the settings' hardware and the enrolment's house.

        Raises BadEnrolment, and what open_line raises.
        """
        self.settings = settings
        settings.state.mkdir(parents=True, exist_ok=True)
        self.enrolled: Enrolment | None = enrolment.read(settings.enrolment) if settings.enrolment.exists() else None
        self.home: Home | None = home or (Cloud(self.enrolled) if self.enrolled else None)
        self.records = Records()
        self.line = line or open_line(settings)
        self.loop = Loop(
            self.line, None, settings.rule({}), settings.keep, self.records, settings.decision.rest_after, seed
        )
        limit = int(settings.house.outbox_mb * 1e6)
        self.outbox = None if self.home is None else self._open_outbox(limit)
        self.keeper = Keeper(self.records, self.outbox, self.now, settings.house.counts, self._note)
        self.controls = Controls(settings, self._use_rule, self.keeper.tell)
        self.slot: Slot | None = None
        self._registration = read_json(settings.state / "registration.json") or {}
        self.updater = self._make_updater()
        self.began = time.monotonic()
        self._told = Told()
        self._registered_at: float | None = None
        self.live = LiveView(self)
        self.deeds = self._make_deeds()

    def now(self) -> float:
        """Epoch seconds: the house's where it has told them."""
        return time.time() if self.home is None else self.home.now()

    def start(self) -> None:
        """Loads the version that this device has. Raises BadModel where `model` is set and cannot be used."""
        if self.updater is not None:
            self.updater.start()
        elif self.settings.model:
            folder = Path(self.settings.model)
            found = classifiers.load(folder)
            classifiers.probe(folder, found)
            self._check(found)
            self._activate(None, found)
        if self.loop.model is None:
            log.warning("There is no model yet: every part is ko until one is deployed.")

    def run(self, stop: Callable[[], bool] | None = None) -> None:
        """Until `stop`, or SIGTERM or SIGINT."""
        ended: list[int] = []
        if stop is None:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda received, _: ended.append(received))
        watchdog, page, nudge = Watchdog(), None, None
        try:
            self.start()
            _keep_out_of_the_lines_way()
            for deed in self.deeds.values():
                deed.runner.start()
            page, nudge = self._open_page(), self._open_nudge()
            watchdog.ready(f"model {self.slot.manifest.version}" if self.slot else "no model yet")
            self.loop.run(stop or (lambda: bool(ended)), watchdog.alive)
        finally:
            watchdog.stopping()
            self.line.close()  # the arm first: it rests at ko
            for ending in (page, nudge):
                if ending is not None:
                    ending.close()
            for deed in self.deeds.values():
                deed.runner.stop()
            self.keeper.finish()

    def beside(self) -> None:
        """What is due beside the line, in the line's time and in this thread."""
        now = self.line.timer.now()
        for deed in self.deeds.values():
            if now >= deed.due:
                deed.runner.try_once()
                deed.due = now + deed.runner.every

    def register(self) -> None:
        """Asks where this device's events go, and which keys sign its bundles. Raises Offline, Denied."""
        if self.home is None:
            return
        found = json.loads(self.home.ask("GetDeviceRegistration")["DeviceRegistration"])
        if found != self._registration:
            replace_json(Disk(), self.settings.state / "registration.json", found)
            self._registration = found
        self._registered_at = time.monotonic()

    def send(self) -> None:
        """Sends what waits. Raises Offline, Denied."""
        if self.home is None or self.outbox is None:
            return
        at = self._registered_at
        if at is None or time.monotonic() - at > _REGISTERS_EVERY:
            self.register()
        self.outbox.send(self.home, str(self._registration["outputS3Uri"]).rstrip("/") + "/")

    def heartbeat(self) -> None:
        """A sign of life with the figures since the last one. Raises Offline, Denied."""
        if self.home is None:
            return
        drift = self.keeper.drift.index() if self.keeper.drift is not None else None
        waiting = self.outbox.size if self.outbox is not None else 0
        asked, told = heartbeat.heartbeat(self.now(), self.loop.tally, self._told, drift, waiting, self.slot)
        self.home.ask("SendHeartbeat", AgentVersion=agent_version(), **asked)
        self._told = told

    def show(self) -> None:
        """Shows this device to who looks at it from afar, for as long as somebody does. Raises Offline, Denied."""
        if self.home is not None:
            self.live.step(self.home)
            self.deeds["live"].runner.every = EVERY if self.live.wanted else self.settings.house.live

    def poll(self) -> None:
        """Asks what this device has to have. Raises Offline, Denied, OSError."""
        if self.updater is not None:
            self.updater.poll()

    def _open_outbox(self, limit: int) -> Outbox | None:
        try:
            return Outbox(self.settings.state / "outbox", limit, now=self.now)
        except OSError as error:
            log.error("nothing is kept for the house: %s", error)  # a disk that is full or worn out stops no belt
            return None

    def _make_updater(self) -> Updater | None:
        if self.home is None or self.enrolled is None:
            return None
        proved = InChild(self._keys, self.enrolled.account, self.enrolled.target)
        slots = Slots(self.settings.state / "slots", proved, check=self._check)
        return Updater(slots, self.home, self._activate, self.keeper.tell, self.settings.trial, self._before)

    def _make_deeds(self) -> dict[str, Deed]:
        house = self.settings.house
        told: list[tuple[str, Callable[[], Any], float]] = [("keeper", self.keeper.step, _KEEPS_EVERY)]
        if self.home is not None:
            told += [
                ("updates", self.poll, house.poll),
                ("heartbeat", self.heartbeat, house.heartbeat),
                ("outbox", self.send, house.send),
                ("live", self.show, house.live),
            ]
        deeds = {name: Deed(Background(name, deed, every)) for name, deed, every in told}
        if "live" in deeds:
            deeds["live"].runner.longest = 2 * house.live  # somebody may be looking
        deeds["keeper"].runner.longest = _KEEPS_EVERY * 4  # the line goes on telling
        return deeds

    def _keys(self) -> str:
        """Those of the enrolment, and those that the house has named since, where nobody could have named them for it."""
        if self.enrolled is None:
            return ""
        named = self._registration.get("signingKeys") if self.enrolled.endpoint.startswith("https://") else None
        return "\n".join((self.enrolled.signing_keys, *map(str, named or ())))

    def _check(self, found: Classifier) -> None:
        """Raises BadModel where the line could never accept anything."""
        accept = self.settings.decision.accept
        if not set(accept) & set(found.labels):
            raise BadModel(
                f"The model's labels are {', '.join(found.labels)}; this line accepts {', '.join(accept)}: "
                "set [decision] accept."
            )

    def _activate(self, slot: Slot | None, found: Classifier) -> None:
        model = Model(found, slot.digest if slot is not None else "")
        self.slot = slot
        self.keeper.begin(model, ScoreDrift(found.labels, found.compiled.scores))
        self.controls.use(found.labels, found.compiled.thresholds)
        self.loop.model = model
        give_back_freed_memory()  # reading a graph leaves more behind than the graph is

    def _use_rule(self, rule: Any) -> None:
        self.loop.rule = rule

    def _note(self, record: Record) -> None:
        if self.updater is not None:
            self.updater.note(record)

    def _before(self) -> Before:
        return health.before(self.loop.tally)

    def _open_page(self) -> Any:
        if not self.settings.page.port:
            return None
        from tobo.edge.page.server import Page

        try:
            return Page(self)
        except OSError as error:
            log.error("the page cannot be shown at port %d: %s", self.settings.page.port, error)
            return None

    def _open_nudge(self) -> Any:
        if self.enrolled is None or self.enrolled.mqtt is None:
            return None
        from tobo.edge.nudge import Nudge

        try:
            return Nudge(self.enrolled, self._nudged)
        except (ImportError, ValueError, OSError) as error:
            log.warning("no nudges, polls only: %s", error)
            return None

    def _nudged(self) -> None:
        for name in ("updates", "live"):
            self.deeds[name].runner.wake()


def _keep_out_of_the_lines_way() -> None:
    """Threads beside the line give way within a millisecond, and what start has made is never looked through again."""
    sys.setswitchinterval(0.001)
    gc.collect()
    gc.freeze()

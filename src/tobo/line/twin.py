"""The digital twin of a sorting line: its belt, barrier, camera and arm behind the four protocols of a real one.

One thread runs the agent's loop and, by waiting, the line's time; any other may take a `snapshot` or switch a fault.
"""

import math
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import asdict
from threading import Condition, RLock
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from tobo.edge.ports import ActuatorFault, CameraFault, Frame, Verdict
from tobo.line.belt import Arrival, Belt, Lying
from tobo.line.clock import Clock, VirtualClock
from tobo.line.config import LineConfig, Mix
from tobo.line.exposure import Shot, Studio, light, photograph
from tobo.line.faults import NO_FAULTS, Faults, spoil
from tobo.line.feeder import Feeder, Marble, pocket_seed
from tobo.line.servo import Servo
from tobo.line.sockets import LineActuator, LineCamera, LineTimer, LineTrigger
from tobo.line.tally import Fallen, Tally

TIMEOUT = 1.0
"""Seconds that a camera is given for a frame."""
SHOWN = 24
"""Of the marbles in the bins, so many last ones are in a snapshot."""
_KEPT = 64
"""Arrivals that the light barrier keeps for an agent that does not come; frames whose truth is known; photos."""


class Line:
    """A line of `config` on `clock`; `limit` marbles come, or marbles without end.

    `executor` draws the photos ahead, with the same pixels. `camera`, `trigger`, `actuator` and `timer` are what an
    agent is given; everything else is what only the twin knows.
    """

    def __init__(
        self,
        config: LineConfig | None = None,
        clock: Clock | None = None,
        limit: int | None = None,
        executor: Executor | None = None,
    ) -> None:
        self.config = config or LineConfig()
        self.tally = Tally()
        self._clock = clock or VirtualClock()
        self._changed = Condition(RLock())
        self._feeder = Feeder(self.config, limit)
        self._belt = Belt(self.config, self._feeder)
        angles: dict[Verdict, float] = {"ok": self.config.ok_angle, "ko": self.config.ko_angle}
        self._servo = Servo(angles, self.config.servo_speed, self.config.pulse)
        self._studio = Studio(self.config.size, executor)
        self._faults = NO_FAULTS
        self._arrivals: deque[float] = deque(maxlen=_KEPT)
        self._now = 0.0
        self._help_at = math.inf
        self._frames = 0
        self._last: NDArray[np.uint8] | None = None
        self._open: tuple[Lying | None, float] | None = None
        self._told: Lying | None = None
        self._verdicts: dict[int, Verdict] = {}
        self._shown: dict[int, Marble | None] = {}
        self._photos: dict[int, NDArray[np.uint8]] = {}
        self.timer = LineTimer(self.now, self.wait)
        self.camera = LineCamera(self._expose)
        self.trigger = LineTrigger(self._arrival)
        self.actuator = LineActuator(self._command, self.stop, self._rest)

    def now(self) -> float:
        """The line's seconds; what is due by now has happened."""
        with self._changed:
            return self._advance()

    def wait(self, until: float, found: Callable[[], bool] = lambda: False) -> float:
        """Lets the line run until then, or until something is `found`; returns the time."""
        with self._changed:
            while True:
                now = self._advance()
                if found() or now >= until:
                    return now
                self._clock.wait(self._changed, min(until, self._next_time()))

    # What an agent does.

    def _expose(self) -> Frame:
        with self._changed:
            begin, faults, config = self._advance(), self._faults, self.config
            if faults.camera == "unplugged":
                raise CameraFault("The camera is unplugged; check its cable.")
            if faults.camera == "silent":
                self.wait(begin + TIMEOUT)
                raise CameraFault(f"The camera gave no frame within {TIMEOUT:g} s; check its cable and its light.")
            middle = begin + config.delay + config.exposure / 2
            self.wait(middle)
            drawing = time.monotonic()
            lying, pixels = self._photograph(middle)
            self._clock.drawing(time.monotonic() - drawing)
            frame = Frame(spoil(pixels, self._last, faults.camera), middle, self._frames)
            self._frames, self._last = self._frames + 1, frame.pixels
            self._open = lying, middle
            _keep(self._shown, frame.number, lying.marble if lying else None)
            if lying:
                _keep(self._photos, lying.marble.number, frame.pixels)
            late = faults.late_by if faults.camera == "late" else 0.0
            self.wait(begin + config.delay + config.exposure + config.readout + late)
            return frame

    def _arrival(self, timeout: float) -> float | None:
        with self._changed:
            self.wait(self._advance() + timeout, lambda: bool(self._arrivals))
            return self._arrivals.popleft() if self._arrivals else None

    def _command(self, verdict: Verdict) -> None:
        with self._changed:
            now = self._advance()
            if self._faults.arm == "unplugged":
                raise ActuatorFault("The arm does not answer; check its plug and its supply.")
            if self._belt.stuck:
                raise ActuatorFault("A marble is stuck before the arm; stop the belt and clear it.")
            if self._open:
                lying, exposed = self._open
                self._open = None
                self.tally.answer(now - exposed)
                self._told = lying
                if lying and lying in self._belt.lying:
                    self._verdicts[lying.marble.number] = verdict
            if self._faults.arm != "stuck":
                self._servo.command(verdict, now)

    def _rest(self) -> None:
        with self._changed:
            self._servo.command("ko", self._advance())

    # What people do to a line.

    def stop(self) -> None:
        """Stops the belt; where the line has an operator, it is started again after a while."""
        with self._changed:
            now = self._advance()
            if self._belt.drive.running:
                self._belt.drive.stop(now)
                self.tally.stops += 1
                self._call_operator(now)

    def start(self) -> None:
        """Clears a jam and starts the belt: what lay between barrier and arm is put into the ko bin by hand."""
        with self._changed:
            self._help(self._advance())
            self._changed.notify_all()

    def break_down(self, faults: Faults) -> None:
        """From now on this is broken, and nothing else."""
        with self._changed:
            now = self._advance()
            self._faults = faults
            if faults.arm == "unplugged":
                self._servo.command("ko", now)

    def mix(self, mix: Mix) -> None:
        """From the next pocket on such marbles come: a new kind, for one."""
        with self._changed:
            self._advance()
            self._feeder.mix = mix

    def jam(self) -> None:
        """The next marble that is fed will stick before the arm."""
        with self._changed:
            self._feeder.jam_next = True

    @property
    def done(self) -> bool:
        """Whether all marbles that were to come are in a bin."""
        with self._changed:
            return self._feeder.exhausted and not self._belt.lying

    @property
    def on_belt(self) -> int:
        with self._changed:
            return len(self._belt.lying)

    @property
    def fed(self) -> int:
        with self._changed:
            return self._belt.fed

    def shown(self, frame: Frame) -> Marble | None:
        """The marble that one of the last frames shows, as no agent can know it; None for an empty pocket."""
        with self._changed:
            return self._shown[frame.number]

    def photo(self, number: int) -> NDArray[np.uint8] | None:
        """The photo of one of the last marbles, as the camera gave it."""
        with self._changed:
            return self._photos.get(number)

    def snapshot(self) -> dict[str, Any]:
        """The line as it is now, for drawing, as JSON has it: mm, s, degrees, counts; the truth about every marble."""
        with self._changed:
            now = self._advance()
            config, tally, drive = self.config, self.tally, self._belt.drive
            travel = drive.travel(now)
            return tally.told(now) | {
                "time": now,
                "fed": self._belt.fed,
                "running": drive.running,
                "jammed": self._belt.stuck is not None,
                "speed": drive.speed(now),
                "travel": travel,
                "stopped": drive.stopped_for(now),
                "places": {
                    "barrier": config.barrier_at,
                    "camera": config.camera_at,
                    "arm": config.arm_at,
                    "pitch": config.pitch,
                    "diameter": config.diameter,
                    "view": config.view,
                },
                "light": light(config, now),
                "marbles": [self._drawn(lying.marble) | {"at": lying.at(travel)} for lying in self._belt.lying],
                "arm": {
                    "angle": self._servo.angle(now),
                    "target": self._servo.target,
                    "ok": config.ok_angle,
                    "ko": config.ko_angle,
                },
                "fallen": [
                    self._drawn(each.marble)
                    | {"bin": each.bin, "verdict": each.verdict, "late": each.late, "hand": each.hand}
                    for each in list(tally.fallen)[-SHOWN:]
                ],
                "faults": {name: value for name, value in asdict(self._faults).items() if isinstance(value, str)},
            }

    # How the line runs.

    def _drawn(self, marble: Marble) -> dict[str, Any]:
        return {
            "number": marble.number,
            "kind": marble.kind,
            "label": marble.label,
            "colour": self._studio.colour(marble.seed),
            "verdict": self._verdicts.get(marble.number),
            "photo": marble.number in self._photos,
        }

    def _advance(self) -> float:
        """Everything that is due happens, in its order; returns the time."""
        now = max(self._now, self._clock.now())
        while True:
            arrival = self._belt.next()
            due = arrival.time if arrival else math.inf
            if min(due, self._help_at) > now:
                break
            if arrival and due <= self._help_at:
                self._happen(arrival)
            else:
                self._help(self._help_at)
        self._now = now
        return now

    def _next_time(self) -> float:
        arrival = self._belt.next()
        return min(arrival.time if arrival else math.inf, self._help_at)

    def _happen(self, arrival: Arrival) -> None:
        jammed = self._belt.stuck
        for fed in self._belt.take(arrival):
            self._studio.announce(fed.marble.seed, fed.marble.kind)
            self.tally.doubles += fed.marble.double
        if self._belt.stuck and not jammed:
            # The arm is on a spring, and a jam cuts its power: what nobody vouches for goes to ko.
            self.tally.jams += 1
            self._servo.command("ko", arrival.time)
            self._call_operator(arrival.time)
        elif arrival.lying and arrival.station == "barrier" and self._faults.barrier != "blind":
            self._arrivals.append(arrival.time)
        elif arrival.lying and arrival.station == "arm":
            open_ = self._servo.stands_at("ok", arrival.time, self.config.tolerance)
            self._fall(arrival.lying, "ok" if open_ else "ko", arrival.time)

    def _fall(self, lying: Lying, into: Verdict, now: float, hand: bool = False) -> None:
        marble = lying.marble
        verdict = self._verdicts.pop(marble.number, None)
        asked = marble.number in self._photos
        self.tally.unasked += not asked
        # Where the arm has been told about a later marble since, it was overruled, not late.
        late = asked and not hand and (verdict is None or (verdict != into and self._told is lying))
        self.tally.fall(Fallen(marble, into, verdict, now, late, hand))
        self._studio.forget(marble.seed)

    def _call_operator(self, now: float) -> None:
        if self.config.operator is not None:
            self._help_at = min(self._help_at, now + self.config.operator)

    def _help(self, now: float) -> None:
        for lying in self._belt.clear(now):
            self._fall(lying, "ko", now, hand=True)
        self._belt.drive.start(now)
        self._help_at = math.inf

    def _photograph(self, now: float) -> tuple[Lying | None, NDArray[np.uint8]]:
        """The marble that the camera sees, None for an empty pocket or the belt between two, and the photo."""
        config, drive = self.config, self._belt.drive
        half = config.view / 2
        near = self._belt.under_camera(now, half + config.diameter / 2)
        held = bool(near) and near[0][0].held(drive.travel(now))
        views = [(self._studio.plate(each.marble.seed, each.marble.kind), way / half) for each, way in near]
        if not near:
            travel = drive.travel(now) - config.camera_at
            pocket = round(travel / config.pitch)
            plate = self._studio.plate(pocket_seed(config.seed, pocket), "empty")
            views = [(plate, (travel - pocket * config.pitch) / half)]
        shot = Shot(
            motion=0.0 if held else drive.speed(now) * config.exposure * config.size / config.view,
            gain=light(config, now),
            noise=(config.seed, 4, self._frames),
        )
        pixels = photograph(views, shot)
        if not near:
            self._studio.forget(views[0][0].seed)
        # A marble of which not even the middle is in the picture is not the one that is judged.
        seen = near[0][0] if near and abs(near[0][1]) <= half else None
        return seen, pixels


T = TypeVar("T")


def _keep(kept: dict[int, T], key: int, value: T) -> None:
    """Only the last ones."""
    kept[key] = value
    while len(kept) > _KEPT:
        del kept[next(iter(kept))]

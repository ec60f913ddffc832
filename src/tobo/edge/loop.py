"""The line's loop: trigger -> camera -> classifier -> decision -> actuator, in one thread, no disk, no network.

It runs in the line's own time (`Timer`), so that a simulated line may be faster than life. Whatever fails, the part is
ko and the loop goes on; an arm that does not obey stops the belt.
"""

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from tobo.edge.classifier import ClassifierFault
from tobo.edge.decision import Decision, Rule, decide
from tobo.edge.ports import Actuator, ActuatorFault, Camera, CameraFault, Frame, Timer, Trigger, Verdict
from tobo.edge.records import Kept, Record, Records
from tobo.edge.tally import Tally

log = logging.getLogger(__name__)

_PATIENCE = 0.5
"""Seconds of the line's time that the loop waits for a part before it shows that it is alive."""


class Classifies(Protocol):
    """What the loop needs of a classifier."""

    @property
    def labels(self) -> tuple[str, ...]: ...

    def classify(self, pixels: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """uint8 RGB [height, width, 3] -> float32 [labels]; raises ClassifierFault."""
        ...


@dataclass(frozen=True)
class Model:
    """A classifier and the digest of the bundle that it came in."""

    classifier: Classifies
    digest: str = ""


@dataclass(frozen=True)
class Line:
    """What the loop moves: hardware, or a simulated line."""

    timer: Timer
    trigger: Trigger
    camera: Camera
    actuator: Actuator

    def close(self) -> None:
        """Puts the arm to rest first."""
        for part in (self.actuator, self.trigger, self.camera):
            try:
                part.close()
            except Exception:
                log.exception("closing %s failed", type(part).__name__)


@dataclass(frozen=True)
class Keeping:
    """Which frames are kept for labelling: those whose margin is below `margin`, and of the others a random `share`.

    At most `per_minute` of the line's minutes, so that a line full of doubts does not wear out the disk.
    """

    margin: float = 0.2
    share: float = 0.001
    per_minute: float = 30.0


class Loop:
    """`model` and `rule` may be exchanged by another thread at any time: a part sees one or the other, never a mixture."""

    def __init__(
        self,
        line: Line,
        model: Model | None = None,
        rule: Rule | None = None,
        keeping: Keeping | None = None,
        records: Records | None = None,
        rest_after: float = 2.0,
        seed: int | None = None,
    ) -> None:
        """After `rest_after` seconds without a part the arm goes back to ko."""
        self.line = line
        self.model = model
        self.rule = rule or Rule()
        self.keeping = keeping or Keeping()
        self.records = records or Records()
        self.tally = Tally()
        self.last: Record | None = None
        self.latest: tuple[Frame, Record] | None = None
        """The last frame, and its part."""
        self._rest_after = rest_after
        self._random = random.Random(seed)
        self._allowance, self._allowed_at = self.keeping.per_minute, line.timer.now()
        self._at_ok_since: float | None = None
        self._arrived = self._held = -math.inf
        self._commanded: Verdict | None = None
        self._fault: str | None = None

    def run(self, stop: Callable[[], bool], alive: Callable[[], None] = lambda: None) -> None:
        """Sorts until `stop`; calls `alive` before each part and at least every half second of the line's time."""
        while not stop():
            alive()
            self.step(_PATIENCE)

    def step(self, timeout: float) -> Record | None:
        """Waits for a part, at most `timeout` seconds of the line's time, and sorts it; None where none came."""
        arrived = self._wait(timeout)
        if arrived is None:
            self._rest()
            return None
        model, rule = self.model, self.rule
        frame, scores, fault = None, None, None
        begin = time.perf_counter()
        try:
            frame = self.line.camera.grab()
            begin = time.perf_counter()
            scores = self._classify(model, frame)
        except (CameraFault, ClassifierFault) as error:
            fault = str(error)
        except Exception as error:  # a bug of a driver must not stop the belt, nor let a part pass
            fault = f"{type(error).__name__}: {error}"
        labels = model.classifier.labels if model is not None else ()
        decision = decide(rule, labels, scores, self.line.timer.now() - arrived, self._gap(arrived))
        latency = time.perf_counter() - begin
        self._hold(decision, arrived)
        begin = time.perf_counter()
        arm_fault = self._turn(decision)
        latency += time.perf_counter() - begin
        kept = self._kept(decision) if frame is not None and scores is not None else None
        record = Record(
            number=self.tally.decisions + 1,
            at=arrived,
            decision=decision,
            scores=None if scores is None else tuple(scores),
            latency=latency,
            model=model.digest if model is not None else "",
            fault=fault,
            blame=None if fault is None else "camera" if frame is None else "model",
            arm_fault=arm_fault,
            kept=kept,
            frame=frame if kept is not None else None,
        )
        self._tell(record, frame)
        return record

    def _wait(self, timeout: float) -> float | None:
        try:
            return self.line.trigger.wait(timeout)
        except Exception as error:  # it may look through the camera, which may be gone
            self._name(f"The trigger failed: {error}")
            self.line.timer.sleep(timeout)
            return None

    def _classify(self, model: Model | None, frame: Frame) -> Sequence[float]:
        if model is None:
            raise ClassifierFault("There is no model yet; deploy one to this device.")
        return [float(score) for score in model.classifier.classify(frame.pixels)]

    def _gap(self, arrived: float) -> float:
        """Seconds since the part before; none at all where this one came while a command was held: its photo was late."""
        gap, self._arrived = arrived - self._arrived, arrived
        return 0.0 if arrived < self._held else gap

    def _hold(self, decision: Decision, arrived: float) -> None:
        """Waits until the part before has passed the arm, unless the arm is to stay as it is."""
        left = arrived + decision.hold - self.line.timer.now()
        if decision.hold and left > 0 and decision.verdict != self._commanded:
            self._held = arrived + decision.hold
            self.line.timer.sleep(left)

    def _turn(self, decision: Decision) -> str | None:
        """Commands the arm; what went wrong, where it did not obey and the belt was told to stop."""
        self._at_ok_since = self.line.timer.now() if decision.verdict == "ok" else None
        self._commanded = None
        try:
            self.line.actuator.turn(decision.verdict)
            self._commanded = decision.verdict
            return None
        except Exception as error:
            fault = str(error) if isinstance(error, ActuatorFault) else f"{type(error).__name__}: {error}"
        try:
            self.line.actuator.stop_belt()
        except Exception as error:
            fault += f" The belt could not be stopped either: {error}"
        return fault

    def _rest(self) -> None:
        since = self._at_ok_since
        if since is not None and self.line.timer.now() - since >= self._rest_after:
            fault = self._turn(Decision("ko", "unknown"))
            self._name(fault)

    def _kept(self, decision: Decision) -> Kept | None:
        drawn = self._random.random() < self.keeping.share
        why: Kept | None = "margin" if decision.margin < self.keeping.margin else "random" if drawn else None
        return why if why is not None and self._may_keep() and self.records.room_for_frame() else None

    def _may_keep(self) -> bool:
        """A minute's worth may come at once, then one by one."""
        now, most = self.line.timer.now(), self.keeping.per_minute
        self._allowance = min(most, self._allowance + (now - self._allowed_at) * most / 60)
        self._allowed_at = now
        if self._allowance < 1:
            return False
        self._allowance -= 1
        return True

    def _tell(self, record: Record, frame: Frame | None) -> None:
        self.tally.note(record)
        self.records.put(record)
        self.last = record
        if frame is not None:
            self.latest = frame, record
        self._name(record.fault or record.arm_fault)

    def _name(self, fault: str | None) -> None:
        """Logs a fault when it begins and when it is over, not at every part."""
        if fault != self._fault:
            if fault is not None:
                log.warning("%s", fault)
            else:
                log.info("The line is well again.")
            self._fault = fault

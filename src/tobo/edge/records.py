"""What the line tells: a record of each part, handed from the line to whoever keeps it, without ever making it wait."""

from collections import deque
from dataclasses import dataclass
from typing import Literal

from tobo.edge.decision import Decision
from tobo.edge.ports import Frame

Kept = Literal["margin", "random"]
"""Why a frame is kept for labelling: the model was in doubt, or chance drew it."""


Blame = Literal["camera", "model"]
"""Who failed: no frame, or no scores for a frame."""


@dataclass(frozen=True)
class Record:
    """One part. `at` is the line's time of its arrival, `latency` real seconds from the frame to the command.

    `fault` says what went wrong before the decision and `blame` where, `arm_fault` what went wrong at the arm; `frame`
    is there where it is `kept`. `model` is the digest of the version that was asked.
    """

    number: int
    at: float
    decision: Decision
    scores: tuple[float, ...] | None
    latency: float
    model: str = ""
    fault: str | None = None
    blame: Blame | None = None
    arm_fault: str | None = None
    kept: Kept | None = None
    frame: Frame | None = None


class Records:
    """A bounded hand-over between two threads; what does not fit is dropped and counted."""

    def __init__(self, limit: int = 2000, limit_frames: int = 16) -> None:
        """At most `limit` records wait, and `limit_frames` frames: those of a large camera have megabytes each."""
        self._waiting: deque[Record] = deque()
        self._limit, self._limit_frames = limit, limit_frames
        self._frames_in = self._frames_out = 0
        self.dropped = 0
        self.dropped_frames = 0

    def room_for_frame(self) -> bool:
        """Whether one more frame may wait; a refused one is counted."""
        if self._frames_in - self._frames_out < self._limit_frames:
            return True
        self.dropped_frames += 1
        return False

    def put(self, record: Record) -> None:
        """Called by the line alone."""
        if len(self._waiting) >= self._limit:
            self.dropped += 1
            return
        self._frames_in += record.frame is not None
        self._waiting.append(record)

    def take(self) -> list[Record]:
        """Called by one keeper alone: all that waits, in order."""
        taken: list[Record] = []
        while self._waiting:
            taken.append(self._waiting.popleft())
        self._frames_out += sum(record.frame is not None for record in taken)
        return taken

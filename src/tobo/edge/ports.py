"""What a line is made of: a camera, a trigger that says when to look, an actuator that sorts; each a small protocol.

Hardware and the simulated line implement the same three, so that the agent cannot tell them apart. All times are
seconds of one monotonic clock, the line's (`Timer`): a simulated line turns its own as fast as it likes.
"""

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

Verdict = Literal["ok", "ko"]
"""Which bin: ok, or ko for whatever is not surely ok."""


class Timer(Protocol):
    """The line's monotonic clock."""

    def now(self) -> float:
        """Seconds; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Lets so much of the line's time pass."""
        ...


@dataclass(frozen=True)
class Frame:
    """One exposure. `pixels` is uint8 RGB [height, width, 3]; `at` the middle of the exposure; `number` counts frames."""

    pixels: npt.NDArray[np.uint8]
    at: float
    number: int


class CameraFault(Exception):
    """No usable frame: unplugged, timed out, wrong size. The message is one sentence with the mend; the part is ko."""


class ActuatorFault(Exception):
    """The arm did not do what it was told; the belt has to stop. The message is one sentence with the mend."""


class Camera(Protocol):
    """Gives the newest exposure; holds the device open between calls and opens it again after a fault."""

    def grab(self) -> Frame:
        """A frame exposed after the call. Raises CameraFault, never waits longer than its own time-out (1 s)."""
        ...

    def close(self) -> None: ...


class Trigger(Protocol):
    """Says when a part lies under the camera: a light barrier, a timer, motion in the picture."""

    def wait(self, timeout: float) -> float | None:
        """Until the next part, at most `timeout` seconds; the time at which it arrived, None where none came."""
        ...

    def close(self) -> None: ...


class Actuator(Protocol):
    """Sorts. It rests at ko: whatever fails, a part that nobody vouches for goes there."""

    def turn(self, verdict: Verdict) -> None:
        """Commands the arm and returns at once, without waiting for its travel. Raises ActuatorFault."""
        ...

    def stop_belt(self) -> None:
        """The signal that stops the belt, where the line has one; no error where it has none."""
        ...

    def close(self) -> None:
        """Puts the arm to rest at ko and lets go of it."""
        ...

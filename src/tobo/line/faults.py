"""What can be broken on the line, to be switched on while it runs."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

CameraTrouble = Literal["unplugged", "silent", "black", "frozen", "size", "late"]
ArmTrouble = Literal["unplugged", "stuck"]


@dataclass(frozen=True)
class Faults:
    """`camera`: unplugged (CameraFault at once), silent (CameraFault after its time-out), black, frozen (the last
    picture again), size (half the pixels), late (a frame comes `late_by` seconds after its time).

    `arm`: unplugged (ActuatorFault, a spring pulls it to ko), stuck (it stays where it is and tells nobody).
    `barrier`: blind (it sees no marble).
    """

    camera: CameraTrouble | None = None
    late_by: float = 0.4
    arm: ArmTrouble | None = None
    barrier: Literal["blind"] | None = None


NO_FAULTS = Faults()


def spoil(
    pixels: NDArray[np.uint8], last: NDArray[np.uint8] | None, trouble: CameraTrouble | None
) -> NDArray[np.uint8]:
    """The picture as a camera in trouble gives it; `last` is the one before."""
    if trouble == "black":
        return np.zeros_like(pixels)
    if trouble == "frozen" and last is not None:
        return last
    if trouble == "size":
        return np.ascontiguousarray(pixels[::2, ::2])
    return pixels

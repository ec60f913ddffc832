"""A trigger by motion: something is in the picture that was not there before; no further part needed."""

import numpy as np
import numpy.typing as npt

from tobo.edge.ports import Camera, Timer

_EVERY = 8
_LEARNS = 0.05
"""Of each empty picture so much goes into the background: light drifts."""
_FORGIVES = 0.002
"""Of each other picture so much: a lamp that was switched on must not be a part for ever."""


class MotionTrigger:
    """A part when the middle half of the picture differs from the empty belt; the next one when it was empty again."""

    def __init__(self, camera: Camera, timer: Timer, threshold: float = 12.0) -> None:
        """`threshold` in grey levels (0..255), the mean difference at which something is there."""
        self._camera, self._timer, self._threshold = camera, timer, threshold
        self._background: npt.NDArray[np.float32] | None = None
        self._occupied = False

    def wait(self, timeout: float) -> float | None:
        """Raises CameraFault where it cannot see."""
        until = self._timer.now() + timeout
        while True:
            frame = self._camera.grab()
            if self._arrived(frame.pixels):
                return frame.at
            if self._timer.now() >= until:
                return None

    def _arrived(self, pixels: npt.NDArray[np.uint8]) -> bool:
        height, width = pixels.shape[:2]
        middle = pixels[height // 4 : -(height // 4) or None, width // 4 : -(width // 4) or None]
        seen = middle[::_EVERY, ::_EVERY].astype(np.float32)
        if self._background is None or self._background.shape != seen.shape:
            self._background = seen
            return False
        difference = float(np.abs(seen - self._background).mean())
        if difference < self._threshold / 2:
            self._occupied = False
        arrived = difference >= self._threshold and not self._occupied
        self._occupied = self._occupied or arrived
        self._background += (_FORGIVES if self._occupied else _LEARNS) * (seen - self._background)
        return arrived

    def close(self) -> None:
        pass

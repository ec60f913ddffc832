"""A camera whose frames are looked at before they are believed: wrong size, black, frozen."""

import numpy as np
import numpy.typing as npt

from tobo.edge.ports import Camera, CameraFault, Frame

_EVERY = 4
"""Every fourth row and column is enough to see that a picture is black, or the same again."""


class CheckedCamera:
    """Passes on what `camera` gives, or raises CameraFault with what is wrong about it; the next frame is a new chance.

    A sensor's noise never repeats: two frames that are equal in every value are one frame twice.
    """

    def __init__(self, camera: Camera, size: tuple[int, int] | None = None, black_below: float = 4.0) -> None:
        """`size` is (width, height), None for whatever comes first; black is a mean level (0..255) below `black_below`."""
        self._camera, self._size, self._black_below = camera, size, black_below
        self._previous: npt.NDArray[np.uint8] | None = None

    def grab(self) -> Frame:
        try:
            frame = self._camera.grab()
        except CameraFault:
            self._previous = None
            raise
        pixels = frame.pixels
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise CameraFault(f"The camera gave {pixels.dtype} {pixels.shape} instead of 8-bit RGB; set its format.")
        size = pixels.shape[1], pixels.shape[0]
        if self._size is not None and size != self._size:
            asked = f"{self._size[0]} x {self._size[1]}"
            raise CameraFault(f"The camera gave {size[0]} x {size[1]} pixels instead of {asked}; set [camera] size.")
        self._size = size
        sample = pixels[::_EVERY, ::_EVERY]
        frozen = self._previous is not None and np.array_equal(sample, self._previous)
        self._previous = sample.copy()
        if float(sample.mean()) < self._black_below:
            raise CameraFault("The camera's picture is black; look at the light and the lens cap.")
        if frozen:
            raise CameraFault("The camera is frozen: it gave the same picture again; unplug it and plug it in.")
        return frame

    def close(self) -> None:
        self._camera.close()

"""USB and built-in cameras (V4L2), and network cameras (RTSP), through OpenCV."""

import importlib
import logging
import threading
import time
from typing import Any

import numpy as np
import numpy.typing as npt

from tobo.edge.cameras.rtsp import Arrivals, is_stream, open_stream, shown, why_not
from tobo.edge.ports import CameraFault, Frame, Timer

log = logging.getLogger(__name__)

TIMEOUT = 1.0
"""Seconds that `grab` waits for a frame."""
_REOPEN_AFTER = 1.0


class OpenCvCamera:
    """Reads in a thread of its own, so that the newest frame is at hand and a dead line blocks nobody.

    `source` is a number (/dev/video<n>), a device, a file or an address (rtsp://...). `lag` is how many seconds pass
    from the middle of an exposure until the frame has been read; frames exposed before they were asked for are left.
    So is a stream's frame that was held up on its way.
    """

    def __init__(
        self, source: int | str, timer: Timer, size: tuple[int, int] | None = None, lag: float = 0.0, rate: float = 0.0
    ) -> None:
        """`size` is (width, height), `rate` frames a second; None and 0 leave them to the device.

        Raises CameraFault where OpenCV is not installed.
        """
        try:
            self._cv2: Any = importlib.import_module("cv2")
        except ImportError:
            raise CameraFault(
                "OpenCV is not installed; `pip install opencv-python-headless` or `apt install python3-opencv`."
            ) from None
        self._source, self._timer, self._size, self._lag, self._rate = source, timer, size, lag, rate
        self._fresh = threading.Condition()
        self._newest: Frame | None = None
        self._stream = is_stream(source)
        self._name = f"The camera '{shown(source)}'"
        self._trouble = f"{self._name} has given no frame yet."
        self._over = False
        self._thread = threading.Thread(target=self._read, name="camera", daemon=True)
        self._thread.start()

    def grab(self) -> Frame:
        asked = self._timer.now()
        deadline = time.monotonic() + TIMEOUT
        with self._fresh:
            while self._newest is None or self._newest.at < asked:
                left = deadline - time.monotonic()
                if left <= 0 or not self._fresh.wait(left):
                    raise CameraFault(self._trouble)
            return self._newest

    def close(self) -> None:
        self._over = True
        self._thread.join(TIMEOUT * 2)

    def _read(self) -> None:
        number = 0
        while not self._over:
            capture = self._open()
            if capture is not None:
                number = self._read_until_it_fails(capture, number)
                capture.release()
            if not self._over:
                time.sleep(_REOPEN_AFTER)

    def _open(self) -> Any:
        """The device or the stream, ready; None where it is not there."""
        cv2 = self._cv2
        capture = open_stream(cv2, str(self._source)) if self._stream else cv2.VideoCapture(self._source)
        if not capture.isOpened():
            capture.release()
            self._trouble = (
                why_not(str(self._source))
                if self._stream
                else f"{self._name} cannot be opened; plug it in, or name another source."
            )
            return None
        if self._stream:
            self._trouble = f"{self._name} gives no new frames; look at its network."
            return capture
        capture.set(cv2.CAP_PROP_BUFFERSIZE, 1)  # old frames are of no use
        if self._size is not None:
            capture.set(cv2.CAP_PROP_FRAME_WIDTH, self._size[0])
            capture.set(cv2.CAP_PROP_FRAME_HEIGHT, self._size[1])
        if self._rate:
            capture.set(cv2.CAP_PROP_FPS, self._rate)
        self._trouble = f"{self._name} gives no frames; look at its cable."
        return capture

    def _read_until_it_fails(self, capture: Any, number: int) -> int:
        arrivals = Arrivals() if self._stream else None
        while not self._over:
            try:
                good, picture = capture.read()
            except Exception as error:  # cv2.error
                good, picture = False, None
                log.warning("%s", error)
            if not good:
                mend = "look at its power and its network" if self._stream else "plug it in again"
                self._trouble = f"{self._name} has stopped; {mend}."
                return number
            number += 1
            at = self._timer.now()
            if arrivals is not None:
                at = arrivals.date(at, capture.get(self._cv2.CAP_PROP_POS_MSEC) / 1000)
            frame = Frame(_rgb(picture), at - self._lag, number)
            with self._fresh:
                self._newest = frame
                self._fresh.notify_all()
        return number


def _rgb(picture: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """OpenCV's BGR, or grey, as RGB [height, width, 3]."""
    if picture.ndim == 2:
        return np.repeat(picture[:, :, None], 3, axis=2)
    return np.ascontiguousarray(picture[:, :, ::-1])

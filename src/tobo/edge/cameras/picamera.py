"""The Raspberry Pi's camera modules, through picamera2 (Raspberry Pi Ltd, The Picamera2 Library, release 4)."""

import importlib
import logging
import time
from typing import Any

import numpy as np

from tobo.edge.ports import CameraFault, Frame, Timer

log = logging.getLogger(__name__)

TIMEOUT = 1.0
"""Seconds that `grab` waits for a frame."""


class PiCamera:
    """Opened at the first frame, and again after a fault."""

    def __init__(
        self, timer: Timer, size: tuple[int, int] = (640, 480), exposure: float | None = None, gain: float | None = None
    ) -> None:
        """`exposure` in seconds and the analogue `gain`; None leaves them to the camera, which a line should not.

        Raises CameraFault where picamera2 is not installed.
        """
        try:
            self._library: Any = importlib.import_module("picamera2")
        except ImportError:
            raise CameraFault(
                "picamera2 is not installed; `apt install python3-picamera2` and make the environment with "
                "`python3 -m venv --system-site-packages`."
            ) from None
        self._timer, self._size, self._exposure, self._gain = timer, size, exposure, gain
        self._camera: Any = None
        self._number = 0

    def grab(self) -> Frame:
        try:
            camera = self._open()
            # flush: a frame whose exposure began after this call, whatever waits in the queue.
            request = camera.capture_request(flush=True, wait=TIMEOUT)
            try:
                pixels = np.ascontiguousarray(request.make_array("main")[:, :, :3])
                exposed = request.get_metadata().get("SensorTimestamp")
            finally:
                request.release()
        except Exception as error:  # libcamera raises RuntimeError, IndexError, TimeoutError
            self.close()
            raise CameraFault(
                f"The camera gives no frame ({error or type(error).__name__}); look at its ribbon cable."
            ) from error
        self._number += 1
        return Frame(pixels, self._at(exposed), self._number)

    def close(self) -> None:
        camera, self._camera = self._camera, None
        if camera is not None:
            try:
                camera.stop()
                camera.close()
            except Exception:  # it may be gone
                log.debug("closing the camera failed", exc_info=True)

    def _open(self) -> Any:
        if self._camera is None:
            camera = self._library.Picamera2()
            try:
                # libcamera names formats by the order in memory from behind: BGR888 is R, G, B.
                main = {"size": self._size, "format": "BGR888"}
                controls: dict[str, Any] = {}
                if self._exposure is not None:
                    controls |= {"AeEnable": False, "ExposureTime": round(self._exposure * 1e6)}
                if self._gain is not None:
                    controls |= {"AnalogueGain": self._gain}
                camera.configure(camera.create_video_configuration(main=main, controls=controls, buffer_count=4))
                camera.start()
            except Exception:
                camera.close()
                raise
            self._camera = camera
        return self._camera

    def _at(self, exposed: int | None) -> float:
        """SensorTimestamp is nanoseconds of the system's boot clock at the start of the exposure."""
        now = self._timer.now()
        if exposed is None or not hasattr(time, "CLOCK_BOOTTIME"):
            return now
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - exposed / 1e9 - (self._exposure or 0.0) / 2
        return now - age if 0 <= age < 10 else now

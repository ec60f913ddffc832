"""Pictures of a folder as a camera: to try a model, or a line without a lens."""

from pathlib import Path

import numpy as np

from tobo.edge.ports import CameraFault, Frame, Timer
from tobo.inference.pictures import UnreadablePicture, decode

_ENDINGS = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm", ".gif")


class FolderCamera:
    """The pictures of `folder` and its subfolders by name, again from the first after the last."""

    def __init__(self, folder: Path, timer: Timer) -> None:
        self._folder, self._timer = folder, timer
        self._files: list[Path] = []
        self._number = 0

    def grab(self) -> Frame:
        """The next picture. Raises CameraFault where there is none, or it cannot be read."""
        if not self._files:
            found = self._folder.rglob("*") if self._folder.is_dir() else ()
            self._files = sorted(path for path in found if path.suffix.lower() in _ENDINGS)
            if not self._files:
                raise CameraFault(f"'{self._folder}' holds no picture; put some into it or name another folder.")
        file = self._files[self._number % len(self._files)]
        self._number += 1
        try:
            pixels = np.ascontiguousarray(decode(file.read_bytes()).pixels)
        except UnreadablePicture as error:
            raise CameraFault(f"'{file}' {error}.") from None
        except OSError as error:
            self._files = []
            raise CameraFault(f"'{file}' cannot be read ({error.strerror}).") from None
        return Frame(pixels, self._timer.now(), self._number)

    def close(self) -> None:
        self._files = []

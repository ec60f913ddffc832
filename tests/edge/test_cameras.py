"""Cameras: what they give, and each thing that goes wrong with one: named, ko, and well again by itself."""

import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from PIL import Image
from tests.support.scripted_line import Brightness, ScriptedCamera, SetTimer, grey, scripted

from tobo.edge.cameras.checked import CheckedCamera
from tobo.edge.cameras.folder import FolderCamera
from tobo.edge.cameras.opencv import OpenCvCamera
from tobo.edge.cameras.picamera import PiCamera
from tobo.edge.loop import Line, Loop, Model
from tobo.edge.ports import CameraFault
from tobo.edge.timers import SystemTimer


def noisy(level: float, seed: int, size: tuple[int, int] = (48, 32)) -> np.ndarray:
    """A picture as a sensor gives it: no two are equal."""
    noise = np.random.default_rng(seed).normal(level * 255, 3, (size[1], size[0], 3))
    return np.clip(noise, 0, 255).astype(np.uint8)


SAME = noisy(0.8, 99)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([CameraFault("The camera 'x' has stopped; plug it in again.")], "has stopped; plug it in"),
        ([noisy(0.0, 1)], "picture is black"),
        ([np.zeros((32, 48, 3), np.uint8)], "picture is black"),
        ([noisy(0.8, 1, (64, 32))], "gave 64 x 32 pixels instead of 48 x 32"),
        ([np.zeros((32, 48), np.uint8)], r"gave uint8 \(32, 48\) instead of 8-bit RGB"),
        ([noisy(0.8, 1).astype(np.float32)], "gave float32"),
        ([SAME, SAME], "is frozen"),
        ([SAME, SAME, SAME], "is frozen"),
    ],
)
def test_each_fault_is_named_is_ko_and_is_over_with_the_next_good_frame(bad: list[Any], message: str) -> None:
    line, arm, _ = scripted([noisy(0.8, 2), *bad, noisy(0.8, 3), noisy(0.8, 4)])
    line = Line(line.timer, line.trigger, CheckedCamera(line.camera, black_below=4.0), arm)
    loop = Loop(line, Model(Brightness()))
    records = [record for record in (loop.step(1.0) for _ in range(3 + len(bad))) if record]
    faulty = records[len(bad)]
    assert faulty.fault is not None and faulty.blame == "camera"
    with pytest.raises(CameraFault, match=message):
        raise CameraFault(faulty.fault)
    assert faulty.decision.verdict == "ko" and arm.turns[len(bad)] == "ko"
    assert [record.decision.verdict for record in records[-2:]] == ["ok", "ok"]


def test_the_size_that_is_asked_for_counts_from_the_first_frame_on() -> None:
    timer = SetTimer()
    camera = CheckedCamera(ScriptedCamera(timer, [noisy(0.8, 1), noisy(0.8, 2, (64, 64))]), size=(64, 64))
    with pytest.raises(CameraFault, match="48 x 32 pixels instead of 64 x 64"):
        camera.grab()
    assert camera.grab().pixels.shape == (64, 64, 3)


def test_a_folder_gives_its_pictures_again_and_again_and_names_what_it_cannot_read(tmp_path: Path) -> None:
    camera = FolderCamera(tmp_path, SetTimer())
    with pytest.raises(CameraFault, match="holds no picture"):
        camera.grab()
    for index, level in enumerate((0.2, 0.8)):
        Image.fromarray(grey(level)).save(tmp_path / f"{index}.png")
    levels = [int(camera.grab().pixels[0, 0, 0]) for _ in range(3)]
    assert levels == [51, 204, 51]
    (tmp_path / "1.png").write_bytes(b"no picture")
    with pytest.raises(CameraFault, match=r"1\.png' is not a picture"):
        camera.grab()
    (tmp_path / "0.png").unlink()
    with pytest.raises(CameraFault, match="cannot be read"):
        camera.grab()
    with pytest.raises(CameraFault, match="is not a picture"):
        camera.grab()


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """A capture device's stand-in: OpenCV reads a file as it reads a camera."""
    cv2 = pytest.importorskip("cv2")
    file = tmp_path / "belt.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter_fourcc(*"MJPG"), 30, (64, 48))
    red = np.zeros((48, 64, 3), np.uint8)
    red[:, :, 2] = 220  # OpenCV's order is blue, green, red
    for _ in range(2000):
        writer.write(red)
    writer.release()
    return file


def test_opencv_gives_rgb_frames_that_are_newer_than_the_question(video: Path) -> None:
    camera = OpenCvCamera(str(video), SystemTimer())
    try:
        asked = time.monotonic()
        first, second = camera.grab(), camera.grab()
        assert (
            first.pixels.shape == (48, 64, 3) and first.pixels[..., 0].mean() > 180 > 60 > first.pixels[..., 2].mean()
        )
        assert asked <= first.at < second.at and first.number < second.number
    finally:
        camera.close()
    assert not any(thread.name == "camera" for thread in threading.enumerate())


def test_a_device_that_is_not_there_is_named_and_found_when_it_comes(
    video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tobo.edge.cameras.opencv.TIMEOUT", 0.3)
    monkeypatch.setattr("tobo.edge.cameras.opencv._REOPEN_AFTER", 0.05)
    source = tmp_path / "later.avi"
    camera = OpenCvCamera(str(source), SystemTimer())
    try:
        with pytest.raises(CameraFault, match="cannot be opened; plug it in"):
            camera.grab()
        video.rename(source)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                assert camera.grab().pixels.shape == (48, 64, 3)
                break
            except CameraFault:
                continue
        else:
            raise AssertionError("it was never found")
    finally:
        camera.close()


@pytest.mark.parametrize(
    ("module", "make", "message"),
    [
        ("cv2", lambda: OpenCvCamera(0, SetTimer()), "OpenCV is not installed; `pip install"),
        ("picamera2", lambda: PiCamera(SetTimer()), "picamera2 is not installed; `apt install"),
    ],
)
def test_a_missing_library_is_a_sentence(monkeypatch: pytest.MonkeyPatch, module: str, make: Any, message: str) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(CameraFault, match=message):
        make()


class FakePicamera2:
    """What PiCamera uses of picamera2.Picamera2; the hardware cannot be here."""

    plugged = True
    made: list["FakePicamera2"]

    def __init__(self) -> None:
        if not self.plugged:
            raise IndexError("list index out of range")  # what the library says without a camera
        self.closed = False
        self.configured: dict[str, Any] = {}
        FakePicamera2.made.append(self)

    def create_video_configuration(self, **configuration: Any) -> dict[str, Any]:
        return configuration

    def configure(self, configuration: dict[str, Any]) -> None:
        self.configured = configuration

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def close(self) -> None:
        self.closed = True

    def capture_request(self, flush: bool, wait: float) -> "FakePicamera2":
        assert flush and wait == 1.0
        if not self.plugged:
            raise TimeoutError
        return self

    def make_array(self, stream: str) -> np.ndarray:
        width, height = self.configured["main"]["size"]
        return noisy(0.5, 1, (width, height))

    def get_metadata(self) -> dict[str, int]:
        return {"SensorTimestamp": time.clock_gettime_ns(time.CLOCK_BOOTTIME) - 20_000_000}

    def release(self) -> None:
        pass


@pytest.fixture
def picamera(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[FakePicamera2]]:
    module = ModuleType("picamera2")
    module.Picamera2 = FakePicamera2  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "picamera2", module)
    FakePicamera2.plugged, FakePicamera2.made = True, []
    yield FakePicamera2


def test_the_pis_camera_is_held_open_and_opened_again_after_a_fault(picamera: type[FakePicamera2]) -> None:
    camera = PiCamera(SystemTimer(), (64, 48), exposure=0.002, gain=4.0)
    before = time.monotonic()
    frame = camera.grab()
    assert frame.pixels.shape == (48, 64, 3) and before - 0.03 < frame.at < time.monotonic() - 0.01
    assert camera.grab().number == 2 and len(picamera.made) == 1
    controls = picamera.made[0].configured["controls"]
    assert controls == {"AeEnable": False, "ExposureTime": 2000, "AnalogueGain": 4.0}
    picamera.plugged = False
    for _ in range(2):
        with pytest.raises(CameraFault, match=r"gives no frame .*; look at its ribbon cable"):
            camera.grab()
    assert picamera.made[0].closed
    picamera.plugged = True
    assert camera.grab().number == 3 and len(picamera.made) == 2
    camera.close()
    assert picamera.made[1].closed

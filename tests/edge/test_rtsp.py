"""A network camera over RTSP, against GStreamer's server: the newest frame, and each thing that goes wrong, named."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from tests.support.rtsp import SIZE, Network, RtspServer, drawn_at, free_port
from tests.support.scripted_line import Brightness, ScriptedArm

from tobo.edge.cameras.opencv import OpenCvCamera
from tobo.edge.cameras.rtsp import Arrivals, shown
from tobo.edge.decision import Rule
from tobo.edge.loop import Line, Loop, Model
from tobo.edge.opening import open_camera
from tobo.edge.ports import Camera, CameraFault, Frame
from tobo.edge.records import Record
from tobo.edge.settings import CameraSettings
from tobo.edge.timers import SystemTimer
from tobo.edge.triggers.interval import IntervalTrigger

pytest.importorskip("cv2")

WAY = 0.5
"""Seconds that encoding, sending and decoding take at most: what a device's lag_ms would say."""


@contextmanager
def watching(address: str, lag: float = 0.0) -> Iterator[OpenCvCamera]:
    camera = OpenCvCamera(address, SystemTimer(), lag=lag)
    try:
        yield camera
    finally:
        camera.close()


def first(camera: Camera, seconds: float = 30) -> Frame:
    """The first frame that comes; opening takes longer than a grab waits."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return camera.grab()
        except CameraFault:
            assert time.monotonic() < deadline, "no frame came"


def fault(camera: Camera, words: str, seconds: float = 30) -> str:
    """The sentence with these words, as soon as the camera says it."""
    deadline, said = time.monotonic() + seconds, ""
    while time.monotonic() < deadline:
        try:
            camera.grab()
        except CameraFault as trouble:
            said = str(trouble)
            if words in said:
                return said
    raise AssertionError(f"said '{said}' instead of '{words}'")


@pytest.mark.parametrize("codec", ["h264", "jpeg"])
def test_a_frame_is_as_young_as_it_says_from_the_first_on_and_after_an_idle_time(codec: str) -> None:
    with RtspServer(codec) as server, watching(server.address(), WAY) as camera:
        frame = first(camera)
        assert drawn_at(frame.pixels) >= frame.at
        before = frame
        for idle in (0.0, 2.0):
            time.sleep(idle)
            asked = time.monotonic()
            frame = camera.grab()
            assert frame.pixels.shape == (SIZE[1], SIZE[0], 3)
            assert drawn_at(frame.pixels) >= frame.at >= asked and frame.number > before.number
            before = frame


def test_frames_that_the_network_held_up_are_left() -> None:
    with RtspServer() as server:
        network = Network(server.port)
        try:
            with watching(server.address(port=network.port), WAY) as camera:
                first(camera)
                network.free.clear()
                time.sleep(0.6)  # less than the camera takes for an end of the stream
                timer = threading.Timer(0.8, network.free.set)
                timer.start()
                asked = time.monotonic()
                frame = first(camera)
                timer.join()
                assert drawn_at(frame.pixels) >= frame.at >= asked
        finally:
            network.close()


def test_while_the_server_is_gone_parts_are_ko_and_why_is_said_and_then_it_is_well_again() -> None:
    arm = ScriptedArm()
    timer = SystemTimer()
    with RtspServer() as server:
        camera = open_camera(CameraSettings("rtsp", server.address("me:secret@"), SIZE), timer)
        line = Line(timer, IntervalTrigger(0.05, timer), camera, arm)
        loop = Loop(line, Model(Brightness()), Rule(budget=60))

        def until(words: str | None) -> Record:
            """The first part whose fault has these words; None: the first without a fault."""
            deadline, said = time.monotonic() + 30, None
            while time.monotonic() < deadline:
                record = loop.step(1.0)
                if record is not None:
                    said = record.fault
                    if said is None if words is None else words in (said or ""):
                        return record
            raise AssertionError(f"a part's fault is '{said}' instead of '{words}'")

        try:
            assert until(None).decision.verdict == "ok" and arm.turns[-1] == "ok"
            server.kill()
            gone = until("cannot be reached (Connection refused); look at its power, its network and its address.")
            assert gone.decision.verdict == "ko" and gone.blame == "camera" and arm.turns[-1] == "ko"
            assert f"'{server.address()}'" in (gone.fault or "")
            server.start()
            back = until(None)
            assert back.decision.verdict == "ok" and arm.turns[-1] == "ok"
        finally:
            line.close()


PASSWORD = "s3cr@t/1"


@pytest.mark.parametrize("how", ["basic", "digest"])
def test_users_and_passwords(how: str, capfd: pytest.CaptureFixture[str]) -> None:
    with RtspServer(auth=(how, "line", PASSWORD)) as server:
        for who, words in (
            ("", "asks for a user and a password; write rtsp://user:password@... as its source."),
            ("line:s3cret@", "refuses the user or the password; correct them in its source."),
            ("nobody:s3cret@", "refuses the user or the password; correct them in its source."),
        ):
            with watching(server.address(who)) as camera:
                assert fault(camera, words) == f"The camera '{server.address()}' {words}"
        with watching(server.address("line:s3cr%40t%2F1@")) as camera:
            assert drawn_at(first(camera).pixels)
        with watching(server.address("line:s3cr%40t%2F1@", "/lime")) as camera:
            fault(camera, "has no stream at '/lime'; correct the path.")
    written = "".join(capfd.readouterr())
    assert "s3cr" not in written, written


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "cannot be reached (Connection refused); look at its power, its network and its address."),
        (b"HTTP/1.0 400 Bad Request\r\n\r\n", "answers something that is not RTSP; look at its address"),
        (b"", "answers something that is not RTSP; look at its address"),
        (b"RTSP/1.0 503 Service Unavailable\r\n\r\n", "answers 503; look at its address and at its own pages."),
    ],
)
def test_what_answers_there_is_named(answer: bytes | None, words: str) -> None:
    port = free_port()
    listener = None if answer is None else socket.create_server(("127.0.0.1", port))

    def serve() -> None:
        assert listener is not None and answer is not None
        while True:
            try:
                line, _ = listener.accept()
            except OSError:
                return
            with line:
                line.recv(4096)
                line.sendall(answer)

    if listener is not None:
        threading.Thread(target=serve, daemon=True).start()
    try:
        with watching(f"rtsp://me:secret@127.0.0.1:{port}/line") as camera:
            assert "secret" not in fault(camera, words)
    finally:
        if listener is not None:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()


def test_an_address_without_a_host_is_named() -> None:
    with watching("rtsp://me:secret@no-such-camera.invalid/line") as camera:
        said = fault(camera, "is not found: there is no host 'no-such-camera.invalid'; correct the address.")
        assert "secret" not in said
    with watching("rtsp://me:secret@127.0.0.1:99999/line") as camera:
        assert "secret" not in fault(camera, "is no address; it looks like rtsp://user:password@host:554/path.")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (0, "0"),
        ("/dev/video1", "/dev/video1"),
        ("rtsp://host/line", "rtsp://host/line"),
        ("rtsp://me:secret@host:8554/line?x=1", "rtsp://host:8554/line?x=1"),
        ("RTSP://me:p/w@x@host/line", "RTSP://host/line"),
    ],
)
def test_a_source_is_shown_without_its_password(source: int | str, expected: str) -> None:
    assert shown(source) == expected


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        ([(10.0, 0.0), (10.04, 0.04), (10.09, 0.08)], [10.0, 10.04, 10.08]),  # the third took 10 ms longer
        (
            [(10.0, 0.0), (11.5, 0.04), (11.5, 0.08), (11.5, 1.5)],
            [10.0, 10.04, 10.08, 11.5],
        ),  # held up, then in a bunch
        ([(10.0, 0.0), (10.1, 0.2), (10.2, 0.2)], [10.0, 10.1, 10.2]),  # quicker than before; and a time that stands
        ([(10.0, 5.0), (10.1, 0.0), (21.0, 10.9), (32.0, 21.9), (43.0, 32.9)], [10.0, 10.1, 15.9, 32.0, 43.0]),
    ],
)
def test_frames_are_dated_by_the_quickest_of_late(frames: list[tuple[float, float]], expected: list[float]) -> None:
    arrivals = Arrivals()
    assert [arrivals.date(now, said) for now, said in frames] == pytest.approx(expected)

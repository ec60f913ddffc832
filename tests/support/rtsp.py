"""An RTSP server for tests, what its frames say, and a network between it and the camera that can stand still."""

import functools
import socket
import subprocess
import threading
from pathlib import Path

import numpy as np
import pytest

PYTHON = "/usr/bin/python3"
"""The system's, which sees Debian's GStreamer."""
_SERVER = Path(__file__).with_name("rtsp_server.py")
_CELL, _COLUMNS, _ROWS = 40, 8, 4
SIZE = (320, 240)

_NEEDED = """
import gi
for name in ("Gst", "GstRtsp", "GstRtspServer"):
    gi.require_version(name, "1.0")
from gi.repository import Gst, GstRtspServer
Gst.init(None)
assert all(map(Gst.ElementFactory.find, ("appsrc", "x264enc", "rtph264pay", "jpegenc", "rtpjpegpay")))
"""


@functools.cache
def _can_serve() -> bool:
    return Path(PYTHON).exists() and subprocess.run([PYTHON, "-c", _NEEDED], capture_output=True).returncode == 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class RtspServer:
    """rtsp://127.0.0.1:<port>/line; `auth` is ("basic" or "digest", user, password). Skips where it cannot be had."""

    def __init__(self, codec: str = "h264", auth: tuple[str, ...] = ()) -> None:
        if not _can_serve():
            pytest.skip("gir1.2-gst-rtsp-server-1.0 and GStreamer's plugins (base, good, ugly) are not installed")
        self.port, self._rest = free_port(), (codec, *auth)
        self.start()

    def start(self) -> None:
        command = [PYTHON, str(_SERVER), str(self.port), *self._rest]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None and self.process.stdout.readline() == "serving\n"

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()

    def address(self, who: str = "", path: str = "/line", port: int | None = None) -> str:
        return f"rtsp://{who}127.0.0.1:{port or self.port}{path}"

    def __enter__(self) -> "RtspServer":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()


def drawn_at(pixels: np.ndarray) -> float:
    """When the server drew this frame, seconds of the machine's monotonic clock, read off its coloured cells."""
    assert pixels.shape == (SIZE[1], SIZE[0], 3)
    half = _CELL // 2
    cells = pixels[half : _ROWS * _CELL : _CELL, half : _COLUMNS * _CELL : _CELL].astype(int)
    red, blue = cells[..., 0], cells[..., 2]
    assert (abs(red - blue) > 60).all()  # 240 and 40 one way, 40 and 200 the other
    return int("".join("1" if lit else "0" for lit in (red > blue).ravel()), 2) / 1000


class Network:
    """Passes on what comes to `port` to another one of this machine; while it is not `free`, nothing comes back."""

    def __init__(self, to: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port, self._to = int(self._listener.getsockname()[1]), to
        self.free = threading.Event()
        self.free.set()
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self.free.set()
        for line in (self._listener, *self._open):
            line.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._to))
            self._open += [near, far]
            for come, go, held in ((near, far, False), (far, near, True)):
                threading.Thread(target=self._pass, args=(come, go, held), daemon=True).start()

    def _pass(self, come: socket.socket, go: socket.socket, held: bool) -> None:
        try:
            while piece := come.recv(1 << 16):
                if held:
                    self.free.wait()
                go.sendall(piece)
            go.shutdown(socket.SHUT_WR)
        except OSError:
            return

"""The inference server as a process of its own, over raw sockets."""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tobo.kit import frames

MODEL = """
import time
from tobo.inference.invocations import Response
def handler(folder):
    def answer(request):
        if request.body == b"slow":
            time.sleep(0.5)
        return Response(200, request.body)
    return answer
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are too deep for a socket
        yield Path(made)


@pytest.fixture
def server(folder: Path, request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[bytes]]:
    """Its parameter is TOBO_ANSWER_SECONDS."""
    (folder / "served.py").write_text(MODEL)
    own = {"PYTHONPATH": str(folder), "TOBO_MODEL_SERVER": "served:handler", "TOBO_SOCKET": str(folder / "s")}
    argv = [sys.executable, "-c", "from tobo.inference.server import main; main()"]
    own |= {"TOBO_ML_ROOT": str(folder), "TOBO_ANSWER_SECONDS": getattr(request, "param", "60")}
    environment = os.environ | own
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as made:
        assert made.stdout is not None
        assert made.stdout.readline().startswith(b"Ready after ")
        yield made
        made.kill()


def connected(path: Path) -> socket.socket:
    asker = socket.socket(socket.AF_UNIX)
    asker.settimeout(20.0)
    asker.connect(str(path))
    return asker


def answers(asker: socket.socket, count: int) -> list[frames.Frame]:
    reader = frames.Reader()
    read: list[frames.Frame] = []
    while len(read) < count:
        data = asker.recv(1 << 16)
        assert data, f"closed after {read}"
        read += reader.feed(data)
    return read


def request(id: int, body: bytes) -> bytes:
    return frames.pack(id, frames.INVOCATIONS, ("text/plain", "*/*", ""), body)


def test_several_requests_on_one_connection(server: subprocess.Popen[bytes], folder: Path) -> None:
    with connected(folder / "s") as asker:
        asker.sendall(request(5, b"a") + request(6, b"b" * 300_000) + request(7, b""))
        read = answers(asker, 3)
    assert [(frame.id, frame.code, len(frame.body)) for frame in read] == [(5, 200, 1), (6, 200, 300_000), (7, 200, 0)]


@pytest.mark.parametrize("garbage", [b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64])
def test_garbage_closes_its_connection_only(server: subprocess.Popen[bytes], folder: Path, garbage: bytes) -> None:
    with connected(folder / "s") as good, connected(folder / "s") as bad:
        bad.sendall(garbage)
        assert bad.recv(1) == b""
        good.sendall(request(1, b"still here"))
        assert answers(good, 1)[0].body == b"still here"


def test_a_malformed_request_gets_a_500(server: subprocess.Popen[bytes], folder: Path) -> None:
    with connected(folder / "s") as asker:
        asker.sendall(frames.pack(1, frames.INVOCATIONS, ("only one text",)))
        assert answers(asker, 1)[0].code == 500


def test_a_half_request_that_is_given_up(server: subprocess.Popen[bytes], folder: Path) -> None:
    with connected(folder / "s") as asker:
        asker.sendall(request(1, b"x" * 1000)[:500])
    with connected(folder / "s") as asker:
        asker.sendall(request(2, b"whole"))
        assert answers(asker, 1)[0].body == b"whole"


def test_pings_are_answered_while_the_model_works(server: subprocess.Popen[bytes], folder: Path) -> None:
    with connected(folder / "s") as asker:
        asker.sendall(request(1, b"slow"))
        time.sleep(0.1)
        with connected(folder / "s.ping") as pinger:
            pinger.sendall(frames.pack(3, frames.PING))
            assert answers(pinger, 1)[0].code == 200
        asker.setblocking(False)
        with pytest.raises(BlockingIOError):
            asker.recv(1)
        asker.settimeout(20.0)
        assert answers(asker, 1)[0].body == b"slow"


@pytest.mark.parametrize("server", ["-59.8"], indirect=True)  # stuck after 0.2 s
def test_pings_are_refused_while_one_request_holds_the_model_for_too_long(
    server: subprocess.Popen[bytes], folder: Path
) -> None:
    with connected(folder / "s") as asker:
        asker.sendall(request(1, b"slow"))
        refused = frames.Frame(0, 200, [], b"")
        while refused.code == 200:
            with connected(folder / "s.ping") as pinger:
                pinger.sendall(frames.pack(3, frames.PING))
                [refused] = answers(pinger, 1)
        assert (refused.code, refused.body) == (503, b"One request has held the model for more than 0.2 s.")
        assert answers(asker, 1)[0].body == b"slow"


def test_sigterm_answers_what_was_asked_and_ends_well(server: subprocess.Popen[bytes], folder: Path) -> None:
    with connected(folder / "s") as asker:
        asker.sendall(request(1, b"slow") + request(2, b"too"))
        time.sleep(0.1)
        server.send_signal(signal.SIGTERM)
        read = answers(asker, 3)
        assert [(frame.id, frame.body) for frame in read if frame.code == 200] == [(1, b"slow"), (2, b"too")]
        assert [frame.id for frame in read if frame.code == frames.CLOSING] == [0]
        asker.sendall(request(3, b"late, but on its way"))
        assert answers(asker, 1)[0].body == b"late, but on its way"
        assert not (folder / "s").exists()
    assert server.wait(20) == 0

"""Answers in parts, from a replica's process over raw sockets."""

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
import pathlib, time
from tobo.inference.invocations import Response, refusal
def parts(count, size, told):
    try:
        for number in range(count):
            told.write_text(str(number))
            yield b"%d" % (number % 10) * size
            if size == 13:
                raise ValueError("thirteen is too many")
    finally:
        told.write_text("closed")
def handler(folder):
    def answer(request):
        word, *numbers = request.body.decode().split()
        if word == "parts":
            return Response(200, parts(*map(int, numbers), folder.parent / "told"), "text/x-parts", "of me")
        if word == "refused":
            return Response(418, iter([b"a ", b"teapot"]), "text/plain")
        return Response(200, request.body)
    return answer
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as made:  # pytest's own folders are too deep for a socket
        yield Path(made)


@pytest.fixture
def server(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    (folder / "served.py").write_text(MODEL)
    own = {"PYTHONPATH": str(folder), "TOBO_MODEL_SERVER": "served:handler", "TOBO_SOCKET": str(folder / "s")}
    argv = [sys.executable, "-c", "from tobo.inference.server import main; main()"]
    environment = os.environ | own | {"TOBO_ML_ROOT": str(folder)}
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE) as made:
        assert made.stdout is not None
        assert made.stdout.readline().startswith(b"Ready after ")
        yield made
        made.kill()


def ask(folder: Path, body: bytes, code: int = frames.STREAM) -> socket.socket:
    asker = socket.socket(socket.AF_UNIX)
    asker.settimeout(20.0)
    asker.connect(str(folder / "s"))
    asker.sendall(frames.pack(1, code, ("text/plain", "*/*", ""), body))
    return asker


def answer(asker: socket.socket) -> list[frames.Frame]:
    """All frames up to the one that ends the answer."""
    reader = frames.Reader()
    read: list[frames.Frame] = []
    with asker:
        while not read or read[-1].code == frames.PART:
            data = asker.recv(1 << 20)
            assert data, f"closed after {len(read)} frames"
            read += reader.feed(data)
    return read


def told(folder: Path, sentence: str) -> None:
    """Waits until the model's generator says so."""
    deadline = time.monotonic() + 20
    while (folder / "told").read_text() != sentence:
        assert time.monotonic() < deadline, (folder / "told").read_text()
        time.sleep(0.01)


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (b"parts 3 4", [(frames.PART, b"0000"), (frames.PART, b"1111"), (frames.PART, b"2222"), (200, b"")]),
        (b"parts 0 4", [(200, b"")]),
        (b"parts 3 13", [(frames.PART, b"0" * 13), (500, b"thirteen is too many")]),
        (b"parts 3", [(500, b"parts() missing 1 required positional argument: 'told'")]),
        (b"refused", [(418, b"a teapot")]),
        (b"whole", [(200, b"whole")]),
    ],
)
def test_a_stream(folder: Path, asked: bytes, expected: list[tuple[int, bytes]]) -> None:
    read = answer(ask(folder, asked))
    assert [(frame.code, frame.body) for frame in read] == expected
    if read[0].code == frames.PART:
        assert read[0].texts == ["text/x-parts", "of me"]


@pytest.mark.usefixtures("server")
@pytest.mark.parametrize(
    ("asked", "code", "body"),
    [(b"parts 3 4", 200, b"000011112222"), (b"parts 3 13", 500, b"thirteen is too many"), (b"parts 0 1", 200, b"")],
)
def test_who_asks_for_no_stream_gets_it_whole(folder: Path, asked: bytes, code: int, body: bytes) -> None:
    [frame] = answer(ask(folder, asked, frames.INVOCATIONS))
    assert (frame.code, frame.body) == (code, body)


@pytest.mark.usefixtures("server")
def test_nothing_is_made_that_nobody_reads_and_others_are_answered(folder: Path) -> None:
    slow = ask(folder, b"parts 1000 1000000")
    assert answer(ask(folder, b"other", frames.INVOCATIONS))[0].body == b"other"
    assert int((folder / "told").read_text()) < 20
    slow.close()
    told(folder, "closed")


@pytest.mark.usefixtures("server")
def test_hanging_up_ends_the_generator(folder: Path) -> None:
    asker = ask(folder, b"parts 1000000 10")
    assert asker.recv(1)
    asker.close()
    told(folder, "closed")
    assert answer(ask(folder, b"parts 1 1"))[0].body == b"0"


def test_sigterm_lets_a_stream_end(server: subprocess.Popen[bytes], folder: Path) -> None:
    asker = ask(folder, b"parts 40 1000000")
    assert asker.recv(1, socket.MSG_PEEK)
    server.send_signal(signal.SIGTERM)
    read = answer(asker)
    assert len(read) == 41 and read[-1].code == 200
    assert server.wait(20) == 0

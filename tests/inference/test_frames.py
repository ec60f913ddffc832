"""kit/frames.py: what pack writes, Reader reads, however the stream is cut."""

import pytest

from tobo.kit import frames
from tobo.kit.frames import Frame

MESSAGES = [
    Frame(1, frames.PING, [""], b""),
    Frame(0xFFFFFFFF, frames.INVOCATIONS, ["image/jpeg", "*/*", "größe=1"], bytes(range(256)) * 300),
    Frame(7, 424, ["text/plain", ""], b"no"),
]


@pytest.mark.parametrize("step", [1, 5, 12, 13, 4096, 1 << 20])
def test_any_cut_reads_the_same(step: int) -> None:
    stream = b"".join(frames.pack(m.id, m.code, tuple(m.texts), m.body) for m in MESSAGES)
    reader = frames.Reader()
    read = [frame for at in range(0, len(stream), step) for frame in reader.feed(stream[at : at + step])]
    assert read == MESSAGES


def test_the_layout_is_as_documented() -> None:
    packed = frames.pack(258, 200, ("a", "b"), b"xyz")
    assert packed == b"\0\0\0\3" + b"\0\0\1\2" + b"\0\xc8" + b"\0\3" + b"a\0b" + b"xyz"


def test_a_stream_of_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="longer than"):
        frames.Reader().feed(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    with pytest.raises(ValueError, match="65535"):
        frames.pack(1, 200, ("x" * 70000,))

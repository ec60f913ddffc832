r"""Frames between a gateway and a replica: a 12-byte header, a few texts, a body of bytes. Stdlib only.

    body length u32 | id u32 | code u16 | length of the texts u16 | texts, UTF-8, separated by \0 | body
    (big-endian)

A request's `code` is PING, INVOCATIONS or STREAM, its texts are content type, accept, custom attributes and, where
there are several models, the name of the one that shall answer. An answer has the request's id, the HTTP status as its
`code`, and the texts content type and custom attributes. Ids are the asker's: several requests may be outstanding on
one connection, and answers may come in any order. CLOSING (id 0) is a replica's notice that it will end: what was sent
is still answered, new requests belong elsewhere, and the asker closes the connection when it has its answers.

A STREAM has a connection of its own, whose flow control is the stream's. Its answer may begin with any number of PART
frames, texts as in an answer; a frame with a status and no texts that matter ends them, 200 where all is well. Who asked
closes the connection whenever it wants no more.
"""

import struct
from typing import NamedTuple

PING, INVOCATIONS, CLOSING, STREAM, PART = 1, 2, 3, 4, 5
LONGEST_BODY = 1 << 30

_HEADER = struct.Struct("!IIHH")
_SIZE = _HEADER.size


class Frame(NamedTuple):
    """One message."""

    id: int
    code: int
    texts: list[str]
    body: bytes


def pack(id: int, code: int, texts: tuple[str, ...] = (), body: bytes = b"") -> bytes:
    """The bytes of one frame; raises ValueError where the texts are longer than 65,535 bytes."""
    joined = "\0".join(texts).encode()
    if len(joined) > 0xFFFF:
        raise ValueError(f"the texts of a frame take {len(joined)} bytes, more than 65535")
    return b"".join((_HEADER.pack(len(body), id, code, len(joined)), joined, body))


class Reader:
    """Cuts a stream into frames."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._needed = _SIZE

    def feed(self, data: bytes) -> list[Frame]:
        """The frames that `data` completes. Raises ValueError where the stream is none of ours."""
        if self._held:
            self._held += data
            if len(self._held) < self._needed:
                return []
            data = bytes(self._held)
            self._held.clear()
        frames: list[Frame] = []
        at, have, needed = 0, len(data), _SIZE
        while have - at >= _SIZE:
            length, id, code, text_length = _HEADER.unpack_from(data, at)
            if length > LONGEST_BODY:
                raise ValueError(f"a frame of {length} bytes is longer than {LONGEST_BODY}")
            body_at = at + _SIZE + text_length
            end = body_at + length
            if end > have:
                needed = end - at
                break
            texts = data[at + _SIZE : body_at].decode().split("\0")
            frames.append(Frame(id, code, texts, data[body_at:end]))
            at = end
        if at < have:
            self._held += data[at:]
            self._needed = needed
        return frames

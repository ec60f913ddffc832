"""aws-chunked: takes the framing off a streamed body and verifies the signature of each chunk. No I/O.

Format: S3 API Reference, "Signature Calculations for the Authorization Header: Transferring Payload in Multiple Chunks"
and "... Including Trailing Headers".
"""

import hashlib
import hmac
from dataclasses import dataclass, field

from tobo.gateway.signature import Claim, Refused
from tobo.kit.fault import Fault

SIGNED = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
SIGNED_TRAILER = "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER"
UNSIGNED_TRAILER = "STREAMING-UNSIGNED-PAYLOAD-TRAILER"
KINDS = (SIGNED, SIGNED_TRAILER, UNSIGNED_TRAILER)

_EMPTY = hashlib.sha256(b"").hexdigest()
_MAX_LINE = 8 << 10


@dataclass
class Chunks:
    """Feed it the framed bytes; it gives the body's. `finished` once the last chunk (and the trailer) came.

    `kind` is the x-amz-content-sha256 header. Raises Fault IncompleteBody where the framing is wrong, Refused where a
    chunk's signature is.
    """

    kind: str
    key: bytes
    claim: Claim
    trailer: dict[str, str] = field(default_factory=dict)
    size: int = 0
    finished: bool = False

    def __post_init__(self) -> None:
        self._signed = self.kind != UNSIGNED_TRAILER
        self._previous = self.claim.signature
        self._buffer = bytearray()
        self._left = -1  # bytes of the chunk still to come, then 0 for its line end; -1: a chunk's first line is due
        self._last = False
        self._chunk_signature = ""
        self._hash = hashlib.sha256()

    def feed(self, data: bytes) -> bytes:
        """The body's bytes in `data`; what is incomplete waits for the next call."""
        self._buffer += data
        pieces: list[bytes] = []
        while not self.finished:
            if self._left > 0:
                if not self._buffer:
                    break
                pieces.append(self._take())
            elif self._left == 0 and not self._last:
                if len(self._buffer) < 2:
                    break
                self._end_chunk()
            else:
                line = self._line()
                if line is None:
                    break
                if self._last:
                    self._trailer_line(line)
                else:
                    self._start_chunk(line)
        return b"".join(pieces)

    def _take(self) -> bytes:
        piece = bytes(self._buffer[: self._left])
        del self._buffer[: self._left]
        self._left -= len(piece)
        self.size += len(piece)
        if self._signed:
            self._hash.update(piece)
        return piece

    def _line(self) -> bytes | None:
        at = self._buffer.find(b"\r\n")
        if at > _MAX_LINE or (at < 0 and len(self._buffer) > _MAX_LINE):
            raise _torn("a line of the chunk framing is too long")
        if at < 0:
            return None
        line = bytes(self._buffer[:at])
        del self._buffer[: at + 2]
        return line

    def _start_chunk(self, line: bytes) -> None:
        size, _, extension = line.partition(b";")
        if not size or len(size) > 16 or size.strip(b"0123456789abcdefABCDEF"):
            raise _torn(f"'{line[:40].decode('latin-1')}' is no chunk size")
        self._left = int(size, 16)
        name, _, signature = extension.strip().partition(b"=")
        self._chunk_signature = signature.decode("latin-1") if name == b"chunk-signature" else ""
        if self._left == 0:
            self._last = True
            self._check_chunk()

    def _end_chunk(self) -> None:
        if self._buffer[:2] != b"\r\n":
            raise _torn("a chunk is longer than its size says")
        del self._buffer[:2]
        self._check_chunk()
        self._left = -1

    def _check_chunk(self) -> None:
        if not self._signed:
            return
        claim = self.claim
        text = "\n".join(
            (
                "AWS4-HMAC-SHA256-PAYLOAD",
                claim.timestamp,
                claim.scope,
                self._previous,
                _EMPTY,
                self._hash.hexdigest(),
            )
        )
        self._check(text, self._chunk_signature, "a chunk")
        self._hash = hashlib.sha256()

    def _trailer_line(self, line: bytes) -> None:
        if line:
            name, _, value = line.decode("latin-1").partition(":")
            if len(self.trailer) >= 32:
                raise Fault("MalformedTrailerError", "The trailer has more than 32 headers.")
            self.trailer[name.strip().lower()] = value.strip()
            return
        signature = self.trailer.pop("x-amz-trailer-signature", "")
        if self.kind == SIGNED_TRAILER:
            block = "".join(f"{name}:{value}\n" for name, value in self.trailer.items())
            digest = hashlib.sha256(block.encode("latin-1")).hexdigest()
            claim = self.claim
            text = "\n".join(("AWS4-HMAC-SHA256-TRAILER", claim.timestamp, claim.scope, self._previous, digest))
            self._check(text, signature, "the trailer")
        self.finished = True

    def _check(self, text: str, signature: str, what: str) -> None:
        expected = hmac.digest(self.key, text.encode("latin-1"), "sha256").hex()
        if not hmac.compare_digest(expected.encode(), signature.encode("latin-1")):
            raise Refused("mismatch", f"The signature of {what} does not match the one we calculated.")
        self._previous = expected


def _torn(why: str) -> Fault:
    return Fault("IncompleteBody", f"The aws-chunked body is broken: {why}.")

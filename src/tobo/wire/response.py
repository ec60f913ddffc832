"""Response: one HTTP answer, ready to be sent."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from tobo.wire.body import FileBody


@dataclass(frozen=True)
class Response:
    """`headers` have Content-Length wherever the length is known."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes | FileBody | AsyncIterator[bytes]

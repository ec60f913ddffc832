"""Answers into one output object, in the order of its records."""

import os
import tempfile
from pathlib import Path
from typing import IO

import orjson

from tobo.resources.transform_jobs.processing import BadRecord, Processing
from tobo.resources.transform_jobs.splitting import Batch
from tobo.wire.body import SPOOL_LIMIT, Body


class Output:
    """What has been assembled so far, `size` bytes: in memory when small, in a file of `temporary` when large."""

    def __init__(self, temporary: Path, lines: bool) -> None:
        self._temporary = temporary
        self._lines = lines
        self._parts: list[bytes] = []
        self.size = 0
        self._file: IO[bytes] | None = None
        self._path: Path | None = None

    def add(self, piece: bytes) -> None:
        """AssembleWith Line ends each piece with a newline; None puts them behind one another as they are."""
        if self._lines and not piece.endswith(b"\n"):
            piece += b"\n"
        self.size += len(piece)
        if self._file is not None:
            self._file.write(piece)
            return
        self._parts.append(piece)
        if self.size > SPOOL_LIMIT:
            descriptor, name = tempfile.mkstemp(dir=self._temporary)
            self._file, self._path = os.fdopen(descriptor, "wb"), Path(name)
            self._file.writelines(self._parts)
            self._parts.clear()

    def body(self) -> Body:
        """All of it; nothing can be added afterwards."""
        if self._file is None:
            return Body(self.size, data=b"".join(self._parts))
        self._file.close()
        return Body(self.size, path=self._path)

    def discard(self) -> None:
        """Removes the file, if nobody has taken it."""
        if self._file is not None and self._path is not None:
            self._file.close()
            self._path.unlink(missing_ok=True)


def pieces(processing: Processing, batch: Batch, answer: bytes, content_type: str) -> list[bytes]:
    """What a batch's answer adds to the output. Raises BadRecord.

    Without a filter or a join the answer itself; with one a piece for each record, for which the answer must have a
    line for each.
    """
    if not processing.touches_output:
        return [answer]
    if len(batch.sources) == 1:
        return [processing.outgoing(batch.sources[0], answer, content_type)]
    lines = [line for line in answer.splitlines() if line.strip()]
    if len(lines) != len(batch.sources):
        raise BadRecord(
            f"The model answered {len(lines)} lines to {len(batch.sources)} records, which cannot be told apart; use "
            "BatchStrategy SingleRecord."
        )
    both = zip(batch.sources, lines, strict=True)
    return [processing.outgoing(source, line, content_type) for source, line in both]


def error_line(number: int, status: int, message: str) -> bytes:
    """What stands in an output made of lines where a record was refused."""
    return orjson.dumps({"error": {"record": number, "status": status, "message": message}})

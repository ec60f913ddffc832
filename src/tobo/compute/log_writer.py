"""Bytes of a pipe become time-stamped lines of a log file (kit/log_lines.py)."""

import contextlib
import os
import time
from pathlib import Path

from tobo.kit.log_lines import write_line

_LONGEST = 256 * 1024
"""Bytes of one event, CloudWatch Logs' limit for long; a longer line is cut into several events."""
_BACKLOG = 1 << 20
"""Bytes that are kept for a disk that is full at the moment."""


class LogWriter:
    """Appends to one log file. A full disk does not end the job: what it refuses is tried again, and dropped if too much."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._rest = b""
        self._unwritten = bytearray()

    def feed(self, chunk: bytes) -> None:
        """Writes the lines that `chunk` completes, all with the time of now; the rest waits for its newline."""
        *lines, rest = (self._rest + chunk).split(b"\n")
        while len(rest) >= _LONGEST:
            lines.append(rest[:_LONGEST])
            rest = rest[_LONGEST:]
        self._rest = rest
        if lines:
            self._write(lines)

    def close(self) -> None:
        """Writes a last line that had no newline; returns when the disk has it all."""
        if self._rest:
            self._write([self._rest])
            self._rest = b""
        with contextlib.suppress(OSError):
            os.fsync(self.descriptor)
        os.close(self.descriptor)

    def _write(self, lines: list[bytes]) -> None:
        now = int(time.time() * 1000)
        for line in lines:
            for start in range(0, max(1, len(line)), _LONGEST):
                event = line[start : start + _LONGEST].decode("utf-8", "backslashreplace")
                self._unwritten += write_line(now, event)
        try:
            while self._unwritten:
                del self._unwritten[: os.write(self.descriptor, self._unwritten)]
        except OSError:
            if len(self._unwritten) > _BACKLOG:  # the first line stays: its beginning may be in the file
                del self._unwritten[self._unwritten.index(b"\n") + 1 :]

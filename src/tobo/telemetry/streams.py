"""One log stream's file: whole lines in time order, found by bisecting bytes, so that the file is its own index."""

import heapq
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from tobo.kit.log_lines import read_line, write_line, written
from tobo.telemetry.base import LogEvent

_BLOCK = 64 << 10
_SEARCH = 4 << 20
_SCAN = 4 << 10
"""Below this many bytes a bisection gives way to reading the lines one after the other."""


class StreamReader:
    """An open stream, read as it was long when it was opened. A torn last line is not part of it yet."""

    def __init__(self, path: Path) -> None:
        self.file = os.open(path, os.O_RDONLY)
        self.size = self._whole(os.fstat(self.file).st_size)

    def __enter__(self) -> "StreamReader":
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.file)

    def forward(self, position: int, stop: int) -> Iterator[LogEvent]:
        """Events that begin from byte `position` to before byte `stop`, oldest first."""
        for at, line in self._lines(self._align(position), min(stop, self.size)):
            event = _event(at, line)
            if event is not None:
                yield event

    def containing(self, text: str, position: int, stop: int) -> Iterator[LogEvent]:
        """Those of `forward` whose message holds `text`: only lines that hold its bytes are read as events."""
        needle, at, stop = written(text), self._align(position), min(stop, self.size)
        while at < stop:
            block = os.pread(self.file, min(_SEARCH, self.size - at), at)
            end = block.rfind(b"\n") + 1
            if not end:  # a line longer than a block
                end = self._align(at + 1) - at
                block = os.pread(self.file, end, at)
            found = block.find(needle, 0, end)
            while found >= 0:
                begin, over = block.rfind(b"\n", 0, found) + 1, block.find(b"\n", found) + 1
                if at + begin >= stop:
                    return
                event = _event(at + begin, block[begin:over])
                if event is not None and text in event.message:
                    yield event
                found = block.find(needle, over, end)
            at += end

    def backward(self, position: int, stop: int) -> Iterator[LogEvent]:
        """Events before byte `position` that begin at or after byte `stop` (a line's start), newest first."""
        high = self._align(min(position, self.size))
        rest = b""
        while high > stop:
            low = max(stop, high - _BLOCK)
            block = os.pread(self.file, high - low, low) + rest
            # What comes before the first line's end belongs to a line that begins in an earlier block.
            first = 0 if low == stop else block.find(b"\n") + 1
            end = len(block)
            while end > first:
                begin = max(block.rfind(b"\n", first, end - 1) + 1, first)
                event = _event(low + begin, block[begin:end])
                if event is not None:
                    yield event
                end = begin
            rest, high = block[:first], low

    def seek(self, timestamp: int) -> int:
        """The position of the first event that is not older than `timestamp`; O(log size)."""
        low, high = 0, self.size
        while high - low > _SCAN:
            middle = (low + high) // 2
            found = next(self.forward(middle, high), None)
            if found is None:
                high = middle
            elif found.timestamp < timestamp:
                low = found.end
            else:
                high = middle
        for event in self.forward(low, self.size):
            if event.timestamp >= timestamp:
                return event.position
        return self.size

    def first(self) -> LogEvent | None:
        return next(self.forward(0, self.size), None)

    def last(self) -> LogEvent | None:
        return next(self.backward(self.size, 0), None)

    def _lines(self, position: int, stop: int) -> Iterator[tuple[int, bytes]]:
        """(offset, line without newline) of the lines that begin in [position, stop); `position` is a line's start."""
        at, rest, ahead = position, b"", _SCAN
        while at < stop:
            block = os.pread(self.file, min(ahead, self.size - at - len(rest)), at + len(rest))
            if not block:
                return
            ahead = min(4 * ahead, _BLOCK)  # a bisection wants one line, a reader many
            *lines, rest = (rest + block).split(b"\n")
            for line in lines:
                if at >= stop:
                    return
                yield at, line
                at += len(line) + 1

    def _align(self, position: int) -> int:
        """`position`, or the start of the next line where it is in the midst of one."""
        if position <= 0:
            return 0
        at = position - 1
        while at < self.size:
            block = os.pread(self.file, min(_SCAN, self.size - at), at)
            if not block:
                break
            newline = block.find(b"\n")
            if newline >= 0:
                return at + newline + 1
            at += len(block)
        return self.size

    def _whole(self, size: int) -> int:
        """Bytes up to the last newline among the first `size`."""
        while size > 0:
            low = max(0, size - _SCAN)
            newline = os.pread(self.file, size - low, low).rfind(b"\n")
            if newline >= 0:
                return low + newline + 1
            size = low
        return 0


def merge(path: Path, events: Sequence[tuple[int, str]]) -> None:
    """Puts events (sorted by time) into the file, behind those of the same time; rewrites it where they are late.

    The new file takes the old one's place in one rename: not for a file that another process holds open to append to.
    """
    with StreamReader(path) as stream:
        late = events[0][0]
        last = stream.last()
        if last is None or late >= last.timestamp:
            append(path, events)
            return
        kept = stream.seek(late)
        tail = ((event.timestamp, event.message) for event in stream.forward(kept, stream.size))
        fresh = path.with_suffix(".merging")
        with fresh.open("wb") as out:
            for at in range(0, kept, _BLOCK):
                out.write(os.pread(stream.file, min(_BLOCK, kept - at), at))
            out.writelines(write_line(*event) for event in heapq.merge(tail, events, key=lambda event: event[0]))
    fresh.replace(path)


def append(path: Path, events: Sequence[tuple[int, str]]) -> None:
    """Adds the events' lines at the end, in one write, closing a torn line that a dead writer left."""
    data = b"".join(write_line(*event) for event in events)
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        size = os.fstat(file).st_size
        if size and os.pread(file, 1, size - 1) != b"\n":
            data = b"\n" + data
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
    finally:
        os.close(file)


def _event(position: int, line: bytes) -> LogEvent | None:
    """The event of a line; None where the line is none (a writer was killed in the midst of it)."""
    try:
        timestamp, message = read_line(line)
    except ValueError:
        return None
    return LogEvent(timestamp, message, position, position + len(line.rstrip(b"\n")) + 1)

"""Trail: who did what, one JSON line a record in a file a day, each sealed to the one before it.

A line is `{"sha256":"<a>","previous":"<b>",<members>}`: b is the previous record's a (64 zeros in the first), and a the
SHA-256 of everything behind it: of `"previous":...` to the end of the line. Whoever changes, adds, moves or takes away a
record breaks the chain from there on; records that are cut off at its very end leave no trace.

Guaranteed: a record is in the kernel when `append` returns, so that kill -9 does not lose it. A power cut may lose what
the kernel has not written yet (seconds); a line that it tore is taken off at the next start. Any thread may call.
"""

import hashlib
import logging
import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any, NamedTuple

import orjson

log = logging.getLogger("tobo")

GENESIS = "0" * 64

_HEAD = re.compile(rb'\{"sha256":"([0-9a-f]{64})","previous":"([0-9a-f]{64})",')
_SEALED = len('{"sha256":"') + 64 + len('",')
"""Where in a line that begins which its hash seals."""

_BLOCK = 1 << 18


class Place(NamedTuple):
    """Where a record begins: its file's day (YYYY-MM-DD) and the byte in it."""

    day: str
    offset: int


class Broken(NamedTuple):
    """The first record at which the chain does not hold."""

    file: str
    line: int
    why: str


class Trail:
    """The records in `folder`; one process at a time writes there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._lock = Lock()
        self._file = -1
        self._day = ""
        self._last = GENESIS
        if days := self.days():
            self._resume(days)

    def append(self, at: float, members: Mapping[str, Any]) -> None:
        """Writes a record of what happened at `at` (epoch seconds). A disk that takes nothing more is logged."""
        body = orjson.dumps(members)
        with self._lock:
            sealed = b'"previous":"' + self._last.encode() + b'",' + body[1:]
            own = hashlib.sha256(sealed).hexdigest()
            line = b'{"sha256":"' + own.encode() + b'",' + sealed + b"\n"
            try:
                self._open(max(f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}", self._day))
                end = os.fstat(self._file).st_size
                written = os.write(self._file, line)
            except OSError as error:
                log.error("the audit log cannot be written: %s", error)
                return
            if written < len(line):
                os.ftruncate(self._file, end)
                log.error("the audit log cannot be written: the disk is full")
                return
            self._last = own

    def newest(self, before: Place | None = None, first_day: str = "", last_day: str = "9999") -> Iterator["Line"]:
        """Lines from the youngest on, of the days from first_day to last_day; those in front of `before` where given."""
        for day in reversed(self.days()):
            if not first_day <= day <= last_day or (before is not None and day > before.day):
                continue
            end = before.offset if before is not None and day == before.day else None
            yield from _backward(self.folder / f"{day}.jsonl", day, end)

    def days(self) -> list[str]:
        """Those that have a file, the oldest first."""
        return sorted(path.stem for path in self.folder.glob("????-??-??.jsonl"))

    def close(self) -> None:
        with self._lock:
            if self._file >= 0:
                os.fsync(self._file)
                os.close(self._file)
                self._file = -1

    def _open(self, day: str) -> None:
        if day == self._day and self._file >= 0:
            return
        file = os.open(self.folder / f"{day}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        before, self._file, self._day = self._file, file, day
        if before >= 0:
            try:
                os.fsync(before)
            finally:
                os.close(before)

    def _resume(self, days: list[str]) -> None:
        """Goes on behind the last whole record."""
        self._day = days[-1]
        for day in reversed(days):
            path = self.folder / f"{day}.jsonl"
            whole = _whole_size(path)
            if whole < path.stat().st_size:
                log.warning("the audit log's last line in %s was torn; it is taken off", path)
                os.truncate(path, whole)
            line = next(_backward(path, day, None), None)
            if line is not None:
                found = _HEAD.match(line.text)
                self._last = found[1].decode() if found else hashlib.sha256(line.text).hexdigest()
                return


class Line(NamedTuple):
    """One record as it is written, without its line's end."""

    place: Place
    text: bytes

    @property
    def members(self) -> dict[str, Any]:
        """Raises ValueError where somebody has put in what is none."""
        found: dict[str, Any] = orjson.loads(self.text)
        return found


def verify(folder: Path) -> tuple[int, Broken | None]:
    """How many records hold, from the first on, and where the chain breaks; (0, None) where there are none."""
    previous, count = GENESIS, 0
    for path in sorted(folder.glob("????-??-??.jsonl")):
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                why = _fault_of(line, previous)
                if why:
                    return count, Broken(str(path), number, why)
                previous = line[11:75].decode()
                count += 1
    return count, None


def _fault_of(line: bytes, previous: str) -> str:
    head = _HEAD.match(line)
    if head is None or not line.endswith(b"\n"):
        return "this is no whole record"
    if hashlib.sha256(line[_SEALED:-1]).hexdigest().encode() != head[1]:
        return "the record was changed: it does not have its own SHA-256"
    if head[2].decode() != previous:
        return "the record before it is not the one that it was sealed to: one was changed, added, moved or taken away"
    return ""


def _whole_size(path: Path) -> int:
    """Bytes up to the end of the last whole line."""
    with path.open("rb") as file:
        end = file.seek(0, os.SEEK_END)
        while end > 0:
            start = max(end - _BLOCK, 0)
            file.seek(start)
            found = file.read(end - start).rfind(b"\n")
            if found >= 0:
                return start + found + 1
            end = start
    return 0


def _backward(path: Path, day: str, end: int | None) -> Iterator[Line]:
    """Whole lines of a file, the last first, that begin in front of byte `end`."""
    with path.open("rb") as file:
        at = _whole_size(path) if end is None else min(end, _whole_size(path))
        rest = b""
        while at > 0:
            start = max(at - _BLOCK, 0)
            file.seek(start)
            block = file.read(at - start) + rest
            lines = block.split(b"\n")
            rest = lines[0] if start > 0 else b""
            place = start + len(block)
            for number in range(len(lines) - 1, 0 if start > 0 else -1, -1):
                place -= len(lines[number])
                if lines[number]:
                    yield Line(Place(day, place), lines[number])
                place -= 1
            at = start

"""What has to go home, on disk until it is there: events in segments, frames one by one; bounded, whatever the network does.

    outbox/events/<20 digits>.jsonl   a segment; its name is below all ids in it. The highest is open, the others are sealed
    outbox/frames/<20 digits>.jpg     a frame under the id of the event that tells of it, with a .json beside it

An event has an id that is never given twice on this device; a sealed segment never changes. The house stores a segment
under its name, so that sending it twice, because an answer was lost or the power went, changes nothing there. Where the
bound is reached the oldest frames go first, then the oldest events; what is dropped is counted and told.
"""

import json
import logging
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from tobo.edge.cloud import Home
from tobo.edge.durable import Disk, replace_file

log = logging.getLogger(__name__)

SEAL_BYTES = 128 << 10
"""A segment is sealed at this size at the latest."""

Event = Mapping[str, Any]


class Outbox:
    """Written by one thread and sent by another. No method but `send` raises: a full disk must not stop the line."""

    def __init__(
        self, folder: Path, limit: int, disk: Disk | None = None, now: Callable[[], float] = time.time
    ) -> None:
        """At most about `limit` bytes stay on the disk; `now` gives epoch seconds.

        Raises OSError where the folder cannot be made or read.
        """
        self._limit, self._disk, self._now = limit, disk or Disk(), now
        self._events, self._frames = folder / "events", folder / "frames"
        for path in (folder, self._events, self._frames):
            self._disk.make_folder(path)
        for path in (folder, folder.parent):
            self._disk.sync_folder(path)
        self._lock = threading.RLock()
        found = [path for path in self._events.glob("*.jsonl") if path.stem.isdigit()]
        self._segments = {int(path.stem): path.stat().st_size for path in found}
        self._pictures = self._measure_frames()
        self.dropped_events = 0
        self.dropped_frames = 0
        self._told = 0, 0
        if self._segments:
            self._open = max(self._segments)
            # The one before, too: where it could not be sealed, it has later ids than the name of the last.
            self._next = max(self._repair(first) for first in sorted(self._segments)[-2:])
        else:
            # A device that has lost its disk must not give an id a second time.
            self._next = int(self._now() * 1e6)
            self._open = self._next
            self._begin_segment()

    @property
    def size(self) -> int:
        """Bytes on the disk, waiting."""
        with self._lock:
            return sum(self._segments.values()) + sum(self._pictures.values())

    @property
    def waiting(self) -> int:
        """Sealed segments and frames that wait for the network."""
        return len(self._segments) - 1 + len(self._pictures)

    def append(self, events: Iterable[Event]) -> list[int]:
        """Writes events and gives their ids; they are safe once this returns. [] where the disk did not take them."""
        with self._lock:
            events = list(events)
            dropped, drops = (self.dropped_events, self.dropped_frames), self._drops()
            told = [*drops, *events]
            if not told:
                return []
            ids = list(range(self._next, self._next + len(told)))
            lines = b"".join(
                json.dumps({"id": id, **event}, separators=(",", ":")).encode() + b"\n"
                for id, event in zip(ids, told, strict=True)
            )
            if not self._write_lines(lines):
                self._count_drops(events=len(events))
                return []
            self._told = dropped
            self._next += len(told)
            if self._segments[self._open] >= SEAL_BYTES:
                self._seal()
            return ids[len(drops) :]

    def keep(self, id: int, jpeg: bytes, about: Mapping[str, Any]) -> bool:
        """Keeps a frame under the id of its event; False where there is no room for it."""
        with self._lock:
            described = json.dumps(about, indent=1).encode()
            size = len(jpeg) + len(described)
            if not self._make_room(size, frames_only=True):
                self._count_drops(frames=1)
                return False
            try:
                for ending, data in ((".json", described), (".jpg", jpeg)):
                    replace_file(self._disk, self._frames / f"{id:020d}{ending}", data)
            except OSError as error:
                log.warning("a frame could not be kept: %s", error)
                self._forget_frame(id)
                self._count_drops(frames=1)
                return False
            self._pictures[id] = size
            return True

    def send(self, home: Home, base: str) -> None:
        """Everything, oldest events first, below `base` (s3://bucket/prefix/), and lets go of what the house has.

        Raises Offline and Denied; the rest waits for the next time.
        """
        while (segment := self._next_segment()) is not None:
            first, data = segment
            if data:
                home.put(f"{base}events/{first:020d}.jsonl", data, "application/x-ndjson")
            with self._lock:
                self._gone(first)
        for id in sorted(self._pictures):
            if (frame := self._read_frame(id)) is not None:
                described, jpeg = frame
                home.put(f"{base}frames/{id:020d}.json", described, "application/json")
                home.put(f"{base}frames/{id:020d}.jpg", jpeg, "image/jpeg")
                with self._lock:
                    self._forget_frame(id)

    def _next_segment(self) -> tuple[int, bytes] | None:
        """The oldest sealed segment; the open one is sealed when there is no other."""
        with self._lock:
            if len(self._segments) == 1 and self._segments[self._open] and not self._seal():
                return None
            first = min(self._segments)
            if first == self._open:
                return None
            try:
                return first, (self._events / f"{first:020d}.jsonl").read_bytes()
            except OSError as error:
                log.error("segment %d is lost: %s", first, error)
                self._gone(first)
                return self._next_segment()

    def _gone(self, first: int) -> None:
        if self._segments.pop(first, None) is not None:
            self._remove(self._events / f"{first:020d}.jsonl")

    def _write_lines(self, lines: bytes) -> bool:
        path = self._events / f"{self._open:020d}.jsonl"
        if not self._make_room(len(lines)):
            return False
        for attempt in range(4):
            try:
                self._disk.append(path, lines)
                self._disk.sync(path)
                self._segments[self._open] += len(lines)
                return True
            except OSError as error:
                self._cut_back(path)
                # The disk is full before our bound is: frames make room.
                if attempt == 3 or not self._drop_oldest_frames(len(lines) * 2**attempt + 4096):
                    log.warning("%d bytes of events could not be written: %s", len(lines), error)
                    return False
        return False

    def _cut_back(self, path: Path) -> None:
        """Half a line must not stay before the next one."""
        try:
            self._disk.truncate(path, self._segments[self._open])
        except OSError as error:
            log.warning("%s: %s", path, error)

    def _seal(self) -> bool:
        """The open segment changes no more; False where the disk does not take a new one."""
        before = self._open
        self._open = self._next
        try:
            self._begin_segment()
        except OSError as error:
            log.warning("no new segment: %s", error)
            self._segments.pop(self._open, None)
            self._remove(self._events / f"{self._open:020d}.jsonl")
            self._open = before
            return False
        return True

    def _begin_segment(self) -> None:
        path = self._events / f"{self._open:020d}.jsonl"
        self._disk.write(path, b"")
        self._disk.sync(path)
        self._disk.sync_folder(self._events)
        self._segments[self._open] = 0

    def _repair(self, first: int) -> int:
        """Cuts off what the power has torn; the next id."""
        path = self._events / f"{first:020d}.jsonl"
        data = path.read_bytes()
        whole, next_id = 0, first
        for line in data.splitlines(keepends=True):
            try:
                id = int(json.loads(line)["id"])
            except (ValueError, KeyError, TypeError):
                break
            if not line.endswith(b"\n") or id < next_id:
                break
            whole, next_id = whole + len(line), id + 1
        if whole < len(data):
            self._disk.truncate(path, whole)
            self._disk.sync(path)
        self._segments[first] = whole
        return next_id

    def _make_room(self, size: int, frames_only: bool = False) -> bool:
        """Drops the oldest until `size` bytes fit below the bound."""
        missing = self.size + size - self._limit
        if missing > 0:
            missing -= self._drop_oldest_frames(missing)
        while missing > 0 and not frames_only:
            oldest = min(self._segments)
            if oldest == self._open and (not self._segments[oldest] or not self._seal()):
                return False
            missing -= self._segments[oldest]
            self._count_drops(events=self._lines(oldest))
            self._gone(oldest)
        return missing <= 0

    def _lines(self, first: int) -> int:
        try:
            return (self._events / f"{first:020d}.jsonl").read_bytes().count(b"\n")
        except OSError as error:
            log.warning("nobody knows how many events are lost: %s", error)
            return 0

    def _drop_oldest_frames(self, size: int) -> int:
        """At least `size` bytes of them, if there are so many; how many bytes it were."""
        freed = 0
        for id in sorted(self._pictures):
            if freed >= size:
                break
            freed += self._pictures[id]
            self._forget_frame(id)
            self._count_drops(frames=1)
        return freed

    def _forget_frame(self, id: int) -> None:
        self._pictures.pop(id, None)
        for ending in (".jpg", ".json", ".jpg.new", ".json.new"):
            self._remove(self._frames / f"{id:020d}{ending}")

    def _remove(self, path: Path) -> None:
        try:
            self._disk.remove(path)
        except OSError as error:
            log.warning("%s: %s", path, error)

    def _read_frame(self, id: int) -> tuple[bytes, bytes] | None:
        """Its description and its picture; None where the power has taken a part of it."""
        with self._lock:
            stem = self._frames / f"{id:020d}"
            try:
                return stem.with_suffix(".json").read_bytes(), stem.with_suffix(".jpg").read_bytes()
            except OSError:
                self._forget_frame(id)
                return None

    def _measure_frames(self) -> dict[int, int]:
        sizes: dict[int, int] = {}
        for path in self._frames.iterdir():
            if path.suffix == ".new":
                self._disk.remove(path)
            elif path.stem.isdigit():
                sizes[int(path.stem)] = sizes.get(int(path.stem), 0) + path.stat().st_size
        return sizes

    def _count_drops(self, events: int = 0, frames: int = 0) -> None:
        self.dropped_events += events
        self.dropped_frames += frames

    def _drops(self) -> list[Event]:
        """What was dropped since it was last told."""
        events, frames = self.dropped_events - self._told[0], self.dropped_frames - self._told[1]
        return [{"at": self._now(), "kind": "dropped", "events": events, "frames": frames}] if events or frames else []

"""FileLogs: log groups are folders, streams are files in them, each with a card that tells its true name and birth."""

import json
import os
import shutil
import threading
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from hashlib import blake2s
from itertools import islice
from pathlib import Path
from urllib.parse import quote

from tobo.kit.arn import Namespace
from tobo.kit.clock import Clock, SystemClock
from tobo.kit.fault import Fault
from tobo.telemetry.base import LogEvent, LogGroup, LogStream
from tobo.telemetry.streams import StreamReader, append, merge

_LONGEST = 180
"""Characters of an encoded name that go into a file name; file systems take 255 bytes."""
_GROUP_CARD = ".group.json"


@dataclass(frozen=True)
class _Card:
    """What a file name cannot tell. `process`: a process holds the stream's file open, so it is never replaced."""

    name: str
    created: int
    process: bool = False


class FileLogs:
    """telemetry/base.py's Logs under `root`: `<account>/<region>/<group>/<stream>.log`, names percent-encoded."""

    def __init__(self, root: Path, clock: Clock | None = None) -> None:
        self._root = root
        self._clock = clock or SystemClock()
        self._writing = threading.Lock()
        root.mkdir(parents=True, exist_ok=True)
        for remains in root.glob(".deleted-*"):
            shutil.rmtree(remains, ignore_errors=True)

    def create_group(self, space: Namespace, group: str) -> None:
        if not self._make_group(space, group):
            raise Fault("ResourceAlreadyExistsException", f"The log group '{group}' already exists.")

    def check_group(self, space: Namespace, group: str) -> None:
        self._known_group(space, group)

    def create_stream(self, space: Namespace, group: str, stream: str) -> None:
        card = self._known_group(space, group) / f"{_file_name(stream)}.json"
        if not self._make_stream(card, _Card(stream, self._now())):
            raise Fault("ResourceAlreadyExistsException", f"The log stream '{stream}' of '{group}' already exists.")

    def stream_file(self, space: Namespace, group: str, stream: str) -> Path:
        self._make_group(space, group)
        card = self._folder(space, group) / f"{_file_name(stream)}.json"
        if not self._make_stream(card, _Card(stream, self._now(), process=True)):
            known = _read_card(card)
            if known is not None and not known.process:
                _write_card(card, replace(known, process=True), over=True)
        return card.with_suffix(".log")

    def groups(self, space: Namespace, prefix: str = "") -> list[LogGroup]:
        found = []
        for folder in _entries(self._space(space), prefix):
            card = _read_card(Path(folder.path, _GROUP_CARD))
            if card is not None and card.name.startswith(prefix):
                with suppress(FileNotFoundError):  # deleted meanwhile
                    logs = [entry for entry in _entries(Path(folder.path)) if entry.name.endswith(".log")]
                    found.append(LogGroup(card.name, card.created, sum(entry.stat().st_size for entry in logs)))
        return sorted(found)

    def streams(self, space: Namespace, group: str, prefix: str = "") -> list[LogStream]:
        found = []
        for entry in _entries(self._known_group(space, group), prefix):
            if not entry.name.endswith(".log"):
                continue
            card = _read_card(Path(entry.path).with_suffix(".json"))
            if card is not None and card.name.startswith(prefix):
                # A stream that is deleted meanwhile is left out.
                with suppress(FileNotFoundError), StreamReader(Path(entry.path)) as stream:
                    first, last = stream.first(), stream.last()
                    times = (first.timestamp if first else None, last.timestamp if last else None)
                    found.append(LogStream(card.name, card.created, *times, stream.size))
        return sorted(found, key=lambda stream: stream.name)

    def append(self, space: Namespace, group: str, stream: str, events: Sequence[tuple[int, str]]) -> None:
        log, card = self._known_stream(space, group, stream)
        if not events:
            return
        ordered = sorted(events, key=lambda event: event[0])
        with self._writing:
            if not log.exists():
                raise _no_stream(group, stream)
            if not card.process:
                merge(log, ordered)
                return
            with _opened(log, group, stream) as reader:
                last = reader.last()
            earliest = last.timestamp if last else 0
            append(log, [(max(at, earliest), message) for at, message in ordered])

    def read(
        self,
        space: Namespace,
        group: str,
        stream: str,
        position: int | None = None,
        limit: int = 10_000,
        start: int | None = None,
        end: int | None = None,
        backward: bool = False,
        size: int = 1 << 20,
        containing: str = "",
    ) -> list[LogEvent]:
        log, _ = self._known_stream(space, group, stream)
        with _opened(log, group, stream) as reader:
            low = 0 if start is None else reader.seek(start)
            high = reader.size if end is None else reader.seek(end)
            before = high if position is None else min(position, high)
            if backward:
                events = reader.backward(before, low)
            elif containing:
                events = reader.containing(containing, max(position or 0, low), high)
            else:
                events = reader.forward(max(position or 0, low), high)
            found = list(_at_most(islice(events, limit), size))
        return found[::-1] if backward else found

    def expire(self, space: Namespace, group: str, before: int) -> None:
        with self._writing:
            for entry in _entries(self._known_group(space, group)):
                if entry.name.endswith(".log"):
                    with StreamReader(Path(entry.path)) as stream:
                        last = stream.last()
                    if last is not None and last.timestamp < before:
                        os.truncate(entry.path, 0)  # in place: a process may still hold the file open

    def delete_stream(self, space: Namespace, group: str, stream: str) -> None:
        log, _ = self._known_stream(space, group, stream)
        with self._writing:
            log.with_suffix(".json").unlink(missing_ok=True)
            log.unlink(missing_ok=True)

    def delete_group(self, space: Namespace, group: str) -> None:
        remains = self._root / f".deleted-{uuid.uuid4().hex}"
        with self._writing:
            self._known_group(space, group).rename(remains)
        shutil.rmtree(remains, ignore_errors=True)

    def _now(self) -> int:
        return int(self._clock.now() * 1000)

    def _space(self, space: Namespace) -> Path:
        return self._root / space.account / space.region

    def _folder(self, space: Namespace, group: str) -> Path:
        return self._space(space) / _file_name(group)

    def _make_group(self, space: Namespace, group: str) -> bool:
        folder = self._folder(space, group)
        folder.mkdir(parents=True, exist_ok=True)
        return _write_card(folder / _GROUP_CARD, _Card(group, self._now()))

    def _make_stream(self, path: Path, card: _Card) -> bool:
        """Log, then card: a stream with a card has a log. False where it is there."""
        with self._writing:
            if path.exists():
                return False
            path.with_suffix(".log").write_bytes(b"")  # what a server killed in a deletion left is not this stream's
            return _write_card(path, card)

    def _known_group(self, space: Namespace, group: str) -> Path:
        folder = self._folder(space, group)
        if not (folder / _GROUP_CARD).exists():
            raise Fault("ResourceNotFoundException", f"The log group '{group}' does not exist in {space.region}.")
        return folder

    def _known_stream(self, space: Namespace, group: str, stream: str) -> tuple[Path, _Card]:
        path = self._known_group(space, group) / f"{_file_name(stream)}.json"
        card = _read_card(path)
        if card is None:
            raise _no_stream(group, stream)
        return path.with_suffix(".log"), card


def _opened(log: Path, group: str, stream: str) -> StreamReader:
    try:
        return StreamReader(log)
    except FileNotFoundError:  # deleted since its card was read
        raise _no_stream(group, stream) from None


def _no_stream(group: str, stream: str) -> Fault:
    return Fault("ResourceNotFoundException", f"The log stream '{stream}' does not exist in group '{group}'.")


def _file_name(name: str) -> str:
    """Percent-encoded; a long name is cut and told apart by its digest. Never starts with a dot."""
    encoded = _encoded(name)
    if len(encoded) <= _LONGEST:
        return encoded
    return f"{encoded[:_LONGEST]}~{blake2s(name.encode(), digest_size=8).hexdigest()}"


def _encoded(name: str) -> str:
    encoded = quote(name, safe="")
    return "%2E" + encoded[1:] if encoded.startswith(".") else encoded


def _entries(folder: Path, prefix: str = "") -> list[os.DirEntry[str]]:
    """Entries whose names may start with `prefix`; none where there is no such folder."""
    start = _encoded(prefix)[:_LONGEST]
    try:
        with os.scandir(folder) as entries:
            return [entry for entry in entries if entry.name.startswith(start)]
    except FileNotFoundError:
        return []


def _write_card(path: Path, card: _Card, over: bool = False) -> bool:
    """Writes a card whole or not at all; False where one is there (unless `over`)."""
    if path.exists() and not over:
        return False
    fresh = path.with_name(f".{uuid.uuid4().hex}")
    fresh.write_text(json.dumps(asdict(card)))
    try:
        if over:
            fresh.replace(path)
        else:
            path.hardlink_to(fresh)
    except FileExistsError:
        return False
    finally:
        fresh.unlink(missing_ok=True)
    return True


def _read_card(path: Path) -> _Card | None:
    try:
        return _Card(**json.loads(path.read_bytes()))
    except FileNotFoundError:
        return None


def _at_most(events: Iterable[LogEvent], size: int) -> Iterator[LogEvent]:
    """The first events, one at least, whose lines have no more than `size` bytes in all."""
    for count, event in enumerate(events):
        size -= event.end - event.position
        if size < 0 and count:
            return
        yield event

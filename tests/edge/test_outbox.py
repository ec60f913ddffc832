"""The outbox: nothing is lost or doubled within the bound, whatever the network, the power and the disk do."""

import contextlib
import errno
import json
import random
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.support.house import OUTPUT, house
from tests.support.memory_home import MemoryHome
from tests.support.powercut import PowerCut, RecordingDisk

from tobo.edge import enrolment
from tobo.edge.cloud import Cloud, Offline
from tobo.edge.durable import Disk
from tobo.edge.outbox import Outbox

BASE = "s3://fleet/out/line/line-1/"


class QuickDisk(Disk):
    """Does not wait for the test machine's own disk: no power is cut here."""

    def sync(self, path: Path) -> None:
        pass

    def sync_folder(self, path: Path) -> None:
        pass


def events_of(home: MemoryHome) -> list[dict[str, Any]]:
    """All events at home, by id; two of one id are an error."""
    found: dict[int, dict[str, Any]] = {}
    for uri, body in home.objects.items():
        if "/events/" in uri:
            for line in body.splitlines():
                event = json.loads(line)
                assert event["id"] not in found
                found[event["id"]] = event
    return [found[id] for id in sorted(found)]


def send(outbox: Outbox, home: MemoryHome) -> None:
    """Until all is sent, however often the answer is lost."""
    while True:
        with contextlib.suppress(Offline):
            outbox.send(home, BASE)
            return


def test_events_and_frames_come_home(tmp_path: Path) -> None:
    outbox, home = Outbox(tmp_path / "outbox", 10_000_000), MemoryHome()
    ids = outbox.append([{"n": 0}, {"n": 1}])
    assert outbox.keep(ids[1], b"jpeg", {"why": "margin"})
    assert ids[1] == ids[0] + 1 and outbox.waiting == 1
    outbox.send(home, BASE)
    assert events_of(home) == [{"id": ids[0], "n": 0}, {"id": ids[1], "n": 1}]
    assert home.objects[f"{BASE}frames/{ids[1]:020d}.jpg"] == b"jpeg"
    assert json.loads(home.objects[f"{BASE}frames/{ids[1]:020d}.json"]) == {"why": "margin"}
    assert outbox.size == 0
    puts = home.puts
    outbox.send(home, BASE)
    assert home.puts == puts


def test_they_come_home_over_the_wire(tmp_path: Path) -> None:
    outbox = Outbox(tmp_path / "outbox", 10_000_000)
    with house(tmp_path / "house") as made:
        outbox.keep(*outbox.append([{"n": 0}]), b"jpeg", {})
        outbox.send(Cloud(enrolment.read(made.enrolment)), OUTPUT)
        assert [key.rsplit("/", 2)[1] for key in made.puts] == ["events", "frames", "frames"]


def test_ids_go_on_where_they_were(tmp_path: Path) -> None:
    home, seen = MemoryHome(), []
    for start in range(5):
        outbox = Outbox(tmp_path / "outbox", 10_000_000, now=lambda: 1000.0)
        seen += outbox.append([{"n": start}])
        if start % 2:
            outbox.send(home, BASE)
    assert seen == list(range(seen[0], seen[0] + 5))
    outbox.send(home, BASE)
    assert [event["n"] for event in events_of(home)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize("torn", [b'{"id": 99', b"\0\0\0\0", b'{"id": 99}', b"\xff\n", b'[]\n{"id": 99, "n": 9}\n'])
def test_what_the_power_has_torn_is_cut_off(tmp_path: Path, torn: bytes) -> None:
    outbox = Outbox(tmp_path / "outbox", 10_000_000)
    first = outbox.append([{"n": 0}])[0]
    (segment,) = (tmp_path / "outbox" / "events").iterdir()
    segment.write_bytes(segment.read_bytes() + torn)
    outbox, home = Outbox(tmp_path / "outbox", 10_000_000), MemoryHome()
    assert outbox.append([{"n": 1}]) == [first + 1]
    outbox.send(home, BASE)
    assert [event["n"] for event in events_of(home)] == [0, 1]


def test_seven_days_without_a_network(tmp_path: Path) -> None:
    """An event a minute and a frame every ten, restarts every night; then a network that loses every third answer."""
    home = MemoryHome(lossy=0.33)
    outbox = Outbox(tmp_path / "outbox", 50_000_000, QuickDisk(), home.now)
    home.online = False
    for minute in range(7 * 24 * 60):
        home.at += 60
        (id,) = outbox.append([{"n": minute, "kind": "counts"}])
        if minute % 10 == 0:
            outbox.keep(id, b"x" * 500, {"n": minute})
        if minute % 5 == 0:
            with pytest.raises(Offline):
                outbox.send(home, BASE)
        if minute % 1440 == 700:
            outbox = Outbox(tmp_path / "outbox", 50_000_000, QuickDisk(), home.now)
    home.online = True
    send(outbox, home)
    assert [event["n"] for event in events_of(home)] == list(range(7 * 24 * 60))
    assert sum(uri.endswith(".jpg") for uri in home.objects) == 7 * 24 * 6
    assert (outbox.dropped_events, outbox.dropped_frames, outbox.size) == (0, 0, 0)


def test_the_disk_is_bounded_and_frames_go_before_events(tmp_path: Path) -> None:
    outbox, home = Outbox(tmp_path / "outbox", 400_000, QuickDisk()), MemoryHome()
    for number in range(1000):
        (id,) = outbox.append([{"n": number}])
        assert outbox.keep(id, b"x" * 2000, {})
        assert outbox.size <= 400_000
    assert outbox.dropped_events == 0 and outbox.dropped_frames > 700
    outbox.send(home, BASE)
    kept = sorted(uri for uri in home.objects if uri.endswith(".jpg"))
    assert len(kept) == 1000 - outbox.dropped_frames
    events = [event for event in events_of(home) if "n" in event]
    assert [event["n"] for event in events] == list(range(1000))
    told = [event for event in events_of(home) if event.get("kind") == "dropped"]
    assert sum(event["frames"] for event in told) in (outbox.dropped_frames, outbox.dropped_frames - 1)


def test_beyond_the_bound_the_oldest_events_go_and_are_counted(tmp_path: Path) -> None:
    outbox, home = Outbox(tmp_path / "outbox", 300_000, QuickDisk()), MemoryHome()
    total = 20_000
    for number in range(0, total, 10):
        outbox.append([{"n": number + more, "text": "x" * 20} for more in range(10)])
    on_disk = sum(path.stat().st_size for path in (tmp_path / "outbox").rglob("*") if path.is_file())
    assert on_disk <= 300_000 and outbox.dropped_events > 10_000
    outbox.send(home, BASE)
    left = [event["n"] for event in events_of(home) if "n" in event]
    dropped = sum(event["events"] for event in events_of(home) if event.get("kind") == "dropped")
    assert left == list(range(total - len(left), total))
    assert outbox.dropped_events >= total - len(left)  # a notice of drops may be dropped, too
    assert dropped > 0


class Worn(QuickDisk):
    """Takes writes, and from time to time fails to sync a folder or to remove a file."""

    broken = False

    def sync_folder(self, path: Path) -> None:
        if self.broken:
            raise OSError(errno.EIO, "Input/output error")

    def remove(self, path: Path) -> None:
        if self.broken:
            raise OSError(errno.EIO, "Input/output error")
        super().remove(path)


def test_ids_stay_unique_where_a_segment_could_not_be_sealed(tmp_path: Path) -> None:
    disk, home = Worn(), MemoryHome()
    outbox = Outbox(tmp_path / "outbox", 1_000_000, disk)
    seen = outbox.append([{"n": 0}])
    disk.broken = True
    outbox.send(home, BASE)
    assert home.objects == {}
    seen += outbox.append([{"n": 1}, {"n": 2}])
    disk.broken = False
    (tmp_path / "outbox" / "events" / "notes.txt").write_text("not ours")
    (tmp_path / "outbox" / "frames" / "notes.jpg").write_text("not ours")
    outbox = Outbox(tmp_path / "outbox", 1_000_000, disk)
    seen += outbox.append([{"n": 3}])
    outbox.send(home, BASE)
    assert len(set(seen)) == 4 and [event["n"] for event in events_of(home)] == [0, 1, 2, 3]


class SmallDisk(QuickDisk):
    """Has room for so many bytes more; a removed file gives its own back."""

    def __init__(self, room: int) -> None:
        self.room = room

    def write(self, path: Path, data: bytes) -> None:
        self._take(len(data))
        super().write(path, data)

    def append(self, path: Path, data: bytes) -> None:
        if len(data) > self.room:
            super().append(path, data[: self.room])  # as a full disk does: half a line is there
        self._take(len(data))
        super().append(path, data)

    def remove(self, path: Path) -> None:
        self.room += path.stat().st_size if path.exists() else 0
        super().remove(path)

    def _take(self, size: int) -> None:
        if size > self.room:
            raise OSError(errno.ENOSPC, "No space left on device")
        self.room -= size


def test_a_full_disk_drops_frames_then_events_and_recovers(tmp_path: Path) -> None:
    disk, home = SmallDisk(30_000), MemoryHome()
    outbox = Outbox(tmp_path / "outbox", 10_000_000, disk)
    written: list[int] = []
    for number in range(400):
        ids = outbox.append([{"n": number, "text": "x" * 200}])
        written += [number] if ids else []
        for id in ids:
            outbox.keep(id, b"x" * 1000, {})
    assert written[:100] == list(range(100)) and 0 < outbox.dropped_events < 400
    assert outbox.dropped_frames > 0
    disk.room = 10_000_000
    outbox.append([{"n": 400}])
    outbox.send(home, BASE)
    events = events_of(home)
    assert [event["n"] for event in events if "n" in event] == [*written, 400]
    assert sum(event["events"] for event in events if event.get("kind") == "dropped") == outbox.dropped_events
    assert outbox.size == 0


def test_a_power_cut_at_every_step(tmp_path: Path) -> None:
    """What append has returned is never lost, no id comes twice, and what was sent is never contradicted."""

    def work(folder: Path, disk: Disk, home: MemoryHome, safe: list[int], start: int) -> None:
        outbox = Outbox(folder, 100_000, disk, now=lambda: 1.0)
        for number in range(start, start + 6):
            (id,) = outbox.append([{"n": number}])
            safe.append(number)
            outbox.keep(id, b"jpeg%d" % number, {"n": number})
            if number % 3 == 2:
                outbox.send(home, BASE)

    counting = RecordingDisk(_made(tmp_path / "count"))
    work(tmp_path / "count" / "o", counting, MemoryHome(), [], 0)
    cuts = 0
    for step in range(counting.deeds + 1):
        for seed in range(3):
            rng = random.Random(step * 10 + seed)
            home, safe = MemoryHome(), []
            disk = RecordingDisk(_made(tmp_path / "a"), cut_at=step)
            with contextlib.suppress(PowerCut):
                work(tmp_path / "a" / "o", disk, home, safe, 0)
            disk = RecordingDisk(disk.leave(tmp_path / "b", rng), cut_at=rng.randrange(40))
            with contextlib.suppress(PowerCut):
                work(tmp_path / "b" / "o", disk, home, safe, 100)
            left = disk.leave(tmp_path / "c", rng)
            outbox = Outbox(left / "o", 100_000, RecordingDisk(left), now=lambda: 1.0)
            outbox.append([{"n": 200}])
            outbox.send(home, BASE)
            came = [event["n"] for event in events_of(home)]
            assert set(safe) <= set(came) and len(came) == len(set(came)) and came[-1] == 200
            for uri, body in home.objects.items():
                if uri.endswith(".jpg"):
                    assert body == b"jpeg%d" % json.loads(home.objects[uri.replace(".jpg", ".json")])["n"]
            cuts += 1
    assert cuts >= 200


def _made(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder

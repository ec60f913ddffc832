"""The power goes at every step of an update, and what was not synced is lost: there is always one complete version."""

import contextlib
import hashlib
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.support.compiled_model import bundle, proving
from tests.support.powercut import PowerCut, RecordingDisk

from tobo.edge import download as downloads
from tobo.edge.download import discard, download
from tobo.edge.durable import Disk
from tobo.edge.slots import Slots, Source

KEY = Ed25519PrivateKey.generate()


def slots_in(folder: Path, disk: Disk | None = None) -> Slots:
    return Slots(folder, proving(KEY), disk)


def source(archive: Path, deployment: str) -> Source:
    return Source(deployment, hashlib.sha1(archive.read_bytes()).hexdigest())


def blocks(archive: Path, offset: int) -> Iterator[bytes]:
    data = archive.read_bytes()
    assert offset <= len(data)
    for at in range(offset, len(data), 700):
        yield data[at : at + 700]


def update(slots: Slots, archive: Path, deployment: str, then: str) -> None:
    """A whole update: start, download, install, switch, and what becomes of the trial."""
    slots.start()
    told = source(archive, deployment)
    file = download(slots.disk, slots.folder, "s3://a/b", told.checksum, lambda _, offset: blocks(archive, offset))
    slot, _ = slots.install(file, told)
    slots.switch(slot)
    discard(slots.disk, slots.folder)
    if then == "confirm":
        slots.confirm()
    else:
        slots.roll_back("It was ill.")
        slots.start()


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return [bundle(tmp_path_factory.mktemp("bundles") / f"v{number}", KEY, number) for number in (1, 2, 3)]


@pytest.fixture(scope="module")
def device(tmp_path_factory: pytest.TempPathFactory, archives: list[Path]) -> Path:
    """A device with version 1 in its other slot and version 2 sorting: both are confirmed."""
    folder = tmp_path_factory.mktemp("device")
    slots = slots_in(folder)
    for archive, name in zip(archives[:2], ("first", "second"), strict=True):
        update(slots, archive, name, "confirm")
    return folder


@pytest.mark.parametrize(("then", "seeds"), [("confirm", 2), ("roll back", 1)])
def test_a_cut_at_every_step(
    tmp_path: Path, device: Path, archives: list[Path], then: str, seeds: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloads, "SYNC_BYTES", 1500)
    whole = shutil.copytree(device, tmp_path / "whole")
    disk = RecordingDisk(whole)
    update(slots_in(whole, disk), archives[2], "third", then)
    steps, outcomes = disk.deeds, Counter[int]()
    for step in range(steps + 1):
        for seed in range(seeds):
            rng = random.Random(1000 * step + seed)
            running = shutil.copytree(device, tmp_path / "running")
            disk = RecordingDisk(running, cut_at=step)
            with contextlib.suppress(PowerCut):
                update(slots_in(running, disk), archives[2], "third", then)
            left = disk.leave(tmp_path / "left", rng)
            outcomes[check_and_finish(left, archives[2], tmp_path, rng)] += 1
            shutil.rmtree(running)
    cuts = outcomes.total()
    print(f"{cuts} cuts at {steps} steps; sorting afterwards: {dict(outcomes)}")
    assert cuts == (steps + 1) * seeds and cuts >= 100 * seeds and set(outcomes) == {2, 3}


def check_and_finish(left: Path, archive: Path, tmp_path: Path, rng: random.Random) -> int:
    """The sequence that sorts after the cut; the power goes a second time, and the update is tried again to its end."""
    disk = RecordingDisk(left, cut_at=rng.randrange(60))
    try:
        slots = slots_in(left, disk)
        slots.start()
        if not slots.state.trial and "third" not in slots.state.refused:
            update(slots, archive, "third", "confirm")
    except PowerCut:
        pass
    again = disk.leave(tmp_path / "again", rng)
    slots = slots_in(again, RecordingDisk(again))  # without waiting for the test machine's own disk
    started = slots.start()
    assert started is not None, "no version is whole"
    slot, _ = started  # verified and probed by start
    assert slot.manifest.sequence in (2, 3)
    assert slots.state.slot == slot.name
    if slots.state.trial:
        slots.confirm()
    elif slot.manifest.sequence == 2 and "third" not in slots.state.refused:
        update(slots, archive, "third", "confirm")
        started = slots.start()
        assert started is not None and started[0].manifest.sequence == 3
    assert not (again / "incoming").exists()
    return slot.manifest.sequence


def test_an_agent_that_does_not_sync_is_caught(tmp_path: Path, device: Path, archives: list[Path]) -> None:
    """The test itself can fail: without syncs the matrix finds a device without a whole version."""

    class Careless(RecordingDisk):
        def sync(self, path: Path) -> None:
            pass

    broken = 0
    for seed in range(40):
        running = shutil.copytree(device, tmp_path / f"running-{seed}")
        disk = Careless(running)
        update(slots_in(running, disk), archives[2], "third", "confirm")
        update(slots_in(running, disk), archives[2], "fourth", "confirm")
        started = slots_in(disk.leave(tmp_path / f"left-{seed}", random.Random(seed))).start()
        broken += started is None
    assert broken > 0

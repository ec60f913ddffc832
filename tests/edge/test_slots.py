"""Two slots: what comes into them, what is refused, and what is fallen back to."""

import hashlib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.support.compiled_model import bundle, proving

from tobo.edge.slots import MAX_STARTS, Refused, Slot, Slots, Source

KEY = Ed25519PrivateKey.generate()


@pytest.fixture
def slots(tmp_path: Path) -> Slots:
    return again(tmp_path)


def again(tmp_path: Path) -> Slots:
    """The agent starts anew."""
    return Slots(tmp_path / "slots", proving(KEY))


def install(slots: Slots, archive: Path, deployment: str, switch: bool = True) -> Slot:
    slot, _ = slots.install(archive, Source(deployment, hashlib.sha1(archive.read_bytes()).hexdigest()))
    if switch:
        slots.switch(slot)
    return slot


def two_versions(slots: Slots, tmp_path: Path) -> None:
    for sequence in (1, 2):
        install(slots, bundle(tmp_path / f"v{sequence}", KEY, sequence), f"d{sequence}")
        slots.confirm()


def sequence(slots: Slots) -> int | None:
    started = slots.start()
    return started[0].manifest.sequence if started else None


def test_versions_take_turns_in_two_slots(slots: Slots, tmp_path: Path) -> None:
    assert slots.start() is None
    names = []
    for number in (1, 2, 3):
        names.append(install(slots, bundle(tmp_path / f"v{number}", KEY, number), f"d{number}").name)
        assert slots.state.trial == (number > 1)  # the first one has nothing to fall back to
        slots.confirm()
        assert sequence(again(tmp_path)) == number
    assert names == ["a", "b", "a"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: bundle(path, Ed25519PrivateKey.generate(), 3), "by none of the keys"),
        (lambda path: bundle(path, KEY, 3, account="999999999999"), "belongs to account 999999999999"),
        (lambda path: bundle(path, KEY, 3, target="jetson_nano"), "compiled for 'jetson_nano'"),
        (lambda path: bundle(path, KEY, 1), "has sequence 1, this device has 2 already"),
    ],
)
def test_a_bundle_that_is_not_for_this_device_is_refused_and_remembered(slots, tmp_path, make, message) -> None:  # type: ignore[no-untyped-def]
    two_versions(slots, tmp_path)
    with pytest.raises(Refused, match=message):
        install(slots, make(tmp_path / "bad"), "bad")
    assert message in again(tmp_path).state.refused["bad"]
    assert sequence(slots) == 2 and not (tmp_path / "slots" / "incoming").exists()


def test_an_archive_that_is_none_or_another_one_is_refused(slots: Slots, tmp_path: Path) -> None:
    (tmp_path / "x.tar.gz").write_bytes(b"no archive")
    with pytest.raises(Refused, match="cannot be read"):
        install(slots, tmp_path / "x.tar.gz", "x")
    with pytest.raises(Refused, match="The archive's SHA-1 is not 00"):
        slots.install(tmp_path / "x.tar.gz", Source("y", "00"))


def test_the_same_sequence_may_come_again(slots: Slots, tmp_path: Path) -> None:
    two_versions(slots, tmp_path)
    install(slots, tmp_path / "v2.tar.gz", "d3")
    assert slots.state.trial


def test_a_trial_that_is_ill_falls_back(slots: Slots, tmp_path: Path) -> None:
    two_versions(slots, tmp_path)
    install(slots, bundle(tmp_path / "v3", KEY, 3), "d3")
    slots.roll_back("It rejected everything.")
    assert sequence(slots) == 2 and not slots.state.trial
    assert again(tmp_path).state.refused == {"d3": "It rejected everything."}
    install(slots, bundle(tmp_path / "v4", KEY, 4), "d4")
    assert sequence(again(tmp_path)) == 4


def test_a_trial_that_takes_the_agent_down_falls_back(slots: Slots, tmp_path: Path) -> None:
    two_versions(slots, tmp_path)
    install(slots, bundle(tmp_path / "v3", KEY, 3), "d3")
    found = [sequence(again(tmp_path)) for _ in range(MAX_STARTS + 1)]
    assert found == [3] * MAX_STARTS + [2]
    assert "without getting it confirmed" in again(tmp_path).state.refused["d3"]


def test_nothing_is_installed_during_a_trial(slots: Slots, tmp_path: Path) -> None:
    two_versions(slots, tmp_path)
    install(slots, bundle(tmp_path / "v3", KEY, 3), "d3")
    with pytest.raises(OSError, match="on trial"):
        install(slots, bundle(tmp_path / "v4", KEY, 4), "d4")
    assert "d4" not in slots.state.refused
    assert slots.read("a").manifest.sequence == 3 and slots.read("b").manifest.sequence == 2


@pytest.mark.parametrize("victim", ["manifest.json", "model.onnx", "golden/scores.json"])
def test_a_slot_that_rots_gives_way_to_the_other(slots: Slots, tmp_path: Path, victim: str) -> None:
    two_versions(slots, tmp_path)
    file = tmp_path / "slots" / "b" / victim
    whole = file.read_bytes()
    file.write_bytes(b"rot")
    assert sequence(again(tmp_path)) == 1
    file.write_bytes(whole)  # it was the reading that failed, that day
    assert sequence(again(tmp_path)) == 2


@pytest.mark.parametrize("left", [None, b"", b"[]", b'{"slot": "b"}'])
def test_without_its_notes_the_newest_whole_version_sorts(slots: Slots, tmp_path: Path, left: bytes | None) -> None:
    two_versions(slots, tmp_path)
    notes = tmp_path / "slots" / "current.json"
    notes.unlink() if left is None else notes.write_bytes(left)
    assert sequence(again(tmp_path)) == 2
    (tmp_path / "slots" / "b" / "model.onnx").unlink()
    notes.unlink(missing_ok=True)
    assert sequence(again(tmp_path)) == 1

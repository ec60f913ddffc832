"""From a deployment at the house to a version that sorts: fetched, proved, on trial, kept or given back, reported."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from tests.support.compiled_model import bundle, proving
from tests.support.house import House, house
from tests.support.memory_home import MemoryHome

from tobo.edge import download, enrolment
from tobo.edge.classifier import Classifier
from tobo.edge.cloud import Cloud, Offline
from tobo.edge.decision import Decision
from tobo.edge.health import Limits
from tobo.edge.records import Record
from tobo.edge.slots import Slot, Slots
from tobo.edge.updater import Updater, wanted_of

LIMITS = Limits(decisions=10)


class Device:
    """The part of an agent that updates it."""

    def __init__(self, home: House, folder: Path) -> None:
        self.home, self.folder = home, folder
        self.told: list[dict[str, Any]] = []
        self.boot()

    def boot(self) -> None:
        enrolled = enrolment.read(self.home.enrolment)
        self.slots = Slots(self.folder, proving(self.home.key))
        self.cloud = Cloud(enrolled, timeout=5)
        self.active: Slot | None = None
        self.updater = Updater(self.slots, self.cloud, self.activate, self.tell, LIMITS)
        self.updater.start()

    def activate(self, slot: Slot, classifier: Classifier) -> None:
        self.active = slot

    def tell(self, kind: str, **members: Any) -> None:
        self.told.append({"kind": kind, **members})

    def sort(self, parts: int, fault: str | None = None) -> None:
        for _ in range(parts):
            assert self.active is not None
            blame = "model" if fault else None
            decision = Decision("ko", "failed") if fault else Decision("ok", "class", "ok", 0.9, 0.8)
            self.updater.note(Record(1, 0.0, decision, None, 0.01, self.active.digest, fault, blame))  # type: ignore[arg-type]

    @property
    def sequence(self) -> int | None:
        return self.active.manifest.sequence if self.active else None

    def results(self) -> list[tuple[str, str, str]]:
        told = [beat["DeploymentResult"] for beat in self.home.heartbeats if "DeploymentResult" in beat]
        return [(one["DeploymentName"], one["DeploymentStatus"], one["DeploymentStatusMessage"]) for one in told]


@pytest.fixture
def device(tmp_path: Path) -> Iterator[Device]:
    with house(tmp_path / "house") as made:
        yield Device(made, tmp_path / "slots")


def deploy(device: Device, sequence: int, name: str | None = None, **changed: Any) -> None:
    archive = bundle(device.folder.parent / (name or f"v{sequence}"), changed.pop("key", device.home.key), sequence)
    checksum = changed.pop("checksum", hashlib.sha1(archive.read_bytes()).hexdigest())
    device.home.deploy(name or f"d{sequence}", archive, checksum, **changed)


def settle(device: Device, sequence: int) -> None:
    """A version that was deployed and confirmed."""
    deploy(device, sequence)
    device.updater.poll()
    device.sort(10)
    device.updater.poll()
    assert device.sequence == sequence and not device.slots.state.trial


def test_the_first_version_sorts_at_once_and_the_next_one_after_its_trial(device: Device) -> None:
    assert device.active is None
    device.updater.poll()
    deploy(device, 1)
    device.updater.poll()
    assert device.sequence == 1 and device.results() == [("d1", "SUCCESS", "")]
    deploy(device, 2)
    device.updater.poll()
    device.sort(9)
    device.updater.poll()
    assert device.sequence == 2 and device.slots.state.trial and len(device.results()) == 1
    device.sort(1)
    device.updater.poll()
    device.updater.poll()
    assert device.results()[1:] == [("d2", "SUCCESS", "")] and not device.slots.state.trial
    device.boot()
    assert device.sequence == 2


def test_an_ill_version_is_given_back_at_once_and_reported(device: Device) -> None:
    settle(device, 1)
    deploy(device, 2)
    device.updater.poll()
    device.sort(2, fault="it fails")
    assert device.sequence == 1
    device.updater.poll()
    reason = "The model failed on 2 of its first 2 decisions."
    assert device.results()[1:] == [("d2", "FAIL", reason)]
    assert {"kind": "deployment", "result": "ROLLBACK"}.items() <= device.told[-1].items()
    settle(device, 3)


def test_an_ill_version_without_one_to_go_back_to_sorts_on_and_fails(device: Device) -> None:
    settle(device, 1)
    deploy(device, 2)
    device.updater.poll()
    assert device.active is not None
    (device.folder / "a" / "model.onnx").unlink()
    device.sort(2, fault="it fails")
    device.updater.poll()
    assert device.sequence == 2 and device.results()[-1][:2] == ("d2", "FAIL") and not device.slots.state.trial


@pytest.mark.parametrize(
    ("sequence", "changed", "message"),
    [
        (2, {"key": Ed25519PrivateKey.generate()}, "by none of the keys"),
        (2, {"checksum": "00"}, "the deployment says 00"),
        (0, {}, "has sequence 0, this device has 1 already"),
    ],
)
def test_a_refusal_is_reported_and_not_fetched_again(
    device: Device, sequence: int, changed: dict[str, Any], message: str
) -> None:
    settle(device, 1)
    deploy(device, sequence, "bad", **changed)
    wanted = device.home.deployments
    device.updater.poll()
    name, status, told = device.results()[-1]
    assert (name, status) == ("bad", "FAIL") and message in told and device.sequence == 1
    device.home.deployments = wanted  # the report was lost
    fetched = len(device.home.ranges)
    device.boot()
    device.updater.poll()
    assert device.results()[-2:] == [(name, status, told)] * 2 and len(device.home.ranges) == fetched


def test_a_deployment_that_is_taken_back_goes_to_the_other_slot(device: Device) -> None:
    settle(device, 1)
    settle(device, 2)
    archive = device.folder.parent / "v2.tar.gz"
    checksum = hashlib.sha1(archive.read_bytes()).hexdigest()
    for _ in range(2):  # the first report may have been lost
        device.home.deploy("d2-back", archive, checksum, "UNDEPLOY")
        device.updater.poll()
        assert device.sequence == 1 and device.results()[-1][:2] == ("d2-back", "SUCCESS")
    device.boot()
    assert device.sequence == 1


def test_nothing_to_go_back_to_is_a_failure(device: Device) -> None:
    settle(device, 1)
    archive = device.folder.parent / "v1.tar.gz"
    device.home.deploy("back", archive, hashlib.sha1(archive.read_bytes()).hexdigest(), "UNDEPLOY")
    device.updater.poll()
    assert device.sequence == 1
    assert device.results()[-1] == ("back", "FAIL", "There is no version before it on this device.")


def test_a_second_deployment_waits_for_the_trial_of_the_first(device: Device) -> None:
    settle(device, 1)
    deploy(device, 2)
    device.updater.poll()
    deploy(device, 3)
    device.updater.poll()
    assert device.sequence == 2
    device.sort(10)
    device.updater.poll()
    assert device.sequence == 3


def test_the_same_bundle_deployed_again_is_there_already(device: Device) -> None:
    settle(device, 1)
    archive = device.folder.parent / "v1.tar.gz"
    fetched = len(device.home.ranges)
    device.home.deploy("again", archive, hashlib.sha1(archive.read_bytes()).hexdigest())
    device.updater.poll()
    assert device.results()[-1] == ("again", "SUCCESS", "") and len(device.home.ranges) == fetched


def test_a_download_goes_on_where_it_broke_off(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "SYNC_BYTES", 1000)
    settle(device, 1)
    deploy(device, 2)
    device.home.faults.break_after = 2500
    size = (device.folder.parent / "v2.tar.gz").stat().st_size
    before = len(device.home.ranges)
    for attempt in range(size // 2000 + 3):
        try:
            device.updater.poll()
            break
        except Offline:
            if attempt == 1:
                device.boot()  # the device is switched off and on, too
    assert device.sequence == 2
    ranges = device.home.ranges[before:]
    assert ranges[0] == "" and len(ranges) >= size // 2500 and all(one.startswith("bytes=") for one in ranges[1:])


def test_a_download_that_was_spoiled_on_the_way_begins_anew(device: Device) -> None:
    settle(device, 1)
    deploy(device, 2)
    device.home.faults.break_after = 0
    with pytest.raises(Offline):
        device.updater.poll()
    part = device.folder / "download.part"
    part.write_bytes(b"x" * 10)  # nothing of it was noted as safe
    device.home.faults.break_after = None
    device.updater.poll()
    assert device.sequence == 2


def test_an_archive_that_does_not_end_is_refused(device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    settle(device, 1)
    deploy(device, 2)
    monkeypatch.setattr(download, "LIMIT_BYTES", 1000)
    device.updater.poll()
    assert device.results()[-1][:2] == ("d2", "FAIL") and "larger than" in device.results()[-1][2]
    assert not (device.folder / "download.part").exists() and device.sequence == 1


def test_offline_is_normal(device: Device) -> None:
    settle(device, 1)
    device.home.faults.refuse = (503, "ServiceUnavailable")
    with pytest.raises(Offline):
        device.updater.poll()
    device.boot()
    assert device.sequence == 1


@pytest.mark.parametrize(
    "answer",
    [
        {},
        {"Deployments": None},
        {"Deployments": [{"DeploymentName": "d", "Definitions": None}]},
        {"Deployments": [{"DeploymentName": "d", "Definitions": [{"ModelHandle": "m"}]}]},
        {"Deployments": [{"Definitions": [{"Checksum": {"Type": "MD5"}}]}]},
    ],
)
def test_what_is_not_understood_is_left_alone(answer: dict[str, Any]) -> None:
    assert wanted_of(answer) == []


def test_a_full_disk_during_an_update_is_tried_again(tmp_path: Path) -> None:
    key = Ed25519PrivateKey.generate()
    archive = bundle(tmp_path / "v1", key, 1)
    home = MemoryHome()
    home.objects["s3://b/v1"] = archive.read_bytes()
    checksum = hashlib.sha1(archive.read_bytes()).hexdigest()
    definition = {
        "ModelHandle": "m",
        "S3Url": "s3://b/v1",
        "Checksum": {"Type": "SHA1", "Sum": checksum},
        "State": "DEPLOY",
    }
    home.answers["GetDeployments"] = {"Deployments": [{"DeploymentName": "d1", "Definitions": [definition]}]}
    slots = Slots(tmp_path / "slots", proving(key))
    full = [True]

    class Full(type(slots.disk)):  # type: ignore[misc]
        def unpack(self, archive: Path, folder: Path) -> None:
            if full[0]:
                raise OSError(28, "No space left on device")
            super().unpack(archive, folder)

    slots.disk = Full()
    updater = Updater(slots, home, lambda *_: None, lambda *_, **__: None)
    with pytest.raises(OSError, match="No space left"):
        updater.poll()
    assert slots.state.refused == {}
    full[0] = False
    updater.poll()
    assert slots.state.slot == "a"

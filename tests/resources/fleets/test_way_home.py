"""The agent's own way home against the real door: credentials, a bundle fetched in pieces and verified, events, the answer."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.test_commands import tobo
from tests.support.fleets import Fleet

from tobo.edge import enrolment
from tobo.edge.bundle import verify
from tobo.edge.cloud import Cloud, Denied
from tobo.edge.updater import wanted_of
from tobo.kit.archive import unpack


@pytest.fixture
def home(fleet: Fleet, tmp_path: Path) -> Iterator[Cloud]:
    folder = tmp_path / "enrolled"
    state = str(fleet.server.state)
    made = tobo("edge", "enroll", fleet.name, "cam-1", "--into", str(folder), "--state", state)
    assert made.returncode == 0, made.stderr
    yield Cloud(enrolment.read(folder))


def test_a_device_fetches_verifies_and_answers(fleet: Fleet, home: Cloud, tmp_path: Path) -> None:
    plan = fleet.plan()
    fleet.start(plan)
    fleet.await_command("cam-1")
    (wanted,) = wanted_of(home.ask("GetDeployments"))
    whole = b"".join(home.fetch(wanted.url, 0))
    assert hashlib.sha1(whole).hexdigest() == wanted.checksum
    assert b"".join(home.fetch(wanted.url, len(whole) // 2)) == whole[len(whole) // 2 :]  # a download goes on
    (tmp_path / "bundle.tar.gz").write_bytes(whole)
    unpack(tmp_path / "bundle.tar.gz", tmp_path / "bundle")
    keys = enrolment.keys_of((tmp_path / "enrolled" / "signing.pem").read_text())
    manifest = verify(tmp_path / "bundle", keys, fleet.server.account, "rasp4b")
    assert manifest.name == "marbles"
    result = {"DeploymentName": wanted.deployment, "DeploymentStatus": "SUCCESS", "DeploymentEndTime": home.now()}
    home.ask("SendHeartbeat", AgentVersion="0.1.0", DeploymentResult=result)
    fleet.await_status(plan, "DEPLOYED")
    assert home.ask("GetDeployments") == {"Deployments": []}


def test_events_go_into_the_devices_folder_and_no_other(fleet: Fleet, home: Cloud) -> None:
    place = f"s3://{fleet.bucket}/home/{fleet.name}/cam-1"
    assert f'"outputS3Uri":"{place}/"' in home.ask("GetDeviceRegistration")["DeviceRegistration"]
    for _ in range(2):  # once more is harmless
        home.put(f"{place}/events/{1:020}.jsonl", b"{}\n", "application/jsonl")
    keys = [one["Key"] for one in fleet.s3.list_objects_v2(Bucket=fleet.bucket, Prefix="home/")["Contents"]]
    assert keys == [f"home/{fleet.name}/cam-1/events/{1:020}.jsonl"]
    with pytest.raises(Denied, match="AccessDenied"):
        home.put(f"{place[:-1]}2/events/{1:020}.jsonl", b"{}\n", "application/jsonl")

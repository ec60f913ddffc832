"""The way home: what a device's certificate buys, what is signed, and what is tried again."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as BotoCredentials
from tests.support.house import House, certificate, house, write_certificate

from tobo.edge import enrolment
from tobo.edge.cloud import Cloud, Denied, Offline
from tobo.edge.enrolment import BadEnrolment
from tobo.edge.signing import Credentials, sign


@pytest.fixture
def home(tmp_path: Path) -> Iterator[House]:
    with house(tmp_path / "house") as made:
        yield made


def cloud_of(home: House, wall: float = 0.0, **changed: object) -> Cloud:
    """A device's way home; its clock is `wall` seconds wrong."""
    if changed:
        file = home.enrolment / "device.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | changed))
    return Cloud(enrolment.read(home.enrolment), lambda: time.time() + wall, timeout=5)


@pytest.mark.parametrize(
    ("service", "method", "url", "body"),
    [
        ("sagemaker", "POST", "http://127.0.0.1:8626/GetDeployments", b'{"DeviceName": "a"}'),
        ("s3", "PUT", "https://house.example/bucket/a%20b/c%2Bd.jpg", b"\xff\xd8"),
        ("s3", "GET", "https://house.example:8443/bucket/key?versionId=a%2Fb&x=1", b""),
    ],
)
def test_signatures_are_botocores(service: str, method: str, url: str, body: bytes) -> None:
    ours = sign(Credentials("AKID", "secret", "token", 0), service, "eu-central-1", time.time(), method, url, body)
    request = AWSRequest(method, url, {"X-Amz-Content-SHA256": ours["x-amz-content-sha256"]}, body)
    signer = (S3SigV4Auth if service == "s3" else SigV4Auth)(
        BotoCredentials("AKID", "secret", "token"), service, "eu-central-1"
    )
    request.context["timestamp"] = ours["x-amz-date"]
    request.headers["X-Amz-Date"], request.headers["X-Amz-Security-Token"] = ours["x-amz-date"], "token"
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert ours["authorization"].endswith(f"Signature={expected}")


def test_the_certificate_buys_credentials_once(home: House) -> None:
    cloud = cloud_of(home)
    assert cloud.ask("GetDeployments") == {"Deployments": []}
    cloud.ask("SendHeartbeat", AgentVersion="1")
    cloud.put("s3://fleet/out/a b.jsonl", b"line\n", "application/json")
    assert home.bought == 1 and home.objects == {"fleet/out/a b.jsonl": b"line\n"}
    assert b"".join(cloud.fetch("s3://fleet/out/a b.jsonl", 0)) == b"line\n"
    assert b"".join(cloud.fetch("s3://fleet/out/a b.jsonl", 3)) == b"e\n"
    assert b"".join(cloud.fetch("s3://fleet/out/a b.jsonl", 5)) == b""


def test_credentials_are_renewed_before_and_after_they_expire(home: House) -> None:
    home.lifetime = 10.0
    cloud = cloud_of(home)
    cloud.ask("GetDeployments")
    cloud.ask("GetDeployments")
    assert home.bought == 2
    home.lifetime = 3600.0
    cloud.ask("GetDeployments")
    home.secret = "secret-2"  # as after a revocation: those that it has are worth nothing
    cloud.ask("GetDeployments")
    assert home.bought == 4


@pytest.mark.parametrize("wall", [-400 * 86400.0, -7200.0, 86400.0])
def test_a_clock_that_is_wrong_is_put_right(home: House, wall: float) -> None:
    cloud = cloud_of(home, wall)
    assert cloud.ask("GetDeployments") == {"Deployments": []}
    assert abs(cloud.now() - time.time()) < 3


def test_a_clock_that_jumps_changes_nothing(home: House) -> None:
    wall = [0.0]
    cloud = Cloud(enrolment.read(home.enrolment), lambda: time.time() + wall[0])
    cloud.ask("GetDeployments")
    wall[0] = 86400.0 * 30
    cloud.ask("GetDeployments")
    assert home.bought == 1


def test_the_houses_clock_jumps(home: House) -> None:
    cloud = cloud_of(home)
    cloud.ask("GetDeployments")
    home.faults.skew = 2000
    assert cloud.ask("GetDeployments") == {"Deployments": []}


def test_a_clock_before_the_certificates_does_not_judge_their_dates(tmp_path: Path) -> None:
    with house(tmp_path / "house", begins_in=timedelta(days=10)) as made:  # to all dates, it is ten days ago
        assert cloud_of(made).ask("GetDeployments") == {"Deployments": []}
    with (
        house(tmp_path / "old", begins_in=timedelta(days=-70)) as made,
        pytest.raises(Denied, match=r"UntrustedServer: .*certificate has expired"),
    ):
        cloud_of(made).ask("GetDeployments")


def test_a_server_that_is_not_the_house_gets_nothing(home: House) -> None:
    write_certificate(home.folder, "other", certificate("authority"))
    (home.enrolment / "authority.pem").write_bytes((home.folder / "other.pem").read_bytes())
    with pytest.raises(Denied, match=r"UntrustedServer: .* is not who it has to be"):
        cloud_of(home).ask("GetDeployments")
    assert home.bought == 0


def test_a_foreign_certificate_buys_nothing(tmp_path: Path) -> None:
    with house(tmp_path / "house", device_by=certificate("another authority")) as made:
        with pytest.raises((Denied, Offline)):
            cloud_of(made).ask("GetDeployments")
        assert made.bought == 0


def test_another_devices_name_buys_nothing(home: House) -> None:
    with pytest.raises(Denied, match="not this device's"):
        cloud_of(home, thing="line-2").ask("GetDeployments")


@pytest.mark.parametrize(
    ("refuse", "expected"),
    [
        ((500, "InternalFailure"), Offline),
        ((503, "SlowDown"), Offline),
        ((429, "ThrottlingException"), Offline),
        ((403, "AccessDeniedException"), Denied),
        ((400, "ValidationException"), Denied),
    ],
)
def test_what_is_worth_trying_again(home: House, refuse: tuple[int, str], expected: type[Exception]) -> None:
    cloud = cloud_of(home)
    cloud.credentials()
    home.faults.refuse = refuse
    with pytest.raises(expected) as raised:
        cloud.ask("GetDeployments")
    assert getattr(raised.value, "code", refuse[1]) == refuse[1]


def test_no_network_is_offline(home: House) -> None:
    cloud = cloud_of(home, endpoint="http://127.0.0.1:1")
    with pytest.raises(Offline, match="cannot be reached"):
        cloud.ask("GetDeployments")
    with pytest.raises(Offline, match="cannot be reached"):
        cloud_of(home, credentials="https://localhost:1/x").ask("GetDeployments")


def test_a_lost_answer_and_a_broken_download_are_offline(home: House) -> None:
    cloud = cloud_of(home)
    cloud.put("s3://fleet/x", b"0123456789" * 100, "application/octet-stream")
    home.faults.break_after = 300
    got = []
    with pytest.raises(Offline, match="broke off"):
        got += list(cloud.fetch("s3://fleet/x", 0))
    home.faults.break_after = None
    home.faults.lose_answers = True
    with pytest.raises(Offline):
        cloud.ask("GetDeployments")


def test_an_object_that_is_not_there_is_denied(home: House) -> None:
    with pytest.raises(Denied, match="NoSuchKey: There is no such object"):
        list(cloud_of(home).fetch("s3://fleet/none", 0))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: (folder / "device.key").unlink(), "has no device.key"),
        (lambda folder: (folder / "device.json").write_text("{}"), "lacks or mistypes 'format'"),
        (lambda folder: (folder / "device.json").write_text('{"format": 9}'), "is of format 9"),
        (lambda folder: (folder / "device.json").write_text("x"), "lacks or mistypes"),
    ],
)
def test_an_enrolment_that_is_not_whole_is_refused(home: House, spoil, message: str) -> None:  # type: ignore[no-untyped-def]
    spoil(home.enrolment)
    with pytest.raises(BadEnrolment, match=message):
        enrolment.read(home.enrolment)


def test_a_broken_certificate_is_named(home: House) -> None:
    (home.enrolment / "device.pem").write_text("no certificate")
    with pytest.raises(Denied, match="has an unusable certificate"):
        cloud_of(home).ask("GetDeployments")

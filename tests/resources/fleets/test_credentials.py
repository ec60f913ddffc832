"""Devices' credentials: who gets them by which certificate, and what they may do with them."""

import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from tests.support.device import Device, ask_credentials, enable_alias, make_device, private_pem, tls_address
from tests.support.fleets import Fleet


@pytest.fixture
def device(fleet: Fleet, tmp_path: Path) -> Device:
    enable_alias(fleet)
    return make_device(fleet, "cam-1", tmp_path)


def code(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


def test_a_certificate_gives_credentials_for_an_hour_at_most(device: Device) -> None:
    status, answer = device.ask()
    assert status == 200
    assert answer["credentials"].keys() == {"accessKeyId", "secretAccessKey", "sessionToken", "expiration"}
    expires = datetime.strptime(answer["credentials"]["expiration"], "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    assert timedelta(minutes=55) < expires - datetime.now(UTC) <= timedelta(hours=1)


def test_a_device_does_its_own_with_them(device: Device) -> None:
    edge, s3, fleet = device.client("sagemaker-edge"), device.client("s3"), device.fleet
    place = {"DeviceName": device.name, "DeviceFleetName": fleet.name}
    plan = fleet.plan()
    fleet.start(plan)
    command = fleet.await_command(device.name)
    edge.send_heartbeat(AgentVersion="1.0", **place)
    assert edge.get_deployments(**place)["Deployments"] == [command]
    assert device.name in edge.get_device_registration(**place)["DeviceRegistration"]
    bucket, _, key = command["Definitions"][0]["S3Url"].removeprefix("s3://").partition("/")
    assert s3.get_object(Bucket=bucket, Key=key)["ContentLength"] > 0
    s3.put_object(Bucket=bucket, Key=f"home/{fleet.name}/{device.name}/events/0.jsonl", Body=b"{}")


def _own(device: Device) -> dict[str, str]:
    return {"DeviceName": device.name, "DeviceFleetName": device.fleet.name}


@pytest.mark.parametrize(
    ("service", "operation", "members"),
    [
        ("sagemaker-edge", "get_deployments", lambda d: {**_own(d), "DeviceName": "cam-2"}),
        ("sagemaker-edge", "get_deployments", lambda d: {**_own(d), "DeviceName": "CAM-1"}),
        ("sagemaker-edge", "get_device_registration", lambda d: {**_own(d), "DeviceName": "cam-2"}),
        ("sagemaker-edge", "send_heartbeat", lambda d: {**_own(d), "DeviceName": "cam-2", "AgentVersion": "1"}),
        ("sagemaker-edge", "send_heartbeat", lambda d: {**_own(d), "DeviceFleetName": "other", "AgentVersion": "1"}),
        ("sagemaker", "describe_device", _own),
        ("sagemaker", "list_devices", lambda d: {}),
        ("s3", "list_objects_v2", lambda d: {"Bucket": d.fleet.bucket}),
        ("s3", "get_object", lambda d: {"Bucket": d.fleet.bucket, "Key": f"home/{d.fleet.name}/cam-2/frames/1.jpg"}),
        ("s3", "put_object", lambda d: {"Bucket": d.fleet.bucket, "Key": f"home/{d.fleet.name}/cam-2/x"}),
        ("s3", "put_object", lambda d: {"Bucket": d.fleet.bucket, "Key": f"home/{d.fleet.name}/cam-1"}),
        ("s3", "put_object", lambda d: {"Bucket": d.fleet.bucket, "Key": f"home/{d.fleet.name}/_bundles/x"}),
        ("s3", "delete_object", lambda d: {"Bucket": d.fleet.bucket, "Key": f"home/{d.fleet.name}/cam-1/x"}),
        ("iot", "list_things", lambda d: {}),
        ("sts", "get_session_token", lambda d: {}),
        ("iam", "list_users", lambda d: {}),
    ],
)
def test_and_nothing_else(device: Device, service: str, operation: str, members: Any) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(device.client(service), operation)(**members(device))
    assert code(refused) in ("AccessDenied", "AccessDeniedException")


def test_without_a_certificate(device: Device) -> None:
    status, answer = ask_credentials(device.fleet.server, device.alias, device.thing, None)
    assert status == 403 and "No certificate" in answer["message"]


def test_over_plain_http(device: Device) -> None:
    address = f"{device.fleet.server.endpoint}/role-aliases/{device.alias}/credentials"
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(urllib.request.Request(address, headers={"x-amzn-iot-thingname": device.thing}))
    assert refused.value.code == 403


@pytest.mark.parametrize("issuer", ["itself", "the server's authority by name", "another authority"])
def test_another_authoritys_certificate_does_not_get_through_tls(device: Device, issuer: str, tmp_path: Path) -> None:
    names = {"itself": "cam-1", "the server's authority by name": "tobo devices", "another authority": "somebody"}
    key = ec.generate_private_key(ec.SECP256R1())
    forged = _certificate("cam-1", names[issuer], key)
    (tmp_path / "forged.pem").write_bytes(forged.public_bytes(serialization.Encoding.PEM))
    (tmp_path / "forged.key").write_bytes(private_pem(key))
    with pytest.raises(OSError):
        ask_credentials(
            device.fleet.server, device.alias, device.thing, (tmp_path / "forged.pem", tmp_path / "forged.key")
        )


def _certificate(name: str, issuer: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )


@pytest.mark.parametrize("status", ["INACTIVE", "REVOKED"])
def test_a_certificate_that_is_not_active(device: Device, status: str) -> None:
    iot = device.fleet.iot
    iot.update_certificate(certificateId=device.identifier, newStatus=status)
    answered, answer = device.ask()
    assert answered == 403 and status in answer["message"]


def test_a_revoked_certificate_stays_so(device: Device) -> None:
    iot = device.fleet.iot
    iot.update_certificate(certificateId=device.identifier, newStatus="REVOKED")
    with pytest.raises(iot.exceptions.CertificateStateException):
        iot.update_certificate(certificateId=device.identifier, newStatus="ACTIVE")


def test_another_devices_thing(device: Device, tmp_path: Path) -> None:
    other = make_device(device.fleet, "cam-2", tmp_path)
    status, answer = device.ask(thing=other.thing)
    assert status == 403 and "not attached" in answer["message"]


def test_another_fleets_alias(device: Device) -> None:
    other = Fleet(device.fleet.server)
    enable_alias(other)
    status, answer = device.ask(alias=f"SageMakerEdge-{other.name}")
    assert status == 403 and "no device of the fleet" in answer["message"]


@pytest.mark.parametrize("alias", ["nothing", "SageMakerEdge-", "SageMakerEdge-nothing", "%2e%2e", "a%2Fb"])
def test_an_alias_that_is_none(device: Device, alias: str) -> None:
    assert device.ask(alias=alias)[0] == 403


def test_a_fleet_whose_alias_was_switched_off(device: Device) -> None:
    output = {"S3OutputLocation": f"s3://{device.fleet.bucket}/home"}
    device.fleet.sagemaker.update_device_fleet(
        DeviceFleetName=device.fleet.name, OutputConfig=output, EnableIotRoleAlias=False
    )
    assert device.ask()[0] == 403
    enable_alias(device.fleet)
    device.fleet.iot.delete_role_alias(roleAlias=device.alias)
    assert device.ask()[0] == 403


def test_a_deregistered_device(device: Device) -> None:
    device.fleet.sagemaker.deregister_devices(DeviceFleetName=device.fleet.name, DeviceNames=[device.name])
    assert device.ask()[0] == 403


def test_a_detached_certificate(device: Device) -> None:
    iot = device.fleet.iot
    assert iot.list_thing_principals(thingName=device.thing)["principals"] == [device.arn]
    assert iot.list_principal_things(principal=device.arn)["things"] == [device.thing]
    iot.detach_thing_principal(thingName=device.thing, principal=device.arn)
    assert device.ask()[0] == 403


def test_one_thing_is_one_device_of_a_fleet(device: Device) -> None:
    sagemaker = device.fleet.sagemaker
    twin = [{"DeviceName": "cam-9", "IotThingName": device.thing}]
    with pytest.raises(sagemaker.exceptions.ResourceInUse):
        sagemaker.register_devices(DeviceFleetName=device.fleet.name, Devices=twin)


def test_the_tls_port_still_serves_who_shows_none(device: Device) -> None:
    server = device.fleet.server
    authority = str(server.state / "tls" / "authority.pem")
    sts = server.client("sts", endpoint_url=f"https://{tls_address(server)}", verify=authority)
    assert sts.get_caller_identity()["Account"] == server.account


def test_the_authoritys_key_is_the_owners_only(device: Device) -> None:
    folder = device.fleet.server.state / "edge"
    device.fleet.package()
    account = folder / device.fleet.server.account
    for file in (folder / "authority.key", account / "signing.key"):
        assert file.stat().st_mode & 0o777 == 0o600

"""Enrolling: what `tobo edge enroll` asks of the server, and the folder with which a device starts.

The device's private key is drawn here and never sent. The folder: `device.json`, `device.pem`, `device.key` (0600),
`authority.pem` (TLS server's authority and, for a broker, the devices'), `signing.pem` (keys that sign bundles).
"""

import http.client
import json
import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tobo.cli.client import Server, execution_role, fail
from tobo.gateway.device_credentials import THING
from tobo.kit.arn import Namespace
from tobo.kit.s3_uri import parse_s3_uri
from tobo.operations.certificates import authority_file, common_name, private_pem
from tobo.operations.edge import nudge_topic
from tobo.operations.signing import replace_file

FORMAT = 1
LONGEST_NAME = 64
"""Characters of a common name (RFC 5280, ub-common-name)."""


@dataclass(frozen=True)
class Wanted:
    """As the command line says it."""

    fleet: str
    device: str
    target: str
    folder: Path
    host: str | None
    output: str | None
    authority: Path | None

    @property
    def identity(self) -> str:
        """The name in the certificate, by which a broker knows the device."""
        return f"{self.fleet}/{self.device}"

    @property
    def thing(self) -> str:
        return f"{self.fleet}:{self.device}"


class _Clients(NamedTuple):
    sagemaker: Any
    iot: Any
    edge: Any
    s3: Any


def enroll_device(server: Server, state: Path, wanted: Wanted) -> str:
    """Where the device's credentials come from. Ends by asking for them as the device will; ends the command where it cannot."""
    if len(wanted.identity) > LONGEST_NAME:
        fail(f"'{wanted.identity}' is longer than {LONGEST_NAME} characters, which a certificate's name cannot be.")
    clients = _Clients(*(server.client(name) for name in ("sagemaker", "iot", "sagemaker-edge", "s3")))
    account = str(server.client("sts").get_caller_identity()["Account"])
    space = Namespace(account, clients.sagemaker.meta.region_name)
    alias = _ensure_fleet(server, clients, space, wanted)
    address = str(clients.iot.describe_endpoint(endpointType="iot:CredentialProvider")["endpointAddress"])
    if wanted.host is not None:
        address = f"{wanted.host}:{address.rpartition(':')[2]}"
    key, made = _certificate(clients, wanted)
    _register(clients, wanted)
    registration = json.loads(
        clients.edge.get_device_registration(DeviceName=wanted.device, DeviceFleetName=wanted.fleet)[
            "DeviceRegistration"
        ]
    )
    card = {
        "format": FORMAT,
        "account": space.account,
        "region": space.region,
        "fleet": wanted.fleet,
        "device": wanted.device,
        "target": wanted.target,
        "endpoint": f"https://{address}",
        "credentials": f"https://{address}/role-aliases/{alias}/credentials",
        "thing": wanted.thing,
        "mqtt": _broker(clients, space, wanted),
    }
    trusted = [wanted.authority or state / "tls" / "authority.pem", authority_file(state)]
    _write(wanted.folder, card, key, made["certificatePem"], registration["signingKeys"], trusted)
    _prove(wanted, card)
    _revoke_others(clients, wanted, made["certificateArn"])
    return str(card["credentials"])


def _ensure_fleet(server: Server, clients: _Clients, space: Namespace, wanted: Wanted) -> str:
    """The name of the fleet's role alias; makes what is missing."""
    try:
        known = clients.sagemaker.describe_device_fleet(DeviceFleetName=wanted.fleet)
    except clients.sagemaker.exceptions.ResourceNotFound:
        known = {}
    if "IotRoleAlias" not in known:
        location = wanted.output or f"s3://sagemaker-{space.region}-{space.account}/edge"
        asked = {
            "DeviceFleetName": wanted.fleet,
            "RoleArn": known.get("RoleArn") or execution_role(server.client("iam")),
            "OutputConfig": known.get("OutputConfig") or {"S3OutputLocation": location},
            "EnableIotRoleAlias": True,
        }
        if known:
            clients.sagemaker.update_device_fleet(**asked)
        else:
            _ensure_bucket(clients.s3, parse_s3_uri(location, "--output").bucket, space.region)
            clients.sagemaker.create_device_fleet(**asked)
        known = clients.sagemaker.describe_device_fleet(DeviceFleetName=wanted.fleet)
    return str(known["IotRoleAlias"]).rpartition("/")[2]


def _ensure_bucket(s3: Any, bucket: str, region: str) -> None:
    if bucket not in [one["Name"] for one in s3.list_buckets()["Buckets"]]:
        where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        s3.create_bucket(Bucket=bucket, **where)


def _certificate(clients: _Clients, wanted: Wanted) -> tuple[ec.EllipticCurvePrivateKey, dict[str, Any]]:
    """A new key, and what CreateCertificateFromCsr answered for it; attached to the thing."""
    key = ec.generate_private_key(ec.SECP256R1())
    request = (
        x509.CertificateSigningRequestBuilder().subject_name(common_name(wanted.identity)).sign(key, hashes.SHA256())
    )
    text = request.public_bytes(serialization.Encoding.PEM).decode()
    made = clients.iot.create_certificate_from_csr(certificateSigningRequest=text, setAsActive=True)
    clients.iot.create_thing(thingName=wanted.thing)
    clients.iot.attach_thing_principal(thingName=wanted.thing, principal=made["certificateArn"])
    return key, dict(made)


def _register(clients: _Clients, wanted: Wanted) -> None:
    """One that is registered already is changed: with another card it has nothing of what it was told before."""
    device = {"DeviceName": wanted.device, "IotThingName": wanted.thing}
    try:
        clients.sagemaker.update_devices(DeviceFleetName=wanted.fleet, Devices=[device])
    except clients.sagemaker.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFound":
            raise
        clients.sagemaker.register_devices(DeviceFleetName=wanted.fleet, Devices=[device])


def _broker(clients: _Clients, space: Namespace, wanted: Wanted) -> dict[str, Any] | None:
    """Where the device listens for nudges; None where the server has no broker."""
    try:
        address = str(clients.iot.describe_endpoint(endpointType="iot:Data-ATS")["endpointAddress"])
    except clients.iot.exceptions.InvalidRequestException:
        return None
    host, _, port = address.rpartition(":")
    if wanted.host is not None and host in ("127.0.0.1", "localhost", "[::1]"):
        host = wanted.host
    return {"host": host, "port": int(port), "topic": nudge_topic(space, wanted.fleet, wanted.device)}


def _write(
    folder: Path,
    card: dict[str, Any],
    key: ec.EllipticCurvePrivateKey,
    certificate: str,
    signing_keys: list[str],
    authorities: list[Path],
) -> None:
    """The card last: a folder with one is whole."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    (folder / "device.json").unlink(missing_ok=True)
    try:
        trusted = b"".join(file.read_bytes() for file in authorities if file.exists() or file == authorities[0])
    except OSError as error:
        fail(f"{error.filename} cannot be read; name the authority of the TLS server with --authority.")
    replace_file(folder / "device.key", private_pem(key), 0o600)
    replace_file(folder / "device.pem", certificate.encode(), 0o644)
    replace_file(folder / "authority.pem", trusted, 0o644)
    replace_file(folder / "signing.pem", "".join(signing_keys).encode(), 0o644)
    replace_file(folder / "device.json", json.dumps(card, indent=1).encode() + b"\n", 0o644)


def _prove(wanted: Wanted, card: dict[str, Any]) -> None:
    """Asks for credentials with what is in the folder: what is wrong with names or authorities shows here, not at the line."""
    address = urlsplit(str(card["credentials"]))
    trust = ssl.create_default_context(cafile=str(wanted.folder / "authority.pem"))
    trust.load_cert_chain(wanted.folder / "device.pem", wanted.folder / "device.key")
    connection = http.client.HTTPSConnection(address.hostname or "", address.port, context=trust, timeout=10)
    try:
        connection.request("GET", address.path, headers={THING: wanted.thing})
        answer = connection.getresponse()
        status, text = answer.status, answer.read().decode()
    except OSError as error:
        fail(f"{card['credentials']} does not answer as it should: {error}. Is its certificate made for that name?")
    finally:
        connection.close()
    if status != 200:
        fail(f"{card['credentials']} refuses the new certificate: {text}")


def _revoke_others(clients: _Clients, wanted: Wanted, keep: str) -> None:
    """The certificates that the thing had before."""
    for arn in clients.iot.list_thing_principals(thingName=wanted.thing)["principals"]:
        if arn != keep:
            clients.iot.update_certificate(certificateId=arn.rpartition("/")[2], newStatus="REVOKED")
            clients.iot.detach_thing_principal(thingName=wanted.thing, principal=arn)
